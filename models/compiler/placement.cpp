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

/// Each group to the clusters that are nearest; returns the hops of all.
std::uint64_t give_out(Lanes& lanes, const std::vector<chip::Tile>& cluster_at) {
  const auto clusters = static_cast<std::uint32_t>(cluster_at.size());
  std::vector<std::tuple<std::uint64_t, std::uint32_t, std::uint32_t>> pairs;  // hops, cluster, group
  for (std::uint32_t c = 0; c < clusters; ++c)
    for (std::uint32_t g = 0; g < lanes.groups; ++g) {
      std::uint64_t distance = 0;
      for (std::uint64_t i = 0; i < lanes.first.width; ++i) distance += hops(cluster_at[c], lanes.port(g, i));
      pairs.emplace_back(distance, c, g);
    }
  std::sort(pairs.begin(), pairs.end());
  lanes.group_of.assign(clusters, lanes.groups);
  std::vector<std::uint32_t> room(lanes.groups, clusters / lanes.groups);
  std::uint64_t all = 0;
  for (const auto& [distance, c, g] : pairs) {
    if (lanes.group_of[c] != lanes.groups || room[g] == 0) continue;
    lanes.group_of[c] = g;
    --room[g];
    all += distance;
  }
  return all;
}

}  // namespace

Lanes make_lanes(const chip::Chip& chip, std::uint32_t clusters) {
  const auto& hbm = chip.hbm;
  const std::uint32_t ports = hbm.stacks * hbm.ports;
  Lanes lanes;
  lanes.groups = std::gcd(ports, clusters);
  const auto width = ports / lanes.groups;
  const auto piece = hbm.interleave.count;
  lanes.first = {0, piece, width, ports * piece, piece};
  // Consecutive pieces of memory go round the stacks first (hbm.interleave).
  const auto grid = chip::place_tiles(chip);
  lanes.port_at.resize(ports);
  std::vector<chip::Tile> cluster_at(clusters);
  for (const auto& tile : grid.tiles) {
    if (tile.kind == chip::TileKind::memory)
      lanes.port_at[tile.index % hbm.ports * hbm.stacks + tile.index / hbm.ports] = tile;
    if (tile.kind == chip::TileKind::cluster && tile.index < clusters) cluster_at[tile.index] = tile;
  }
  for (std::uint32_t g = 0; g < lanes.groups; ++g) lanes.first_port.push_back(g * width);
  const auto hops_of_all = give_out(lanes, cluster_at);
  if (width > 1 && hbm.stacks > 1 && hbm.ports % width == 0) {
    auto in_stacks = lanes;
    in_stacks.port_step = hbm.stacks;
    in_stacks.first.step = hbm.stacks * piece;
    for (std::uint32_t g = 0; g < lanes.groups; ++g)
      in_stacks.first_port[g] = g / hbm.stacks * hbm.stacks * width + g % hbm.stacks;
    if (give_out(in_stacks, cluster_at) < hops_of_all) return in_stacks;
  }
  return lanes;
}

}  // namespace forerun::models
