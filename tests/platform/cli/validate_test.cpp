// SPDX-License-Identifier: Apache-2.0
// forerun validate with suites of the test's own: verdicts, exit codes, pages.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "tests/platform/cli/program.hpp"

using namespace forerun::test;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

namespace {

class Validate : public testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(scratch.file("suites/own"));
    ::setenv("FORERUN_SUITES", scratch.file("suites").c_str(), 1);
    scratch.write("suites/own/one.yaml", R"(title: One channel
source: made up
experiment:
  set: [hbm.channels=1, hbm.ports=1]
  traffic: {pattern: linear}
  warmup: 1 us
  measure: 20 us
cases: one.csv
bars: {bandwidth: 2 points}
plot: {x: traffic.rate, y: bandwidth}
)");
  }
  void cases(const std::string& lines) {
    scratch.write("suites/own/one.csv", "# comment\ntraffic.rate,expect bandwidth,bar bandwidth\n" + lines);
  }
  Scratch scratch;
};

TEST_F(Validate, PassesWithinTheBars) {
  cases("10 %,10,\n50 %,50,5 %\n");
  const auto result = launch("validate own");
  EXPECT_EQ(result.code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("2 of 2 figures are within their bars"), Not(HasSubstr("MISSED"))));
}

TEST_F(Validate, FailsOutsideOfThem) {
  cases("10 %,10,\n50 %,60,\n");
  const auto result = launch("validate own");
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.out, AllOf(HasSubstr("MISSED"), HasSubstr("1 of 2 figures are within their bars")));
}

TEST_F(Validate, ShowsAKnownMissAndFailsBeyondIt) {
  const auto with = [&](const std::string& reference) {
    scratch.write("suites/own/one.csv", "traffic.rate,expect bandwidth,known bandwidth\n10 %,10,\n50 %," +
                                            reference + ",-12 points\n");
    return launch("validate own");
  };
  const auto known = with("60");
  EXPECT_EQ(known.code, 0) << known.out << known.err;
  EXPECT_THAT(known.out,
              AllOf(HasSubstr("2 points missed, as known"),
                    HasSubstr("1 of 2 figures are within their bars, and 1 miss theirs as is known")));
  const auto beyond = with("70");
  EXPECT_EQ(beyond.code, 1);
  EXPECT_THAT(beyond.out, HasSubstr("MISSED"));
  EXPECT_EQ(with("40").code, 1) << "to the other side";
  const auto gone = with("50");
  EXPECT_EQ(gone.code, 0);
  EXPECT_THAT(gone.out, HasSubstr("2 points, no longer missed"));
}

TEST_F(Validate, RefusesAKnownMissOfNothing) {
  scratch.write("suites/own/one.csv", "traffic.rate,expect bandwidth,known latency\n10 %,10,+2 points\n");
  EXPECT_THAT(launch("validate own").err, HasSubstr("'known latency' without 'expect latency'"));
  scratch.write("suites/own/one.csv", "traffic.rate,expect bandwidth,known bandwidth\n10 %,10,inf %\n");
  EXPECT_THAT(launch("validate own").err, HasSubstr("one.csv:2: found 'inf %', expected how far off"));
}

TEST_F(Validate, WritesPagesAndPlots) {
  cases("10 %,10,\n50 %,50,\n");
  std::filesystem::create_directory(scratch.file("docs"));
  scratch.write(
      "docs/fidelity.md",
      "before\n<!-- validate own: printed by forerun validate -->\nold\n<!-- end of own -->\nafter\n");
  const auto result = launch("validate own --docs " + scratch.file("docs"));
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(read_file(scratch.file("docs/fidelity.md")),
              AllOf(HasSubstr("before\n"), HasSubstr("| One channel | bandwidth | 2 |"),
                    Not(HasSubstr("old")), HasSubstr("after\n")));
  EXPECT_THAT(read_file(scratch.file("docs/fidelity/own.md")), HasSubstr("![One channel](one.svg)"));
  EXPECT_THAT(read_file(scratch.file("docs/fidelity/one.svg")), HasSubstr("<svg"));
}

class ValidateRuns : public Validate {
 protected:
  void SetUp() override {
    Validate::SetUp();
    scratch.write("suites/own/one.yaml", R"(title: A product
source: made up
run: {chip: edge, data: none}
cases: one.csv
bars: {phase_ms: 5 %}
)");
  }
  void products(const std::string& lines) {
    scratch.write("suites/own/one.csv",
                  "run.gemm,clusters.tensor.arrays,note kept aside,expect phase_ms,bar phase_ms\n" + lines);
  }
};

TEST_F(ValidateRuns, ComparesReports) {
  // 64 x 256 x 256 in fp16 takes 12.9 us; with one array the products take longer.
  products("64x256x256,,yes,0.0129,\n64x256x256,1,no,0.0129,1000 %\n");
  const auto result = launch("validate own");
  EXPECT_EQ(result.code, 0) << result.out << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("kept aside"), HasSubstr("2 of 2 figures are within their bars")));
  products("64x256x256,,,0.02,\n");
  EXPECT_EQ(launch("validate own").code, 1);
}

TEST_F(ValidateRuns, TakeKeysOfTheChipAndOptionsWithoutAValue) {
  scratch.write(
      "suites/own/one.yaml",
      "title: A step\nsource: made up\nrun: {chip: edge, data: none, model: orator-2m, phase: decode, "
      "context: 8, all-layers: true, clusters.tensor.arrays: 1}\ncases: one.csv\nbars: {phase_ms: 1000 %}\n");
  scratch.write("suites/own/one.csv", "note of,expect phase_ms\nedge,0.1\n");
  const auto result = launch("validate own");
  EXPECT_EQ(result.code, 0) << result.out << result.err;
}

TEST_F(ValidateRuns, SayWhyARunFails) {
  products("64xtwo,,,0.0129,\n");
  const auto result = launch("validate own");
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr("forerun run --chip edge"), HasSubstr("64xtwo")));
  scratch.write("suites/own/one.csv", "run.gemm,expect phase\n8x8x8,1\n");
  EXPECT_THAT(launch("validate own").err, HasSubstr("one.csv:1: no result 'phase' of a run; known are"));
}

TEST_F(Validate, ErrorsNameThePlace) {
  cases("10 %\n");
  EXPECT_THAT(launch("validate own").err, HasSubstr("one.csv:3: 1 cells under 3 headings"));
  cases("10 %,ten,\n");
  EXPECT_THAT(launch("validate own").err, HasSubstr("one.csv:3: expect bandwidth: found 'ten'"));
  cases("10 %,10,five\n");
  EXPECT_THAT(launch("validate own").err, HasSubstr("one.csv:3: found 'five', expected a bar"));
  cases("\n");
  EXPECT_THAT(launch("validate own").err, HasSubstr("no cases"));
  const auto unknown = launch("validate onw");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.err, HasSubstr("known are own"));
}

}  // namespace
