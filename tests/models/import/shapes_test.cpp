// SPDX-License-Identifier: Apache-2.0
// config.json without weights, and the shapes of models/zoo.
#include <gmock/gmock.h>

#include "models/import/hugging_face.hpp"
#include "tests/models/support/model_files.hpp"

using namespace forerun::models;
using namespace forerun::tests;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

std::string error(const fs::path& path, bool shapes_only = false) {
  try {
    load_model(path.string(), shapes_only);
  } catch (const ModelError& e) {
    return e.what();
  }
  return "accepted";
}

TEST(Zoo, EveryShapeIsReadAndHasItsNumberOfWeights) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(FORERUN_SOURCE_DIR "/models/zoo"))
    if (entry.path().extension() == ".yaml") {
      EXPECT_EQ(error(entry.path()), "accepted");  // reading compares with 'parameters'
      names.push_back(entry.path().stem());
    }
  EXPECT_THAT(names, testing::IsSupersetOf({"llama-2-70b", "llama-3.1-405b", "mistral-7b", "mixtral-8x7b",
                                            "qwen2.5-7b", "qwen3-8b", "gemma-2-9b", "phi-3-mini", "gpt2-xl",
                                            "opt-6.7b", "bloom-176b", "deepseek-v3"}));
}

TEST(Zoo, ShapesSayWhatTheModelsAre) {
  const auto shape = [](const char* name) {
    return load_model(FORERUN_SOURCE_DIR "/models/zoo/" + std::string(name) + ".yaml").config;
  };
  const auto deepseek = shape("deepseek-v3");
  EXPECT_EQ(deepseek.experts.first_layer, 3u);
  EXPECT_EQ(cache_elements(deepseek), 35136u) << "61 layers of a latent vector of 512 and a key of 64";
  EXPECT_NEAR(deepseek.score_scale, std::pow(0.1 * std::log(40) + 1, 2) / std::sqrt(192), 1e-12);
  EXPECT_EQ(shape("gemma-2-9b").windows[0], 4096u);
  EXPECT_EQ(shape("gemma-2-9b").windows[1], 0u);
  EXPECT_EQ(shape("mistral-7b").windows[31], 4096u);
  EXPECT_EQ(cache_elements(shape("llama-3-70b")), 163840u);
}

TEST(Zoo, NamesWhatIsWrong) {
  const ScratchFolder folder;
  const auto path = folder / "shape.yaml";
  const std::string good = slurp(FORERUN_SOURCE_DIR "/models/zoo/llama-3-8b.yaml");
  const auto with = [&](const std::string& from, const std::string& to) {
    auto text = good;
    EXPECT_NE(text.find(from), std::string::npos) << from;
    spill(path, text.replace(text.find(from), from.size(), to));
    return error(path);
  };
  EXPECT_EQ(with("source:", "source:"), "accepted");
  EXPECT_THAT(with("source:", "sourse:"),
              AllOf(HasSubstr("shape.yaml:2:1: unknown key 'sourse'"), HasSubstr("did you mean 'source'?")));
  EXPECT_THAT(with("parameters: 8030261248", "parameters: 8"),
              HasSubstr("'parameters' is 8, expected 8030261248"));
  EXPECT_THAT(with("model_type: llama", "model_type: lama"),
              HasSubstr("'lama' is not supported (did you mean 'llama'?)"));
  EXPECT_THAT(with("config:", "config: ["), HasSubstr("shape.yaml:"));
}

TEST(Config, AloneIsEnoughForShapes) {
  const ScratchFolder folder;
  spill(folder / "config.json", GoldenModel("qwen3").text["config"].dump());
  EXPECT_EQ(error(folder.path(), true), "accepted");
  EXPECT_FALSE(load_model((folder / "config.json").string()).has_weights);
  EXPECT_THAT(error(folder.path()), HasSubstr("model.safetensors: No such file"));
}

TEST(Config, RefusesWhatIsUnknown) {
  const auto refused = [](const char* model, const char* key, const json& value) {
    auto config = GoldenModel(model).text["config"];
    config[key] = value;
    try {
      config_from_json({config, "config.json"}, "test");
    } catch (const ModelError& e) {
      return std::string(e.what());
    }
    return std::string("accepted");
  };
  EXPECT_THAT(refused("llama", "model_type", "qwen4"),
              AllOf(HasSubstr("'qwen4' is not supported (did you mean 'qwen2'?)"),
                    HasSubstr("known are bloom, deepseek_v2")));
  EXPECT_THAT(refused("llama", "hidden_act", "sine"), HasSubstr("'hidden_act' is \"sine\", expected silu"));
  EXPECT_THAT(refused("llama", "rope_scaling", {{"type", "dynamic"}, {"factor", 2}}),
              HasSubstr("expected default, linear, llama3, yarn or longrope"));
  EXPECT_THAT(refused("llama", "rope_scaling", {{"type", "linear"}}),
              HasSubstr("'rope_scaling': 'factor' is missing"));
  EXPECT_THAT(refused("llama", "rope_scaling", {{"type", "linear"}, {"factor", 0}}),
              HasSubstr("factor 0 is not positive"));
  EXPECT_THAT(refused("phi3-long", "rope_scaling",
                      {{"type", "longrope"}, {"short_factor", {1}}, {"long_factor", {1}}}),
              HasSubstr("1 rotary factors for 3 pairs"));
  EXPECT_THAT(refused("mistral", "sliding_window", 0u),
              HasSubstr("'sliding_window' is 0, expected 1 or more, or null"));
  EXPECT_THAT(refused("mixtral", "num_experts_per_tok", 9u),
              HasSubstr("experts for each token is 9, expected 1 to 4"));
  EXPECT_THAT(refused("deepseek_v3", "topk_group", 1u),
              HasSubstr("3 experts for each token, but 1 groups of 2 have fewer"));
  EXPECT_THAT(refused("deepseek_v3", "topk_method", "best"),
              HasSubstr("expected greedy, group_limited_greedy or noaux_tc"));
  EXPECT_THAT(refused("opt", "do_layer_norm_before", false),
              HasSubstr("'do_layer_norm_before' is not supported"));
  EXPECT_THAT(refused("gpt2", "n_head", 0u), HasSubstr("the number of heads is 0"));
  EXPECT_THAT(refused("gemma2", "layer_types", {"sliding_attention"}), HasSubstr("expected 3 entries"));
}

TEST(Config, RefusesQuantisedFolders) {
  const ScratchFolder folder;
  const GoldenModel golden("llama");
  golden.write(folder.path());
  auto config = golden.text["config"];
  config["quantization_config"] = {{"quant_method", "gptq"}};
  spill(folder / "config.json", config.dump());
  EXPECT_THAT(error(folder.path()), HasSubstr("'quantization_config'"));
  EXPECT_EQ(error(folder.path(), true), "accepted");
}

TEST(Config, DeepNestingIsAnError) {
  const ScratchFolder folder;
  spill(folder / "config.json", std::string(100000, '['));
  EXPECT_THAT(error(folder.path()), HasSubstr("64 levels of nesting"));
}

}  // namespace
