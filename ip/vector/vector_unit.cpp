// SPDX-License-Identifier: Apache-2.0
#include "ip/vector/vector_unit.hpp"

#include <algorithm>

#include "ip/base/numbers.hpp"
#include "ip/vector/operations.hpp"

namespace forerun::ip {

VectorUnit::VectorUnit(const sc_core::sc_module_name& name, const VectorParameters& parameters,
                       std::uint64_t local_bytes)
    : ComputeEngine(name, parameters.queue_depth, parameters.clock, local_bytes), parameters_(parameters) {}

std::uint64_t VectorUnit::ideal_cycles(const fr_vector& command) const {
  return vector_cycles(parameters_.shape(), vector_cost(command));
}

void VectorUnit::read_operands() {
  if (command_.rows == 0 || command_.cols == 0) return;
  for (const auto& s : vector_sources(command_))
    move_rows(false, {s.address, command_.rows, row_bytes(s.type, s.cols), s.stride});
}

void VectorUnit::write_results() {
  std::uint64_t rows = 0;
  for (const auto& r : vector_results(command_, rows))
    move_rows(true, {r.address, rows, row_bytes(r.type, r.cols), r.stride});
}

void VectorUnit::start(const Command& command) {
  slices_ = slice_ = 0;
  cycles_ = 1;
  on_lanes_ = computed_ = false;
  if (command.header().opcode == FR_OP_VECTOR) {
    command_ = command.as<fr_vector>();
    if (const auto fault = check_vector(command_, local_bytes_)) return fail(*fault);
    read_operands();
    const auto traffic = vector_traffic(command_);
    std::optional<std::uint64_t> own;
    if (lanes_ && command_.rows > 0 && command_.cols > 0)
      own = lanes_->begin(command_, memory(), now_picoseconds());
    on_lanes_ = own.has_value();
    cycles_ = own.value_or(ideal_cycles(command_));
    slices_ = std::max<std::uint64_t>(1, (traffic.read + traffic.written) / chunk_bytes);
    read_ = traffic.read / slices_;
    written_ = traffic.written / slices_;
    return step();
  }
  step_after(clock_.period_ps());
}

void VectorUnit::step() {
  if (slice_ == slices_) {
    if (const auto left = moving(); left > 0) return step_after(left);
    if (computed_) {
      computed_ = false;
      return finish();
    }
    if (current().header().opcode == FR_OP_VECTOR) {
      const auto cost = vector_cost(command_);
      elements += cost.elements() * cost.passes;
      if (on_lanes_)
        lanes_->end(memory());
      else if (parameters_.data)
        vector_operation(command_, memory());
      write_results();
      computed_ = true;
      return step();
    }
    return finish();
  }
  auto ready = transfer(tlm::TLM_READ_COMMAND, read_);
  ready = std::max(ready, transfer(tlm::TLM_WRITE_COMMAND, written_));
  const auto cycles = cycles_ * (slice_ + 1) / slices_ - cycles_ * slice_ / slices_;
  const auto compute = clock_.cycles_to_ps(static_cast<std::int64_t>(cycles));
  const auto until = std::max(compute, clock_.cycles_to_ps(clock_.ps_to_cycles(ready)));
  operand_time += static_cast<std::uint64_t>(until - compute);
  ++slice_;
  step_after(std::max<std::int64_t>(until, 1));
}

}  // namespace forerun::ip
