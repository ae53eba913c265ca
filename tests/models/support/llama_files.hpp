// SPDX-License-Identifier: Apache-2.0
/// A loaded model of the Llama family, of whatever format, as the content of files of another.
#pragma once

#include "models/import/model.hpp"
#include "tests/models/support/model_files.hpp"

namespace forerun::tests {

/// config.json and tensors of the Hugging Face layout, in the element type `type`. Queries and keys whose
/// pairs are neighbours are reordered.
nlohmann::json llama_config(const models::ModelConfig& config);
FileTensors llama_tensors(const models::Model& model, const std::string& type);

}  // namespace forerun::tests
