// SPDX-License-Identifier: Apache-2.0
/// GGUF, versions 2 and 3: metadata and tensors of one file, as ggml's docs/gguf.md lays them out.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "models/import/tensor.hpp"

namespace forerun::models {

/// What a GGUF file holds. Reading checks every size against the file; errors name the byte offset and the
/// key.
struct GgufFile {
  struct Entry {
    Tensor tensor;     ///< rows: all dimensions but the first; absent for a type that cannot be read
    std::string type;  ///< as in ggml: "Q4_K"
  };
  std::string path;
  nlohmann::json metadata;  ///< an object; keys with their dots, as they stand
  std::map<std::string, Entry> tensors;
  std::shared_ptr<const void> owner;  ///< keeps the file mapped

  bool has(const std::string& name) const { return tensors.contains(name); }
  /// Throws ModelError when it is missing, has another shape or a type that cannot be read. A vector has one
  /// row.
  Tensor take(const std::string& name, std::uint64_t rows, std::uint64_t cols) const;
};

/// True for files that end in .gguf or begin as GGUF does.
bool is_gguf(const std::string& path);
/// Throws ModelError.
GgufFile read_gguf(const std::string& path);

}  // namespace forerun::models
