// SPDX-License-Identifier: Apache-2.0
/// One hart without SystemC: state, instructions, traps, and the cycles they take.
#pragma once

#include <cstdint>
#include <optional>

#include "ip/cpu/code_cache.hpp"
#include "ip/cpu/hart_bus.hpp"
#include "ip/cpu/mmu.hpp"
#include "ip/cpu/parameters.hpp"
#include "ip/cpu/state.hpp"

namespace forerun::ip::riscv {

class Hart {
 public:
  Hart(HartBus& bus, const CpuParameters& parameters);
  Hart(const Hart&) = delete;
  Hart& operator=(const Hart&) = delete;

  void reset();

  /// Executes every instruction that starts before a cycle, then returns; earlier when end_slice() was
  /// called, in wfi, and at a breakpoint. An interrupt that is pending and enabled is taken first.
  void run(std::uint64_t end_cycle);
  /// The present cycle: the start of the instruction under way. Cycles are counted from the beginning of
  /// time.
  std::uint64_t cycle() const { return end_cycle_ + static_cast<std::uint64_t>(progress_ >> 32); }
  /// Moves to a cycle: the bus has taken time, or wfi is over.
  void set_cycle(std::uint64_t cycle) { place(cycle, end_cycle_); }
  /// Ends the present run before the next instruction that starts at or after a cycle.
  void limit(std::uint64_t end_cycle) { place(cycle(), end_cycle < end_cycle_ ? end_cycle : end_cycle_); }
  void end_slice() { place(cycle(), cycle()); }

  /// An interrupt line, by its bit in mip.
  void set_line(unsigned bit, bool level);
  bool sleeping() const { return sleeping_; }
  void wake() { sleeping_ = false; }
  /// Takes the pending interrupt of the highest priority that is enabled; false if there is none.
  bool take_interrupt();

  /// True if the run ended before the instruction at a breakpoint.
  bool at_breakpoint() const { return at_breakpoint_; }
  /// The next run goes past a breakpoint at the present pc.
  void skip_breakpoint() { skip_breakpoint_at_ = state.pc; }
  /// Executes one instruction, whatever it costs; wfi does not wait.
  void step();
  /// The same, without looking for interrupts.
  void execute_one();
  /// An exception that something outside has found in the instruction at the present pc.
  void raise(Cause cause, std::uint64_t value) { take_trap(cause, value); }
  /// An interrupt is pending and may be taken.
  bool interrupt_due() const { return best_interrupt() != 0; }

  std::optional<std::uint64_t> read_csr(unsigned number) const;
  bool write_csr(unsigned number, std::uint64_t value);
  /// Forgets everything that was derived from memory, the page tables and the bus's DMI.
  void forget();

  std::uint64_t retired() const { return retired_ + static_cast<std::uint32_t>(progress_); }
  std::uint64_t traps() const { return traps_; }
  std::uint64_t interrupts() const { return interrupts_; }
  /// Exceptions in a row that led nowhere: without a return (mret, sret) between them, or each again at the
  /// instruction to which the handler had just returned. Thousands of them are a loop that nothing ends.
  std::uint64_t futile_traps() const { return futile_traps_; }

  State state;
  Mmu mmu;
  CodeCache code;

 private:
  friend struct CsrTable;
  static const HandlerCode& handler_code(Hart& any);
  void execute(HandlerCode* export_to);  // the interpreter; fills a table and returns if given one
  void place(std::uint64_t cycle, std::uint64_t end_cycle);

  // Each returns false if the instruction raises fault_.
  bool execute_csr(std::uint32_t word);
  bool execute_system(std::uint32_t word);  // leaves the next pc in state.pc
  bool execute_atomic(std::uint32_t word);
  bool execute_float(std::uint32_t word, unsigned row);
  bool illegal(std::uint32_t word) { return fail(Cause::illegal_instruction, word); }
  bool fail(Cause cause, std::uint64_t value) {
    fault_ = {cause, value};
    return false;
  }

  void take_trap(Cause cause, std::uint64_t value);
  void enter_trap(std::uint64_t cause, std::uint64_t value, bool delegated);
  unsigned best_interrupt() const;  // 0: none
  bool wait_for_interrupt();
  void return_from_machine();
  void return_from_supervisor();

  bool csr_accessible(unsigned number, bool write) const;
  bool counter_accessible(unsigned bit) const;
  void mark_float_dirty();
  void float_state_changed();
  std::uint64_t mcycle() const;
  std::uint64_t minstret() const;

  HartBus& bus_;
  CpuParameters parameters_;
  Fault fault_;

  // One number for both, so that an instruction needs one addition: upper half cycles up to end_cycle_
  // (negative while there are some left), lower half instructions retired since retired_ was brought up to
  // date.
  std::int64_t progress_ = 0;
  std::uint64_t end_cycle_ = 0;
  std::uint64_t retired_ = 0;

  bool sleeping_ = false, at_breakpoint_ = false, stepping_ = false;
  std::optional<std::uint64_t> skip_breakpoint_at_;
  bool float_usable_ = false;   // mstatus.FS is dirty: loads, stores and moves need no check
  bool float_nearest_ = false;  // and frm is nearest-even: arithmetic may use the host's
  std::uint64_t traps_ = 0, interrupts_ = 0, futile_traps_ = 0;
  struct Return {  // from the last trap
    std::uint64_t pc, retired;
  };
  std::optional<Return> return_;  // since the last exception
  std::uint64_t mcycle_offset_ = 0,
                minstret_offset_ = 0;  // added to the cycle and retired(); frozen values while inhibited
};

}  // namespace forerun::ip::riscv
