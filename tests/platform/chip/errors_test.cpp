// SPDX-License-Identifier: Apache-2.0
// What is said about every kind of mistake in a single value, word for word.
#include <gmock/gmock.h>

#include "platform/chip/load.hpp"

namespace forerun::chip {
namespace {

struct Mistake {
  const char* text;
  const char* message;
};

std::string problems(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    parse(text, "a.yaml", overrides);
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

void expect(std::initializer_list<Mistake> mistakes) {
  for (const auto& [text, message] : mistakes) EXPECT_EQ(problems(text), message) << text;
}

TEST(Mistakes, OfKeys) {
  expect({
      {"clusters:\n  cuont: 8\n", "a.yaml:2:3: clusters.cuont: unknown key; did you mean clusters.count?"},
      {"hbm:\n  timing:\n    tRP: 3\n", "a.yaml:2:3: hbm.timing: unknown key; did you mean hbm.timings?"},
      {"hbm: {timings: {trcdrd: 3}}\n",
       "a.yaml:1:17: hbm.timings.trcdrd: unknown key; did you mean hbm.timings.tRCDRD?"},
      {"hbm: {timings: {tRCDR: 3}}\n",
       "a.yaml:1:17: hbm.timings.tRCDR: unknown key; did you mean hbm.timings.tRCDRD?"},
      {"scratchpad: {size: 4 MiB}\n",
       "a.yaml:1:1: scratchpad: unknown key; did you mean clusters.scratchpad?"},
      {"colour: red\n", "a.yaml:1:1: colour: unknown key"},
      {"name: a\nclusters: {count: 1}\nname: b\n", "a.yaml:3:1: name: given twice, first in line 1"},
      {"hbm: {stacks: 1}\nnoc: {buffer: 4}\nhbm: {ports: 2}\n",
       "a.yaml:3:1: hbm: given twice, first in line 1"},
      {"hbm:\n  stacks: 1\n  stacks: 1\n", "a.yaml:3:3: hbm.stacks: given twice, first in line 2"},
      {"extends: reference\nextends: edge\n", "a.yaml:2:1: extends: given twice, first in line 1"},
      {"clusters.count: 4\n",
       "a.yaml:1:1: clusters.count: dotted keys are for --set; in a file each part has its own line"},
      {"? [a, b]\n: 4\n", "a.yaml:1:3: found a list, expected the name of a key"},
      {"hbm: 4\n", "a.yaml:1:6: hbm: found '4', expected a map of keys"},
      {"hbm:\nname: x\n", "a.yaml:1:1: hbm: found nothing, expected a map of keys"},
      {"hbm: [stacks, 4]\n", "a.yaml:1:6: hbm: found a list, expected a map of keys"},
      {"hbm: {extends: edge}\n", "a.yaml:1:7: hbm.extends: unknown key"},
      {"a\tb\x01: 4\n", "a.yaml:1:1: a?b?: unknown key"},
  });
  EXPECT_EQ(problems(std::string(100, 'k') + ": 1\n"),
            "a.yaml:1:1: " + std::string(60, 'k') + "...: unknown key");
}

TEST(Mistakes, OfWholeNumbers) {
  expect({
      {"clusters: {count: many}\n",
       "a.yaml:1:19: clusters.count: found 'many', expected a whole number from 1 to 1000"},
      {"clusters: {count: 0}\n",
       "a.yaml:1:19: clusters.count: found '0', expected a whole number from 1 to 1000"},
      {"clusters: {count: 1001}\n",
       "a.yaml:1:19: clusters.count: found '1001', expected a whole number from 1 to 1000"},
      {"clusters: {count: -1}\n",
       "a.yaml:1:19: clusters.count: found '-1', expected a whole number from 1 to 1000"},
      {"clusters: {count: 1.5}\n",
       "a.yaml:1:19: clusters.count: found '1.5', expected a whole number from 1 to 1000"},
      {"clusters: {count: 0x10}\n",
       "a.yaml:1:19: clusters.count: found '0x10', expected a whole number from 1 to 1000"},
      {"clusters: {count: \"8\"}\n",
       "a.yaml:1:19: clusters.count: found '8', expected a whole number from 1 to 1000"},
      {"clusters: {count: 99999999999999999999}\n",
       "a.yaml:1:19: clusters.count: found '99999999999999999999', expected a whole number from 1 to 1000"},
      {"clusters: {count: 4 MiB}\n",
       "a.yaml:1:19: clusters.count: found '4 MiB', expected a whole number from 1 to 1000"},
      {"clusters: {count: [4]}\n",
       "a.yaml:1:19: clusters.count: found a list, expected a whole number from 1 to 1000"},
      {"clusters: {count: {a: 4}}\n",
       "a.yaml:1:19: clusters.count: found a map of keys, expected a whole number from 1 to 1000"},
      {"clusters:\n  count:\n",
       "a.yaml:2:3: clusters.count: found nothing, expected a whole number from 1 to 1000"},
      {"clusters: {count: ~}\n",
       "a.yaml:1:12: clusters.count: found nothing, expected a whole number from 1 to 1000"},
      {"hbm: {rows: 30000}\n",
       "a.yaml:1:13: hbm.rows: found '30000', expected a power of two from 2 to 16777216"},
      {"hbm: {channels: 128}\n",
       "a.yaml:1:17: hbm.channels: found '128', expected a power of two from 1 to 64"},
      {"clusters: {dma: {load_channels: 0}}\n",
       "a.yaml:1:33: clusters.dma.load_channels: found '0', expected a whole number from 1 to 64"},
      {"peripherals: {uart_register_shift: 4}\n",
       "a.yaml:1:36: peripherals.uart_register_shift: found '4', expected a whole number from 0 to 3"},
  });
}

TEST(Mistakes, OfQuantities) {
  expect({
      {"hbm: {clock: 2}\n",
       "a.yaml:1:14: hbm.clock: found '2', without a unit, expected a frequency from 1 MHz to 20 GHz, such "
       "as 1.25 GHz"},
      {"hbm: {clock: 2 GB}\n",
       "a.yaml:1:14: hbm.clock: found '2 GB', with the unknown unit 'GB', expected a frequency from 1 MHz to "
       "20 GHz, such as 1.25 GHz"},
      {"hbm: {clock: 30 GHz}\n",
       "a.yaml:1:14: hbm.clock: found '30 GHz', expected a frequency from 1 MHz to 20 GHz, such as 1.25 GHz"},
      {"hbm: {clock: 0 GHz}\n",
       "a.yaml:1:14: hbm.clock: found '0 GHz', expected a frequency from 1 MHz to 20 GHz, such as 1.25 GHz"},
      {"hbm: {clock: fast}\n",
       "a.yaml:1:14: hbm.clock: found 'fast', expected a frequency from 1 MHz to 20 GHz, such as 1.25 GHz"},
      {"hbm: {clock: }\n",
       "a.yaml:1:7: hbm.clock: found nothing, expected a frequency from 1 MHz to 20 GHz, such as 1.25 GHz"},
      {"sram: {size: 0.3 B}\n",
       "a.yaml:1:14: sram.size: found '0.3 B', a fraction of a byte, expected an amount of memory that is a "
       "multiple of 4 KiB from 64 KiB "
       "to 32 GiB, such as 64 KiB"},
      {"sram: {size: 100 kB}\n",
       "a.yaml:1:14: sram.size: found '100 kB', expected an amount of memory that is a multiple of 4 KiB "
       "from 64 KiB to 32 GiB, such as "
       "64 KiB"},
      {"boot_rom: {size: 1 MiB}\n",
       "a.yaml:1:18: boot_rom.size: found '1 MiB', expected an amount of memory that is a multiple of 4 KiB "
       "from 4 KiB to 1020 KiB, such as "
       "64 KiB"},
      {"clusters: {scratchpad: {size: 512 MiB}}\n",
       "a.yaml:1:31: clusters.scratchpad.size: found '512 MiB', expected an amount of memory that is a "
       "multiple of 4 KiB from 4 KiB to "
       "256 MiB, such as 64 KiB"},
      {"clusters: {dma: {burst: 96 B}}\n",
       "a.yaml:1:25: clusters.dma.burst: found '96 B', expected an amount of memory that is a power of two "
       "from 32 B to 4 KiB, such as 64 KiB"},
      {"quantum: 0.5 ps\n",
       "a.yaml:1:10: quantum: found '0.5 ps', a fraction of a picosecond, expected a time from 1 ns to 10 "
       "ms, such as 14 ns"},
      {"quantum: 3 cycles\n",
       "a.yaml:1:10: quantum: found '3 cycles', with the unknown unit 'cycles', expected a time from 1 "
       "ns to 10 ms, such as 14 ns"},
      {"hbm: {energies: {read: 3}}\n",
       "a.yaml:1:24: hbm.energies.read: found '3', without a unit, expected an energy from 0 pJ to 1 mJ, "
       "such as 909 "
       "pJ"},
      {"hbm: {energies: {read: 1 J}}\n",
       "a.yaml:1:24: hbm.energies.read: found '1 J', expected an energy from 0 pJ to 1 mJ, such as 909 pJ"},
      {"hbm: {energies: {standby: 3 pJ}}\n",
       "a.yaml:1:27: hbm.energies.standby: found '3 pJ', with the unknown unit 'pJ', expected a power from 0 "
       "uW to "
       "1000 W, such as 40 mW"},
      {"quantum: 1 s\n",
       "a.yaml:1:10: quantum: found '1 s', expected a time from 1 ns to 10 ms, such as 14 ns"},
  });
}

TEST(Mistakes, OfMemoryTimings) {
  expect({
      {"hbm: {timings: {tRP: soon}}\n",
       "a.yaml:1:22: hbm.timings.tRP: found 'soon', expected a whole number from 1 to 100000, or a time such "
       "as 14 ns"},
      {"hbm: {timings: {tRP: 14 GHz}}\n",
       "a.yaml:1:22: hbm.timings.tRP: found '14 GHz', with the unknown unit 'GHz', expected a whole number "
       "from 1 to 100000, or a time such "
       "as 14 ns"},
      {"hbm: {timings: {tRP: 1.5}}\n",
       "a.yaml:1:22: hbm.timings.tRP: found '1.5', without a unit, expected a whole number from 1 to 100000, "
       "or a time such as 14 ns"},
      {"hbm: {timings: {tRP: 0}}\n",
       "a.yaml:1:22: hbm.timings.tRP: found '0', expected a whole number from 1 to 100000, or a time such as "
       "14 ns"},
      {"hbm: {timings: {tRP: 0 ns}}\n",
       "a.yaml:1:22: hbm.timings.tRP: found 0 ns, which is 0 cycles of hbm.clock (1.6 GHz), expected a whole "
       "number from 1 to 100000, or a "
       "time such as 14 ns"},
      {"hbm: {timings: {tRP: 1 ms}}\n",
       "a.yaml:1:22: hbm.timings.tRP: found 1 ms, which is 1600000 cycles of hbm.clock (1.6 GHz), expected a "
       "whole number from 1 to 100000, "
       "or a time such as 14 ns"},
      {"hbm: {timings: {RAAIMT: 14 ns}}\n",
       "a.yaml:1:25: hbm.timings.RAAIMT: found '14 ns', expected a whole number from 0 to 100000"},
      {"hbm: {refresh_postpone: 9}\n",
       "a.yaml:1:25: hbm.refresh_postpone: found '9', expected a whole number from 0 to 8"},
      {"hbm: {power_down: soon}\n",
       "a.yaml:1:19: hbm.power_down: found 'soon', expected a whole number from 0 to 1000000000, or a time "
       "such as 14 "
       "ns"},
      {"hbm: {act_cycles: 3 ns}\n",
       "a.yaml:1:19: hbm.act_cycles: found '3 ns', expected a whole number from 1 to 8"},
  });
}

TEST(Mistakes, OfChoices) {
  expect({
      {"timing: fast\n", "a.yaml:1:9: timing: found 'fast', expected loose or approximate"},
      {"data: [none]\n", "a.yaml:1:7: data: found a list, expected real or none"},
      {"hbm: {scheduler: FR_FCFS}\n",
       "a.yaml:1:18: hbm.scheduler: found 'FR_FCFS', expected fr_fcfs, fcfs or fr_fcfs_grouped"},
      {"hbm: {page_policy: }\n",
       "a.yaml:1:7: hbm.page_policy: found nothing, expected open, closed or adaptive"},
      {"hbm: {queues: [shared]}\n",
       "a.yaml:1:15: hbm.queues: found a list, expected shared, per_bank or read_write"},
      {"hbm: {ecc: on}\n", "a.yaml:1:12: hbm.ecc: found 'on', expected none, sideband or in_line"},
      {"hbm: {refresh: yes}\n", "a.yaml:1:16: hbm.refresh: found 'yes', expected all_bank, per_bank or none"},
      {"clusters: {tensor: {double_buffered: yes}}\n",
       "a.yaml:1:38: clusters.tensor.double_buffered: found 'yes', expected true or false"},
      {"name: \"a\\nb\"\n", "a.yaml:1:7: name: found 'a?b', expected up to 64 letters, digits and . _ + -"},
      {"name: -a\n", "a.yaml:1:7: name: found '-a', expected up to 64 letters, digits and . _ + -"},
  });
}

TEST(Mistakes, OfLists) {
  const std::string rows =
      "expected a list of rows of the letters C, M, X, H and . (such as \"X C M\"), up to 64 by 64";
  const std::string formats =
      "expected a list of f32, f16, bf16, i8, f8e4m3, f8e5m2, i4, mxfp8, mxfp6, mxfp4 or mxint8, each once";
  const std::string at = "clusters.tensor.formats: found ";
  EXPECT_EQ(problems("clusters: {tensor: {formats: [f16, f8]}}\n"),
            "a.yaml:1:36: " + at + "'f8', " + formats);
  EXPECT_EQ(problems("clusters: {tensor: {formats: [f16, f16]}}\n"),
            "a.yaml:1:36: " + at + "'f16' twice, " + formats);
  EXPECT_EQ(problems("clusters: {tensor: {formats: []}}\n"),
            "a.yaml:1:30: " + at + "an empty list, " + formats);
  EXPECT_EQ(problems("clusters: {tensor: {formats: f16}}\n"), "a.yaml:1:30: " + at + "'f16', " + formats);
  EXPECT_EQ(problems("noc:\n  tiles:\n    - X C M\n    - H Q M\n"),
            "a.yaml:4:7: noc.tiles: found 'H Q M', " + rows);
  EXPECT_EQ(problems("noc: {tiles: [[C]]}\n"), "a.yaml:1:15: noc.tiles: found a list, " + rows);
  EXPECT_EQ(problems("noc: {tiles: [\" \"]}\n"), "a.yaml:1:15: noc.tiles: found ' ', " + rows);
  EXPECT_EQ(problems("noc: {tiles: X C M}\n"), "a.yaml:1:14: noc.tiles: found 'X C M', " + rows);
}

TEST(Mistakes, OfAddressMaps) {
  const std::string map =
      "expected a list of burst, column, channel, pseudo_channel, rank, bank_group, bank, row, burst first, "
      "each "
      "whole or in pieces such as column:2";
  const auto says = [](const std::string& list) { return problems("hbm:\n  address_map: " + list + "\n"); };
  EXPECT_EQ(says("[burst, column, row, row]"),
            "a.yaml:2:37: hbm.address_map: found 'row' after all of row, " + map);
  EXPECT_EQ(says("[burst, column, row, column:2]"),
            "a.yaml:2:37: hbm.address_map: found 'column:2' after all of column, " + map);
  EXPECT_EQ(says("[burst, burst]"), "a.yaml:2:24: hbm.address_map: found 'burst' after all of burst, " + map);
  EXPECT_EQ(says("[burst, ranks]"), "a.yaml:2:24: hbm.address_map: found 'ranks', " + map);
  for (const std::string bad :
       {"column:", "column:0", "column:x", "column:-1", "column:64", "column:2:2", ":2"})
    EXPECT_EQ(says("[burst, '" + bad + "']"), "a.yaml:2:24: hbm.address_map: found '" + bad + "', " + map);
  EXPECT_EQ(says("[burst:5]"), "a.yaml:2:17: hbm.address_map: found 'burst:5', " + map);
  EXPECT_EQ(says("[column, burst, row]"),
            "a.yaml:2:17: hbm.address_map: found a list that begins with column, " + map);
  EXPECT_EQ(says("[column:2, burst, row]"),
            "a.yaml:2:17: hbm.address_map: found a list that begins with column:2, " + map);
  EXPECT_EQ(says("[]"), "a.yaml:2:16: hbm.address_map: found an empty list, " + map);
  EXPECT_EQ(says("burst"), "a.yaml:2:16: hbm.address_map: found 'burst', " + map);
}

TEST(Mistakes, OfAddressHashes) {
  const std::string hash =
      "expected a map of fields to masks, one for each bit from the lowest, such as {bank: [0x12000, "
      "0x24000]}";
  const auto says = [](const std::string& map) { return problems("hbm:\n  address_hash: " + map + "\n"); };
  EXPECT_EQ(says("[bank]"), "a.yaml:2:17: hbm.address_hash: found a list, " + hash);
  EXPECT_EQ(says("{banks: [0x20]}"), "a.yaml:2:18: hbm.address_hash: found 'banks', " + hash);
  EXPECT_EQ(says("{burst: [0x20]}"), "a.yaml:2:18: hbm.address_hash: found 'burst', " + hash);
  EXPECT_EQ(says("{bank: 0x20}"), "a.yaml:2:24: hbm.address_hash: found '0x20', " + hash);
  EXPECT_EQ(says("{bank: }"), "a.yaml:2:18: hbm.address_hash: found nothing, " + hash);
  EXPECT_EQ(says("{bank: []}"), "a.yaml:2:24: hbm.address_hash: found an empty list, " + hash);
  EXPECT_EQ(says("{bank: [0x20000], row: [0x20], bank: [0x40]}"),
            "a.yaml:2:48: hbm.address_hash: found 'bank' twice, " + hash);
  for (const std::string bad : {"0x", "0xg", "-1", "1.5", "0x1ffffffffffffffff", "x20", "4 KiB"})
    EXPECT_EQ(says("{bank: [0x20000, " + bad + "]}"),
              "a.yaml:2:34: hbm.address_hash: found '" + bad + "', " + hash);
}

TEST(Mistakes, OfYaml) {
  expect({
      {"hbm: {stacks: 1\n", "a.yaml:2:1: not YAML: end of map flow not found"},
      {"hbm:\n\tstacks: 1\n", "a.yaml:2:8: not YAML: illegal map value"},
      {"name: a: b\n", "a.yaml:1:8: not YAML: illegal map value"},
      {"- name\n", "a.yaml:1:1: found a list, expected a map of keys"},
      {"chip\n", "a.yaml:1:1: found 'chip', expected a map of keys"},
      {"~\n", "a.yaml:1:1: the file is empty; expected a chip"},
      {"name: a\n---\nname: b\n", "a.yaml:2:1: a second document; a chip file has one"},
      {"name: &n a\n", "a.yaml:1:7: an anchor (&); write the value out, or use extends"},
      {"hbm: &h {stacks: 1}\nnoc: *h\n", "a.yaml:1:6: an anchor (&); write the value out, or use extends"},
      {"hbm: *h\n", "a.yaml:1:6: not YAML: the referenced anchor is not defined"},
      {"name: !!str a\n", "a.yaml:1:7: a tag (!); a chip file has none"},
  });
}

TEST(Mistakes, OfSize) {
  EXPECT_EQ(problems("hbm: " + std::string(50, '[') + std::string(50, ']')), "a.yaml:1:21: nested too deep");
  EXPECT_THAT(problems("hbm: " + std::string(10'000, '[')), testing::EndsWith(": nested too deep"));
  std::string maps;
  for (int i = 0; i < 200; ++i) maps += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_EQ(problems(maps), "a.yaml:17:17: nested too deep");
  std::string many = "name: [";
  for (int i = 0; i < 30'000; ++i) many += "a, ";
  EXPECT_EQ(problems(many + "a]\n"), "a.yaml:1:59999: more values than any chip has");
}

TEST(Mistakes, AreAllReportedInOrder) {
  EXPECT_EQ(problems("clusters:\n  count: 0\n  clock: 3\nhbm:\n  stakcs: 1\n  refresh: often\n",
                     {"noc.rows=x", "foo"}),
            "a.yaml:2:10: clusters.count: found '0', expected a whole number from 1 to 1000\n"
            "a.yaml:3:10: clusters.clock: found '3', without a unit, expected a frequency from 1 MHz to 20 "
            "GHz, such as 1.25 GHz\n"
            "a.yaml:5:3: hbm.stakcs: unknown key; did you mean hbm.stacks?\n"
            "a.yaml:6:12: hbm.refresh: found 'often', expected all_bank, per_bank or none\n"
            "--set noc.rows=x: noc.rows: found 'x', expected a whole number from 0 to 64\n"
            "--set foo: expected KEY=VALUE");
}

TEST(Mistakes, AreNotPrintedWithoutEnd) {
  std::string text;
  for (int i = 0; i < 80; ++i) text += "key" + std::to_string(i) + "x: 1\n";
  try {
    parse(text, "a.yaml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.problems().size(), 80u);
    EXPECT_THAT(error.what(), testing::EndsWith("\nand 30 more"));
  }
}

TEST(Mistakes, OfOverrides) {
  const auto says = [](const std::string& setting) { return problems("name: a\n", {setting}); };
  EXPECT_EQ(says("clusters.count=0"),
            "--set clusters.count=0: clusters.count: found '0', expected a whole number from 1 to 1000");
  EXPECT_EQ(says("clusters.cuont=8"),
            "--set clusters.cuont=8: clusters.cuont: unknown key; did you mean clusters.count?");
  EXPECT_EQ(says("clusters=8"), "--set clusters=8: clusters: found '8', expected a map of keys");
  EXPECT_EQ(says("clusters={count: 8, count: 9}"),
            "--set clusters={count: 8, count: 9}: clusters.count: given twice, first in line 1");
  EXPECT_EQ(says("clusters.count="),
            "--set clusters.count=: clusters.count: found nothing, expected a whole number from 1 to 1000");
  EXPECT_EQ(says("clusters.count"), "--set clusters.count: expected KEY=VALUE");
  EXPECT_EQ(says("=4"), "--set =4: expected KEY=VALUE");
  EXPECT_EQ(says(""), "--set : expected KEY=VALUE");
  EXPECT_EQ(says("noc.tiles=[X C"), "--set noc.tiles=[X C: not YAML: end of sequence flow not found");
  EXPECT_EQ(says("extends=edge"), "--set extends=edge: extends: belongs into a file");
  EXPECT_EQ(says("name=&n a"), "--set name=&n a: an anchor (&); write the value out, or use extends");
}

}  // namespace
}  // namespace forerun::chip
