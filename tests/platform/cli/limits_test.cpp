// SPDX-License-Identifier: Apache-2.0
// Nothing runs for ever: limits, dead firmware, and RTL that answers wrongly or not at all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/platform/cli/program.hpp"

using namespace forerun::test;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

namespace {

const int cache = ::setenv("FORERUN_RTL_CACHE", FORERUN_BINARY_DIR "/rtl-cache", 1);
constexpr const char* run = "run --chip edge --prompt We --steps 1 ";

/// What a run says that must fail.
std::string failure_of(const std::string& arguments) {
  const auto result = launch(arguments);
  EXPECT_EQ(result.code, 1) << arguments << "\n" << result.out;
  return result.err;
}

std::string dead(const std::string& entry) { return std::string(DEAD_FIRMWARE "/") + entry + ".elf "; }

}  // namespace

TEST(Limit, EndsARunAndSaysHowFarItCame) {
  EXPECT_THAT(failure_of(std::string(run) + "--limit 100us"),
              AllOf(HasSubstr("error: the limit of 0.1 ms of simulated time is reached\nfirmware has sent no "
                              "message\nchip.cpu: "),
                    ContainsRegex("at pc 0x8000[0-9a-f]+ <[a-z_0-9]+")));
  const auto in_a_step = failure_of(std::string(run) + "--limit '450 us'");
  EXPECT_THAT(in_a_step, AllOf(HasSubstr("chip.cluster0: next command at byte 0x"),
                               HasSubstr("ms of simulated time is reached\n0 steps are done, 0 of 4 "
                                         "tokens\nchip.cpu: waits for an interrupt at pc 0x8")));
}

TEST(Limit, IsATimeWithAUnit) {
  for (const auto& command : {std::string(run), "boot " + dead("spins") + "--chip edge "}) {
    const auto result = launch(command + "--limit 100");
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, HasSubstr("--limit is '100', without a unit, expected a time such as 10 us"));
  }
  EXPECT_EQ(launch(std::string(run) + "--idle-limit soon").code, 2);
}

TEST(Limit, EndsABoot) {
  EXPECT_THAT(failure_of("boot " + dead("spins") + "--chip edge --limit 30ms"),
              AllOf(HasSubstr("the limit of 30 ms"), HasSubstr("chip.cpu: executes at pc 0x80000"),
                    HasSubstr(" <spins>")));
}

TEST(DeadFirmware, ThatSpinsEndsARun) {
  EXPECT_THAT(failure_of(run + ("--firmware " + dead("spins"))),
              AllOf(ContainsRegex("nothing gets on any more: the run is given up at 1[0-9.]+ ms"),
                    HasSubstr("chip.cpu: executes at pc"), HasSubstr("<spins>"), HasSubstr("no message")));
  EXPECT_THAT(failure_of(run + ("--firmware " + dead("spins")) + "--idle-limit '1 ms'"),
              ContainsRegex("given up at 1[.0-9]* ms"));
  EXPECT_THAT(failure_of(run + ("--firmware " + dead("spins")) + "--idle-limit never --limit '40 ms'"),
              HasSubstr("the limit of 40 ms"));
}

TEST(DeadFirmware, ThatSpinsOnACpuOfRtlEndsARun) {
  EXPECT_THAT(failure_of(run + ("--firmware " + dead("spins")) + "--set cpu.model=rtl --idle-limit '1 ms'"),
              AllOf(ContainsRegex("given up at 1[.0-9]* ms"),
                    ContainsRegex("chip.cpu: RTL, in cycle [0-9]+; its last instruction was at pc "
                                  "0x80000[0-9a-f]+ <spins>"),
                    HasSubstr("last access by its interface bus: address 0x80000")));
}

TEST(DeadFirmware, ThatHaltsEndsRunAndBoot) {
  for (const auto& command : {run + ("--firmware " + dead("halts")), "boot " + dead("halts") + "--chip edge"})
    EXPECT_THAT(failure_of(command),
                AllOf(HasSubstr("waits for an interrupt at pc 0x8000"), HasSubstr("<halts+0x8>"),
                      HasSubstr("it sleeps with every interrupt masked (mie is 0)")));
}

TEST(DeadFirmware, ThatTrapsForEverEndsRunAndBoot) {
  for (const auto& command : {run + ("--firmware " + dead("traps_in_its_handler")),
                              "boot " + dead("traps_in_its_handler") + "--chip edge"})
    EXPECT_THAT(failure_of(command), AllOf(HasSubstr("executes at pc 0x40; it traps over and over: "),
                                           HasSubstr("mcause 0x1, mepc 0x40, mtval 0x40")));
  EXPECT_THAT(failure_of("boot " + dead("returns_to_its_fault") + "--chip edge"),
              AllOf(HasSubstr("it traps over and over: "), HasSubstr("mcause 0x5, mepc 0x800000"),
                    HasSubstr("<faults>, mtval 0x40")));
}

TEST(DeadFirmware, IsNotWhatServesTrapsOrSleepsLong) {
  EXPECT_EQ(launch("boot " + dead("emulates") + "--chip edge").code, 7);
  EXPECT_EQ(launch("boot " + dead("sleeps_and_ends") + "--chip edge").code, 7);
}

