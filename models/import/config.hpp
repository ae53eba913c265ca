// SPDX-License-Identifier: Apache-2.0
/// The shape of a decoder transformer: everything about a model but its weights.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace forerun::models {

enum class NormKind : unsigned char {
  rms,   ///< x / sqrt(mean(x^2) + eps) * w (Zhang and Sennrich 2019)
  layer  ///< (x - mean) / sqrt(variance + eps) * w + b (Ba et al. 2016)
};

enum class Positions : unsigned char {
  rotary,   ///< queries and keys are rotated (Su et al. 2021)
  learned,  ///< a row for each position is added to the embedding
  alibi     ///< scores fall linearly with distance, with a slope for each head (Press et al. 2021)
};

enum class Activation : unsigned char { silu, gelu, gelu_tanh, relu };

enum class RotaryScaling : unsigned char {
  none,
  linear,   ///< all frequencies divided by `factor`
  llama3,   ///< low ones only, smoothly
  yarn,     ///< low ones only, by a ramp over dimensions, with an amplitude (Peng et al. 2023)
  longrope  ///< each by its own factor, with an amplitude (Ding et al. 2024)
};

/// Rotary position embedding.
struct Rotary {
  double theta = 10000;      ///< base of the frequencies
  std::uint32_t dims = 0;    ///< elements of each head that are rotated, the first ones; even
  bool interleaved = false;  ///< pairs (2i, 2i+1), else (i, i + dims/2)
  RotaryScaling scaling = RotaryScaling::none;
  double factor = 1;
  std::uint32_t original_positions = 0;          ///< llama3, yarn, longrope: the context of pre-training
  double low_frequency = 1, high_frequency = 4;  ///< llama3: in turns over `original_positions`
  double beta_fast = 32, beta_slow = 1;          ///< yarn: ends of the ramp, in turns
  double amplitude = 1;                          ///< cosines and sines are multiplied by it
  std::vector<double> short_factors,
      long_factors;  ///< longrope; also explicit factors of llama3 in GGUF (short)
};

/// Latent attention of DeepSeek V2 and V3: keys and values come from a compressed vector, and part of each
/// key is rotated and shared by all heads. Absent when kv_rank is 0.
struct Latent {
  std::uint32_t q_rank = 0;  ///< 0: queries are projected directly
  std::uint32_t kv_rank = 0;
  std::uint32_t plain_dim = 0, rotary_dim = 0;  ///< of each query and key; they add up to head_dim
};

/// Mixture of experts. Absent when count is 0.
struct Experts {
  std::uint32_t count = 0, used = 0;  ///< routed experts, and those that each token takes
  std::uint32_t ffn = 0;              ///< width of one routed expert
  std::uint32_t shared_ffn = 0;       ///< width of the experts that every token takes, together; 0: none
  std::uint32_t first_layer = 0;      ///< layers before it are dense
  bool sigmoid = false;               ///< scores are sigmoids, else a soft-max over all experts
  bool corrected = false;             ///< a bias for each expert is added to choose, not to weigh
  bool normalised = true;             ///< weights of the chosen experts are divided by their sum
  double scale = 1;                   ///< then multiplied by this
  std::uint32_t groups = 1, groups_used = 1;  ///< experts of the best groups only
  bool group_by_two = false;                  ///< a group counts as its two best together, else as its best
};

struct ModelConfig {
  std::string name;
  std::string family = "llama";  ///< as in config.json's model_type
  std::uint32_t hidden = 0;      ///< width of the residual stream
  std::uint32_t layers = 0;
  std::uint32_t heads = 0;      ///< query heads
  std::uint32_t kv_heads = 0;   ///< divides heads
  std::uint32_t head_dim = 0;   ///< of queries and keys
  std::uint32_t value_dim = 0;  ///< of values
  std::uint32_t ffn = 0;        ///< width of the dense feed-forward layer
  std::uint32_t vocabulary = 0;
  std::uint32_t max_positions = 0;
  std::uint32_t bos = 1, eos = 2;

  NormKind norm = NormKind::rms;
  double norm_eps = 1e-5;
  double norm_offset = 0;       ///< added to the norms' weights (Gemma: 1)
  bool qk_norm = false;         ///< RMS norm of each query and key head before they are rotated
  bool post_norms = false;      ///< what attention and feed-forward give is normalised before it is added
  bool embedding_norm = false;  ///< a norm of the embedding

  Positions positions = Positions::rotary;
  std::uint32_t position_offset = 0;  ///< learned: row of position 0
  Rotary rotary;

  double score_scale = 0;  ///< of scores before soft-max: 1 / sqrt(head_dim) unless the model has its own
  double score_cap = 0;    ///< scores become cap * tanh(score / cap); 0: not
  double logit_cap = 0;    ///< the same for logits
  double embedding_scale = 1;
  std::vector<std::uint32_t>
      windows;  ///< of each layer: positions that a token sees, itself included; 0: all

  Activation activation = Activation::silu;
  bool gated = true;  ///< down(act(gate) * up), else down(act(up))
  bool qkv_bias = false, output_bias = false, ffn_bias = false;
  bool tied_embeddings = false;
  Latent latent;
  Experts experts;

  bool is_latent() const { return latent.kv_rank != 0; }
  bool has_experts(std::uint32_t layer) const { return experts.count != 0 && layer >= experts.first_layer; }
};

/// Throws ModelError for sizes that no model can have; `where` begins the message. Fills in what follows
/// from other fields: value_dim, score_scale, rotary.dims, windows.
void complete_config(ModelConfig& config, const std::string& where);

/// Weights of the model, each tensor counted once.
std::uint64_t parameter_count(const ModelConfig& config);
/// Elements that the key/value cache holds for each position: keys and values, or DeepSeek's compressed
/// vector and rotated key.
std::uint64_t cache_elements(const ModelConfig& config);

/// Angle per position of each rotated pair, [rotary.dims / 2]. `context` is the number of positions that the
/// cache has room for: longrope has other factors for long contexts.
std::vector<double> rotary_frequencies(const Rotary& rotary, std::uint32_t context);
/// Slope of each head's ALiBi.
std::vector<double> alibi_slopes(std::uint32_t heads);

}  // namespace forerun::models
