// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace forerun::rtl {

enum class Waves : unsigned char { none, vcd, fst };

/// Waves of all RTL of a chip: a file for each instance in `folder`, with simulated time in picoseconds.
struct WaveOptions {
  Waves format = Waves::none;
  std::string folder;
  std::int64_t first_ps = 0,
               last_ps = std::numeric_limits<std::int64_t>::max();  ///< nothing is written outside

  bool covers(std::int64_t picoseconds) const { return picoseconds >= first_ps && picoseconds <= last_ps; }
  std::string file(const std::string& instance) const {
    return folder + "/" + instance + (format == Waves::fst ? ".fst" : ".vcd");
  }
};

}  // namespace forerun::rtl
