// SPDX-License-Identifier: Apache-2.0
/// Core-local interruptor of one hart, with SiFive's register map: software interrupt and machine timer.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <systemc>

#include "ip/base/counters.hpp"
#include "ip/base/level.hpp"
#include "ip/base/register_file.hpp"
#include "ip/base/time.hpp"

namespace forerun::ip {

struct ClintParameters {
  Frequency timebase{10e6};  ///< rate of mtime
};

/// msip at 0x0, mtimecmp at 0x4000, mtime at 0xbff8. An access counts at its annotated time; an event only where the
/// comparison turns true.
class Clint : public sc_core::sc_module {
 public:
  Clint(const sc_core::sc_module_name& name, const ClintParameters& parameters);

  tlm_utils::simple_target_socket<Clint> socket;
  LevelOut software{"software"}, timer{"timer"};
  LevelIn reset_line;
  CounterGroup counters;
  Counter expiries{counters, "expiries", "expiry", "times that mtime reached mtimecmp"};

  /// mtime at `delay` from now.
  std::uint64_t mtime(const sc_core::sc_time& delay) const;

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) { return registers_.debug_access(payload); }
  void update(const sc_core::sc_time& delay);
  void reset();

  Clock tick_;
  RegisterFile registers_;
  sc_core::sc_time delay_;       // of the access under way
  std::uint64_t offset_ = 0;     // added to the ticks since the start: mtime is writable
  sc_core::sc_event compare_;
};

}  // namespace forerun::ip
