// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "models/import/model.hpp"

using namespace forerun::models;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

const fs::path bundled = FORERUN_SOURCE_DIR "/models/zoo/orator-2m";

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void spill(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

/// A folder of its own, gone at the end.
class Import : public testing::Test {
 protected:
  Import() : folder_(fs::temp_directory_path() / ("forerun_import_" + std::to_string(getpid()))) {
    fs::create_directories(folder_);
  }
  ~Import() override { fs::remove_all(folder_); }
  std::string error(const fs::path& path) {
    try {
      load_model(path.string());
    } catch (const ModelError& e) {
      return e.what();
    }
    return "accepted";
  }
  void copy_bundled() {
    for (const char* name : {"config.json", "model.safetensors"})
      spill(folder_ / name, slurp(bundled / name));
  }
  void replace(const char* name, const std::string& from, const std::string& to) {
    auto text = slurp(folder_ / name);
    const auto at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    spill(folder_ / name, text.replace(at, from.size(), to));
  }
  /// A llama2.c file of a tiny model, all weights zero.
  static std::string tiny(std::vector<std::int32_t> header = {8, 16, 2, 2, 1, 10, 4}) {
    const int h = 8, f = 16, layers = 2, kv = 4, v = 10, positions = 4, width = 4;
    const int floats =
        v * h + layers * (h + h * h + 2 * kv * h + h * h + h + 3 * f * h) + h + positions * width;
    std::string text(28 + 4 * static_cast<std::size_t>(floats), '\0');
    std::memcpy(text.data(), header.data(), 28);
    return text;
  }
  fs::path folder_;
};

TEST_F(Import, ReadsTheBundledModel) {
  const auto model = load_model(bundled.string());
  EXPECT_EQ(model.config.name, "orator-2m");
  EXPECT_EQ(model.config.head_dim, 32u);
  EXPECT_EQ(model.layers.size(), 5u);
  EXPECT_EQ(model.layers[4].wk.weight.rows, 64u);
  EXPECT_EQ(model.classifier.data.data(), model.embedding.data.data()) << "tied";
}

TEST_F(Import, ReadsLlama2c) {
  spill(folder_ / "tiny.bin", tiny());
  const auto model = load_model((folder_ / "tiny.bin").string());
  EXPECT_TRUE(model.config.rotary.interleaved);
  EXPECT_TRUE(model.config.tied_embeddings);
  EXPECT_EQ(model.layers[1].ffn.down.weight.cols, 16u);
}

TEST_F(Import, NamesWhatIsWrong) {
  EXPECT_THAT(error(folder_ / "nothing"), HasSubstr("no such file or folder"));
  spill(folder_ / "empty.bin", "");
  EXPECT_THAT(error(folder_ / "empty.bin"), HasSubstr("the file is empty"));
  spill(folder_ / "cut.bin", tiny().substr(0, 500));
  EXPECT_THAT(error(folder_ / "cut.bin"), HasSubstr("the file has 500"));
  spill(folder_ / "long.bin", tiny() + "more");
  EXPECT_THAT(error(folder_ / "long.bin"), HasSubstr("4 bytes follow the last tensor"));
  spill(folder_ / "heads.bin", tiny({8, 16, 2, 3, 1, 10, 4}));
  EXPECT_THAT(error(folder_ / "heads.bin"), HasSubstr("3 heads do not divide"));
  spill(folder_ / "huge.bin", tiny({2000000000, 16, 2, 2, 1, 10, 4}));
  EXPECT_THAT(error(folder_ / "huge.bin"), HasSubstr("the hidden size is 2000000000"));
}

TEST_F(Import, NamesWhatIsWrongInAFolder) {
  copy_bundled();
  EXPECT_EQ(error(folder_), "accepted");
  replace("config.json", "\"llama\"", "\"gpt9\"");
  EXPECT_THAT(error(folder_), HasSubstr("model_type 'gpt9' is not supported"));
  copy_bundled();
  replace("config.json", "\"hidden_size\": 192", "\"hidden_size\": \"wide\"");
  EXPECT_THAT(error(folder_), HasSubstr("'hidden_size' is \"wide\", expected a whole number"));
  copy_bundled();
  replace("config.json", "\"vocab_size\": 1024,", "");
  EXPECT_THAT(error(folder_), HasSubstr("'vocab_size' is missing"));
  copy_bundled();
  replace("config.json", "\"intermediate_size\": 512", "\"intermediate_size\": 511");
  EXPECT_THAT(error(folder_), HasSubstr("mlp.gate_proj.weight' is 512 x 192, expected 511 x 192"));
  copy_bundled();
  replace("config.json", ",", ",,");
  EXPECT_THAT(error(folder_), HasSubstr("config.json:"));
  copy_bundled();
  replace("model.safetensors", "model.norm.weight", "model.morn.weight");
  EXPECT_THAT(error(folder_), HasSubstr("tensor 'model.norm.weight' is missing"));
  copy_bundled();
  replace("model.safetensors", "\"F16\"", "\"I64\"");
  EXPECT_THAT(error(folder_), HasSubstr("dtype 'I64' is not supported"));
}

TEST_F(Import, AnyTruncationOrDamageIsAnErrorOrAModel) {
  copy_bundled();
  const auto whole = slurp(folder_ / "model.safetensors");
  for (const double part : {0.0000001, 0.00001, 0.0005, 0.1, 0.5, 0.999}) {
    spill(folder_ / "model.safetensors",
          whole.substr(0, static_cast<std::size_t>(static_cast<double>(whole.size()) * part)));
    EXPECT_NE(error(folder_), "accepted") << part;
  }
  std::mt19937 random(1);
  for (int i = 0; i < 60; ++i) {  // damage in the header may pass only as another well-formed header
    auto damaged = whole;
    for (int k = 0; k < 3; ++k) damaged[random() % 5000] = static_cast<char>(random());
    spill(folder_ / "model.safetensors", damaged);
    EXPECT_FALSE(error(folder_).empty());
  }
}

}  // namespace
