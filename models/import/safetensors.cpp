// SPDX-License-Identifier: Apache-2.0
// safetensors: eight bytes of header size, a JSON header, then the tensors' bytes.
#include <fmt/format.h>

#include <cstring>
#include <filesystem>
#include <set>

#include "models/import/hugging_face.hpp"
#include "models/import/mapped_file.hpp"

namespace forerun::models {
namespace {

using nlohmann::json;

Tensor read_entry(const std::string& path, const std::string& name, const json& entry,
                  std::span<const std::byte> data) {
  const auto fail = [&](const std::string& what) {
    throw ModelError(fmt::format("{}: tensor '{}': {}", path, name, what));
  };
  const auto numbers = [&](const char* key, std::size_t least, std::size_t most) {
    const auto at = entry.is_object() ? entry.find(key) : entry.end();
    if (!entry.is_object() || at == entry.end() || !at->is_array() || at->size() < least || at->size() > most)
      fail(fmt::format("'{}' must be a list of {} to {} numbers", key, least, most));
    std::vector<std::uint64_t> values;
    for (const auto& v : *at) {
      if (!v.is_number_unsigned() || v.get<std::uint64_t>() > (std::uint64_t{1} << 48))
        fail(fmt::format("bad number in '{}'", key));
      values.push_back(v.get<std::uint64_t>());
    }
    return values;
  };
  TensorType type{};
  const auto dtype = entry.is_object() && entry.contains("dtype") && entry["dtype"].is_string()
                         ? entry["dtype"].get<std::string>()
                         : "";
  if (dtype == "F32")
    type = TensorType::f32;
  else if (dtype == "F16")
    type = TensorType::f16;
  else if (dtype == "BF16")
    type = TensorType::bf16;
  else
    return {};  // of no use; an error only if the model needs it
  const auto shape = numbers("shape", 0, 8), offsets = numbers("data_offsets", 2, 2);
  std::uint64_t rows = 1;
  for (std::size_t i = 0; i + 1 < shape.size(); ++i) {
    if (shape[i] != 0 && rows > (std::uint64_t{1} << 48) / shape[i]) fail("the shape is too large");
    rows *= shape[i];
  }
  const auto cols = shape.empty() ? 1 : shape.back();
  const auto element = block_of(type).bytes;
  if (rows != 0 && cols > (std::uint64_t{1} << 48) / rows) fail("the shape is too large");
  if (offsets[0] > offsets[1] || offsets[1] > data.size())
    fail(fmt::format("bytes {} to {} lie outside of the file, which has {} bytes of data", offsets[0],
                     offsets[1], data.size()));
  if (offsets[1] - offsets[0] != rows * cols * element)
    fail(fmt::format("{} bytes for {} x {} elements of {} bytes", offsets[1] - offsets[0], rows, cols,
                     element));
  return Tensor::stored(name, type, rows, cols, data.subspan(offsets[0], offsets[1] - offsets[0]));
}

}  // namespace

SafeTensors::SafeTensors(const std::string& folder) : folder_(folder) {
  const auto index = folder + "/model.safetensors.index.json";
  if (!std::filesystem::exists(index)) {
    add(folder + "/model.safetensors");
    return;
  }
  const auto text = parse_json_file(index);
  const auto map = text.is_object() ? text.find("weight_map") : text.end();
  if (!text.is_object() || map == text.end() || !map->is_object())
    throw ModelError(index + ": 'weight_map' is missing");
  std::set<std::string> shards;
  for (const auto& [name, shard] : map->items()) {
    if (!shard.is_string() || shard.get<std::string>().find('/') != std::string::npos)
      throw ModelError(fmt::format("{}: the shard of '{}' is no file name", index, name));
    if (shards.insert(shard.get<std::string>()).second) add(folder + "/" + shard.get<std::string>());
    if (!tensors_.contains(name))
      throw ModelError(fmt::format("{}: tensor '{}' is not in {}, where it is said to be", index, name,
                                   shard.get<std::string>()));
  }
}

void SafeTensors::add(const std::string& path) {
  const auto file = map_file(path);
  std::uint64_t size = 0;
  if (file.bytes.size() < 8)
    throw ModelError(fmt::format("{}: {} bytes are too few for safetensors", path, file.bytes.size()));
  std::memcpy(&size, file.bytes.data(), 8);
  if (size > file.bytes.size() - 8)
    throw ModelError(fmt::format("{}: the header says it has {} bytes, the file has {}", path, size,
                                 file.bytes.size() - 8));
  const auto header = parse_json(path, {reinterpret_cast<const char*>(file.bytes.data()) + 8, size});
  if (!header.is_object()) throw ModelError(path + ": the header is not an object");
  const auto data = file.bytes.subspan(8 + size);
  files_.push_back(file.owner);
  for (const auto& [name, entry] : header.items()) {
    if (name == "__metadata__") continue;
    auto tensor = read_entry(path, name, entry, data);
    if (!tensor && entry.is_object() && entry.contains("dtype") && entry["dtype"].is_string())
      tensor.name = entry["dtype"].get<std::string>();
    tensors_[name] = std::move(tensor);
  }
}

Tensor SafeTensors::take(const std::string& name, std::uint64_t rows, std::uint64_t cols) const {
  const auto at = tensors_.find(name);
  if (at == tensors_.end()) throw ModelError(fmt::format("{}: tensor '{}' is missing", folder_, name));
  const auto& t = at->second;
  if (t.data.data() == nullptr)
    throw ModelError(
        fmt::format("{}: tensor '{}': dtype '{}' is not supported; supported are F32, F16 and BF16", folder_,
                    name, t.name));
  if (t.rows != rows || t.cols != cols)
    throw ModelError(fmt::format("{}: tensor '{}' is {} x {}, expected {} x {}", folder_, name, t.rows,
                                 t.cols, rows, cols));
  return t;
}

}  // namespace forerun::models
