// SPDX-License-Identifier: Apache-2.0
#include "models/tokenizer/tokenizer.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

using namespace forerun::models;
using testing::ElementsAre;

namespace {

const std::string bundled = FORERUN_SOURCE_DIR "/models/zoo/orator-2m";

TEST(Split, FollowsThePattern) {
  EXPECT_THAT(split_like_gpt2("We'll see  12 things, ok?\n\n x"),
              ElementsAre("We", "'ll", " see", " ", " 12", " things", ",", " ok", "?", "\n\n", " x"));
  EXPECT_THAT(split_like_gpt2("  "), ElementsAre("  "));
  EXPECT_THAT(split_like_gpt2("Z\xc3\xbcrich \xe2\x82\xac"
                              "5"),
              ElementsAre("Z\xc3\xbcrich", " \xe2\x82\xac", "5"));
  EXPECT_TRUE(split_like_gpt2("").empty());
}

TEST(Tokenizer, GivesTheIdsThatTrainingGave) {
  const auto tokenizer = Tokenizer::for_model(bundled, 1024);
  const auto golden = nlohmann::json::parse(std::ifstream(bundled + "/golden.json"));
  ASSERT_GE(golden["tokenizer"].size(), 3u);
  for (const auto& fixture : golden["tokenizer"]) {
    auto expected = fixture["ids"].get<std::vector<std::uint32_t>>();
    expected.insert(expected.begin(), 0);
    const auto text = fixture["text"].get<std::string>();
    EXPECT_EQ(tokenizer.encode(text), expected) << text;
    EXPECT_EQ(tokenizer.decode(expected), text);
  }
  auto ids = golden["prompt_ids"].get<std::vector<std::uint32_t>>();
  for (const auto& id : golden["greedy_ids"]) ids.push_back(id.get<std::uint32_t>());
  EXPECT_EQ(tokenizer.decode(ids), golden["greedy_text"].get<std::string>());
}

TEST(Tokenizer, AnyBytesComeBack) {
  const auto tokenizer = Tokenizer::for_model(bundled, 1024);
  std::string text;
  for (int b = 0; b < 256; ++b) text += static_cast<char>(b);
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
  EXPECT_THAT(tokenizer.encode("a<|eos|>"), testing::Contains(1u)) << "special tokens are found in the text";
}

TEST(Tokenizer, LongTextIsNotQuadratic) {
  const auto tokenizer = Tokenizer::for_model(bundled, 1024);
  const std::string text(1'000'000, 'a');  // one word
  EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
}

TEST(Tokenizer, Stories260K) {
  const char* shared = std::getenv("FORERUN_SHARED");
  const auto folder =
      std::string(shared != nullptr ? shared : FORERUN_SOURCE_DIR "/../shared") + "/models/stories260K/";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no stories260K at " << folder;
  const auto tokenizer = Tokenizer::for_model(folder + "stories260K.bin", 512);
  std::vector<std::uint32_t> ids;
  std::ifstream in(folder + "golden_ids.txt");
  for (std::uint32_t id = 0; in >> id;) ids.push_back(id);
  std::ifstream expected_file(folder + "golden_greedy_256.txt");
  std::string expected{std::istreambuf_iterator<char>(expected_file), {}};
  const auto text = tokenizer.decode(ids);
  EXPECT_EQ(expected.substr(0, text.size()), text);
  EXPECT_GT(text.size(), 500u);
  const auto again = tokenizer.encode(text);
  EXPECT_EQ(again.front(), 1u);
  EXPECT_EQ(tokenizer.decode(again), text);
}

TEST(Tokenizer, NamesWhatIsWrong) {
  const auto error = [](const std::string& text) -> std::string {
    const auto path = testing::TempDir() + "/tokenizer_" + std::to_string(getpid()) + ".json";
    std::ofstream(path) << text;
    try {
      Tokenizer::from_json(path);
    } catch (const ModelError& e) {
      return e.what();
    }
    return "accepted";
  };
  EXPECT_THAT(error("{"), testing::HasSubstr(":1:1: not valid JSON"));
  EXPECT_THAT(error("{}"), testing::HasSubstr("'model' is missing"));
  EXPECT_THAT(error(R"({"model":{"type":"Unigram"}})"), testing::HasSubstr("'Unigram' is not supported"));
  EXPECT_THAT(
      error(
          R"({"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]},"pre_tokenizer":{"type":"ByteLevel"},"decoder":{"type":"ByteLevel"}})"),
      testing::HasSubstr("names a token that the vocabulary lacks"));
  EXPECT_THROW(Tokenizer::from_llama2c(bundled + "/config.json", 512), ModelError);
}

TEST(Utf8Stream, HoldsBackUnfinishedCharacters) {
  Utf8Stream stream;
  EXPECT_EQ(stream.add("a\xe2"), "a");
  EXPECT_EQ(stream.add("\x82"), "");
  EXPECT_EQ(stream.add("\xac!"), "\xe2\x82\xac!");
}

}  // namespace
