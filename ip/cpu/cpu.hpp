// SPDX-License-Identifier: Apache-2.0
/// The control CPU: one RISC-V hart, RV64GC (IMAFDC, Zicsr, Zifencei) with machine, supervisor and user mode,
/// Sv39 and PMP.
///
/// Sources: The RISC-V Instruction Set Manual, volumes I (20191213) and II (20211203).
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <systemc>

#include "ip/base/counters.hpp"
#include "ip/base/level.hpp"
#include "ip/cpu/debug.hpp"
#include "ip/cpu/parameters.hpp"

namespace forerun::ip {

/// Executes instructions one by one, each with the cost of its class, on the edges of its clock.
///
/// Time. The CPU runs ahead of simulated time for at most a quantum, and never beyond the next event of any
/// other process. So interrupts come before the first instruction that starts at or after their moment, and
/// the number of instructions, the simulated times and all results are the same at every quantum. A line
/// changed by one of the CPU's own bus accesses is seen before the next instruction.
///
/// Memory. Where the bus grants DMI (for whole pages of 4 KiB), loads, stores and fetches go there and take
/// no more than the class's cost. Elsewhere each access is a b_transport of 1, 2, 4 or 8 aligned bytes at the
/// exact time, until which everything else has happened; what the target adds, and waits, stalls the CPU up
/// to its next clock edge, unless the target allows DMI: then only somebody in between refuses it.
/// Instructions fetched without DMI are kept until fence.i. Misaligned loads and stores work, in aligned
/// pieces where there is no DMI (pieces before a fault have been carried out). lr, sc and amo must be
/// aligned, and need DMI: they get an access fault elsewhere. An error response becomes an access fault of
/// its instruction, precisely. Stores to instructions are seen after fence.i.
///
/// Privileged architecture. Sv39 sets accessed and dirty bits itself (no fault). The reservation of lr is the
/// accessed double word; it ends with any sc, with a store of this hart to it, with a trap, and when its
/// value has changed. mcycle runs on in wfi. mtval holds the faulting address or instruction. hpm counters
/// read 0. Custom and vector extensions are absent.
///
/// After reset: machine mode, pc at the reset vector, integer and floating-point registers 0. While
/// reset_line is high the CPU stands.
class Cpu : public sc_core::sc_module {
 public:
  /// Throws std::invalid_argument for a clock outside 1 Hz .. 1 THz or too many PMP entries.
  Cpu(const sc_core::sc_module_name& name, const CpuParameters& parameters);
  ~Cpu() override;

  tlm_utils::simple_initiator_socket<Cpu> bus;
  LevelIn machine_software, machine_timer, machine_external, supervisor_external;
  LevelIn reset_line;

  /// The time CSR at a delay from now, for example Clint::mtime. Without it, reading that CSR is an illegal
  /// instruction.
  std::function<std::uint64_t(const sc_core::sc_time& delay)> time_source;

  CounterGroup counters;
  Counter instructions{counters, "instructions", "instruction", "instructions retired"};
  Counter cycles{counters, "cycles", "cycle", "clock cycles out of reset: executing, stalled or in wfi"};
  Counter stall_cycles{counters, "stall_cycles", "cycle", "cycles of waiting for the bus"};
  Counter sleep_cycles{counters, "sleep_cycles", "cycle", "cycles in wfi"};
  Counter traps{counters, "traps", "trap", "exceptions taken"};
  Counter interrupts{counters, "interrupts", "interrupt", "interrupts taken"};
  Counter bus_accesses{counters, "bus_accesses", "transaction", "loads, stores and fetches without DMI"};
  Counter bus_errors{counters, "bus_errors", "transaction", "bus accesses with an error response"};
  Counter tlb_misses{counters, "tlb_misses", "translation", "addresses looked up in the page tables"};
  Counter slices{counters, "slices", "slice", "times that the CPU was scheduled to run"};

  /// For a debugger; also good for reading and writing state in tests.
  DebugTarget& debug();

  std::uint64_t pc() const;
  std::uint64_t x(unsigned number) const;  ///< integer register 0 .. 31
  unsigned privilege() const;              ///< 0 user, 1 supervisor, 3 machine
  bool sleeping() const;                   ///< in wfi
  /// Why software will never do anything again, unless somebody resets the CPU: it sleeps with every
  /// interrupt masked, or a trap's handler traps, over and over. Empty while there is hope.
  std::string stuck() const;
  /// Simulated time that the CPU has reached, at or ahead of sc_time_stamp().
  sc_core::sc_time local_time() const;

 private:
  class Core;
  void invalidate_direct_mem_ptr(sc_dt::uint64 start, sc_dt::uint64 end);
  std::unique_ptr<Core> core_;
};

}  // namespace forerun::ip
