// SPDX-License-Identifier: Apache-2.0
/// A simple memory: SRAM or ROM.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <systemc>

#include "ip/base/counters.hpp"
#include "ip/base/time.hpp"

namespace forerun::ip {

struct MemoryParameters {
  Bytes size{16ull << 20};  ///< 1 byte or more; host memory is used only where it is touched
  Time latency{5000};       ///< of each transaction
  bool read_only = false;   ///< writes get TLM_COMMAND_ERROR_RESPONSE; transport_dbg may still write
};

/// Byte enables are obeyed; streaming gets TLM_BURST_ERROR_RESPONSE, beyond the size TLM_ADDRESS_ERROR_RESPONSE.
/// DMI is granted for the whole memory, for reading only where it is read-only.
class Memory : public sc_core::sc_module {
 public:
  Memory(const sc_core::sc_module_name& name, const MemoryParameters& parameters);
  ~Memory() override;

  tlm_utils::simple_target_socket<Memory> socket;
  CounterGroup counters;
  Counter reads{counters, "reads", "transaction", "reads, without those by DMI"};
  Counter writes{counters, "writes", "transaction", "writes, without those by DMI"};

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);

  MemoryParameters parameters_;
  unsigned char* bytes_;
};

}  // namespace forerun::ip
