// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace forerun::ip::cosim {

/// How often a side of an interface holds back VALID or READY.
struct StallParameters {
  double share = 0;         ///< of the cycles, 0 to below 1
  std::uint64_t seed = 1;   ///< other seeds, other cycles
  unsigned run_cycles = 1;  ///< stalls come in whole windows of so many cycles, 1 or more
};

/// Says which cycles are stalled on one channel. It depends on the number of the cycle alone, so a gated
/// clock changes nothing.
class Stall {
 public:
  Stall() = default;
  Stall(const StallParameters& parameters, unsigned channel)
      : seed_(mix(parameters.seed * 64 + channel)),
        run_(parameters.run_cycles),
        threshold_(static_cast<std::uint64_t>(parameters.share * 4294967296.0)) {}

  bool operator()(std::uint64_t cycle) const {
    return threshold_ != 0 && (mix(seed_ ^ (run_ == 1 ? cycle : cycle / run_)) >> 32) < threshold_;
  }
  /// A number that looks random, of a cycle.
  std::uint64_t number(std::uint64_t cycle) const { return mix(~seed_ ^ cycle); }

 private:
  static constexpr std::uint64_t mix(
      std::uint64_t x) {  // a bijection in which every bit depends on every other
    x += 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
  }
  std::uint64_t seed_ = 0;
  unsigned run_ = 1;
  std::uint64_t threshold_ = 0;
};

}  // namespace forerun::ip::cosim
