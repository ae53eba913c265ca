// SPDX-License-Identifier: Apache-2.0
/// From text to token ids and back.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "models/import/model.hpp"

namespace forerun::models {

/// Two kinds: byte-level BPE from a Hugging Face tokenizer.json, and llama2.c's tokenizer.bin (scores, byte fallback).
class Tokenizer {
 public:
  /// For a model that load_model accepts: FOLDER/tokenizer.json, or beside FILE.bin a tokenizer.bin, else tokVOCABULARY.bin.
  /// Throws ModelError when there is none or it cannot be used.
  static Tokenizer for_model(const std::string& model_path, std::uint32_t vocabulary);
  static Tokenizer from_json(const std::string& path);
  static Tokenizer from_llama2c(const std::string& path, std::uint32_t vocabulary);

  /// The ids of a text, after the begin token where the tokenizer has one.
  std::vector<std::uint32_t> encode(std::string_view text) const;
  /// The bytes of one token that follows `previous`; empty for special tokens. Not always whole characters.
  std::string piece(std::uint32_t previous, std::uint32_t id) const;
  std::string decode(std::span<const std::uint32_t> ids) const;
  std::uint32_t size() const { return static_cast<std::uint32_t>(pieces_.size()); }

 private:
  enum class Kind { byte_level, scores };
  void merge(std::vector<std::uint32_t>& ids) const;
  void encode_word(std::string_view word, std::vector<std::uint32_t>& ids) const;
  struct Merge {
    double order;        // the smallest goes first
    std::uint32_t id;
  };
  Kind kind_ = Kind::byte_level;
  std::vector<std::string> pieces_;                      // bytes of each id
  std::vector<bool> special_;
  std::unordered_map<std::string, std::uint32_t> ids_;   // from bytes
  std::unordered_map<std::uint64_t, Merge> merges_;      // byte-level: by left << 32 | right
  std::vector<float> scores_;
  std::vector<std::pair<std::string, std::uint32_t>> added_;  // found in the text before anything else
  std::vector<std::uint32_t> prefix_;                    // begin token
};

/// Cuts a growing byte string into whole UTF-8 characters, for printing tokens as they come.
class Utf8Stream {
 public:
  /// Adds bytes and returns what is now complete; what can never become a character passes through.
  std::string add(std::string_view bytes);

 private:
  std::string rest_;
};

/// Cuts text where GPT-2's pattern does: contractions, letters, digits, others, white space.
std::vector<std::string_view> split_like_gpt2(std::string_view text);

}  // namespace forerun::models
