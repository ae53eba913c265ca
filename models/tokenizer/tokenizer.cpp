// SPDX-License-Identifier: Apache-2.0
#include "models/tokenizer/tokenizer.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <queue>

#include "models/import/mapped_file.hpp"

namespace forerun::models {
namespace {

using nlohmann::json;

/// GPT-2's printable stand-ins: the code point of each byte.
std::array<unsigned, 256> byte_alphabet() {
  std::array<unsigned, 256> table{};
  unsigned extra = 256;
  for (unsigned b = 0; b < 256; ++b) {
    const bool shown = (b >= 33 && b <= 126) || (b >= 161 && b <= 172) || b >= 174;
    table[b] = shown ? b : extra++;
  }
  return table;
}

/// The bytes that a token in the stand-in alphabet means; empty if it holds anything else.
std::string to_bytes(const std::string& token) {
  static const auto back = [] {
    std::unordered_map<unsigned, char> map;
    const auto table = byte_alphabet();
    for (unsigned b = 0; b < 256; ++b) map[table[b]] = static_cast<char>(b);
    return map;
  }();
  std::string bytes;
  for (std::size_t i = 0; i < token.size();) {
    unsigned code = static_cast<unsigned char>(token[i++]);
    if (code >= 0xc0 && i < token.size()) code = (code & 0x1f) << 6 | (static_cast<unsigned char>(token[i++]) & 0x3f);
    const auto at = back.find(code);
    if (at == back.end()) return {};
    bytes += at->second;
  }
  return bytes;
}

const json& need(const json& object, const std::string& path, const char* key) {
  const auto at = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || at == object.end()) throw ModelError(fmt::format("{}: '{}' is missing", path, key));
  return *at;
}

void expect_byte_level(const json& root, const std::string& path, const char* key) {
  const auto& part = need(root, path, key);
  const auto type = part.is_object() ? part.value("type", "") : "";
  if (type != "ByteLevel") throw ModelError(fmt::format("{}: {} '{}' is not supported; supported is 'ByteLevel'", path, key, type));
  if (std::strcmp(key, "pre_tokenizer") == 0 && (part.value("add_prefix_space", false) || !part.value("use_regex", true)))
    throw ModelError(fmt::format("{}: a ByteLevel pre_tokenizer with add_prefix_space or without use_regex is not supported", path));
}

}  // namespace

Tokenizer Tokenizer::for_model(const std::string& model_path, std::uint32_t vocabulary) {
  namespace fs = std::filesystem;
  if (fs::is_directory(model_path)) return from_json(model_path + "/tokenizer.json");
  const auto folder = fs::path(model_path).parent_path();
  for (const auto& name : {std::string("tokenizer.bin"), fmt::format("tok{}.bin", vocabulary)})
    if (fs::exists(folder / name)) return from_llama2c((folder / name).string(), vocabulary);
  throw ModelError(fmt::format("{}: no tokenizer.bin or tok{}.bin beside it", model_path, vocabulary));
}

Tokenizer Tokenizer::from_json(const std::string& path) {
  const auto file = map_file(path);
  const std::string_view text(reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size());
  try {
    const auto root = json::parse(text);
    const auto& model = need(root, path, "model");
    if (const auto type = model.is_object() ? model.value("type", "") : ""; type != "BPE")
      throw ModelError(fmt::format("{}: model type '{}' is not supported; supported is 'BPE'", path, type));
    if (const auto at = root.find("normalizer"); at != root.end() && !at->is_null())
      throw ModelError(path + ": a normalizer is not supported");
    expect_byte_level(root, path, "pre_tokenizer");
    expect_byte_level(root, path, "decoder");
    Tokenizer t;
    const auto reserve = [&](std::uint64_t id) {
      if (id >= 1u << 24) throw ModelError(fmt::format("{}: token id {} is too large", path, id));
      if (id >= t.pieces_.size()) {
        t.pieces_.resize(id + 1);
        t.special_.resize(id + 1);
      }
      return static_cast<std::uint32_t>(id);
    };
    std::unordered_map<std::string, std::uint32_t> by_token;
    for (const auto& [token, id] : need(model, path, "vocab").items()) {
      const auto number = reserve(id.get<std::uint64_t>());
      by_token[token] = number;
      t.pieces_[number] = to_bytes(token);
      if (!t.pieces_[number].empty()) t.ids_[t.pieces_[number]] = number;
    }
    if (const auto at = root.find("added_tokens"); at != root.end())
      for (const auto& added : *at) {
        const auto number = reserve(need(added, path, "id").get<std::uint64_t>());
        const auto content = need(added, path, "content").get<std::string>();
        t.special_[number] = added.value("special", false);
        t.pieces_[number] = content;
        t.added_.emplace_back(content, number);
      }
    double order = 0;
    for (const auto& merge : need(model, path, "merges")) {
      std::string left, right;
      if (merge.is_array() && merge.size() == 2) {
        left = merge[0].get<std::string>(), right = merge[1].get<std::string>();
      } else {
        const auto pair = merge.get<std::string>();
        const auto space = pair.find(' ');
        if (space == std::string::npos) throw ModelError(fmt::format("{}: merge '{}' is no pair", path, pair));
        left = pair.substr(0, space), right = pair.substr(space + 1);
      }
      const auto a = by_token.find(left), b = by_token.find(right), c = by_token.find(left + right);
      if (a == by_token.end() || b == by_token.end() || c == by_token.end())
        throw ModelError(fmt::format("{}: merge '{} {}' names a token that the vocabulary lacks", path, left, right));
      t.merges_.emplace(std::uint64_t{a->second} << 32 | b->second, Merge{order++, c->second});
    }
    if (const auto at = root.find("post_processor"); at != root.end() && !at->is_null()) {
      if (at->value("type", "") == "TemplateProcessing") {
        for (const auto& step : need(*at, path, "single"))
          if (step.contains("SpecialToken") && t.prefix_.empty())
            for (const auto& id : need(need(need(*at, path, "special_tokens"), path, step["SpecialToken"]["id"].get<std::string>().c_str()), path, "ids"))
              t.prefix_.push_back(id.get<std::uint32_t>());
      } else if (at->value("type", "") != "ByteLevel") {
        throw ModelError(fmt::format("{}: post_processor '{}' is not supported", path, at->value("type", "")));
      }
    }
    return t;
  } catch (const json::exception& error) {
    throw ModelError(fmt::format("{}: {}", path, error.what()));
  }
}

