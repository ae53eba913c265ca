// SPDX-License-Identifier: Apache-2.0
/// A transformer as the operators that a step carries out, in order: what the compiler turns into commands.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/import/model.hpp"

namespace forerun::models {

enum class OperatorKind : unsigned char {
  embed,                   ///< rows of the embedding table into the residual stream
  scale_embedding,         ///< times a constant of the model
  add_positions,           ///< rows of the table of learned positions, added
  rms_norm,                ///< of the residual stream
  layer_norm,              ///< of the residual stream
  query_key_value,         ///< three projections side by side
  latent_query_key_value,  ///< down to the latent vectors, their norms, and up again
  head_norm,               ///< RMS norm of each query and key head
  rotary,                  ///< rotates queries and keys
  attention,               ///< scores, soft-max, weighted values over the cache and this step's tokens
  attention_output,        ///< projection, added to the residual stream
  gate_up,                 ///< two projections side by side
  up,                      ///< one projection
  activate,                ///< act(gate) * up, or act(up) where there is no gate
  down,                    ///< projection, added to the residual stream
  route,                   ///< scores of the experts, and the choice of some for each token
  experts,     ///< gate, up, activation and down of the chosen experts and of the shared one, added
  post_norm,   ///< of what attention or feed-forward gives, before it is added
  classifier,  ///< logits of the last rows, capped in some models
  choose,      ///< arg-max or a sample
};

/// `inputs` x `outputs` is the shape of the weights for a projection (matrix of the model:
/// [outputs][inputs]); both are the width for the other kinds.
struct Operator {
  OperatorKind kind;
  std::string name;
  std::uint64_t inputs = 0, outputs = 0;
  bool bias = false;  ///< of a projection: one for each output is added
  bool is_projection() const;
};

/// Layers that carry out the same operators with the same attention window.
struct LayerKind {
  std::vector<Operator> operators;
  std::uint32_t window = 0;           ///< positions that a token sees, itself included; 0: all
  std::vector<std::uint32_t> layers;  ///< in ascending order
  bool has(OperatorKind kind) const;
};

/// Operators before the layers, of each layer, and after them.
struct Graph {
  std::vector<Operator> prologue, epilogue;
  std::vector<LayerKind> kinds;  ///< most models have one
  std::uint32_t layers = 0;
};

Graph make_graph(const ModelConfig& config);

/// Multiply-adds (two operations each) of a step over `tokens` rows from `position` on, with logits for
/// `logit_rows`: projections and attention; of experts those that each token takes.
double step_operations(const ModelConfig& config, std::uint64_t position, std::uint64_t tokens,
                       std::uint64_t logit_rows);

}  // namespace forerun::models
