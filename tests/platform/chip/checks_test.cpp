// SPDX-License-Identifier: Apache-2.0
// Numbers that are fine by themselves and do not go together.
#include "platform/chip/checks.hpp"

#include <gmock/gmock.h>

#include "platform/chip/load.hpp"

namespace forerun::chip {
namespace {

std::string problems(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    parse(text, "a.yaml", overrides);
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
      "a.yaml:1:41: hbm.ranks x bank_groups x banks_per_group are 128 banks in a pseudo-channel; at most 64");
  EXPECT_EQ(
      problems("hbm: {ranks: 8, address_map: [burst, pseudo_channel, bank_group, column, channel, bank, "
               "rank, row]}\n"),
      "a.yaml:1:14: hbm.ranks x bank_groups x banks_per_group are 128 banks in a pseudo-channel; at most 64");
  EXPECT_EQ(problems("hbm: {bank_groups: 16, banks_per_group: 4}\n"), "none");
  EXPECT_EQ(problems("hbm: {bank_groups: 16, pseudo_channels: 8}\n"),
            "a.yaml:1:41: hbm.pseudo_channels x ranks x bank_groups x banks_per_group are 512 banks in a "
            "channel; at most "
            "256");
  EXPECT_EQ(problems("hbm: {bank_groups: 16, pseudo_channels: 4}\n"), "none");
}

TEST(Combinations, OfAddressMapAndShape) {
  const auto says = [](const std::string& list) { return problems("hbm:\n  address_map: [" + list + "]\n"); };
  EXPECT_EQ(says("burst, column:2, channel:1, column, bank, channel, pseudo_channel, bank_group, row"),
            "none");
  EXPECT_EQ(says("burst, row, column, bank, bank_group, channel, pseudo_channel, rank"), "none")
      << "a rank of no bits";
  EXPECT_EQ(says("burst, column, row"), "a.yaml:2:16: hbm.address_map places 0 of the 4 bits of channel");
  EXPECT_EQ(says("burst, column:2, channel, pseudo_channel, bank_group, bank, row"),
            "a.yaml:2:16: hbm.address_map places 2 of the 5 bits of column");
  EXPECT_EQ(says("burst, column:3, channel, column:3, pseudo_channel, bank_group, bank, row"),
            "a.yaml:2:16: hbm.address_map: column:3 is more than the 2 bits that column has left");
  EXPECT_EQ(says("burst, pseudo_channel:2, channel, column, bank_group, bank, row"),
            "a.yaml:2:16: hbm.address_map: pseudo_channel:2 is more than the 1 bit that pseudo_channel has");
  EXPECT_EQ(problems("hbm:\n  ranks: 2\n"), "a.yaml:2:10: hbm.address_map places 0 of the 1 bit of rank");
  EXPECT_EQ(problems("hbm: {burst_bytes: 256 B, row_bytes: 256 B}\n"), "none") << "a row of one burst";
}

TEST(Combinations, OfAddressHashAndMap) {
  const auto says = [](const std::string& hash) { return problems("hbm:\n  address_hash: " + hash + "\n"); };
  // Fall-back map: burst 0-4, pseudo_channel 5, bank_group 6-7, column 8-12, channel 13-16, bank 17-18, row
  // 19-33.
  EXPECT_EQ(says("{bank: [0x80000, 0x100000], pseudo_channel: [0x100]}"), "none");
  EXPECT_EQ(says("{bank: [0x40000], row: [0]}"), "none") << "bank[0] XOR bank[1], and bank[1]";
  EXPECT_EQ(says("{bank: [0x40000, 0x20000]}"),
            "a.yaml:2:17: hbm.address_hash: different addresses would share a place, because bank[0] XOR "
            "bank[1] is always 0");
  EXPECT_EQ(
      says("{bank: [0x20000]}"),
      "a.yaml:2:17: hbm.address_hash: different addresses would share a place, because bank[0] is always 0");
  EXPECT_EQ(says("{bank: [0x60000]}"),
            "a.yaml:2:17: hbm.address_hash: different addresses would share a place, because bank[0] XOR "
            "bank[1] is always 0");
  EXPECT_EQ(
      says("{row: [0x20], pseudo_channel: [0x80000]}"),
      "a.yaml:2:17: hbm.address_hash: different addresses would share a place, because pseudo_channel[0] XOR "
      "row[0] is always 0");
  EXPECT_EQ(
      says("{bank: [0x80010]}"),
      "a.yaml:2:17: hbm.address_hash: mask 0x80010 of bank has bits of the place in a burst; the lowest that "
      "may be used is 0x20");
  EXPECT_EQ(says("{bank: [0x400000000]}"),
            "a.yaml:2:17: hbm.address_hash: mask 0x400000000 of bank is beyond a stack, which has 34 bits of "
            "address");
  EXPECT_EQ(says("{bank: [0x200000000]}"), "none");
  EXPECT_EQ(says("{pseudo_channel: [0x80000, 0x100000]}"),
            "a.yaml:2:17: hbm.address_hash: 2 masks for pseudo_channel, which has 1 bit");
  EXPECT_EQ(
      problems("hbm:\n  address_hash: {bank: [0x200000000]}\n", {"hbm.rows=16384"}),
      "--set hbm.rows=16384: hbm.address_hash: mask 0x200000000 of bank is beyond a stack, which has 33 bits "
      "of address");
}

TEST(Combinations, OfTheController) {
  EXPECT_EQ(
      problems("hbm: {write_low: 80}\n"),
      "a.yaml:1:18: hbm.write_low is 80, not below hbm.write_high (80): writing would end where it begins");
  EXPECT_EQ(
      problems("hbm: {write_high: 10}\n"),
      "a.yaml:1:19: hbm.write_low is 20, not below hbm.write_high (10): writing would end where it begins");
  EXPECT_EQ(problems("hbm: {write_high: 0}\n"), "none") << "no watermarks";
  EXPECT_EQ(problems("hbm: {write_low: 80, queues: shared}\n"), "none");
  EXPECT_EQ(
      problems("hbm: {write_low: 80, queues: shared, scheduler: fr_fcfs_grouped}\n"),
      "a.yaml:1:18: hbm.write_low is 80, not below hbm.write_high (80): writing would end where it begins");
  EXPECT_EQ(problems("hbm: {page_policy: adaptive}\n"),
            "a.yaml:1:20: hbm.page_policy is adaptive, but hbm.page_idle 0: say after how many idle cycles a "
            "row closes");
  EXPECT_EQ(problems("hbm: {page_policy: adaptive, page_idle: 1}\n"), "none");
}

TEST(Combinations, OfTheRowModel) {
  EXPECT_EQ(problems("hbm: {model: row}\n"), "none");
  EXPECT_EQ(problems("hbm: {model: row, ecc: in_line}\n"),
            "a.yaml:1:24: hbm.ecc is in_line, but with hbm.model: row it must be none or sideband; "
            "hbm.model: burst "
            "has it");
  for (const auto* policy : {"page_policy: closed", "scheduler: fcfs", "scheduler: fr_fcfs_grouped",
                             "queues: per_bank", "refresh: per_bank", "refresh_management: true",
                             "starvation: 5", "power_down: 5", "self_refresh: 50"})
    EXPECT_NE(
        problems(std::string("hbm: {model: row, ") + policy + "}\n").find("with hbm.model: row it must be"),
        std::string::npos)
        << policy;
}

TEST(Combinations, OfRefreshes) {
  const auto per_bank = [](const std::string& timings) {
    return problems("hbm: {refresh: per_bank}\n", {"hbm.timings={" + timings + "}"});
  };
  EXPECT_EQ(per_bank("tRP: 26"), "none");
  EXPECT_EQ(per_bank("tREFIpb: 0, tRFCpb: 0"),
            "--set hbm.timings={tREFIpb: 0, tRFCpb: 0}: hbm.refresh is per_bank, but hbm.timings.tREFIpb and "
            "hbm.timings.tRFCpb are 0");
  EXPECT_EQ(per_bank("tRFCpb: 0"),
            "--set hbm.timings={tRFCpb: 0}: hbm.refresh is per_bank, but hbm.timings.tRFCpb is 0");
  EXPECT_EQ(per_bank("tRFCpb: 71"),
            "--set hbm.timings={tRFCpb: 71}: hbm.timings.tRFCpb is 71, less than tRC (72): a refresh opens "
            "and closes rows");
  EXPECT_EQ(per_bank("tREFIpb: 7"),
            "--set hbm.timings={tREFIpb: 7}: hbm.timings.tREFIpb is 7, less than tRREFD (8): refreshes would "
            "come faster "
            "than they may follow one another\n"
            "--set hbm.timings={tREFIpb: 7}: hbm.timings.tREFIpb is 7 and tREFI 6240, so that a bank is "
            "refreshed every "
            "224 cycles, less than tRFCpb + tRC + RL (412): refreshing would leave no time for data");
  EXPECT_EQ(per_bank("tREFI: 400, tREFIpb: 100"),
            "--set hbm.timings={tREFI: 400, tREFIpb: 100}: hbm.timings.tREFIpb is 100 and tREFI 400, so that "
            "a bank is "
            "refreshed every 400 cycles, less than tRFCpb + tRC + RL (412): refreshing would leave no time "
            "for data");
  EXPECT_EQ(per_bank("tREFI: 600, tREFIpb: 100"), "none") << "tRFC is of the other kind of refresh";
  EXPECT_EQ(
      per_bank("tREFIpb: 6241"),
      "--set hbm.timings={tREFIpb: 6241}: hbm.timings.tREFI is 6240, less than tREFIpb (6241): every bank is "
      "refreshed once in tREFI");
  EXPECT_EQ(problems("hbm: {timings: {tREFIpb: 0, tRFCpb: 0}}\n"), "none");
  EXPECT_EQ(problems("hbm: {refresh_management: true}\n"), "none");
  EXPECT_EQ(problems("hbm: {refresh_management: true, timings: {RAAIMT: 0, tRFM: 0}}\n"),
            "a.yaml:1:27: hbm.refresh_management is true, but hbm.timings.RAAIMT and hbm.timings.tRFM are 0");
  EXPECT_EQ(problems("hbm: {refresh_management: true, timings: {RAAMMT: 79}}\n"),
            "a.yaml:1:51: hbm.timings.RAAMMT is 79, less than RAAIMT (80): refresh management cannot be "
            "urgent before "
            "it is due");
  EXPECT_EQ(problems("hbm: {refresh_management: true, timings: {RAAMMT: 0}}\n"), "none");
}

TEST(Combinations, OfLowPower) {
  EXPECT_EQ(problems("hbm: {power_down: 100, self_refresh: 1000}\n"), "none");
  EXPECT_EQ(problems("hbm: {power_down: 100, timings: {tXP: 0, tCKE: 0}}\n"),
            "a.yaml:1:19: hbm.power_down is 100, but hbm.timings.tXP and hbm.timings.tCKE are 0");
  EXPECT_EQ(problems("hbm: {self_refresh: 100, timings: {tXS: 0}}\n"),
            "a.yaml:1:21: hbm.self_refresh is 100, but hbm.timings.tXS is 0");
  EXPECT_EQ(problems("hbm: {self_refresh: 100, timings: {tXS: 559}}\n"),
            "a.yaml:1:41: hbm.timings.tXS is 559, less than tRFC (560): self-refresh may be left while a "
            "refresh is "
            "under way");
  EXPECT_EQ(problems("hbm: {power_down: 100, self_refresh: 100}\n"),
            "a.yaml:1:19: hbm.power_down is 100, not below hbm.self_refresh (100): power-down would never be "
            "entered");
  EXPECT_EQ(problems("hbm: {timings: {tXP: 0, tCKE: 0, tXS: 0}}\n"), "none");
}

TEST(Combinations, OfInterleavingAndCapacity) {
  const std::string tiny =
      "hbm: {channels: 2, pseudo_channels: 1, bank_groups: 1, banks_per_group: 1, rows: 2, row_bytes: 256 B, "
      "ports: 2, ";
  const std::string burst = "clusters: {dma: {burst: 256 B}}\n";
  EXPECT_EQ(problems(tiny +
                     "interleave: 1 KiB, address_map: [burst, channel, column, pseudo_channel, "
                     "bank_group, bank, row]}\n" +
                     burst),
            "a.yaml:1:125: hbm.interleave is 1 KiB, but each of hbm.ports has only 512 B of a stack");
  EXPECT_EQ(problems(tiny +
                     "interleave: 512 B, address_map: [burst, channel, column, pseudo_channel, "
                     "bank_group, bank, row]}\n" +
                     burst),
            "none");
}

TEST(Combinations, OfBurstsAndInterleaving) {
  EXPECT_EQ(problems("hbm: {interleave: 1 KiB}\n"),
            "a.yaml:1:19: clusters.dma.burst is 4 KiB, but only 1 KiB at a time (hbm.interleave) go to one "
            "memory tile");
  EXPECT_EQ(problems("hbm: {interleave: 1 KiB, ports: 1}\n"), "none");
  EXPECT_EQ(problems("hbm: {interleave: 1 KiB, ports: 1, stacks: 2}\n"),
            "a.yaml:1:19: clusters.dma.burst is 4 KiB, but only 1 KiB at a time (hbm.interleave) go to one "
            "memory tile");
}

TEST(Combinations, OfMemoryAndAddressSpace) {
  EXPECT_EQ(problems("hbm: {rows: 16777216, row_bytes: 64 KiB, stacks: 2}\n"),
            "a.yaml:1:13: the memory of hbm.stacks x channels x pseudo_channels x ranks x bank_groups x "
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
  EXPECT_EQ(timings("tCCDR: 1"), "none") << "one rank";
  EXPECT_EQ(
      problems(
          "hbm: {timings: {tCCDR: 1}, ranks: 2, address_map: [burst, pseudo_channel, bank_group, column, "
          "channel, bank, rank, row]}\n"),
      "a.yaml:1:24: hbm.timings.tCCDR is 1, less than nBL (2): bursts of two ranks would overlap on the data "
      "bus");
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
  EXPECT_EQ(problems("hbm: {ports: 64, address_map: [burst, column], timings: {tRC: 9}}\n"),
            "a.yaml:1:14: hbm.ports is 64, but a stack has only 32 pseudo-channels (hbm.channels x "
            "hbm.pseudo_channels)\n"
            "a.yaml:1:31: hbm.address_map places 0 of the 4 bits of channel\n"
            "a.yaml:1:63: hbm.timings.tRC is 9, less than tRAS + tRP (71): a row opened again must have been "
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
