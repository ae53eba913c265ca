// SPDX-License-Identifier: Apache-2.0
// The device tree, read back by libfdt as a driver would, and by the device tree compiler as its checks
// would.
#include "platform/soc/device_tree.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <libfdt.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <unistd.h>

#include "firmware/abi/command.h"
#include "firmware/abi/registers.h"
#include "platform/chip/address_map.hpp"

namespace forerun::soc {
namespace {
namespace map = chip::address_map;

/// Property access that fails the test where something is missing.
class Tree {
 public:
  explicit Tree(const chip::Chip& chip) : bytes_(make_device_tree(chip)) {
    EXPECT_EQ(fdt_check_full(bytes_.data(), bytes_.size()), 0);
    EXPECT_EQ(fdt_totalsize(bytes_.data()), bytes_.size());
  }
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }
  const void* fdt() const { return bytes_.data(); }
  int node(const std::string& path) const {
    const int offset = fdt_path_offset(fdt(), path.c_str());
    EXPECT_GE(offset, 0) << path << ": " << fdt_strerror(offset);
    return offset;
  }
  std::string text(const std::string& path, const char* name) const {
    int length = 0;
    const auto* value = static_cast<const char*>(fdt_getprop(fdt(), node(path), name, &length));
    EXPECT_NE(value, nullptr) << path << " " << name;
    return value == nullptr ? "" : std::string(value, static_cast<std::size_t>(length));
  }
  std::vector<std::uint32_t> cells(const std::string& path, const char* name) const {
    const auto raw = text(path, name);
    std::vector<std::uint32_t> values;
    for (std::size_t i = 0; i + 4 <= raw.size(); i += 4)
      values.push_back(fdt32_ld(reinterpret_cast<const fdt32_t*>(raw.data() + i)));
    return values;
  }
  bool compatible(const std::string& path, const char* with) const {
    return fdt_node_check_compatible(fdt(), node(path), with) == 0;
  }
  std::uint32_t phandle(const std::string& path) const { return fdt_get_phandle(fdt(), node(path)); }

