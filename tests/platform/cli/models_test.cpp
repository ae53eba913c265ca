// SPDX-License-Identifier: Apache-2.0
// What --model takes, through firmware and the whole chip.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/models/support/gguf_convert.hpp"
#include "tests/models/support/llama_files.hpp"
#include "tests/models/support/vocabularies.hpp"
#include "tests/platform/cli/program.hpp"

using namespace forerun::test;
using namespace forerun::tests;
using testing::AllOf;
using testing::HasSubstr;

namespace {

const std::string bundled = FORERUN_SOURCE_DIR "/models/zoo/orator-2m";

/// The logits of `forerun run` on a golden model with its ids fed, after the last one, against PyTorch's.
double error_of(const std::string& name) {
  const GoldenModel golden(name);
  const ScratchFolder folder;
  golden.write(folder.path());
  std::string ids;
  for (const auto id : golden.ids) ids += std::to_string(id) + " ";
  spill(folder / "ids", ids);
  const auto result =
      launch("run --chip edge --dtype fp32 --model " + folder.path().string() + " --teacher " +
             (folder / "ids").string() + " --logits " + (folder / "logits").string());
  EXPECT_EQ(result.code, 0) << result.err;
  const auto all = read_floats((folder / "logits").string());
  const auto& expected = golden.text["steps"].back()["logits"];
  EXPECT_EQ(golden.text["steps"].back()["position"], golden.ids.size() - 1);
  double worst = all.size() >= expected.size() ? 0 : HUGE_VAL;
  for (std::size_t i = 0; i < expected.size() && worst < HUGE_VAL; ++i)
    worst =
        std::max(worst, std::fabs(double{all[all.size() - expected.size() + i]} - expected[i].get<double>()));
  return worst;
}

}  // namespace

TEST(Models, GgufWithItsTokenizer) {
  const ScratchFolder folder;
  const auto model = forerun::models::load_model(bundled);
  auto content = to_gguf(llama_config(model.config), llama_tensors(model, "F16"));
  content.metadata.update(byte_level_vocabulary("gpt-2"));
  content.metadata["tokenizer.ggml.add_bos_token"] = true;
  write_gguf(folder / "orator.gguf", content.metadata, content.tensors);
  const auto ids = [&](const std::string& path) {
    const auto result = launch("run --chip edge --steps 4 --prompt 'We hold' --model " + path + " --ids " +
                               (folder / "ids").string());
    EXPECT_EQ(result.code, 0) << result.err;
    return read_ids((folder / "ids").string());
  };
  EXPECT_EQ(ids((folder / "orator.gguf").string()), ids(bundled));
}

TEST(Models, FamiliesThroughFirmware) {
  for (const char* name :
       {"qwen2", "qwen3", "mistral", "gemma2", "gpt2", "opt", "bloom", "mixtral", "deepseek_v3"})
    EXPECT_LT(error_of(name), 1e-4) << name;
}

TEST(Models, AShapeIsEnoughWithoutData) {
  const ScratchFolder folder;
  spill(folder / "config.json", GoldenModel("qwen2").text["config"].dump());
  const auto run = "run --chip edge --prompt-tokens 3 --steps 2 --model " + folder.path().string();
  EXPECT_EQ(launch(run + " --data none").code, 0);
  const auto refused = launch(run);
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("model.safetensors"));
}

TEST(Models, NamesOfTheZoo) {
  const auto missing = launch("compile --model lama-3-8b");
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.err,
              AllOf(HasSubstr("no name in models/zoo"), HasSubstr("did you mean 'llama-3-8b'?")));
  const auto experts = launch("compile --model mixtral-8x7b --set data=none --context 64 --dtype int8");
  EXPECT_EQ(experts.code, 1);
  EXPECT_THAT(experts.err, HasSubstr("mixtral-8x7b cannot be compiled for int8 yet, because it has experts"));
  const auto shape = launch("compile --model llama-3-8b --context 64");
  EXPECT_EQ(shape.code, 1);
  EXPECT_THAT(shape.err,
              HasSubstr("llama-3-8b has only a shape, no weights; it can be simulated with data: none"));
}
