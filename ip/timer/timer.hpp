// SPDX-License-Identifier: Apache-2.0
/// A one-shot or periodic timer (FR_TIMER_REGISTERS), used as watchdog by firmware.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <systemc>

#include "ip/base/counters.hpp"
#include "ip/base/level.hpp"
#include "ip/base/register_file.hpp"
#include "ip/base/time.hpp"

namespace forerun::ip {

struct TimerParameters {
  Frequency timebase{10e6};  ///< rate of a tick
};

/// Counts from the moment of the access, annotated delay included; an event only where it expires.
class Timer : public sc_core::sc_module {
 public:
  Timer(const sc_core::sc_module_name& name, const TimerParameters& parameters);

  tlm_utils::simple_target_socket<Timer> socket;
  LevelOut interrupt{"interrupt"};
  LevelIn reset_line;
  CounterGroup counters;
  Counter expiries{counters, "expiries", "expiry", "times that the timer ran out"};

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) { return registers_.debug_access(payload); }
  void reset();
  void arm();
  void expire();
  void update_interrupt();

  Clock tick_;
  RegisterFile registers_;
  std::int64_t access_ps_ = 0, reset_ps_ = 0;
  sc_core::sc_event expire_;
};

}  // namespace forerun::ip
