// SPDX-License-Identifier: Apache-2.0
/// Turns a plan into the command stream of one cluster.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/compiler/plan.hpp"
#include "models/graph/graph.hpp"

namespace forerun::models {

/// The stream serves every step: prefill and decode differ only in the run-time parameters.
///
/// Loads of weights and of the cache run ahead through a ring of buffers; everything else is one chain of
/// commands, in which a command that changes the engine waits for the one before. Layers are one loop. Where
/// a result is needed by every cluster, each stores its columns into the scratchpads of all, posts to the
/// others and goes on when all have posted.
std::vector<unsigned char> emit_stream(const Plan& plan, const Graph& graph, std::uint32_t cluster);

/// Names of the tags that emit_stream gives to commands: "embed", "layers.attention", "choose".
std::vector<std::string> tag_names(const Graph& graph);

}  // namespace forerun::models
