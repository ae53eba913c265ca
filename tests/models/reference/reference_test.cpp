// SPDX-License-Identifier: Apache-2.0
// Against outputs that others computed: PyTorch in double precision for the bundled model, llama2.c's for
// stories260K.
#include "models/reference/reference_executor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace forerun::models;

namespace {

std::uint32_t largest(const std::vector<double>& logits) {
  return static_cast<std::uint32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

double negative_log_likelihood(const std::vector<double>& logits, std::uint32_t id) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double l : logits) sum += std::exp(l - top);
  return top + std::log(sum) - logits[id];
}

TEST(Reference, BundledModelWritesWhatPyTorchWrites) {
  const std::string folder = FORERUN_SOURCE_DIR "/models/zoo/orator-2m";
  const auto model = load_model(folder);
  const auto golden = nlohmann::json::parse(std::ifstream(folder + "/golden.json"));
  ReferenceExecutor executor(model);
  std::vector<double> logits;
  for (const auto& id : golden["prompt_ids"]) logits = executor.step(id.get<std::uint32_t>());
  for (const auto& id : golden["greedy_ids"]) {
    ASSERT_EQ(largest(logits), id.get<std::uint32_t>()) << "position " << executor.position();
    logits = executor.step(id.get<std::uint32_t>());
  }
  ReferenceExecutor forced(model);
  const auto ids = golden["held_out_ids"].get<std::vector<std::uint32_t>>();
  double sum = 0;
  for (std::size_t i = 0; i + 1 < ids.size(); ++i)
    sum += negative_log_likelihood(forced.step(ids[i]), ids[i + 1]);
  EXPECT_NEAR(sum / static_cast<double>(ids.size() - 1), golden["held_out_mean_nll"].get<double>(), 1e-9);
}

TEST(Reference, Stories260K) {
  const char* shared = std::getenv("FORERUN_SHARED");
  const auto folder =
      std::string(shared != nullptr ? shared : FORERUN_SOURCE_DIR "/../shared") + "/models/stories260K/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no stories260K at " << folder;
  const auto model = load_model(folder + "stories260K.bin");
  std::vector<std::uint32_t> ids;
  std::ifstream text(folder + "golden_ids.txt");
  for (std::uint32_t id = 0; text >> id;) ids.push_back(id);
  ASSERT_EQ(ids.size(), 257u);
  std::vector<float> golden(257 * 512);
  std::ifstream(folder + "golden_logits_f32.bin", std::ios::binary)
      .read(reinterpret_cast<char*>(golden.data()), static_cast<std::streamsize>(golden.size() * 4));
  ReferenceExecutor executor(model);
  double error = 0, sum = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto logits = executor.step(ids[i]);
    for (std::size_t v = 0; v < 512; ++v)
      error = std::max(error, std::fabs(logits[v] - static_cast<double>(golden[i * 512 + v])));
    if (i + 1 == ids.size()) continue;
    EXPECT_EQ(largest(logits), ids[i + 1]) << "position " << i;
    sum += negative_log_likelihood(logits, ids[i + 1]);
  }
  EXPECT_LT(error, 1e-3);
  EXPECT_NEAR(sum / 256, 0.4573, 1e-4);
}

TEST(Reference, RefusesWhatIsOutside) {
  const auto model = load_model(FORERUN_SOURCE_DIR "/models/zoo/orator-2m");
  ReferenceExecutor executor(model);
  EXPECT_THROW(executor.step(1024), ModelError);
}

}  // namespace
