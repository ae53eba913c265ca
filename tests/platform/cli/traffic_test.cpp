// SPDX-License-Identifier: Apache-2.0
// forerun traffic: tables, files, errors, and the same bytes each time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/platform/cli/program.hpp"

using namespace forerun::test;
using testing::AllOf;
using testing::HasSubstr;

namespace {

const std::string memory = R"(system: memory
chip: reference
set: [hbm.channels=1, hbm.ports=1]
traffic: {pattern: linear, rate: 50 %}
warmup: 5 us
measure: 20 us
)";

/// Column names to values of the only point.
std::map<std::string, double> values(const std::string& csv) {
  std::istringstream lines(csv);
  std::string names, numbers;
  std::getline(lines, names);
  std::getline(lines, numbers);
  std::istringstream name_stream(names), number_stream(numbers);
  std::map<std::string, double> found;
  for (std::string name, number;
       std::getline(name_stream, name, ',') && std::getline(number_stream, number, ',');)
    if (name != "limited_by") found[name.substr(0, name.find(' '))] = std::stod(number);
  return found;
}

std::map<std::string, double> run(const Scratch& scratch, const std::string& experiment,
                                  const std::string& options = "") {
  scratch.write("e.yaml", experiment);
  const auto csv = scratch.file("out.csv");
  const auto result = launch("traffic " + scratch.file("e.yaml") + " --csv " + csv + " " + options);
  EXPECT_EQ(result.code, 0) << result.err;
  return values(read_file(csv));
}

void expect_error(const std::string& experiment, const testing::Matcher<const std::string&>& message,
                  const std::string& options = "") {
  const Scratch scratch;
  scratch.write("e.yaml", experiment);
  const auto result = launch("traffic " + scratch.file("e.yaml") + " " + options);
  EXPECT_EQ(result.code, 1) << result.out;
  EXPECT_THAT(result.err, message);
}

}  // namespace

TEST(Traffic, MemoryServesWhatIsOffered) {
  const Scratch scratch;
  const auto result = run(scratch, memory);
  EXPECT_NEAR(result.at("bandwidth"), 50, 1.5);
  EXPECT_EQ(result.at("stable"), 1);
  EXPECT_GT(result.at("row_hits"), 90);
  EXPECT_GE(result.at("read_latency"), result.at("queue_latency"));
}

TEST(Traffic, NetworkWithoutLoadHasItsClosedForm) {
  const Scratch scratch;
  // A packet of one flit across the diagonal of 8 x 8: 15 routers.
  scratch.write("trace.txt",
                "# time operation address bytes generator\n10 us W 0x3f00000 1 0\n20 us W 0x3f00000 1 0\n");
  const auto result = run(scratch,
                          "system: network\nset: [noc.columns=8, noc.rows=8, noc.speculative=false]\n"
                          "traffic: {pattern: trace, trace: trace.txt, flits: 1}\n");
  EXPECT_EQ(result.at("least"), 6 + 4 * 14);
  EXPECT_EQ(result.at("latency"), 6 + 4 * 14);
}

TEST(Traffic, ChipsClustersReachTheirMemory) {
  const Scratch scratch;
  const auto result =
      run(scratch, "system: chip\ntraffic: {pattern: random, request: 256 B, rate: 20 %}\nmeasure: 20 us\n");
  EXPECT_NEAR(result.at("bandwidth"), 20, 1);
  EXPECT_GT(result.at("hottest_link"), 1);
}

TEST(Traffic, SweepsEveryCombination) {
  const Scratch scratch;
  scratch.write("e.yaml", memory + "sweep: {traffic.pattern: [linear, random], hbm.queue_depth: [8, 32]}\n");
  const auto result = launch("traffic " + scratch.file("e.yaml"));
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 1 + 4 + 0);
}

