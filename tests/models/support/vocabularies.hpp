// SPDX-License-Identifier: Apache-2.0
/// The bundled model's vocabulary in the forms of other tokenizers.
#pragma once

#include <nlohmann/json.hpp>

namespace forerun::tests {

/// Keys of GGUF: byte-level, with the pattern that `pre` names.
nlohmann::json byte_level_vocabulary(const std::string& pre);
/// Keys of GGUF: SentencePiece with scores. Its tokens are 3 special ones, 256 bytes, and those of the
/// bundled vocabulary that are whole characters.
nlohmann::json sentence_piece_vocabulary();
/// The same as a tokenizer.json, with merges in the order of the scores, in the way of Llama 2 and Mistral.
nlohmann::json sentence_piece_json();

}  // namespace forerun::tests
