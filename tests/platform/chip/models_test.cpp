// SPDX-License-Identifier: Apache-2.0
// What the blocks assume of their parameters holds for every chip that loads.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <random>
#include <set>
#include <tuple>

#include "ip/hbm/address_map.hpp"
#include "platform/chip/load.hpp"
#include "platform/soc/parameters.hpp"

namespace forerun::chip {
namespace {

/// A small memory of random shape, as overrides; most of them fit together.
std::vector<std::string> random_memory(std::mt19937& random) {
  const auto power = [&](unsigned low, unsigned high) { return 1u << (low + random() % (high - low + 1)); };
  std::vector<std::string> fields = {"column", "channel", "pseudo_channel", "rank", "bank_group",
                                     "bank",   "row"};
  std::shuffle(fields.begin(), fields.end(), random);
  if (random() % 2 == 0) {  // a row in two pieces
    const auto row = std::find(fields.begin(), fields.end(), "row");
    *row = "row:1";
    fields.emplace_back("row");
  }
  return {fmt::format("hbm={{stacks: {}, channels: {}, pseudo_channels: {}, ranks: {}, bank_groups: {}, "
                      "banks_per_group: {}, rows: {}, row_bytes: {} B, "
                      "burst_bytes: {} B, ports: {}, interleave: {} B}}",
                      random() % 3 + 1, power(0, 2), power(0, 1), power(0, 1), power(0, 1), power(0, 2),
                      power(1, 4), power(8, 11), power(3, 8), power(0, 2), power(8, 12)),
          fmt::format("hbm.address_map=[burst, {}]", fmt::join(fields, ", ")),
          fmt::format("hbm.address_hash={{bank: [{:#x}], channel: [{:#x}]}}", random() % 32 * 256,
                      random() % 32 * 1024),
          fmt::format("clusters.dma.burst={} B", power(5, 9))};
}

TEST(ChipsThatLoad, GiveEachBurstItsOwnPlace) {
  std::mt19937 random(1);
  int loaded = 0;
  for (int round = 0; round < 600; ++round) {
    const auto overrides = random_memory(random);
    Chip chip;
    try {
      chip = load("reference", overrides);
    } catch (const Error&) {
      continue;
    }
    ++loaded;
    const auto& h = chip.hbm;
    const auto size = memory_size(chip).count, burst = h.burst_bytes.count, piece = h.interleave.count;
    ASSERT_EQ(size % (piece * h.stacks * h.ports), 0u)
        << "a port has part of a piece: " << testing::PrintToString(overrides);
    std::vector<ip::hbm::AddressMap> maps;
    for (unsigned stack = 0; stack < h.stacks; ++stack) maps.emplace_back(soc::hbm_parameters(chip, stack));
    std::set<std::tuple<std::uint64_t, unsigned, unsigned, unsigned, unsigned>> places;
    for (std::uint64_t offset = 0; offset < size; offset += burst) {
      const auto stack = offset / piece % h.stacks;
      const auto& map = maps[stack];
      const auto at = map.locate(map.within_stack(offset));
      const bool inside = at.channel < h.channels && at.pseudo_channel < h.pseudo_channels &&
                          at.bank_group < h.bank_groups && at.bank < h.banks_per_group && at.row < h.rows &&
                          at.column < h.row_bytes.count / burst;
      ASSERT_TRUE(inside) << offset << " of " << testing::PrintToString(overrides);
      ASSERT_TRUE(places.emplace(stack, at.channel, at.flat_bank, at.row, at.column).second)
          << offset << " of " << testing::PrintToString(overrides);
      if (places.size() > 3000) break;
    }
  }
  EXPECT_GT(loaded, 100);
}

TEST(ChipsThatLoad, KeepABurstOfTheDmaInOnePiece) {
  std::mt19937 random(2);
  for (int round = 0; round < 600; ++round) try {
      const auto chip = load("reference", random_memory(random));
      if (chip.hbm.stacks * chip.hbm.ports > 1) {
        EXPECT_LE(chip.clusters.dma.burst, chip.hbm.interleave);
        EXPECT_GE(chip.hbm.interleave.count, std::uint64_t{ip::CommandProcessor::line_bytes});
      }
    } catch (const Error&) {
    }
}

TEST(ChipsThatLoad, ArePlacedInAMeshThatTheNetworkCanHave) {
  std::mt19937 random(3);
  int loaded = 0;
  for (int round = 0; round < 300; ++round) {
    const std::uint64_t clusters = random() % 1000 + 1, ports = random() % 2 == 0 ? 4u : 32u,
                        stacks = random() % 64 + 1;
    try {
      const auto chip =
          load("reference", {fmt::format("clusters.count={}", clusters),
                             fmt::format("hbm={{ports: {}, stacks: {}}}", ports, stacks),
                             fmt::format("noc={{columns: {}, rows: {}}}", random() % 2 * (random() % 65),
                                         random() % 2 * (random() % 65))});
      const auto grid = place_tiles(chip);
      ++loaded;
      EXPECT_LE(grid.columns, 64u);
      EXPECT_LE(grid.rows, 64u);
      EXPECT_GE(grid.columns * grid.rows, clusters + ports * stacks + 2);
    } catch (const Error&) {
    }
  }
  EXPECT_GT(loaded, 50);
}

}  // namespace
}  // namespace forerun::chip
