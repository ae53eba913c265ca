// SPDX-License-Identifier: Apache-2.0
#include "models/reference/reference_executor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "models/reference/rounding.hpp"

namespace forerun::models {
namespace {

void add_to(std::vector<double>& x, const std::vector<double>& y, double scale = 1) {
  for (std::size_t i = 0; i < x.size(); ++i) x[i] += scale * y[i];
}

double capped(double x, double cap) { return cap > 0 ? cap * std::tanh(x / cap) : x; }

}  // namespace

ReferenceExecutor::Matrix ReferenceExecutor::widen(const Tensor& tensor) {
  Matrix m{tensor.rows, tensor.cols, Vector(tensor.rows * tensor.cols), {}};
  std::vector<float> row(tensor.cols);
  for (std::uint64_t r = 0; r < tensor.rows; ++r) {
    tensor.read_row(r, row);
    std::copy(row.begin(), row.end(), m.values.begin() + static_cast<std::ptrdiff_t>(r * tensor.cols));
  }
  return m;
}

void ReferenceExecutor::round_weights(Matrix& m) const {
  if (!formats_) return;
  for (std::uint64_t r = 0; r < m.rows; ++r)
    round_row({m.values.data() + r * m.cols, m.cols}, formats_->weights);
}

ReferenceExecutor::Matrix ReferenceExecutor::projection(const Tensor& tensor) const {
  auto m = widen(tensor);
  round_weights(m);
  return m;
}

ReferenceExecutor::Matrix ReferenceExecutor::projection(const Affine& affine) const {
  auto m = projection(affine.weight);
  m.bias = widen(affine.bias).values;
  return m;
}

ReferenceExecutor::NormWeights ReferenceExecutor::widen_norm(const Affine& affine) {
  return {widen(affine.weight).values, widen(affine.bias).values};
}

ReferenceExecutor::Dense ReferenceExecutor::projection(const FeedForward& ffn) const {
  return {projection(ffn.gate), projection(ffn.up), projection(ffn.down)};
}

std::vector<double> ReferenceExecutor::carried(Vector x) const {
  if (formats_)
    for (auto& v : x) v = round_to(v, formats_->carrier());
  return x;
}

std::vector<double> ReferenceExecutor::multiply(const Matrix& weights, Vector x) const {
  if (formats_) round_row(x, formats_->activations);
  return weights.multiply(x);
}

std::vector<double> ReferenceExecutor::Matrix::multiply(const Vector& x) const {
  Vector y(rows);
  for (std::uint64_t r = 0; r < rows; ++r) {
    double sum = 0;
    for (std::uint64_t c = 0; c < cols; ++c) sum += values[r * cols + c] * x[c];
    y[r] = bias.empty() ? sum : sum + bias[r];
  }
  return y;
}

ReferenceExecutor::ReferenceExecutor(const Model& model, std::uint32_t context,
                                     const std::optional<NumberFormats>& formats)
    : config_(model.config),
      formats_(formats),
      context_(context == 0 ? model.config.max_positions : context) {
  if (!model.has_weights)
    throw ModelError(config_.name + ": only the shape of the model is there, no weights to compute with");
  if (context_ > config_.max_positions)
    throw ModelError(fmt::format("a context of {} positions was asked for; {} has {}", context_, config_.name,
                                 config_.max_positions));
  if (formats_) formats_->check();
  embedding_ = widen(model.embedding);
  positions_ = widen(model.positions);
  classifier_ = projection(config_.tied_embeddings ? model.embedding : model.classifier);
  embedding_.values = carried(std::move(embedding_.values));
  positions_.values = carried(std::move(positions_.values));
  embedding_norm_ = widen_norm(model.embedding_norm);
  final_norm_ = widen_norm(model.final_norm);
  if (config_.positions == Positions::rotary) frequencies_ = rotary_frequencies(config_.rotary, context_);
  if (config_.positions == Positions::alibi) slopes_ = alibi_slopes(config_.heads);
  for (const auto& l : model.layers) {
    auto& w = layers_.emplace_back();
    w.attention_norm = widen_norm(l.attention_norm);
    w.ffn_norm = widen_norm(l.ffn_norm);
    w.post_attention_norm = widen_norm(l.post_attention_norm);
    w.post_ffn_norm = widen_norm(l.post_ffn_norm);
    w.q_norm.weight = widen(l.q_norm).values;
    w.k_norm.weight = widen(l.k_norm).values;
    w.q_down_norm.weight = widen(l.q_down_norm).values;
    w.kv_down_norm.weight = widen(l.kv_down_norm).values;
    w.wq = projection(l.wq), w.wk = projection(l.wk), w.wv = projection(l.wv), w.wo = projection(l.wo);
    w.q_down = projection(l.q_down), w.kv_down = projection(l.kv_down);
    w.router = widen(l.router);
    w.router_correction = widen(l.router_correction).values;
    w.ffn = projection(l.ffn), w.shared = projection(l.shared_expert);
    for (const auto& e : l.experts) w.experts.push_back(projection(e));
  }
}

std::vector<double> ReferenceExecutor::normalise(const Vector& x, const NormWeights& weights,
                                                 NormKind kind) const {
  const auto count = static_cast<double>(x.size());
  double mean = 0, squares = 0;
  if (kind == NormKind::layer) {
    for (const double v : x) mean += v;
    mean /= count;
  }
  for (const double v : x) squares += (v - mean) * (v - mean);
  const double scale = 1 / std::sqrt(squares / count + config_.norm_eps);
  Vector y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    y[i] = (x[i] - mean) * scale * (weights.weight[i] + config_.norm_offset);
    if (!weights.bias.empty()) y[i] += weights.bias[i];
  }
  return y;
}

