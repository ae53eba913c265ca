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
    case OperatorKind::scale_embedding:
    case OperatorKind::add_positions:
    case OperatorKind::rms_norm:
    case OperatorKind::layer_norm:
    case OperatorKind::latent_query_key_value:
    case OperatorKind::head_norm:
    case OperatorKind::post_norm:
    case OperatorKind::up:
    case OperatorKind::query_key_value:
    case OperatorKind::rotary:
    case OperatorKind::attention:
    case OperatorKind::attention_output:
    case OperatorKind::gate_up:
    case OperatorKind::route:
    case OperatorKind::experts:
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
      if (!has_commands(op.kind))
        lacks(op.kind == OperatorKind::latent_query_key_value ? "latent attention" : op.name);
  };
  look(graph.prologue);
  for (const auto& kind : graph.kinds) {
    look(kind.operators);
  }
  look(graph.epilogue);
  for (std::size_t i = 2; i < m.windows.size(); ++i)
    if (m.windows[i] != m.windows[i % 2]) lacks("windows that do not take turns from layer to layer");
  const bool windows = std::any_of(m.windows.begin(), m.windows.end(), [](auto w) { return w != 0; });
  if (m.experts.count != 0 && m.experts.first_layer != 0 && windows)
    lacks("windows beside layers with and without experts");
  if (m.value_dim != m.head_dim && !m.is_latent()) lacks("values of another size than keys");
  if (!lacking.empty())
    throw CompileError(fmt::format("{} ({}) cannot be compiled yet; the compiler has no commands for: {}",
                                   m.name, m.family, fmt::join(lacking, ", ")));
}

}  // namespace forerun::models
