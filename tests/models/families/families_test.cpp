// SPDX-License-Identifier: Apache-2.0
// A small model of each family, in its Hugging Face layout, through the importer and the golden executor: the
// residual stream after each layer and the logits against PyTorch's (make_golden.py, in double precision).
#include <gtest/gtest.h>

#include <cmath>

#include "models/reference/reference_executor.hpp"
#include "tests/models/support/gguf_convert.hpp"

using namespace forerun::models;
using namespace forerun::tests;

namespace {

class Family : public testing::TestWithParam<std::string> {};

double distance(const std::vector<double>& a, const nlohmann::json& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::fabs(a[i] - b[i].get<double>()));
  return largest;
}

void compare(const Model& model, const GoldenModel& golden, double tolerance) {
  ReferenceExecutor executor(model);
  auto expected = golden.text["steps"].begin();
  for (std::uint32_t position = 0; position < golden.ids.size(); ++position) {
    const auto logits = executor.step(golden.ids[position]);
    if ((*expected)["position"] != position) continue;
    const auto& residuals = (*expected)["residuals"];
    ASSERT_EQ(executor.residuals().size(), residuals.size());
    for (std::size_t layer = 0; layer < residuals.size(); ++layer)
      EXPECT_LT(distance(executor.residuals()[layer], residuals[layer]), tolerance)
          << "position " << position << " after layer " << layer;
    EXPECT_LT(distance(logits, (*expected)["logits"]), tolerance) << "position " << position;
    if (++expected == golden.text["steps"].end()) break;
  }
  EXPECT_EQ(expected, golden.text["steps"].end());
}

TEST_P(Family, ComputesWhatPyTorchComputes) {
  const GoldenModel golden(GetParam());
  const ScratchFolder folder;
  golden.write(folder.path());
  compare(load_model(folder.path().string()), golden, 1e-8);
}

TEST_P(Family, ComputesTheSameFromGguf) {
  const GoldenModel golden(GetParam());
  if (!has_gguf_form(golden.text["config"])) GTEST_SKIP() << "GGUF has no such family";
  const ScratchFolder folder;
  const auto content = to_gguf(golden.text["config"], golden.tensors);
  const auto path = folder / "model.gguf";
  write_gguf(path, content.metadata, content.tensors);
  auto model = load_model(path.string());
  // GGUF has no keys for which layers of Qwen2 have a window, for Gemma 2's scale of scores, and for an
  // amplitude of DeepSeek's. Its other numbers are binary32.
  if (GetParam() == "qwen2-yarn") model.config.windows = {0, 5};
  if (GetParam() == "gemma2") model.config.score_scale = 1 / std::sqrt(20);
  if (GetParam() == "deepseek_v3")
    model.config.rotary.amplitude = (1 + 0.08 * std::log(40)) / (1 + 0.1 * std::log(40));
  compare(model, golden, 2e-6);
}

TEST_P(Family, CountsItsWeights) {
  const GoldenModel golden(GetParam());
  const ScratchFolder folder;
  golden.write(folder.path());
  std::uint64_t weights = 0;
  for (const auto& [name, tensor] : golden.tensors) weights += tensor.values.size();
  EXPECT_EQ(parameter_count(load_model(folder.path().string(), true).config), weights);
}

/// Probabilities after the last token, as recorded by record_llama_cpp.mjs.
TEST(LlamaCpp, ComputesTheSame) {
  const auto recorded =
      nlohmann::json::parse(slurp(FORERUN_SOURCE_DIR "/tests/models/families/llama_cpp.json"));
  const auto models = gguf_models();
  const ScratchFolder folder;
  EXPECT_GE(recorded["probabilities"].size(), 24u);
  for (const auto& [name, expected] : recorded["probabilities"].items()) {
    const auto path = folder / (name + ".gguf");
    write_gguf(path, models.at(name).metadata, models.at(name).tensors);
    auto model = load_model(path.string());
    // llama.cpp has no windows for Mistral and has given up those of Phi-3.
    if (name == "mistral" || name == "phi3") model.config.windows.assign(model.config.layers, 0);
    ReferenceExecutor executor(model);
    std::vector<double> logits;
    for (const auto& id : recorded["ids"]) logits = executor.step(id.get<std::uint32_t>());
    double total = 0;
    for (const double l : logits) total += std::exp(l);
    for (auto& l : logits) l = std::exp(l) / total;
    // It looks GELU up in a table of binary16.
    const bool table = model.config.activation == Activation::gelu_tanh;
    EXPECT_LT(distance(logits, expected), table ? 1e-3 : 2e-6) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Family, testing::ValuesIn(GoldenModel::names()), [](const auto& test) {
  auto name = test.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
