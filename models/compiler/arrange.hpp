// SPDX-License-Identifier: Apache-2.0
/// Which cluster has which place in the grid of steps of many tokens (wide.hpp), so that what clusters hand
/// on to one another shares few links of the network.
#pragma once

#include <cstdint>
#include <vector>

#include "models/compiler/placement.hpp"
#include "platform/chip/chip.hpp"

namespace forerun::models {

/// A cluster's place in the grid, and its neighbours: before and behind it in the chain of its column group,
/// along which tiles of weights go, and in the team of its row group, along which panels of operands go.
struct Place {
  static constexpr std::uint32_t none = 0xffffffff;
  std::uint32_t row_group = 0, column_group = 0;
  std::uint32_t chain_before = none, chain_behind = none;
  std::uint32_t team_before = none, team_behind = none;
};

/// What goes along chains and teams, in any unit.
struct GridTraffic {
  double tiles = 0, panels = 0;
};

/// Places of all clusters, by cluster: chains go along the row groups and teams along the column groups, from
/// 0 on, so that nothing waits in a circle. Starts with clusters in their order, column group after column
/// group, and exchanges clusters, column groups and row groups while the most loaded links get less to carry.
/// Where routers are not in rows and columns it stays with the order.
std::vector<Place> arrange(const chip::Chip& chip, const Lanes& lanes, std::uint32_t row_groups,
                           std::uint32_t column_groups, const GridTraffic& traffic);

}  // namespace forerun::models
