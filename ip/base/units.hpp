// SPDX-License-Identifier: Apache-2.0
/// Quantities with their unit in the type. No SystemC in here, so that the chip description may use them too.
#pragma once

#include <compare>
#include <cstdint>

namespace forerun {

/// An amount of memory or traffic, in bytes.
struct Bytes {
  std::uint64_t count = 0;
  auto operator<=>(const Bytes&) const = default;
};

/// A clock or data rate, in hertz.
struct Frequency {
  double hertz = 0;
  auto operator<=>(const Frequency&) const = default;
};

/// A duration, in integer picoseconds.
struct Time {
  std::int64_t picoseconds = 0;
  auto operator<=>(const Time&) const = default;
};

/// A transfer rate, in bytes a second.
struct Bandwidth {
  double bytes_per_second = 0;
  auto operator<=>(const Bandwidth&) const = default;
};

/// An energy, in joules.
struct Energy {
  double joules = 0;
  auto operator<=>(const Energy&) const = default;
};

/// A rate of energy, in watts.
struct Power {
  double watts = 0;
  auto operator<=>(const Power&) const = default;
};

/// The period of a clock, rounded to the nearest picosecond; a frequency of 0 has none.
constexpr Time period(Frequency frequency) {
  return {frequency.hertz > 0 ? static_cast<std::int64_t>(1e12 / frequency.hertz + 0.5) : 0};
}

}  // namespace forerun
