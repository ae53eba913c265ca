// SPDX-License-Identifier: Apache-2.0
// RTL in the place of blocks of the chip: `forerun run` with clusters.tensor.model and rtl.*, and `forerun
// rtl`.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/platform/cli/program.hpp"

using namespace forerun::test;
using testing::HasSubstr;
using testing::Not;

namespace {

/// Models of ip/tensor/rtl are made once for all tests of a build.
const int cache = ::setenv("FORERUN_RTL_CACHE", FORERUN_BINARY_DIR "/rtl-cache", 1);

constexpr const char* rtl_sources = FORERUN_SOURCE_DIR "/ip/tensor/rtl/";
constexpr const char* parts[] = {"tensor_arithmetic.sv", "tensor_cell.sv", "tensor_delay.sv",
                                 "tensor_accumulators.sv", "tensor_tile.sv"};

std::string arrays(unsigned rows, unsigned columns, unsigned count = 1) {
  return "--chip edge --prompt We --steps 3 --set clusters.tensor.rows=" + std::to_string(rows) +
         " --set clusters.tensor.columns=" + std::to_string(columns) +
         " --set clusters.tensor.arrays=" + std::to_string(count) + " ";
}

struct Ran {
  nlohmann::json report, rtl;
  std::vector<std::uint32_t> ids;
};

Ran run(const std::string& arguments) {
  const Scratch scratch;
  Ran ran;
  ran.report = report_of(arguments + " --ids " + scratch.file("ids"));
  ran.ids = read_ids(scratch.file("ids"));
  if (ran.report.contains("rtl")) ran.rtl = ran.report["rtl"];
  ran.report.erase("rtl");
  return ran;
}

/// Tokens, and every count and time of the report, are those of the models.
void expect_same(const std::string& job) {
  const auto model = run(job);
  for (const std::string kind : {"rtl", "lockstep"}) {
    const auto rtl = run(job + " --set clusters.tensor.model=" + kind);
    EXPECT_EQ(rtl.ids, model.ids) << kind;
    EXPECT_EQ(rtl.report, model.report) << kind;
    ASSERT_EQ(rtl.rtl.size(), 1u);
    EXPECT_EQ(rtl.rtl[0]["name"], "tensor");
    EXPECT_GT(rtl.rtl[0]["commands"], 50);
    EXPECT_GT(rtl.rtl[0]["cycles"], 10'000);
    EXPECT_TRUE(rtl.rtl[0]["left_to_the_model"].empty()) << rtl.rtl;
  }
}

std::string bf16_tile_pins() {
  return "tile: {format: bf16, depth: 128}\nparameters: {FORMAT: 1, R: 4, C: 4, DEPTH: 128}\n";
}

/// A model of the tile's sources, bf16 4x4, in one of which `sound` is `faulty`.
void make_tile(const Scratch& scratch, const std::string& file, const std::string& sound,
               const std::string& faulty) {
  auto text = read_file(rtl_sources + file);
  const auto at = text.find(sound);
  ASSERT_NE(at, std::string::npos) << file << " no longer contains " << sound;
  scratch.write(file, text.replace(at, sound.size(), faulty));
  scratch.write("pins.yaml", bf16_tile_pins());
  std::string sources;
  for (const std::string part : parts)
    sources += " " + (part == file ? scratch.file(part) : rtl_sources + part);
  const auto made = launch("rtl --top tensor_tile --pins " + scratch.file("pins.yaml") + " --waves fst -o " +
                           scratch.file("tile.so") + sources);
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("matrix unit: bf16, 4x4, 128 rows of accumulators"));
}

/// What a run in lockstep says of such a tile.
std::string found(const Scratch& scratch, const std::string& more = "") {
  const auto result =
      launch("run " + arrays(4, 4) + "--dtype bf16 --set clusters.tensor.model=lockstep --set rtl.tensor=" +
             scratch.file("tile.so") + " --waves " + scratch.file("waves") + " " + more);
  EXPECT_EQ(result.code, 1) << result.out;
  EXPECT_TRUE(std::filesystem::exists(scratch.file("waves/lockstep.cluster0.array0.fst"))) << result.err;
  return result.err;
}

}  // namespace

