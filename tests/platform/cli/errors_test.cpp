// SPDX-License-Identifier: Apache-2.0
// Bad input: a clear message, a code other than 0, and nothing left half done.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "firmware/abi/command.h"
#include "models/compiler/program.hpp"
#include "tests/platform/cli/program.hpp"

using namespace forerun::test;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

namespace {

const std::string bundled = FORERUN_SOURCE_DIR "/models/zoo/orator-2m";
const std::string quick = " --chip edge --steps 1 --prompt a ";

void expect_error(const Result& result, int code, const testing::Matcher<const std::string&>& message) {
  EXPECT_EQ(result.code, code) << result.err;
  EXPECT_THAT(result.err, message);
  EXPECT_THAT(result.err, Not(HasSubstr("terminate called")));
}

/// A program for the edge chip in a file, changed before it is written.
template <typename Change>
std::string program_with(const Scratch& scratch, Change change) {
  const auto path = scratch.file("program");
  EXPECT_EQ(launch("compile --chip edge --context 64 -o " + path).code, 0);
  auto program = forerun::models::read_container(path);
  change(program.streams[0]);
  forerun::models::write_container(program, path);
  return path;
}

/// The place of the first command with this opcode.
std::size_t find(const std::vector<unsigned char>& stream, unsigned opcode) {
  std::size_t at = 0;
  while (stream[at] != opcode) at += stream[at + offsetof(fr_command_header, words)] * 8u;
  return at;
}

}  // namespace

TEST(CommandLine, UnknownWordsGetTheNearestName) {
  expect_error(launch("run --modle x"), 2, AllOf(HasSubstr("--modle"), HasSubstr("did you mean --model")));
  expect_error(launch("runn"), 2, HasSubstr("did you mean run"));
  expect_error(launch("run --dtype fp12"), 2, HasSubstr("fp12"));
  expect_error(launch(""), 2, HasSubstr("subcommand"));
}

TEST(CommandLine, OptionsThatDoNotGoTogether) {
  expect_error(launch("run --data none --ids x"), 2, HasSubstr("--ids needs real data"));
  expect_error(launch("run --teacher x --prompt y"), 2, HasSubstr("--teacher gives all tokens"));
  expect_error(launch("run --native --gdb 0"), 2, HasSubstr("--native"));
  expect_error(launch("run --seed -5"), 2, HasSubstr("--seed"));
  expect_error(launch("run --steps 0"), 2, HasSubstr("--steps is 0"));
  expect_error(launch("run --steps 1000"), 2, HasSubstr("has room for 1 to 247"));
  expect_error(launch("boot x --uart modem"), 1, HasSubstr("x"));
}

TEST(Model, MissingOrTruncatedFiles) {
  expect_error(launch("run --model /no/such/model"), 1, HasSubstr("/no/such/model: no such file or folder"));
  const Scratch scratch;
  std::filesystem::copy(bundled, scratch.file("model"), std::filesystem::copy_options::recursive);
  const auto weights = scratch.file("model/model.safetensors");
  std::filesystem::resize_file(weights, std::filesystem::file_size(weights) / 2);
  expect_error(launch("run --model " + scratch.file("model") + quick + "--ids " + scratch.file("ids")), 1,
               HasSubstr("model.safetensors"));
  EXPECT_FALSE(std::filesystem::exists(scratch.file("ids"))) << "a failed run leaves no result";
  EXPECT_FALSE(std::filesystem::exists(scratch.file("ids.partial")));
}

TEST(Chip, MisspelledKeyWithItsPlaceAndTheRightName) {
  const Scratch scratch;
  scratch.write("bad.yaml", "extends: edge\nclusters:\n  coutn: 2\n");
  expect_error(launch("run --chip " + scratch.file("bad.yaml")), 1,
               AllOf(HasSubstr("bad.yaml:3:3"), HasSubstr("coutn"), HasSubstr("count")));
  expect_error(launch("run --set clusters.cuont=2"), 1,
               AllOf(HasSubstr("--set clusters.cuont=2"), HasSubstr("clusters.count")));
}

