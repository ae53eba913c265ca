// SPDX-License-Identifier: Apache-2.0
#include "models/tokenizer/tokenizer.hpp"

#include <fmt/format.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>

#include <cstring>
#include <filesystem>
#include <queue>

#include "models/import/gguf.hpp"
#include "models/import/mapped_file.hpp"

namespace forerun::models {
namespace {

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  if (from.empty()) return;
  std::string result;
  std::size_t at = 0;
  for (auto found = text.find(from); found != std::string::npos; found = text.find(from, at)) {
    result.append(text, at, found - at);
    result += to;
    at = found + from.size();
  }
  text = result.append(text, at);
}

std::size_t character_length(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  while (end < text.size() && end - at < 4 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
  return end - at;
}

constexpr std::string_view white_space = " \t\n\r\v\f";

}  // namespace

Tokenizer Tokenizer::for_model(const std::string& model_path, std::uint32_t vocabulary) {
  namespace fs = std::filesystem;
  if (fs::is_directory(model_path)) return from_json(model_path + "/tokenizer.json");
  if (fs::path(model_path).extension() == ".json" || fs::path(model_path).extension() == ".yaml")
    throw ModelError(model_path + ": a shape alone has no tokenizer");
  if (is_gguf(model_path)) return from_gguf(model_path);
  const auto folder = fs::path(model_path).parent_path();
  for (const auto& name : {std::string("tokenizer.bin"), fmt::format("tok{}.bin", vocabulary)})
    if (fs::exists(folder / name)) return from_llama2c((folder / name).string(), vocabulary);
  throw ModelError(fmt::format("{}: no tokenizer.bin or tok{}.bin beside it", model_path, vocabulary));
}

Tokenizer Tokenizer::from_llama2c(const std::string& path, std::uint32_t vocabulary) {
  const auto file = map_file(path);
  std::size_t at = 4;  // the longest token, not needed
  Tokenizer t;
  for (std::uint32_t id = 0; id < vocabulary; ++id) {
    float score = 0;
    std::int32_t length = 0;
    const auto left = file.bytes.size() - std::min(at, file.bytes.size());
    if (left >= 8) {
      std::memcpy(&score, file.bytes.data() + at, 4);
      std::memcpy(&length, file.bytes.data() + at + 4, 4);
    }
    if (left < 8 || length < 0 || static_cast<std::size_t>(length) > left - 8)
      throw ModelError(fmt::format("{}: the file is cut short in token {} of {}", path, id, vocabulary));
    const std::string text(reinterpret_cast<const char*>(file.bytes.data()) + at + 8,
                           static_cast<std::size_t>(length));
    t.add_token(id, text, text);
    t.scores_.push_back(score);
    at += 8 + static_cast<std::size_t>(length);
  }
  if (vocabulary < 259)
    throw ModelError(
        fmt::format("{}: {} tokens cannot hold the 256 bytes and three special ones", path, vocabulary));
  for (std::uint32_t id = 0; id < 3; ++id) t.tokens_[id].special = true;
  for (std::uint32_t b = 0; b < 256; ++b) {
    t.tokens_[3 + b].bytes = std::string(1, static_cast<char>(b));
    t.byte_ids_.push_back(3 + b);
  }
  t.prefix_ = {1};
  t.before_ = " ";
  t.strip_first_ = true;
  return t;
}

void Tokenizer::add_token(std::uint32_t id, std::string text, std::string bytes) {
  if (id >= tokens_.size()) tokens_.resize(std::size_t{id} + 1);
  if (!text.empty()) ids_.emplace(text, id);
  tokens_[id].text = std::move(text);
  tokens_[id].bytes = std::move(bytes);
}

void Tokenizer::merge(std::vector<std::uint32_t>& ids) const {
  constexpr std::size_t none = ~std::size_t{0};
  struct Candidate {
    double order;
    std::size_t left;
    std::uint32_t a, b, id;
    bool operator<(const Candidate& other) const {
      return order != other.order ? order > other.order : left > other.left;
    }
  };
  const std::size_t n = ids.size();
  std::vector<std::size_t> next(n), previous(n);
  std::vector<bool> gone(n);
  std::priority_queue<Candidate> queue;
  const auto consider = [&](std::size_t left) {
    if (left == none || next[left] == none) return;
    const auto a = ids[left], b = ids[next[left]];
    if (scores_.empty()) {
      if (const auto at = merges_.find(std::uint64_t{a} << 32 | b); at != merges_.end())
        queue.push({at->second.order, left, a, b, at->second.id});
    } else if (!tokens_[a].text.empty() &&
               !tokens_[b].text.empty()) {  // bytes have no text and are not merged
      if (const auto at = ids_.find(tokens_[a].text + tokens_[b].text); at != ids_.end())
        queue.push({-static_cast<double>(scores_[at->second]), left, a, b, at->second});
    }
  };
  for (std::size_t i = 0; i < n; ++i) {
    previous[i] = i == 0 ? none : i - 1;
    next[i] = i + 1 < n ? i + 1 : none;
  }
  for (std::size_t i = 0; i < n; ++i) consider(i);
  while (!queue.empty()) {
    const auto best = queue.top();
    queue.pop();
    const auto left = best.left;
    if (gone[left] || next[left] == none || ids[left] != best.a || ids[next[left]] != best.b)
      continue;  // stale
    const auto right = next[left];
    ids[left] = best.id;
    gone[right] = true;
    next[left] = next[right];
    if (next[left] != none) previous[next[left]] = left;
    consider(left);
    consider(previous[left]);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < n; ++i)
    if (!gone[i]) ids[kept++] = ids[i];
  ids.resize(kept);
}

void Tokenizer::encode_word(std::string_view word, std::vector<std::uint32_t>& ids) const {
  if (whole_words_)
    if (const auto at = ids_.find(std::string(word)); at != ids_.end()) {
      ids.push_back(at->second);
      return;
    }
  std::vector<std::uint32_t> parts;
  for (std::size_t at = 0; at < word.size();) {
    const auto length = over_bytes_ ? 1 : character_length(word, at);
    const auto symbol = ids_.find(std::string(word.substr(at, length)));
    if (symbol != ids_.end())
      parts.push_back(symbol->second);
    else if (!byte_ids_.empty())
      for (std::size_t i = at; i < at + length; ++i)
        parts.push_back(byte_ids_[static_cast<unsigned char>(word[i])]);
    else if (unknown_ != ~0u)
      parts.push_back(unknown_);
    at += length;
  }
  merge(parts);
  ids.insert(ids.end(), parts.begin(), parts.end());
}

std::string Tokenizer::normalise(std::string_view part) const {
  std::string text(part);
  if (compose_) {
    UErrorCode status = U_ZERO_ERROR;
    std::string composed;
    icu::StringByteSink<std::string> sink(&composed);
    const auto* normaliser = icu::Normalizer2::getNFCInstance(status);
    if (U_SUCCESS(status))
      normaliser->normalizeUTF8(0, {text.data(), static_cast<std::int32_t>(text.size())}, sink, nullptr,
                                status);
    if (U_SUCCESS(status)) text = composed;
  }
  for (const auto& r : replacements_) replace_all(text, r.from, r.to);
  return text;
}

void Tokenizer::encode_part(std::string_view part, bool first, std::vector<std::uint32_t>& ids) const {
  if (part.empty()) return;
  const auto text = normalise(
      before_.empty() || (before_first_only_ && !first) ? std::string(part) : before_ + std::string(part));
  std::vector<std::string_view> words{text};
  for (const auto& splitter : splitters_) {
    std::vector<std::string_view> finer;
    for (const auto word : words) {
      const auto cut = splitter->split(word);
      finer.insert(finer.end(), cut.begin(), cut.end());
    }
    words = std::move(finer);
  }
  for (const auto word : words) encode_word(word, ids);
}

std::vector<std::uint32_t> Tokenizer::encode(std::string_view text) const {
  auto ids = prefix_;
  for (bool first = true; !text.empty(); first = false) {
    std::size_t cut = text.size();
    const Added* found = nullptr;
    for (const auto& added : added_) {
      const auto at = text.find(added.text);
      if (at < cut || (at == cut && found != nullptr && added.text.size() > found->text.size()))
        cut = at, found = &added;
    }
    auto part = text.substr(0, cut);
    if (found != nullptr && found->strip_before)
      part = part.substr(0, part.find_last_not_of(white_space) + 1);
    encode_part(part, first, ids);
    if (found == nullptr) break;
    ids.push_back(found->id);
    text.remove_prefix(cut + found->text.size());
    if (found->strip_after) text.remove_prefix(std::min(text.find_first_not_of(white_space), text.size()));
  }
  return ids;
}

std::string Tokenizer::piece(std::uint32_t previous, std::uint32_t id) const {
  if (id >= tokens_.size() || tokens_[id].special) return {};
  const auto& bytes = tokens_[id].bytes;
  const bool first = strip_first_ && (previous == ~0u || (!prefix_.empty() && previous == prefix_.front()));
  return first && !bytes.empty() && bytes.front() == ' ' ? bytes.substr(1) : bytes;
}

std::string Tokenizer::decode(std::span<const std::uint32_t> ids) const {
  std::string text;
  std::uint32_t previous = ~0u;
  for (const auto id : ids) {
    text += piece(previous, id);
    previous = id;
  }
  return text;
}

}  // namespace forerun::models