TEST(TensorRtl, Fp16GivesTokensAndTimesOfTheModels) { expect_same(arrays(8, 8) + "--dtype fp16"); }
TEST(TensorRtl, Int8GivesTokensAndTimesOfTheModels) { expect_same(arrays(4, 8) + "--dtype int8"); }
TEST(TensorRtl, Bf16OnRaggedArraysSideBySideGivesTokensAndTimesOfTheModels) {
  expect_same(arrays(5, 3, 2) + "--dtype bf16");
}
TEST(TensorRtl, WaitsForASlowScratchpadAsTheModelsDo) {
  expect_same(arrays(8, 8) + "--set clusters.scratchpad.banks=1 --set 'clusters.scratchpad.bank_width=4 B'");
}
TEST(TensorRtl, SingleBufferedGivesTimesOfTheModels) {
  const auto job = arrays(8, 8) + "--set clusters.tensor.double_buffered=false ";
  EXPECT_EQ(run(job + "--set clusters.tensor.model=rtl").report, run(job).report);
}

TEST(TensorRtl, ReportsWhatItRanAndHowMuchSlower) {
  const auto result = launch("run " + arrays(8, 8) + "--set clusters.tensor.model=rtl");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("RTL tensor: ip/tensor/rtl/tensor_tile.sv, 1 array of 8x8"));
  EXPECT_THAT(result.out, HasSubstr("times as long as the rest of it alone"));
}

TEST(TensorRtl, AUnitWithPackedStructsIsInStepWithTheModels) {
  const Scratch scratch;
  std::ofstream(scratch.file("pins.yaml"))
      << "reset: reset\nreset_active: high\nidle: 'flags[2]'\n"
         "ports: {w_valid: weights.valid, w_ready: 'flags[0]', w_last: weights.last, w_data: weights.lanes,\n"
         "  a_valid: activations.valid, a_ready: 'flags[1]', a_last: activations.last, a_start: "
         "activations.mode,\n"
         "  a_emit: activations.keep_n, a_data: activations.lanes, a_sum: activations.sums,\n"
         "  c_valid: results.valid, c_ready: results_taken, c_last: results.last, c_data: results.lanes}\n"
         "tile: {format: bf16, depth: 128}\n";
  std::string sources;
  for (const auto* part : parts) sources += std::string(" ") + rtl_sources + part;
  const auto made =
      launch("rtl --top struct_tile --pins " + scratch.file("pins.yaml") + " -o " + scratch.file("tile.so") +
             sources + " " FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/struct_tile.sv");
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("matrix unit: bf16, 4x4, 128 rows of accumulators"));
  const auto job = arrays(4, 4) + "--dtype bf16 ";
  const auto with =
      run(job + "--set clusters.tensor.model=lockstep --set rtl.tensor=" + scratch.file("tile.so"));
  EXPECT_EQ(with.report, run(job).report);
  EXPECT_GT(with.rtl[0]["commands"], 50);
}

/// Names in capitals, READY after VALID, several cycles a row, no c_last: cycles of its own.
TEST(TensorRtl, AUnitThatTakesItsTimeGivesTokensOfTheModelsAndItsFaultIsFound) {
  const Scratch scratch;
  const std::string unit = FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/matrix/dot_unit";
  const auto make = [&](const std::string& source) {
    const auto made = launch("rtl --top DOT_UNIT --pins " + unit + ".yaml --waves fst -o " +
                             scratch.file("dot.so") + " " + source);
    ASSERT_EQ(made.code, 0) << made.err;
    EXPECT_THAT(made.out, HasSubstr("matrix unit: int8, 8x8, 128 rows of accumulators"));
  };
  make(unit + ".v");
  const auto job = arrays(8, 8) + "--dtype int8 ";
  const auto own = " --set rtl.tensor=" + scratch.file("dot.so");
  const auto model = run(job);
  for (const std::string kind : {"rtl", "lockstep"}) {
    const auto with = run(job + "--set clusters.tensor.model=" + kind + own);
    EXPECT_EQ(with.ids, model.ids) << kind;
    EXPECT_GT(with.rtl[0]["commands"], 50);
  }
  auto text = read_file(unit + ".v");
  const std::string sound = "$signed(row[8*k+:8]) *";
  ASSERT_NE(text.find(sound), std::string::npos);
  scratch.write("bad.v",
                text.replace(text.find(sound), sound.size(), sound + " (k == 5 && column == 3 ? 2 : 1) *"));
  make(scratch.file("bad.v"));
  const auto bad =
      launch("run " + job + "--set clusters.tensor.model=lockstep --waves " + scratch.file("w") + own);
  EXPECT_EQ(bad.code, 1);
  EXPECT_THAT(bad.err,
              testing::ContainsRegex("C\\[[0-9]+\\]\\[[0-9]*3\\] is [0-9a-f]{8}, by the model [0-9a-f]{8}"));
  EXPECT_THAT(bad.err, Not(HasSubstr("previous dump")))
      << "a cycle is settled more than once, and dumped once";
}