Tokenizer Tokenizer::from_llama2c(const std::string& path, std::uint32_t vocabulary) {
  const auto file = map_file(path);
  std::size_t at = 4;  // the longest token, not needed
  Tokenizer t;
  t.kind_ = Kind::scores;
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
    t.pieces_.emplace_back(reinterpret_cast<const char*>(file.bytes.data()) + at + 8, static_cast<std::size_t>(length));
    t.scores_.push_back(score);
    t.ids_.emplace(t.pieces_.back(), id);
    at += 8 + static_cast<std::size_t>(length);
  }
  if (vocabulary < 259) throw ModelError(fmt::format("{}: {} tokens cannot hold the 256 bytes and three special ones", path, vocabulary));
  t.special_.assign(vocabulary, false);
  for (std::uint32_t id = 0; id < 3; ++id) t.special_[id] = true;
  for (std::uint32_t b = 0; b < 256; ++b) t.pieces_[3 + b] = std::string(1, static_cast<char>(b));
  t.prefix_ = {1};
  return t;
}

void Tokenizer::merge(std::vector<std::uint32_t>& ids) const {
  constexpr std::size_t none = ~std::size_t{0};
  struct Candidate {
    double order;
    std::size_t left;
    std::uint32_t a, b, id;
    bool operator<(const Candidate& other) const { return order != other.order ? order > other.order : left > other.left; }
  };
  const std::size_t n = ids.size();
  std::vector<std::size_t> next(n), previous(n);
  std::vector<bool> gone(n);
  std::priority_queue<Candidate> queue;
  const auto consider = [&](std::size_t left) {
    if (left == none || next[left] == none) return;
    const auto a = ids[left], b = ids[next[left]];
    if (kind_ == Kind::byte_level) {
      if (const auto at = merges_.find(std::uint64_t{a} << 32 | b); at != merges_.end())
        queue.push({at->second.order, left, a, b, at->second.id});
    } else if (const auto at = ids_.find(pieces_[a] + pieces_[b]); at != ids_.end()) {
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
    if (gone[left] || next[left] == none || ids[left] != best.a || ids[next[left]] != best.b) continue;  // stale
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
  std::vector<std::uint32_t> parts;
  for (const char byte : word)
    if (const auto at = ids_.find(std::string(1, byte)); at != ids_.end()) parts.push_back(at->second);
  merge(parts);
  ids.insert(ids.end(), parts.begin(), parts.end());
}

std::vector<std::uint32_t> Tokenizer::encode(std::string_view text) const {
  auto ids = prefix_;
  if (text.empty()) return ids;
  if (kind_ == Kind::scores) {
    std::vector<std::uint32_t> parts;
    if (const auto space = ids_.find(" "); space != ids_.end()) parts.push_back(space->second);
    for (std::size_t at = 0; at < text.size();) {
      std::size_t end = at + 1;
      while (end < text.size() && end - at < 4 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
      const auto character = ids_.find(std::string(text.substr(at, end - at)));
      if (character != ids_.end())
        parts.push_back(character->second);
      else
        for (auto i = at; i < end; ++i) parts.push_back(3u + static_cast<unsigned char>(text[i]));
      at = end;
    }
    merge(parts);
    ids.insert(ids.end(), parts.begin(), parts.end());
    return ids;
  }
  while (!text.empty()) {
    std::size_t cut = text.size();
    const std::pair<std::string, std::uint32_t>* found = nullptr;
    for (const auto& added : added_)
      if (const auto at = text.find(added.first); !added.first.empty() && at < cut) cut = at, found = &added;
    for (const auto word : split_like_gpt2(text.substr(0, cut))) encode_word(word, ids);
    if (found == nullptr) break;
    ids.push_back(found->second);
    text.remove_prefix(cut + found->first.size());
  }
  return ids;
}

std::string Tokenizer::piece(std::uint32_t previous, std::uint32_t id) const {
  if (id >= pieces_.size() || special_[id]) return {};
  const auto& bytes = pieces_[id];
  const bool first = kind_ == Kind::scores && !prefix_.empty() && previous == prefix_.front();
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
