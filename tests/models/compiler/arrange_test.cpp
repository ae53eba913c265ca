// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/arrange.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>

using namespace forerun;
using namespace forerun::models;

namespace {

/// What the most loaded link carries when chains and teams hand on, x first.
double most_loaded(const chip::Chip& chip, const std::vector<Place>& places, const GridTraffic& traffic) {
  std::map<std::uint32_t, std::pair<int, int>> at;
  for (const auto& tile : chip::place_tiles(chip).tiles)
    if (tile.kind == chip::TileKind::cluster) at[tile.index] = {int(tile.x), int(tile.y)};
  std::map<std::tuple<int, int, int, int>, double> links;
  const auto send = [&](std::uint32_t from, std::uint32_t to, double amount) {
    if (from == Place::none) return;
    auto [x, y] = at[from];
    const auto [to_x, to_y] = at[to];
    while (x != to_x || y != to_y) {
      const int dx = to_x > x ? 1 : to_x < x ? -1 : 0, dy = dx != 0 ? 0 : to_y > y ? 1 : -1;
      links[{x, y, dx, dy}] += amount;
      x += dx;
      y += dy;
    }
  };
  for (std::uint32_t c = 0; c < places.size(); ++c) {
    send(places[c].chain_before, c, traffic.tiles);
    send(places[c].team_before, c, traffic.panels);
  }
  double most = 0;
  for (const auto& [link, load] : links) most = std::max(most, load);
  return most;
}

}  // namespace

TEST(Arrange, GivesEveryClusterAPlaceAndItsNeighbours) {
  for (const unsigned clusters : {1u, 4u, 6u, 12u, 16u})
    for (std::uint32_t rows = 1; rows <= clusters; ++rows) {
      if (clusters % rows != 0) continue;
      const auto columns = clusters / rows;
      chip::Chip chip;
      chip.clusters.count = clusters;
      const auto places = arrange(chip, make_lanes(chip, clusters), rows, columns, {2, 1});
      ASSERT_EQ(places.size(), clusters);
      std::map<std::pair<std::uint32_t, std::uint32_t>, std::uint32_t> by_place;
      for (std::uint32_t c = 0; c < clusters; ++c)
        EXPECT_TRUE(by_place.insert({{places[c].row_group, places[c].column_group}, c}).second);
      const auto cluster_at = [&](std::uint32_t row, std::uint32_t column) {
        return row < rows && column < columns ? by_place.at({row, column}) : Place::none;
      };
      for (const auto& p : places) {
        EXPECT_EQ(p.chain_before, cluster_at(p.row_group - 1, p.column_group));
        EXPECT_EQ(p.chain_behind, cluster_at(p.row_group + 1, p.column_group));
        EXPECT_EQ(p.team_before, cluster_at(p.row_group, p.column_group - 1));
        EXPECT_EQ(p.team_behind, cluster_at(p.row_group, p.column_group + 1));
      }
    }
}

TEST(Arrange, LoadsNoLinkOfAMeshAsMuchAsTheOrderOfClusters) {
  const chip::Chip mesh;
  auto crossbar = mesh;
  crossbar.noc.topology = chip::NocTopology::crossbar;
  const GridTraffic traffic{2, 1};
  const auto order = arrange(crossbar, make_lanes(crossbar, 16), 4, 4, traffic);
  EXPECT_EQ(order[5].row_group, 1u);
  EXPECT_EQ(order[5].column_group, 1u);
  EXPECT_LE(most_loaded(mesh, arrange(mesh, make_lanes(mesh, 16), 4, 4, traffic), traffic),
            0.76 * most_loaded(mesh, order, traffic));
}
