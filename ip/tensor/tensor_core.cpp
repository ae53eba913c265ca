// SPDX-License-Identifier: Apache-2.0
#include "ip/tensor/tensor_core.hpp"

#include <algorithm>

#include "ip/base/local_range.hpp"
#include "ip/base/numbers.hpp"
#include "ip/tensor/matmul.hpp"
#include "ip/tensor/tile_timing.hpp"

namespace forerun::ip {
namespace {

std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) { return (a + b - 1) / b; }

/// Rows of the k-tile of a wave; waves run over k first.
std::uint64_t extent(std::uint64_t wave, std::uint64_t k_tiles, std::uint64_t rows, std::uint64_t k) {
  return std::min(rows, k - (wave % k_tiles) * rows);
}

/// Cycles in which the weights of a wave are loaded, a row of cells in each.
std::uint64_t load_cycles(const TensorParameters& p, std::uint64_t wave, std::uint64_t k_tiles,
                          std::uint64_t k) {
  return divide_up(extent(wave, k_tiles, p.rows, k), p.dot);
}

/// Cycles from the moment a wave's streaming begins until the next wave's can begin (or the end).
std::uint64_t wave_cycles(const TensorParameters& p, std::uint64_t wave, std::uint64_t waves,
                          std::uint64_t k_tiles, std::uint64_t m, std::uint64_t k) {
  const std::uint64_t first_load = wave == 0 || !p.double_buffered ? load_cycles(p, wave, k_tiles, k) : 0;
  const std::uint64_t cells = p.rows / p.dot, drain = cells + p.columns - 1;
  if (wave + 1 == waves || !p.double_buffered) return first_load + m + drain;
  return first_load + wave_gap(cells, m, load_cycles(p, wave + 1, k_tiles, k), (wave + 1) % k_tiles != 0);
}

bool is_matmul(const Command& command) {
  return command.header().opcode == FR_OP_MATMUL || command.header().opcode == FR_OP_MATMUL_SCALED;
}

}  // namespace

TensorCore::TensorCore(const sc_core::sc_module_name& name, const TensorParameters& parameters,
                       std::uint64_t local_bytes)
    : ComputeEngine(name, parameters.queue_depth, parameters.clock, local_bytes), parameters_(parameters) {}

double TensorCore::peak_operations() const {
  return 2.0 * parameters_.rows * parameters_.columns * parameters_.arrays * 1e12 /
         static_cast<double>(clock_.period_ps());
}

std::uint64_t TensorCore::ideal_cycles(const TensorParameters& p, std::uint64_t m, std::uint64_t n,
                                       std::uint64_t k) {
  if (m == 0 || n == 0 || k == 0) return 1;
  const auto k_tiles = divide_up(k, p.rows), waves = k_tiles * divide_up(divide_up(n, p.columns), p.arrays);
  std::uint64_t cycles = 0;
  for (std::uint64_t wave = 0; wave < waves; ++wave) cycles += wave_cycles(p, wave, waves, k_tiles, m, k);
  return cycles;
}

std::optional<LocalFault> TensorCore::decode(const Command& command) {
  if (command.header().opcode == FR_OP_MATMUL_SCALED) {
    command_ = command.as<fr_matmul_scaled>();
    return check_matmul(command_, local_bytes_);
  }
  const auto plain = command.as<fr_matmul>();
  command_ = without_scales(plain);
  return check_matmul(plain, local_bytes_);
}

std::uint64_t TensorCore::scale_bytes(std::uint64_t first_k, std::uint64_t rows,
                                      std::uint64_t columns) const {
  if (command_.group == 0) return 0;
  const auto groups = (first_k + rows - 1) / command_.group - first_k / command_.group + 1;
  std::uint64_t bytes = 0;
  if (present(command_.a_scale_type)) bytes += row_bytes(command_.a_scale_type, groups * command_.m);
  if (present(command_.b_scale_type)) bytes += row_bytes(command_.b_scale_type, groups * columns);
  if (present(command_.b_zero_type)) bytes += row_bytes(command_.b_zero_type, groups * columns);
  return bytes;
}

