// SPDX-License-Identifier: Apache-2.0
#include "ip/tensor/lockstep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <tuple>

#include "ip/base/numbers.hpp"
#include "ip/tensor/matmul.hpp"
#include "ip/tensor/tile_timing.hpp"

namespace forerun::ip {
namespace {

/// The first beat that is not taken when the model says, at the earlier of the two cycles.
struct TimeDifference {
  std::uint64_t cycle = ~std::uint64_t{0};
  std::string what;
};

TimeDifference differ(const char* stream, const std::vector<std::uint64_t>& model,
                      const std::vector<std::uint64_t>& rtl) {
  const auto [m, r] = std::mismatch(model.begin(), model.end(), rtl.begin(), rtl.end());
  if (m == model.end() && r == rtl.end()) return {};
  const auto text = [](const auto& list, auto at) {
    return at == list.end() ? std::string("never") : fmt::format("in cycle {}", *at);
  };
  return {std::min(m == model.end() ? ~std::uint64_t{0} : *m, r == rtl.end() ? ~std::uint64_t{0} : *r),
          fmt::format("row {} of {} is taken {}, by the model {}", m - model.begin(), stream, text(rtl, r),
                      text(model, m))};
}

}  // namespace

LockstepArrays::LockstepArrays(const TensorParameters& parameters, TileMaker maker, WavingMaker waving,
                               std::string wave_file)
    : parameters_(parameters),
      rtl_(parameters, std::move(maker)),
      waving_(std::move(waving)),
      wave_file_(std::move(wave_file)) {}

/// A, B and C one behind the other without gaps.
void LockstepArrays::copy_operands() {
  copy_ = command_;
  copy_.c_type = command_.c_type == FR_TYPE_I32 ? FR_TYPE_I32 : FR_TYPE_F32;
  operands_.clear();
  const auto add = [&](std::uint32_t at, std::int32_t stride, std::uint64_t rows, std::uint64_t bytes) {
    const auto begin = operands_.size();
    operands_.resize((begin + rows * bytes + 15) / 16 * 16);
    for (std::uint64_t row = 0; row < rows; ++row)
      std::memcpy(
          &operands_[begin + row * bytes],
          &memory_[static_cast<std::uint64_t>(std::int64_t{at} + static_cast<std::int64_t>(row) * stride)],
          bytes);
    return std::pair(static_cast<std::uint32_t>(begin), static_cast<std::int32_t>(bytes));
  };
  const bool transposed = (command_.flags & FR_MATMUL_B_TRANSPOSED) != 0;
  const auto element = element_bytes(command_.a_type);
  std::tie(copy_.a, copy_.a_stride) =
      add(command_.a, command_.a_stride, command_.m, std::uint64_t{command_.k} * element);
  std::tie(copy_.b, copy_.b_stride) = add(command_.b, command_.b_stride, transposed ? command_.n : command_.k,
                                          std::uint64_t{transposed ? command_.k : command_.n} * element);
  if ((command_.flags & FR_MATMUL_ACCUMULATE) != 0) {
    std::tie(copy_.c, copy_.c_stride) =
        add(command_.c, command_.c_stride, command_.m, std::uint64_t{command_.n} * 4);
  } else {
    copy_.c = static_cast<std::uint32_t>(operands_.size());
    copy_.c_stride = static_cast<std::int32_t>(command_.n * 4);
    operands_.resize(operands_.size() + std::size_t{command_.m} * command_.n * 4);
  }
}

bool LockstepArrays::begin(const fr_matmul& command, std::span<unsigned char> memory, std::int64_t start_ps) {
  if (difference_) return false;
  command_ = command;
  memory_ = memory;
  start_ps_ = start_ps;
  waits_.clear();
  if (element_bytes(command.a_type) == element_bytes(command.b_type) && element_bytes(command.a_type) != 0) {
    copy_operands();
    rtl_memory_ = operands_;
  } else {
    copy_ = command;  // RTL refuses it
  }
  const bool taken = rtl_.begin(copy_, rtl_memory_, start_ps);
  statistics_ = rtl_.statistics();
  return taken;
}

std::uint64_t LockstepArrays::wave() {
  waits_.push_back(0);
  if (difference_) return 1;
  try {
    const auto cycles = rtl_.wave();
    statistics_ = rtl_.statistics();
    return cycles;
  } catch (const ArrayError& error) {
    report(rtl_.cycle(), error.what());
    return 1;
  }
}

void LockstepArrays::wait(std::uint64_t cycles) {
  waits_.back() = cycles;
  if (difference_) return;
  try {
    rtl_.wait(cycles);
  } catch (const ArrayError& error) {
    report(rtl_.cycle(), error.what());
  }
  statistics_ = rtl_.statistics();
}

void LockstepArrays::end() {
  if (!difference_) try {
      rtl_.end();
      compare();
    } catch (const ArrayError& error) {
      report(rtl_.cycle(), error.what());
    }
  statistics_ = rtl_.statistics();
  matmul(command_, memory_);
}

void LockstepArrays::compare() {
  if (rtl_.own_timing()) return compare_bits(~std::uint64_t{0});
  const auto& trace = rtl_.trace();
  const auto waves = tile_waves(parameters_.rows, parameters_.columns * parameters_.arrays, command_.m,
                                command_.n, command_.k);
  std::vector<std::uint32_t> late(waves.size() * command_.m), held(trace.results.size());
  for (std::size_t wave = 1; wave < waves.size(); ++wave) {
    const auto first = wave * command_.m;
    if (waits_[wave - 1] > 0 && first < trace.activations.size())
      late[first] = static_cast<std::uint32_t>(trace.activations[first] - trace.activations[first - 1] - 1);
  }
  if (!held.empty()) held.back() = static_cast<std::uint32_t>(waits_.back());
  const auto model = schedule_tile(parameters_.rows, parameters_.columns, waves, {{}, late, held});
  auto first = differ("activations", model.activations, trace.activations);
  for (auto& other :
       {differ("weights", model.weights, trace.weights), differ("results", model.results, trace.results)})
    if (other.cycle < first.cycle) first = other;
  compare_bits(first.cycle);
  if (!difference_ && !first.what.empty()) report(first.cycle, first.what);
}

/// Of results that RTL gives before cycle `end`.
void LockstepArrays::compare_bits(std::uint64_t end) {
  const auto& trace = rtl_.trace();
  model_memory_ = operands_;
  matmul(copy_, model_memory_);
  const auto value = [&](const std::vector<unsigned char>& memory, std::uint64_t row, std::uint64_t column) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &memory[copy_.c + row * static_cast<std::uint64_t>(copy_.c_stride) + column * 4], 4);
    return bits;
  };
  const auto width = std::uint64_t{parameters_.columns} * parameters_.arrays;
  for (std::uint64_t result = 0; result < trace.results.size() && trace.results[result] < end; ++result) {
    const auto row = result % command_.m, begin = result / command_.m * width;
    for (auto column = begin; column < std::min<std::uint64_t>(begin + width, command_.n); ++column)
      if (const auto rtl = value(rtl_memory_, row, column), want = value(model_memory_, row, column);
          rtl != want)
        return report(trace.results[result],
                      fmt::format("C[{}][{}] is {:08x}, by the model {:08x}", row, column, rtl, want));
  }
}

