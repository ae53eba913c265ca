// SPDX-License-Identifier: Apache-2.0
/// The golden executor: a model in double precision, independent of the hardware's numerics; or with weights,
/// activations and cache rounded to number formats where a chip would round them, all else in double
/// precision.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/import/model.hpp"
#include "models/import/number_formats.hpp"

namespace forerun::models {

/// Runs a model of any family token by token. All weights are held as binary64, all arithmetic is binary64.
class ReferenceExecutor {
 public:
  /// `context` is the number of positions that the run may have (0: all of the model's); models with longrope
  /// scaling depend on it. With `formats`, the embedding, what projections read and their weights, queries,
  /// keys, values and probabilities are rounded to them; the router's weights are not.
  /// Throws ModelError for a model without weights, FormatError for formats that do not go together.
  explicit ReferenceExecutor(const Model& model, std::uint32_t context = 0,
                             const std::optional<NumberFormats>& formats = std::nullopt);
  /// Feeds the token of the next position (0, 1, ..) and returns the logits after it, [vocabulary].
  /// Throws ModelError for a token outside of the vocabulary or a position outside of the context.
  std::vector<double> step(std::uint32_t token);
  std::uint32_t position() const { return position_; }
  /// The residual stream of the last step: after the embedding, then after each layer, [layers + 1][hidden].
  const std::vector<std::vector<double>>& residuals() const { return residuals_; }

 private:
  using Vector = std::vector<double>;
  struct Matrix {
    std::uint64_t rows = 0, cols = 0;
    Vector values, bias;
    Vector multiply(const Vector& x) const;
    bool absent() const { return rows == 0; }
  };
  struct NormWeights {
    Vector weight, bias;
  };
  struct Dense {
    Matrix gate, up, down;
  };
  struct LayerWeights {
    NormWeights attention_norm, ffn_norm, post_attention_norm, post_ffn_norm, q_norm, k_norm, q_down_norm,
        kv_down_norm;
    Matrix wq, wk, wv, wo, q_down, kv_down, router;
    Vector router_correction;
    Dense ffn, shared;
    std::vector<Dense> experts;
    Vector keys, values;  // [position][kv_heads * head_dim], [position][kv_heads * value_dim]
    Vector value_scales;  // [position][kv_heads], of a cache in integers
  };
  static Matrix widen(const Tensor& tensor);
  /// With the weights rounded.
  Matrix projection(const Affine& affine) const;
  Matrix projection(const Tensor& tensor) const;
  static NormWeights widen_norm(const Affine& affine);
  Dense projection(const FeedForward& ffn) const;
  void round_weights(Matrix& m) const;

  /// As the formats have it, if there are formats.
  Vector carried(Vector x) const;  ///< what is not the operand of a projection
  Vector multiply(const Matrix& weights, Vector x) const;
  void cache(LayerWeights& layer, Vector k, Vector v) const;

  Vector normalise(const Vector& x, const NormWeights& weights, NormKind kind) const;
  Vector normalise(const Vector& x, const NormWeights& weights) const {
    return normalise(x, weights, config_.norm);
  }
  void normalise_heads(Vector& x, const NormWeights& weights) const;
  /// Rotates rotary.dims elements from each head's `first` on.
  void rotate(Vector& x, std::uint32_t heads, std::uint32_t head_dim, std::uint32_t first) const;
  void project(const LayerWeights& layer, const Vector& x, Vector& q, Vector& k, Vector& v) const;
  void project_latent(const LayerWeights& layer, const Vector& x, Vector& q, Vector& k, Vector& v) const;
  Vector attend(LayerWeights& layer, std::uint32_t index, const Vector& x) const;
  double activate(double x) const;
  Vector feed_forward(const Dense& weights, const Vector& x) const;
  Vector mix_experts(const LayerWeights& layer, const Vector& x) const;

  ModelConfig config_;
  std::optional<NumberFormats> formats_;
  std::uint32_t context_;
  Matrix embedding_, positions_, classifier_;
  NormWeights embedding_norm_, final_norm_;
  std::vector<LayerWeights> layers_;
  Vector frequencies_, slopes_;
  std::vector<Vector> residuals_;
  std::uint32_t position_ = 0;
};

/// The routed experts that a token takes and their weights, from the router's scores [experts]; `correction`
/// is empty or [experts]. In the order of experts.
struct Choice {
  std::uint32_t expert;
  double weight;
};
std::vector<Choice> choose_experts(const Experts& config, std::vector<double> scores,
                                   const std::vector<double>& correction);

}  // namespace forerun::models
