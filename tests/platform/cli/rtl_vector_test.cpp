// SPDX-License-Identifier: Apache-2.0
// Runs of a transformer with RTL in the place of the vector engines.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/platform/cli/program.hpp"

using namespace forerun::test;
using testing::HasSubstr;

namespace {

const int cache = ::setenv("FORERUN_RTL_CACHE", FORERUN_BINARY_DIR "/rtl-cache", 1);

constexpr const char* four_lanes = "--chip edge --set clusters.vector.lanes=4 --prompt We --steps 2 ";

struct Ran {
  nlohmann::json report;
  std::vector<std::uint32_t> ids;
};

Ran run(const std::string& arguments) {
  const Scratch scratch;
  Ran ran;
  ran.report = report_of(arguments + " --ids " + scratch.file("ids"));
  ran.ids = read_ids(scratch.file("ids"));
  return ran;
}

/// What does not depend on RTL and host.
nlohmann::json simulated(nlohmann::json report) {
  report.erase("host");
  report.erase("rtl");
  return report;
}

void expect_same_run(const std::string& model, const std::string& dtype) {
  const auto arguments = four_lanes + dtype;
  const auto tlm = run(arguments), rtl = run(arguments + " --set clusters.vector.model=" + model);
  EXPECT_EQ(rtl.ids, tlm.ids);
  EXPECT_EQ(simulated(rtl.report), simulated(tlm.report))
      << "times and counts, of the vector engine among them";
  ASSERT_EQ(rtl.report["rtl"].size(), 1u);
  const auto& use = rtl.report["rtl"][0];
  EXPECT_EQ(use["name"], "vector");
  EXPECT_GT(use["commands"], 100);
  EXPECT_GT(use["cycles"], 10'000);
  EXPECT_TRUE(use["left_to_the_model"].empty());
}

}  // namespace

// Small tests in one, since each would make the model of the engine again beside the others.
TEST(VectorRtl, GivesTokensAndTimesOfTheModel) {
  expect_same_run("rtl", "--dtype fp16");
  expect_same_run("rtl", "--dtype int8");
  expect_same_run("lockstep", "--dtype bf16");
}

TEST(VectorRtl, AnEngineOfAnotherStyleSaysWhatItLeavesToTheModel) {
  const Scratch scratch;
  const std::string folder = FORERUN_SOURCE_DIR "/tests/platform/rtl/verilog/",
                    file = scratch.file("rectifier.so");
  const auto made = launch("rtl --top rectifier --pins " + folder + "rectifier.yaml -o " + file + " " +
                           folder + "rectifier.v");
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_THAT(made.out, HasSubstr("vector engine: 4 lanes; copy, neg, abs, relu of f32"));
  const auto tlm = run(four_lanes);
  for (const std::string model : {"rtl", "lockstep"}) {
    const auto with =
        run(four_lanes + (" --set clusters.vector.model=" + model) + " --set rtl.vector=" + file);
    EXPECT_EQ(with.ids, tlm.ids);
    const auto& use = with.report["rtl"][0];
    EXPECT_GE(use["commands"], 2) << use;
    EXPECT_GT(use["left_to_the_model"].size(), 3u);
  }
  const auto refused = launch("run --chip edge --set clusters.vector.model=rtl --set rtl.vector=" + file);
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.err, HasSubstr("an engine of 4 lanes, but clusters.vector.lanes is 32"));
}

TEST(VectorRtl, IsRefusedWhereItCannotBe) {
  const auto refused = [](const std::string& arguments) {
    const auto result = launch("run --chip edge " + arguments);
    EXPECT_NE(result.code, 0) << arguments;
    return result.err;
  };
  EXPECT_THAT(refused("--set clusters.vector.model=rtl --data none"),
              HasSubstr("clusters.vector.model is rtl, which needs data: real"));
  EXPECT_THAT(refused("--set rtl.vector=x.so"), HasSubstr("rtl.vector is"));
  EXPECT_THAT(refused("--set clusters.vector.model=rtl --set rtl.vector=nowhere.so"),
              HasSubstr("rtl.vector is nowhere.so, which is no file"));
  EXPECT_THAT(refused("--set clusters.vector.lanes=4096 --set \"clusters.vector.buffer=1 KiB\""),
              HasSubstr("clusters.vector.buffer is 1 KiB, but 4096 lanes of binary32 are 16 KiB"));
}
