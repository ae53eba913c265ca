// SPDX-License-Identifier: Apache-2.0
// forerun sweep as its users call it.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/platform/cli/program.hpp"

using namespace forerun::test;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

std::string write(const Scratch& scratch, const std::string& text) {
  const auto path = scratch.file("study.yaml");
  std::ofstream(path) << text;
  return path;
}

const char* const study = R"(name: memory and format
run: {chip: edge, data: none, steps: 2}
set: [hbm.queue_depth=32]
sweep:
  hbm.channels: [2, 4]
  run.dtype: [fp16, int8]
)";

std::vector<fs::path> points_in(const Scratch& scratch) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(scratch.file("study.results/points")))
    files.push_back(entry.path());
  return files;
}

TEST(Sweep, RunsEveryCombinationOnceAndGoesOnWhereItWasStopped) {
  const Scratch scratch;
  const auto file = write(scratch, study);
  const auto first = launch("sweep " + file);
  ASSERT_EQ(first.code, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("4 points: 4 run now, 0 from before"));
  const auto csv = read_file(scratch.file("study.results/results.csv"));
  const auto json = read_file(scratch.file("study.results/results.json"));
  EXPECT_TRUE(csv.starts_with("hbm.channels,run.dtype,problem,chip,"));
  const auto points = nlohmann::json::parse(json)["points"];
  ASSERT_EQ(points.size(), 4u);
  EXPECT_EQ(points[1]["axes"]["hbm.channels"], "2");
  EXPECT_EQ(points[1]["axes"]["run.dtype"], "int8") << "the last axis goes fastest";
  EXPECT_EQ(points[1]["report"]["format"], "int8");
  EXPECT_GT(points[0]["report"]["seconds"]["per_token"], points[2]["report"]["seconds"]["per_token"])
      << "twice the channels";

  // One point has been lost, the file of another has been cut short.
  auto files = points_in(scratch);
  ASSERT_EQ(files.size(), 4u) << "one file a point and nothing else";
  fs::remove(files[0]);
  fs::resize_file(files[1], 100);
  const auto second = launch("sweep --jobs 1 " + file);
  EXPECT_EQ(second.code, 0) << second.err;
  EXPECT_THAT(second.out, HasSubstr("4 points: 2 run now, 2 from before"));
  EXPECT_EQ(read_file(scratch.file("study.results/results.csv")), csv) << "the same bytes";
  EXPECT_EQ(read_file(scratch.file("study.results/results.json")), json);
  EXPECT_THAT(launch("sweep --again " + file).out, HasSubstr("4 run now"));
}

TEST(Sweep, KeepsWhatWentWellWhenAPointFails) {
  const Scratch scratch;
  const auto file = write(scratch, R"(run: {chip: edge, data: none, steps: 2}
sweep:
  run.model: [orator-2m, no-such-model]
)");
  const auto result = launch("sweep --out " + scratch.file("here") + " " + file);
  EXPECT_EQ(result.code, 1);
  EXPECT_THAT(result.err, HasSubstr("point 2 (no-such-model): forerun: error: no-such-model: no such file"));
  EXPECT_THAT(result.err, HasSubstr("1 of 2 points have failed"));
  EXPECT_THAT(read_file(scratch.file("here/results.csv")), HasSubstr("orator-2m,,edge,orator-2m"));
  EXPECT_THAT(launch("sweep --out " + scratch.file("here") + " " + file).out,
              HasSubstr("2 points: 1 run now, 1 from before"))
      << "only what failed is tried again";
}

TEST(Sweep, SaysWhatIsWrongAndWhere) {
  const Scratch scratch;
  const auto refuses = [&](const std::string& text, const std::string& message) {
    const auto result = launch("sweep " + write(scratch, text));
    EXPECT_EQ(result.code, 1) << text;
    EXPECT_THAT(result.err, HasSubstr(message)) << text;
  };
  refuses("sweep:\n  hbm.chanels: [2]\n",
          "study.yaml:2:3: hbm.chanels: unknown key; did you mean hbm.channels?");
  refuses("sweep:\n  run.dtyp: [fp16]\n", ":2:3: run.dtyp: unknown key; did you mean run.dtype?");
  refuses("run: {stepps: 3}\nsweep: {hbm.channels: [2]}\n", ":1:7: stepps: unknown key; did you mean steps?");
  refuses("sweep:\n  hbm.channels: 2\n", ":2:17: sweep: hbm.channels: found '2', expected a list of values");
  refuses("run: {chip: edge}\nsweep: {hbm.channels: [2, 5]}\n",
          "hbm.channels: found '5', expected a power of two");
  refuses("run: {chip: edge}\n", "found no `sweep`");
  refuses("sweep: {hbm.channels: [2], hbm.channels: [4]}\n", "hbm.channels: given twice");
  refuses("swep: {hbm.channels: [2]}\n", "swep: unknown key; did you mean sweep?");
  refuses("- 1\n", "found a list, expected a study: a map of keys");
  refuses("run: {report: x.json}\nsweep: {hbm.channels: [2]}\n", "report: unknown key");
  EXPECT_THAT(launch("sweep " + scratch.file("none.yaml")).err, HasSubstr("none.yaml: no such file"));
  EXPECT_EQ(launch("sweep --jobs 0 " + write(scratch, study)).code, 2);
}

}  // namespace
