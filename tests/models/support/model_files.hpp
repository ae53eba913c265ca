// SPDX-License-Identifier: Apache-2.0
/// Writes small models to files, for tests of reading them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace forerun::tests {

/// A folder of its own, gone at the end.
class ScratchFolder {
 public:
  ScratchFolder();
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string slurp(const std::filesystem::path& path);
void spill(const std::filesystem::path& path, const std::string& text);

/// `type` is F32, F16 or BF16, in GGUF also Q8_0 and Q4_0, or any of ggml's if `bytes` are given instead of
/// values; `shape` has the slowest dimension first.
struct FileTensor {
  std::string type;
  std::vector<std::uint64_t> shape;
  std::vector<float> values;
  std::string bytes = {};
};
using FileTensors = std::map<std::string, FileTensor>;

/// The values as they lie in a file. Values beyond a plain type's precision are rounded; quantised blocks
/// take the scale of their largest magnitude.
std::string encode(const FileTensor& tensor);

void write_safetensors(const std::filesystem::path& path, const FileTensors& tensors);
/// Version 3. Whole numbers of `metadata` become u32, others f32; lists hold texts, whole numbers (i32) or
/// numbers.
void write_gguf(const std::filesystem::path& path, const nlohmann::json& metadata,
                const FileTensors& tensors);

/// A matrix of one of ggml's quantised types whose blocks hold every kind of bits, with scales of about
/// 1/2000.
FileTensor random_blocks(const std::string& type, std::uint64_t rows, std::uint64_t cols);

/// A small model of a family with what PyTorch computed for it: tests/models/families/golden/NAME.json.
struct GoldenModel {
  explicit GoldenModel(const std::string& name);
  static std::vector<std::string> names();
  nlohmann::json text;
  FileTensors tensors;
  std::vector<std::uint32_t> ids;
  /// config.json and model.safetensors.
  void write(const std::filesystem::path& folder) const;
};

}  // namespace forerun::tests
