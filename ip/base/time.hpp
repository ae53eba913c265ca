// SPDX-License-Identifier: Apache-2.0
/// From quantities to SystemC time and back, and the two ways of modelling time.
#pragma once

#include <cstdint>
#include <systemc>

#include "ip/base/units.hpp"

namespace forerun::ip {

/// How a block treats time.
enum class Timing {
  loose,        ///< `b_transport`, DMI, temporal decoupling; delays without contention
  approximate,  ///< `nb_transport`, contention everywhere
};

/// SystemC's units of time in a picosecond (the time resolution is SystemC's default of 1 ps, or finer).
inline sc_dt::uint64 units_of_picosecond() {
  static const auto units = sc_core::sc_time(1, sc_core::SC_PS).value();
  return units;
}

inline sc_core::sc_time to_sc_time(Time time) {
  return sc_core::sc_time::from_value(static_cast<sc_dt::uint64>(time.picoseconds) * units_of_picosecond());
}

/// Simulated time as integer picoseconds.
inline std::int64_t to_picoseconds(const sc_core::sc_time& time) {
  const auto units = units_of_picosecond();
  return static_cast<std::int64_t>(units == 1 ? time.value() : time.value() / units);
}

inline std::int64_t now_picoseconds() { return to_picoseconds(sc_core::sc_time_stamp()); }

/// A clock: turns cycles into time and finds edges. It never ticks.
class Clock {
 public:
  explicit Clock(Frequency frequency) : period_(period(frequency).picoseconds) {}
  std::int64_t period_ps() const { return period_; }
  std::int64_t cycles_to_ps(std::int64_t cycles) const { return cycles * period_; }
  /// Whole cycles that cover a duration.
  std::int64_t ps_to_cycles(std::int64_t picoseconds) const { return (picoseconds + period_ - 1) / period_; }
  /// The first edge at or after a moment; edges lie at multiples of the period.
  std::int64_t next_edge_ps(std::int64_t picoseconds) const { return ps_to_cycles(picoseconds) * period_; }
  sc_core::sc_time cycles(std::int64_t n) const { return to_sc_time({cycles_to_ps(n)}); }

 private:
  std::int64_t period_;
};

}  // namespace forerun::ip
