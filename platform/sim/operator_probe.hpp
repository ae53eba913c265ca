// SPDX-License-Identifier: Apache-2.0
/// What the commands of each operator ask of the chip, and how long clusters are at it.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "platform/soc/soc.hpp"

namespace forerun::sim {

/// Of one operator on one cluster.
struct OperatorWork {
  std::int64_t elapsed_ps = 0;  ///< from its tensor and vector commands to those of the next operator
  std::uint64_t commands = 0;   ///< of all engines
  std::uint64_t macs = 0;
  std::uint64_t array_cycles = 0;  ///< of the arrays, with filling and draining, if operands are always there
  std::uint64_t vector_cycles = 0;  ///< of the vector unit, the same
  std::uint64_t scratchpad_bytes = 0;
  std::uint64_t memory_bytes = 0;             ///< to and from HBM
  std::uint64_t bytes_in = 0, bytes_out = 0;  ///< through the cluster's port into the network
  std::uint64_t device_bytes = 0;             ///< sent to other devices
};

/// Attaches to the engines of a chip's first `clusters` clusters, behind what is attached already; it must
/// outlive the simulation's run. At each moment a cluster is at the operator (tag) of the tensor or vector
/// command that began last; what is before the first is the first operator's, and time between steps is
/// nobody's.
class OperatorProbe {
 public:
  /// `anew`: whether a step that begins now is the first of what counts.
  OperatorProbe(soc::Soc& soc, std::size_t clusters, std::size_t tags, std::function<bool()> anew);
  OperatorProbe(const OperatorProbe&) = delete;
  OperatorProbe& operator=(const OperatorProbe&) = delete;

  /// By cluster and tag, after the run.
  std::vector<std::vector<OperatorWork>> work();

 private:
  struct State {
    std::vector<OperatorWork> work;
    std::size_t at = 0;                 ///< tag
    std::int64_t since = -1, last = 0;  ///< ps: of `at` (-1 before the first step), the last end of a command
  };
  void begins(std::size_t cluster, unsigned engine, const ip::Command& command);
  static void close(State& state, std::int64_t until);

  soc::Soc& soc_;
  std::function<bool()> anew_;
  std::vector<State> states_;
};

}  // namespace forerun::sim
