// SPDX-License-Identifier: Apache-2.0
// The memories of platform/chips/memory.
#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "platform/chip/address_bits.hpp"
#include "platform/chip/load.hpp"

namespace forerun::chip {
namespace {

std::vector<std::string> memories() {
  std::vector<std::string> names;
  for (const auto& name : chip_names())
    if (name.starts_with("memory/")) names.push_back(name);
  return names;
}

TEST(Memories, HaveTheirBandwidthAndSize) {
  struct Expected {
    const char* name;
    double gigabytes_per_second;
    std::uint64_t gibibytes;
  };
  const Expected table[] = {
      {"memory/ddr5-4800-16gb-x8", 38.4, 16},   {"memory/gddr6-14000-16gb", 56, 2},
      {"memory/hbm2-2000-8gb", 256, 16},        {"memory/hbm2e-3200-16gb-8hi", 409.6, 16},
      {"memory/hbm3-6400-16gb-8hi", 819.2, 16}, {"memory/hbm3e-9600-16gb-8hi", 1228.8, 16},
      {"memory/lpddr5-6400-16gb", 51.2, 8}};
  std::vector<std::string> names;
  for (const auto& [name, bandwidth, size] : table) {
    const auto chip = load(name);
    names.emplace_back(name);
    EXPECT_DOUBLE_EQ(peak_memory_bandwidth(chip).bytes_per_second, bandwidth * 1e9) << name;
    EXPECT_EQ(memory_size(chip).count, size << 30) << name;
  }
  EXPECT_EQ(memories(), names) << "a memory has no line here";
}

TEST(Memories, SayNothingButTheMemory) {
  for (const auto& name : memories()) {
    auto chip = load(name);
    chip.hbm = {};
    EXPECT_EQ(chip, Chip{}) << name;
  }
}

TEST(Memories, StateEveryFactWithItsSource) {
  for (const auto& name : memories()) {
    std::ifstream file(chips_directory() / (name + ".yaml"));
    std::string text;
    for (std::string line; std::getline(file, line);) text += line + "\n";
    for (const auto* key : {"clock", "channels", "pseudo_channels", "ranks", "bank_groups", "banks_per_group",
                            "rows", "row_bytes", "burst_bytes", "separate_buses", "act_cycles",
                            "half_cycle_rows", "column_cycles", "address_map"})
      EXPECT_THAT(text, testing::HasSubstr("\n  " + std::string(key) + ": ")) << name;
    EXPECT_THAT(text, testing::HasSubstr("JEDEC JESD")) << name;
    EXPECT_THAT(text, testing::HasSubstr("where not said otherwise")) << name;
  }
}

TEST(Memories, CanRefreshInEveryWayTheyHave) {
  for (const auto& name : memories()) {
    EXPECT_NO_THROW(load(name, {"hbm.power_down=100", "hbm.self_refresh=1000"})) << name;
    const auto t = load(name).hbm.timings;
    if (t.tREFIpb != 0) {
      EXPECT_NO_THROW(load(name, {"hbm.refresh=per_bank"})) << name;
    }
    if (t.RAAIMT != 0) {
      EXPECT_NO_THROW(load(name, {"hbm.refresh_management=true"})) << name;
    }
    EXPECT_GT(load(name).hbm.energies.read.joules, 0) << name;
  }
  EXPECT_THROW(load("memory/ddr5-4800-16gb-x8", {"hbm.refresh=per_bank"}), Error);
  EXPECT_THROW(load("memory/hbm2-2000-8gb", {"hbm.refresh_management=true"}), Error);
}

/// Timings as they stand in the parameter sets that other simulators were measured with, in the order of
/// Timings.
TEST(Memories, HaveTheTimingsOfTheReferenceFigures) {
  const auto hbm2 = load("memory/hbm2-2000-8gb").hbm;
  const Timings set_a{.RL = 14,
                      .WL = 5,
                      .nBL = 2,
                      .tRCDRD = 14,
                      .tRCDWR = 12,
                      .tRP = 14,
                      .tRAS = 34,
                      .tRC = 48,
                      .tWR = 16,
                      .tRTP = 5,
                      .tCCDS = 2,
                      .tCCDL = 4,
                      .tCCDR = 0,
                      .tRRDS = 4,
                      .tRRDL = 4,
                      .tWTRS = 6,
                      .tWTRL = 8,
                      .tRTW = 13,
                      .tFAW = 15,
                      .tPPD = 0,
                      .tRFC = 350,
                      .tREFI = 3900,
                      .tRFCpb = 160,
                      .tREFIpb = 122,
                      .tRREFD = 8,
                      .tRFM = 0,
                      .RAAIMT = 0,
                      .RAAMMT = 0,
                      .tXP = 8,
                      .tCKE = 8,
                      .tXS = 358};
  EXPECT_EQ(hbm2.timings, set_a);
  EXPECT_EQ(hbm2.rows, 65536u);
  EXPECT_EQ(hbm2.channels, 8u);
  EXPECT_EQ(hbm2.act_cycles, 2u);
  EXPECT_EQ(hbm2.clock, Frequency{1e9});

  const auto hbm3 = load("memory/hbm3-6400-16gb-8hi").hbm;
  const Timings set_hbm3{.RL = 20,
                         .WL = 10,
                         .nBL = 2,
                         .tRCDRD = 31,
                         .tRCDWR = 15,
                         .tRP = 26,
                         .tRAS = 45,
                         .tRC = 72,
                         .tWR = 33,
                         .tRTP = 9,
                         .tCCDS = 2,
                         .tCCDL = 4,
                         .tCCDR = 3,
                         .tRRDS = 4,
                         .tRRDL = 5,
                         .tWTRS = 7,
                         .tWTRL = 10,
                         .tRTW = 20,
                         .tFAW = 24,
                         .tPPD = 2,
                         .tRFC = 560,
                         .tREFI = 6240,
                         .tRFCpb = 320,
                         .tREFIpb = 195,
                         .tRREFD = 8,
                         .tRFM = 320,
                         .RAAIMT = 80,
                         .RAAMMT = 240,
                         .tXP = 13,
                         .tCKE = 13,
                         .tXS = 576};
  EXPECT_EQ(hbm3.timings, set_hbm3);
  EXPECT_EQ(hbm3.act_cycles, 2u);
  EXPECT_TRUE(hbm3.half_cycle_rows) << "1.5 cycles";
  EXPECT_EQ(hbm3.ranks, 2u);
  EXPECT_EQ(hbm3.rows, 16384u);
  EXPECT_EQ(hbm3.channels, 16u);
  EXPECT_EQ(hbm3.clock, Frequency{1.6e9});
}

}  // namespace
}  // namespace forerun::chip
