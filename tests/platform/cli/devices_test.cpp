// SPDX-License-Identifier: Apache-2.0
// A model shared between several devices.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include "tests/models/support/model_files.hpp"
#include "tests/platform/cli/program.hpp"

using namespace forerun::test;
using testing::HasSubstr;

namespace {

struct Answer {
  std::vector<std::uint32_t> ids;
  std::string logits;
};

Answer answer_of(const std::string& arguments) {
  const Scratch scratch;
  const auto result =
      launch(fmt::format("run --chip edge --steps 3 --prompt 'In the' --ids {} --logits {} {}",
                         scratch.file("ids"), scratch.file("logits"), arguments));
  EXPECT_EQ(result.code, 0) << result.err;
  return {read_ids(scratch.file("ids")), read_file(scratch.file("logits"))};
}

void expect_same_answers(const std::string& arguments, const std::vector<std::string>& systems) {
  const auto alone = answer_of(arguments);
  EXPECT_GT(alone.ids.size(), 3u);
  for (const auto& system : systems) {
    const auto together = answer_of(arguments + " " + system);
    EXPECT_EQ(together.ids, alone.ids) << system;
    EXPECT_TRUE(together.logits == alone.logits) << system << ": bit by bit";
  }
}

/// 8 heads, in equal parts on up to 8 devices.
const std::string even_model =
    "source: made up\nparameters: 1836288\nconfig: {model_type: llama, hidden_act: silu, hidden_size: 256, "
    "intermediate_size: 512, num_hidden_layers: 2, num_attention_heads: 8, num_key_value_heads: 8, "
    "max_position_embeddings: 128, rms_norm_eps: 1e-05, rope_theta: 10000, vocab_size: 1024, bos_token_id: "
    "1, "
    "eos_token_id: 2}\n";

/// 8 heads, of which 2 share a key/value head.
const std::string grouped_model =
    "source: made up\nparameters: 1705216\nconfig: {model_type: llama, hidden_act: silu, hidden_size: 256, "
    "intermediate_size: 512, num_hidden_layers: 2, num_attention_heads: 8, num_key_value_heads: 4, "
    "max_position_embeddings: 256, rms_norm_eps: 1e-05, rope_theta: 10000, vocab_size: 1024, bos_token_id: "
    "1, "
    "eos_token_id: 2}\n";

/// The whole system and the one device that stands for all: what both reports say of the first device,
/// without rates, whose time ends where the host looks.
struct Pair {
  nlohmann::json full, one;
  explicit Pair(const std::string& arguments)
      : full(report_of(arguments + " --data none")), one(report_of(arguments + " --data none --symmetric")) {
    EXPECT_EQ(full["devices"]["symmetric"], false);
    EXPECT_EQ(one["devices"]["symmetric"], true);
    EXPECT_EQ(one["devices"]["simulated"].size(), 1u);
  }
};

void expect_symmetric(const std::string& arguments) {
  const Pair pair(arguments);
  auto &full = pair.full, &one = pair.one;
  for (std::size_t i = 0; i < one["phases"].size(); ++i)
    for (const auto* key :
         {"steps", "tokens", "cluster_cycles", "operations", "hbm_bytes_read", "hbm_bytes_written"})
      EXPECT_EQ(one["phases"][i][key], full["phases"][i][key]) << arguments << ", phase " << i << ", " << key;
  for (const auto* key : {"first_token", "per_token", "per_token_least", "per_token_most"})
    EXPECT_EQ(one["seconds"][key], full["seconds"][key]) << arguments << ", " << key;
  for (std::size_t i = 0; i < one["engines"].size(); ++i)
    EXPECT_EQ(one["engines"][i]["commands"], full["engines"][i]["commands"]);
  EXPECT_EQ(one["operators"], full["operators"]) << "to the picosecond";
  EXPECT_EQ(one["noc"]["packets"], full["noc"]["packets"]);
  EXPECT_EQ(one["noc"]["flits"], full["noc"]["flits"]);
  for (const auto& device : full["devices"]["simulated"]) {
    EXPECT_EQ(device["hbm_bytes_read"], one["devices"]["simulated"][0]["hbm_bytes_read"]);
    EXPECT_EQ(device["collective_busy"], full["devices"]["simulated"][0]["collective_busy"])
        << "all do the same";
  }
  for (const auto& link : one["devices"]["links"]) {
    bool found = false;
    for (const auto& other : full["devices"]["links"])
      found |= other["name"] == link["name"] && other["messages"] == link["messages"] &&
               other["bytes"] == link["bytes"] && other["mean_wait_seconds"] == link["mean_wait_seconds"];
    EXPECT_TRUE(found) << arguments << ": " << link << " is in no " << full["devices"]["links"];
  }
}

}  // namespace

TEST(Devices, TwoGiveTheSameIdsAndLogitsAsOne) { expect_same_answers("--dtype fp16", {"--set devices=2"}); }

