// SPDX-License-Identifier: Apache-2.0
// Multicast and reduction windows in chip files: how they read, what is said about those that do not, and
// where they may lie.
#include "platform/chip/windows.hpp"

#include <gmock/gmock.h>

#include "platform/chip/checks.hpp"
#include "platform/chip/load.hpp"

namespace forerun::chip {
namespace {

using testing::ElementsAre;

std::string problems(const std::string& text) {
  try {
    parse(text, "a.yaml");
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

const std::string good =
    "noc:\n"
    "  multicast:\n"
    "    everyone: all\n"
    "    left: [9, 0-3, 7]\n"
    "  reduction:\n"
    "    total: {clusters: all, element: f32, target: cluster3}\n"
    "    part: {clusters: [1, 0], element: bf16, target: cluster0, offset: 64 KiB, size: 4 KiB}\n"
    "    far: {clusters: [5-6], element: i32, target: memory, offset: 1 GiB, size: 256 MiB}\n";

TEST(Windows, AreReadAndWritten) {
  const auto chip = parse(good, "a.yaml");
  EXPECT_THAT(chip.noc.multicast,
              ElementsAre(MulticastWindow{"everyone", {}}, MulticastWindow{"left", {0, 1, 2, 3, 7, 9}}));
  EXPECT_THAT(
      chip.noc.reduction,
      ElementsAre(ReductionWindow{.name = "total", .clusters = {}, .element = Element::f32, .target = 3},
                  ReductionWindow{.name = "part",
                                  .clusters = {0, 1},
                                  .element = Element::bf16,
                                  .target = 0,
                                  .offset = {64 << 10},
                                  .size = {4 << 10}},
                  ReductionWindow{.name = "far",
                                  .clusters = {5, 6},
                                  .element = Element::i32,
                                  .to_memory = true,
                                  .offset = {1 << 30},
                                  .size = {256 << 20}}));
  const auto text = to_yaml(chip);
  EXPECT_THAT(text, testing::HasSubstr("  multicast: {everyone: all, left: [0-3, 7, 9]}\n"));
  EXPECT_EQ(parse(text, "again.yaml"), chip);
}

TEST(Windows, AreReplacedAsAWhole) {
  const auto chip = parse(good, "a.yaml", {"noc.multicast={}", "noc.reduction={}"});
  EXPECT_TRUE(chip.noc.multicast.empty());
  EXPECT_TRUE(chip.noc.reduction.empty());
  EXPECT_EQ(chip, parse("name: reference\n", "a.yaml"));
}

TEST(Windows, HaveTheirClustersAndSize) {
  const auto chip = parse(good, "a.yaml", {"clusters.count=10"});
  EXPECT_THAT(window_clusters(chip, chip.noc.multicast[0].clusters),
              ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
  EXPECT_THAT(window_clusters(chip, chip.noc.reduction[1].clusters), ElementsAre(0, 1));
  EXPECT_EQ(window_size(chip, chip.noc.multicast[1]), Bytes{4 << 20});
  EXPECT_EQ(window_size(chip, chip.noc.reduction[0]), Bytes{4 << 20});
  EXPECT_EQ(window_size(chip, chip.noc.reduction[1]), Bytes{4 << 10});
  EXPECT_EQ(window_size(chip, chip.noc.reduction[2]), Bytes{256 << 20});
}

TEST(MistakesInWindows, OfMulticast) {
  const auto says = [](const std::string& map) { return problems("noc:\n  multicast: " + map + "\n"); };
  const std::string map =
      "expected a map of names to all or a list of clusters, such as {everyone: all, left: [0-3, 8]}";
  const std::string clusters = "expected all or a list of clusters, each once, such as [0-3, 8]";
  const std::string name = "expected a name of up to 31 letters, digits and . _ + -, unlike the others'";
  EXPECT_EQ(says("all"), "a.yaml:2:14: noc.multicast: found 'all', " + map);
  EXPECT_EQ(says("[all]"), "a.yaml:2:14: noc.multicast: found a list, " + map);
  EXPECT_EQ(says("{a: some}"), "a.yaml:2:18: noc.multicast.a: found 'some', " + clusters);
  EXPECT_EQ(says("{a: []}"), "a.yaml:2:18: noc.multicast.a: found an empty list, " + clusters);
  EXPECT_EQ(says("{a: }"), "a.yaml:2:15: noc.multicast.a: found nothing, " + clusters);
  for (const std::string bad : {"x", "-1", "1-", "3-2", "1.5", "1000", "99999999999"})
    EXPECT_EQ(says("{a: [" + bad + "]}"), "a.yaml:2:19: noc.multicast.a: found '" + bad + "', " + clusters);
  EXPECT_EQ(says("{a: [2, 0-3]}"), "a.yaml:2:22: noc.multicast.a: found '0-3', " + clusters);
  EXPECT_EQ(says("{a: [[0]]}"), "a.yaml:2:19: noc.multicast.a: found a list, " + clusters);
  EXPECT_EQ(says("{a b: all}"), "a.yaml:2:15: noc.multicast: found 'a b', " + name);
  EXPECT_EQ(says("{a: all, a: [0]}"), "a.yaml:2:23: noc.multicast: found 'a', " + name);
  const std::string longest(31, 'n');
  EXPECT_EQ(says("{" + longest + ": all}"), "none");
  EXPECT_EQ(says("{" + longest + "n: all}"), "a.yaml:2:15: noc.multicast: found '" + longest + "n', " + name);
}

TEST(MistakesInWindows, OfReduction) {
  const auto says = [](const std::string& window) {
    return problems("noc:\n  reduction:\n    a: " + window + "\n");
  };
  const std::string rest = "clusters: all, element: f32, target: cluster0";
  EXPECT_EQ(says("{" + rest + "}"), "none");
  EXPECT_THAT(says("all"), testing::StartsWith("a.yaml:3:8: noc.reduction.a: found 'all', expected a map of "
                                               "names to windows, such as {total: {"));
  EXPECT_EQ(says("{clusters: all, element: f32}"),
            "a.yaml:3:5: noc.reduction.a: found no target, expected clusters, element and target");
  EXPECT_EQ(
      says("{elemnt: f32, " + rest + "}"),
      "a.yaml:3:9: noc.reduction.a: found 'elemnt' (did you mean element?), expected clusters, element, "
      "target, offset or size");
  EXPECT_EQ(says("{" + rest + ", target: memory}"),
            "a.yaml:3:56: noc.reduction.a: found 'target' twice, expected each once");
  EXPECT_EQ(says("{clusters: all, element: f64, target: memory}"),
            "a.yaml:3:33: noc.reduction.a.element: found 'f64', expected f32, bf16, f16, i32");
  for (const std::string bad : {"hbm", "cluster", "clusterx", "cluster-1", "cluster1000", "7"})
    EXPECT_EQ(says("{clusters: all, element: f32, target: " + bad + "}"),
              "a.yaml:3:46: noc.reduction.a.target: found '" + bad +
                  "', expected memory or a cluster such as cluster0");
  EXPECT_EQ(says("{" + rest + ", size: 4096}"),
            "a.yaml:3:62: noc.reduction.a.size: found '4096', without a unit, expected an amount of memory, "
            "such as 64 KiB");
  EXPECT_EQ(
      says("{" + rest + ", offset: [4 KiB]}"),
      "a.yaml:3:64: noc.reduction.a.offset: found a list, expected an amount of memory, such as 64 KiB");
}

TEST(WindowsAndTheChip, GoTogether) {
  const auto says = [](const std::string& text) { return problems("clusters: {count: 4}\nnoc:\n" + text); };
  EXPECT_EQ(says("  multicast: {a: [2-4]}\n"),
            "a.yaml:3:14: noc.multicast.a: there is no cluster 4; clusters.count is 4");
  EXPECT_EQ(
      says("  multicast: {a: all}\n  reduction: {a: {clusters: all, element: f16, target: cluster0}}\n"),
      "a.yaml:4:14: noc.reduction: two windows are called a; firmware finds them by name");
  const auto reduction = [&](const std::string& rest) {
    return says("  reduction: {a: {clusters: all, element: f32, " + rest + "}}\n");
  };
  const std::string at = "a.yaml:3:14: noc.reduction.a: ";
  EXPECT_EQ(reduction("target: cluster4"), at + "there is no cluster 4; clusters.count is 4");
  EXPECT_EQ(reduction("target: cluster0, offset: 1 KiB"), at + "offset is 1 KiB, no multiple of 4 KiB");
  EXPECT_EQ(reduction("target: cluster0, size: 6 KiB"), at + "size is 6 KiB, no multiple of 4 KiB");
  EXPECT_EQ(reduction("target: cluster0, offset: 4 MiB"),
            at + "offset 4 MiB + size 0 B is beyond the 4 MiB of clusters.scratchpad.size");
  EXPECT_EQ(reduction("target: cluster0, offset: 3 MiB, size: 2 MiB"),
            at + "offset 3 MiB + size 2 MiB is beyond the 4 MiB of clusters.scratchpad.size");
  EXPECT_EQ(reduction("target: cluster0, offset: 3 MiB, size: 1 MiB"), "none");
  EXPECT_EQ(reduction("target: memory"),
            at + "no size; expected how much of the memory it covers, up to 256 MiB");
  EXPECT_EQ(reduction("target: memory, size: 512 MiB"), at + "size is 512 MiB; at most 256 MiB");
  EXPECT_EQ(reduction("target: memory, offset: 16 GiB, size: 4 KiB"),
            at + "offset 16 GiB + size 4 KiB is beyond the 16 GiB of the memory");
  EXPECT_EQ(reduction("target: memory, offset: 16777212 KiB, size: 4 KiB"), "none");
  std::string many = "  multicast: {";
  for (int i = 0; i < 65; ++i) many += "w" + std::to_string(i) + ": all, ";
  EXPECT_EQ(says(many + "}\n"), "a.yaml:3:14: noc.multicast: 65 windows; at most 64");
}

TEST(WindowsAndTheChip, MakeTheDeviceTreeLarger) {
  std::string text = "boot_rom: {size: 760 KiB}\nclusters: {count: 1000}\n";
  EXPECT_EQ(problems(text), "none");
  text += "noc: {multicast: {a: all}}\n";
  EXPECT_EQ(problems(text),
            "a.yaml:1:18: boot_rom.size is 760 KiB, but at most 756 KiB fit, with the device tree of 1000 "
            "clusters (clusters.count) and the windows of noc.multicast and noc.reduction behind it");
}

TEST(WindowsAndTheChip, AreCheckedInAChipMadeInCpp) {
  const auto says = [](const ReductionWindow& window) {
    Chip chip;
    chip.noc.reduction = {window};
    const auto conflicts = find_conflicts(chip);
    return conflicts.empty() ? "none" : conflicts.front().message;
  };
  EXPECT_EQ(says({.name = "a", .clusters = {}}), "none");
  EXPECT_EQ(says({.name = "", .clusters = {}}), "noc.reduction: no window can be called ''");
  EXPECT_EQ(says({.name = "a", .clusters = {2, 1}}),
            "noc.reduction.a: its clusters are not in ascending order");
  EXPECT_EQ(says({.name = "a", .clusters = {1, 1}}),
            "noc.reduction.a: its clusters are not in ascending order");
  EXPECT_EQ(says({.name = "a", .clusters = {1, 16}}),
            "noc.reduction.a: there is no cluster 16; clusters.count is 16");
}

}  // namespace
}  // namespace forerun::chip
