// SPDX-License-Identifier: Apache-2.0
// tokenizer.json of Hugging Face's tokenizers library.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "models/import/json_fields.hpp"
#include "models/import/mapped_file.hpp"
#include "models/tokenizer/byte_alphabet.hpp"
#include "models/tokenizer/tokenizer.hpp"

namespace forerun::models {

using nlohmann::json;

namespace {

constexpr const char* space_mark = "\xe2\x96\x81";  // U+2581, which SentencePiece writes for a space

std::string with_spaces(std::string text) {
  for (auto at = text.find(space_mark); at != std::string::npos; at = text.find(space_mark, at))
    text.replace(at, 3, " ");
  return text;
}

}  // namespace

class TokenizerJson {
 public:
  TokenizerJson(const json& root, const std::string& path) : root_(root, path), path_(path) {}

  Tokenizer read() {
    const auto model = root_.inner("model");
    if (const auto type = model.text("type", "BPE"); type != "BPE") unsupported("model type", type, "'BPE'");
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
      if (!model.text(key, "").empty())
        throw ModelError(fmt::format("{}: '{}' is not supported", path_, key));
    if (root_.has("normalizer")) normalizer(root_.inner("normalizer"));
    if (root_.has("pre_tokenizer")) pre_tokenizer(root_.inner("pre_tokenizer"));
    if (root_.has("decoder")) decoder(root_.inner("decoder"));
    vocabulary(model);
    added_tokens();
    merges(model);
    if (model.flag("byte_fallback", false)) byte_fallback();
    t_.whole_words_ = model.flag("ignore_merges", false);
    if (model.has("unk_token"))
      if (const auto at = by_token_.find(model.text("unk_token")); at != by_token_.end())
        t_.unknown_ = at->second;
    if (root_.has("post_processor")) post_processor(root_.inner("post_processor"));
    return std::move(t_);
  }

 private:
  [[noreturn]] void unsupported(const std::string& what, const std::string& value,
                                const std::string& known) const {
    throw ModelError(fmt::format("{}: {} '{}' is not supported; supported is {}", path_, what, value, known));
  }
  static const json& list(const Fields& f, const char* key) {
    if (!f.has(key) || !f.object()[key].is_array()) f.fail(key, "a list");
    return f.object()[key];
  }
  /// The parts of a "Sequence", or the one part.
  template <typename Each>
  static void each(const Fields& f, const char* key, Each visit) {
    if (f.text("type", "") != "Sequence") return visit(f);
    for (const auto& part : list(f, key)) visit(Fields(part, f.where()));
  }

  void normalizer(const Fields& all) {
    each(all, "normalizers", [&](const Fields& f) {
      const auto type = f.text("type");
      if (type == "Prepend") {
        t_.before_ = f.text("prepend");
      } else if (type == "Replace") {
        t_.replacements_.push_back({f.inner("pattern").text("String"), f.text("content")});
      } else if (type == "NFC") {
        t_.compose_ = true;
      } else {
        unsupported("normalizer", type, "Sequence, Prepend, Replace and NFC");
      }
    });
  }
  void pre_tokenizer(const Fields& all) {
    each(all, "pretokenizers", [&](const Fields& f) {
      const auto type = f.text("type");
      if (type == "ByteLevel") {
        t_.over_bytes_ = true;
        if (f.flag("add_prefix_space", false))
          unsupported("pre_tokenizer", "ByteLevel with add_prefix_space", "'ByteLevel' without");
        if (f.flag("use_regex", true)) t_.splitters_.push_back(split_by_gpt2());
      } else if (type == "Split") {
        split(f);
      } else if (type == "Digits") {
        const bool each_digit = f.flag("individual_digits", false);
        t_.splitters_.push_back(
            split_by_pattern(each_digit ? "\\p{N}" : "\\p{N}+", SplitBehaviour::isolated));
      } else if (type == "Metaspace") {
        const auto scheme = f.text("prepend_scheme", f.flag("add_prefix_space", true) ? "always" : "never");
        if (scheme != "always" && scheme != "never" && scheme != "first")
          f.fail("prepend_scheme", "always, never or first");
        if (scheme != "never") t_.before_ = " ";
        t_.before_first_only_ = scheme == "first";
        t_.replacements_.push_back({" ", space_mark});
        if (f.flag("split", true))
          t_.splitters_.push_back(split_by_text(space_mark, SplitBehaviour::with_next));
      } else {
        unsupported("pre_tokenizer", type, "Sequence, ByteLevel, Split, Digits and Metaspace");
      }
    });
  }
  void split(const Fields& f) {
    static const std::map<std::string, SplitBehaviour> behaviours{
        {"Isolated", SplitBehaviour::isolated},
        {"Removed", SplitBehaviour::removed},
        {"MergedWithPrevious", SplitBehaviour::with_previous},
        {"MergedWithNext", SplitBehaviour::with_next}};
    const auto behaviour = behaviours.find(f.text("behavior"));
    if (behaviour == behaviours.end())
      f.fail("behavior", "Isolated, Removed, MergedWithPrevious or MergedWithNext");
    const auto pattern = f.inner("pattern");
    try {
      t_.splitters_.push_back(
          pattern.has("String")
              ? split_by_text(pattern.text("String"), behaviour->second)
              : split_by_pattern(pattern.text("Regex"), behaviour->second, f.flag("invert", false)));
    } catch (const std::invalid_argument& error) {
      pattern.fail(pattern.first_of({"String", "Regex"}), fmt::format("a pattern ({})", error.what()));
    }
  }
  void decoder(const Fields& all) {
    each(all, "decoders", [&](const Fields& f) {
      const auto type = f.text("type");
      if (type == "Strip")
        t_.strip_first_ = f.number("start", 0) > 0;
      else if (type == "Metaspace")
        t_.strip_first_ = f.text("prepend_scheme", "always") != "never" && f.flag("add_prefix_space", true);
      else if (type != "ByteLevel" && type != "Replace" && type != "ByteFallback" && type != "Fuse")
        unsupported("decoder", type, "Sequence, ByteLevel, Replace, ByteFallback, Fuse, Strip and Metaspace");
    });
  }

