// SPDX-License-Identifier: Apache-2.0
// One model through every format: the same ids, and the same logits where no precision is lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "models/reference/reference_executor.hpp"
#include "tests/models/support/gguf_convert.hpp"
#include "tests/models/support/llama_files.hpp"

using namespace forerun::models;
using namespace forerun::tests;

namespace {

const std::string bundled = FORERUN_SOURCE_DIR "/models/zoo/orator-2m";

struct Run {
  std::vector<std::uint32_t> ids;  ///< the prompt, then the likeliest each time
  std::vector<std::vector<double>> logits;
};

Run run(const Model& model, std::vector<std::uint32_t> ids, std::size_t length) {
  ReferenceExecutor executor(model);
  Run result;
  for (std::size_t i = 0; i < length; ++i) {
    result.logits.push_back(executor.step(ids[i]));
    const auto& last = result.logits.back();
    if (i + 1 == ids.size())
      ids.push_back(static_cast<std::uint32_t>(std::max_element(last.begin(), last.end()) - last.begin()));
  }
  result.ids = ids;
  return result;
}

double distance(const Run& a, const Run& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.logits.size(); ++i)
    for (std::size_t v = 0; v < a.logits[i].size(); ++v)
      largest = std::max(largest, std::fabs(a.logits[i][v] - b.logits[i][v]));
  return largest;
}

Model through_safetensors(const Model& model, const std::string& type, const ScratchFolder& folder) {
  spill(folder / "config.json", llama_config(model.config).dump());
  write_safetensors(folder / "model.safetensors", llama_tensors(model, type));
  return load_model(folder.path().string());
}

Model through_gguf(const Model& model, const std::string& type, const ScratchFolder& folder) {
  const auto content = to_gguf(llama_config(model.config), llama_tensors(model, type));
  write_gguf(folder / "model.gguf", content.metadata, content.tensors);
  return load_model((folder / "model.gguf").string());
}

TEST(Formats, BundledModelThroughGguf) {
  const auto model = load_model(bundled);
  const auto golden = nlohmann::json::parse(slurp(bundled + "/golden.json"));
  const auto prompt = golden["prompt_ids"].get<std::vector<std::uint32_t>>();
  const auto expected = run(model, prompt, prompt.size() + 24);
  const ScratchFolder folder;
  const auto plain = run(through_gguf(model, "F16", folder), prompt, prompt.size() + 24);
  EXPECT_EQ(plain.ids, expected.ids);
  EXPECT_LT(distance(plain, expected), 1e-5) << "eps and theta are binary32 in GGUF";
  EXPECT_EQ(plain.ids[prompt.size()], golden["greedy_ids"][0].get<std::uint32_t>());
  // Quantised: not the same numbers, but near ones.
  const auto eight = run(through_gguf(model, "Q8_0", folder), prompt, prompt.size());
  const auto four = run(through_gguf(model, "Q4_0", folder), prompt, prompt.size());
  EXPECT_GT(distance(eight, expected), 0.0);
  EXPECT_LT(distance(eight, expected), 0.5);
  EXPECT_GT(distance(four, expected), distance(eight, expected));
}

TEST(Formats, BundledModelInShards) {
  const auto model = load_model(bundled);
  const ScratchFolder folder;
  spill(folder / "config.json", llama_config(model.config).dump());
  FileTensors shards[2];
  nlohmann::json index;
  for (const auto& [name, tensor] : llama_tensors(model, "F16")) {
    const auto which = name.find("mlp") != std::string::npos ? 1 : 0;
    shards[which][name] = tensor;
    index["weight_map"][name] = "part" + std::to_string(which) + ".safetensors";
  }
  for (const int i : {0, 1})
    write_safetensors(folder / ("part" + std::to_string(i) + ".safetensors"), shards[i]);
  spill(folder / "model.safetensors.index.json", index.dump());
  EXPECT_EQ(distance(run(load_model(folder.path().string()), {5, 6, 7}, 3), run(model, {5, 6, 7}, 3)), 0.0);
}

TEST(Formats, Stories260K) {
  const char* shared = std::getenv("FORERUN_SHARED");
  const auto files =
      std::string(shared != nullptr ? shared : FORERUN_SOURCE_DIR "/../shared") + "/models/stories260K/";
  if (!std::filesystem::exists(files)) GTEST_SKIP() << "no stories260K at " << files;
  const auto model = load_model(files + "stories260K.bin");
  std::vector<std::uint32_t> golden;
  std::ifstream text(files + "golden_ids.txt");
  for (std::uint32_t id = 0; text >> id;) golden.push_back(id);
  ASSERT_EQ(golden.size(), 257u);
  const auto direct = run(model, {golden[0]}, 256);
  EXPECT_EQ(direct.ids, golden);
  const ScratchFolder folder;
  const auto safetensors = run(through_safetensors(model, "F32", folder), {golden[0]}, 256);
  EXPECT_EQ(safetensors.ids, golden);
  EXPECT_LT(distance(safetensors, direct), 1e-9) << "the same sums in another order";
  const auto gguf = run(through_gguf(model, "F32", folder), {golden[0]}, 256);
  EXPECT_EQ(gguf.ids, golden);
  EXPECT_LT(distance(gguf, direct), 1e-4);
}

}  // namespace
