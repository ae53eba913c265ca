// SPDX-License-Identifier: Apache-2.0
// Files that are no models, or not quite: each is refused with its name and what was expected.
#include <gmock/gmock.h>

#include <cstring>
#include <random>

#include "models/import/model.hpp"
#include "tests/models/support/gguf_convert.hpp"

using namespace forerun::models;
using namespace forerun::tests;
using testing::AllOf;
using testing::HasSubstr;

namespace {

class Gguf : public testing::Test {
 protected:
  Gguf() : golden_("mixtral"), content_(to_gguf(golden_.text["config"], golden_.tensors)) { write(); }
  void write() { write_gguf(path(), content_.metadata, content_.tensors); }
  std::filesystem::path path() const { return folder_ / "model.gguf"; }
  std::string error() const {
    try {
      load_model(path().string());
    } catch (const ModelError& e) {
      return e.what();
    }
    return "accepted";
  }
  /// The error of the file with `bytes` written over what lies `skip` bytes after the first `at`.
  std::string error_with(const std::string& at, std::size_t skip, const std::string& bytes) {
    write();
    auto text = slurp(path());
    const auto found = text.find(at);
    EXPECT_NE(found, std::string::npos) << at;
    text.replace(found + skip, bytes.size(), bytes);
    spill(path(), text);
    return error();
  }
  ScratchFolder folder_;
  GoldenModel golden_;
  GgufContent content_;
};

template <typename T>
std::string bytes_of(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

TEST_F(Gguf, IsReadByItsContent) {
  EXPECT_EQ(error(), "accepted");
  const auto model = load_model(path().string());
  EXPECT_EQ(model.config.family, "mixtral");
  EXPECT_EQ(model.layers[1].experts.size(), 4u);
  std::filesystem::rename(path(), folder_ / "model.weights");
  EXPECT_EQ(load_model((folder_ / "model.weights").string()).config.experts.used, 2u);
}

TEST_F(Gguf, NamesWhatIsWrong) {
  EXPECT_THAT(error_with("GGUF", 0, "GGML"), HasSubstr("does not begin with 'GGUF'"));
  EXPECT_THAT(error_with("GGUF", 4, bytes_of(1u)),
              HasSubstr("version 1 is not supported; supported are 2 and 3"));
  EXPECT_THAT(error_with("GGUF", 4, bytes_of(0x03000000u)), HasSubstr("big-endian"));
  EXPECT_THAT(error_with("GGUF", 8, bytes_of(~0ull)), HasSubstr("cannot fit"));
  EXPECT_THAT(error_with("general.architecture", 20, bytes_of(77u)),
              AllOf(HasSubstr("'general.architecture'"), HasSubstr("value type 77")));
  EXPECT_THAT(error_with("general.architecture", 24, bytes_of(~0ull)),
              AllOf(HasSubstr("at byte"), HasSubstr("cut short")));
  EXPECT_THAT(error_with("token_embd.weight", 17, bytes_of(9u)),
              AllOf(HasSubstr("'token_embd.weight'"), HasSubstr("9 dimensions")));
  EXPECT_THAT(error_with("token_embd.weight", 21, bytes_of(1ull << 47)), HasSubstr("dimension 1"));
  EXPECT_THAT(error_with("token_embd.weight", 21, bytes_of(0ull)), HasSubstr("dimension 0 has 0 elements"));
  EXPECT_THAT(error_with("token_embd.weight", 21, bytes_of(16ull)),
              HasSubstr("'token_embd.weight' is 61 x 16, expected 61 x 32"));
  EXPECT_THAT(error_with("token_embd.weight", 37, bytes_of(99u)), HasSubstr("tensor type 99 is not known"));
  EXPECT_THAT(error_with("token_embd.weight", 37, bytes_of(10u)),
              HasSubstr("type Q2_K, which is not supported; supported are F32"));
  EXPECT_THAT(error_with("token_embd.weight", 37, bytes_of(12u)),
              HasSubstr("rows of 32 elements are no whole blocks of 256 in Q4_K"));
  EXPECT_THAT(error_with("token_embd.weight", 41, bytes_of(1ull << 40)),
              HasSubstr("lies outside of the file"));
  EXPECT_THAT(error_with("token_embd.weight", 41, bytes_of(3ull)), HasSubstr("not aligned to 32"));
  EXPECT_THAT(error_with("token_embd.weight", 0, "token_embd.height"),
              HasSubstr("tensor 'token_embd.weight' is missing"));
  EXPECT_THAT(error_with("llama.expert_count", 0, "llama.expert_cound"), HasSubstr("is missing"));
}

TEST_F(Gguf, NamesUnknownArchitectures) {
  content_.metadata["general.architecture"] = "lama";
  write();
  EXPECT_THAT(error(), AllOf(HasSubstr("'lama' is not supported (did you mean 'llama'?)"),
                             HasSubstr("known are bloom, deepseek2")));
  content_.metadata["general.architecture"] = 7;
  write();
  EXPECT_THAT(error(), HasSubstr("'general.architecture' is 7, expected a text"));
}

TEST_F(Gguf, ChecksMetadata) {
  const auto with = [&](const char* key, const nlohmann::json& value) {
    const auto kept = content_.metadata;
    content_.metadata[key] = value;
    write();
    auto text = error();
    content_.metadata = kept;
    return text;
  };
  EXPECT_THAT(with("general.alignment", 24), HasSubstr("24 is no alignment"));
  EXPECT_THAT(with("llama.block_count", 0), HasSubstr("the number of layers is 0"));
  EXPECT_THAT(with("llama.block_count", 4000000000u), HasSubstr("the number of layers is 4000000000"));
  EXPECT_THAT(with("llama.attention.head_count_kv", 3), HasSubstr("4 heads cannot share 3"));
  EXPECT_THAT(with("llama.attention.head_count_kv", {2, 1}),
              HasSubstr("the same whole number for all layers"));
  EXPECT_THAT(with("llama.embedding_length", "wide"),
              HasSubstr("'llama.embedding_length' is \"wide\", expected a whole number"));
  EXPECT_THAT(with("llama.expert_used_count", 5),
              HasSubstr("the number of experts for each token is 5, expected 1 to 4"));
  EXPECT_THAT(with("llama.expert_count", 3), HasSubstr("ffn_gate_inp.weight' is 4 x 32, expected 3 x 32"));
  EXPECT_THAT(with("llama.rope.scaling.type", "magic"), HasSubstr("expected none, linear, yarn or longrope"));
  EXPECT_THAT(with("llama.rope.dimension_count", 7), HasSubstr("is odd"));
  EXPECT_EQ(with("llama.attention.head_count_kv", {2, 2}), "accepted");
}

TEST_F(Gguf, EveryTruncationIsAnError) {
  const auto whole = slurp(path());
  const auto data = std::min<std::size_t>(whole.size(), 8000);
  for (std::size_t size = 0; size < whole.size(); size += size < data ? 211 : 1501) {
    spill(path(), whole.substr(0, size));
    EXPECT_NE(error(), "accepted") << size;
  }
}

TEST_F(Gguf, AnyDamageIsAnErrorOrAModel) {
  const auto whole = slurp(path());
  std::mt19937 random(1);
  for (int i = 0; i < 400; ++i) {
    auto damaged = whole;
    for (int k = 0; k < 3; ++k) damaged[random() % 4000] = static_cast<char>(random());
    spill(path(), damaged);
    EXPECT_FALSE(error().empty());
  }
}

}  // namespace
