// SPDX-License-Identifier: Apache-2.0
/// A trained Llama-type model in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace forerun::models {

/// The files are not a model that can be used; what() names the file and says what was expected.
class ModelError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct ModelConfig {
  std::string name;
  std::uint32_t hidden = 0;         ///< width of the residual stream
  std::uint32_t layers = 0;
  std::uint32_t heads = 0;          ///< query heads
  std::uint32_t kv_heads = 0;       ///< divides heads
  std::uint32_t head_dim = 0;       ///< even
  std::uint32_t ffn = 0;            ///< width of the SwiGLU layer
  std::uint32_t vocabulary = 0;
  std::uint32_t max_positions = 0;
  double rms_eps = 1e-5;
  double rope_theta = 10000;
  bool rope_interleaved = false;    ///< pairs (2i, 2i+1) as in llama2.c, else (i, i + head_dim/2)
  bool tied_embeddings = false;
  std::uint32_t bos = 1, eos = 2;
};

enum class TensorType { f32, f16, bf16 };

/// A matrix of `rows` x `cols` elements, row by row; a vector has one row. `data` points into the model's file.
struct Tensor {
  std::string name;
  TensorType type = TensorType::f32;
  std::uint64_t rows = 0, cols = 0;
  std::span<const std::byte> data;

  /// One row as binary32 (exact); `to` holds `cols` elements.
  void read_row(std::uint64_t row, std::span<float> to) const;
};

/// Weight matrices are [outputs][inputs], as both file formats store them.
struct Layer {
  Tensor attention_norm, wq, wk, wv, wo, ffn_norm, gate, up, down;
};

struct Model {
  ModelConfig config;
  Tensor embedding, final_norm, classifier;  ///< the classifier is the embedding when these are tied
  std::vector<Layer> layers;
  std::vector<std::shared_ptr<const void>> files;  ///< keeps the mapped files alive
};

/// A llama2.c file (FILE.bin, first version) or a Hugging Face folder (config.json, model.safetensors or its shards).
/// Throws ModelError.
Model load_model(const std::string& path);

}  // namespace forerun::models
