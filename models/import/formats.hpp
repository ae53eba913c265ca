// SPDX-License-Identifier: Apache-2.0
/// The file formats behind load_model.
#pragma once

#include <string>

#include "models/import/model.hpp"

namespace forerun::models {

Model load_llama2c(const std::string& path);
Model load_hugging_face(const std::string& folder);

/// Throws ModelError for sizes that no model can have; `where` begins the message.
void check_config(const ModelConfig& config, const std::string& where);

}  // namespace forerun::models
