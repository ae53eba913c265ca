// SPDX-License-Identifier: Apache-2.0
#include "models/graph/graph.hpp"

#include <gtest/gtest.h>

using namespace forerun::models;

namespace {

ModelConfig small() {
  ModelConfig c;
  c.hidden = 8, c.layers = 2, c.heads = 4, c.kv_heads = 2, c.head_dim = 2, c.ffn = 16, c.vocabulary = 32,
  c.max_positions = 64;
  complete_config(c, "small");
  return c;
}

}  // namespace

TEST(Graph, HasTheWeightsOfTheModel) {
  const auto graph = make_graph(small());
  std::uint64_t weights = 0;
  for (const auto& op : graph.kinds.front().operators)
    if (op.is_projection()) weights += op.inputs * op.outputs;
  EXPECT_EQ(weights, 8u * 8 + 2 * 8 * 4 + 8 * 8 + 3 * 8 * 16);
  EXPECT_EQ(graph.layers, 2u);
}

TEST(Graph, CountsOperations) {
  const auto c = small();
  const double layer = 2.0 * (8 * 8 + 2 * 8 * 4 + 8 * 8 + 3 * 8 * 16), classifier = 2.0 * 8 * 32;
  // Attention of one token at position p: scores and values over p + 1 positions, 8 columns each.
  EXPECT_DOUBLE_EQ(step_operations(c, 0, 1, 1), 2 * (layer + 4 * 8) + classifier);
  EXPECT_DOUBLE_EQ(step_operations(c, 10, 3, 1), 2 * (3 * layer + 4 * 8 * (11 + 12 + 13)) + classifier);
  EXPECT_DOUBLE_EQ(step_operations(c, 0, 3, 3) - step_operations(c, 0, 3, 1), 2 * classifier);
}
