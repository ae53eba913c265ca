// SPDX-License-Identifier: Apache-2.0
/// Which models the compiler has commands for.
#pragma once

#include "models/graph/graph.hpp"

namespace forerun::models {

/// Throws CompileError naming every operator of the model that the compiler cannot turn into commands.
void check_supported(const ModelConfig& model, const Graph& graph);

}  // namespace forerun::models
