// SPDX-License-Identifier: Apache-2.0
#include "ip/tensor/rtl_arrays.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "ip/base/numbers.hpp"

namespace forerun::ip {
namespace {

constexpr unsigned from_zero = 0, from_accumulators = 1, from_outside = 2;  // a_start
constexpr unsigned no_format = 3;
constexpr const char* format_names[] = {"int8", "bf16", "fp16"};

unsigned format_of(const fr_matmul& c) {
  if (c.a_type != c.b_type) return no_format;
  return c.a_type == FR_TYPE_I8 ? 0 : c.a_type == FR_TYPE_BF16 ? 1 : c.a_type == FR_TYPE_F16 ? 2 : no_format;
}

bool accumulates(const fr_matmul& c) { return (c.flags & FR_MATMUL_ACCUMULATE) != 0; }

}  // namespace

RtlArrays::RtlArrays(const TensorParameters& parameters, TileMaker maker)
    : parameters_(parameters), maker_(std::move(maker)), period_ps_(period(parameters.clock).picoseconds) {}

RtlArrays::Tiles* RtlArrays::tiles_of(unsigned format) {
  auto& tiles = by_format_[format];
  if (!asked_[format]) {
    asked_[format] = true;
    for (unsigned i = 0; i < parameters_.arrays; ++i)
      if (auto tile = maker_(format)) tiles.push_back(std::move(tile));
    if (!tiles.empty()) reset(tiles);
  }
  return tiles.empty() ? nullptr : &tiles;
}

std::string RtlArrays::why_not(const fr_matmul& c) {
  const auto format = format_of(c);
  if (format == no_format) return "operands that are not both int8, bf16 or fp16";
  const auto* tiles = tiles_of(format);
  if (tiles == nullptr) return fmt::format("no RTL of format {}", format_names[format]);
  if (c.k > parameters_.rows && c.m > tiles->front()->pins.depth)
    return fmt::format("more than {} rows, which the accumulators inside do not hold",
                       tiles->front()->pins.depth);
  return {};
}

bool RtlArrays::begin(const fr_matmul& command, std::span<unsigned char> memory, std::int64_t start_ps) {
  const Stopwatch watch(statistics_.host_seconds);
  if (auto reason = why_not(command); !reason.empty()) {
    ++statistics_.fall_backs[reason];
    return false;
  }
  if (tiles_ != nullptr && !clean_) reset(*tiles_);
  tiles_ = &by_format_[format_of(command)];
  command_ = command;
  memory_ = memory;
  start_ps_ = start_ps;
  clean_ = finished_ = false;
  const auto width = std::uint64_t{parameters_.columns} * parameters_.arrays;
  k_tiles_ = (command.k + parameters_.rows - 1) / parameters_.rows;
  groups_ = (command.n + width - 1) / width;
  result_stride_ = groups_ * width;
  results_.resize(result_stride_ * command.m);
  cycle_ = results_taken_ = result_group_ = 0;
  weight_row_ = row_ = result_row_ = 0;
  wave_ = weight_wave_ = wave_at(0);
  next_wave_ = wave_at(1);
  trace_.weights.clear(), trace_.activations.clear(), trace_.results.clear();
  gather_weights();
  ++statistics_.commands;
  return true;
}

void RtlArrays::reset(Tiles& tiles) {
  for (auto& tile : tiles) {
    auto& p = tile->pins;
    *p.w_valid = *p.a_valid = 0;
    *p.c_ready = 1;
    for (const bool active : {true, true, false}) {
      *p.reset = active == p.reset_level ? 1 : 0;
      *p.clock = 0;
      p.evaluate(p.model);
      if (!active) break;
      *p.clock = 1;
      p.evaluate(p.model);
    }
  }
}

RtlArrays::Wave RtlArrays::wave_at(std::uint64_t number) const {
  if (number >= waves()) return {number, 0, 0, 0};
  const auto k_tile = number % k_tiles_;
  const auto left = command_.k - k_tile * parameters_.rows;
  return {number, k_tile, number / k_tiles_,
          static_cast<unsigned>(std::min<std::uint64_t>(parameters_.rows, left))};
}

void RtlArrays::next_wave() {
  wave_ = next_wave_;
  next_wave_ = wave_at(wave_.number + 1);
  row_ = 0;
}

/// The tiles of weight_wave_, unused columns zero.
void RtlArrays::gather_weights() {
  const auto bytes = tiles_->front()->pins.element_bytes();
  const auto rows = weight_wave_.rows;
  const auto first_k = weight_wave_.k_tile * parameters_.rows;
  const auto width = std::uint64_t{parameters_.columns} * parameters_.arrays;
  const auto first_n = weight_wave_.group * width;
  const auto columns = std::min<std::uint64_t>(width, command_.n - first_n);
  weights_.assign(rows * width * bytes, 0);
  const auto at = [&](std::uint64_t row, std::uint64_t column) {
    return &memory_[static_cast<std::uint64_t>(std::int64_t{command_.b} +
                                               static_cast<std::int64_t>(row) * command_.b_stride) +
                    column * bytes];
  };
  const bool transposed = (command_.flags & FR_MATMUL_B_TRANSPOSED) != 0;
  for (unsigned k = 0; k < rows; ++k) {
    auto* to = &weights_[k * width * bytes];
    if (!transposed)
      std::memcpy(to, at(first_k + k, first_n), columns * bytes);
    else
      for (std::uint64_t n = 0; n < columns; ++n)
        std::memcpy(to + n * bytes, at(first_n + n, first_k + k), bytes);
  }
}

void RtlArrays::offer_weights() {
  const auto ahead = wave_.number + (parameters_.double_buffered ? 1 : 0);
  weights_valid_ = weight_wave_.rows > 0 && weight_wave_.number <= ahead;
  const auto bytes = std::size_t{parameters_.columns} * tiles_->front()->pins.element_bytes();
  const auto* from = weights_.data() + weight_row_ * tiles_->size() * bytes;
  for (auto& tile : *tiles_) {
    auto& p = tile->pins;
    *p.w_valid = weights_valid_ ? 1 : 0;
    if (!weights_valid_) continue;
    *p.w_last = weight_row_ + 1 == weight_wave_.rows ? 1 : 0;
    std::memcpy(p.w_data, from, bytes);
    from += bytes;
  }
}

/// A beat; without `valid` only what READY depends on.
void RtlArrays::offer_activations(const Wave& wave, unsigned row_number, bool valid) {
  const bool present = wave.rows > 0 && row_number < command_.m;
  const auto k_tile = wave.k_tile, group = wave.group;
  const auto start = k_tile > 0 ? from_accumulators : accumulates(command_) ? from_outside : from_zero;
  const auto bytes = std::size_t{tiles_->front()->pins.element_bytes()};
  const auto lanes = wave.rows * bytes;
  const auto row = std::int64_t{row_number};
  for (std::size_t i = 0; i < tiles_->size(); ++i) {
    auto& p = (*tiles_)[i]->pins;
    *p.a_valid = valid && present ? 1 : 0;
    if (!present) continue;
    *p.a_start = static_cast<unsigned char>(start);
    *p.a_last = row_number + 1 == command_.m ? 1 : 0;
    *p.a_emit = k_tile + 1 == k_tiles_ ? 1 : 0;
    if (!valid) continue;
    const auto from = static_cast<std::uint64_t>(std::int64_t{command_.a} + row * command_.a_stride) +
                      k_tile * parameters_.rows * bytes;
    std::memcpy(p.a_data, &memory_[from], lanes);
    if (lanes < parameters_.rows * bytes) std::memset(p.a_data + lanes, 0, parameters_.rows * bytes - lanes);
    if (start != from_outside) continue;
    const auto first = (group * tiles_->size() + i) * parameters_.columns;
    const auto columns =
        first < command_.n ? std::min<std::uint64_t>(parameters_.columns, command_.n - first) : 0;
    std::memset(p.a_sum, 0, std::size_t{parameters_.columns} * 4);
    if (columns == 0) continue;
    const auto c = static_cast<std::uint64_t>(std::int64_t{command_.c} + row * command_.c_stride);
    std::memcpy(p.a_sum, &memory_[c + first * 4], columns * 4);
  }
}

void RtlArrays::stuck(const char* what) const {
  throw ArrayError(fmt::format("{}: cycle {}: {}", describe(), cycle_, what));
}

void RtlArrays::dump(std::int64_t after_the_cycles_start) {
  if (cycle_ < dump_first_ || cycle_ > dump_last_) return;
  for (auto& tile : *tiles_)
    if (tile->pins.dump)
      tile->pins.dump(start_ps_ + static_cast<std::int64_t>(cycle_) * period_ps_ + after_the_cycles_start);
}

void RtlArrays::settle() {
  const auto& first = tiles_->front()->pins;
  for (auto& tile : *tiles_) {
    auto& p = tile->pins;
    *p.c_ready = results_ready_ ? 1 : 0;
    *p.clock = 0;
    p.evaluate(p.model);
    if (*p.w_ready != *first.w_ready || *p.a_ready != *first.a_ready || *p.c_valid != *first.c_valid)
      stuck("READY or VALID of arrays side by side differ");
  }
}

/// A cycle may be settled more than once; waves show the last.
void RtlArrays::edge() {
  dump(0);
  for (auto& tile : *tiles_) {
    auto& p = tile->pins;
    *p.clock = 1;
    p.evaluate(p.model);
  }
  dump(period_ps_ / 2);
  ++cycle_;
  ++statistics_.cycles;
}

/// True if a row of results is taken in this cycle.
bool RtlArrays::take_results() {
  const auto& first = tiles_->front()->pins;
  if (!results_ready_ || *first.c_valid == 0) return false;
  if (results_taken_ == groups_ * command_.m) stuck("a result more than there are rows");
  const bool last_row = result_row_ + 1 == command_.m;
  if (first.c_last != nullptr && (*first.c_last != 0) != last_row) stuck("c_last does not repeat a_last");
  auto* to = &results_[result_row_ * result_stride_ + result_group_ * tiles_->size() * parameters_.columns];
  for (auto& tile : *tiles_) {
    std::memcpy(to, tile->pins.c_data, std::size_t{parameters_.columns} * 4);
    to += parameters_.columns;
  }
  ++results_taken_;
  result_row_ = last_row ? 0 : result_row_ + 1;
  if (last_row) ++result_group_;
  trace_.results.push_back(cycle_);
  return true;
}

/// Beats that are offered move, and the clock rises. True if any has.
bool RtlArrays::step(bool activations_offered) {
  const auto& first = tiles_->front()->pins;
  bool moved = take_results();
  const bool weights_taken = weights_valid_ && *first.w_ready != 0;
  const bool activations_taken = activations_offered && *first.a_ready != 0;
  if (weights_taken) trace_.weights.push_back(cycle_);
  if (activations_taken) trace_.activations.push_back(cycle_);
  edge();
  if (activations_taken) ++row_, moved = true;
  if (weights_taken) {
    moved = true;
    if (++weight_row_ == weight_wave_.rows) {
      weight_row_ = 0;
      weight_wave_ = wave_at(weight_wave_.number + 1);
      if (weight_wave_.rows > 0) gather_weights();
    }
  }
  return moved;
}

std::uint64_t RtlArrays::wave() {
  const Stopwatch watch(statistics_.host_seconds);
  const auto began = cycle_, total = groups_ * command_.m;
  const auto& first = tiles_->front()->pins;
  const unsigned patience = 4 * (parameters_.rows + parameters_.columns) + 1000;
  for (unsigned still = 0; still < patience;) {
    const bool streaming = row_ < command_.m, last_wave = next_wave_.rows == 0;
    if (streaming)
      offer_activations(wave_, row_, true);
    else
      offer_activations(next_wave_, 0, false);  // would they be taken?
    offer_weights();
    settle();
    // With cycles of its own an array may raise READY only when it sees VALID.
    if (!streaming && !last_wave &&
        (first.own_timing || (parameters_.double_buffered ? *first.a_ready != 0 : first.is_idle()))) {
      next_wave();
      return cycle_ - began;
    }
    if (!streaming && last_wave && results_taken_ + 1 == total && *first.c_valid != 0) {
      finished_ = true;
      return cycle_ - began + 1;
    }
    still = step(streaming) ? 0 : still + 1;
  }
  stuck(row_ < command_.m      ? "activations are not taken"
        : next_wave_.rows == 0 ? "results are missing"
                               : "the next wave cannot begin");
}

void RtlArrays::wait(std::uint64_t cycles) {
  if (cycles == 0) return;
  const Stopwatch watch(statistics_.host_seconds);
  const auto& first = tiles_->front()->pins;
  results_ready_ = !finished_;
  weights_valid_ = false;
  for (auto& tile : *tiles_) *tile->pins.w_valid = *tile->pins.a_valid = 0;
  for (std::uint64_t i = 0; i < cycles; ++i) {
    settle();
    if (finished_ && *first.c_valid == 0) stuck("the last result was withdrawn before it was taken");
    if (first.is_idle() && !finished_) {
      cycle_ += cycles - i;
      break;
    }
    step(false);
  }
  results_ready_ = true;
}

void RtlArrays::end() {
  const Stopwatch watch(statistics_.host_seconds);
  for (auto& tile : *tiles_) *tile->pins.w_valid = *tile->pins.a_valid = 0;
  weights_valid_ = false;
  settle();
  if (!take_results()) stuck("the last result was withdrawn before it was taken");
  edge();
  settle();
  if (*tiles_->front()->pins.c_valid != 0) stuck("a result more than there are rows");
  clean_ = true;
  store();
}

void RtlArrays::store() {
  const auto bytes = element_bytes(command_.c_type);
  for (std::uint32_t row = 0; row < command_.m; ++row) {
    auto* to = &memory_[static_cast<std::uint64_t>(std::int64_t{command_.c} +
                                                   std::int64_t{row} * command_.c_stride)];
    const auto* from = &results_[row * result_stride_];
    if (bytes == 4)
      std::memcpy(to, from, std::size_t{command_.n} * 4);
    else
      write_row(command_.c_type, reinterpret_cast<const float*>(from), to, command_.n);
  }
}

std::string RtlArrays::describe() const {
  const auto format = format_of(command_);
  return fmt::format("MATMUL {} {}x{}x{} on {} array{} of {}x{}",
                     format == no_format ? "?" : format_names[format], command_.m, command_.n, command_.k,
                     parameters_.arrays, parameters_.arrays == 1 ? "" : "s", parameters_.rows,
                     parameters_.columns);
}

}  // namespace forerun::ip
