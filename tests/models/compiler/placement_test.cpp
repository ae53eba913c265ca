// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/placement.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "models/compiler/plan.hpp"
#include "models/import/model.hpp"
#include "platform/chip/load.hpp"

using namespace forerun;
using namespace forerun::models;

TEST(Lanes, GiveEachClusterOfTheReferenceThePortBesideIt) {
  const chip::Chip chip;
  const auto lanes = make_lanes(chip, 16);
  EXPECT_EQ(lanes.groups, 16u);
  EXPECT_EQ(lanes.first.width, 1u);
  EXPECT_EQ(lanes.first.piece, chip.hbm.interleave.count);
  EXPECT_EQ(lanes.first.stride, 16 * chip.hbm.interleave.count);
  const auto grid = chip::place_tiles(chip);
  for (const auto& cluster : grid.tiles) {
    if (cluster.kind != chip::TileKind::cluster) continue;
    const auto port = std::find_if(grid.tiles.begin(), grid.tiles.end(), [&](const chip::Tile& tile) {
      return tile.kind == chip::TileKind::memory && tile.index == lanes.group_of[cluster.index];
    });
    EXPECT_EQ(port->y, cluster.y);
    EXPECT_EQ(std::max(port->x, cluster.x) - std::min(port->x, cluster.x), 1u);
  }
}

TEST(Lanes, HavePortsOfOneStackWhereTheseAreNeighbours) {
  const auto chip = chip::load("reference-256g");
  const auto lanes = make_lanes(chip, chip.clusters.count);
  const auto grid = chip::place_tiles(chip);
  ASSERT_EQ(lanes.first.width, 4u);
  std::set<std::pair<unsigned, unsigned>> places;
  for (const auto& cluster : grid.tiles) {
    if (cluster.kind != chip::TileKind::cluster) continue;
    const auto lane = lanes.lane(lanes.group_of[cluster.index], 0);
    for (std::uint64_t i = 0; i < lane.width; ++i) {
      const auto& port = lanes.port(lanes.group_of[cluster.index], i);
      EXPECT_EQ(port.y, cluster.y) << "cluster " << cluster.index;
      EXPECT_TRUE(places.insert({port.x, port.y}).second);
      const auto number = lane.part_offset(i) / lane.piece + lane.base / lane.piece;
      EXPECT_EQ(lanes.port_at[number].index, port.index);
    }
  }
}

TEST(Lanes, AreSharedEvenly) {
  for (const unsigned stacks : {1u, 2u, 3u})
    for (std::uint32_t clusters = 1; clusters <= 40; ++clusters) {
      chip::Chip chip;
      chip.clusters.count = 40;
      chip.hbm.stacks = stacks;
      const auto lanes = make_lanes(chip, clusters);
      ASSERT_EQ(lanes.group_of.size(), clusters);
      EXPECT_EQ(lanes.first.piece * lanes.first.width * lanes.groups, lanes.first.stride);
      EXPECT_EQ(lanes.first.linear(), lanes.groups == 1);
      for (std::uint32_t group = 0; group < lanes.groups; ++group)
        EXPECT_EQ(std::count(lanes.group_of.begin(), lanes.group_of.end(), group), clusters / lanes.groups);
    }
}

TEST(Lane, HoldsBlocksInEqualPartsOnAllItsPorts) {
  for (const std::uint64_t width : {1u, 2u, 4u, 8u})
    for (const std::uint64_t bytes : {1u, 64u, 4096u, 8192u, 8193u, 13824u, 262144u}) {
      const Lane lane{0, 4096, width, 32768, 4096};
      const auto parts = lane.parts(bytes), part = lane.part_bytes(bytes);
      EXPECT_GE(parts * part, bytes);
      EXPECT_LT(parts * part, bytes + parts * Lane::alignment);
      if (lane.linear()) {
        EXPECT_EQ(parts, 1u);
        EXPECT_EQ(lane.advance(bytes), part);
        continue;
      }
      EXPECT_LE(part, lane.piece);
      EXPECT_EQ(parts % width, 0u);
      std::set<std::uint64_t> pieces;
      for (std::uint64_t i = 0; i < parts; ++i) {
        EXPECT_LT(lane.part_offset(i) % lane.stride / lane.piece, width) << "another lane's port";
        EXPECT_LT(lane.part_offset(i), lane.advance(bytes));
        EXPECT_TRUE(pieces.insert(lane.part_offset(i)).second);
      }
    }
}

TEST(Lane, PartsOfAllTilesFitTheirSlotAndTheMemoryOfTheWeights) {
  const auto model = load_model(FORERUN_SOURCE_DIR "/models/zoo/llama-3-8b.yaml").config;
  for (const unsigned clusters : {1u, 4u, 12u, 15u, 16u, 32u}) {
    chip::Chip chip;
    chip.clusters.count = clusters;
    chip.hbm.stacks = 2;
    const auto plan =
        make_plan(model, chip, {.format = chip::Format::bf16, .context = 512, .max_tokens = 512});
    for (std::uint32_t c = 0; c < plan.clusters; ++c) {
      const auto& p = plan.projections[c];
      const auto& lane = plan.memory.lanes[c];
      std::uint64_t layer = 0, head = 0;
      for (const auto* tiles : {&p.query_key_value, &p.attention_output, &p.gate_up, &p.down, &p.classifier})
        for (const auto& tile : *tiles) {
          const auto bytes = plan.tile_bytes(tile);
          EXPECT_LE(lane.parts(bytes) * lane.part_bytes(bytes), plan.scratch.slot_bytes);
          (tiles == &p.classifier ? head : layer) += lane.advance(bytes);
        }
      EXPECT_LE(lane.base + model.layers * layer + head,
                plan.memory.weights + plan.memory.weight_bytes + lane.stride);
    }
  }
}
