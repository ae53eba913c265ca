// SPDX-License-Identifier: Apache-2.0
/// The file formats behind load_model.
#pragma once

#include <string>

#include "models/import/model.hpp"

namespace forerun::models {

Model load_llama2c(const std::string& path);
Model load_hugging_face(const std::string& folder, bool shapes_only);
Model load_gguf(const std::string& path);
Model load_shape(const std::string& path);  ///< of models/zoo

}  // namespace forerun::models
