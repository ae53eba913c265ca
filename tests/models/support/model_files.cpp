// SPDX-License-Identifier: Apache-2.0
#include "tests/models/support/model_files.hpp"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "ip/base/numbers.hpp"

namespace forerun::tests {

namespace fs = std::filesystem;
using nlohmann::json;

ScratchFolder::ScratchFolder() {
  static std::atomic<int> count = 0;
  path_ = fs::temp_directory_path() /
          ("forerun_models_" + std::to_string(getpid()) + "_" + std::to_string(count++));
  fs::create_directories(path_);
}
ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void spill(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

namespace {

template <typename T>
void put(std::string& to, T value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof value);
}

/// Blocks of 32: a binary16 scale, then int8 (Q8_0), or nibbles of elements i and i + 16 with 8 added (Q4_0).
void put_block(std::string& to, const float* values, bool eight) {
  float top = 0;
  for (int i = 0; i < 32; ++i) top = std::max(top, std::fabs(values[i]));
  const auto scale = ip::to_half(top / (eight ? 127.0F : 7.0F));
  const float unit = ip::from_half(scale);
  const auto quantised = [&](int i) {
    const float limit = eight ? 127.0F : 7.0F;
    return static_cast<int>(unit > 0 ? std::clamp(std::nearbyint(values[i] / unit), -limit, limit) : 0);
  };
  put(to, scale);
  for (int i = 0; i < (eight ? 32 : 16); ++i)
    to += static_cast<char>(eight ? quantised(i) : (quantised(i) + 8) | (quantised(i + 16) + 8) << 4);
}

void put_text(std::string& to, const std::string& text) {
  put(to, std::uint64_t{text.size()});
  to += text;
}

enum GgufValue : std::uint32_t { u32 = 4, i32 = 5, f32 = 6, boolean = 7, string = 8, array = 9 };

void put_value(std::string& to, const json& value, bool in_list) {
  const auto kind = [&](GgufValue type) {
    if (!in_list) put(to, std::uint32_t{type});
  };
  if (value.is_boolean()) {
    kind(boolean);
    put(to, static_cast<std::uint8_t>(value.get<bool>()));
  } else if (value.is_string()) {
    kind(string);
    put_text(to, value.get<std::string>());
  } else if (value.is_array()) {
    kind(array);
    const auto& first = value.front();
    put(to, std::uint32_t{first.is_string() ? string : first.is_number_integer() ? i32 : f32});
    put(to, std::uint64_t{value.size()});
    for (const auto& v : value) put_value(to, v, true);
  } else if (value.is_number_integer()) {
    kind(u32);
    put(to, value.get<std::uint32_t>());
  } else {
    kind(f32);
    put(to, value.get<float>());
  }
}

}  // namespace

std::string encode(const FileTensor& tensor) {
  if (!tensor.bytes.empty()) return tensor.bytes;
  std::string bytes;
  if (tensor.type == "Q8_0" || tensor.type == "Q4_0") {
    for (std::size_t i = 0; i + 32 <= tensor.values.size(); i += 32)
      put_block(bytes, &tensor.values[i], tensor.type == "Q8_0");
    return bytes;
  }
  for (const float v : tensor.values) {
    if (tensor.type == "F32")
      put(bytes, v);
    else
      put(bytes, tensor.type == "F16" ? ip::to_half(v) : ip::to_bfloat(v));
  }
  return bytes;
}

void write_safetensors(const fs::path& path, const FileTensors& tensors) {
  json header = json::object();
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    const auto begin = data.size();
    data += encode(tensor);
    header[name] = {{"dtype", tensor.type}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  const auto text = header.dump();
  std::string file;
  put(file, std::uint64_t{text.size()});
  spill(path, file + text + data);
}

void write_gguf(const fs::path& path, const json& metadata, const FileTensors& tensors) {
  static const std::map<std::string, std::uint32_t> types{
      {"F32", 0},  {"F16", 1},   {"Q4_0", 2},  {"Q4_1", 3},  {"Q5_0", 6},  {"Q5_1", 7},
      {"Q8_0", 8}, {"Q2_K", 10}, {"Q4_K", 12}, {"Q5_K", 13}, {"Q6_K", 14}, {"BF16", 30}};
  std::string file = "GGUF", data;
  put(file, std::uint32_t{3});
  put(file, std::uint64_t{tensors.size()});
  put(file, std::uint64_t{metadata.size()});
  for (const auto& [key, value] : metadata.items()) {
    put_text(file, key);
    put_value(file, value, false);
  }
  for (const auto& [name, tensor] : tensors) {
    put_text(file, name);
    put(file, static_cast<std::uint32_t>(tensor.shape.size()));
    for (auto at = tensor.shape.rbegin(); at != tensor.shape.rend(); ++at) put(file, *at);
    put(file, types.at(tensor.type));
    put(file, std::uint64_t{data.size()});
    data += encode(tensor);
    data.resize((data.size() + 31) / 32 * 32);
  }
  file.resize((file.size() + 31) / 32 * 32);
  spill(path, file + data);
}

namespace {

const fs::path golden_folder = FORERUN_SOURCE_DIR "/tests/models/families/golden";

std::uint32_t crc32(const std::string& text) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
  }
  return ~crc;
}

/// As tests/models/families/weights.py makes them.
float element(std::uint32_t seed, std::uint32_t index, float offset, float step) {
  std::uint32_t x = seed + index * 0x9e3779b9u;
  x = (x ^ x >> 16) * 0x7feb352du;
  x = (x ^ x >> 15) * 0x846ca68bu;
  x ^= x >> 16;
  return offset + static_cast<float>(static_cast<int>(x & 255) - 128) * step;
}

}  // namespace

