// SPDX-License-Identifier: Apache-2.0
// A published model against the outputs of its published C program.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "tests/platform/cli/program.hpp"

using namespace forerun::test;

namespace {

constexpr std::size_t vocabulary = 512, positions = 257;

class Stories : public testing::Test {
 protected:
  void SetUp() override {
    const auto models = shared_models();
    if (!models || !std::filesystem::exists(*models + "/stories260K"))
      GTEST_SKIP() << "the model stories260K is not here (FORERUN_SHARED)";
    folder = *models + "/stories260K";
    ids = read_ids(folder + "/golden_ids.txt");
    golden = read_floats(folder + "/golden_logits_f32.bin");
    ASSERT_EQ(ids.size(), positions);
    ASSERT_EQ(golden.size(), positions * vocabulary);
  }
  std::vector<std::uint32_t> generate(const std::string& arguments, unsigned steps) const {
    const auto result = launch("run --model " + folder + "/stories260K.bin --steps " + std::to_string(steps) +
                               " --ids " + scratch.file("ids") + " " + arguments);
    EXPECT_EQ(result.code, 0) << result.err;
    return read_ids(scratch.file("ids"));
  }
  std::vector<float> teach(const std::string& arguments) const {
    const auto result = launch("run --model " + folder + "/stories260K.bin --teacher " + folder +
                               "/golden_ids.txt --logits " + scratch.file("logits") + " " + arguments);
    EXPECT_EQ(result.code, 0) << result.err;
    auto logits = read_floats(scratch.file("logits"));
    EXPECT_EQ(logits.size(), positions * vocabulary);
    logits.resize(positions * vocabulary);
    return logits;
  }
  /// Largest error of a logit, and the golden choice wherever it leads by more than twice the tolerance.
  void expect_close(const std::vector<float>& logits, float tolerance) const {
    float worst = 0;
    for (std::size_t i = 0; i < logits.size(); ++i)
      worst = std::max(worst, std::isnan(logits[i]) ? INFINITY : std::abs(logits[i] - golden[i]));
    EXPECT_LE(worst, tolerance);
    RecordProperty("worst_logit_error", std::to_string(worst));
    for (std::size_t p = 0; p < positions; ++p) {
      const auto row = golden.begin() + static_cast<std::ptrdiff_t>(p * vocabulary),
                 own = logits.begin() + static_cast<std::ptrdiff_t>(p * vocabulary);
      std::vector<float> sorted(row, row + vocabulary);
      std::partial_sort(sorted.begin(), sorted.begin() + 2, sorted.end(), std::greater<>());
      if (sorted[0] - sorted[1] > 2 * tolerance) {
        EXPECT_EQ(std::max_element(own, own + vocabulary) - own,
                  std::max_element(row, row + vocabulary) - row)
            << "position " << p;
      }
    }
  }
  std::size_t equal_ids(const std::vector<std::uint32_t>& other) const {
    return static_cast<std::size_t>(std::mismatch(ids.begin(), ids.end(), other.begin(), other.end()).first -
                                    ids.begin());
  }
  Scratch scratch;
  std::string folder;
  std::vector<std::uint32_t> ids;
  std::vector<float> golden;
};

}  // namespace

TEST_F(Stories, Fp32IdsOnOneCluster) { EXPECT_EQ(generate("--chip edge --dtype fp32", 256), ids); }
TEST_F(Stories, Fp32IdsOnFourClusters) {
  EXPECT_EQ(generate("--chip reference --set clusters.count=4 --dtype fp32", 256), ids);
}
TEST_F(Stories, Fp32IdsOnSixteenClusters) { EXPECT_EQ(generate("--chip reference --dtype fp32", 256), ids); }
TEST_F(Stories, Fp32Logits) { expect_close(teach("--chip edge --dtype fp32"), 1e-3F); }
TEST_F(Stories, Fp16Logits) { expect_close(teach("--chip edge --dtype fp16"), 0.1F); }
TEST_F(Stories, Bf16Logits) { expect_close(teach("--chip reference --dtype bf16"), 0.8F); }
TEST_F(Stories, Fp16Ids) { EXPECT_GE(equal_ids(generate("--chip edge --dtype fp16", 256)), 100u); }
TEST_F(Stories, Bf16Ids) { EXPECT_GE(equal_ids(generate("--chip edge --dtype bf16", 256)), 60u); }

TEST_F(Stories, Int8Likelihood) {
  const auto logits = teach("--chip edge --dtype int8");
  double sum = 0;
  for (std::size_t p = 0; p + 1 < positions; ++p) {
    const auto* row = logits.data() + p * vocabulary;
    const double top = *std::max_element(row, row + vocabulary);
    double total = 0;
    for (std::size_t i = 0; i < vocabulary; ++i) total += std::exp(row[i] - top);
    sum += top + std::log(total) - row[ids[p + 1]];
  }
  EXPECT_LE(sum / (positions - 1), 0.47);
}
