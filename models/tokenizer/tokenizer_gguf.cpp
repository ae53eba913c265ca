// SPDX-License-Identifier: Apache-2.0
// The tokenizer inside a GGUF file: its keys are those of llama.cpp.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "models/import/gguf.hpp"
#include "models/import/json_fields.hpp"
#include "models/tokenizer/byte_alphabet.hpp"
#include "models/tokenizer/tokenizer.hpp"
#include "platform/chip/keys.hpp"

namespace forerun::models {
namespace {

using nlohmann::json;

constexpr const char* space_mark = "\xe2\x96\x81";  // U+2581, which SentencePiece writes for a space

enum TokenType { unknown = 2, control = 3, user_defined = 4, byte = 6 };

/// How text is cut before it is merged; the patterns are those that the models' tokenizer.json files hold.
struct Words {
  std::vector<std::string> patterns;  ///< none: GPT-2's
  bool whole = false;                 ///< a word that is a token is not merged
  bool begin = false;                 ///< the begin token comes first unless the file says otherwise
};

const std::map<std::string, Words>& kinds_of_words() {
  static const std::string llama3 =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| "
      "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  static const std::string qwen2 =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| "
      "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  static const std::map<std::string, Words> table{
      {"gpt-2", {}},
      {"llama-bpe", {{llama3}, true, true}},
      {"qwen2", {{qwen2}}},
      {"bloom",
       {{" ?[^(\\s|.,!?\xe2\x80\xa6\xe3\x80\x82\xef\xbc\x8c\xe3\x80\x81\xe0\xa5\xa4\xdb\x94\xd8\x8c)]+"}}}};
  return table;
}

}  // namespace

class TokenizerGguf {
 public:
  explicit TokenizerGguf(const GgufFile& file) : f_(file.metadata, file.path) {}

  Tokenizer read() {
    const auto model = f_.text("tokenizer.ggml.model");
    if (model != "llama" && model != "gpt2") f_.fail("tokenizer.ggml.model", "llama or gpt2");
    t_.over_bytes_ = model == "gpt2";
    const auto begin = t_.over_bytes_ ? byte_level() : sentence_piece();
    if (f_.flag("tokenizer.ggml.add_bos_token", begin)) {
      t_.prefix_ = {f_.number("tokenizer.ggml.bos_token_id", 1)};
      if (t_.prefix_[0] >= t_.size())
        f_.fail("tokenizer.ggml.bos_token_id", fmt::format("0 to {}", t_.size() - 1));
    }
    return std::move(t_);
  }

 private:
  const json& list(const char* key) const {
    if (!f_.has(key) || !f_.object()[key].is_array()) f_.fail(key, "a list");
    return f_.object()[key];
  }
  std::string text(const json& value, const char* key) const {
    if (!value.is_string()) f_.fail(key, "a list of texts");
    return value.get<std::string>();
  }
  bool byte_level() {
    const auto pre = f_.text("tokenizer.ggml.pre", "gpt-2");
    const auto words = kinds_of_words().find(pre);
    if (words == kinds_of_words().end()) {
      std::vector<std::string> known;
      for (const auto& [name, kind] : kinds_of_words()) known.push_back(name);
      const auto near = chip::nearest(pre, known);
      throw ModelError(fmt::format("{}: tokenizer.ggml.pre '{}' is not supported{}; known are {}", f_.where(),
                                   pre, near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near),
                                   fmt::join(known, ", ")));
    }
    for (const auto& pattern : words->second.patterns)
      t_.splitters_.push_back(split_by_pattern(pattern, SplitBehaviour::isolated));
    if (words->second.patterns.empty()) t_.splitters_.push_back(split_by_gpt2());
    t_.whole_words_ = words->second.whole;
    std::unordered_map<std::string, std::uint32_t> by_token;
    std::uint32_t count = 0;
    read_tokens([&](const std::string& token) {
      by_token.emplace(token, count++);
      return from_byte_alphabet(token);
    });
    double order = 0;
    for (const auto& entry : list("tokenizer.ggml.merges")) {
      const auto pair = text(entry, "tokenizer.ggml.merges");
      const auto space = pair.find(' ', 1);
      if (space == std::string::npos)
        throw ModelError(fmt::format("{}: 'tokenizer.ggml.merges': '{}' is no pair", f_.where(), pair));
      const auto left = by_token.find(pair.substr(0, space)), right = by_token.find(pair.substr(space + 1)),
                 both = by_token.find(pair.substr(0, space) + pair.substr(space + 1));
      if (left == by_token.end() || right == by_token.end() || both == by_token.end())
        throw ModelError(fmt::format(
            "{}: 'tokenizer.ggml.merges': '{}' names a token that the vocabulary lacks", f_.where(), pair));
      t_.merges_.emplace(std::uint64_t{left->second} << 32 | right->second,
                         Tokenizer::Merge{order++, both->second});
    }
    return words->second.begin;
  }
  bool sentence_piece() {
    read_tokens([](std::string token) {
      for (auto at = token.find(space_mark); at != std::string::npos; at = token.find(space_mark, at))
        token.replace(at, 3, " ");
      return token;
    });
    const auto& scores = list("tokenizer.ggml.scores");
    if (scores.size() != t_.tokens_.size())
      f_.fail("tokenizer.ggml.scores", fmt::format("{} numbers", t_.tokens_.size()));
    for (const auto& score : scores) t_.scores_.push_back(score.is_number() ? score.get<float>() : 0);
    if (f_.flag("tokenizer.ggml.add_space_prefix", true)) t_.before_ = " ", t_.strip_first_ = true;
    t_.replacements_.push_back({" ", space_mark});
    return true;
  }
  template <typename ToBytes>
  void read_tokens(ToBytes to_bytes) {
    const auto& tokens = list("tokenizer.ggml.tokens");
    if (tokens.empty() || tokens.size() > 1u << 24) f_.fail("tokenizer.ggml.tokens", "1 to 16777216 tokens");
    const auto types =
        f_.has("tokenizer.ggml.token_type") ? list("tokenizer.ggml.token_type") : json::array();
    if (!types.empty() && types.size() != tokens.size())
      f_.fail("tokenizer.ggml.token_type", fmt::format("{} numbers", tokens.size()));
    std::vector<std::uint32_t> bytes(256, ~0u);
    for (std::uint32_t id = 0; id < tokens.size(); ++id) {
      const auto token = text(tokens[id], "tokenizer.ggml.tokens");
      const int type = types.empty() || !types[id].is_number_integer() ? 1 : types[id].get<int>();
      const auto means = to_bytes(token);
      if (const auto b = fallback_byte(token); type == byte && b) {
        t_.add_token(id, {}, std::string(1, static_cast<char>(*b)));
        bytes[*b] = id;
      } else if (type == control || type == user_defined || type == unknown) {
        t_.add_token(id, {}, type == user_defined ? token : "");
        t_.tokens_[id].special = type != user_defined;
        if (type == unknown) t_.unknown_ = id;
        if (type != unknown && !token.empty()) t_.added_.push_back({token, id, false, false});
      } else {
        t_.add_token(id, t_.over_bytes_ ? means : token, means);
      }
    }
    if (std::find(bytes.begin(), bytes.end(), ~0u) == bytes.end()) t_.byte_ids_ = bytes;
  }

  Fields f_;
  Tokenizer t_;
};

Tokenizer Tokenizer::from_gguf(const std::string& path) {
  const auto file = read_gguf(path);
  return TokenizerGguf(file).read();
}

}  // namespace forerun::models
