// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/split.hpp"

#include <gtest/gtest.h>

#include <numeric>

using namespace forerun::models;

TEST(Share, CoversEverythingInGranulesAndEvenly) {
  for (const std::uint64_t total : {1u, 7u, 64u, 172u, 4096u})
    for (const std::uint64_t granule : {1u, 4u, 16u})
      for (const std::uint64_t parts : {1u, 3u, 16u, 100u}) {
        std::uint64_t at = 0, least = ~0ull, most = 0;
        for (std::uint64_t part = 0; part < parts; ++part) {
          const auto range = share(total, granule, parts, part);
          EXPECT_EQ(range.begin, at);
          at = range.end;
          if (range.end < total) {
            EXPECT_EQ(range.end % granule, 0u);
          }
          const auto granules = divide_up(range.size(), granule);
          least = std::min(least, granules), most = std::max(most, granules);
        }
        EXPECT_EQ(at, total);
        EXPECT_LE(most - least, 1u);
      }
}

TEST(TileWeights, CoversTheMatrixOnceWithinTheSlot) {
  for (const std::uint64_t inputs : {1u, 64u, 172u, 4096u})
    for (const std::uint64_t outputs : {1u, 11u, 128u, 1792u})
      for (const std::uint64_t slot : {512u, 4096u, 262144u}) {
        const TileLimits limits{slot, 64, 128, {.element_bits = 16}};
        std::uint64_t area = 0;
        Range last_n{0, 0};
        for (const auto& tile : tile_weights(inputs, outputs, limits)) {
          EXPECT_LE(tile.k.size() * tile.n.size() * 2, slot);
          area += tile.k.size() * tile.n.size();
          if (tile.first_k()) {
            EXPECT_EQ(tile.n.begin, last_n.end) << "column blocks follow one another";
          } else {
            EXPECT_EQ(tile.n.begin, last_n.begin) << "sums over one block are finished before the next";
          }
          last_n = tile.n;
        }
        EXPECT_EQ(area, inputs * outputs);
      }
}

TEST(TileWeights, FillsTheArraysWhereTheSlotAllows) {
  const auto tiles = tile_weights(4096, 1792, {256 << 10, 64, 128, {.element_bits = 16}});
  EXPECT_EQ(tiles.front().n.size() % 128, 0u);
  EXPECT_EQ(tiles.front().k.size() % 64, 0u);
  EXPECT_GE(tiles.front().k.size() * tiles.front().n.size() * 2, (256u << 10) * 3 / 4);
}

TEST(TileWeights, HasNothingForAnEmptyShare) {
  EXPECT_TRUE(tile_weights(64, 0, {4096, 16, 16, {.element_bits = 32}}).empty());
}
