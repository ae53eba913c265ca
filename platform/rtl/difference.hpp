// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace forerun::rtl {

/// How far the time of RTL may be from the model's before lockstep reports it: so many cycles of the block's
/// clock and so many percent of the model's time, together.
struct Tolerance {
  std::uint64_t cycles = 0;
  unsigned percent = 0;
  bool operator==(const Tolerance&) const = default;

  std::uint64_t of(std::uint64_t model_cycles) const { return cycles + model_cycles * percent / 100; }
};

/// Where a block of RTL in lockstep differed first from the model.
struct Difference {
  std::string block;             ///< "hbm0.port1", "cluster0.load"
  std::string transaction;       ///< "read of 64 bytes at 0x80001000"
  std::uint64_t cycle = 0;       ///< of the block's clock
  std::int64_t picoseconds = 0;  ///< simulated time of that cycle
  std::string what;              ///< "byte 3 (0x80001003) is 5a, by the model 5b"
};

}  // namespace forerun::rtl
