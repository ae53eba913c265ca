// SPDX-License-Identifier: Apache-2.0
#include "tests/models/support/llama_files.hpp"

namespace forerun::tests {
namespace {

FileTensor copy(const models::Tensor& tensor, const std::string& type) {
  FileTensor copy{tensor.rows == 1 ? "F32" : type, {}, std::vector<float>(tensor.rows * tensor.cols), {}};
  if (tensor.rows != 1) copy.shape.push_back(tensor.rows);
  copy.shape.push_back(tensor.cols);
  for (std::uint64_t r = 0; r < tensor.rows; ++r)
    tensor.read_row(r, std::span(copy.values).subspan(r * tensor.cols, tensor.cols));
  return copy;
}

/// Neighbours (2i, 2i + 1) of each head become (i, i + dim/2).
FileTensor in_halves(const FileTensor& t, std::uint64_t dim) {
  auto result = t;
  const auto cols = t.shape[1];
  for (std::uint64_t r = 0; r < t.shape[0]; ++r) {
    const auto in_head = r % dim, from = r - in_head + in_head % (dim / 2) * 2 + in_head / (dim / 2);
    for (std::uint64_t c = 0; c < cols; ++c) result.values[r * cols + c] = t.values[from * cols + c];
  }
  return result;
}

}  // namespace

nlohmann::json llama_config(const models::ModelConfig& c) {
  return {{"model_type", "llama"},          {"hidden_size", c.hidden},
          {"intermediate_size", c.ffn},     {"num_hidden_layers", c.layers},
          {"num_attention_heads", c.heads}, {"num_key_value_heads", c.kv_heads},
          {"head_dim", c.head_dim},         {"max_position_embeddings", c.max_positions},
          {"vocab_size", c.vocabulary},     {"rms_norm_eps", c.norm_eps},
          {"rope_theta", c.rotary.theta},   {"tie_word_embeddings", c.tied_embeddings},
          {"bos_token_id", c.bos},          {"eos_token_id", c.eos}};
}

FileTensors llama_tensors(const models::Model& model, const std::string& type) {
  const auto turn = [&](const models::Tensor& t) {
    const auto plain = copy(t, type);
    return model.config.rotary.interleaved ? in_halves(plain, model.config.head_dim) : plain;
  };
  FileTensors tensors;
  tensors["model.embed_tokens.weight"] = copy(model.embedding, type);
  tensors["model.norm.weight"] = copy(model.final_norm.weight, type);
  if (!model.config.tied_embeddings) tensors["lm_head.weight"] = copy(model.classifier, type);
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const auto& l = model.layers[i];
    const auto at = "model.layers." + std::to_string(i) + ".";
    tensors[at + "input_layernorm.weight"] = copy(l.attention_norm.weight, type);
    tensors[at + "post_attention_layernorm.weight"] = copy(l.ffn_norm.weight, type);
    tensors[at + "self_attn.q_proj.weight"] = turn(l.wq.weight);
    tensors[at + "self_attn.k_proj.weight"] = turn(l.wk.weight);
    tensors[at + "self_attn.v_proj.weight"] = copy(l.wv.weight, type);
    tensors[at + "self_attn.o_proj.weight"] = copy(l.wo.weight, type);
    tensors[at + "mlp.gate_proj.weight"] = copy(l.ffn.gate.weight, type);
    tensors[at + "mlp.up_proj.weight"] = copy(l.ffn.up.weight, type);
    tensors[at + "mlp.down_proj.weight"] = copy(l.ffn.down.weight, type);
  }
  return tensors;
}

}  // namespace forerun::tests
