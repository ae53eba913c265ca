// SPDX-License-Identifier: Apache-2.0
#include "models/reference/reference_executor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace forerun::models {

ReferenceExecutor::Matrix ReferenceExecutor::widen(const Tensor& tensor) {
  Matrix m{tensor.rows, tensor.cols, std::vector<double>(tensor.rows * tensor.cols)};
  std::vector<float> row(tensor.cols);
  for (std::uint64_t r = 0; r < tensor.rows; ++r) {
    tensor.read_row(r, row);
    std::copy(row.begin(), row.end(), m.values.begin() + static_cast<std::ptrdiff_t>(r * tensor.cols));
  }
  return m;
}

std::vector<double> ReferenceExecutor::Matrix::multiply(const std::vector<double>& x) const {
  std::vector<double> y(rows);
  for (std::uint64_t r = 0; r < rows; ++r) {
    double sum = 0;
    for (std::uint64_t c = 0; c < cols; ++c) sum += values[r * cols + c] * x[c];
    y[r] = sum;
  }
  return y;
}

ReferenceExecutor::ReferenceExecutor(const Model& model)
    : config_(model.config),
      embedding_(widen(model.embedding)),
      final_norm_(widen(model.final_norm)),
      classifier_(model.config.tied_embeddings ? embedding_ : widen(model.classifier)) {
  for (const auto& l : model.layers)
    layers_.push_back({widen(l.attention_norm), widen(l.wq), widen(l.wk), widen(l.wv), widen(l.wo), widen(l.ffn_norm),
                       widen(l.gate), widen(l.up), widen(l.down), {}, {}});
}

std::vector<double> ReferenceExecutor::normalise(const std::vector<double>& x, const Matrix& weight) const {
  double squares = 0;
  for (const double v : x) squares += v * v;
  const double scale = 1 / std::sqrt(squares / static_cast<double>(x.size()) + config_.rms_eps);
  std::vector<double> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = x[i] * scale * weight.values[i];
  return y;
}

void ReferenceExecutor::rotate(std::vector<double>& x, std::uint32_t heads) const {
  const std::uint32_t width = config_.head_dim, half = width / 2;
  for (std::uint32_t h = 0; h < heads; ++h)
    for (std::uint32_t i = 0; i < half; ++i) {
      const double angle = position_ * std::pow(config_.rope_theta, -2.0 * i / width);
      const auto p = h * width + (config_.rope_interleaved ? 2 * i : i);
      const auto q = h * width + (config_.rope_interleaved ? 2 * i + 1 : i + half);
      const double a = x[p], b = x[q], c = std::cos(angle), s = std::sin(angle);
      x[p] = a * c - b * s;
      x[q] = a * s + b * c;
    }
}

std::vector<double> ReferenceExecutor::attend(LayerWeights& layer, const std::vector<double>& x) const {
  auto q = layer.wq.multiply(x), k = layer.wk.multiply(x);
  const auto v = layer.wv.multiply(x);
  rotate(q, config_.heads);
  rotate(k, config_.kv_heads);
  layer.keys.insert(layer.keys.end(), k.begin(), k.end());
  layer.values.insert(layer.values.end(), v.begin(), v.end());
  const std::size_t width = config_.head_dim, row = k.size(), positions = position_ + 1;
  std::vector<double> out(q.size()), scores(positions);
  for (std::size_t h = 0; h < config_.heads; ++h) {
    const auto shared = h / (config_.heads / config_.kv_heads) * width;
    for (std::size_t p = 0; p < positions; ++p) {
      double sum = 0;
      for (std::size_t i = 0; i < width; ++i) sum += q[h * width + i] * layer.keys[p * row + shared + i];
      scores[p] = sum / std::sqrt(static_cast<double>(width));
    }
    const double top = *std::max_element(scores.begin(), scores.end());
    double total = 0;
    for (auto& s : scores) total += s = std::exp(s - top);
    for (std::size_t p = 0; p < positions; ++p)
      for (std::size_t i = 0; i < width; ++i) out[h * width + i] += scores[p] / total * layer.values[p * row + shared + i];
  }
  return layer.wo.multiply(out);
}

std::vector<double> ReferenceExecutor::step(std::uint32_t token) {
  if (token >= config_.vocabulary) throw ModelError(fmt::format("token {} is outside of the vocabulary of {}", token, config_.vocabulary));
  if (position_ >= config_.max_positions) throw ModelError(fmt::format("the context of {} positions is full", config_.max_positions));
  const auto* row = embedding_.values.data() + std::uint64_t{token} * config_.hidden;
  std::vector<double> x(row, row + config_.hidden);
  const auto add = [&x](const std::vector<double>& y) { std::transform(x.begin(), x.end(), y.begin(), x.begin(), std::plus<>()); };
  for (auto& layer : layers_) {
    add(attend(layer, normalise(x, layer.attention_norm)));
    const auto h = normalise(x, layer.ffn_norm);
    auto gate = layer.gate.multiply(h);
    const auto up = layer.up.multiply(h);
    for (std::size_t i = 0; i < gate.size(); ++i) gate[i] = gate[i] / (1 + std::exp(-gate[i])) * up[i];
    add(layer.down.multiply(gate));
  }
  ++position_;
  return classifier_.multiply(normalise(x, final_norm_));
}

}  // namespace forerun::models
