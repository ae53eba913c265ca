// SPDX-License-Identifier: Apache-2.0
// The firmware as built for the chip's CPU.
#include <gtest/gtest.h>

#include <filesystem>

#include "firmware/abi/registers.h"
#include "platform/chip/address_map.hpp"
#include "platform/chip/chip.hpp"
#include "platform/sim/elf.hpp"

using namespace forerun;
namespace map = chip::address_map;

namespace {

const std::string folder = FORERUN_BINARY_DIR "/firmware/";

TEST(BootRom, LiesAtTheResetAddressAndFitsIntoItsMemory) {
  const auto rom = sim::ElfProgram::read(folder + "boot_rom.elf");
  EXPECT_EQ(rom.entry(), map::boot_rom);
  ASSERT_EQ(rom.segments().size(), 1u);
  EXPECT_EQ(rom.segments()[0].address, map::boot_rom);
  EXPECT_LE(rom.segments()[0].memory_bytes, chip::BootRom{}.size.count);
  EXPECT_EQ(std::filesystem::file_size(folder + "boot_rom.bin"), rom.segments()[0].data.size());
}

TEST(BootRom, AsksTheSystemControllerWhereTheAddressMapHasIt) {
  const auto rom = sim::ElfProgram::read(folder + "boot_rom.elf");
  EXPECT_EQ(rom.symbol("sysctl_boot_address"), map::sysctl + FR_SYSCTL_BOOT_ADDRESS);
  EXPECT_EQ(rom.symbol("sysctl_device_tree"), map::sysctl + FR_SYSCTL_DEVICE_TREE);
}

class Application : public testing::TestWithParam<const char*> {};

TEST_P(Application, LiesInASmallSram) {
  const auto program = sim::ElfProgram::read(folder + GetParam());
  EXPECT_EQ(program.entry(), map::sram);
  std::uint64_t end = 0;
  for (const auto& segment : program.segments()) {
    EXPECT_GE(segment.address, map::sram);
    end = std::max(end, segment.address + segment.memory_bytes);
  }
  EXPECT_LE(end, map::sram + (256 << 10)) << "stack and heap included";
  EXPECT_EQ(program.symbol("__image_end"), end) << "the loader clears up to the end";
  EXPECT_EQ(program.symbol("__trap_stack_end").value() % 16, 0u);
  EXPECT_EQ(program.symbol("__stack_end").value() % 16, 0u);
}

INSTANTIATE_TEST_SUITE_P(All, Application, testing::Values("llm.elf", "hello.elf", "share.elf"), [](const auto& name) {
  return std::string(name.param).substr(0, std::string(name.param).find('.'));
});

}  // namespace
