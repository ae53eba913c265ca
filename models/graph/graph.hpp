// SPDX-License-Identifier: Apache-2.0
/// A transformer as the operators that a step carries out, in order: what the compiler turns into commands.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/import/model.hpp"

namespace forerun::models {

enum class OperatorKind : unsigned char {
  embed,             ///< rows of the embedding table into the residual stream
  rms_norm,          ///< of the residual stream
  query_key_value,   ///< three projections side by side
  rotary,            ///< rotates queries and keys
  attention,         ///< scores, soft-max, weighted values over the cache and this step's tokens
  attention_output,  ///< projection, added to the residual stream
  gate_up,           ///< two projections side by side
  swiglu,
  down,        ///< projection, added to the residual stream
  classifier,  ///< logits of the last rows
  choose,      ///< arg-max or a sample
};

/// `inputs` x `outputs` is the shape of the weights for a projection (matrix of the model:
/// [outputs][inputs]); both are the width for the other kinds.
struct Operator {
  OperatorKind kind;
  std::string name;
  std::uint64_t inputs = 0, outputs = 0;
  bool is_projection() const;
};

/// Operators before the layers, of each layer, and after them.
struct Graph {
  std::vector<Operator> prologue, layer, epilogue;
  std::uint32_t layers = 0;
};

/// Throws ModelError for a model that cannot be expressed.
Graph make_graph(const ModelConfig& config);

/// Multiply-adds (two operations each) of a step over `tokens` rows from `position` on, with logits for
/// `logit_rows`.
double step_operations(const ModelConfig& config, std::uint64_t position, std::uint64_t tokens,
                       std::uint64_t logit_rows);

}  // namespace forerun::models
