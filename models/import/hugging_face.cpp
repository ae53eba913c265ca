// SPDX-License-Identifier: Apache-2.0
// What each family calls its tensors.
#include "models/import/hugging_face.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "models/import/formats.hpp"

namespace forerun::models {
namespace {

/// The sizes of a model's matrices.
struct Sizes {
  explicit Sizes(const ModelConfig& c)
      : hidden(c.hidden),
        queries(std::uint64_t{c.heads} * c.head_dim),
        keys(std::uint64_t{c.kv_heads} * c.head_dim),
        values(std::uint64_t{c.kv_heads} * c.value_dim),
        attended(std::uint64_t{c.heads} * c.value_dim),
        ffn(c.ffn) {}
  std::uint64_t hidden, queries, keys, values, attended, ffn;
};

class Taker {
 public:
  Taker(Model& model, const SafeTensors& tensors)
      : model_(model), c_(model.config), tensors_(tensors), n_(c_) {}

  void take() {
    model_.files = tensors_.files();
    model_.layers.resize(c_.layers);
    if (c_.family == "gpt2")
      gpt2();
    else if (c_.family == "opt")
      opt();
    else if (c_.family == "bloom")
      bloom();
    else
      llama();
  }

 private:
  Tensor matrix(const std::string& name, std::uint64_t rows, std::uint64_t cols) const {
    return tensors_.take(name, rows, cols);
  }
  Tensor bias(const std::string& name, std::uint64_t rows) const {
    return tensors_.take(name, 1, rows).column();
  }
  Tensor vector(const std::string& name, std::uint64_t cols) const { return tensors_.take(name, 1, cols); }
  Affine affine(const std::string& name, std::uint64_t rows, std::uint64_t cols, bool biased) const {
    return {matrix(name + ".weight", rows, cols), biased ? bias(name + ".bias", rows) : Tensor{}};
  }
  Affine norm(const std::string& name) const {
    return {vector(name + ".weight", n_.hidden),
            c_.norm == NormKind::layer ? vector(name + ".bias", n_.hidden) : Tensor{}};
  }
  /// Some releases leave out the first part of all names.
  std::string prefix(const std::string& usual, const std::string& probe) const {
    return tensors_.has(usual + probe) || !tensors_.has(probe) ? usual : "";
  }
  void classify(const std::string& name) {
    model_.classifier = c_.tied_embeddings ? model_.embedding : matrix(name, c_.vocabulary, n_.hidden);
  }
  static Affine cut(const Affine& from, std::uint64_t first, std::uint64_t count) {
    return {from.weight.slice(first, count), from.bias ? from.bias.slice(first, count) : Tensor{}};
  }