  std::uint32_t id_of(const json& value, const std::string& token) const {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() >= 1u << 24)
      throw ModelError(fmt::format("{}: the id of token '{}' is {}, expected 0 to {}", path_, token,
                                   value.dump(), (1u << 24) - 1));
    return value.get<std::uint32_t>();
  }
  void vocabulary(const Fields& model) {
    for (const auto& [token, id] : model.inner("vocab").object().items()) {
      const auto number = id_of(id, token);
      by_token_[token] = number;
      if (t_.over_bytes_) {
        const auto bytes = from_byte_alphabet(token);
        t_.add_token(number, bytes, bytes);
      } else {
        t_.add_token(number, token, with_spaces(token));
      }
    }
  }
  void added_tokens() {
    if (!root_.has("added_tokens")) return;
    for (const auto& entry : list(root_, "added_tokens")) {
      const Fields f(entry, path_ + ": 'added_tokens'");
      const auto content = f.text("content");
      if (content.empty()) f.fail("content", "a text");
      const auto number = id_of(f.has("id") ? f.object()["id"] : json(), content);
      if (number >= t_.tokens_.size()) t_.tokens_.resize(std::size_t{number} + 1);
      t_.tokens_[number].bytes = content;
      t_.tokens_[number].special = f.flag("special", false);
      t_.added_.push_back({content, number, f.flag("lstrip", false), f.flag("rstrip", false)});
      by_token_.emplace(content, number);
    }
  }
  void merges(const Fields& model) {
    double order = 0;
    for (const auto& merge : list(model, "merges")) {
      std::string left, right;
      if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
        left = merge[0].get<std::string>(), right = merge[1].get<std::string>();
      } else {
        const auto pair = merge.is_string() ? merge.get<std::string>() : merge.dump();
        const auto space = pair.find(' ');
        if (space == std::string::npos)
          throw ModelError(fmt::format("{}: merge '{}' is no pair", path_, pair));
        left = pair.substr(0, space), right = pair.substr(space + 1);
      }
      const auto a = by_token_.find(left), b = by_token_.find(right), c = by_token_.find(left + right);
      if (a == by_token_.end() || b == by_token_.end() || c == by_token_.end())
        throw ModelError(
            fmt::format("{}: merge '{} {}' names a token that the vocabulary lacks", path_, left, right));
      t_.merges_.emplace(std::uint64_t{a->second} << 32 | b->second, Tokenizer::Merge{order++, c->second});
    }
  }
  void byte_fallback() {
    for (unsigned b = 0; b < 256; ++b) {
      const auto at = by_token_.find(fmt::format("<0x{:02X}>", b));
      if (at == by_token_.end()) {
        t_.byte_ids_.clear();
        return;
      }
      t_.tokens_[at->second].bytes = std::string(1, static_cast<char>(b));
      t_.byte_ids_.push_back(at->second);
    }
  }
  void post_processor(const Fields& all) {
    each(all, "processors", [&](const Fields& f) {
      const auto type = f.text("type");
      if (type == "ByteLevel") return;
      if (type != "TemplateProcessing")
        unsupported("post_processor", type, "Sequence, ByteLevel and TemplateProcessing");
      for (const auto& step : list(f, "single")) {
        const Fields s(step, f.where());
        if (!s.has("SpecialToken")) break;  // what follows the text is left out: the model goes on with it
        const auto name = s.inner("SpecialToken").text("id");
        for (const auto& id : list(f.inner("special_tokens").inner(name.c_str()), "ids"))
          t_.prefix_.push_back(id_of(id, name));
      }
    });
  }

  Fields root_;
  std::string path_;
  Tokenizer t_;
  std::unordered_map<std::string, std::uint32_t> by_token_;
};

Tokenizer Tokenizer::from_json(const std::string& path) {
  const auto root = parse_json_file(path);
  return TokenizerJson(root, path).read();
}

}  // namespace forerun::models
