// SPDX-License-Identifier: Apache-2.0
#include "tests/models/support/gguf_convert.hpp"

#include <cmath>
#include <functional>
#include <numbers>
#include <regex>
#include <stdexcept>

namespace forerun::tests {
namespace {

using nlohmann::json;

std::uint64_t row_length(const FileTensor& t) { return t.shape.size() == 1 ? 1 : t.shape.back(); }

/// Rows in another order: row r of the result is row from(r).
FileTensor reordered(const FileTensor& t, const std::function<std::uint64_t(std::uint64_t)>& from) {
  auto result = t;
  const auto n = row_length(t);
  for (std::uint64_t r = 0; r < t.values.size() / n; ++r)
    for (std::uint64_t i = 0; i < n; ++i) result.values[r * n + i] = t.values[from(r) * n + i];
  return result;
}

/// Pairs (i, i + dim/2) of each head become neighbours.
FileTensor interleaved(const FileTensor& t, std::uint64_t dim) {
  return reordered(t, [dim](std::uint64_t r) { return r / dim * dim + r % dim / 2 + r % 2 * (dim / 2); });
}

FileTensor turned(const FileTensor& t) {
  FileTensor result{t.type, {t.shape[1], t.shape[0]}, {}};
  for (std::uint64_t c = 0; c < t.shape[1]; ++c)
    for (std::uint64_t r = 0; r < t.shape[0]; ++r) result.values.push_back(t.values[r * t.shape[1] + c]);
  return result;
}

const std::vector<std::pair<std::regex, std::string>>& names() {
  static const auto table = [] {
    std::vector<std::pair<std::regex, std::string>> list;
    const auto add = [&list](const char* from, const char* to) {
      list.emplace_back(std::regex(std::string("^") + from + "$"), to);
    };
    const std::string layer = R"((?:model\.layers|transformer\.h)\.(\d+)\.)";
    const auto of_layer = [&](const char* from, const char* to) {
      add((layer + from + R"(\.(weight|bias))").c_str(), ("blk.$1." + std::string(to) + ".$2").c_str());
    };
    add(R"((?:model\.embed_tokens|transformer\.wte|transformer\.word_embeddings)\.weight)",
        "token_embd.weight");
    add(R"(transformer\.wpe\.weight)", "position_embd.weight");
    add(R"(transformer\.word_embeddings_layernorm\.(weight|bias))", "token_embd_norm.$1");
    add(R"((?:model\.norm|transformer\.ln_f)\.(weight|bias))", "output_norm.$1");
    add(R"(lm_head\.weight)", "output.weight");
    of_layer("(?:input_layernorm|ln_1)", "attn_norm");
    of_layer(R"((?:self_attn\.qkv_proj|attn\.c_attn|self_attention\.query_key_value))", "attn_qkv");
    of_layer(R"(self_attn\.q_proj)", "attn_q");
    of_layer(R"(self_attn\.k_proj)", "attn_k");
    of_layer(R"(self_attn\.v_proj)", "attn_v");
    of_layer(R"((?:self_attn\.o_proj|attn\.c_proj|self_attention\.dense))", "attn_output");
    of_layer(R"(self_attn\.q_norm)", "attn_q_norm");
    of_layer(R"(self_attn\.k_norm)", "attn_k_norm");
    of_layer(R"(self_attn\.q_a_proj)", "attn_q_a");
    of_layer(R"(self_attn\.q_a_layernorm)", "attn_q_a_norm");
    of_layer(R"(self_attn\.q_b_proj)", "attn_q_b");
    of_layer(R"(self_attn\.kv_a_proj_with_mqa)", "attn_kv_a_mqa");
    of_layer(R"(self_attn\.kv_a_layernorm)", "attn_kv_a_norm");
    of_layer(R"(self_attn\.kv_b_proj)", "attn_kv_b");
    of_layer("(?:pre_feedforward_layernorm|ln_2)", "ffn_norm");
    of_layer("post_feedforward_layernorm", "post_ffw_norm");
    of_layer("post_attention_layernorm", "ffn_norm");  // not so in Gemma 2
    of_layer(R"(mlp\.gate_proj)", "ffn_gate");
    of_layer(R"((?:mlp\.up_proj|mlp\.gate_up_proj|mlp\.c_fc|mlp\.dense_h_to_4h))", "ffn_up");
    of_layer(R"((?:mlp\.down_proj|mlp\.c_proj|mlp\.dense_4h_to_h))", "ffn_down");
    of_layer(R"((?:mlp|block_sparse_moe)\.gate)", "ffn_gate_inp");
    of_layer(R"(mlp\.shared_experts\.gate_proj)", "ffn_gate_shexp");
    of_layer(R"(mlp\.shared_experts\.up_proj)", "ffn_up_shexp");
    of_layer(R"(mlp\.shared_experts\.down_proj)", "ffn_down_shexp");
    add((layer + R"(mlp\.gate\.e_score_correction_bias)").c_str(), "blk.$1.exp_probs_b.bias");
    add((layer + R"((?:mlp|block_sparse_moe)\.experts\.\d+\.(?:gate_proj|w1)\.weight)").c_str(),
        "blk.$1.ffn_gate_exps.weight");
    add((layer + R"((?:mlp|block_sparse_moe)\.experts\.\d+\.(?:up_proj|w3)\.weight)").c_str(),
        "blk.$1.ffn_up_exps.weight");
    add((layer + R"((?:mlp|block_sparse_moe)\.experts\.\d+\.(?:down_proj|w2)\.weight)").c_str(),
        "blk.$1.ffn_down_exps.weight");
    return list;
  }();
  return table;
}

std::string gguf_name(const std::string& name, bool gemma2) {
  if (gemma2 && name.find("post_attention_layernorm") != std::string::npos)
    return std::regex_replace(name, std::regex(R"(model\.layers\.(\d+)\.post_attention_layernorm)"),
                              "blk.$1.post_attention_norm");
  for (const auto& [pattern, to] : names())
    if (std::regex_match(name, pattern)) return std::regex_replace(name, pattern, to);
  throw std::logic_error("no GGUF name for " + name);
}

const std::map<std::string, std::string> architectures{{"llama", "llama"},
                                                       {"mistral", "llama"},
                                                       {"mixtral", "llama"},
                                                       {"qwen2", "qwen2"},
                                                       {"qwen3", "qwen3"},
                                                       {"qwen3_moe", "qwen3moe"},
                                                       {"gemma", "gemma"},
                                                       {"gemma2", "gemma2"},
                                                       {"phi3", "phi3"},
                                                       {"gpt2", "gpt2"},
                                                       {"bloom", "bloom"},
                                                       {"deepseek_v2", "deepseek2"},
                                                       {"deepseek_v3", "deepseek2"}};

json metadata_of(const json& c, const std::string& arch, FileTensors& tensors) {
  json m = {{"general.architecture", arch}, {"general.name", "golden"}};
  const auto set = [&](const char* key, const json& value) { m[arch + "." + key] = value; };
  const auto get = [&](std::initializer_list<const char*> keys) {
    for (const char* key : keys)
      if (c.contains(key) && !c[key].is_null()) return c[key].get<std::uint32_t>();
    throw std::logic_error(*keys.begin());
  };
  const auto hidden = get({"hidden_size", "n_embd"}), heads = get({"num_attention_heads", "n_head"});
  set("embedding_length", hidden);
  set("block_count", get({"num_hidden_layers", "n_layer"}));
  set("attention.head_count", heads);
  const auto norm_eps = c.contains("rms_norm_eps") ? c["rms_norm_eps"] : c["layer_norm_epsilon"];
  set(c.contains("rms_norm_eps") ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon",
      norm_eps);
  if (arch == "gpt2" || arch == "bloom") {
    set("context_length", arch == "gpt2" ? c["n_positions"].get<std::uint32_t>() : 2048u);
    set("feed_forward_length", 4 * hidden);
    set("attention.head_count_kv", heads);
    return m;
  }
  set("context_length", get({"max_position_embeddings"}));
  set("feed_forward_length", get({"intermediate_size"}));
  set("attention.head_count_kv", c.value("num_key_value_heads", heads));
  const auto dim = c.value("head_dim", hidden / heads);
  set("attention.key_length", dim);
  set("attention.value_length", dim);
  auto turned_dims = static_cast<std::uint32_t>(dim * c.value("partial_rotary_factor", 1.0));
  if (c.contains("kv_lora_rank")) {
    turned_dims = get({"qk_rope_head_dim"});
    set("attention.key_length", get({"qk_nope_head_dim"}) + turned_dims);
    set("attention.value_length", get({"v_head_dim"}));
    set("attention.kv_lora_rank", get({"kv_lora_rank"}));
    if (!c["q_lora_rank"].is_null()) set("attention.q_lora_rank", get({"q_lora_rank"}));
    set("leading_dense_block_count", get({"first_k_dense_replace"}));
    set("expert_shared_count", get({"n_shared_experts"}));
    set("expert_weights_scale", c["routed_scaling_factor"].get<double>());
    set("expert_weights_norm", c["norm_topk_prob"]);
    set("expert_gating_func", c["scoring_func"] == "sigmoid" ? 2 : 1);
    set("expert_group_count", c["n_group"]);
    set("expert_group_used_count", c["topk_group"]);
    set("vocab_size", get({"vocab_size"}));
  }
  set("rope.dimension_count", turned_dims);
  set("rope.freq_base", c.value("rope_theta", 10000.0));
  for (const char* key : {"num_local_experts", "num_experts", "n_routed_experts"})
    if (c.contains(key)) {
      set("expert_count", c[key]);
      set("expert_used_count", c["num_experts_per_tok"]);
      if (c.contains("moe_intermediate_size")) set("expert_feed_forward_length", c["moe_intermediate_size"]);
    }
  if (c.contains("sliding_window")) set("attention.sliding_window", c["sliding_window"]);
  if (c.contains("attn_logit_softcapping")) {
    set("attn_logit_softcapping", c["attn_logit_softcapping"]);
    set("final_logit_softcapping", c["final_logit_softcapping"]);
  }
  if (!c.contains("rope_scaling")) return m;
  const auto& s = c["rope_scaling"];
  const std::string kind = s.contains("rope_type") ? s["rope_type"] : s["type"];
  if (kind == "llama3") {  // as a factor for each pair
    FileTensor factors{"F32", {dim / 2}, {}};
    const double original = s["original_max_position_embeddings"], low = s["low_freq_factor"],
                 high = s["high_freq_factor"];
    for (std::uint32_t i = 0; i < dim; i += 2) {
      const double length =
          2 * std::numbers::pi * std::pow(c["rope_theta"].get<double>(), double{1} * i / dim);
      const double smooth = (original / length - low) / (high - low), factor = s["factor"];
      factors.values.push_back(static_cast<float>(length < original / high ? 1
                                                  : length > original / low
                                                      ? factor
                                                      : 1 / ((1 - smooth) / factor + smooth)));
    }
    tensors["rope_freqs.weight"] = factors;
  } else if (kind == "longrope") {
    const auto list = [&](const char* key) {
      const auto values = s[key].get<std::vector<float>>();
      return FileTensor{"F32", {values.size()}, values};
    };
    tensors["rope_factors_short.weight"] = list("short_factor");
    tensors["rope_factors_long.weight"] = list("long_factor");
    const double original = c["original_max_position_embeddings"];
    set("rope.scaling.original_context_length", c["original_max_position_embeddings"]);
    set("rope.scaling.attn_factor",
        std::sqrt(1 + std::log(c["max_position_embeddings"].get<double>() / original) / std::log(original)));
  } else {
    set("rope.scaling.type", kind);
    set("rope.scaling.factor", s["factor"].get<double>());
    if (s.contains("original_max_position_embeddings"))
      set("rope.scaling.original_context_length", s["original_max_position_embeddings"]);
    if (s.contains("mscale_all_dim"))
      set("rope.scaling.yarn_log_multiplier", 0.1 * s["mscale_all_dim"].get<double>());
  }
  return m;
}

}  // namespace

bool has_gguf_form(const json& config) {
  return architectures.contains(config["model_type"].get<std::string>());
}

GgufContent to_gguf(const json& c, const FileTensors& tensors) {
  const std::string family = c["model_type"], arch = architectures.at(family);
  GgufContent result;
  result.metadata = metadata_of(c, arch, result.tensors);
  const auto ends = [](const std::string& name, const char* end) {
    return name.find(end) != std::string::npos;
  };
  for (const auto& [name, stored] : tensors) {
    auto tensor = stored;
    const auto to = gguf_name(name, family == "gemma2");
    const std::uint64_t heads = c.value("num_attention_heads", c.value("n_head", 1u)),
                        hidden = c.contains("hidden_size") ? c["hidden_size"] : c["n_embd"],
                        dim = c.value("head_dim", hidden / heads);
    if (arch == "llama" && (ends(to, "attn_q.") || ends(to, "attn_k."))) tensor = interleaved(tensor, dim);
    if (family == "gpt2" && tensor.shape.size() == 2 && name.find(".h.") != std::string::npos)
      tensor = turned(tensor);
    if (family == "bloom" &&
        ends(to, "attn_qkv"))  // [head][query, key, value] becomes [query, key, value][head]
      tensor = reordered(
          tensor, [&](std::uint64_t r) { return (r % hidden / dim * 3 + r / hidden) * dim + r % dim; });
    if (family.starts_with("gemma") && ends(to, "norm.weight"))
      for (auto& v : tensor.values) v += 1;
    if (!ends(to, "_exps.")) {
      result.tensors[to] = tensor;
      continue;
    }
    // Experts lie together; all come in the order of their names, and there are fewer than ten.
    auto& together = result.tensors[to];
    if (together.values.empty()) together = {tensor.type, {0, tensor.shape[0], tensor.shape[1]}, {}};
    ++together.shape[0];
    together.values.insert(together.values.end(), tensor.values.begin(), tensor.values.end());
  }
  return result;
}

namespace {

void add_vocabulary(GgufContent& content, std::uint32_t size) {
  auto& m = content.metadata;
  m["tokenizer.ggml.model"] = "gpt2";
  m["tokenizer.ggml.pre"] = "gpt-2";
  m["tokenizer.ggml.tokens"] = {"<unk>", "<s>", "</s>", "\u010a"};
  m["tokenizer.ggml.token_type"] = {2, 3, 3, 1};
  for (std::uint32_t i = 4; i < size; ++i) {
    m["tokenizer.ggml.tokens"].push_back("t" + std::to_string(i));
    m["tokenizer.ggml.token_type"].push_back(1);
  }
  m["tokenizer.ggml.merges"] = {"t 4"};
  m["tokenizer.ggml.bos_token_id"] = 1;
  m["tokenizer.ggml.eos_token_id"] = 2;
}

}  // namespace

std::map<std::string, GgufContent> gguf_models() {
  std::map<std::string, GgufContent> models;
  for (const auto& name : GoldenModel::names()) {
    const GoldenModel golden(name);
    if (!has_gguf_form(golden.text["config"])) continue;
    auto content = to_gguf(golden.text["config"], golden.tensors);
    for (auto& [of, tensor] : content.tensors) tensor.type = "F32";
    const std::uint32_t words = golden.text["config"]["vocab_size"];
    add_vocabulary(content, words);
    models[name] = content;
    if (name != "llama-wide") continue;
    for (const char* type : {"Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q4_K", "Q5_K", "Q6_K"}) {
      content.tensors["token_embd.weight"] = random_blocks(type, words, golden.text["config"]["hidden_size"]);
      models[std::string("llama-wide-") + type] = content;
    }
  }
  return models;
}

}  // namespace forerun::tests
