// SPDX-License-Identifier: Apache-2.0
/// Firmware as part of the simulator's process, in the place of the control CPU: for debugging it with the
/// host's gdb.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <cstdint>
#include <functional>
#include <systemc>

#include "ip/base/level.hpp"
#include "ip/base/time.hpp"

namespace forerun::sim {

struct HostCpuParameters {
  /// Where firmware begins: forerun_llm_main or forerun_hello_main (firmware/apps/apps.h), or a function like
  /// them.
  std::function<int(std::uint64_t device_tree)> program;
  std::uint64_t device_tree = 0;  ///< address on the chip
  Frequency clock{1e9};           ///< rate of hal_cycles
};

/// Runs the program in an SC_THREAD from the start of the simulation. Its accesses by the hal are blocking
/// transactions, whose delay passes before it goes on; instructions take no time. Interrupts are served where
/// it waits, or after an access while they are enabled. A bus error is the firmware's trap, without a program
/// counter.
///
/// Firmware keeps its state in global variables: one HostCpu a process (std::logic_error). There is no reset
/// line.
class HostCpu : public sc_core::sc_module {
 public:
  HostCpu(const sc_core::sc_module_name& name, HostCpuParameters parameters);
  ~HostCpu() override;

  tlm_utils::simple_initiator_socket<HostCpu> bus{"bus"};
  ip::LevelIn machine_software, machine_timer, machine_external;

  /// True when the program has returned or stopped itself.
  bool halted() const { return halted_; }

 private:
  bool access(tlm::tlm_command command, std::uint64_t address, void* data, unsigned bytes);
  std::uint32_t lines() const;
  void run();
  [[noreturn]] void halt();

  HostCpuParameters parameters_;
  tlm::tlm_generic_payload payload_;  // not on the program's stack, which is never unwound
  bool halted_ = false;
  sc_core::sc_event changed_, never_;
};

}  // namespace forerun::sim
