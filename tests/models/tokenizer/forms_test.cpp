// SPDX-License-Identifier: Apache-2.0
// The forms that tokenizers come in, against llama.cpp's ids for the same vocabularies
// (tests/models/families/record_llama_cpp.mjs).
#include <gmock/gmock.h>

#include "models/tokenizer/tokenizer.hpp"
#include "tests/models/support/model_files.hpp"
#include "tests/models/support/vocabularies.hpp"

using namespace forerun::models;
using namespace forerun::tests;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

const std::string zoo = FORERUN_SOURCE_DIR "/models/zoo/orator-2m";

json recorded() { return json::parse(slurp(FORERUN_SOURCE_DIR "/tests/models/tokenizer/llama_cpp.json")); }

Tokenizer from_keys(const json& vocabulary) {
  const ScratchFolder folder;
  write_gguf(folder / "vocabulary.gguf", vocabulary, {});
  return Tokenizer::from_gguf((folder / "vocabulary.gguf").string());
}

Tokenizer from_text(const json& root) {
  const ScratchFolder folder;
  spill(folder / "tokenizer.json", root.dump());
  return Tokenizer::from_json((folder / "tokenizer.json").string());
}

template <typename Make>
std::string error(Make make) {
  try {
    make();
  } catch (const ModelError& e) {
    return e.what();
  }
  return "accepted";
}

void expect_recorded(const Tokenizer& tokenizer, const std::string& name,
                     const std::vector<std::uint32_t>& begin) {
  const auto golden = recorded();
  const auto& ids = golden["ids"][name];
  ASSERT_EQ(ids.size(), golden["texts"].size()) << name;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto text = golden["texts"][i].get<std::string>();
    auto expected = begin;
    for (const auto& id : ids[i]) expected.push_back(id.get<std::uint32_t>());
    EXPECT_EQ(tokenizer.encode(text), expected) << name << ": " << text;
    EXPECT_EQ(tokenizer.decode(expected), text) << name;
  }
}

TEST(Forms, ByteLevelInGguf) {
  expect_recorded(from_keys(byte_level_vocabulary("gpt-2")), "gpt-2", {});
  expect_recorded(from_keys(byte_level_vocabulary("llama-bpe")), "llama-bpe", {0});
  expect_recorded(from_keys(byte_level_vocabulary("qwen2")), "qwen2", {});
  expect_recorded(from_keys(byte_level_vocabulary("bloom")), "bloom", {});
}

TEST(Forms, SentencePieceInGguf) {
  expect_recorded(from_keys(sentence_piece_vocabulary()), "sentencepiece", {1});
}

TEST(Forms, SentencePieceAsMerges) {
  expect_recorded(from_text(sentence_piece_json()), "sentencepiece", {1});
}

TEST(Forms, PatternsInJson) {
  auto root = json::parse(slurp(zoo + "/tokenizer.json"));
  root["post_processor"] = nullptr;
  const auto with = [&](const char* pattern) {
    root["pre_tokenizer"] = {
        {"type", "Sequence"},
        {"pretokenizers",
         {{{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}},
          {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}}}}};
    return from_text(root);
  };
  expect_recorded(with("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"),
                  "gpt-2", {});
  expect_recorded(with("(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| "
                       "?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"),
                  "qwen2", {});
  EXPECT_THAT(error([&] { with("(unclosed"); }),
              HasSubstr("'Regex' is \"(unclosed\", expected a pattern (at character"));
}

TEST(Forms, SplittersCutAsTheyAreTold) {
  const auto cut = [](SplitBehaviour behaviour, bool invert = false) {
    return split_by_pattern("-+", behaviour, invert)->split("a--b-c-");
  };
  EXPECT_THAT(cut(SplitBehaviour::isolated), ElementsAre("a", "--", "b", "-", "c", "-"));
  EXPECT_THAT(cut(SplitBehaviour::removed), ElementsAre("a", "b", "c"));
  EXPECT_THAT(cut(SplitBehaviour::with_previous), ElementsAre("a--", "b-", "c-"));
  EXPECT_THAT(cut(SplitBehaviour::with_next), ElementsAre("a", "--b", "-c", "-"));
  EXPECT_THAT(cut(SplitBehaviour::removed, true), ElementsAre("--", "-", "-"));
  EXPECT_THAT(split_by_text("::", SplitBehaviour::removed)->split("x::y:z"), ElementsAre("x", "y:z"));
}

