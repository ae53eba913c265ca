// SPDX-License-Identifier: Apache-2.0
#include "ip/cpu/hart.hpp"

#include <algorithm>

#include "ip/cpu/host_float.hpp"

namespace forerun::ip::riscv {
namespace {
constexpr std::uint64_t longest_run = std::uint64_t{1}
                                      << 30;  // cycles that fit into the upper half of progress_

/// An instruction takes time, and few enough cycles for the upper half of progress_.
CpuParameters checked(CpuParameters parameters) {
  auto& c = parameters.costs;
  for (auto* cost :
       {&c.alu, &c.load, &c.store, &c.branch, &c.multiply, &c.divide, &c.floating, &c.atomic, &c.system})
    *cost = std::clamp(*cost, 1u, 1u << 20);
  parameters.pmp_entries = std::min(parameters.pmp_entries, 16u);
  return parameters;
}
}  // namespace

Hart::Hart(HartBus& bus, const CpuParameters& parameters)
    : mmu(state, bus, std::min(parameters.pmp_entries, 16u)),
      code(state, mmu, handler_code(*this)),
      bus_(bus),
      parameters_(checked(parameters)) {
  reset();
}

const HandlerCode& Hart::handler_code(Hart& any) {
  static const HandlerCode code = [&] {
    HandlerCode table{};
    any.execute(&table);
    return table;
  }();
  return code;
}

void Hart::reset() {
  const auto lines = state.lines;
  state = State{};
  state.lines = lines;
  state.pc = parameters_.reset_vector;
  mmu.pmp.reset();
  mmu.end_reservation();
  sleeping_ = at_breakpoint_ = false;
  futile_traps_ = 0;
  return_.reset();
  mcycle_offset_ = std::uint64_t{0} - cycle();
  minstret_offset_ = std::uint64_t{0} - retired();
  float_state_changed();
  forget();
}

void Hart::forget() {
  mmu.flush();
  mmu.end_reservation();
  code.fence();
}

void Hart::place(std::uint64_t cycle, std::uint64_t end_cycle) {
  const auto left = cycle < end_cycle ? std::min(end_cycle - cycle, longest_run) : 0;
  end_cycle_ = cycle + left;
  progress_ = -static_cast<std::int64_t>(left << 32) +
              static_cast<std::int64_t>(static_cast<std::uint32_t>(progress_));
}

void Hart::run(std::uint64_t end_cycle) {
  retired_ += static_cast<std::uint32_t>(progress_);
  progress_ -= static_cast<std::uint32_t>(progress_);
  place(cycle(), end_cycle);
  at_breakpoint_ = false;
  clear_host_flags();
  while (progress_ < 0 && !sleeping_ && !at_breakpoint_)
    if (stepping_ || !take_interrupt()) execute(nullptr);
  state.fflags |= take_host_flags();
  code.restore_breakpoint();
  skip_breakpoint_at_.reset();
}

void Hart::step() {
  if (state.enabled_pending() != 0) {
    place(cycle(), cycle() + 1);
    if (take_interrupt()) return end_slice();
  }
  execute_one();
}

void Hart::execute_one() {
  stepping_ = true;
  run(cycle() + 1);
  stepping_ = false;
}

void Hart::set_line(unsigned bit, bool level) {
  const auto mask = std::uint64_t{1} << bit;
  state.lines = level ? state.lines | mask : state.lines & ~mask;
  if (state.enabled_pending() != 0) sleeping_ = false;
  end_slice();
}

void Hart::mark_float_dirty() {
  if (float_usable_) return;
  state.mstatus |= status::fs;
  float_state_changed();
}

void Hart::float_state_changed() {
  float_usable_ = (state.mstatus & status::fs) == status::fs;
  float_nearest_ = float_usable_ && state.frm == 0;
}

}  // namespace forerun::ip::riscv
