// SPDX-License-Identifier: Apache-2.0
/// What engines of RTL in a cluster have in common: what they have done, and how they differ from the models.
#pragma once

#include <ctime>

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>

namespace forerun::ip {

/// What a block of RTL has done. Host time is CPU time of the simulation's thread.
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

/// Adds the CPU time of its life.
class Stopwatch {
 public:
  explicit Stopwatch(double& total) : total_(total) {}
  ~Stopwatch() { total_ += seconds() - began_; }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  static double seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  }
  double& total_;
  double began_ = seconds();
};

}  // namespace forerun::ip
