// SPDX-License-Identifier: Apache-2.0
/// From the Hugging Face layout to GGUF, as llama.cpp's converters do it.
#pragma once

#include "tests/models/support/model_files.hpp"

namespace forerun::tests {

struct GgufContent {
  nlohmann::json metadata;
  FileTensors tensors;
};

/// False for families that GGUF has no names for.
bool has_gguf_form(const nlohmann::json& config);
/// `config` is a config.json, `tensors` are named as its family names them.
GgufContent to_gguf(const nlohmann::json& config, const FileTensors& tensors);

/// The models that other programs computed too (tests/models/families/llama_cpp.json): each golden model that
/// GGUF has a form for, all in F32 and with a vocabulary of made-up words, and llama-wide with embeddings of
/// each quantised type.
std::map<std::string, GgufContent> gguf_models();

}  // namespace forerun::tests