TEST(Devices, UnequalPartsGiveTheSameIdsAndLogits) {
  expect_same_answers("--dtype int8", {"--set devices=3 --set link.topology=switched",
                                       "--set devices=4 --set link.topology=torus --set clusters.count=2"});
}

TEST(Devices, LooseTimingGivesTheSameIdsAndLogits) {
  expect_same_answers("--dtype bf16 --set timing=loose",
                      {"--set devices=2 --set link.topology=fully_connected"});
}

/// Experts are chosen by all clusters of all devices for themselves.
TEST(Devices, ModelsWithExpertsAndLatentAttentionGiveTheSameLogits) {
  for (const char* name : {"mixtral", "deepseek_v3"}) {
    const forerun::tests::ScratchFolder folder;
    const forerun::tests::GoldenModel golden(name);
    golden.write(folder.path());
    std::string ids;
    for (const auto id : golden.ids) ids += fmt::format("{}\n", id);
    forerun::tests::spill(folder / "teacher", ids);
    const auto logits = [&](const std::string& system) {
      const auto result = launch(fmt::format(
          "run --chip edge --dtype fp16 --model {0} --teacher {0}/teacher --logits {0}/logits {1}",
          folder.path().string(), system));
      EXPECT_EQ(result.code, 0) << result.err;
      return read_file((folder / "logits").string());
    };
    const auto alone = logits("");
    EXPECT_FALSE(alone.empty());
    EXPECT_TRUE(logits("--set devices=2 --set clusters.count=2") == alone) << name << ": bit by bit";
  }
}

TEST(Devices, TakeTheSameTimeWithoutDataAndInEveryRun) {
  const std::string job = "--chip edge --set devices=2 --steps 2 --prompt 'We the' --temperature 0 ";
  auto with = report_of(job), without = report_of(job + "--data none");
  EXPECT_EQ(report_of(job), with);
  with.erase("data"), without.erase("data");
  EXPECT_EQ(with, without);
}

TEST(Devices, OneOfTwoStandsForBoth) {
  expect_symmetric("--chip edge --set devices=2 --steps 2 --prompt-tokens 5");
  expect_symmetric("--chip edge --set devices=2 --set clusters.count=2 --steps 2 --prompt-tokens 5");
}

TEST(Devices, OneOfManyStandsForAll) {
  const Scratch scratch;
  scratch.write("even.yaml", even_model);
  const auto job =
      fmt::format("--chip edge --model {} --steps 2 --prompt-tokens 3 ", scratch.file("even.yaml"));
  expect_symmetric(job + "--set devices=4");
  expect_symmetric(job + "--set devices=4 --set link.topology=torus --set clusters.count=2");
  expect_symmetric(job + "--set devices=4 --set link.topology=switched");
  expect_symmetric(job + "--set devices=8 --set link.topology=fully_connected");
}

TEST(Devices, OneOfManyStandsForAllWithExperts) {
  const Scratch scratch;
  scratch.write(
      "config.json",
      R"({"model_type": "mixtral", "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2,
"num_attention_heads": 8, "num_key_value_heads": 8, "max_position_embeddings": 128, "vocab_size": 1024,
"num_local_experts": 8, "num_experts_per_tok": 2})");
  expect_symmetric(fmt::format("--chip edge --model {} --steps 2 --prompt-tokens 3 --set devices=2",
                               scratch.file("config.json")));
}

/// Prompts of different lengths. Attention in parts of the context:
/// tests/models/compiler/context_parts_test.cpp.
TEST(Devices, BatchesGiveTheSameIdsAlsoFromPages) {
  const Scratch scratch;
  scratch.write("prompts",
                "We the people\nIn the beginning of the second year of the war they came to the city\nA\n");
  const auto ids = [&](const std::string& arguments) {
    const auto result = launch(fmt::format("run --chip edge --dtype fp16 --steps 12 --prompts {} --ids {} {}",
                                           scratch.file("prompts"), scratch.file("ids"), arguments));
    EXPECT_EQ(result.code, 0) << arguments << result.err;
    return read_file(scratch.file("ids"));
  };
  const auto alone = ids("");
  EXPECT_FALSE(alone.empty());
  for (const std::string system :
       {"--set devices=2", "--set devices=2 --page-positions 16",
        "--set devices=2 --page-positions 1 --set link.topology=switched", "--set devices=3",
        "--set devices=4 --set clusters.count=2 --set link.topology=torus"})
    EXPECT_EQ(ids(system), alone) << system;
}

TEST(Devices, OneStandsForAllInPartsAndWithPages) {
  const Scratch scratch;
  scratch.write("grouped.yaml", grouped_model);
  const auto job = fmt::format("--chip edge --model {} --phase decode --context 200,70,130 --steps 2 ",
                               scratch.file("grouped.yaml"));
  expect_symmetric(job + "--set devices=4 --page-positions 32 --set link.topology=torus");
  expect_symmetric(job + "--set devices=2 --set clusters.count=8 --context-parts 4");
  expect_symmetric(job +
                   "--set devices=2 --set clusters.count=4 --context-parts 2 --page-positions 16 "
                   "--set link.topology=switched");
}