 private:
  std::vector<std::uint8_t> bytes_;
};

using Cells = std::vector<std::uint32_t>;

TEST(DeviceTree, DescribesTheCpu) {
  chip::Chip chip;
  chip.cpu.clock = {1.5e9};
  chip.peripherals.timebase = {20e6};
  const Tree tree(chip);
  EXPECT_EQ(tree.cells("/", "#address-cells"), Cells{2});
  EXPECT_EQ(tree.cells("/", "#size-cells"), Cells{2});
  EXPECT_STREQ(tree.text("/", "model").c_str(), "reference");
  EXPECT_TRUE(tree.compatible("/", "forerun,reference"));
  EXPECT_EQ(tree.cells("/cpus", "timebase-frequency"), Cells{20'000'000});
  EXPECT_STREQ(tree.text("/cpus/cpu@0", "riscv,isa").c_str(), "rv64imafdc_zicsr_zifencei");
  EXPECT_STREQ(tree.text("/cpus/cpu@0", "mmu-type").c_str(), "riscv,sv39");
  EXPECT_EQ(tree.cells("/cpus/cpu@0", "clock-frequency"), Cells{1'500'000'000});
  EXPECT_TRUE(tree.compatible("/cpus/cpu@0/interrupt-controller", "riscv,cpu-intc"));
  const auto console = tree.text("/chosen", "stdout-path");
  EXPECT_TRUE(tree.compatible(console.c_str(), "ns16550a")) << console;
}

TEST(DeviceTree, WritesAFrequencyBeyond32BitsInTwoCells) {
  chip::Chip chip;
  chip.cpu.clock = {5e9};
  EXPECT_EQ(Tree(chip).cells("/cpus/cpu@0", "clock-frequency"), (Cells{1, 705'032'704}));
}

TEST(DeviceTree, DescribesTheMemories) {
  const Tree tree(chip::Chip{});
  EXPECT_EQ(tree.cells("/memory@80000000", "reg"), (Cells{0, 0x8000'0000, 0, 16u << 20}));
  EXPECT_EQ(tree.cells("/memory@10000000000", "reg"), (Cells{0x100, 0, 4, 0})) << "16 GiB";
  EXPECT_STREQ(tree.text("/memory@10000000000", "device_type").c_str(), "memory");
}

TEST(DeviceTree, DescribesTheDevices) {
  chip::Chip chip;
  chip.clusters.count = 5;
  chip.peripherals.uart_register_shift = 2;
  const Tree tree(chip);
  const auto cpu = tree.phandle("/cpus/cpu@0/interrupt-controller"),
             plic = tree.phandle("/soc/interrupt-controller@c000000");
  EXPECT_TRUE(tree.compatible("/soc", "simple-bus"));
  EXPECT_EQ(tree.cells("/soc", "interrupt-parent"), Cells{plic});
  EXPECT_TRUE(tree.compatible("/soc/clint@2000000", "riscv,clint0"));
  EXPECT_EQ(tree.cells("/soc/clint@2000000", "reg"), (Cells{0, 0x200'0000, 0, 0x1'0000}));
  EXPECT_EQ(tree.cells("/soc/clint@2000000", "interrupts-extended"), (Cells{cpu, 3, cpu, 7}));
  EXPECT_TRUE(tree.compatible("/soc/interrupt-controller@c000000", "sifive,plic-1.0.0"));
  EXPECT_EQ(tree.cells("/soc/interrupt-controller@c000000", "interrupts-extended"), (Cells{cpu, 11, cpu, 9}));
  EXPECT_EQ(tree.cells("/soc/interrupt-controller@c000000", "riscv,ndev"), Cells{20});
  EXPECT_EQ(tree.cells("/soc/serial@10000000", "reg"), (Cells{0, 0x1000'0000, 0, 0x100}));
  EXPECT_EQ(tree.cells("/soc/serial@10000000", "clock-frequency"), Cells{50'000'000});
  EXPECT_EQ(tree.cells("/soc/serial@10000000", "reg-shift"), Cells{2});
  EXPECT_EQ(tree.cells("/soc/serial@10000000", "interrupts"), Cells{1});
  struct Device {
    const char *path, *compatible;
    Cells reg;
  };
  for (const auto& [path, compatible, reg] :
       {Device{"/soc/timer@10010000", "forerun,timer", {0, 0x1001'0000, 0, 0x1000}},
        Device{"/soc/mailbox@10020000", "forerun,mailbox", {0, 0x1002'0000, 0, 0x1000}},
        Device{"/soc/sysctl@100000", "forerun,sysctl", {0, 0x10'0000, 0, 0x1000}},
        Device{"/soc/perf@10030000", "forerun,perf", {0, 0x1003'0000, 0, 0x1000}}}) {
    EXPECT_TRUE(tree.compatible(path, compatible)) << path;
    EXPECT_EQ(tree.cells(path, "reg"), reg) << path;
  }
  EXPECT_EQ(tree.cells("/soc/timer@10010000", "interrupts"), Cells{2});
  EXPECT_EQ(tree.cells("/soc/mailbox@10020000", "interrupts"), Cells{3});
}

TEST(DeviceTree, ListsEveryClusterInOrder) {
  chip::Chip chip;
  chip.clusters.count = 37;
  const Tree tree(chip);
  int found = 0;
  for (int node = fdt_node_offset_by_compatible(tree.fdt(), -1, "forerun,cluster"); node >= 0;
       node = fdt_node_offset_by_compatible(tree.fdt(), node, "forerun,cluster"))
    ++found;
  EXPECT_EQ(found, 37);
  for (unsigned i = 0; i < 37; ++i) {
    const auto path = fmt::format("/soc/cluster@{:x}", map::cluster_registers(i));
    const auto scratchpad = map::scratchpad(i);
    EXPECT_EQ(tree.cells(path, "reg"), (Cells{0, static_cast<std::uint32_t>(map::cluster_registers(i)), 0,
                                              0x1000, static_cast<std::uint32_t>(scratchpad >> 32),
                                              static_cast<std::uint32_t>(scratchpad), 0, 4u << 20}));
    EXPECT_EQ(tree.cells(path, "forerun,index"), Cells{i});
    EXPECT_EQ(tree.cells(path, "interrupts"), Cells{16 + i});
  }
}

TEST(DeviceTree, ListsTheWindowsOfTheNetwork) {
  chip::Chip chip;
  chip.clusters.count = 4;
  chip.noc.multicast = {{"everyone", {}}, {"two", {1, 3}}};
  chip.noc.reduction = {
      {.name = "total", .clusters = {0, 2}, .element = chip::Element::bf16, .target = 3},
      {.name = "far", .clusters = {}, .to_memory = true, .offset = {1 << 20}, .size = {8 << 20}}};
  const Tree tree(chip);
  EXPECT_TRUE(tree.compatible("/soc/multicast@5000000000", "forerun,multicast"));
  EXPECT_STREQ(tree.text("/soc/multicast@5000000000", "label").c_str(), "everyone");
  EXPECT_EQ(tree.cells("/soc/multicast@5000000000", "reg"),
            (Cells{0x50, 0, 0, 4 << 20, 0x58, 0, 0, FR_CLUSTER_REGISTER_BYTES}));
  EXPECT_EQ(tree.cells("/soc/multicast@5000000000", "forerun,clusters"), (Cells{0, 1, 2, 3}));
  EXPECT_STREQ(tree.text("/soc/multicast@5010000000", "label").c_str(), "two");
  EXPECT_EQ(tree.cells("/soc/multicast@5010000000", "reg"),
            (Cells{0x50, 0x1000'0000, 0, 4 << 20, 0x58, 0x1'0000, 0, FR_CLUSTER_REGISTER_BYTES}));
  EXPECT_EQ(tree.cells("/soc/multicast@5010000000", "forerun,clusters"), (Cells{1, 3}));
  EXPECT_TRUE(tree.compatible("/soc/reduction@6000000000", "forerun,reduction"));
  EXPECT_STREQ(tree.text("/soc/reduction@6000000000", "label").c_str(), "total");
  EXPECT_EQ(tree.cells("/soc/reduction@6000000000", "forerun,clusters"), (Cells{0, 2}));
  EXPECT_EQ(tree.cells("/soc/reduction@6000000000", "forerun,element"), Cells{FR_TYPE_BF16});
  EXPECT_EQ(tree.cells("/soc/reduction@6010000000", "reg"), (Cells{0x60, 0x1000'0000, 0, 8 << 20}));
  EXPECT_EQ(tree.cells("/soc/reduction@6010000000", "forerun,element"), Cells{FR_TYPE_F32});
}

/// As many windows as there may be, of all clusters.
void add_all_windows(chip::Chip& chip) {
  for (unsigned i = 0; i < map::max_windows; ++i) {
    const auto name = fmt::format("{:031}", i);
    chip.noc.multicast.push_back({"m" + name.substr(1), {}});
    chip.noc.reduction.push_back({.name = "r" + name.substr(1), .clusters = {}});
  }
}

TEST(DeviceTree, OfTheLargestChipFitsBesideTheBootCode) {
  chip::Chip chip;
  chip.clusters.count = map::max_clusters;
  chip.name = std::string(2000, 'n');
  add_all_windows(chip);
  const Tree tree(chip);
  EXPECT_LT(map::boot_rom + chip.boot_rom.size.count + tree.bytes().size(), map::sysctl);
}

/// A folder that goes away with the test.
struct Scratch {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / fmt::format("forerun_device_tree_{}", ::getpid());
  Scratch() { std::filesystem::create_directory(path); }
  ~Scratch() { std::filesystem::remove_all(path); }
};

TEST(DeviceTree, PassesTheChecksOfTheDeviceTreeCompiler) {
  const Scratch scratch;
  for (const unsigned clusters : {1u, 16u, map::max_clusters}) {
    chip::Chip chip;
    chip.clusters.count = clusters;
    add_all_windows(chip);
    const auto bytes = make_device_tree(chip);
    const auto blob = scratch.path / "chip.dtb", source = scratch.path / "chip.dts",
               warnings = scratch.path / "warnings";
    std::ofstream(blob, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    const auto command = fmt::format("dtc -I dtb -O dts -o '{}' '{}' 2> '{}'", source.string(), blob.string(),
                                     warnings.string());
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    std::string said;
    std::getline(std::ifstream(warnings), said, '\0');
    EXPECT_EQ(said, "") << clusters << " clusters";
    std::string text;
    std::getline(std::ifstream(source), text, '\0');
    EXPECT_NE(text.find(fmt::format("cluster@{:x} {{", map::cluster_registers(clusters - 1))),
              std::string::npos);
  }
}

}  // namespace
}  // namespace forerun::soc