void LockstepArrays::report(std::uint64_t cycle, std::string what) {
  difference_ = LockstepDifference{
      rtl_.describe(), command_.header.tag,
      cycle,           start_ps_ + static_cast<std::int64_t>(cycle) * period(parameters_.clock).picoseconds,
      std::move(what), replay(cycle)};
  if (on_difference) on_difference(*difference_);
}

/// The same command with the same waits on arrays that write waves: they begin a command without a memory of
/// others.
std::string LockstepArrays::replay(std::uint64_t cycle) {
  try {
    unsigned array = 0;
    RtlArrays again(parameters_, [&](unsigned format) {
      return waving_(format, fmt::format("{}.array{}.fst", wave_file_, array++));
    });
    const auto first = cycle > window ? cycle - window : 0;
    again.dump_between(first, cycle + window);
    rtl_memory_ = operands_;
    try {
      again.begin(copy_, rtl_memory_, start_ps_);
      for (const auto wait : waits_) {
        again.wave();
        again.wait(wait);
      }
      again.end();
    } catch (const ArrayError&) {
      // where it failed before
    }
    return fmt::format("cycles {} to {} in {}.array*.fst", first, cycle + window, wave_file_);
  } catch (const std::runtime_error& error) {
    return fmt::format("none: {}", error.what());
  }
}

}  // namespace forerun::ip
