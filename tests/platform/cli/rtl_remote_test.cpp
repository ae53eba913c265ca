// SPDX-License-Identifier: Apache-2.0
// Blocks of the chip in other processes, named in its YAML.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "tests/platform/cli/program.hpp"

using namespace forerun::test;
using testing::HasSubstr;

namespace {

const int cache = ::setenv("FORERUN_RTL_CACHE", FORERUN_BINARY_DIR "/rtl-cache", 1);
constexpr const char* verilog = FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/";

constexpr const char* memory = FORERUN_SOURCE_DIR "/tests/ip/cosim/rtl/axi_memory_2001.v";

/// Verilog-2001 memory in model.so.
void make_memory(const Scratch& scratch, unsigned address_bits, const std::string& source = memory) {
  const auto made = launch("rtl --top axi_memory_2001 --pins " + std::string(verilog) +
                           "memory.yaml --parameter ADDRESS_BITS=" + std::to_string(address_bits) + " -o " +
                           scratch.file("model.so") + " " + source);
  ASSERT_EQ(made.code, 0) << made.err;
}

/// Starts the model in a process of its own, which ends with the chip or after so many cycles.
void start(const Scratch& scratch, const std::string& socket, const std::string& cycles = "") {
  const auto command = std::string(FORERUN_REMOTE_HOST " ") + scratch.file("model.so") +
                       " unix:" + scratch.file(socket) + " " + cycles + " > " +
                       scratch.file(socket + ".log") + " 2>&1 &";
  ASSERT_EQ(std::system(command.c_str()), 0);
}

std::string description(const Scratch& scratch, const std::string& socket, unsigned data_bits,
                        unsigned address_bits) {
  return "remote: unix:" + scratch.file(socket) +
         "\ninterfaces:\n  memory: {protocol: axi4, role: subordinate, id_bits: 3, data_bits: " +
         std::to_string(data_bits) + ", address_bits: " + std::to_string(address_bits) + "}\n";
}

struct Ran {
  nlohmann::json report;
  std::vector<std::uint32_t> ids;
};
Ran run(const std::string& arguments) {
  const Scratch scratch;
  Ran ran;
  ran.report = report_of("--prompt We --steps 1 " + arguments + " --ids " + scratch.file("ids"));
  ran.ids = read_ids(scratch.file("ids"));
  return ran;
}

const std::string board = "--chip edge --set 'sram.size=1 MiB' ";

}  // namespace

TEST(Remote, AnSramInAnotherProcessGivesTokensAndTimesOfOneInThis) {
  const Scratch scratch;
  make_memory(scratch, 20);
  scratch.write("block.yaml", description(scratch, "socket", 64, 20));
  start(scratch, "socket");
  auto here = run(board + "--set rtl.sram=" + scratch.file("model.so")),
       there = run(board + "--set rtl.sram=" + scratch.file("block.yaml"));
  EXPECT_EQ(there.ids, here.ids);
  EXPECT_THAT(there.report["rtl"][0]["model"].get<std::string>(), HasSubstr("in another process at unix:"));
  EXPECT_EQ(there.report["rtl"][0]["commands"], here.report["rtl"][0]["commands"]);
  here.report.erase("rtl");
  there.report.erase("rtl");
  EXPECT_EQ(there.report, here.report);
  EXPECT_THAT(read_file(scratch.file("socket.log")), HasSubstr("the simulation has ended"));
}

TEST(Remote, MemoryOfTheHbmInTwoOtherProcessesGivesTokensOfTheModel) {
  const Scratch scratch;
  make_memory(scratch, 23);
  scratch.write("block.yaml", description(scratch, "{label}", 64, 23));
  start(scratch, "hbm0.port0");
  start(scratch, "hbm0.port1");
  const std::string chip = "--chip edge --set hbm.rows=128 --set hbm.ports=2 ";
  EXPECT_EQ(run(chip + "--set rtl.hbm=" + scratch.file("block.yaml")).ids, run(chip).ids);
}

TEST(Remote, ALostBlockEndsTheRunWithAnError) {
  const Scratch scratch;
  make_memory(scratch, 20);
  scratch.write("block.yaml", description(scratch, "socket", 64, 20));
  start(scratch, "socket", "100000");
  const auto result =
      launch("run --prompt We --steps 1 " + board + "--set rtl.sram=" + scratch.file("block.yaml"));
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err,
              HasSubstr("forerun: error: sram: the block at unix:" + scratch.file("socket") + " is lost: "));
}

TEST(Remote, SaysWhatIsWrong) {
  const Scratch scratch;
  make_memory(scratch, 20);
  const auto refused = [&](const std::string& text) {
    scratch.write("block.yaml", text);
    const auto result =
        launch("run --prompt We --steps 1 " + board + "--set rtl.sram=" + scratch.file("block.yaml"));
    EXPECT_NE(result.code, 0) << text;
    return result.err;
  };
  EXPECT_THAT(refused("interfaces: {}\n"), HasSubstr("expected that model, or a map with the key remote"));
  EXPECT_THAT(refused("remote: here\n"),
              HasSubstr("block.yaml:1:9: found 'here', expected an address such as unix:"));
  EXPECT_THAT(
      refused("remote: unix:s\ninterfaces: {m: {protocol: axi4, role: subordinate, data_bits: 64}}\n"),
      HasSubstr("interface m: data_bits and address_bits are needed"));
  EXPECT_THAT(refused("remote: unix:s\n"), HasSubstr("has one interface with role subordinate"));
  start(scratch, "socket");
  EXPECT_THAT(refused(description(scratch, "socket", 32, 20)),
              HasSubstr("the block's subordinate port is AXI4 of 64 bits, addresses of 20, IDs of 3, "
                        "expected AXI4 of 32 bits"));
}

TEST(Remote, RulesThatABlockBreaksAreInTheReport) {
  const Scratch scratch;
  auto source = read_file(memory);
  const std::string text = "assign s_rresp = 2'b00;";
  ASSERT_NE(source.find(text), std::string::npos);
  source.replace(source.find(text), text.size(),
                 "assign s_rresp = 2'b01;");  // EXOKAY without exclusive access
  std::ofstream(scratch.file("memory.v")) << source;
  make_memory(scratch, 20, scratch.file("memory.v"));
  std::ofstream(scratch.file("remote.yaml")) << description(scratch, "socket", 64, 20);
  start(scratch, "socket");
  const auto ran =
      launch("run --prompt We --steps 1 " + board + "--set rtl.sram=" + scratch.file("remote.yaml"));
  EXPECT_EQ(ran.code, 3) << ran.err;
  EXPECT_THAT(ran.out, testing::ContainsRegex("sram: cycle [0-9]+: subordinate: .*EXOKAY"));
}
