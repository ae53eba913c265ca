// SPDX-License-Identifier: Apache-2.0
#include "models/import/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "models/import/model.hpp"

namespace forerun::models {

void complete_config(ModelConfig& c, const std::string& where) {
  const auto fail = [&](const std::string& what) { throw ModelError(where + ": " + what); };
  const auto within = [&](const char* what, std::uint64_t value, std::uint64_t most) {
    if (value == 0 || value > most) fail(fmt::format("{} is {}, expected 1 to {}", what, value, most));
  };
  within("the hidden size", c.hidden, 1u << 20);
  within("the number of layers", c.layers, 1u << 12);
  within("the number of heads", c.heads, 1u << 12);
  within("the number of key/value heads", c.kv_heads, c.heads);
  within("the head size", c.head_dim, 1u << 14);
  if (!c.has_experts(0)) within("the feed-forward size", c.ffn, 1u << 22);
  within("the vocabulary", c.vocabulary, 1u << 24);
  within("the number of positions", c.max_positions, 1u << 28);
  if (c.heads % c.kv_heads != 0)
    fail(fmt::format("{} heads cannot share {} key/value heads evenly", c.heads, c.kv_heads));
  if (c.value_dim == 0) c.value_dim = c.head_dim;
  within("the size of values", c.value_dim, 1u << 14);
  if (c.score_scale == 0) c.score_scale = 1 / std::sqrt(static_cast<double>(c.head_dim));
  if (c.windows.empty()) c.windows.assign(c.layers, 0);
  if (c.is_latent()) {
    within("the rank of keys and values", c.latent.kv_rank, 1u << 20);
    if (c.latent.q_rank > 1u << 20) fail(fmt::format("the rank of queries is {}", c.latent.q_rank));
    if (c.latent.rotary_dim == 0 || std::uint64_t{c.latent.plain_dim} + c.latent.rotary_dim != c.head_dim)
      fail(fmt::format("the plain part of keys ({}) and the rotated one ({}) must make up the head size {}",
                       c.latent.plain_dim, c.latent.rotary_dim, c.head_dim));
    if (c.kv_heads != c.heads) fail("latent attention has as many key/value heads as heads");
  }
  auto& r = c.rotary;
  if (c.positions == Positions::rotary) {
    if (r.dims == 0) r.dims = c.is_latent() ? c.latent.rotary_dim : c.head_dim;
    if (r.dims % 2 != 0) fail(fmt::format("the head size {} is odd; rotary embedding needs pairs", r.dims));
    if (r.dims > c.head_dim) fail(fmt::format("{} of {} elements of a head are rotated", r.dims, c.head_dim));
    if (!(r.theta > 0) || !std::isfinite(r.theta))
      fail(fmt::format("the rotary base {} is not positive", r.theta));
    if (!(r.factor > 0) || !std::isfinite(r.factor))
      fail(fmt::format("the rotary factor {} is not positive", r.factor));
    if (r.scaling == RotaryScaling::llama3 || r.scaling == RotaryScaling::yarn ||
        r.scaling == RotaryScaling::longrope)
      within("the number of positions before scaling", r.original_positions, 1u << 28);
    for (const auto* list : {&r.short_factors, &r.long_factors}) {
      if (!list->empty() && list->size() != r.dims / 2)
        fail(fmt::format("{} rotary factors for {} pairs", list->size(), r.dims / 2));
      for (const double f : *list)
        if (!(f > 0) || !std::isfinite(f)) fail(fmt::format("the rotary factor {} is not positive", f));
    }
    if (r.scaling == RotaryScaling::longrope && (r.short_factors.empty() || r.long_factors.empty()))
      fail("longrope needs both lists of factors");
  }
  const auto& e = c.experts;
  if (e.count != 0) {
    within("the number of experts", e.count, 1u << 16);
    within("the number of experts for each token", e.used, e.count);
    within("the size of an expert", e.ffn, 1u << 22);
    if (e.shared_ffn > 1u << 22) fail(fmt::format("the size of shared experts is {}", e.shared_ffn));
    within("the number of groups of experts", e.groups, e.count);
    within("the number of groups used", e.groups_used, e.groups);
    if (e.count % e.groups != 0) fail(fmt::format("{} experts cannot form {} groups", e.count, e.groups));
    if (e.used > e.count / e.groups * e.groups_used)
      fail(fmt::format("{} experts for each token, but {} groups of {} have fewer", e.used, e.groups_used,
                       e.count / e.groups));
    if (e.group_by_two && e.groups > 1 && e.count / e.groups < 2)
      fail("groups of one expert have no two best");
  }
  for (const double value :
       {c.norm_eps, c.norm_offset, c.score_scale, c.score_cap, c.logit_cap, c.embedding_scale})
    if (!std::isfinite(value) || value < 0)
      fail(fmt::format("{} where a number of 0 or more is expected", value));
}

std::uint64_t parameter_count(const ModelConfig& c) {
  const std::uint64_t h = c.hidden, norm = c.norm == NormKind::layer ? 2 * h : h;
  const std::uint64_t q = std::uint64_t{c.heads} * c.head_dim, k = std::uint64_t{c.kv_heads} * c.head_dim,
                      v = std::uint64_t{c.kv_heads} * c.value_dim, o = std::uint64_t{c.heads} * c.value_dim;
  std::uint64_t sum = c.vocabulary * h * (c.tied_embeddings ? 1 : 2) + norm * (c.embedding_norm ? 2 : 1);
  if (c.positions == Positions::learned) sum += (std::uint64_t{c.max_positions} + c.position_offset) * h;
  for (std::uint32_t layer = 0; layer < c.layers; ++layer) {
    sum += norm * (c.post_norms ? 4 : 2);
    if (c.is_latent()) {
      const auto& l = c.latent;
      sum += l.q_rank != 0 ? h * l.q_rank + l.q_rank + l.q_rank * q : h * q;
      sum += h * (l.kv_rank + l.rotary_dim) + l.kv_rank;
      sum += std::uint64_t{l.kv_rank} * c.heads * (l.plain_dim + c.value_dim) + o * h;
    } else {
      sum += h * (q + k + v) + o * h;
      if (c.qkv_bias) sum += q + k + v;
      if (c.qk_norm) sum += 2ull * c.head_dim;
    }
    if (c.output_bias) sum += h;
    const std::uint64_t matrices = c.gated ? 3 : 2;
    if (c.has_experts(layer)) {
      const auto& e = c.experts;
      sum += h * e.count + (e.corrected ? e.count : 0);
      sum += matrices * h * (std::uint64_t{e.count} * e.ffn + e.shared_ffn);
    } else {
      sum += matrices * h * c.ffn;
      if (c.ffn_bias) sum += (matrices - 1) * c.ffn + h;
    }
  }
  return sum;
}

std::uint64_t cache_elements(const ModelConfig& c) {
  const std::uint64_t layer = c.is_latent() ? std::uint64_t{c.latent.kv_rank} + c.latent.rotary_dim
                                            : std::uint64_t{c.kv_heads} * (c.head_dim + c.value_dim);
  return layer * c.layers;
}

std::vector<double> rotary_frequencies(const Rotary& r, std::uint32_t context) {
  const auto pairs = r.dims / 2;
  const double turns = r.original_positions / (2 * std::numbers::pi);  // of a frequency of 1
  // yarn: the pair that makes this many turns over the original context
  const auto pair_of = [&](double n) { return r.dims * std::log(turns / n) / (2 * std::log(r.theta)); };
  const double low = std::max(std::floor(pair_of(r.beta_fast)), 0.0);
  const double high = std::min(std::ceil(pair_of(r.beta_slow)), r.dims - 1.0);
  std::vector<double> frequencies(pairs);
  for (std::uint32_t i = 0; i < pairs; ++i) {
    double f = std::pow(r.theta, -2.0 * i / r.dims);
    switch (r.scaling) {
      case RotaryScaling::none:
        break;
      case RotaryScaling::linear:
        f /= r.factor;
        break;
      case RotaryScaling::llama3: {
        if (!r.short_factors.empty()) {
          f /= r.short_factors[i];
          break;
        }
        const double n = f * turns;
        const double smooth =
            std::clamp((n - r.low_frequency) / (r.high_frequency - r.low_frequency), 0.0, 1.0);
        f = (1 - smooth) * f / r.factor + smooth * f;
        break;
      }
      case RotaryScaling::yarn: {
        const double ramp = std::clamp((i - low) / std::max(high - low, 0.001), 0.0, 1.0);
        f = f / r.factor * ramp + f * (1 - ramp);
        break;
      }
      case RotaryScaling::longrope:
        f /= (context > r.original_positions ? r.long_factors : r.short_factors)[i];
        break;
    }
    frequencies[i] = f;
  }
  return frequencies;
}

std::vector<double> alibi_slopes(std::uint32_t heads) {
  std::uint32_t power = 1;
  while (power * 2 <= heads) power *= 2;
  std::vector<double> slopes;
  for (std::uint32_t h = 0; h < heads; ++h)
    slopes.push_back(h < power ? std::exp2(-8.0 * (h + 1) / power)
                               : std::exp2(-4.0 * (2 * (h - power) + 1) / power));
  return slopes;
}

}  // namespace forerun::models
