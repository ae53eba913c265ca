// SPDX-License-Identifier: Apache-2.0
// Published models of all families, by their shapes, on a chip that is big enough.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "models/compiler/compiler.hpp"
#include "platform/chip/load.hpp"
#include "tests/models/support/model_files.hpp"

using namespace forerun;

TEST(PublishedModels, CompileForAChipBigEnough) {
  const char* shared = std::getenv("FORERUN_SHARED");
  const auto file = std::string(shared != nullptr ? shared : FORERUN_SOURCE_DIR "/../shared") +
                    "/reference/model_configs.json";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "no configurations at " << file;
  const auto chip = chip::load(FORERUN_SOURCE_DIR "/platform/chips/reference-512g.yaml", {"hbm.rows=262144"});
  std::size_t compiled = 0;
  const auto configs = nlohmann::json::parse(std::ifstream(file));
  for (const auto& [name, entry] : configs.items()) {
    const tests::ScratchFolder folder;
    auto fields = entry["fields"];
    if (name == "DeepSeek-V2-236B")  // of which only what gives its size is there
      fields.update({{"model_type", "deepseek_v2"}, {"max_position_embeddings", 4096}});
    tests::spill(folder / "config.json", fields.dump());
    const auto model = models::load_model(folder.path().string(), true);
    models::CompileOptions options;
    options.format = chip::Format::bf16;
    options.context = std::min(model.config.max_positions, 1024u);
    options.data = false;
    try {
      const auto program = models::compile(model, chip, options);
      EXPECT_GT(program.header.max_tokens, 0u) << name;
      EXPECT_EQ(program.header.layers, model.config.layers) << name;
      ++compiled;
    } catch (const models::CompileError& e) {
      ADD_FAILURE() << name << ": " << e.what();
    }
  }
  EXPECT_GE(compiled, 18u);
}