void TensorCore::start(const Command& command) {
  begin_ps_ = now_picoseconds();
  computed_ = false;
  if (is_matmul(command)) {
    if (const auto fault = decode(command)) return fail(*fault);
    if (command_.m > 0 && command_.n > 0 && command_.k > 0) {
      k_tiles_ = divide_up(command_.k, parameters_.rows);
      wave_count_ = k_tiles_ * divide_up(divide_up(command_.n, parameters_.columns), parameters_.arrays);
      wave_ = 0;
      read_operands();
      on_arrays_ = arrays_ && command.header().opcode == FR_OP_MATMUL &&
                   arrays_->begin(command.as<fr_matmul>(), memory(), now_picoseconds());
      return step();
    }
  } else {
    command_ = {};
  }
  on_arrays_ = false;
  wave_ = wave_count_ = 0;
  step_after(clock_.period_ps());
}

void TensorCore::read_operands() {
  for (const auto& r : matmul_sources(command_)) move_rows(false, {r.address, r.rows, r.row_bytes, r.stride});
  const auto c = matmul_result(command_);
  if ((command_.flags & FR_MATMUL_ACCUMULATE) != 0)
    move_rows(false, {c.address, c.rows, c.row_bytes, c.stride});
}

void TensorCore::multiply() {
  if (before_results) before_results(current(), memory(), begin_ps_);
  if (current().header().opcode == FR_OP_MATMUL_SCALED)
    matmul(command_, memory());
  else
    matmul(current().as<fr_matmul>(), memory());
}

void TensorCore::step() {
  if (wave_ == wave_count_) {
    if (const auto left = moving(); left > 0) return step_after(left);
    if (is_matmul(current()) && !computed_) {
      if (on_arrays_)
        arrays_->end();
      else if (parameters_.data)
        multiply();
      macs += std::uint64_t{command_.m} * command_.n * command_.k;
      const auto c = matmul_result(command_);
      if (command_.m > 0 && command_.n > 0) move_rows(true, {c.address, c.rows, c.row_bytes, c.stride});
      computed_ = true;
      return step();
    }
    return finish();
  }
  const auto k_tile = wave_ % k_tiles_, n_group = wave_ / k_tiles_;
  const std::uint64_t width = std::uint64_t{parameters_.columns} * parameters_.arrays;
  const auto columns = std::min(width, command_.n - n_group * width);
  const auto rows = extent(wave_, k_tiles_, parameters_.rows, command_.k);
  const auto m = std::uint64_t{command_.m};
  auto ready = transfer(tlm::TLM_READ_COMMAND, row_bytes(command_.a_type, m * rows));
  ready = std::max(ready, transfer(tlm::TLM_READ_COMMAND, row_bytes(command_.b_type, rows * columns)));
  if (const auto scales = scale_bytes(k_tile * parameters_.rows, rows, columns))
    ready = std::max(ready, transfer(tlm::TLM_READ_COMMAND, scales));
  const auto c_bytes = row_bytes(command_.c_type, m * columns);
  if (k_tile == 0 && (command_.flags & FR_MATMUL_ACCUMULATE) != 0)
    ready = std::max(ready, transfer(tlm::TLM_READ_COMMAND, c_bytes));
  if (k_tile + 1 == k_tiles_) ready = std::max(ready, transfer(tlm::TLM_WRITE_COMMAND, c_bytes));
  const auto cycles = static_cast<std::int64_t>(
      on_arrays_ ? arrays_->wave() : wave_cycles(parameters_, wave_, wave_count_, k_tiles_, m, command_.k));
  const auto compute = clock_.cycles_to_ps(cycles);
  const auto until = clock_.cycles_to_ps(std::max(cycles, clock_.ps_to_cycles(ready)));
  if (on_arrays_)
    arrays_->wait(static_cast<std::uint64_t>(clock_.ps_to_cycles(ready) -
                                             std::min(cycles, clock_.ps_to_cycles(ready))));
  operand_time += static_cast<std::uint64_t>(until - compute);
  ++waves;
  ++wave_;
  step_after(until);
}

}  // namespace forerun::ip
