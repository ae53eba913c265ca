// SPDX-License-Identifier: Apache-2.0
/// The Hugging Face layout: config.json of each family, safetensors, and what tensors are called.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "models/import/json_fields.hpp"
#include "models/import/model.hpp"

namespace forerun::models {

/// What the fields of a config.json say. A model_type that is not known is refused with the list of known
/// ones.
ModelConfig config_from_json(const Fields& fields, std::string name);
/// The model_types that config_from_json knows, in alphabetical order.
std::vector<std::string> known_families();

/// The tensors of one or several safetensors files, by name.
class SafeTensors {
 public:
  /// The folder's model.safetensors, or the shards that model.safetensors.index.json names.
  explicit SafeTensors(const std::string& folder);
  bool has(const std::string& name) const { return tensors_.contains(name); }
  /// Throws ModelError when it is missing or has another shape. A vector has one row.
  Tensor take(const std::string& name, std::uint64_t rows, std::uint64_t cols) const;
  const std::vector<std::shared_ptr<const void>>& files() const { return files_; }

 private:
  void add(const std::string& path);
  std::string folder_;
  std::map<std::string, Tensor> tensors_;
  std::vector<std::shared_ptr<const void>> files_;
};

/// Puts the tensors of `model.config`'s family in their places.
void take_tensors(Model& model, const SafeTensors& tensors);

}  // namespace forerun::models
