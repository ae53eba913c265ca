// SPDX-License-Identifier: Apache-2.0
#include "models/graph/graph.hpp"

#include <algorithm>

namespace forerun::models {
namespace {

class LayerBuilder {
 public:
  explicit LayerBuilder(const ModelConfig& c) : c_(c) {}

  std::vector<Operator> build(bool experts) {
    norm("attention_norm");
    if (c_.is_latent())
      add(OperatorKind::latent_query_key_value, "query_key_value", c_.hidden, queries() + keys() + values());
    else
      add(OperatorKind::query_key_value, "query_key_value", c_.hidden, queries() + keys() + values());
    operators_.back().bias = c_.qkv_bias;
    if (c_.qk_norm) same(OperatorKind::head_norm, "head_norm", queries() + keys());
    if (c_.positions == Positions::rotary) same(OperatorKind::rotary, "rotary", queries() + keys());
    same(OperatorKind::attention, "attention", queries());
    add(OperatorKind::attention_output, "attention_output", attended(), c_.hidden);
    operators_.back().bias = c_.output_bias;
    if (c_.post_norms) same(OperatorKind::post_norm, "post_attention_norm", c_.hidden);
    norm("ffn_norm");
    if (experts) {
      add(OperatorKind::route, "route", c_.hidden, c_.experts.count);
      same(OperatorKind::experts, "experts", c_.hidden);
    } else {
      if (c_.gated)
        add(OperatorKind::gate_up, "gate_up", c_.hidden, 2ull * c_.ffn);
      else
        add(OperatorKind::up, "up", c_.hidden, c_.ffn);
      operators_.back().bias = c_.ffn_bias;
      same(OperatorKind::activate, c_.gated && c_.activation == Activation::silu ? "swiglu" : "activate",
           c_.ffn);
      add(OperatorKind::down, "down", c_.ffn, c_.hidden);
      operators_.back().bias = c_.ffn_bias;
    }
    if (c_.post_norms) same(OperatorKind::post_norm, "post_ffn_norm", c_.hidden);
    return std::move(operators_);
  }

 private:
  std::uint64_t queries() const { return std::uint64_t{c_.heads} * c_.head_dim; }
  std::uint64_t keys() const { return std::uint64_t{c_.kv_heads} * c_.head_dim; }
  std::uint64_t values() const { return std::uint64_t{c_.kv_heads} * c_.value_dim; }
  std::uint64_t attended() const { return std::uint64_t{c_.heads} * c_.value_dim; }
  void add(OperatorKind kind, std::string name, std::uint64_t inputs, std::uint64_t outputs) {
    operators_.push_back({kind, std::move(name), inputs, outputs});
  }
  void same(OperatorKind kind, std::string name, std::uint64_t width) {
    add(kind, std::move(name), width, width);
  }
  void norm(std::string name) {
    same(c_.norm == NormKind::rms ? OperatorKind::rms_norm : OperatorKind::layer_norm, std::move(name),
         c_.hidden);
  }
  const ModelConfig& c_;
  std::vector<Operator> operators_;
};

/// Weights that one token is multiplied with in attention's projections and feed-forward.
double layer_weights(const ModelConfig& c, std::uint32_t layer) {
  const double h = c.hidden, queries = double{1} * c.heads * c.head_dim,
               keys = double{1} * c.kv_heads * c.head_dim, values = double{1} * c.kv_heads * c.value_dim,
               attended = double{1} * c.heads * c.value_dim;
  double sum = attended * h;
  if (c.is_latent()) {
    const auto& l = c.latent;
    sum += l.q_rank != 0 ? l.q_rank * (h + queries) : h * queries;
    sum += h * (double{1} * l.kv_rank + l.rotary_dim) +
           double{1} * l.kv_rank * c.heads * (double{1} * l.plain_dim + c.value_dim);
  } else {
    sum += h * (queries + keys + values);
  }
  const double matrices = c.gated ? 3 : 2;
  const auto& e = c.experts;
  if (c.has_experts(layer))
    return sum + h * e.count + matrices * h * (double{1} * e.used * e.ffn + e.shared_ffn);
  return sum + matrices * h * c.ffn;
}

}  // namespace

bool Operator::is_projection() const {
  switch (kind) {
    case OperatorKind::query_key_value:
    case OperatorKind::attention_output:
    case OperatorKind::gate_up:
    case OperatorKind::up:
    case OperatorKind::down:
    case OperatorKind::route:
    case OperatorKind::classifier:
      return true;
    default:
      return false;
  }
}

bool LayerKind::has(OperatorKind kind) const {
  return std::any_of(operators.begin(), operators.end(),
                     [kind](const Operator& op) { return op.kind == kind; });
}

Graph make_graph(const ModelConfig& c) {
  Graph graph;
  graph.layers = c.layers;
  const auto norm = c.norm == NormKind::rms ? OperatorKind::rms_norm : OperatorKind::layer_norm;
  graph.prologue = {{OperatorKind::embed, "embed", c.vocabulary, c.hidden}};
  if (c.embedding_scale != 1)
    graph.prologue.push_back({OperatorKind::scale_embedding, "scale_embedding", c.hidden, c.hidden});
  if (c.positions == Positions::learned)
    graph.prologue.push_back({OperatorKind::add_positions, "add_positions", c.max_positions, c.hidden});
  if (c.embedding_norm) graph.prologue.push_back({norm, "embedding_norm", c.hidden, c.hidden});
  for (std::uint32_t i = 0; i < c.layers; ++i) {
    const auto same = std::find_if(graph.kinds.begin(), graph.kinds.end(), [&](const LayerKind& k) {
      return k.window == c.windows[i] && c.has_experts(k.layers.front()) == c.has_experts(i);
    });
    if (same != graph.kinds.end())
      same->layers.push_back(i);
    else
      graph.kinds.push_back({LayerBuilder(c).build(c.has_experts(i)), c.windows[i], {i}});
  }
  graph.epilogue = {{norm, "final_norm", c.hidden, c.hidden},
                    {OperatorKind::classifier, "classifier", c.hidden, c.vocabulary}};
  graph.epilogue.push_back({OperatorKind::choose, "choose", c.vocabulary, 1});
  return graph;
}

double step_operations(const ModelConfig& c, std::uint64_t position, std::uint64_t tokens,
                       std::uint64_t logit_rows) {
  double sum = 2.0 * c.hidden * static_cast<double>(c.vocabulary) * static_cast<double>(logit_rows);
  for (std::uint32_t layer = 0; layer < c.layers; ++layer) {
    sum += 2 * layer_weights(c, layer) * static_cast<double>(tokens);
    const std::uint64_t window = c.windows[layer] != 0 ? c.windows[layer] : ~0ull;
    for (std::uint64_t t = 0; t < tokens; ++t)
      sum += 2.0 * c.heads * (double{1} * c.head_dim + c.value_dim) *
             static_cast<double>(std::min(position + t + 1, window));
  }
  return sum;
}

}  // namespace forerun::models
