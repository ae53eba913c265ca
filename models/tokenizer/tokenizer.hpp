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
#include "models/tokenizer/split.hpp"

namespace forerun::models {

/// Byte-pair encoding in the forms that models use: over bytes (GPT-2, Llama 3, Qwen), or over characters
/// with bytes for those that the vocabulary lacks, by merges (Hugging Face's form of SentencePiece) or by
/// scores (SentencePiece's own).
class Tokenizer {
 public:
  /// For a model that load_model accepts: FOLDER/tokenizer.json, the one inside FILE.gguf, or beside FILE.bin
  /// a tokenizer.bin, else tokVOCABULARY.bin. Throws ModelError when there is none or it cannot be used.
  static Tokenizer for_model(const std::string& model_path, std::uint32_t vocabulary);
  static Tokenizer from_json(const std::string& path);
  static Tokenizer from_gguf(const std::string& path);
  static Tokenizer from_llama2c(const std::string& path, std::uint32_t vocabulary);

  /// The ids of a text, after the begin token where the tokenizer has one. Special tokens in the text are
  /// found.
  std::vector<std::uint32_t> encode(std::string_view text) const;
  /// The bytes of one token that follows `previous` (~0: none); empty for special tokens. Not always whole
  /// characters.
  std::string piece(std::uint32_t previous, std::uint32_t id) const;
  std::string decode(std::span<const std::uint32_t> ids) const;
  std::uint32_t size() const { return static_cast<std::uint32_t>(tokens_.size()); }

 private:
  friend class TokenizerJson;
  friend class TokenizerGguf;
  struct Token {
    std::string text;   ///< as in the vocabulary, in the byte alphabet already turned into bytes
    std::string bytes;  ///< what it stands for
    bool special = false;
  };
  struct Merge {
    double order;  ///< the smallest goes first
    std::uint32_t id;
  };
  struct Added {
    std::string text;
    std::uint32_t id;
    bool strip_before, strip_after;  ///< white space beside it belongs to it
  };
  struct Replacement {
    std::string from, to;
  };

  void add_token(std::uint32_t id, std::string text, std::string bytes);
  std::string normalise(std::string_view text) const;
  void merge(std::vector<std::uint32_t>& ids) const;
  void encode_word(std::string_view word, std::vector<std::uint32_t>& ids) const;
  void encode_part(std::string_view part, bool first, std::vector<std::uint32_t>& ids) const;

  std::vector<Token> tokens_;
  std::unordered_map<std::string, std::uint32_t> ids_;  // from Token::text
  std::vector<std::uint32_t> byte_ids_;                 // of each byte; empty without
  std::unordered_map<std::uint64_t, Merge> merges_;     // by left << 32 | right
  std::vector<float> scores_;                           // instead of merges
  bool over_bytes_ = false;
  bool whole_words_ = false;  // a word that is a token is not merged
  std::uint32_t unknown_ = ~0u;
  std::vector<Added> added_;           // found in the text before anything else
  std::vector<std::uint32_t> prefix_;  // begin token
  // Before words are encoded:
  std::vector<Replacement> replacements_;
  bool compose_ = false;            // Unicode's canonical composition (NFC)
  std::string before_;              // put before the text
  bool before_first_only_ = false;  // not after special tokens
  std::vector<std::shared_ptr<const Splitter>> splitters_;
  bool strip_first_ = false;  // of the decoded text, one space
};

/// Cuts a growing byte string into whole UTF-8 characters, for printing tokens as they come.
class Utf8Stream {
 public:
  /// Adds bytes and returns what is now complete; what can never become a character passes through.
  std::string add(std::string_view bytes);

 private:
  std::string rest_;
};

}  // namespace forerun::models