void ReferenceExecutor::normalise_heads(Vector& x, const NormWeights& weights) const {
  const auto width = static_cast<std::ptrdiff_t>(weights.weight.size());
  for (auto head = x.begin(); head != x.end(); head += width) {
    const auto y = normalise(Vector(head, head + width), weights, NormKind::rms);
    std::copy(y.begin(), y.end(), head);
  }
}

void ReferenceExecutor::rotate(Vector& x, std::uint32_t heads, std::uint32_t head_dim,
                               std::uint32_t first) const {
  const auto& r = config_.rotary;
  for (std::size_t h = 0; h < heads; ++h)
    for (std::size_t i = 0; i < r.dims / 2; ++i) {
      const double angle = position_ * frequencies_[i];
      const auto p = h * head_dim + first + (r.interleaved ? 2 * i : i),
                 q = p + (r.interleaved ? 1 : r.dims / 2);
      const double a = x[p], b = x[q], c = std::cos(angle) * r.amplitude, s = std::sin(angle) * r.amplitude;
      x[p] = a * c - b * s;
      x[q] = a * s + b * c;
    }
}

void ReferenceExecutor::project(const LayerWeights& layer, const Vector& x, Vector& q, Vector& k,
                                Vector& v) const {
  q = multiply(layer.wq, x), k = multiply(layer.wk, x), v = multiply(layer.wv, x);
  if (config_.qk_norm) normalise_heads(q, layer.q_norm), normalise_heads(k, layer.k_norm);
  if (config_.positions != Positions::rotary) return;
  rotate(q, config_.heads, config_.head_dim, 0);
  rotate(k, config_.kv_heads, config_.head_dim, 0);
}

void ReferenceExecutor::project_latent(const LayerWeights& layer, const Vector& x, Vector& q, Vector& k,
                                       Vector& v) const {
  const auto& d = config_.latent;
  q = multiply(layer.wq, layer.q_down.absent() ? x : normalise(multiply(layer.q_down, x), layer.q_down_norm));
  rotate(q, config_.heads, config_.head_dim, d.plain_dim);
  const auto both = multiply(layer.kv_down, x);
  const auto split = both.begin() + d.kv_rank;
  Vector turned(split, both.end());
  rotate(turned, 1, d.rotary_dim, 0);
  const auto compressed = normalise(Vector(both.begin(), split), layer.kv_down_norm);
  const auto plain = multiply(layer.wk, compressed);
  v = multiply(layer.wv, compressed);
  k.clear();
  for (std::uint32_t h = 0; h < config_.heads; ++h) {
    const auto head = plain.begin() + std::ptrdiff_t{h} * d.plain_dim;
    k.insert(k.end(), head, head + d.plain_dim);
    k.insert(k.end(), turned.begin(), turned.end());
  }
}

/// Head by head, as the cache has them.
void ReferenceExecutor::cache(LayerWeights& layer, Vector k, Vector v) const {
  if (formats_ && formats_->kv.is_integer()) {
    for (std::size_t h = 0; h < config_.kv_heads; ++h) {
      const std::size_t width = config_.head_dim, value_width = config_.value_dim;
      round_row({k.data() + h * width, width}, formats_->kv);
      layer.value_scales.push_back(split_scale({v.data() + h * value_width, value_width}, formats_->kv));
    }
  } else if (formats_) {
    for (auto* x : {&k, &v})
      for (auto& value : *x) value = round_to(value, formats_->kv);
  }
  layer.keys.insert(layer.keys.end(), k.begin(), k.end());
  layer.values.insert(layer.values.end(), v.begin(), v.end());
}

