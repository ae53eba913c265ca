// SPDX-License-Identifier: Apache-2.0
#include "platform/chip/chip.hpp"

#include <gmock/gmock.h>

#include <set>
#include <stdexcept>

namespace forerun::chip {
namespace {

TEST(Peaks, FollowFromTheReferenceNumbers) {
  const Chip chip;
  EXPECT_DOUBLE_EQ(peak_memory_bandwidth(chip).bytes_per_second, 819.2e9);  // 32 pseudo-channels of 25.6 GB/s
  EXPECT_EQ(memory_size(chip).count, 16ull << 30);
  EXPECT_DOUBLE_EQ(peak_flops(chip, Format::bf16), 2.0 * 64 * 64 * 2 * 16 * 1.25e9);
}

TEST(Peaks, AreZeroForAFormatThatTheArraysLack) {
  Chip chip;
  chip.clusters.tensor.formats = {Format::bf16};
  EXPECT_EQ(peak_flops(chip, Format::i8), 0);
  EXPECT_EQ(peak_flops(chip, Format::mxfp4), 0);
  chip.clusters.tensor.formats = {Format::bf16, Format::mxfp4};
  EXPECT_EQ(peak_flops(chip, Format::mxfp4), peak_flops(chip, Format::bf16))
      << "an array's rate is that of its cells";
}

TEST(Placement, HoldsEveryTileOnceForAnyNumberOfClusters) {
  for (unsigned clusters = 1; clusters <= 256; ++clusters)
    for (const unsigned ports : {1u, 4u, 16u, 32u}) {
      Chip chip;
      chip.clusters.count = clusters;
      chip.hbm.ports = ports;
      const auto grid = place_tiles(chip);
      ASSERT_EQ(grid.tiles.size(), grid.columns * grid.rows);
      std::set<unsigned> seen[5];
      for (std::size_t i = 0; i < grid.tiles.size(); ++i) {
        const auto& tile = grid.tiles[i];
        ASSERT_EQ(tile.y * grid.columns + tile.x, i);
        ASSERT_TRUE(seen[static_cast<unsigned>(tile.kind)].insert(tile.index).second);
      }
      ASSERT_EQ(seen[static_cast<unsigned>(TileKind::cluster)].size(), clusters);
      ASSERT_EQ(*seen[static_cast<unsigned>(TileKind::cluster)].rbegin(), clusters - 1);
      ASSERT_EQ(seen[static_cast<unsigned>(TileKind::memory)].size(), ports);
      ASSERT_EQ(seen[static_cast<unsigned>(TileKind::control)].size(), 1u);
      ASSERT_EQ(seen[static_cast<unsigned>(TileKind::host)].size(), 1u);
    }
}

TEST(Placement, PutsReferenceMemoryOnTheEdges) {
  const auto grid = place_tiles(Chip{});
  for (const auto& tile : grid.tiles)
    EXPECT_TRUE(tile.kind != TileKind::memory || tile.x == 0 || tile.x == grid.columns - 1);
}

TEST(Placement, PutsEachClusterOfTheReferenceBesideAMemoryTile) {
  const auto grid = place_tiles(Chip{});
  const auto is_memory = [&](unsigned x, unsigned y) {
    return grid.tiles[y * grid.columns + x].kind == TileKind::memory;
  };
  for (const auto& tile : grid.tiles) {
    if (tile.kind != TileKind::cluster) continue;
    EXPECT_TRUE(is_memory(tile.x - 1, tile.y) || is_memory(tile.x + 1, tile.y)) << tile.index;
  }
}

TEST(Placement, TakesTheGivenTiles) {
  Chip chip;
  chip.clusters.count = 2;
  chip.hbm.ports = 2;
  chip.noc.tiles = {"X C M", "H C M"};
  const auto grid = place_tiles(chip);
  EXPECT_EQ(grid.columns, 3u);
  EXPECT_EQ(grid.tiles[4], (Tile{TileKind::cluster, 1, 1, 1}));
  chip.clusters.count = 3;
  EXPECT_THROW(place_tiles(chip), std::invalid_argument);
  chip.clusters.count = 2;
  chip.noc.tiles = {"X C M", "H C M ."};
  EXPECT_THROW(place_tiles(chip), std::invalid_argument);
}

}  // namespace
}  // namespace forerun::chip
