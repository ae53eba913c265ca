// SPDX-License-Identifier: Apache-2.0
// The Hugging Face layout: config.json and safetensors.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "models/import/formats.hpp"
#include "models/import/mapped_file.hpp"

namespace forerun::models {
namespace {

using nlohmann::json;

json parse(const std::string& path, std::string_view text) {
  try {
    return json::parse(text);
  } catch (const json::parse_error& error) {
    const auto before = text.substr(0, std::min(error.byte, text.size()));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const auto column = before.size() - (before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1);
    throw ModelError(fmt::format("{}:{}:{}: not valid JSON", path, line, column));
  }
}

json parse_file(const std::string& path) {
  const auto file = map_file(path);
  return parse(path, {reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()});
}

template <typename T>
T field(const json& object, const std::string& path, const char* key, std::optional<T> absent = std::nullopt) {
  const auto at = object.find(key);
  if (at == object.end() || at->is_null()) {
    if (absent) return *absent;
    throw ModelError(fmt::format("{}: '{}' is missing", path, key));
  }
  constexpr bool whole = std::is_same_v<T, std::uint32_t>;
  const bool good = whole ? at->is_number_unsigned() && at->template get<std::uint64_t>() <= 0xffffffff
                    : std::is_same_v<T, bool> ? at->is_boolean()
                    : std::is_same_v<T, double> ? at->is_number() : at->is_string();
  if (!good)
    throw ModelError(fmt::format("{}: '{}' is {}, expected {}", path, key, at->dump(),
                                 whole ? "a whole number" : std::is_same_v<T, bool> ? "true or false"
                                 : std::is_same_v<T, double> ? "a number" : "a text"));
  return at->template get<T>();
}

ModelConfig read_config(const std::string& folder) {
  const auto path = folder + "/config.json";
  const auto text = parse_file(path);
  if (!text.is_object()) throw ModelError(path + ": expected an object");
  const auto type = field<std::string>(text, path, "model_type");
  if (type != "llama") throw ModelError(fmt::format("{}: model_type '{}' is not supported; supported is 'llama'", path, type));
  if (const auto act = field<std::string>(text, path, "hidden_act", "silu"); act != "silu")
    throw ModelError(fmt::format("{}: hidden_act '{}' is not supported; supported is 'silu'", path, act));
  for (const char* key : {"attention_bias", "mlp_bias"})
    if (field<bool>(text, path, key, false)) throw ModelError(fmt::format("{}: '{}' is not supported", path, key));
  if (const auto scaling = text.find("rope_scaling"); scaling != text.end() && !scaling->is_null())
    throw ModelError(path + ": 'rope_scaling' is not supported");
  const auto number = [&](const char* key, std::optional<std::uint32_t> absent = std::nullopt) {
    return field<std::uint32_t>(text, path, key, absent);
  };
  ModelConfig c;
  c.name = std::filesystem::path(folder).lexically_normal().filename().string();
  if (c.name.empty()) c.name = std::filesystem::path(folder).lexically_normal().parent_path().filename().string();
  c.hidden = number("hidden_size");
  c.layers = number("num_hidden_layers");
  c.heads = number("num_attention_heads");
  c.kv_heads = number("num_key_value_heads", c.heads);
  c.head_dim = number("head_dim", c.heads > 0 ? c.hidden / c.heads : 0);
  c.ffn = number("intermediate_size");
  c.vocabulary = number("vocab_size");
  c.max_positions = number("max_position_embeddings");
  c.rms_eps = field<double>(text, path, "rms_norm_eps", 1e-6);
  c.rope_theta = field<double>(text, path, "rope_theta", 10000.0);
  c.tied_embeddings = field<bool>(text, path, "tie_word_embeddings", false);
  c.bos = number("bos_token_id", 1);
  const auto eos = text.find("eos_token_id");
  c.eos = eos != text.end() && eos->is_array() && !eos->empty() && eos->front().is_number_unsigned()
              ? eos->front().get<std::uint32_t>()
              : number("eos_token_id", 2);
  check_config(c, path);
  return c;
}

/// The tensors of one or several safetensors files, by name.
class Weights {
 public:
  explicit Weights(const std::string& folder) : folder_(folder) {
    const auto index = folder + "/model.safetensors.index.json";
    if (!std::filesystem::exists(index)) {
      add(folder + "/model.safetensors");
      return;
    }
    const auto text = parse_file(index);
    const auto map = text.find("weight_map");
    if (map == text.end() || !map->is_object()) throw ModelError(index + ": 'weight_map' is missing");
    std::map<std::string, bool> shards;
    for (const auto& [name, shard] : map->items()) {
      if (!shard.is_string() || shard.get<std::string>().find('/') != std::string::npos)
        throw ModelError(fmt::format("{}: the shard of '{}' is no file name", index, name));
      if (!shards.emplace(shard.get<std::string>(), true).second) continue;
      add(folder + "/" + shard.get<std::string>());
    }
  }
  Tensor take(const std::string& name, std::uint64_t rows, std::uint64_t cols) const {
    const auto at = tensors_.find(name);
    if (at == tensors_.end()) throw ModelError(fmt::format("{}: tensor '{}' is missing", folder_, name));
    if (at->second.rows != rows || at->second.cols != cols)
      throw ModelError(fmt::format("{}: tensor '{}' is {} x {}, expected {} x {}", folder_, name, at->second.rows,
                                   at->second.cols, rows, cols));
    return at->second;
  }
  const std::vector<std::shared_ptr<const void>>& files() const { return files_; }

