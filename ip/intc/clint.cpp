// SPDX-License-Identifier: Apache-2.0
#include "ip/intc/clint.hpp"

#include <limits>

#include "ip/base/method.hpp"

namespace forerun::ip {
namespace {
constexpr std::uint32_t msip = 0x0, mtimecmp = 0x4000, mtime_register = 0xbff8;
}

Clint::Clint(const sc_core::sc_module_name& name, const ClintParameters& parameters)
    : sc_module(name), socket("socket"), reset_line("reset", [this](bool level) { if (level) reset(); }), tick_(parameters.timebase) {
  socket.register_b_transport(this, &Clint::b_transport);
  socket.register_transport_dbg(this, &Clint::transport_dbg);
  registers_.add("msip", msip, 32, Access::RW, 0);
  registers_.add("mtimecmp", mtimecmp, 64, Access::RW, std::numeric_limits<std::uint64_t>::max());
  registers_.add("mtime", mtime_register, 64, Access::RW, 0);
  registers_.on_write(msip, [this](std::uint64_t value) {
    software.set((value & 1) != 0);
    return true;
  });
  registers_.on_read(msip, [this](bool) { return software.level() ? 1 : 0; });
  registers_.on_read(mtime_register, [this](bool debug) { return mtime(debug ? sc_core::SC_ZERO_TIME : delay_); });
  registers_.on_write(mtime_register, [this](std::uint64_t value) {
    offset_ += value - mtime(delay_);
    return true;
  });
  add_method("compare", {&compare_}, [this] { update(sc_core::SC_ZERO_TIME); });
}

std::uint64_t Clint::mtime(const sc_core::sc_time& delay) const {
  return static_cast<std::uint64_t>((now_picoseconds() + to_picoseconds(delay)) / tick_.period_ps()) + offset_;
}

void Clint::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  delay_ = delay;
  if (payload.is_write() && payload.get_address() >= mtime_register) registers_.set(mtime_register, mtime(delay));
  registers_.access(payload);
  if (payload.is_write()) update(delay);
}

void Clint::update(const sc_core::sc_time& delay) {
  const auto now = mtime(delay), compare = registers_.get(mtimecmp);
  if (now >= compare && !timer.level()) ++expiries;
  timer.set(now >= compare);
  compare_.cancel();
  if (now >= compare) return;
  const auto here = now_picoseconds();
  const auto longest = static_cast<std::uint64_t>((std::numeric_limits<std::int64_t>::max() / 2 - here) / tick_.period_ps());
  if (compare - now > longest) return;  // beyond the end of simulated time
  const auto edge = (static_cast<std::int64_t>(compare - offset_)) * tick_.period_ps();
  compare_.notify(to_sc_time({edge - here}));
}

void Clint::reset() {
  counters.clear();
  registers_.reset();
  software.set(false);
  update(sc_core::SC_ZERO_TIME);
}

}  // namespace forerun::ip
