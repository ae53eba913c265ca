// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/elf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <fstream>
#include <iterator>

namespace forerun::sim {
namespace {

using testing::HasSubstr;

std::vector<std::byte> file_bytes(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::vector<char> content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  const auto bytes = std::as_bytes(std::span(content));
  return {bytes.begin(), bytes.end()};
}

std::string refusal(std::span<const std::byte> image) {
  try {
    ElfProgram::parse(image, "x.elf");
  } catch (const ElfError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Elf, LoadsDataZeroesTheRestAndKnowsSymbols) {
  const auto program = ElfProgram::read(TEST_PROGRAM);
  EXPECT_EQ(program.entry(), 0x80000000u);
  EXPECT_EQ(program.symbol("_start"), 0x80000000u);
  EXPECT_FALSE(program.symbol("nowhere"));
  EXPECT_EQ(program.place(0x80000000), "_start");
  EXPECT_EQ(program.place(0x80000004), "_start+0x4");
  EXPECT_EQ(program.place(0x7fffffff), "");
  EXPECT_EQ(program.place(0x90000000), "");
  std::vector<std::byte> memory(0x40000, std::byte{0xff});
  program.load([&](std::uint64_t address, std::span<const std::byte> bytes) {
    if (address < 0x80000000 || address - 0x80000000 + bytes.size() > memory.size()) return false;
    std::memcpy(memory.data() + (address - 0x80000000), bytes.data(), bytes.size());
    return true;
  });
  std::uint64_t word = 0;
  std::memcpy(&word, memory.data() + 0x10000, sizeof word);
  EXPECT_EQ(word, 0x1122334455667788u);
  const auto counter = program.symbol("counter").value() - 0x80000000;
  for (std::size_t i = 0; i < 100000; ++i) ASSERT_EQ(memory[counter + i], std::byte{0}) << i;
  EXPECT_EQ(memory[counter + 100000], std::byte{0xff});
}

TEST(Elf, RefusesAProgramOfTheHost) {
  EXPECT_THAT(refusal(file_bytes("/proc/self/exe")), HasSubstr("this chip's CPU is RISC-V 64"));
}

TEST(Elf, RefusesWhatIsNoElf) {
  const std::array<std::byte, 64> zeros{};
  EXPECT_EQ(refusal(zeros), "x.elf: is not an ELF file");
  EXPECT_THAT(refusal({}), HasSubstr("is not an ELF file"));
}

TEST(Elf, EveryTruncationIsRefused) {
  const auto whole = file_bytes(TEST_PROGRAM);
  ASSERT_EQ(refusal(whole), "accepted");
  for (std::size_t size = 0; size < whole.size(); size += 7)
    ASSERT_NE(refusal(std::span(whole).first(size)), "accepted") << size;
}

TEST(Elf, NamesTheSegmentOutsideOfMemory) {
  const auto program = ElfProgram::read(TEST_PROGRAM);
  try {
    program.load([](std::uint64_t address, std::span<const std::byte>) { return address < 0x80010000; });
    FAIL() << "loaded to nowhere";
  } catch (const ElfError& error) {
    EXPECT_THAT(error.what(), HasSubstr("segment 0x80010000.."));
  }
}

}  // namespace
}  // namespace forerun::sim