  void llama() {
    model_.embedding = matrix("model.embed_tokens.weight", c_.vocabulary, n_.hidden);
    model_.final_norm = norm("model.norm");
    classify("lm_head.weight");
    for (std::uint32_t i = 0; i < c_.layers; ++i) {
      auto& l = model_.layers[i];
      const auto at = fmt::format("model.layers.{}.", i);
      l.attention_norm = norm(at + "input_layernorm");
      if (c_.is_latent())
        latent(l, at + "self_attn.");
      else
        attention(l, at + "self_attn.");
      if (c_.post_norms) {
        l.post_attention_norm = norm(at + "post_attention_layernorm");
        l.ffn_norm = norm(at + "pre_feedforward_layernorm");
        l.post_ffn_norm = norm(at + "post_feedforward_layernorm");
      } else {
        l.ffn_norm = norm(at + "post_attention_layernorm");
      }
      if (c_.has_experts(i))
        experts(l, at);
      else
        l.ffn = feed_forward(at + "mlp.", n_.ffn);
    }
  }
  void attention(Layer& l, const std::string& at) const {
    if (c_.family == "phi3") {
      const auto fused = affine(at + "qkv_proj", n_.queries + n_.keys + n_.values, n_.hidden, c_.qkv_bias);
      l.wq = cut(fused, 0, n_.queries);
      l.wk = cut(fused, n_.queries, n_.keys);
      l.wv = cut(fused, n_.queries + n_.keys, n_.values);
    } else {
      l.wq = affine(at + "q_proj", n_.queries, n_.hidden, c_.qkv_bias);
      l.wk = affine(at + "k_proj", n_.keys, n_.hidden, c_.qkv_bias);
      l.wv = affine(at + "v_proj", n_.values, n_.hidden, c_.qkv_bias);
    }
    l.wo = affine(at + "o_proj", n_.hidden, n_.attended, c_.output_bias);
    if (c_.qk_norm) {
      l.q_norm = vector(at + "q_norm.weight", c_.head_dim);
      l.k_norm = vector(at + "k_norm.weight", c_.head_dim);
    }
  }
  void latent(Layer& l, const std::string& at) const {
    const auto& d = c_.latent;
    if (d.q_rank != 0) {
      l.q_down = matrix(at + "q_a_proj.weight", d.q_rank, n_.hidden);
      l.q_down_norm = vector(at + "q_a_layernorm.weight", d.q_rank);
      l.wq.weight = matrix(at + "q_b_proj.weight", n_.queries, d.q_rank);
    } else {
      l.wq.weight = matrix(at + "q_proj.weight", n_.queries, n_.hidden);
    }
    l.kv_down = matrix(at + "kv_a_proj_with_mqa.weight", std::uint64_t{d.kv_rank} + d.rotary_dim, n_.hidden);
    l.kv_down_norm = vector(at + "kv_a_layernorm.weight", d.kv_rank);
    const std::uint64_t each = std::uint64_t{d.plain_dim} + c_.value_dim;
    const auto both = matrix(at + "kv_b_proj.weight", c_.heads * each, d.kv_rank);
    l.wk.weight = both.strided(0, d.plain_dim, each);
    l.wv.weight = both.strided(d.plain_dim, c_.value_dim, each);
    l.wo.weight = matrix(at + "o_proj.weight", n_.hidden, n_.attended);
  }
  FeedForward feed_forward(const std::string& at, std::uint64_t width) const {
    FeedForward f;
    if (c_.family == "phi3") {
      const auto fused = affine(at + "gate_up_proj", 2 * width, n_.hidden, c_.ffn_bias);
      f.gate = cut(fused, 0, width);
      f.up = cut(fused, width, width);
    } else {
      f.gate = affine(at + "gate_proj", width, n_.hidden, c_.ffn_bias);
      f.up = affine(at + "up_proj", width, n_.hidden, c_.ffn_bias);
    }
    f.down = affine(at + "down_proj", n_.hidden, width, c_.ffn_bias);
    return f;
  }
  void experts(Layer& l, const std::string& layer) const {
    const auto& e = c_.experts;
    const bool mixtral = c_.family == "mixtral";
    const auto at = layer + (mixtral ? "block_sparse_moe." : "mlp.");
    l.router = matrix(at + "gate.weight", e.count, n_.hidden);
    if (e.corrected) l.router_correction = bias(at + "gate.e_score_correction_bias", e.count);
    for (std::uint32_t i = 0; i < e.count; ++i) {
      const auto of = fmt::format("{}experts.{}.", at, i);
      if (mixtral)
        l.experts.push_back({affine(of + "w1", e.ffn, n_.hidden, false),
                             affine(of + "w3", e.ffn, n_.hidden, false),
                             affine(of + "w2", n_.hidden, e.ffn, false)});
      else
        l.experts.push_back(feed_forward(of, e.ffn));
    }
    if (e.shared_ffn != 0) l.shared_expert = feed_forward(at + "shared_experts.", e.shared_ffn);
  }

  void gpt2() {
    const auto top = prefix("transformer.", "wte.weight");
    model_.embedding = matrix(top + "wte.weight", c_.vocabulary, n_.hidden);
    model_.positions = matrix(top + "wpe.weight", c_.max_positions, n_.hidden);
    model_.final_norm = norm(top + "ln_f");
    classify("lm_head.weight");
    const auto turned = [&](const std::string& name, std::uint64_t rows,
                            std::uint64_t cols) -> Affine {  // stored [inputs][outputs]
      return {matrix(name + ".weight", cols, rows).transposed(), bias(name + ".bias", rows)};
    };
    for (std::uint32_t i = 0; i < c_.layers; ++i) {
      auto& l = model_.layers[i];
      const auto at = fmt::format("{}h.{}.", top, i);
      l.attention_norm = norm(at + "ln_1");
      const auto fused = turned(at + "attn.c_attn", 3 * n_.hidden, n_.hidden);
      l.wq = cut(fused, 0, n_.hidden);
      l.wk = cut(fused, n_.hidden, n_.hidden);
      l.wv = cut(fused, 2 * n_.hidden, n_.hidden);
      l.wo = turned(at + "attn.c_proj", n_.hidden, n_.hidden);
      l.ffn_norm = norm(at + "ln_2");
      l.ffn.up = turned(at + "mlp.c_fc", n_.ffn, n_.hidden);
      l.ffn.down = turned(at + "mlp.c_proj", n_.hidden, n_.ffn);
    }
  }

