// SPDX-License-Identifier: Apache-2.0
/// What engines of RTL in a cluster have in common: what they have done, and how they differ from the models.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>

#include "ip/base/host_time.hpp"

namespace forerun::ip {

/// What a block of RTL has done. Host time is what a clock on the wall says.
struct RtlStatistics {
  std::uint64_t commands = 0;                       ///< executed by it
  std::uint64_t cycles = 0;                         ///< clock cycles evaluated, instances side by side once
  double host_seconds = 0;                          ///< in it
  std::map<std::string, std::uint64_t> fall_backs;  ///< commands that the model executed instead, by reason
};

/// The first difference between RTL and models.
struct LockstepDifference {
  std::string command;           ///< "MATMUL int8 4x16x32 on 1 array of 8x8"
  unsigned tag = 0;              ///< of the command
  std::uint64_t cycle = 0;       ///< of the command, from 0
  std::int64_t picoseconds = 0;  ///< simulated time of that cycle
  std::string what;              ///< "C[3][5] is 3f800001, by the model 3f800000"
  std::string waves;             ///< where the cycles around it are, or why they are not
};

/// Adds the time of its life: what others do meanwhile counts too.
class Stopwatch {
 public:
  explicit Stopwatch(double& total) : total_(total) {}
  ~Stopwatch() { total_ += static_cast<double>(host_ticks() - began_) * seconds_of_tick(); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& total_;
  std::uint64_t began_ = host_ticks();
};

}  // namespace forerun::ip