FileTensor random_blocks(const std::string& type, std::uint64_t rows, std::uint64_t cols) {
  struct Layout {
    std::uint64_t elements, bytes;
    std::vector<std::size_t> scales;  // where binary16 numbers lie
  };
  static const std::map<std::string, Layout> layouts{
      {"Q4_0", {32, 18, {0}}},      {"Q4_1", {32, 20, {0, 2}}}, {"Q5_0", {32, 22, {0}}},
      {"Q5_1", {32, 24, {0, 2}}},   {"Q8_0", {32, 34, {0}}},    {"Q4_K", {256, 144, {0, 2}}},
      {"Q5_K", {256, 176, {0, 2}}}, {"Q6_K", {256, 210, {208}}}};
  const auto& layout = layouts.at(type);
  FileTensor tensor{type, {rows, cols}, {}, {}};
  for (std::uint64_t block = 0; block < rows * cols / layout.elements; ++block) {
    std::string bytes;
    const auto hash = [&](std::uint64_t i) {
      return static_cast<int>(element(crc32(type), static_cast<std::uint32_t>(block * 256 + i), 0, 1));
    };
    for (std::uint64_t i = 0; i < layout.bytes; ++i) bytes += static_cast<char>(hash(i));
    for (const auto at : layout.scales) {
      const auto scale = ip::to_half(static_cast<float>(hash(at)) * 0x1p-17F);
      std::memcpy(bytes.data() + at, &scale, 2);
    }
    tensor.bytes += bytes;
  }
  return tensor;
}

std::vector<std::string> GoldenModel::names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(golden_folder))
    names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

GoldenModel::GoldenModel(const std::string& name)
    : text(json::parse(slurp(golden_folder / (name + ".json")))) {
  ids = text["ids"].get<std::vector<std::uint32_t>>();
  for (const auto& [key, recipe] : text["tensors"].items()) {
    FileTensor tensor{recipe["type"], recipe["shape"], {}};
    std::uint64_t count = 1;
    for (const auto length : tensor.shape) count *= length;
    const auto seed = crc32(key);
    for (std::uint32_t i = 0; i < count; ++i)
      tensor.values.push_back(element(seed, i, recipe["offset"], recipe["step"]));
    tensors[key] = std::move(tensor);
  }
}

void GoldenModel::write(const fs::path& folder) const {
  spill(folder / "config.json", text["config"].dump(1));
  write_safetensors(folder / "model.safetensors", tensors);
}

}  // namespace forerun::tests
