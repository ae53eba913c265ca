// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/support.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "models/compiler/plan.hpp"

namespace forerun::models {
namespace {

bool has_commands(OperatorKind kind) {
  switch (kind) {
    case OperatorKind::embed:
    case OperatorKind::rms_norm:
    case OperatorKind::query_key_value:
    case OperatorKind::rotary:
    case OperatorKind::attention:
    case OperatorKind::attention_output:
    case OperatorKind::gate_up:
    case OperatorKind::activate:
    case OperatorKind::down:
    case OperatorKind::classifier:
    case OperatorKind::choose:
      return true;
    default:
      return false;
  }
}

}  // namespace

void check_supported(const ModelConfig& m, const Graph& graph) {
  std::vector<std::string> lacking;
  const auto lacks = [&](std::string what) {
    if (std::find(lacking.begin(), lacking.end(), what) == lacking.end()) lacking.push_back(std::move(what));
  };
  const auto look = [&](const std::vector<Operator>& operators) {
    for (const auto& op : operators)
      if (!has_commands(op.kind)) lacks(op.name);
  };
  look(graph.prologue);
  for (const auto& kind : graph.kinds) {
    look(kind.operators);
    if (kind.window != 0) lacks("attention over a sliding window");
  }
  look(graph.epilogue);
  if (graph.kinds.size() > 1) lacks("layers that differ");
  if (m.gated && m.activation != Activation::silu) lacks("a gated activation other than silu");
  if (m.positions == Positions::alibi) lacks("attention with linear biases (ALiBi)");
  if (m.positions == Positions::rotary && m.rotary.dims != m.head_dim && !m.is_latent()) lacks("rotary embedding of a part of each head");
  if (m.score_cap > 0) lacks("attention with capped scores");
  if (m.value_dim != m.head_dim && !m.is_latent()) lacks("values of another size than keys");
  if (!lacking.empty())
    throw CompileError(fmt::format("{} ({}) cannot be compiled yet; the compiler has no commands for: {}", m.name, m.family,
                                   fmt::join(lacking, ", ")));
}

}  // namespace forerun::models
