// SPDX-License-Identifier: Apache-2.0
// Models by their shapes alone: published ones of all families on a chip that is big enough; drawn experts.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>

#include "firmware/abi/command.h"
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

/// Without data the experts of a step are drawn: by each token as many as it takes, always the same ones.
TEST(DrawnExperts, AreThoseOfSomeTokens) {
  const tests::ScratchFolder folder;
  tests::spill(
      folder / "config.json",
      R"({"model_type": "mixtral", "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2,
"num_attention_heads": 8, "num_key_value_heads": 8, "max_position_embeddings": 128, "vocab_size": 1024,
"num_local_experts": 8, "num_experts_per_tok": 2})");
  const auto model = models::load_model(folder.path().string(), true);
  models::CompileOptions options;
  options.context = 64, options.data = false;
  const auto program = models::compile(model, chip::Chip(), options);
  const auto segment = std::find_if(program.segments.begin(), program.segments.end(),
                                    [](const auto& s) { return s.name == "experts"; });
  ASSERT_NE(segment, program.segments.end());
  EXPECT_FALSE(segment->data) << "in memory whether there are data or not";
  const auto again = models::compile(model, chip::Chip(), options);
  EXPECT_EQ(again.segments.at(static_cast<std::size_t>(segment - program.segments.begin())).bytes,
            segment->bytes);
  const std::size_t rows = segment->bytes.size() / (8 * 4), draws = models::Plan::expert_draws;
  ASSERT_EQ(rows, program.header.max_tokens * draws);
  std::vector<double> taken(rows / draws);  // mean over the draws
  for (std::size_t row = 0; row < rows; ++row) {
    std::uint32_t list[8];
    std::memcpy(list, segment->bytes.data() + row * sizeof list, sizeof list);
    const auto* const end = std::find(std::cbegin(list), std::cend(list), 8u);
    EXPECT_EQ(std::adjacent_find(std::cbegin(list), end, std::greater_equal<>()), end) << row;
    EXPECT_TRUE(std::all_of(end, std::cend(list), [](auto e) { return e == 8; })) << row;
    if (row < draws) {
      EXPECT_EQ(end - list, 2) << "of one token";
    }
    taken[row / draws] += static_cast<double>(end - list) / static_cast<double>(draws);
  }
  for (const std::size_t tokens : {2u, 4u, 8u})  // a token leaves an expert out in 3 of 4 cases
    EXPECT_NEAR(taken[tokens - 1], 8 * (1 - std::pow(0.75, tokens)), 0.8) << tokens;
}

/// Rounds of experts follow one another without another exchange: their two buffers take turns only if all
/// clusters of all devices wait for one another, those without columns of the experts, too.
TEST(Experts, RoundsWaitForAllClustersOfAllDevices) {
  const tests::ScratchFolder folder;
  tests::spill(
      folder / "config.json",
      R"({"model_type": "mixtral", "hidden_size": 256, "intermediate_size": 32, "num_hidden_layers": 2,
"num_attention_heads": 8, "num_key_value_heads": 8, "max_position_embeddings": 128, "vocab_size": 1024,
"num_local_experts": 8, "num_experts_per_tok": 2})");
  const auto model = models::load_model(folder.path().string(), true);
  chip::Chip chip;
  chip.devices = 2;
  chip.clusters.count = 4;
  models::CompileOptions options;
  options.context = 64, options.data = false;
  std::uint32_t posts = 0, waits = 0, without_columns = 0;
  for (options.device = 0; options.device < chip.devices; ++options.device) {
    const auto program = models::compile(model, chip, options);
    for (const auto& stream : program.streams) {
      fr_command_header header;
      for (std::size_t at = 0; at < stream.size(); at += header.words * 8u) {
        std::memcpy(&header, &stream[at], sizeof header);
        if (header.opcode != FR_OP_ALL_GATHER || program.tags.at(header.tag) != "layers.experts") continue;
        fr_collective round;
        std::memcpy(&round, &stream[at], sizeof round);
        if (round.row_stride != 32 * 2) continue;  // the exchange that ends the layer
        posts += round.post_count / chip.clusters.count;
        waits = round.wait;
        without_columns += round.bytes == 0 ? 1 : 0;
      }
    }
  }
  EXPECT_EQ(without_columns, 4u) << "of 8 clusters";
  EXPECT_EQ(posts, 8u);
  EXPECT_EQ(waits, 8u);
}
