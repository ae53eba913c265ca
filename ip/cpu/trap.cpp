// SPDX-License-Identifier: Apache-2.0
/// Traps, and the instructions that make and end them.
#include <array>

#include "ip/cpu/hart.hpp"

namespace forerun::ip::riscv {
namespace {

constexpr std::uint64_t interrupt_flag = std::uint64_t{1} << 63;

// Highest priority first.
constexpr std::array<unsigned, 6> priorities = {
    interrupt::machine_external,    interrupt::machine_software,    interrupt::machine_timer,
    interrupt::supervisor_external, interrupt::supervisor_software, interrupt::supervisor_timer};

std::uint64_t handler_address(std::uint64_t tvec, std::uint64_t cause) {
  const bool vectored = (tvec & 1) != 0 && (cause & interrupt_flag) != 0;
  return (tvec & ~std::uint64_t{3}) + (vectored ? 4 * (cause & ~interrupt_flag) : 0);
}

/// Copies a flag to the place of another.
std::uint64_t moved(std::uint64_t value, std::uint64_t from, std::uint64_t to) {
  return (value & ~to) | ((value & from) != 0 ? to : 0);
}

namespace instruction {
constexpr std::uint32_t ecall = 0x0000'0073, ebreak = 0x0010'0073, sret = 0x1020'0073, mret = 0x3020'0073,
                        wfi = 0x1050'0073;
}

}  // namespace

void Hart::enter_trap(std::uint64_t cause, std::uint64_t value, bool delegated) {
  mmu.end_reservation();
  if (delegated) {
    state.scause = cause;
    state.sepc = state.pc;
    state.stval = value;
    state.mstatus = moved(state.mstatus, status::sie, status::spie) & ~(status::sie | status::spp);
    if (state.privilege == Privilege::supervisor) state.mstatus |= status::spp;
    state.privilege = Privilege::supervisor;
    state.pc = handler_address(state.stvec, cause);
  } else {
    state.mcause = cause;
    state.mepc = state.pc;
    state.mtval = value;
    state.mstatus = moved(state.mstatus, status::mie, status::mpie) & ~(status::mie | status::mpp);
    state.mstatus |= static_cast<std::uint64_t>(state.privilege) << status::mpp_shift;
    state.privilege = Privilege::machine;
    state.pc = handler_address(state.mtvec, cause);
  }
  progress_ += static_cast<std::int64_t>(parameters_.costs.system) << 32;
}

void Hart::take_trap(Cause cause, std::uint64_t value) {
  ++traps_;
  const bool at_once =
      return_ && return_->pc == state.pc && retired() <= return_->retired + 1;  // mret itself
  futile_traps_ = return_ && !at_once ? 1 : futile_traps_ + 1;
  return_.reset();
  const auto number = static_cast<std::uint64_t>(cause);
  enter_trap(number, value, state.privilege != Privilege::machine && (state.medeleg >> number & 1) != 0);
}

unsigned Hart::best_interrupt() const {
  const auto pending = state.enabled_pending();
  if (pending == 0) return 0;
  const bool machine_open = state.privilege != Privilege::machine || (state.mstatus & status::mie) != 0;
  const bool supervisor_open =
      state.privilege == Privilege::user ||
      (state.privilege == Privilege::supervisor && (state.mstatus & status::sie) != 0);
  const auto for_machine = machine_open ? pending & ~state.mideleg : 0;
  const auto for_supervisor = supervisor_open ? pending & state.mideleg : 0;
  const auto candidates = for_machine != 0 ? for_machine : for_supervisor;
  for (const auto number : priorities)
    if ((candidates >> number & 1) != 0) return number;
  return 0;
}

bool Hart::take_interrupt() {
  const auto number = best_interrupt();
  if (number == 0) return false;
  ++interrupts_;
  sleeping_ = false;
  enter_trap(interrupt_flag | number, 0, (state.mideleg >> number & 1) != 0);
  return true;
}

void Hart::return_from_machine() {
  const auto mode = static_cast<Privilege>((state.mstatus & status::mpp) >> status::mpp_shift);
  state.mstatus = moved(state.mstatus, status::mpie, status::mie) | status::mpie;
  state.mstatus &= ~status::mpp;
  if (mode != Privilege::machine) state.mstatus &= ~status::mprv;
  state.privilege = mode;
  state.pc = state.mepc;
  return_ = {state.pc, retired()};
}

void Hart::return_from_supervisor() {
  const auto mode = (state.mstatus & status::spp) != 0 ? Privilege::supervisor : Privilege::user;
  state.mstatus = moved(state.mstatus, status::spie, status::sie) | status::spie;
  state.mstatus &= ~(status::spp | status::mprv);
  state.privilege = mode;
  state.pc = state.sepc;
  return_ = {state.pc, retired()};
}

bool Hart::wait_for_interrupt() {
  state.pc += 4;
  sleeping_ = !stepping_ && state.enabled_pending() == 0;
  return true;
}

bool Hart::execute_system(std::uint32_t word) {
  const bool machine = state.privilege == Privilege::machine,
             supervisor = state.privilege == Privilege::supervisor;
  const auto supervisor_unless = [&](std::uint64_t trapped) {
    return machine || (supervisor && (state.mstatus & trapped) == 0);
  };
  switch (word) {
    case instruction::ecall:
      return fail(static_cast<Cause>(static_cast<std::uint64_t>(Cause::call_from_user) +
                                     static_cast<unsigned>(state.privilege)),
                  0);
    case instruction::ebreak:
      return fail(Cause::breakpoint, state.pc);
    case instruction::mret:
      return machine ? return_from_machine(), true : illegal(word);
    case instruction::sret:
      return supervisor_unless(status::tsr) ? return_from_supervisor(), true : illegal(word);
    case instruction::wfi:
      return supervisor_unless(status::tw) ? wait_for_interrupt() : illegal(word);
    default:
      break;  // sfence.vma
  }
  if (!supervisor_unless(status::tvm)) return illegal(word);
  mmu.flush();
  code.flush_translations();
  state.pc += 4;
  return true;
}

}  // namespace forerun::ip::riscv