TEST(Devices, OneStandsForAllWithDrafts) {
  const Scratch scratch;
  scratch.write("grouped.yaml", grouped_model);
  const auto job = fmt::format(
      "--chip edge --set devices=2 --model {0} --draft {0} --draft-tokens 3 --acceptance 0.6 --phase decode "
      "--context 60 --steps 7 ",
      scratch.file("grouped.yaml"));
  expect_symmetric(job + "--draft-dtype int4");
  expect_symmetric(job + "--set clusters.count=8 --page-positions 16");
}

/// Parts of the time are those of the clusters that take part, also where only a draft's are so many.
TEST(Devices, ReportOfADraftOnMoreClustersIsOfAllOfThem) {
  const Scratch scratch;
  const auto shape = [](unsigned hidden) {
    return fmt::format(
        "{{\"model_type\": \"llama\", \"hidden_size\": {}, \"intermediate_size\": 64, \"num_hidden_layers\": "
        "1, "
        "\"num_attention_heads\": 8, \"num_key_value_heads\": 8, \"head_dim\": 16, "
        "\"max_position_embeddings\": 128, \"vocab_size\": 1024, \"bos_token_id\": 1, \"eos_token_id\": 2}}",
        hidden);
  };
  scratch.write("narrow.json", shape(16));
  scratch.write("wide.json", shape(128));
  const auto report = report_of(
      fmt::format("--chip edge --set clusters.count=4 --set devices=2 --data none --model {} --draft {} "
                  "--acceptance 0.5 --phase decode --context 20 --steps 4",
                  scratch.file("narrow.json"), scratch.file("wide.json")));
  EXPECT_EQ(report["clusters"], 4);
  unsigned compared = 0;
  for (const auto& engine : report["engines"]) {
    const auto name = engine["name"].get<std::string>() + "_busy";
    const auto& device = report["devices"]["simulated"][0];
    if (!device.contains(name)) continue;
    EXPECT_EQ(device[name], engine["busy"]) << name;
    ++compared;
  }
  EXPECT_EQ(compared, 2u) << "tensor cores and collectives";
}

TEST(Devices, ReportLinksAndDevices) {
  const auto result = launch("run --chip edge --set devices=2 --steps 1 --data none --prompt-tokens 2");
  EXPECT_EQ(result.code, 0) << result.err;
  for (const auto* text : {"uart1| ", "2 devices of edge", "waits for posts", "utilisation", "0->1", "1->0"})
    EXPECT_THAT(result.out, HasSubstr(text));
}

TEST(Devices, LooseTimingCountsNothingOnLinks) {
  const auto result = launch("run --chip edge --steps 1 --prompt We --set devices=2 --set timing=loose");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("links: not counted with timing: loose"));
}

TEST(Devices, BootSaysWhichUartIsConnected) {
  const auto result =
      launch("boot " FORERUN_BINARY_DIR "/firmware/hello.elf --chip edge --set devices=2 --uart none");
  EXPECT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("only the UART of device 0 is connected"));
}

TEST(Devices, WhatCannotBeIsRefused) {
  const auto problem = [](const std::string& arguments) {
    const auto result = launch("run --chip edge --steps 1 " + arguments);
    EXPECT_NE(result.code, 0);
    return result.err;
  };
  EXPECT_THAT(problem("--set devices=3 --set link.topology=torus"),
              HasSubstr("no two or more rows of link.columns, 2"));
  EXPECT_THAT(problem("--set devices=9"), HasSubstr("a whole number from 1 to 8"));
  EXPECT_THAT(problem("--set devices=8"), HasSubstr("cannot be shared between 8 devices"));
  EXPECT_THAT(problem("--set devices=2 --symmetric"), HasSubstr("--symmetric needs --data none"));
  EXPECT_THAT(problem("--symmetric --data none"), HasSubstr("devices is 1"));
  EXPECT_THAT(problem("--set devices=4 --symmetric --data none --prompt-tokens 2"),
              HasSubstr("in equal parts"));
  EXPECT_THAT(problem("--set devices=3 --page-positions 16 --prompt A"),
              HasSubstr("cannot be paged on this chip"));
  EXPECT_THAT(problem("--set devices=3 --context-parts 2 --prompt A"),
              HasSubstr("of one device, with equal parts"));
  EXPECT_THAT(problem("--set devices=2 --row-groups 2 --prompt-tokens 100"),
              HasSubstr("no steps of many tokens on several devices"));
  EXPECT_THAT(problem("--row-groups 1 --prompt-tokens 100 --logits /dev/null"),
              HasSubstr("no steps of many tokens with the logits of all positions"));
  EXPECT_THAT(problem("--row-groups 1 --prompt-tokens 1"),
              HasSubstr("prompts of 1 tokens are too short for steps of many, of more than 1"));
  EXPECT_THAT(problem("--set devices=2 --native"), HasSubstr("--native runs the firmware of one device"));
}