TEST(Forms, SpecialTokensAreFoundAndMayTakeSpace) {
  auto root = sentence_piece_json();
  root["added_tokens"][2]["rstrip"] = true;
  root["added_tokens"][2]["lstrip"] = true;
  const auto tokenizer = from_text(root);
  const auto word = tokenizer.encode("the");
  ASSERT_GE(word.size(), 2u);
  auto expected = word;
  expected.push_back(2);
  expected.insert(expected.end(), word.begin() + 1, word.end());
  EXPECT_EQ(tokenizer.encode("the \n</s>  the"), expected);
}

TEST(Forms, ComposesWhenToldTo) {
  auto root = sentence_piece_json();
  const auto plain = from_text(root);
  root["normalizer"]["normalizers"].insert(root["normalizer"]["normalizers"].begin(), json{{"type", "NFC"}});
  const auto composing = from_text(root);
  EXPECT_EQ(composing.encode("cafe\xcc\x81"), plain.encode("caf\xc3\xa9"));
  EXPECT_NE(plain.encode("cafe\xcc\x81"), plain.encode("caf\xc3\xa9"));
}

TEST(Forms, NamesWhatIsWrong) {
  const auto keys = [](const char* key, const json& value) {
    auto vocabulary = byte_level_vocabulary("gpt-2");
    vocabulary[key] = value;
    return error([&] { from_keys(vocabulary); });
  };
  EXPECT_THAT(keys("tokenizer.ggml.model", "bert"),
              HasSubstr("'tokenizer.ggml.model' is \"bert\", expected llama or gpt2"));
  EXPECT_THAT(keys("tokenizer.ggml.pre", "qwen"),
              HasSubstr("'qwen' is not supported (did you mean 'qwen2'?); known are bloom, gpt-2"));
  EXPECT_THAT(keys("tokenizer.ggml.merges", {"t"}), HasSubstr("'t' is no pair"));
  EXPECT_THAT(keys("tokenizer.ggml.merges", {"t zzzz"}),
              HasSubstr("names a token that the vocabulary lacks"));
  EXPECT_THAT(keys("tokenizer.ggml.tokens", 7), HasSubstr("expected a list"));
  EXPECT_THAT(keys("tokenizer.ggml.token_type", {1, 1}), HasSubstr("expected 1024 numbers"));
  const auto text = [](const char* key, const json& value) {
    auto root = json::parse(slurp(zoo + "/tokenizer.json"));
    root[key] = value;
    return error([&] { from_text(root); });
  };
  EXPECT_THAT(text("normalizer", {{"type", "Lowercase"}}),
              HasSubstr("normalizer 'Lowercase' is not supported; supported is Sequence"));
  EXPECT_THAT(text("pre_tokenizer", {{"type", "Whitespace"}}),
              HasSubstr("pre_tokenizer 'Whitespace' is not supported"));
  EXPECT_THAT(text("decoder", {{"type", "CTC"}}), HasSubstr("decoder 'CTC' is not supported"));
  EXPECT_THAT(text("post_processor", {{"type", "BertProcessing"}}),
              HasSubstr("post_processor 'BertProcessing' is not supported"));
  EXPECT_THAT(text("added_tokens", {{{"content", "x"}, {"id", "y"}}}),
              HasSubstr("the id of token 'x' is \"y\""));
  EXPECT_THAT(error([] { Tokenizer::for_model(FORERUN_SOURCE_DIR "/models/zoo/llama-3-8b.yaml", 5); }),
              HasSubstr("a shape alone has no tokenizer"));
}

}  // namespace