TEST(TensorRtl, IsRefusedWhereItCannotBe) {
  const auto refused = [](const std::string& arguments) {
    const auto result = launch("run --chip edge --set clusters.tensor.model=rtl " + arguments);
    EXPECT_NE(result.code, 0) << arguments;
    return result.err;
  };
  EXPECT_THAT(
      refused("--dtype fp32"),
      HasSubstr(
          "activations are in fp32, but clusters.tensor.model is rtl, which multiplies fp16, bf16 or int8"));
  EXPECT_THAT(refused("--data none"), HasSubstr("clusters.tensor.model is rtl, which needs data: real"));
  EXPECT_THAT(refused("--set clusters.tensor.dot=2"),
              HasSubstr("clusters.tensor.model is rtl, which needs clusters.tensor.dot: 1"));
  EXPECT_THAT(refused("--set clusters.tensor.dot=3"),
              HasSubstr("clusters.tensor.dot is 3, expected a divisor of clusters.tensor.rows"));
  EXPECT_THAT(refused("--set 'clusters.tensor.formats=[f32]'"), HasSubstr("none of i8, bf16 and f16"));
  EXPECT_THAT(refused("--set rtl.tensor=nowhere.so"),
              HasSubstr("rtl.tensor is nowhere.so, which is no file"));
  EXPECT_THAT(refused("--set clusters.tensor.model=rlt"), HasSubstr("expected tlm, rtl or lockstep"));
  EXPECT_THAT(launch("run --chip edge --set rtl.tensor=x.so").err,
              HasSubstr("clusters.tensor.model is tlm, expected rtl or lockstep"));
}

TEST(Lockstep, FindsARoundingFault) {
  const Scratch scratch;
  make_tile(scratch, "tensor_arithmetic.sv", "x[26] & (x[27] | below | x[25:0] != 0)", "x[26]");
  const auto text = found(scratch);
  EXPECT_THAT(text, testing::ContainsRegex(
                        "RTL and models differ in cluster 0, first in cycle [0-9]+ of MATMUL bf16 "));
  EXPECT_THAT(text,
              testing::ContainsRegex("C\\[[0-9]+\\]\\[[0-9]+\\] is [0-9a-f]{8}, by the model [0-9a-f]{8}"));
}

TEST(Lockstep, FindsADroppedStall) {
  const Scratch scratch;
  make_tile(scratch, "tensor_tile.sv", "assign enable = !c_valid || c_ready", "assign enable = 1'b1");
  // A slow scratchpad takes the last results late.
  const auto text =
      found(scratch, "--set clusters.scratchpad.banks=1 --set 'clusters.scratchpad.bank_width=1 B'");
  EXPECT_THAT(text, HasSubstr("the last result was withdrawn before it was taken"));
  // Without the models beside it such an array cannot go on either.
  const auto alone =
      launch("run " + arrays(4, 4) +
             "--dtype bf16 --set clusters.tensor.model=rtl --set rtl.tensor=" + scratch.file("tile.so") +
             " --set clusters.scratchpad.banks=1 --set 'clusters.scratchpad.bank_width=1 B'");
  EXPECT_EQ(alone.code, 1);
  EXPECT_THAT(alone.err, HasSubstr("forerun: error: MATMUL bf16 "));
  EXPECT_THAT(alone.err, HasSubstr("\n  in chip.cluster0.tensor at "));
}

TEST(Lockstep, FindsAReadyThatIsACycleLate) {
  const Scratch scratch;
  make_tile(scratch, "tensor_tile.sv", "(!loaded || (a_take && first))", "!loaded");
  EXPECT_THAT(
      found(scratch),
      testing::ContainsRegex("row [0-9]+ of weights is taken in cycle [0-9]+, by the model in cycle [0-9]+"));
}

