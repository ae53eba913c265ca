// SPDX-License-Identifier: Apache-2.0
// Models in GGUF: llama.cpp's names of metadata and tensors, and what its converters change: Llama's queries
// and keys are reordered for interleaved pairs, Gemma's norms have their 1 added, GPT-2's matrices are
// turned, BLOOM's heads are regrouped.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <filesystem>

#include "models/import/formats.hpp"
#include "models/import/gguf.hpp"
#include "models/import/json_fields.hpp"
#include "platform/chip/keys.hpp"

namespace forerun::models {
namespace {

const std::vector<std::string> known{"bloom", "deepseek2", "gemma", "gemma2", "gpt2",
                                     "llama", "phi3",      "qwen2", "qwen3",  "qwen3moe"};

class Builder {
 public:
  explicit Builder(const GgufFile& file)
      : file_(file), f_(file.metadata, file.path), arch_(f_.text("general.architecture")) {
    if (std::find(known.begin(), known.end(), arch_) != known.end()) return;
    const auto near = chip::nearest(arch_, known);
    throw ModelError(fmt::format("{}: general.architecture '{}' is not supported{}; known are {}", file.path,
                                 arch_, near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near),
                                 fmt::join(known, ", ")));
  }

  Model build() {
    model_.files.push_back(file_.owner);
    read_config();
    complete_config(c_, file_.path);
    if (c_.positions == Positions::rotary) read_factors();
    take_tensors();
    return std::move(model_);
  }

 private:
  // Metadata
  std::string key(const char* name) const { return arch_ + "." + name; }
  std::uint32_t number(const char* name, std::optional<std::uint32_t> absent = std::nullopt) const {
    return f_.number(key(name).c_str(), absent);
  }
  double real(const char* name, std::optional<double> absent = std::nullopt) const {
    return f_.real(key(name).c_str(), absent);
  }
  /// A count that may be given for each layer; all layers must agree.
  std::uint32_t same(const char* name, std::optional<std::uint32_t> absent = std::nullopt) const {
    const auto at = file_.metadata.find(key(name));
    if (at == file_.metadata.end() || !at->is_array()) return number(name, absent);
    for (const auto& v : *at)
      if (!v.is_number_unsigned() || v != at->front() || v.get<std::uint64_t>() > 0xffffffff)
        f_.fail(key(name).c_str(), "the same whole number for all layers");
    if (at->empty()) f_.fail(key(name).c_str(), "a whole number");
    return at->front().get<std::uint32_t>();
  }

