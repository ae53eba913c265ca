// SPDX-License-Identifier: Apache-2.0
// The main job and its smaller sisters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/platform/cli/program.hpp"

using namespace forerun::test;
using testing::HasSubstr;

namespace {

std::vector<std::uint32_t> golden(const std::string& key) {
  return nlohmann::json::parse(read_file(FORERUN_SOURCE_DIR "/models/zoo/orator-2m/golden.json"))
      .at(key)
      .get<std::vector<std::uint32_t>>();
}

std::vector<std::uint32_t> ids_of(const std::string& arguments) {
  const Scratch scratch;
  const auto result = launch("run " + arguments + " --ids " + scratch.file("ids"));
  EXPECT_EQ(result.code, 0) << result.err;
  return read_ids(scratch.file("ids"));
}

}  // namespace

TEST(Run, ShowsBootTextAndReport) {
  const auto result = launch("run --chip edge --steps 4");
  EXPECT_EQ(result.code, 0) << result.err;
  for (const auto* text : {"uart| ", "The people of the United States", "time to first token", "tokens/s",
                           "hbm0.channel0", "busiest links", "cycles/s"})
    EXPECT_THAT(result.out, HasSubstr(text));
}

TEST(Run, GivesTheGoldenIds) {
  auto expected = golden("prompt_ids");
  const auto next = golden("greedy_ids");
  expected.insert(expected.end(), next.begin(), next.begin() + 24);
  EXPECT_EQ(ids_of("--chip edge --dtype fp32 --steps 24"), expected);
}

TEST(Run, GivesTheSameIdsOnEveryChip) {
  const std::string job = " --dtype bf16 --steps 6 --prompt 'In the beginning'";
  const auto one = ids_of("--chip edge" + job);
  EXPECT_EQ(ids_of("--chip reference" + job), one);
  EXPECT_EQ(ids_of("--chip reference --set clusters.count=4 --set clusters.tensor.columns=16" + job), one);
  EXPECT_EQ(ids_of("--chip edge --set timing=loose" + job), one);
  EXPECT_EQ(ids_of("--chip edge --native" + job), one);
}

TEST(Run, SamplesWithItsSeed) {
  const auto text = [](const std::string& seed) {
    const auto out = launch("run --chip edge --steps 12 --temperature 0.9 --seed " + seed).out;
    return out.substr(0, out.find("uart| done"));
  };
  EXPECT_EQ(text("1"), text("1"));
  EXPECT_NE(text("1"), text("2"));
}

TEST(Run, TakesTheSameTimeWithoutData) {
  const std::string job = "--chip edge --steps 5 --prompt 'We the people' --temperature 0 ";
  auto with = report_of(job), without = report_of(job + "--data none");
  EXPECT_EQ(with["data"], "real");
  EXPECT_EQ(without["data"], "none");
  with.erase("data"), without.erase("data");
  EXPECT_EQ(with, without) << "everything but the data mode is equal, to the cycle";
}

TEST(Run, ReportsTheSameBytesTwice) {
  const std::string job = "--set clusters.count=2 --steps 3 --dtype int8";
  const auto first = report_of(job);
  EXPECT_EQ(first.dump(), report_of(job).dump());
  EXPECT_GT(first["cpu"]["instructions"], 0);
}

TEST(Run, TakesACompiledProgram) {
  const Scratch scratch;
  ASSERT_EQ(launch("compile --chip edge --dtype fp32 --context 64 -o " + scratch.file("program")).code, 0);
  EXPECT_EQ(ids_of("--chip edge --steps 4 --program " + scratch.file("program")),
            ids_of("--chip edge --steps 4 --dtype fp32"));
}

TEST(Compile, PrintsAListing) {
  const auto result = launch("compile --chip edge --listing");
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("layers.attention:"));
}

TEST(Boot, RunsAProgramToItsExitCode) {
  const auto result = launch("boot --chip edge " FORERUN_BINARY_DIR "/firmware/hello.elf");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("Hello"));
  const Scratch scratch;
  EXPECT_EQ(launch("boot --chip edge --uart file:" + scratch.file("log") +
                   " " FORERUN_BINARY_DIR "/firmware/hello.elf")
                .code,
            0);
  EXPECT_THAT(read_file(scratch.file("log")), HasSubstr("Hello"));
}

TEST(Chip, IsPrintedResolved) {
  const Scratch scratch;
  const auto result = launch("chip edge --set clusters.count=3");
  EXPECT_EQ(result.code, 0) << result.err;
  scratch.write("resolved.yaml", result.out);
  EXPECT_EQ(launch("chip " + scratch.file("resolved.yaml")).out, result.out);
  EXPECT_EQ(nlohmann::json::parse(launch("chip --schema").out).at("additionalProperties"), false);
  EXPECT_THAT(launch("chip --list").out, HasSubstr("reference"));
}
