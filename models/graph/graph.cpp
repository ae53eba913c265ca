// SPDX-License-Identifier: Apache-2.0
#include "models/graph/graph.hpp"

namespace forerun::models {

bool Operator::is_projection() const {
  switch (kind) {
    case OperatorKind::query_key_value:
    case OperatorKind::attention_output:
    case OperatorKind::gate_up:
    case OperatorKind::down:
    case OperatorKind::classifier:
      return true;
    default:
      return false;
  }
}

Graph make_graph(const ModelConfig& c) {
  const std::uint64_t queries = std::uint64_t{c.heads} * c.head_dim,
                      keys = std::uint64_t{c.kv_heads} * c.head_dim;
  Graph graph;
  graph.layers = c.layers;
  graph.prologue = {{OperatorKind::embed, "embed", c.vocabulary, c.hidden}};
  graph.layer = {
      {OperatorKind::rms_norm, "attention_norm", c.hidden, c.hidden},
      {OperatorKind::query_key_value, "query_key_value", c.hidden, queries + 2 * keys},
      {OperatorKind::rotary, "rotary", queries + keys, queries + keys},
      {OperatorKind::attention, "attention", queries, queries},
      {OperatorKind::attention_output, "attention_output", queries, c.hidden},
      {OperatorKind::rms_norm, "ffn_norm", c.hidden, c.hidden},
      {OperatorKind::gate_up, "gate_up", c.hidden, 2ull * c.ffn},
      {OperatorKind::swiglu, "swiglu", c.ffn, c.ffn},
      {OperatorKind::down, "down", c.ffn, c.hidden},
  };
  graph.epilogue = {{OperatorKind::rms_norm, "final_norm", c.hidden, c.hidden},
                    {OperatorKind::classifier, "classifier", c.hidden, c.vocabulary},
                    {OperatorKind::choose, "choose", c.vocabulary, 1}};
  return graph;
}

double step_operations(const ModelConfig& c, std::uint64_t position, std::uint64_t tokens,
                       std::uint64_t logit_rows) {
  const auto graph = make_graph(c);
  double per_token = 0, attention = 0;
  for (const auto& op : graph.layer) {
    if (op.is_projection())
      per_token += 2.0 * static_cast<double>(op.inputs) * static_cast<double>(op.outputs);
    if (op.kind == OperatorKind::attention)
      for (std::uint64_t t = 0; t < tokens; ++t)
        attention += 4.0 * static_cast<double>(op.inputs * (position + t + 1));
  }
  return c.layers * (per_token * static_cast<double>(tokens) + attention) +
         2.0 * c.hidden * static_cast<double>(c.vocabulary) * static_cast<double>(logit_rows);
}

}  // namespace forerun::models
