// SPDX-License-Identifier: Apache-2.0
// A small model of each family, in its Hugging Face layout, through the importer and the golden executor: the residual
// stream after each layer and the logits against PyTorch's (make_golden.py, in double precision).
#include <gtest/gtest.h>

#include <cmath>

#include "models/reference/reference_executor.hpp"
#include "tests/models/support/model_files.hpp"

using namespace forerun::models;
using forerun::tests::GoldenModel;
using forerun::tests::ScratchFolder;

namespace {

class Family : public testing::TestWithParam<std::string> {};

double distance(const std::vector<double>& a, const nlohmann::json& b) {
  EXPECT_EQ(a.size(), b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::fabs(a[i] - b[i].get<double>()));
  return largest;
}

TEST_P(Family, ComputesWhatPyTorchComputes) {
  const GoldenModel golden(GetParam());
  const ScratchFolder folder;
  golden.write(folder.path());
  const auto model = load_model(folder.path().string());
  ReferenceExecutor executor(model);
  auto expected = golden.text["steps"].begin();
  for (std::uint32_t position = 0; position < golden.ids.size(); ++position) {
    const auto logits = executor.step(golden.ids[position]);
    if ((*expected)["position"] != position) continue;
    const auto& residuals = (*expected)["residuals"];
    ASSERT_EQ(executor.residuals().size(), residuals.size());
    for (std::size_t layer = 0; layer < residuals.size(); ++layer)
      EXPECT_LT(distance(executor.residuals()[layer], residuals[layer]), 1e-8) << "position " << position << " after layer " << layer;
    EXPECT_LT(distance(logits, (*expected)["logits"]), 1e-8) << "position " << position;
    if (++expected == golden.text["steps"].end()) break;
  }
  EXPECT_EQ(expected, golden.text["steps"].end());
}

TEST_P(Family, CountsItsWeights) {
  const GoldenModel golden(GetParam());
  const ScratchFolder folder;
  golden.write(folder.path());
  std::uint64_t weights = 0;
  for (const auto& [name, tensor] : golden.tensors) weights += tensor.values.size();
  EXPECT_EQ(parameter_count(load_model(folder.path().string(), true).config), weights);
}

INSTANTIATE_TEST_SUITE_P(All, Family, testing::ValuesIn(GoldenModel::names()), [](const auto& test) {
  auto name = test.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
