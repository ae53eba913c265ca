// SPDX-License-Identifier: Apache-2.0
// Numbers that are fine by themselves and do not go together.
#include "platform/chip/checks.hpp"

#include <gmock/gmock.h>

#include "platform/chip/load.hpp"

namespace forerun::chip {
namespace {

std::string problems(const std::string& text) {
  try {
    parse(text, "a.yaml");
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

TEST(Combinations, OfTheBootRomAndItsDeviceTree) {
  EXPECT_EQ(problems("boot_rom: {size: 1020 KiB}\n"),
            "a.yaml:1:18: boot_rom.size is 1020 KiB, but at most 1008 KiB fit, with the device tree of 16 "
            "clusters (clusters.count) behind it");
  EXPECT_EQ(problems("boot_rom: {size: 1008 KiB}\n"), "none");
  EXPECT_EQ(problems("boot_rom: {size: 1008 KiB}\nclusters: {count: 32}\n"),
            "a.yaml:1:18: boot_rom.size is 1008 KiB, but at most 1004 KiB fit, with the device tree of 32 "
            "clusters (clusters.count) behind it");
}

TEST(Combinations, OfTheScratchpad) {
  EXPECT_EQ(problems("clusters: {scratchpad: {size: 1 MiB, banks: 24}}\n"),
            "a.yaml:1:31: clusters.scratchpad.size is 1 MiB, no multiple of the 384 B that "
            "clusters.scratchpad.banks x bank_width hold side by "
            "side");
  EXPECT_EQ(problems("clusters: {scratchpad: {size: 1536 KiB, banks: 24}}\n"), "none");
}

TEST(Combinations, OfDmaChannels) {
  EXPECT_EQ(problems("clusters: {dma: {load_channels: 2}}\n"),
            "a.yaml:1:33: clusters.dma.store_channels is 1, but clusters.dma.load_channels 2: the models "
            "have as many of both");
  EXPECT_EQ(problems("clusters: {dma: {load_channels: 2, store_channels: 2, outstanding: 512}}\n"), "none");
  EXPECT_EQ(problems("clusters: {dma: {load_channels: 2, store_channels: 2, outstanding: 513}}\n"),
            "a.yaml:1:68: clusters.dma.outstanding x clusters.dma.load_channels are 1026 transactions under "
            "way; at most 1024");
}

TEST(Combinations, OfPortsAndChannels) {
  EXPECT_EQ(problems("hbm:\n  ports: 64\n"),
            "a.yaml:2:10: hbm.ports is 64, but a stack has only 32 pseudo-channels (hbm.channels x "
            "hbm.pseudo_channels)");
  EXPECT_EQ(problems("hbm: {ports: 32}\n"), "none");
  EXPECT_EQ(problems("hbm: {channels: 4}\n"),
            "a.yaml:1:17: hbm.ports is 16, but a stack has only 8 pseudo-channels (hbm.channels x "
            "hbm.pseudo_channels)");
}

TEST(Combinations, OfBanks) {
  EXPECT_EQ(
      problems("hbm: {bank_groups: 16, banks_per_group: 8}\n"),
      "a.yaml:1:41: hbm.bank_groups x hbm.banks_per_group are 128 banks in a pseudo-channel; at most 64");
  EXPECT_EQ(problems("hbm: {bank_groups: 16, banks_per_group: 4}\n"), "none");
}

TEST(Combinations, OfInterleavingAndRows) {
  EXPECT_EQ(problems("hbm: {interleave: 2 KiB, address_map: [burst, column, channel, pseudo_channel, "
                     "bank_group, bank, row]}\n"),
            "a.yaml:1:19: hbm.interleave is 2 KiB, more than a row (hbm.row_bytes 1 KiB) holds below the "
            "other fields of hbm.address_map");
  EXPECT_EQ(problems("hbm: {interleave: 1 KiB}\n"), "none");
  EXPECT_EQ(problems("hbm: {interleave: 2 KiB, address_map: [burst, channel, column, pseudo_channel, "
                     "bank_group, bank, row]}\n"),
            "none");
}

TEST(Combinations, OfInterleavingAndCapacity) {
  const std::string tiny =
      "hbm: {channels: 2, pseudo_channels: 1, bank_groups: 1, banks_per_group: 1, rows: 2, row_bytes: 256 B, "
      "ports: 2, ";
  EXPECT_EQ(problems(tiny + "interleave: 1 KiB, address_map: [burst, channel, column, pseudo_channel, "
                            "bank_group, bank, row]}\n"),
            "a.yaml:1:125: hbm.interleave is 1 KiB, but each of hbm.ports has only 512 B of a stack");
  EXPECT_EQ(problems(tiny + "interleave: 512 B, address_map: [burst, channel, column, pseudo_channel, "
                            "bank_group, bank, row]}\n"),
            "none");
}

TEST(Combinations, OfBurstsAndInterleaving) {
  EXPECT_EQ(problems("clusters: {dma: {burst: 1 KiB}}\n"),
            "a.yaml:1:25: clusters.dma.burst is 1 KiB, but only 256 B at a time (hbm.interleave) go to one "
            "memory tile");
  EXPECT_EQ(problems("clusters: {dma: {burst: 1 KiB}}\nhbm: {ports: 1}\n"), "none");
  EXPECT_EQ(problems("clusters: {dma: {burst: 1 KiB}}\nhbm: {ports: 1, stacks: 2}\n"),
            "a.yaml:1:25: clusters.dma.burst is 1 KiB, but only 256 B at a time (hbm.interleave) go to one "
            "memory tile");
}

TEST(Combinations, OfMemoryAndAddressSpace) {
  EXPECT_EQ(problems("hbm: {rows: 16777216, row_bytes: 64 KiB, stacks: 2}\n"),
            "a.yaml:1:13: the memory of hbm.stacks x channels x pseudo_channels x bank_groups x "
            "banks_per_group x rows x row_bytes is 1024 TiB; at "
            "most 256 TiB fit the address space");
  EXPECT_EQ(problems("hbm: {rows: 4194304, row_bytes: 64 KiB}\n"), "none");
}

TEST(Combinations, OfTimings) {
  const auto timings = [](const std::string& text) { return problems("hbm:\n  timings: {" + text + "}\n"); };
  EXPECT_EQ(timings("tRC: 70"),
            "a.yaml:2:18: hbm.timings.tRC is 70, less than tRAS + tRP (71): a row opened again must have "
            "been closed");
  EXPECT_EQ(timings("tRC: 71"), "none");
  EXPECT_EQ(timings("tRP: 28"),
            "a.yaml:2:18: hbm.timings.tRC is 72, less than tRAS + tRP (73): a row opened again must have "
            "been closed");
  EXPECT_EQ(
      timings("tRCDRD: 46"),
      "a.yaml:2:21: hbm.timings.tRAS is 45, less than tRCDRD (46): a row would close before it is read");
  EXPECT_EQ(
      timings("tRCDWR: 46"),
      "a.yaml:2:21: hbm.timings.tRAS is 45, less than tRCDWR (46): a row would close before it is written");
  EXPECT_EQ(timings("tCCDS: 1"),
            "a.yaml:2:20: hbm.timings.tCCDS is 1, less than nBL (2): bursts would overlap on the data bus");
  EXPECT_EQ(
      timings("tCCDL: 1"),
      "a.yaml:2:20: hbm.timings.tCCDL is 1, less than tCCDS (2): one bank group cannot be faster than two");
  EXPECT_EQ(
      timings("tRRDL: 3"),
      "a.yaml:2:20: hbm.timings.tRRDL is 3, less than tRRDS (4): one bank group cannot be faster than two");
  EXPECT_EQ(
      timings("tWTRL: 6"),
      "a.yaml:2:20: hbm.timings.tWTRL is 6, less than tWTRS (7): one bank group cannot be faster than two");
  EXPECT_EQ(timings("tFAW: 3"),
            "a.yaml:2:19: hbm.timings.tFAW is 3, less than tRRDS (4): four activations take longer than two");
  EXPECT_EQ(timings("tRTW: 11"),
            "a.yaml:2:19: hbm.timings.tRTW is 11, less than RL + nBL - WL (12): read and write data would "
            "overlap on the data bus");
  EXPECT_EQ(timings("tRTW: 0, WL: 100"), "none");
  EXPECT_EQ(timings("tREFI: 600"),
            "a.yaml:2:20: hbm.timings.tREFI is 600, less than tRFC + tRC + RL (652): refreshing would leave "
            "no time for data");
  EXPECT_EQ(timings("tRFC: 71"),
            "a.yaml:2:19: hbm.timings.tRFC is 71, less than tRC (72): a refresh opens and closes rows");
  EXPECT_EQ(problems("hbm: {refresh: none, timings: {tRFC: 71}}\n"), "none");
  EXPECT_EQ(problems("hbm: {refresh: none, timings: {tREFI: 600}}\n"), "none");
  EXPECT_EQ(timings("tRC: 40 ns"),
            "a.yaml:2:18: hbm.timings.tRC is 64, less than tRAS + tRP (71): a row opened again must have "
            "been closed");
}

TEST(Combinations, OfTopologyRoutingAndChannels) {
  EXPECT_EQ(problems("noc: {topology: ring, virtual_channels: 1}\n"),
            "a.yaml:1:41: noc.virtual_channels: 1; torus, ring and o1turn need 2 or more");
  EXPECT_EQ(problems("noc: {routing: o1turn, topology: torus}\n"),
            "a.yaml:1:16: noc.routing: o1turn is for meshes, but noc.topology is torus");
  EXPECT_EQ(problems("noc: {control_priority: 1}\n"),
            "a.yaml:1:25: noc.control_priority: 1; noc.priorities: 1 has classes 0 to 0");
  EXPECT_EQ(problems("noc: {control_priority: 1, priorities: 2, topology: fat_tree, virtual_channels: 1}\n"),
            "none");
}

TEST(Combinations, OfTilesAndMesh) {
  EXPECT_EQ(problems("noc: {columns: 4, rows: 4}\n"), "a.yaml:1:16: noc: 4 x 4 places for 34 tiles");
  EXPECT_EQ(problems("noc: {columns: 6, rows: 6}\n"), "none");
  EXPECT_EQ(problems("noc:\n  tiles: [X C M, H C M]\n"),
            "a.yaml:2:10: noc.tiles: 2 C (cluster) tiles, but the chip has 16");
  const std::string small = "clusters: {count: 2}\nhbm: {ports: 2}\nnoc:\n  tiles: ";
  EXPECT_EQ(problems(small + "[X C M, H C M]\n"), "none");
  EXPECT_EQ(problems(small + "[X C M, H C]\n"), "a.yaml:4:10: noc.tiles: row 2 has 2 tiles, the first has 3");
  EXPECT_EQ(problems(small + "[X C M, H C .]\n"),
            "a.yaml:4:10: noc.tiles: 1 M (memory) tiles, but the chip has 2");
  EXPECT_EQ(problems(small + "[. C M, H C M]\n"),
            "a.yaml:4:10: noc.tiles: 0 X (control) tiles, but the chip has 1");
  EXPECT_EQ(problems(small + "[X C M, . C M]\n"),
            "a.yaml:4:10: noc.tiles: 0 H (host) tiles, but the chip has 1");
  EXPECT_EQ(problems(small + "[X C M, H C M]\n  columns: 2\n"),
            "a.yaml:4:10: noc.tiles: 3 x 2 tiles, but noc.columns and noc.rows say 2 x 0");
}

TEST(Combinations, OfTheLargestMesh) {
  EXPECT_EQ(problems("clusters: {count: 1000}\nnoc: {columns: 8}\n"),
            "a.yaml:2:16: noc: 1000 clusters (clusters.count), 16 memory tiles (hbm.stacks x hbm.ports), "
            "control and host need 8 x 128 places; at "
            "most 64 x 64");
  EXPECT_EQ(problems("clusters: {count: 1000}\n"), "none");
  std::string tall = "noc:\n  tiles:\n";
  for (int i = 0; i < 65; ++i) tall += "  - C\n";
  EXPECT_EQ(problems(tall), "a.yaml:3:3: noc.tiles: 65 rows; at most 64");
}

TEST(Combinations, AreAllReported) {
  EXPECT_EQ(problems("hbm: {ports: 64, interleave: 2 KiB, timings: {tRC: 9}, address_map: [burst, column, "
                     "channel, pseudo_channel, bank_group, bank, row]}\n"),
            "a.yaml:1:14: hbm.ports is 64, but a stack has only 32 pseudo-channels (hbm.channels x "
            "hbm.pseudo_channels)\n"
            "a.yaml:1:30: hbm.interleave is 2 KiB, more than a row (hbm.row_bytes 1 KiB) holds below the "
            "other fields of hbm.address_map\n"
            "a.yaml:1:52: hbm.timings.tRC is 9, less than tRAS + tRP (71): a row opened again must have been "
            "closed");
}

TEST(Combinations, WaitUntilSingleValuesAreRight) {
  EXPECT_EQ(problems("hbm: {ports: 64, stacks: none}\n"),
            "a.yaml:1:26: hbm.stacks: found 'none', expected a whole number from 1 to 64");
}

TEST(Combinations, OfAChipMadeInCpp) {
  EXPECT_TRUE(find_conflicts(Chip{}).empty());
  Chip chip;
  chip.hbm.ports = 64;
  const auto conflicts = find_conflicts(chip);
  ASSERT_EQ(conflicts.size(), 1u);
  EXPECT_THAT(conflicts.front().keys,
              testing::ElementsAre("hbm.ports", "hbm.channels", "hbm.pseudo_channels"));
}

}  // namespace
}  // namespace forerun::chip