TEST(Chip, MemoryThatContradictsItself) {
  const auto chip = [](const std::string& setting) {
    return launch("chip memory/hbm3-6400-16gb-8hi --set '" + setting + "'");
  };
  EXPECT_EQ(chip("hbm.refresh=per_bank").code, 0);
  expect_error(
      chip("hbm.address_hash={bank: [0x60000]}"), 1,
      AllOf(HasSubstr("--set hbm.address_hash={bank: [0x60000]}: hbm.address_hash: different addresses would "
                      "share a place"),
            HasSubstr("bank[0] XOR bank[1]")));
  expect_error(chip("hbm.address_map=[burst, column:6]"), 1,
               HasSubstr("column:6 is more than the 5 bits that column has"));
  expect_error(chip("hbm={refresh_management: true, timings: {tRFM: 0}}"), 1,
               HasSubstr("hbm.refresh_management is true, but hbm.timings.tRFM is 0"));
}

TEST(Firmware, ForAnotherMachine) {
  expect_error(launch("boot /bin/true"), 1, AllOf(HasSubstr("/bin/true"), HasSubstr("RISC-V")));
  expect_error(launch("run --firmware /bin/true" + quick), 1, HasSubstr("RISC-V"));
  expect_error(launch("boot /no/such.elf"), 1, HasSubstr("/no/such.elf"));
  expect_error(launch("boot /usr"), 1, HasSubstr("/usr: is a folder"));
}

TEST(Program, LargerThanTheMemory) {
  expect_error(launch("run --set hbm.rows=16" + quick), 1,
               AllOf(HasSubstr("MiB of memory"), HasSubstr("the chip has")));
  const Scratch scratch;
  const auto path = program_with(scratch, [](auto&) {});
  expect_error(launch("run --set hbm.rows=16 --program " + path + quick), 1,
               AllOf(HasSubstr(path), HasSubstr("the chip's ends at")));
}

TEST(Program, BadOpcode) {
  const Scratch scratch;
  std::size_t at = 0;
  const auto path =
      program_with(scratch, [&](auto& stream) { stream[at = find(stream, FR_OP_MATMUL)] = 0xee; });
  std::ostringstream place;
  place << "0x" << std::hex << at;
  expect_error(launch("run --program " + path + quick), 1,
               AllOf(HasSubstr("unknown opcode"), HasSubstr("0xee"), HasSubstr(place.str()),
                     HasSubstr("layers.query_key_value")));
}

TEST(Program, DmaToNowhere) {
  const Scratch scratch;
  const auto path = program_with(scratch, [](auto& stream) {
    const std::uint64_t nowhere = 0x7700'0000'0000;
    std::memcpy(stream.data() + find(stream, FR_OP_GATHER) + offsetof(fr_gather, indices), &nowhere,
                sizeof nowhere);
  });
  expect_error(launch("run --program " + path + quick), 1,
               AllOf(HasSubstr("bus error of a DMA access"), HasSubstr("0x770000000000")));
}

TEST(Program, ThatNeverEnds) {
  const Scratch scratch;
  const auto path = program_with(scratch, [](auto& stream) {  // a wait that nothing fulfils
    const auto at = find(stream, FR_OP_MATMUL) + offsetof(fr_command_header, wait);
    stream[at] = 63, stream[at + 1] = 1;
  });
  const auto result = launch("run --step-timeout 100000 --program " + path + quick);
  expect_error(result, 1, testing::AnyOf(HasSubstr("semaphore"), HasSubstr("did not end in time")));
}

TEST(Teacher, BadIds) {
  const Scratch scratch;
  scratch.write("ids", "1 2\n3 x4\n");
  expect_error(launch("run --teacher " + scratch.file("ids")), 1,
               HasSubstr(":2: 'x4' is no token id, expected 0 to 1023"));
  scratch.write("ids", "1 2\n1024");
  expect_error(launch("run --teacher " + scratch.file("ids")), 1, HasSubstr(":2: '1024'"));
  expect_error(launch("run --teacher /no/such"), 1, HasSubstr("/no/such: cannot be read"));
}

TEST(Output, ThatCannotBeWritten) {
  expect_error(launch("run --report /no/such/folder/r.json" + quick), 1,
               HasSubstr("/no/such/folder/r.json: cannot be written"));
  expect_error(launch("compile -o /no/such/folder/p"), 1, HasSubstr("cannot be written"));
}