  void read_config() {
    c_.name = f_.text("general.name", std::filesystem::path(file_.path).stem().string());
    c_.family = arch_ == "deepseek2" ? "deepseek_v2" : arch_ == "qwen3moe" ? "qwen3_moe" : arch_;
    c_.hidden = number("embedding_length");
    c_.layers = number("block_count");
    c_.heads = same("attention.head_count");
    c_.kv_heads = same("attention.head_count_kv", c_.heads);
    c_.head_dim = number("attention.key_length", c_.heads > 0 ? c_.hidden / c_.heads : 0);
    c_.value_dim = number("attention.value_length", c_.head_dim);
    c_.ffn =
        same("feed_forward_length", arch_ == "qwen3moe" ? std::optional<std::uint32_t>(0) : std::nullopt);
    c_.max_positions = number("context_length");
    const auto embedding = file_.tensors.find("token_embd.weight");
    if (embedding == file_.tensors.end())
      throw ModelError(file_.path + ": tensor 'token_embd.weight' is missing");
    if (!embedding->second.tensor)
      file_.take("token_embd.weight", 0, 0);  // says that its type cannot be read
    c_.vocabulary = embedding->second.tensor.rows <= 0xffffffff
                        ? static_cast<std::uint32_t>(embedding->second.tensor.rows)
                        : 0;
    c_.bos = f_.number("tokenizer.ggml.bos_token_id", 1);
    c_.eos = f_.number("tokenizer.ggml.eos_token_id", 2);
    c_.tied_embeddings = !file_.has("output.weight");
    c_.qkv_bias = file_.has("blk.0.attn_q.bias") || file_.has("blk.0.attn_qkv.bias");
    c_.output_bias = file_.has("blk.0.attn_output.bias");
    c_.ffn_bias = file_.has("blk.0.ffn_up.bias");
    c_.qk_norm = file_.has("blk.0.attn_q_norm.weight");
    if (arch_ == "gpt2" || arch_ == "bloom") {
      c_.norm = NormKind::layer;
      c_.norm_eps = real("attention.layer_norm_epsilon");
      c_.gated = false;
      c_.activation = Activation::gelu_tanh;
      c_.positions = arch_ == "gpt2" ? Positions::learned : Positions::alibi;
      c_.embedding_norm = arch_ == "bloom";
      return;
    }
    c_.norm_eps = real("attention.layer_norm_rms_epsilon");
    read_experts();
    if (arch_ == "deepseek2") read_latent();
    read_rotary();
    if (arch_ == "gemma" || arch_ == "gemma2") {
      c_.activation = Activation::gelu_tanh;
      c_.embedding_scale = std::sqrt(static_cast<double>(c_.hidden));
    }
    if (arch_ == "gemma2") {
      c_.post_norms = true;
      c_.score_cap = real("attn_logit_softcapping", 50);
      c_.logit_cap = real("final_logit_softcapping", 30);
      if (c_.layers == 46 && c_.heads > 0)  // the 27B model: as llama.cpp tells it, for the file does not
        c_.score_scale = 1 / std::sqrt(static_cast<double>(c_.hidden / c_.heads));
    }
    if (arch_ != "gemma2" && arch_ != "phi3" && arch_ != "llama")
      return;  // the key has no meaning for the others
    if (const auto window = number("attention.sliding_window", arch_ == "gemma2" ? 4096 : 0);
        window != 0 && c_.layers <= 1u << 12) {
      c_.windows.assign(c_.layers, window);
      if (arch_ == "gemma2")
        for (std::uint32_t i = 1; i < c_.layers; i += 2) c_.windows[i] = 0;
    }
  }
  void read_experts() {
    auto& e = c_.experts;
    e.count = number("expert_count", 0);
    if (e.count == 0) return;
    e.used = number("expert_used_count");
    e.ffn = number("expert_feed_forward_length", c_.ffn);
    e.first_layer = number("leading_dense_block_count", 0);
    const auto shared = std::uint64_t{number("expert_shared_count", 0)} * e.ffn;
    if (shared > 1u << 22) f_.fail(key("expert_shared_count").c_str(), "fewer");
    e.shared_ffn = static_cast<std::uint32_t>(shared);
    e.scale = real("expert_weights_scale", 1);
    if (e.scale == 0) e.scale = 1;
    e.normalised = arch_ != "deepseek2" || f_.flag(key("expert_weights_norm").c_str(), false);
    const auto gate = number("expert_gating_func", 1);
    if (gate != 1 && gate != 2) f_.fail(key("expert_gating_func").c_str(), "1 (soft-max) or 2 (sigmoid)");
    e.sigmoid = gate == 2;
    e.groups = number("expert_group_count", 1);
    e.groups_used = number("expert_group_used_count", 1);
    e.corrected = e.group_by_two = file_.has(fmt::format("blk.{}.exp_probs_b.bias", e.first_layer));
    if (arch_ == "llama") c_.family = "mixtral";
    if (arch_ == "deepseek2" && e.sigmoid) c_.family = "deepseek_v3";
  }
  void read_latent() {
    auto& l = c_.latent;
    l.q_rank = number("attention.q_lora_rank", 0);
    l.kv_rank = number("attention.kv_lora_rank");
    l.rotary_dim = number("rope.dimension_count");
    c_.head_dim = number("attention.key_length_mla", c_.head_dim);
    c_.value_dim = number("attention.value_length_mla", c_.value_dim);
    c_.kv_heads = c_.heads;
    if (l.rotary_dim > c_.head_dim)
      f_.fail(key("rope.dimension_count").c_str(), fmt::format("up to the head's {}", c_.head_dim));
    l.plain_dim = c_.head_dim - l.rotary_dim;
    c_.qk_norm = false;
  }
  void read_rotary() {
    auto& r = c_.rotary;
    r.theta = real("rope.freq_base", 10000);
    r.dims = number("rope.dimension_count", c_.head_dim);
    r.interleaved = arch_ == "llama" || arch_ == "deepseek2";
    const auto type = f_.text(key("rope.scaling.type").c_str(), "none");
    r.factor = real("rope.scaling.factor", real("rope.scale_linear", 1));
    r.original_positions = number("rope.scaling.original_context_length", c_.max_positions);
    const double attention = real("rope.scaling.attn_factor", 1);
    if (type == "linear" || (type == "none" && r.factor != 1)) {
      r.scaling = RotaryScaling::linear;
    } else if (type == "yarn") {
      r.scaling = RotaryScaling::yarn;
      const double log_factor = r.factor > 1 ? std::log(r.factor) : 0;
      const double multiplier = real("rope.scaling.yarn_log_multiplier", 0);
      if (c_.is_latent())  // DeepSeek scales the scores instead
        c_.score_scale =
            std::pow(1 + multiplier * log_factor, 2) / std::sqrt(static_cast<double>(c_.head_dim));
      else
        r.amplitude = attention * (1 + 0.1 * log_factor);
    } else if (type == "longrope") {
      r.scaling = RotaryScaling::longrope;
      r.amplitude = attention;
    } else if (type != "none") {
      f_.fail(key("rope.scaling.type").c_str(), "none, linear, yarn or longrope");
    }
    if (file_.has("rope_factors_long.weight")) r.scaling = RotaryScaling::longrope, r.amplitude = attention;
    if (r.scaling == RotaryScaling::longrope) {
      // Checked with the other lists; the sizes are those of the tensors.
      r.short_factors = row_of("rope_factors_short.weight", r.dims / 2);
      r.long_factors = row_of("rope_factors_long.weight", r.dims / 2);
    }
  }
  /// Llama 3's scaling stands in the file as a factor for each pair.
  void read_factors() {
    auto& r = c_.rotary;
    if (!file_.has("rope_freqs.weight")) return;
    r.short_factors = row_of("rope_freqs.weight", r.dims / 2);
    r.scaling = RotaryScaling::llama3;
    complete_config(c_, file_.path);
  }
  std::vector<double> row_of(const char* name, std::uint64_t cols) const {
    if (cols == 0 || cols > 1u << 14)
      throw ModelError(fmt::format("{}: {} rotary factors", file_.path, cols));
    std::vector<float> row(cols);
    file_.take(name, 1, cols).read_row(0, row);
    return {row.begin(), row.end()};
  }

