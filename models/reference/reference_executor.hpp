// SPDX-License-Identifier: Apache-2.0
/// The golden executor: a model in double precision, independent of the hardware's numerics.
#pragma once

#include <cstdint>
#include <vector>

#include "models/import/model.hpp"

namespace forerun::models {

/// Runs a model token by token. All weights are held as binary64, all arithmetic is binary64.
class ReferenceExecutor {
 public:
  explicit ReferenceExecutor(const Model& model);
  /// Feeds the token of the next position (0, 1, ..) and returns the logits after it, [vocabulary].
  /// Throws ModelError for a token outside of the vocabulary or a position outside of the context.
  std::vector<double> step(std::uint32_t token);
  std::uint32_t position() const { return position_; }

 private:
  struct Matrix {
    std::uint64_t rows = 0, cols = 0;
    std::vector<double> values;
    std::vector<double> multiply(const std::vector<double>& x) const;
  };
  struct LayerWeights {
    Matrix attention_norm, wq, wk, wv, wo, ffn_norm, gate, up, down;
    std::vector<double> keys, values;  // [position][kv_heads * head_dim]
  };
  static Matrix widen(const Tensor& tensor);
  std::vector<double> normalise(const std::vector<double>& x, const Matrix& weight) const;
  void rotate(std::vector<double>& x, std::uint32_t heads) const;
  std::vector<double> attend(LayerWeights& layer, const std::vector<double>& x) const;

  ModelConfig config_;
  Matrix embedding_, final_norm_, classifier_;
  std::vector<LayerWeights> layers_;
  std::uint32_t position_ = 0;
};

}  // namespace forerun::models