  void opt() {
    const auto top = prefix("model.", "decoder.embed_tokens.weight") + "decoder.";
    model_.embedding = matrix(top + "embed_tokens.weight", c_.vocabulary, n_.hidden);
    model_.positions = matrix(top + "embed_positions.weight",
                              std::uint64_t{c_.max_positions} + c_.position_offset, n_.hidden);
    model_.final_norm = norm(top + "final_layer_norm");
    classify("lm_head.weight");
    for (std::uint32_t i = 0; i < c_.layers; ++i) {
      auto& l = model_.layers[i];
      const auto at = fmt::format("{}layers.{}.", top, i);
      l.attention_norm = norm(at + "self_attn_layer_norm");
      l.wq = affine(at + "self_attn.q_proj", n_.queries, n_.hidden, c_.qkv_bias);
      l.wk = affine(at + "self_attn.k_proj", n_.keys, n_.hidden, c_.qkv_bias);
      l.wv = affine(at + "self_attn.v_proj", n_.values, n_.hidden, c_.qkv_bias);
      l.wo = affine(at + "self_attn.out_proj", n_.hidden, n_.attended, c_.output_bias);
      l.ffn_norm = norm(at + "final_layer_norm");
      l.ffn.up = affine(at + "fc1", n_.ffn, n_.hidden, c_.ffn_bias);
      l.ffn.down = affine(at + "fc2", n_.hidden, n_.ffn, c_.ffn_bias);
    }
  }

  void bloom() {
    const auto top = prefix("transformer.", "word_embeddings.weight");
    model_.embedding = matrix(top + "word_embeddings.weight", c_.vocabulary, n_.hidden);
    model_.embedding_norm = norm(top + "word_embeddings_layernorm");
    model_.final_norm = norm(top + "ln_f");
    classify("lm_head.weight");
    for (std::uint32_t i = 0; i < c_.layers; ++i) {
      auto& l = model_.layers[i];
      const auto at = fmt::format("{}h.{}.", top, i);
      l.attention_norm = norm(at + "input_layernorm");
      const auto fused = affine(at + "self_attention.query_key_value", 3 * n_.hidden, n_.hidden, true);
      const auto of_heads =
          [&](std::uint64_t which) -> Affine {  // stored [head][query, key, value][head_dim]
        const std::uint64_t d = c_.head_dim;
        return {fused.weight.strided(which * d, d, 3 * d), fused.bias.strided(which * d, d, 3 * d)};
      };
      l.wq = of_heads(0);
      l.wk = of_heads(1);
      l.wv = of_heads(2);
      l.wo = affine(at + "self_attention.dense", n_.hidden, n_.hidden, true);
      l.ffn_norm = norm(at + "post_attention_layernorm");
      l.ffn.up = affine(at + "mlp.dense_h_to_4h", n_.ffn, n_.hidden, true);
      l.ffn.down = affine(at + "mlp.dense_4h_to_h", n_.hidden, n_.ffn, true);
    }
  }

  Model& model_;
  const ModelConfig& c_;
  const SafeTensors& tensors_;
  Sizes n_;
};

}  // namespace

void take_tensors(Model& model, const SafeTensors& tensors) { Taker(model, tensors).take(); }

Model load_hugging_face(const std::string& path, bool shapes_only) {
  namespace fs = std::filesystem;
  const bool folder = fs::is_directory(path);
  const auto home = fs::absolute(folder ? fs::path(path) : fs::path(path).parent_path()).lexically_normal();
  const auto file = folder ? path + "/config.json" : path;
  const auto text = parse_json_file(file);
  const Fields fields(text, file);
  Model model;
  model.config =
      config_from_json(fields, (home.filename().empty() ? home.parent_path() : home).filename().string());
  model.has_weights = folder && !shapes_only;
  if (!model.has_weights) return model;
  if (fields.has("quantization_config"))
    throw ModelError(
        file +
        ": 'quantization_config': quantised weights are not supported in this layout; shapes alone are");
  take_tensors(model, SafeTensors(path));
  return model;
}

}  // namespace forerun::models