/// A weight of -1/2, which only the second of two products has.
TEST(Lockstep, FindsAFaultOfSingleOperatorsAndOfTheirDevices) {
  const Scratch scratch;
  make_tile(scratch, "tensor_cell.sv", "fma_bf16(a_data, weight_now, sum)",
            "fma_bf16(a_data, weight_now == 16'hbf00 ? 16'h3f00 : weight_now, sum)");
  const auto problem = [&](const std::string& work) {
    const auto result = launch(
        "run --chip edge --set clusters.tensor.rows=4 --set clusters.tensor.columns=4 "
        "--dtype bf16 --set clusters.tensor.model=lockstep --set rtl.tensor=" +
        scratch.file("tile.so") + " --gemm " + work);
    EXPECT_EQ(result.code, 1) << work << result.out;
    return result.err;
  };
  EXPECT_THAT(problem("2x1x1x1"), HasSubstr("error: RTL and models differ in cluster 0, first in cycle "));
  EXPECT_THAT(problem("2x1x1x1"), HasSubstr("of MATMUL bf16 1x1x1 on 1 array of 4x4 of multiply (at "));
  EXPECT_THAT(problem("2x1x1x1 --set devices=2"),
              HasSubstr("error: device 1: RTL and models differ in cluster 0, first in cycle "));
}

TEST(Waves, AreWrittenInTheirWindowOnly) {
  const Scratch scratch;
  const auto result =
      launch("run " + arrays(4, 4) + "--dtype bf16 --set clusters.tensor.model=rtl --waves " +
             scratch.file("w") + " --waves-format vcd --waves-from '400 us' --waves-to '500 us'");
  EXPECT_EQ(result.code, 0) << result.err;
  std::istringstream lines(read_file(scratch.file("w/cluster0.array0.bf16.vcd")));
  unsigned times = 0;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with('#')) {
      const auto time = std::stoull(line.substr(1));
      if (++times > 1 || time != 0) {  // some writers begin at 0
        EXPECT_GE(time, 400'000'000u);
        EXPECT_LE(time, 500'000'000u);
      }
    }
  EXPECT_GT(times, 100u);
  EXPECT_THAT(launch("run --chip edge --waves-from '1 us'").err, HasSubstr("need --waves"));
}

TEST(RtlCommand, SaysWhatIsWrong) {
  const Scratch scratch;
  const auto make = [&](const std::string& verilog, const std::string& pins, const std::string& more = "") {
    scratch.write("m.v", verilog);
    scratch.write("pins.yaml", pins);
    const auto result = launch("rtl --top m --pins " + scratch.file("pins.yaml") + " -o " +
                               scratch.file("m.so") + " " + scratch.file("m.v") + " " + more);
    EXPECT_EQ(result.code, 1) << result.out;
    return result.err;
  };
  const std::string good =
      "module m(input clk, input rst_n, input s_awvalid, input [7:0] s_awaddr, input [31:0] "
      "s_wdata);\nendmodule\n";
  const std::string lite = "interfaces: {r: {protocol: axi4-lite, role: subordinate, prefix: s_}}\n";
  EXPECT_THAT(make("module m(input clk);\n  assign q = ;\nendmodule\n", lite), HasSubstr("m.v:2:"));
  EXPECT_THAT(make(good, "clok: clk\n" + lite),
              HasSubstr("pins.yaml:1:1: unknown key 'clok'; did you mean clock?"));
  EXPECT_THAT(
      make(good, "reset: areset\n" + lite),
      HasSubstr("pins.yaml:1:8: module m: no port 'areset', which its pin map means by the key reset"));
  EXPECT_THAT(make("module m(input clk, input rst);\nendmodule\n", lite),
              HasSubstr("pins.yaml:1:1: module m: no port 'rst_n', which its pin map means by leaving out "
                        "the key reset; did you mean rst?"));
  EXPECT_THAT(make(good, "interfaces: {r: {protocol: axi4, role: subordinate, prefix: s_}}\n"),
              HasSubstr("is it axi4-lite?"));
  EXPECT_THAT(make(good, "interfaces: {r: {protocol: axi4-lite, role: manager, prefix: s_}}\n"),
              HasSubstr("there is s_awvalid, but nothing for awready"));
  EXPECT_THAT(make(good, lite, "--verilator=-Wno-BLKANDNBLK"), HasSubstr("-Wno-BLKANDNBLK is refused"));
  EXPECT_THAT(make(good, "tile: {format: int9}\n"), HasSubstr("found 'int9', expected int8 or bf16 or fp16"));
  EXPECT_THAT(make("module m(input clk, input rst_n, inout x);\nendmodule\n", lite), HasSubstr("m"));
}