std::vector<double> ReferenceExecutor::attend(LayerWeights& layer, std::uint32_t index,
                                              const Vector& x) const {
  Vector q, k, v;
  if (config_.is_latent())
    project_latent(layer, x, q, k, v);
  else
    project(layer, x, q, k, v);
  q = carried(std::move(q));
  cache(layer, k, v);
  const std::size_t width = config_.head_dim, value_width = config_.value_dim, positions = position_ + 1;
  const std::size_t window = config_.windows[index],
                    first = window != 0 && positions > window ? positions - window : 0;
  Vector out(config_.heads * value_width), scores(positions);
  for (std::size_t h = 0; h < config_.heads; ++h) {
    const auto kv = h / (config_.heads / config_.kv_heads);
    for (std::size_t p = first; p < positions; ++p) {
      double sum = 0;
      for (std::size_t i = 0; i < width; ++i)
        sum += q[h * width + i] * layer.keys[p * k.size() + kv * width + i];
      scores[p] = capped(sum * config_.score_scale, config_.score_cap);
      if (!slopes_.empty()) scores[p] -= slopes_[h] * static_cast<double>(position_ - p);
    }
    const double top = *std::max_element(scores.begin() + static_cast<std::ptrdiff_t>(first), scores.end());
    double total = 0;
    for (std::size_t p = first; p < positions; ++p) total += scores[p] = std::exp(scores[p] - top);
    for (auto& s : scores) s /= total;
    scores = carried(std::move(scores));
    if (!layer.value_scales.empty()) {
      for (std::size_t p = first; p < positions; ++p)
        scores[p] *= layer.value_scales[p * config_.kv_heads + kv];
      scores = carried(std::move(scores));
    }
    for (std::size_t p = first; p < positions; ++p)
      for (std::size_t i = 0; i < value_width; ++i)
        out[h * value_width + i] += scores[p] * layer.values[p * v.size() + kv * value_width + i];
  }
  return multiply(layer.wo, carried(std::move(out)));
}

double ReferenceExecutor::activate(double x) const {
  switch (config_.activation) {
    case Activation::silu:
      return x / (1 + std::exp(-x));
    case Activation::gelu:
      return x / 2 * (1 + std::erf(x / std::numbers::sqrt2));
    case Activation::gelu_tanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Activation::relu:
      return std::max(x, 0.0);
  }
  return x;
}

std::vector<double> ReferenceExecutor::feed_forward(const Dense& weights, const Vector& x) const {
  auto inner = multiply(weights.up, x);
  if (weights.gate.absent()) {
    for (auto& v : inner) v = activate(v);
  } else {
    const auto gate = multiply(weights.gate, x);
    for (std::size_t i = 0; i < inner.size(); ++i) inner[i] *= activate(gate[i]);
  }
  return multiply(weights.down, carried(std::move(inner)));
}

std::vector<double> ReferenceExecutor::mix_experts(const LayerWeights& layer, const Vector& x) const {
  Vector sum = layer.shared.up.absent() ? Vector(x.size()) : feed_forward(layer.shared, x);
  for (const auto& [expert, weight] :
       choose_experts(config_.experts, layer.router.multiply(x), layer.router_correction))
    add_to(sum, feed_forward(layer.experts[expert], x), weight);
  return sum;
}

std::vector<double> ReferenceExecutor::step(std::uint32_t token) {
  if (token >= config_.vocabulary)
    throw ModelError(fmt::format("token {} is outside of the vocabulary of {}", token, config_.vocabulary));
  if (position_ >= context_) throw ModelError(fmt::format("the context of {} positions is full", context_));
  const auto* row = embedding_.values.data() + std::uint64_t{token} * config_.hidden;
  Vector x(row, row + config_.hidden);
  for (auto& v : x) v *= config_.embedding_scale;
  if (!positions_.absent()) {
    const auto* learned =
        positions_.values.data() + (std::uint64_t{position_} + config_.position_offset) * config_.hidden;
    add_to(x, Vector(learned, learned + config_.hidden));
  }
  if (config_.embedding_norm) x = normalise(x, embedding_norm_);
  residuals_.assign(1, x);
  for (std::uint32_t i = 0; i < config_.layers; ++i) {
    auto& layer = layers_[i];
    auto y = attend(layer, i, normalise(x, layer.attention_norm));
    add_to(x, config_.post_norms ? normalise(y, layer.post_attention_norm) : y);
    const auto h = normalise(x, layer.ffn_norm);
    y = config_.has_experts(i) ? mix_experts(layer, h) : feed_forward(layer.ffn, h);
    add_to(x, config_.post_norms ? normalise(y, layer.post_ffn_norm) : y);
    residuals_.push_back(x);
  }
  ++position_;
  auto logits = multiply(classifier_, normalise(x, final_norm_));
  for (auto& l : logits) l = capped(l, config_.logit_cap);
  return logits;
}

}  // namespace forerun::models