namespace {

/// The Verilog-2001 memory with 32-bit data, one thing of it made wrong.
class FaultyMemory {
 public:
  FaultyMemory(const std::string& sound, const std::string& faulty) {
    auto text = read_file(FORERUN_SOURCE_DIR "/tests/ip/cosim/rtl/axi_memory_2001.v");
    const auto at = text.find(sound);
    EXPECT_NE(at, std::string::npos) << sound;
    scratch_.write("faulty.v", text.replace(at, sound.size(), faulty));
    scratch_.write("pins.yaml",
                   "reset: rst\nreset_active: high\nparameters: {DATA_BITS: 32, ADDRESS_BITS: 24, SHIFT: 2}\n"
                   "interfaces:\n  memory: {protocol: axi4, role: subordinate, prefix: s_}\n");
    const auto made = launch("rtl --top axi_memory_2001 --pins " + scratch_.file("pins.yaml") + " -o " +
                             scratch_.file("memory.so") + " " + scratch_.file("faulty.v"));
    EXPECT_EQ(made.code, 0) << made.err;
  }
  std::string in_sram() const {
    return "--chip edge --set 'sram.size=1 MiB' --set rtl.sram=" + scratch_.file("memory.so ");
  }
  std::string as_sram(const std::string& more = "") const {
    return failure_of("run --prompt We --steps 1 " + in_sram() + more);
  }
  std::string as_hbm() const {
    return failure_of(run + ("--set hbm.rows=128 --set rtl.hbm=" + scratch_.file("memory.so")));
  }

 private:
  Scratch scratch_;
};

constexpr const char* cpu_rtl = "--set cpu.model=rtl";

}  // namespace

TEST(FaultyMemory, ThatRaisesLastOneBeatEarlyEndsARun) {
  const FaultyMemory memory("s_rlast = read_left == 8'd0;",
                            "s_rlast = read_left == 8'd0 || read_left == 8'd1;");
  const auto broken = HasSubstr("RLAST is low before beat ARLEN + 1 (rlast_early");
  EXPECT_THAT(memory.as_sram(),
              AllOf(broken, HasSubstr("it traps over and over"), HasSubstr(" <trap_entry")));
  EXPECT_THAT(memory.as_sram(cpu_rtl),
              AllOf(broken, HasSubstr("given up at"), HasSubstr("chip.cpu: RTL, in cycle ")));
  EXPECT_THAT(memory.as_hbm(), AllOf(broken, HasSubstr("error: bus error while reading the program")));
}

TEST(FaultyMemory, ThatAnswersWithErrorsEndsARun) {
  const FaultyMemory memory("s_rresp = 2'b00;", "s_rresp = read_address[12:6] == 7'h05 ? 2'b10 : 2'b00;");
  EXPECT_THAT(memory.as_hbm(), HasSubstr("error: bus error while reading the program"));
}

/// From some moment on, so that it does not matter where firmware's code lies: its trap handler is not there
/// either.
TEST(FaultyMemory, ThatAnswersWithErrorsOnlyEndsARun) {
  const FaultyMemory memory("s_rresp = 2'b00;",
                            "s_rresp = reads > 20000 ? 2'b10 : 2'b00; reg [31:0] reads = 0;"
                            "always @(posedge clk) if (s_rvalid & s_rready) reads <= reads + 1;");
  EXPECT_THAT(memory.as_sram(), ContainsRegex("its last trap into machine mode: mcause 0x[15], mepc 0x8000"));
  EXPECT_THAT(memory.as_sram(cpu_rtl), HasSubstr("chip.cpu: RTL, in cycle "));
}

TEST(FaultyMemory, ThatAnswersClustersWithErrorsEndsARun) {
  const FaultyMemory memory("s_rresp = 2'b00;", "s_rresp = read_len > 8'd7 ? 2'b10 : 2'b00;");
  EXPECT_THAT(memory.as_hbm(), HasSubstr("error: a cluster stopped with an error\n  cluster 0: "));
}

TEST(FaultyMemory, ThatLosesABeatEndsARun) {
  const FaultyMemory memory("reading <= !s_rlast;",
                            "reading <= !(s_rlast || (read_left == 8'd1 && read_address[12:6] == 7'h05));");
  const auto silent = ContainsRegex(
      "no answer for 1000000 cycles, .* 1 transactions are under way, the oldest a read of 8 bytes at 0x");
  EXPECT_THAT(memory.as_sram(cpu_rtl), silent);
  EXPECT_THAT(memory.as_hbm(), silent);
}

TEST(BrokenRules, MakeAnExitCodeOfTheirOwn) {
  const FaultyMemory memory("s_rresp = 2'b00;", "s_rresp = 2'b01;");  // EXOKAY, which is taken as OKAY
  const Scratch scratch;
  const auto job = "run --prompt We --steps 2 " + memory.in_sram() + "--ids " + scratch.file("ids") +
                   " --report " + scratch.file("report.json ");
  const auto result = launch(job);
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.err, AllOf(HasSubstr("EXOKAY"),
                                ContainsRegex("RTL broke rules of AXI [0-9]+ times; the exit code is 3")));
  EXPECT_THAT(result.out, HasSubstr("time per token"));
  EXPECT_EQ(read_ids(scratch.file("ids")).size(), 5u);
  EXPECT_GT(read_report(scratch.file("report.json"))["rtl"][0]["broken_axi_rules"], 1000);
  EXPECT_EQ(launch(job + "--allow-broken-rules").code, 0);
  EXPECT_EQ(launch("boot " FORERUN_BINARY_DIR "/firmware/hello.elf --uart none " + memory.in_sram()).code, 3);
  EXPECT_EQ(launch("run --gemm 8x16x8 " + memory.in_sram()).code, 3);
}
