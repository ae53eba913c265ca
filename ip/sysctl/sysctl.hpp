// SPDX-License-Identifier: Apache-2.0
/// The system controller (FR_SYSCTL_REGISTERS): identity, clocks, resets and the exit code.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <functional>
#include <systemc>

#include "ip/base/counters.hpp"
#include "ip/base/level.hpp"
#include "ip/base/register_file.hpp"
#include "ip/base/units.hpp"

namespace forerun::ip {

struct SysctlParameters {
  unsigned clusters = 1;
  std::uint64_t boot_address = 0x8000'0000;  ///< reset value of BOOT_ADDRESS
  std::uint64_t device_tree = 0;
  Frequency cpu{1e9}, timebase{10e6}, cluster{1.25e9};
};

class Sysctl : public sc_core::sc_module {
 public:
  Sysctl(const sc_core::sc_module_name& name, const SysctlParameters& parameters);

  tlm_utils::simple_target_socket<Sysctl> socket;
  CounterGroup counters;
  Counter resets{counters, "resets", "reset", "resets of the chip that firmware asked for; they do not clear it"};
  sc_core::sc_vector<LevelOut> cluster_reset;  ///< of the first 64 clusters
  /// Another reset value of BOOT_ADDRESS, in effect at once; before the simulation starts.
  void set_boot_address(std::uint64_t address);
  /// Called when firmware ends the simulation with an exit code, 0 .. 255.
  std::function<void(int)> on_exit;
  /// Called when firmware resets the chip; the controller has reset itself, but for SCRATCH.
  std::function<void()> on_reset;

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) { return registers_.debug_access(payload); }
  void reset();
  RegisterFile registers_;
  std::uint64_t boot_address_;
};

}  // namespace forerun::ip
