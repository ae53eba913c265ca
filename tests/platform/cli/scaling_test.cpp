// SPDX-License-Identifier: Apache-2.0
// Twice the resources: results move the right way, and no rate passes the physical peak.
#include <gtest/gtest.h>

#include <fstream>

#include "tests/platform/cli/program.hpp"

using namespace forerun::test;

namespace {

/// A model of 14 million parameters in llama2.c's layout, of which only the shape matters: the file is a
/// hole.
std::string shape_only_model(const Scratch& scratch) {
  const std::int32_t hidden = 1024, ffn = 2816, layers = 1, heads = 16, kv_heads = 4, vocabulary = 1024,
                     positions = 512;
  const std::int32_t header[] = {hidden, ffn, layers, heads, kv_heads, vocabulary, positions};
  const auto path = scratch.file("shape.bin");
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(header), sizeof header);
  const std::uintmax_t h = hidden, kv = h / heads * kv_heads, head_dim = h / heads;
  const auto per_layer = 2 * h + 2 * h * h + 2 * h * kv + 3 * h * ffn;
  std::filesystem::resize_file(
      path, sizeof header + 4 * (vocabulary * h + layers * per_layer + h + positions * head_dim));
  return path;
}

void expect_within_peak(const nlohmann::json& report) {
  for (const auto& phase : report["phases"]) {
    EXPECT_LE(phase["hbm_fraction_of_peak"].get<double>(), 1) << phase;
    EXPECT_LE(phase["operations_fraction_of_peak"].get<double>(), 1) << phase;
    EXPECT_GT(phase["hbm_fraction_of_peak"].get<double>(), 0) << phase;
  }
  for (const auto& channel : report["hbm_channels"])
    EXPECT_LE(channel["fraction_of_peak"].get<double>(), 1) << channel;
  for (const auto& engine : report["engines"]) EXPECT_LE(engine["busy"].get<double>(), 1) << engine;
  for (const auto& link : report["noc"]["links"]) EXPECT_LE(link["busy"].get<double>(), 1) << link;
}

class Scaling : public testing::Test {
 protected:
  nlohmann::json run(const std::string& workload, const std::string& set) {
    const auto report = report_of("--data none --dtype bf16 --set clusters.count=4 --model " + model + " " +
                                  workload + " " + set);
    expect_within_peak(report);
    return report;
  }
  double seconds_per_token(const std::string& set) { return run("--steps 3", set)["seconds"]["per_token"]; }
  double seconds_of_prefill(const std::string& set) {
    return run("--steps 1 --prompt-tokens 256", set)["seconds"]["first_token"];
  }

  Scratch scratch;
  std::string model = shape_only_model(scratch);
};

}  // namespace

TEST_F(Scaling, DecodeFollowsTheMemoryClock) {
  const std::string narrow = "--set hbm.channels=2 --set hbm.ports=2 ";
  EXPECT_LT(seconds_per_token(narrow + "--set hbm.clock=3.2GHz"), 0.8 * seconds_per_token(narrow))
      << "decode is bound by the memory";
}

TEST_F(Scaling, DecodeGainsFromClusters) {
  EXPECT_LT(seconds_per_token("--set clusters.count=8"), seconds_per_token(""));
}

TEST_F(Scaling, PrefillGainsFromClusters) {
  EXPECT_LT(seconds_of_prefill("--set clusters.count=8"), 0.8 * seconds_of_prefill(""));
}

TEST_F(Scaling, PrefillGainsFromLargerArrays) {
  const std::string small = "--set clusters.tensor.arrays=1 ";
  EXPECT_LT(
      seconds_of_prefill(small + "--set clusters.tensor.rows=32 --set clusters.tensor.columns=32"),
      0.8 * seconds_of_prefill(small + "--set clusters.tensor.rows=16 --set clusters.tensor.columns=16"));
}

TEST_F(Scaling, PrefillIsNotSlowedByMemory) {
  // When transfers end at other times, others meet in the network: some 4 per cent either way.
  EXPECT_LE(seconds_of_prefill("--set hbm.clock=3.2GHz"), 1.05 * seconds_of_prefill(""));
}

TEST_F(Scaling, DecodeIsNotSlowedByLargerArrays) {
  EXPECT_LE(seconds_per_token("--set clusters.tensor.rows=128 --set clusters.tensor.columns=128"),
            1.02 * seconds_per_token(""));
}

/// The figure of docs/models.md: time is deterministic, so that a schedule that gets worse fails.
TEST(Prefill, OfALargeModelKeepsItsShareOfPeak) {
  const auto report = report_of(
      "--model llama-3-8b --dtype bf16 --phase prefill --context 2048 --data none --chip reference --set "
      "hbm.model=row");
  expect_within_peak(report);
  EXPECT_GE(report["phases"][0]["operations_fraction_of_peak"].get<double>(), 0.72);
}
