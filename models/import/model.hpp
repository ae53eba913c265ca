// SPDX-License-Identifier: Apache-2.0
/// A trained transformer in memory.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/import/config.hpp"
#include "models/import/tensor.hpp"

namespace forerun::models {

/// The files are not a model that can be used; what() names the file and says what was expected.
class ModelError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A projection, weight [outputs][inputs] and bias [outputs][1], or a norm, both [1][width]. Either may be
/// absent.
struct Affine {
  Tensor weight, bias;
};

/// Ungated layers have no `gate`.
struct FeedForward {
  Affine gate, up, down;
};

struct Layer {
  Affine attention_norm, ffn_norm, post_attention_norm, post_ffn_norm;
  Affine wq, wk, wv, wo;
  Tensor q_norm, k_norm;  ///< [1][head_dim]
  /// Latent attention. Queries: wq over the normalised q_down(x), or over x itself where that is absent.
  /// kv_down gives the compressed vector, which is normalised, and the rotated part of the key; from the
  /// former, wk makes the plain parts of keys, [heads * plain_dim], and wv the values.
  Tensor q_down, q_down_norm, kv_down, kv_down_norm;
  FeedForward ffn;                   ///< absent in layers of experts
  Tensor router, router_correction;  ///< [experts][hidden], [experts][1]
  std::vector<FeedForward> experts;
  FeedForward shared_expert;
};

struct Model {
  ModelConfig config;
  bool has_weights = true;                  ///< false: only `config` is there
  Tensor embedding, positions, classifier;  ///< the classifier is the embedding when these are tied
  Affine embedding_norm, final_norm;
  std::vector<Layer> layers;
  std::vector<std::shared_ptr<const void>> files;  ///< keeps the mapped files alive
};

/// A Hugging Face folder (config.json, model.safetensors or its shards), FILE.gguf, a llama2.c FILE.bin, or
/// for shapes alone config.json or a FILE.yaml of models/zoo. With `shapes_only` no weights are read, and a
/// folder needs none. Throws ModelError.
Model load_model(const std::string& path, bool shapes_only = false);

}  // namespace forerun::models
