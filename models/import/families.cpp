// SPDX-License-Identifier: Apache-2.0
// config.json of each family. Names, defaults and meanings are those of the transformers library's
// configuration classes.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <functional>

#include "models/import/hugging_face.hpp"
#include "platform/chip/keys.hpp"

namespace forerun::models {
namespace {

Activation activation(const Fields& f, const char* key, const std::string& absent) {
  static const std::map<std::string, Activation> names{
      {"silu", Activation::silu}, {"swish", Activation::silu},
      {"gelu", Activation::gelu}, {"gelu_new", Activation::gelu_tanh},
      {"relu", Activation::relu}, {"gelu_pytorch_tanh", Activation::gelu_tanh}};
  const auto at = names.find(f.text(key, absent));
  if (at == names.end()) f.fail(key, "silu, gelu, gelu_new, gelu_pytorch_tanh or relu");
  return at->second;
}

void refuse(const Fields& f, const char* key, bool when, const std::string& why) {
  if (when) throw ModelError(fmt::format("{}: '{}' is not supported: {}", f.where(), key, why));
}

double yarn_amplitude(double factor, double scale) {
  return factor <= 1 ? 1 : 0.1 * scale * std::log(factor) + 1;
}

void rotary_scaling(const Fields& f, ModelConfig& c) {
  auto& r = c.rotary;
  const char* key = f.first_of({"rope_scaling", "rope_parameters"});
  if (!f.has(key)) return;
  const auto s = f.inner(key);
  r.theta = s.real("rope_theta", r.theta);
  const auto type = s.text(s.first_of({"rope_type", "type"}), "default");
  const auto original = [&] {
    const char* name = "original_max_position_embeddings";
    return s.number(name, f.number(name, c.max_positions));
  };
  if (type == "default") return;
  if (type == "linear") {
    r.scaling = RotaryScaling::linear;
    r.factor = s.real("factor");
  } else if (type == "llama3") {
    r.scaling = RotaryScaling::llama3;
    r.factor = s.real("factor");
    r.low_frequency = s.real("low_freq_factor");
    r.high_frequency = s.real("high_freq_factor");
    r.original_positions = original();
    if (!(r.high_frequency > r.low_frequency)) s.fail("high_freq_factor", "more than low_freq_factor");
  } else if (type == "yarn") {
    r.scaling = RotaryScaling::yarn;
    r.factor = s.real("factor");
    r.beta_fast = s.real("beta_fast", 32);
    r.beta_slow = s.real("beta_slow", 1);
    r.original_positions = original();
    const double scale = s.real("mscale", 0), all = s.real("mscale_all_dim", 0);
    r.amplitude = s.real("attention_factor", scale != 0 && all != 0 ? yarn_amplitude(r.factor, scale) /
                                                                          yarn_amplitude(r.factor, all)
                                                                    : yarn_amplitude(r.factor, 1));
    if (c.is_latent() && all != 0)  // DeepSeek scales the scores instead
      c.score_scale = std::pow(yarn_amplitude(r.factor, all), 2) / std::sqrt(static_cast<double>(c.head_dim));
  } else if (type == "longrope" || type == "su") {
    r.scaling = RotaryScaling::longrope;
    r.short_factors = s.reals("short_factor");
    r.long_factors = s.reals("long_factor");
    r.original_positions = original();
    const double factor = s.real("factor", static_cast<double>(c.max_positions) / r.original_positions);
    r.amplitude = s.real("attention_factor",
                         factor <= 1 ? 1 : std::sqrt(1 + std::log(factor) / std::log(r.original_positions)));
  } else {
    s.fail(s.first_of({"rope_type", "type"}), "default, linear, llama3, yarn or longrope");
  }
}

void windows(const Fields& f, ModelConfig& c, const std::function<bool(std::uint32_t)>& local) {
  c.windows.assign(std::min(c.layers, 1u << 12), 0);
  if (!f.has("sliding_window")) return;
  const auto window = f.number("sliding_window");
  if (window == 0) f.fail("sliding_window", "1 or more, or null");
  const auto types = f.object().find("layer_types");
  const bool listed = types != f.object().end() && types->is_array();
  if (listed && types->size() != c.layers) f.fail("layer_types", fmt::format("{} entries", c.layers));
  for (std::uint32_t i = 0; i < c.windows.size(); ++i)
    if (listed ? (*types)[i] == "sliding_attention" : local(i)) c.windows[i] = window;
}

/// Llama and all that keep its names.
void llama(const Fields& f, ModelConfig& c, std::uint32_t kv_heads = 0, double theta = 10000) {
  c.hidden = f.number("hidden_size");
  c.layers = f.number("num_hidden_layers");
  c.heads = f.number("num_attention_heads");
  c.kv_heads = f.number("num_key_value_heads", kv_heads != 0 ? kv_heads : c.heads);
  c.head_dim = f.number("head_dim", c.heads > 0 ? c.hidden / c.heads : 0);
  c.ffn = f.number("intermediate_size");
  c.vocabulary = f.number("vocab_size");
  c.max_positions = f.number("max_position_embeddings");
  c.norm_eps = f.real("rms_norm_eps", 1e-6);
  c.rotary.theta = f.real("rope_theta", theta);
  c.activation = activation(f, "hidden_act", "silu");
  c.tied_embeddings = f.flag("tie_word_embeddings", false);
  c.qkv_bias = c.output_bias = f.flag("attention_bias", false);
  c.ffn_bias = f.flag("mlp_bias", false);
}

void plain_llama(const Fields& f, ModelConfig& c) {
  llama(f, c);
  rotary_scaling(f, c);
}
void mistral(const Fields& f, ModelConfig& c) {
  llama(f, c, 8);
  windows(f, c, [](std::uint32_t) { return true; });
  rotary_scaling(f, c);
}
void mixtral(const Fields& f, ModelConfig& c) {
  llama(f, c, 8, 1e6);
  windows(f, c, [](std::uint32_t) { return true; });
  c.norm_eps = f.real("rms_norm_eps", 1e-5);
  c.experts.count = f.number("num_local_experts", 8);
  c.experts.used = f.number("num_experts_per_tok", 2);
  c.experts.ffn = c.ffn;
  rotary_scaling(f, c);
}
void qwen2(const Fields& f, ModelConfig& c) {
  llama(f, c);
  c.qkv_bias = true;
  if (f.flag("use_sliding_window", false))
    windows(f, c, [first = f.number("max_window_layers", 28)](std::uint32_t i) { return i >= first; });
  rotary_scaling(f, c);
}
void qwen3(const Fields& f, ModelConfig& c) {
  llama(f, c);
  c.head_dim = f.number("head_dim", 128);
  c.qk_norm = true;
  if (f.flag("use_sliding_window", false))
    windows(f, c, [first = f.number("max_window_layers", 28)](std::uint32_t i) { return i >= first; });
  rotary_scaling(f, c);
}
void qwen3_moe(const Fields& f, ModelConfig& c) {
  qwen3(f, c);
  c.experts.count = f.number("num_experts");
  c.experts.used = f.number("num_experts_per_tok");
  c.experts.ffn = f.number("moe_intermediate_size");
  c.experts.normalised = f.flag("norm_topk_prob", false);
  refuse(f, "decoder_sparse_step", f.number("decoder_sparse_step", 1) != 1, "only 1 is");
  const auto dense = f.object().find("mlp_only_layers");
  refuse(f, "mlp_only_layers", dense != f.object().end() && dense->is_array() && !dense->empty(),
         "every layer must have experts");
}
void gemma(const Fields& f, ModelConfig& c) {
  llama(f, c);
  c.head_dim = f.number("head_dim", 256);
  c.activation = activation(f, "hidden_activation", "gelu_pytorch_tanh");
  c.tied_embeddings = f.flag("tie_word_embeddings", true);
  c.norm_offset = 1;
  c.embedding_scale = std::sqrt(static_cast<double>(c.hidden));
}
void gemma2(const Fields& f, ModelConfig& c) {
  gemma(f, c);
  c.post_norms = true;
  c.score_cap = f.real("attn_logit_softcapping", 0);
  c.logit_cap = f.real("final_logit_softcapping", 0);
  const double scalar = f.real("query_pre_attn_scalar", 256);
  if (!(scalar > 0)) f.fail("query_pre_attn_scalar", "more than 0");
  c.score_scale = 1 / std::sqrt(scalar);
  windows(f, c, [](std::uint32_t i) { return i % 2 == 0; });
}
void phi3(const Fields& f, ModelConfig& c) {
  llama(f, c);
  c.norm_eps = f.real("rms_norm_eps", 1e-5);
  windows(f, c, [](std::uint32_t) { return true; });
  const double part = f.real("partial_rotary_factor", 1);
  if (!(part > 0 && part <= 1)) f.fail("partial_rotary_factor", "more than 0, up to 1");
  c.rotary.dims = static_cast<std::uint32_t>(part * c.head_dim);
  rotary_scaling(f, c);
}
void deepseek(const Fields& f, ModelConfig& c, bool third) {
  llama(f, c);
  c.latent.q_rank = f.number("q_lora_rank", 0);
  c.latent.kv_rank = f.number("kv_lora_rank");
  c.latent.plain_dim = f.number("qk_nope_head_dim");
  c.latent.rotary_dim = f.number("qk_rope_head_dim");
  c.value_dim = f.number("v_head_dim");
  if (std::uint64_t{c.latent.plain_dim} + c.latent.rotary_dim > 1u << 14)
    f.fail("qk_nope_head_dim", "a head of up to 16384");
  c.head_dim = c.latent.plain_dim + c.latent.rotary_dim;
  c.rotary.dims = c.latent.rotary_dim;
  c.rotary.interleaved = f.flag("rope_interleave", true);
  c.qkv_bias = false;
  refuse(f, "attention_bias", c.output_bias, "DeepSeek's latent attention with biases");
  auto& e = c.experts;
  e.count = f.number("n_routed_experts", 0);
  if (e.count != 0) {
    e.used = f.number("num_experts_per_tok");
    e.ffn = f.number("moe_intermediate_size");
    const auto shared = std::uint64_t{f.number("n_shared_experts", 0)} * e.ffn;
    if (shared > 1u << 22) f.fail("n_shared_experts", "fewer");
    e.shared_ffn = static_cast<std::uint32_t>(shared);
    e.first_layer = f.number("first_k_dense_replace", 0);
    refuse(f, "moe_layer_freq", f.number("moe_layer_freq", 1) != 1, "only 1 is");
    e.scale = f.real("routed_scaling_factor", 1);
    const auto scoring = f.text("scoring_func", third ? "sigmoid" : "softmax");
    if (scoring != "sigmoid" && scoring != "softmax") f.fail("scoring_func", "sigmoid or softmax");
    e.sigmoid = scoring == "sigmoid";
    e.normalised = f.flag("norm_topk_prob", third);
    const auto method = f.text("topk_method", third ? "noaux_tc" : "greedy");
    if (method != "greedy" && method != "group_limited_greedy" && method != "noaux_tc")
      f.fail("topk_method", "greedy, group_limited_greedy or noaux_tc");
    e.corrected = e.group_by_two = method == "noaux_tc";
    if (method != "greedy") {
      e.groups = f.number("n_group");
      e.groups_used = f.number("topk_group");
    }
  }
  rotary_scaling(f, c);
}

void layer_norms(const Fields& f, ModelConfig& c, const char* eps) {
  c.norm = NormKind::layer;
  c.norm_eps = f.real(eps, 1e-5);
  c.gated = false;
  c.qkv_bias = c.output_bias = c.ffn_bias = true;
  c.tied_embeddings = f.flag("tie_word_embeddings", true);
}
void equal_heads(ModelConfig& c) {
  c.kv_heads = c.heads;
  c.head_dim = c.heads > 0 ? c.hidden / c.heads : 0;
}
void gpt2(const Fields& f, ModelConfig& c) {
  layer_norms(f, c, "layer_norm_epsilon");
  c.hidden = f.number("n_embd");
  c.layers = f.number("n_layer");
  c.heads = f.number("n_head");
  c.ffn = f.number("n_inner", std::min(c.hidden, 1u << 22) * 4);
  c.vocabulary = f.number("vocab_size");
  c.max_positions = f.number(f.first_of({"n_positions", "n_ctx"}));
  c.positions = Positions::learned;
  c.activation = activation(f, "activation_function", "gelu_new");
  equal_heads(c);
  if (!f.flag("scale_attn_weights", true)) c.score_scale = 1;
  refuse(f, "scale_attn_by_inverse_layer_idx", f.flag("scale_attn_by_inverse_layer_idx", false),
         "only false is");
}
void opt(const Fields& f, ModelConfig& c) {
  layer_norms(f, c, "layer_norm_eps");
  c.hidden = f.number("hidden_size");
  c.layers = f.number("num_hidden_layers");
  c.heads = f.number("num_attention_heads");
  c.ffn = f.number("ffn_dim");
  c.vocabulary = f.number("vocab_size");
  c.max_positions = f.number("max_position_embeddings");
  c.positions = Positions::learned;
  c.position_offset = 2;
  c.activation = activation(f, "activation_function", "relu");
  c.qkv_bias = c.output_bias = c.ffn_bias = f.flag("enable_bias", true);
  equal_heads(c);
  refuse(f, "do_layer_norm_before", !f.flag("do_layer_norm_before", true),
         "norms must come before attention and feed-forward");
  refuse(f, "word_embed_proj_dim", f.number("word_embed_proj_dim", c.hidden) != c.hidden,
         "embeddings must have the hidden size");
  refuse(f, "_remove_final_layer_norm", f.flag("_remove_final_layer_norm", false),
         "the final norm must be there");
  refuse(f, "layer_norm_elementwise_affine", !f.flag("layer_norm_elementwise_affine", true),
         "norms must have weights");
}
void bloom(const Fields& f, ModelConfig& c) {
  layer_norms(f, c, "layer_norm_epsilon");
  c.hidden = f.number(f.first_of({"hidden_size", "n_embed"}));
  c.layers = f.number(f.first_of({"n_layer", "num_hidden_layers"}));
  c.heads = f.number(f.first_of({"n_head", "num_attention_heads"}));
  c.ffn = std::min(c.hidden, 1u << 20) * 4;
  c.vocabulary = f.number("vocab_size");
  c.max_positions = f.number("seq_length", 2048);
  c.positions = Positions::alibi;
  c.activation = Activation::gelu_tanh;
  c.embedding_norm = true;
  equal_heads(c);
  refuse(f, "apply_residual_connection_post_layernorm",
         f.flag("apply_residual_connection_post_layernorm", false), "only false is");
}

const std::map<std::string, std::function<void(const Fields&, ModelConfig&)>>& families() {
  static const std::map<std::string, std::function<void(const Fields&, ModelConfig&)>> table{
      {"bloom", bloom},
      {"deepseek_v2", [](const Fields& f, ModelConfig& c) { deepseek(f, c, false); }},
      {"deepseek_v3", [](const Fields& f, ModelConfig& c) { deepseek(f, c, true); }},
      {"gemma", gemma},
      {"gemma2", gemma2},
      {"gpt2", gpt2},
      {"llama", plain_llama},
      {"mistral", mistral},
      {"mixtral", mixtral},
      {"opt", opt},
      {"phi3", phi3},
      {"qwen2", qwen2},
      {"qwen3", qwen3},
      {"qwen3_moe", qwen3_moe}};
  return table;
}

std::uint32_t token(const Fields& f, const char* key, std::uint32_t absent) {
  const auto at = f.object().find(key);
  if (at != f.object().end() && at->is_array() && !at->empty() && at->front().is_number_unsigned() &&
      at->front().get<std::uint64_t>() <= 0xffffffff)
    return at->front().get<std::uint32_t>();
  return f.number(key, absent);
}

}  // namespace

std::vector<std::string> known_families() {
  std::vector<std::string> names;
  for (const auto& [name, reader] : families()) names.push_back(name);
  return names;
}

ModelConfig config_from_json(const Fields& fields, std::string name) {
  ModelConfig c;
  c.name = std::move(name);
  c.family = fields.text("model_type");
  const auto at = families().find(c.family);
  if (at == families().end()) {
    const auto known = known_families();
    const auto near = chip::nearest(c.family, known);
    throw ModelError(fmt::format("{}: model_type '{}' is not supported{}; known are {}", fields.where(),
                                 c.family, near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near),
                                 fmt::join(known, ", ")));
  }
  at->second(fields, c);
  c.bos = token(fields, "bos_token_id", 1);
  c.eos = token(fields, "eos_token_id", 2);
  complete_config(c, fields.where());
  return c;
}

}  // namespace forerun::models