TEST(Traffic, SameBytesEachTimeWithOrWithoutDataOrRecording) {
  const Scratch scratch;
  const auto text =
      memory + "sweep: {traffic.pattern: [linear, random, blocks], traffic.reads: [100 %, 60 %]}\n";
  scratch.write("e.yaml", text);
  const auto csv = [&](const std::string& options) {
    const auto result =
        launch("traffic " + scratch.file("e.yaml") + " --csv " + scratch.file("out.csv") + " " + options);
    EXPECT_EQ(result.code, 0) << result.err;
    return read_file(scratch.file("out.csv"));
  };
  const auto first = csv("");
  EXPECT_EQ(first, csv(""));
  EXPECT_EQ(first, csv("--set traffic.data=true"));
  EXPECT_EQ(first, csv("--set 'bin=500 ns' --series " + scratch.file("series.csv"))) << "nor on recording";
  EXPECT_NE(first, csv("--set traffic.seed=2"));
}

TEST(Traffic, SeriesAddUp) {
  const Scratch scratch;
  scratch.write("e.yaml", memory + "bin: 500 ns\n");
  ASSERT_EQ(launch("traffic " + scratch.file("e.yaml") + " --series " + scratch.file("s.csv")).code, 0);
  std::istringstream lines(read_file(scratch.file("s.csv")));
  std::string line;
  std::getline(lines, line);
  EXPECT_THAT(line, AllOf(HasSubstr("time (ns),channel,bandwidth (%)"), HasSubstr("refresh (%)")));
  unsigned bins = 0;
  while (std::getline(lines, line)) {
    std::istringstream cells(line);
    std::string cell;
    double limits = 0;
    for (unsigned i = 0; std::getline(cells, cell, ','); ++i)
      if (i >= 8) limits += std::stod(cell);
    if (++bins < 45) {
      EXPECT_NEAR(limits, 100, 1) << line;
    }
  }
  EXPECT_GE(bins, 50u) << "25 us and the drain";
}

TEST(Traffic, ErrorsNameThePlaceAndWhatWasExpected) {
  expect_error("system: memory\ntraffic: {patern: linear}\n",
               AllOf(HasSubstr("e.yaml:2:11"), HasSubstr("did you mean traffic.pattern")));
  expect_error("traffic: {rate: 120 %}\n", AllOf(HasSubstr("e.yaml:1:17"), HasSubstr("'120 %'")));
  expect_error("traffic: [a]\n", HasSubstr("expected a map"));
  expect_error("set: [hbm.queue_dept=3]\n", HasSubstr("did you mean hbm.queue_depth"));
  expect_error("sweep: {hbm.queue_depth: 3}\n", HasSubstr("expected a list of values"));
  expect_error("system: network\ntraffic: {pattern: linear}\n", HasSubstr("no memory to walk through"));
  expect_error("traffic: {pattern: trace, trace: absent.txt}\n", HasSubstr("absent.txt: cannot be read"));
  expect_error(memory, HasSubstr("--set traffic.window=x: traffic.window"), "--set traffic.window=x");
  expect_error("a: [", HasSubstr("not YAML"));
  const auto missing = launch("traffic no-such.yaml");
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.err, HasSubstr("no-such.yaml: no such file"));
}

TEST(Traffic, TracesAreChecked) {
  const Scratch scratch;
  scratch.write("e.yaml", "set: [hbm.channels=1, hbm.ports=1]\ntraffic: {pattern: trace, trace: t.txt}\n");
  const auto error = [&](const std::string& line) {
    scratch.write("t.txt", "# a comment\n1 ns R 0x20 32\n" + line + "\n");
    const auto result = launch("traffic " + scratch.file("e.yaml"));
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.err, HasSubstr("t.txt:3: "));
    return result.err;
  };
  EXPECT_THAT(error("2 ns X 0 32"), HasSubstr("expected R or W"));
  EXPECT_THAT(error("0.5 ns R 0 32"), HasSubstr("earlier"));
  EXPECT_THAT(error("2 R 0 32"), HasSubstr("expected a time"));
  EXPECT_THAT(error("2 ns R 0xffffffffffffffff 32"), HasSubstr("not below"));
  EXPECT_THAT(error("2 ns R 0 32 1"), HasSubstr("found generator '1', expected 0 to 0"));
}
