// SPDX-License-Identifier: Apache-2.0
#include "tests/models/support/vocabularies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "models/tokenizer/byte_alphabet.hpp"
#include "tests/models/support/model_files.hpp"

namespace forerun::tests {

using nlohmann::json;

namespace {

json bundled() { return json::parse(slurp(FORERUN_SOURCE_DIR "/models/zoo/orator-2m/tokenizer.json")); }

bool whole_characters(const std::string& text) {
  const auto shown = json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  return !text.empty() && shown.find("\xef\xbf\xbd") == std::string::npos;
}

struct Piece {
  std::string text;
  float score;
};

std::vector<Piece> pieces() {
  std::map<std::uint32_t, std::string> by_id;
  const auto root = bundled();
  for (const auto& [token, id] : root["model"]["vocab"].items())
    by_id[id] = models::from_byte_alphabet(token);
  std::vector<Piece> list;
  float score = 0;
  for (auto [id, text] : by_id) {
    if (!whole_characters(text)) continue;
    for (auto at = text.find(' '); at != std::string::npos; at = text.find(' ', at))
      text.replace(at, 1, "\xe2\x96\x81");
    list.push_back({text, score--});
  }
  return list;
}

}  // namespace

json byte_level_vocabulary(const std::string& pre) {
  const auto root = bundled();
  std::map<std::uint32_t, std::string> by_id;
  for (const auto& [token, id] : root["model"]["vocab"].items()) by_id[id] = token;
  std::map<std::uint32_t, int> types;
  for (const auto& added : root["added_tokens"])
    by_id[added["id"]] = added["content"], types[added["id"]] = 3;
  json m = {{"tokenizer.ggml.model", "gpt2"}, {"tokenizer.ggml.pre", pre}};
  for (const auto& [id, token] : by_id) {
    m["tokenizer.ggml.tokens"].push_back(token);
    m["tokenizer.ggml.token_type"].push_back(types.contains(id) ? 3 : 1);
  }
  for (const auto& merge : root["model"]["merges"])
    m["tokenizer.ggml.merges"].push_back(merge.is_array()
                                             ? merge[0].get<std::string>() + " " + merge[1].get<std::string>()
                                             : merge.get<std::string>());
  m["tokenizer.ggml.bos_token_id"] = 0;
  m["tokenizer.ggml.eos_token_id"] = 1;
  return m;
}

json sentence_piece_vocabulary() {
  json m = {{"tokenizer.ggml.model", "llama"},
            {"tokenizer.ggml.bos_token_id", 1},
            {"tokenizer.ggml.eos_token_id", 2}};
  const auto add = [&](const std::string& token, double score, int type) {
    m["tokenizer.ggml.tokens"].push_back(token);
    m["tokenizer.ggml.scores"].push_back(score);
    m["tokenizer.ggml.token_type"].push_back(type);
  };
  add("<unk>", 0, 2);
  add("<s>", 0, 3);
  add("</s>", 0, 3);
  for (int b = 0; b < 256; ++b) add(fmt::format("<0x{:02X}>", b), 0, 6);
  for (const auto& piece : pieces()) add(piece.text, static_cast<double>(piece.score), 1);
  return m;
}

json sentence_piece_json() {
  const auto gguf = sentence_piece_vocabulary();
  json vocab, merges = json::array();
  std::map<std::string, std::uint32_t> ids;
  for (const auto& token : gguf["tokenizer.ggml.tokens"]) {
    const auto id = static_cast<std::uint32_t>(ids.size());
    ids[token] = id;
    vocab[token.get<std::string>()] = id;
  }
  for (const auto& piece : pieces())  // the likeliest first
    for (std::size_t cut = 1; cut < piece.text.size(); ++cut)
      if (ids.contains(piece.text.substr(0, cut)) && ids.contains(piece.text.substr(cut)))
        merges.push_back({piece.text.substr(0, cut), piece.text.substr(cut)});
  const json mark = "\xe2\x96\x81";
  const auto special = [](const char* content, int id) {
    return json{{"id", id}, {"content", content}, {"special", true}, {"lstrip", false}, {"rstrip", false}};
  };
  return {{"added_tokens", {special("<unk>", 0), special("<s>", 1), special("</s>", 2)}},
          {"normalizer",
           {{"type", "Sequence"},
            {"normalizers",
             {{{"type", "Prepend"}, {"prepend", mark}},
              {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", mark}}}}}},
          {"pre_tokenizer", nullptr},
          {"post_processor",
           {{"type", "TemplateProcessing"},
            {"single",
             {{{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}},
              {{"Sequence", {{"id", "A"}, {"type_id", 0}}}}}},
            {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {1}}, {"tokens", {"<s>"}}}}}}}},
          {"decoder",
           {{"type", "Sequence"},
            {"decoders",
             {{{"type", "Replace"}, {"pattern", {{"String", mark}}}, {"content", " "}},
              {{"type", "ByteFallback"}},
              {{"type", "Fuse"}},
              {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}}}}},
          {"model",
           {{"type", "BPE"},
            {"byte_fallback", true},
            {"unk_token", "<unk>"},
            {"fuse_unk", true},
            {"vocab", vocab},
            {"merges", merges}}}};
}

}  // namespace forerun::tests
