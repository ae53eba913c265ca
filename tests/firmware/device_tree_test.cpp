// SPDX-License-Identifier: Apache-2.0
// The firmware's reader of device trees, against trees that libfdt makes.
#include <gtest/gtest.h>
#include <libfdt.h>

#include <cstring>
#include <random>
#include <string>
#include <vector>

extern "C" {
#include "firmware/runtime/device_tree.h"
}

namespace {

/// In 8-byte aligned memory of exactly its size, so that a sanitizer sees reads beyond it.
using Blob = std::vector<unsigned char>;

Blob make_tree(int depth = 0) {
  Blob blob(1 << 16);
  auto* const tree = blob.data();
  EXPECT_EQ(fdt_create(tree, static_cast<int>(blob.size())), 0);
  fdt_finish_reservemap(tree);
  fdt_begin_node(tree, "");
  fdt_property_u32(tree, "#address-cells", 2);
  fdt_property_u32(tree, "#size-cells", 1);
  fdt_property_string(tree, "model", "test");
  fdt_begin_node(tree, "cpus");
  fdt_property_u32(tree, "#address-cells", 1);
  fdt_property_u32(tree, "#size-cells", 0);
  fdt_begin_node(tree, "cpu@7");
  fdt_property_u32(tree, "reg", 7);
  fdt_property_u64(tree, "clock-frequency", 5'000'000'000u);
  fdt_end_node(tree);
  fdt_end_node(tree);
  fdt_begin_node(tree, "device@100000002");
  const fdt32_t reg[] = {cpu_to_fdt32(1), cpu_to_fdt32(2), cpu_to_fdt32(0x30),
                         cpu_to_fdt32(4), cpu_to_fdt32(5), cpu_to_fdt32(6)};
  fdt_property(tree, "reg", reg, sizeof reg);
  fdt_property(tree, "compatible", "first,one\0second", 17);
  fdt_property(tree, "flag", nullptr, 0);
  fdt_property(tree, "open", "abc", 3);  // a string without its end
  fdt_end_node(tree);
  for (int i = 0; i < depth; ++i) fdt_begin_node(tree, "deeper");
  for (int i = 0; i < depth; ++i) fdt_end_node(tree);
  fdt_end_node(tree);
  EXPECT_EQ(fdt_finish(tree), 0);
  blob.resize(fdt_totalsize(tree));
  return blob;
}

struct Walked {
  std::vector<std::string> names;
  bool damaged = false;
};

/// Visits everything that a program could ask of a tree.
Walked walk(const Blob& blob) {
  Walked walked;
  device_tree tree;
  if (!tree_open(&tree, blob.data(), blob.size())) return {{}, true};
  tree_walk walk{};
  walk.tree = &tree;
  tree_node node;
  while (tree_next(&walk, &node)) {
    walked.names.emplace_back(node.name);
    std::uint64_t address, bytes;
    for (std::uint32_t i = 0; tree_reg(&node, i, &address, &bytes); ++i) {
    }
    tree_compatible(&node, "second");
    tree_string(&node, "model");
    tree_number(&node, "clock-frequency", 0);
  }
  EXPECT_FALSE(tree_next(&walk, &node)) << "the end stays the end";
  walked.damaged = walk.damaged;
  return walked;
}

tree_node find(device_tree& tree, const Blob& blob, const char* name) {
  EXPECT_TRUE(tree_open(&tree, blob.data(), blob.size()));
  tree_walk walk{};
  walk.tree = &tree;
  tree_node node;
  while (tree_next(&walk, &node))
    if (std::string(node.name) == name) return node;
  ADD_FAILURE() << "no node " << name;
  return {};
}

void put(Blob& blob, std::size_t at, std::uint32_t value) {
  const auto big = cpu_to_fdt32(value);
  std::memcpy(blob.data() + at, &big, sizeof big);
}

TEST(DeviceTree, WalksAllNodesInOrder) {
  const auto walked = walk(make_tree());
  EXPECT_FALSE(walked.damaged);
  EXPECT_EQ(walked.names, (std::vector<std::string>{"", "cpus", "cpu@7", "device@100000002"}));
}

TEST(DeviceTree, ReadsProperties) {
  const auto blob = make_tree();
  device_tree tree;
  const auto device = find(tree, blob, "device@100000002");
  std::uint64_t address = 0, bytes = 0;
  EXPECT_EQ(device.depth, 1u);
  EXPECT_TRUE(tree_reg(&device, 0, &address, &bytes));
  EXPECT_EQ(address, 0x1'0000'0002u);
  EXPECT_EQ(bytes, 0x30u);
  EXPECT_TRUE(tree_reg(&device, 1, &address, &bytes));
  EXPECT_EQ(address, 0x4'0000'0005u);
  EXPECT_FALSE(tree_reg(&device, 2, &address, &bytes));
  EXPECT_TRUE(tree_compatible(&device, "first,one"));
  EXPECT_TRUE(tree_compatible(&device, "second"));
  EXPECT_FALSE(tree_compatible(&device, "first"));
  std::uint32_t size = 99, cell = 0;
  EXPECT_NE(tree_property(&device, "flag", &size), nullptr);
  EXPECT_EQ(size, 0u);
  EXPECT_EQ(tree_property(&device, "missing", &size), nullptr);
  EXPECT_EQ(tree_string(&device, "open"), nullptr);
  EXPECT_TRUE(tree_cell(&device, "reg", 2, &cell));
  EXPECT_EQ(cell, 0x30u);
  EXPECT_FALSE(tree_cell(&device, "reg", 6, &cell));
  EXPECT_EQ(tree_number(&device, "reg", 42), 42u) << "six cells are no number";
}

TEST(DeviceTree, TakesCellSizesFromTheParent) {
  const auto blob = make_tree();
  device_tree tree;
  const auto cpu = find(tree, blob, "cpu@7");
  std::uint64_t address = 0, bytes = 1;
  EXPECT_TRUE(tree_reg(&cpu, 0, &address, &bytes));
  EXPECT_EQ(address, 7u);
  EXPECT_EQ(bytes, 0u);
  EXPECT_EQ(tree_number(&cpu, "clock-frequency", 0), 5'000'000'000u);
  const auto root = find(tree, blob, "");
  EXPECT_STREQ(tree_string(&root, "model"), "test");
}

TEST(DeviceTree, SkipsNops) {
  auto blob = make_tree();
  ASSERT_EQ(fdt_nop_node(blob.data(), fdt_path_offset(blob.data(), "/cpus/cpu@7")), 0);
  ASSERT_EQ(fdt_nop_property(blob.data(), 0, "model"), 0);
  const auto walked = walk(blob);
  EXPECT_FALSE(walked.damaged);
  EXPECT_EQ(walked.names, (std::vector<std::string>{"", "cpus", "device@100000002"}));
}

TEST(DeviceTree, RefusesOtherFormats) {
  device_tree tree;
  for (const auto& [at, value] : {std::pair<std::size_t, std::uint32_t>{0, 0xd00dfeee},
                                  {20, 16},
                                  {24, 18},
                                  {24, 1},
                                  {8, 0x39},
                                  {8, 0xfffffff0},
                                  {12, 0xfffffff0},
                                  {36, 0xfffffff0},
                                  {32, 0xfffffff0},
                                  {4, 0xfffffff0}}) {
    auto blob = make_tree();
    put(blob, at, value);
    EXPECT_FALSE(tree_open(&tree, blob.data(), blob.size())) << at << " " << value;
  }
}

TEST(DeviceTree, EveryTruncationIsRefused) {
  const auto whole = make_tree();
  device_tree tree;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Blob cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_FALSE(tree_open(&tree, cut.data(), cut.size())) << size;
  }
}

TEST(DeviceTree, EveryTruncatedStructureIsDamaged) {
  const auto whole = make_tree();
  const auto bytes = fdt_size_dt_struct(whole.data());
  for (std::uint32_t size = 0; size < bytes; size += 4) {
    auto cut = whole;
    put(cut, 36, size);
    ASSERT_TRUE(walk(cut).damaged) << size;
  }
}

TEST(DeviceTree, TooDeepIsDamaged) {
  EXPECT_FALSE(walk(make_tree(TREE_DEPTH - 1)).damaged);
  EXPECT_TRUE(walk(make_tree(TREE_DEPTH)).damaged);
}

TEST(DeviceTree, UnbalancedIsDamaged) {
  auto blob = make_tree();
  const auto structure = fdt_off_dt_struct(blob.data());
  put(blob, structure, FDT_END_NODE);
  EXPECT_TRUE(walk(blob).damaged);
  blob = make_tree();
  put(blob, structure, FDT_END);
  EXPECT_FALSE(walk(blob).damaged) << "an empty tree";
  EXPECT_TRUE(walk(blob).names.empty());
}

TEST(DeviceTree, SurvivesAnyDamage) {
  const auto whole = make_tree();
  std::mt19937 random(1);
  unsigned changed = 0;
  for (unsigned i = 0; i < 20000; ++i) {
    auto blob = whole;
    for (unsigned n = 1 + random() % 4; n > 0; --n)
      blob[random() % blob.size()] = static_cast<unsigned char>(random());
    const auto walked = walk(blob);
    changed += walked.damaged || walked.names.size() != 4 ? 1 : 0;
    ASSERT_LT(walked.names.size(), blob.size()) << "ends";
  }
  EXPECT_GT(changed, 1000u);
}

}  // namespace
