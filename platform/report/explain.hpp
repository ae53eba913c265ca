// SPDX-License-Identifier: Apache-2.0
/// What bounds each operator of a run, and by how much.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "platform/sim/inference.hpp"
#include "platform/sim/operator_probe.hpp"

namespace forerun::report {

/// What an operator may be bound by. The ideal time of each is that of its work at the peak rate, as if
/// nothing else were there.
enum class Resource : unsigned char {
  tensor,      ///< multiply-adds, at all places of the arrays
  vector,      ///< passes through the lanes
  scratchpad,  ///< bytes, at all banks
  hbm,         ///< bytes of all clusters, at the peak of all channels
  noc,         ///< bytes through the port of the cluster that has most, in the busier direction
  issue,       ///< commands, at the command processor
  link         ///< bytes to other devices
};
inline constexpr std::array<const char*, 7> resource_names{"tensor", "vector", "scratchpad", "hbm",
                                                           "noc",    "issue",  "link"};

struct OperatorBound {
  std::string name;
  double seconds = 0;                                 ///< measured: mean over the clusters
  std::array<double, resource_names.size()> ideal{};  ///< seconds, by Resource
  Resource bound = Resource::tensor;                  ///< that with the longest ideal time
  double busy =
      0;  ///< seconds in which the engine that uses it was, mean over the clusters; at most `seconds`
  std::string gap;  ///< why it took longer than the ideal time
};

/// With layers that were counted instead of simulated, those of the operators of layers as often as they
/// stand for. Operators without work are left out.
std::vector<OperatorBound> explain(const sim::Inference& inference, const soc::Soc& soc,
                                   sim::OperatorProbe& probe);

}  // namespace forerun::report
