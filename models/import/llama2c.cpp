// SPDX-License-Identifier: Apache-2.0
// The first format of llama2.c: seven int32, then binary32 tensors grouped by kind over all layers.
#include <fmt/format.h>

#include <array>
#include <cstring>
#include <filesystem>

#include "models/import/formats.hpp"
#include "models/import/mapped_file.hpp"

namespace forerun::models {

Model load_llama2c(const std::string& path) {
  const auto file = map_file(path);
  std::array<std::int32_t, 7> header{};
  if (file.bytes.size() < sizeof header)
    throw ModelError(fmt::format("{}: {} bytes are too few for the 28-byte header of a llama2.c model", path,
                                 file.bytes.size()));
  std::memcpy(header.data(), file.bytes.data(), sizeof header);
  const auto vocabulary = std::int64_t{header[5]};
  const auto positive = [&](int i) {
    return header[static_cast<std::size_t>(i)] > 0
               ? static_cast<std::uint32_t>(header[static_cast<std::size_t>(i)])
               : 0;
  };
  Model model;
  auto& c = model.config;
  c.name = std::filesystem::path(path).stem().string();
  c.hidden = positive(0);
  c.ffn = positive(1);
  c.layers = positive(2);
  c.heads = positive(3);
  c.kv_heads = positive(4);
  c.vocabulary = static_cast<std::uint32_t>(vocabulary < 0 ? -vocabulary : vocabulary);
  c.max_positions = positive(6);
  c.head_dim = c.heads > 0 ? c.hidden / c.heads : 0;
  c.rotary.interleaved = true;
  c.tied_embeddings = vocabulary > 0;
  complete_config(c, path + ": not a llama2.c model");
  if (c.head_dim * c.heads != c.hidden)
    throw ModelError(fmt::format("{}: not a llama2.c model: {} heads do not divide the hidden size {}", path,
                                 c.heads, c.hidden));
  model.files.push_back(file.owner);
  model.layers.resize(c.layers);

  std::uint64_t offset = sizeof header;
  const auto take = [&](std::string name, std::uint64_t rows, std::uint64_t cols) {
    const auto bytes = rows * cols * 4;
    if (offset + bytes > file.bytes.size())
      throw ModelError(fmt::format("{}: the file is cut short: {} needs bytes {} to {}, the file has {}",
                                   path, name, offset, offset + bytes, file.bytes.size()));
    auto tensor =
        Tensor::stored(std::move(name), TensorType::f32, rows, cols, file.bytes.subspan(offset, bytes));
    offset += bytes;
    return tensor;
  };
  const auto each = [&](auto member, const char* name, std::uint64_t rows, std::uint64_t cols) {
    for (std::size_t i = 0; i < model.layers.size(); ++i)
      member(model.layers[i]).weight = take(fmt::format("layer {} {}", i, name), rows, cols);
  };
  const std::uint64_t h = c.hidden, kv = std::uint64_t{c.kv_heads} * c.head_dim;
  model.embedding = take("embedding", c.vocabulary, h);
  each([](Layer& l) -> Affine& { return l.attention_norm; }, "attention norm", 1, h);
  each([](Layer& l) -> Affine& { return l.wq; }, "wq", h, h);
  each([](Layer& l) -> Affine& { return l.wk; }, "wk", kv, h);
  each([](Layer& l) -> Affine& { return l.wv; }, "wv", kv, h);
  each([](Layer& l) -> Affine& { return l.wo; }, "wo", h, h);
  each([](Layer& l) -> Affine& { return l.ffn_norm; }, "feed-forward norm", 1, h);
  each([](Layer& l) -> Affine& { return l.ffn.gate; }, "w1", c.ffn, h);
  each([](Layer& l) -> Affine& { return l.ffn.down; }, "w2", h, c.ffn);
  each([](Layer& l) -> Affine& { return l.ffn.up; }, "w3", c.ffn, h);
  model.final_norm.weight = take("final norm", 1, h);
  take("rotary tables", c.max_positions, c.head_dim);  // not needed: computed from the position
  model.classifier = c.tied_embeddings ? model.embedding : take("classifier", c.vocabulary, h);
  if (offset != file.bytes.size())
    throw ModelError(fmt::format("{}: {} bytes follow the last tensor; the header says {} bytes in all", path,
                                 file.bytes.size() - offset, offset));
  return model;
}

}  // namespace forerun::models