 private:
  void add(const std::string& path) {
    const auto file = map_file(path);
    std::uint64_t size = 0;
    if (file.bytes.size() < 8) throw ModelError(fmt::format("{}: {} bytes are too few for safetensors", path, file.bytes.size()));
    std::memcpy(&size, file.bytes.data(), 8);
    if (size > file.bytes.size() - 8)
      throw ModelError(fmt::format("{}: the header says it has {} bytes, the file has {}", path, size, file.bytes.size() - 8));
    const auto header = parse(path, {reinterpret_cast<const char*>(file.bytes.data()) + 8, size});
    if (!header.is_object()) throw ModelError(path + ": the header is not an object");
    const auto data = file.bytes.subspan(8 + size);
    files_.push_back(file.owner);
    for (const auto& [name, entry] : header.items())
      if (name != "__metadata__") tensors_[name] = read(path, name, entry, data);
  }
  static Tensor read(const std::string& path, const std::string& name, const json& entry, std::span<const std::byte> data) {
    const auto fail = [&](const std::string& what) { throw ModelError(fmt::format("{}: tensor '{}': {}", path, name, what)); };
    const auto numbers = [&](const char* key, std::size_t least, std::size_t most) {
      const auto at = entry.is_object() ? entry.find(key) : entry.end();
      if (!entry.is_object() || at == entry.end() || !at->is_array() || at->size() < least || at->size() > most)
        fail(fmt::format("'{}' must be a list of {} to {} numbers", key, least, most));
      std::vector<std::uint64_t> values;
      for (const auto& v : *at) {
        if (!v.is_number_unsigned() || v.get<std::uint64_t>() > (std::uint64_t{1} << 48)) fail(fmt::format("bad number in '{}'", key));
        values.push_back(v.get<std::uint64_t>());
      }
      return values;
    };
    Tensor tensor;
    tensor.name = name;
    const auto dtype = entry.is_object() && entry.contains("dtype") && entry["dtype"].is_string() ? entry["dtype"].get<std::string>() : "";
    if (dtype == "F32")
      tensor.type = TensorType::f32;
    else if (dtype == "F16")
      tensor.type = TensorType::f16;
    else if (dtype == "BF16")
      tensor.type = TensorType::bf16;
    else
      fail(fmt::format("dtype '{}' is not supported; supported are F32, F16 and BF16", dtype));
    const auto shape = numbers("shape", 1, 2), offsets = numbers("data_offsets", 2, 2);
    tensor.rows = shape.size() == 2 ? shape[0] : 1;
    tensor.cols = shape.back();
    const auto element = tensor.type == TensorType::f32 ? 4u : 2u;
    if (tensor.rows != 0 && tensor.cols > (std::uint64_t{1} << 48) / tensor.rows) fail("the shape is too large");
    if (offsets[0] > offsets[1] || offsets[1] > data.size())
      fail(fmt::format("bytes {} to {} lie outside of the file, which has {} bytes of data", offsets[0], offsets[1], data.size()));
    if (offsets[1] - offsets[0] != tensor.rows * tensor.cols * element)
      fail(fmt::format("{} bytes for {} x {} elements of {} bytes", offsets[1] - offsets[0], tensor.rows, tensor.cols, element));
    tensor.data = data.subspan(offsets[0], offsets[1] - offsets[0]);
    return tensor;
  }
  std::string folder_;
  std::map<std::string, Tensor> tensors_;
  std::vector<std::shared_ptr<const void>> files_;
};

}  // namespace

Model load_hugging_face(const std::string& folder) {
  Model model;
  model.config = read_config(folder);
  const auto& c = model.config;
  const Weights weights(folder);
  model.files = weights.files();
  const std::uint64_t h = c.hidden, q = std::uint64_t{c.heads} * c.head_dim, kv = std::uint64_t{c.kv_heads} * c.head_dim;
  model.embedding = weights.take("model.embed_tokens.weight", c.vocabulary, h);
  model.final_norm = weights.take("model.norm.weight", 1, h);
  model.classifier = c.tied_embeddings ? model.embedding : weights.take("lm_head.weight", c.vocabulary, h);
  for (std::uint32_t i = 0; i < c.layers; ++i) {
    const auto take = [&](const char* name, std::uint64_t rows, std::uint64_t cols) {
      return weights.take(fmt::format("model.layers.{}.{}.weight", i, name), rows, cols);
    };
    model.layers.push_back({take("input_layernorm", 1, h), take("self_attn.q_proj", q, h), take("self_attn.k_proj", kv, h),
                            take("self_attn.v_proj", kv, h), take("self_attn.o_proj", h, q),
                            take("post_attention_layernorm", 1, h), take("mlp.gate_proj", c.ffn, h),
                            take("mlp.up_proj", c.ffn, h), take("mlp.down_proj", h, c.ffn)});
  }
  return model;
}

}  // namespace forerun::models
