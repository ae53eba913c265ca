// SPDX-License-Identifier: Apache-2.0
#include "ip/timer/timer.hpp"

#include <algorithm>
#include <limits>

#include "firmware/abi/registers.h"
#include "ip/base/method.hpp"

namespace forerun::ip {

Timer::Timer(const sc_core::sc_module_name& name, const TimerParameters& parameters)
    : sc_module(name), socket("socket"), reset_line("reset", [this](bool level) { if (level) reset(); }), tick_(parameters.timebase) {
  socket.register_b_transport(this, &Timer::b_transport);
  socket.register_transport_dbg(this, &Timer::transport_dbg);
  FR_TIMER_REGISTERS(FORERUN_ADD_REGISTER)
  registers_.on_read(FR_TIMER_COUNT, [this](bool debug) {
    return static_cast<std::uint64_t>(((debug ? now_picoseconds() : access_ps_) - reset_ps_) / tick_.period_ps());
  });
  registers_.on_write(FR_TIMER_CONTROL, [this](std::uint64_t value) {
    registers_.set(FR_TIMER_CONTROL, value);
    arm();
    update_interrupt();
    return value < 8;
  });
  registers_.on_write(FR_TIMER_INTERRUPT_STATUS, [this](std::uint64_t value) {
    registers_.set(FR_TIMER_INTERRUPT_STATUS, value);
    update_interrupt();
    return true;
  });
  add_method("expire", {&expire_}, [this] { expire(); });
}

void Timer::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  access_ps_ = now_picoseconds() + to_picoseconds(delay);
  registers_.access(payload);
}

void Timer::arm() {
  expire_.cancel();
  if ((registers_.get(FR_TIMER_CONTROL) & FR_TIMER_CONTROL_ENABLE) == 0) return;
  const auto period = registers_.get(FR_TIMER_PERIOD);
  const auto longest = static_cast<std::uint64_t>((std::numeric_limits<std::int64_t>::max() / 2 - access_ps_) / tick_.period_ps());
  if (period > longest) return;  // beyond the end of simulated time
  const auto when = access_ps_ + tick_.cycles_to_ps(static_cast<std::int64_t>(period));
  expire_.notify(to_sc_time({std::max<std::int64_t>(when - now_picoseconds(), 0)}));
}

void Timer::expire() {
  ++expiries;
  registers_.set(FR_TIMER_INTERRUPT_STATUS, 1);
  const auto control = registers_.get(FR_TIMER_CONTROL);
  access_ps_ = now_picoseconds();
  if ((control & FR_TIMER_CONTROL_PERIODIC) != 0 && registers_.get(FR_TIMER_PERIOD) > 0)
    arm();
  else
    registers_.set(FR_TIMER_CONTROL, control & ~std::uint64_t{FR_TIMER_CONTROL_ENABLE});
  update_interrupt();
}

void Timer::update_interrupt() {
  interrupt.set((registers_.get(FR_TIMER_CONTROL) & FR_TIMER_CONTROL_INTERRUPT) != 0 &&
                registers_.get(FR_TIMER_INTERRUPT_STATUS) != 0);
}

void Timer::reset() {
  expire_.cancel();
  counters.clear();
  registers_.reset();
  reset_ps_ = now_picoseconds();
  update_interrupt();
}

}  // namespace forerun::ip
