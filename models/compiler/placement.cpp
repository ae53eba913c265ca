// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/placement.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <tuple>

namespace forerun::models {
namespace {

std::uint64_t hops(const chip::Tile& a, const chip::Tile& b) {
  return static_cast<std::uint64_t>(std::abs(static_cast<int>(a.x) - static_cast<int>(b.x)) +
                                    std::abs(static_cast<int>(a.y) - static_cast<int>(b.y)));
}

}  // namespace

Lanes make_lanes(const chip::Chip& chip, std::uint32_t clusters) {
  const auto& hbm = chip.hbm;
  const std::uint32_t ports = hbm.stacks * hbm.ports;
  Lanes lanes;
  lanes.groups = std::gcd(ports, clusters);
  const auto width = ports / lanes.groups;
  lanes.first = {0, hbm.interleave.count, width, ports * hbm.interleave.count};
  lanes.group_of.assign(clusters, lanes.groups);
  // Consecutive pieces of memory go round the stacks first (hbm.interleave).
  const auto grid = chip::place_tiles(chip);
  lanes.port_at.resize(ports);
  std::vector<chip::Tile> cluster_at(clusters);
  for (const auto& tile : grid.tiles) {
    if (tile.kind == chip::TileKind::memory)
      lanes.port_at[tile.index % hbm.ports * hbm.stacks + tile.index / hbm.ports] = tile;
    if (tile.kind == chip::TileKind::cluster && tile.index < clusters) cluster_at[tile.index] = tile;
  }
  std::vector<std::tuple<std::uint64_t, std::uint32_t, std::uint32_t>> pairs;  // hops, cluster, group
  for (std::uint32_t c = 0; c < clusters; ++c)
    for (std::uint32_t g = 0; g < lanes.groups; ++g) {
      std::uint64_t distance = 0;
      for (std::uint32_t p = g * width; p < (g + 1) * width; ++p)
        distance += hops(cluster_at[c], lanes.port_at[p]);
      pairs.emplace_back(distance, c, g);
    }
  std::sort(pairs.begin(), pairs.end());
  std::vector<std::uint32_t> room(lanes.groups, clusters / lanes.groups);
  for (const auto& [distance, c, g] : pairs) {
    if (lanes.group_of[c] != lanes.groups || room[g] == 0) continue;
    lanes.group_of[c] = g;
    --room[g];
  }
  return lanes;
}

}  // namespace forerun::models