  // Tensors
  Tensor vector(const std::string& name, std::uint64_t cols) const { return file_.take(name, 1, cols); }
  Affine affine(const std::string& name, std::uint64_t rows, std::uint64_t cols) const {
    return {file_.take(name + ".weight", rows, cols),
            file_.has(name + ".bias") ? file_.take(name + ".bias", 1, rows).column() : Tensor{}};
  }
  Affine norm(const std::string& name) const {
    return {vector(name + ".weight", c_.hidden),
            c_.norm == NormKind::layer ? vector(name + ".bias", c_.hidden) : Tensor{}};
  }
  static Affine cut(const Affine& from, std::uint64_t first, std::uint64_t count) {
    return {from.weight.slice(first, count), from.bias ? from.bias.slice(first, count) : Tensor{}};
  }

  void take_tensors() {
    model_.embedding = file_.take("token_embd.weight", c_.vocabulary, c_.hidden);
    if (c_.positions == Positions::learned)
      model_.positions = file_.take("position_embd.weight", c_.max_positions, c_.hidden);
    if (c_.embedding_norm) model_.embedding_norm = norm("token_embd_norm");
    model_.final_norm = norm("output_norm");
    model_.classifier =
        c_.tied_embeddings ? model_.embedding : file_.take("output.weight", c_.vocabulary, c_.hidden);
    model_.layers.resize(c_.layers);
    for (std::uint32_t i = 0; i < c_.layers; ++i) {
      auto& l = model_.layers[i];
      const auto at = fmt::format("blk.{}.", i);
      l.attention_norm = norm(at + "attn_norm");
      if (c_.is_latent())
        latent(l, at);
      else
        attention(l, at);
      l.ffn_norm = norm(at + "ffn_norm");
      if (c_.post_norms) {
        l.post_attention_norm = norm(at + "post_attention_norm");
        l.post_ffn_norm = norm(at + "post_ffw_norm");
      }
      if (c_.has_experts(i))
        experts(l, at);
      else
        l.ffn = feed_forward(at, c_.ffn, "");
    }
  }
  void attention(Layer& l, const std::string& at) const {
    const std::uint64_t q = std::uint64_t{c_.heads} * c_.head_dim,
                        k = std::uint64_t{c_.kv_heads} * c_.head_dim,
                        v = std::uint64_t{c_.kv_heads} * c_.value_dim;
    if (file_.has(at + "attn_qkv.weight")) {
      const auto fused = affine(at + "attn_qkv", q + k + v, c_.hidden);
      l.wq = cut(fused, 0, q), l.wk = cut(fused, q, k), l.wv = cut(fused, q + k, v);
    } else {
      l.wq = affine(at + "attn_q", q, c_.hidden);
      l.wk = affine(at + "attn_k", k, c_.hidden);
      l.wv = affine(at + "attn_v", v, c_.hidden);
    }
    l.wo = affine(at + "attn_output", c_.hidden, std::uint64_t{c_.heads} * c_.value_dim);
    if (c_.qk_norm) {
      l.q_norm = vector(at + "attn_q_norm.weight", c_.head_dim);
      l.k_norm = vector(at + "attn_k_norm.weight", c_.head_dim);
    }
  }
  void latent(Layer& l, const std::string& at) {
    const auto& d = c_.latent;
    const std::uint64_t queries = std::uint64_t{c_.heads} * c_.head_dim,
                        each = std::uint64_t{d.plain_dim} + c_.value_dim;
    if (d.q_rank != 0) {
      l.q_down = file_.take(at + "attn_q_a.weight", d.q_rank, c_.hidden);
      l.q_down_norm = vector(at + "attn_q_a_norm.weight", d.q_rank);
      l.wq.weight = file_.take(at + "attn_q_b.weight", queries, d.q_rank);
    } else {
      l.wq.weight = file_.take(at + "attn_q.weight", queries, c_.hidden);
    }
    l.kv_down = file_.take(at + "attn_kv_a_mqa.weight", std::uint64_t{d.kv_rank} + d.rotary_dim, c_.hidden);
    l.kv_down_norm = vector(at + "attn_kv_a_norm.weight", d.kv_rank);
    if (file_.has(at + "attn_kv_b.weight")) {
      const auto both = file_.take(at + "attn_kv_b.weight", c_.heads * each, d.kv_rank);
      l.wk.weight = both.strided(0, d.plain_dim, each);
      l.wv.weight = both.strided(d.plain_dim, c_.value_dim, each);
    } else {
      const auto turned =
          widened(file_.take(at + "attn_k_b.weight", std::uint64_t{c_.heads} * d.kv_rank, d.plain_dim));
      auto& k = l.wk.weight = turned;  // of each head [kv_rank][plain_dim]
      k.rows = std::uint64_t{c_.heads} * d.plain_dim, k.cols = d.kv_rank;
      k.group = d.plain_dim, k.group_bytes = turned.row_bytes * d.kv_rank;
      k.row_bytes = turned.col_bytes, k.col_bytes = turned.row_bytes;
      l.wv.weight = file_.take(at + "attn_v_b.weight", std::uint64_t{c_.heads} * c_.value_dim, d.kv_rank);
    }
    l.wo.weight = file_.take(at + "attn_output.weight", c_.hidden, std::uint64_t{c_.heads} * c_.value_dim);
  }
  /// A copy in binary32 for formats whose elements cannot be read one by one.
  Tensor widened(const Tensor& tensor) {
    if (block_of(tensor.type).elements == 1) return tensor;
    auto values = std::make_shared<std::vector<float>>(tensor.rows * tensor.cols);
    for (std::uint64_t r = 0; r < tensor.rows; ++r)
      tensor.read_row(r, std::span(*values).subspan(r * tensor.cols, tensor.cols));
    model_.files.push_back(values);
    return Tensor::stored(tensor.name, TensorType::f32, tensor.rows, tensor.cols,
                          std::as_bytes(std::span(*values)));
  }
  FeedForward feed_forward(const std::string& at, std::uint64_t width, const std::string& suffix) const {
    FeedForward f;
    if (c_.gated && !file_.has(at + "ffn_gate" + suffix + ".weight") && arch_ == "phi3") {
      const auto fused = affine(at + "ffn_up" + suffix, 2 * width, c_.hidden);
      f.gate = cut(fused, 0, width), f.up = cut(fused, width, width);
    } else {
      if (c_.gated) f.gate = affine(at + "ffn_gate" + suffix, width, c_.hidden);
      f.up = affine(at + "ffn_up" + suffix, width, c_.hidden);
    }
    f.down = affine(at + "ffn_down" + suffix, c_.hidden, width);
    return f;
  }
  void experts(Layer& l, const std::string& at) const {
    const auto& e = c_.experts;
    l.router = file_.take(at + "ffn_gate_inp.weight", e.count, c_.hidden);
    if (e.corrected) l.router_correction = file_.take(at + "exp_probs_b.bias", 1, e.count).column();
    if (e.shared_ffn != 0) l.shared_expert = feed_forward(at, e.shared_ffn, "_shexp");
    const bool together = file_.has(at + "ffn_up_exps.weight");
    Tensor gate, up, down;
    if (together) {
      gate = file_.take(at + "ffn_gate_exps.weight", std::uint64_t{e.count} * e.ffn, c_.hidden);
      up = file_.take(at + "ffn_up_exps.weight", std::uint64_t{e.count} * e.ffn, c_.hidden);
      down = file_.take(at + "ffn_down_exps.weight", std::uint64_t{e.count} * c_.hidden, e.ffn);
    }
    for (std::uint32_t i = 0; i < e.count; ++i) {
      if (together)
        l.experts.push_back({{gate.slice(std::uint64_t{i} * e.ffn, e.ffn), {}},
                             {up.slice(std::uint64_t{i} * e.ffn, e.ffn), {}},
                             {down.slice(std::uint64_t{i} * c_.hidden, c_.hidden), {}}});
      else
        l.experts.push_back({affine(fmt::format("{}ffn_gate.{}", at, i), e.ffn, c_.hidden),
                             affine(fmt::format("{}ffn_up.{}", at, i), e.ffn, c_.hidden),
                             affine(fmt::format("{}ffn_down.{}", at, i), c_.hidden, e.ffn)});
    }
  }

  const GgufFile& file_;
  Fields f_;
  std::string arch_;
  Model model_;
  ModelConfig& c_ = model_.config;
};

}  // namespace

Model load_gguf(const std::string& path) {
  const auto file = read_gguf(path);
  return Builder(file).build();
}

}  // namespace forerun::models
