// SPDX-License-Identifier: Apache-2.0
// Speculative decoding: the tokens are those of a run without a draft, whatever the draft is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "models/import/model.hpp"
#include "tests/models/support/llama_files.hpp"
#include "tests/platform/cli/program.hpp"

using namespace forerun::test;
using forerun::tests::ScratchFolder;
using testing::AllOf;
using testing::HasSubstr;

namespace {

const std::string bundled = FORERUN_SOURCE_DIR "/models/zoo/orator-2m";
const std::string text = "--prompt 'The people of the United States' ";

/// The bundled model without its last layers, or worse, in a folder of its own.
class SmallModel {
 public:
  SmallModel(std::uint32_t layers, float of_final_norm, std::uint32_t vocabulary = 0) {
    auto model = forerun::models::load_model(bundled);
    model.config.layers = layers;
    model.layers.resize(layers);
    auto config = forerun::tests::llama_config(model.config);
    auto tensors = forerun::tests::llama_tensors(model, "F32");
    for (auto& value : tensors["model.norm.weight"].values) value *= of_final_norm;
    if (vocabulary != 0) {
      config["vocab_size"] = vocabulary;
      auto& embedding = tensors["model.embed_tokens.weight"];
      embedding.shape[0] = vocabulary;
      embedding.values.resize(std::size_t{vocabulary} * model.config.hidden);
    }
    forerun::tests::spill(folder_ / "config.json", config.dump());
    forerun::tests::write_safetensors(folder_ / "model.safetensors", tensors);
  }
  std::string path() const { return folder_.path().string(); }

 private:
  ScratchFolder folder_;
};

struct Output {
  std::vector<std::uint32_t> ids;
  std::string logits;
  nlohmann::json report;
};

/// Of a greedy run with all that can be compared.
Output greedy(const std::string& arguments) {
  const Scratch scratch;
  const auto result = launch("run " + text + arguments + " --ids " + scratch.file("ids") + " --logits " +
                             scratch.file("logits") + " --report " + scratch.file("report"));
  EXPECT_EQ(result.code, 0) << result.err;
  if (result.code != 0) return {};
  return {read_ids(scratch.file("ids")), read_file(scratch.file("logits")),
          read_report(scratch.file("report"))};
}

/// What a run says after the prompt, without what other devices say meanwhile.
std::string said(const std::string& arguments) {
  const auto result = launch("run " + text + arguments);
  EXPECT_EQ(result.code, 0) << result.err;
  const auto from = result.out.find("The people of the United States");
  std::istringstream lines(result.out.substr(from, result.out.find("uart| done") - from));
  std::string all;
  for (std::string line; std::getline(lines, line);)
    if (line.rfind("uart1| ", 0) != 0) all += line + '\n';
  return all;
}

std::uint64_t count(const nlohmann::json& report, const char* what) {
  return report.at("draft").at(what).get<std::uint64_t>();
}

void expect_problem(const std::string& arguments, int code,
                    const testing::Matcher<const std::string&>& message) {
  const auto result = launch("run --chip edge " + arguments);
  EXPECT_EQ(result.code, code) << arguments;
  EXPECT_THAT(result.err, message) << arguments;
}

}  // namespace

TEST(SpeculativeDecoding, WithItselfKeepsAllTokens) {
  const auto plain = greedy("--chip edge --steps 21");
  const auto draft = greedy("--chip edge --steps 21 --draft orator-2m");
  EXPECT_EQ(draft.ids, plain.ids);
  EXPECT_TRUE(draft.logits == plain.logits) << "bit for bit";
  EXPECT_EQ(count(draft.report, "rounds"), 4u) << "of 5 tokens each, after the first";
  EXPECT_EQ(count(draft.report, "drafted"), 16u);
  EXPECT_EQ(count(draft.report, "kept"), 16u);
  EXPECT_EQ(count(draft.report, "steps"), 16u) << "and one before them that read the prompt";
  EXPECT_EQ(draft.report["tokens"], plain.report["tokens"]);
  EXPECT_FALSE(plain.report.contains("draft"));
}

TEST(SpeculativeDecoding, GivesTheSameWithOtherModels) {
  const SmallModel fewer_layers(2, 1), hopeless(1, -1);
  const auto plain = greedy("--set clusters.count=4 --steps 24");
  const auto some =
      greedy("--set clusters.count=4 --steps 24 --draft-tokens 3 --draft " + fewer_layers.path());
  EXPECT_EQ(some.ids, plain.ids);
  EXPECT_TRUE(some.logits == plain.logits);
  EXPECT_GT(count(some.report, "kept"), 0u);
  EXPECT_LT(count(some.report, "kept"), count(some.report, "drafted"));
  const auto none = greedy("--set clusters.count=4 --steps 24 --draft-tokens 7 --draft " + hopeless.path());
  EXPECT_EQ(none.ids, plain.ids);
  EXPECT_TRUE(none.logits == plain.logits);
  EXPECT_EQ(count(none.report, "kept"), 0u);
  EXPECT_EQ(count(none.report, "rounds"), 22u) << "a token each; the last but one is drafted for";
}

TEST(SpeculativeDecoding, GivesTheSameInOtherFormatsAndOnOtherChips) {
  for (const std::string chip :
       {"--chip edge --dtype bf16 ", "--chip edge --kv int8 ", "--chip reference ", "--chip four-arrays "}) {
    const auto plain = greedy(chip + "--steps 12");
    const auto draft = greedy(chip + "--steps 12 --draft orator-2m --draft-dtype int4 --draft-tokens 5");
    EXPECT_EQ(draft.ids, plain.ids) << chip;
    EXPECT_TRUE(draft.logits == plain.logits) << chip;
    EXPECT_EQ(draft.report["draft"]["format"], "int4");
  }
}

TEST(SpeculativeDecoding, SamplesTheSame) {
  const SmallModel fewer_layers(3, 1);
  for (const auto& draft : {std::string("orator-2m"), fewer_layers.path()})
    for (const std::string job : {"--chip edge --steps 20 --temperature 0.9 --seed 1 ",
                                  "--set clusters.count=4 --steps 20 --temperature 1.2 --seed 23456789012 "})
      EXPECT_EQ(said(job + "--draft " + draft), said(job)) << job;
  const auto report = report_of(text + "--chip edge --steps 20 --temperature 0.9 --draft orator-2m");
  EXPECT_EQ(report["draft"]["kept_share"], 1) << "it draws the same noise";
}

TEST(SpeculativeDecoding, GivesTheSameOnSeveralDevices) {
  const SmallModel fewer_layers(2, 1), hopeless(1, -1);
  const auto plain = greedy("--chip edge --steps 20");
  const auto expect_same = [&](const std::string& arguments, bool all_kept = false) {
    const auto draft = greedy("--chip edge --steps 20 --draft-tokens 3 " + arguments);
    EXPECT_EQ(draft.ids, plain.ids) << arguments;
    EXPECT_TRUE(draft.logits == plain.logits) << "bit for bit: " << arguments;
    EXPECT_GT(count(draft.report, "rounds"), 0u) << arguments;
    if (all_kept) {
      EXPECT_EQ(count(draft.report, "kept"), count(draft.report, "drafted")) << arguments;
    }
  };
  expect_same("--set devices=2 --draft orator-2m", true);
  expect_same("--set devices=2 --set clusters.count=2 --draft " + fewer_layers.path());
  expect_same("--set devices=2 --draft " + hopeless.path());
  // Unequal parts: programs of different sizes, behind which the drafts lie in the same place.
  expect_same("--set devices=3 --set link.topology=switched --draft orator-2m --draft-dtype int4");
  expect_same("--set devices=4 --set link.topology=torus --draft " + fewer_layers.path());
  const std::string sampled = "--chip edge --steps 12 --temperature 0.9 --seed 1 ";
  EXPECT_EQ(said(sampled + "--set devices=2 --draft " + fewer_layers.path()), said(sampled));
}

TEST(SpeculativeDecoding, GivesTheSameFromPages) {
  const SmallModel fewer_layers(2, 1);
  for (const std::string chip :
       {"--chip edge ", "--set clusters.count=2 --dtype bf16 ", "--chip edge --set devices=2 "}) {
    const auto plain = greedy(chip + "--steps 40");
    for (const std::string work : {"--draft orator-2m --draft-dtype int4 --page-positions 1",
                                   "--draft-tokens 7 --page-positions 16 --draft "}) {
      const auto draft =
          greedy(chip + "--steps 40 " + work + (work.back() == ' ' ? fewer_layers.path() : std::string()));
      EXPECT_EQ(draft.ids, plain.ids) << chip << work;
      EXPECT_TRUE(draft.logits == plain.logits) << chip << work;
    }
  }
}

TEST(SpeculativeDecoding, GoesOnFromOneToken) {
  const Scratch scratch;
  const auto ids = [&](const std::string& arguments) {
    EXPECT_EQ(
        launch("run --chip edge --prompt '' --steps 9 " + arguments + " --ids " + scratch.file("ids")).code,
        0);
    return read_ids(scratch.file("ids"));
  };
  EXPECT_EQ(ids("--draft orator-2m --draft-dtype int4"), ids(""));
  EXPECT_EQ(ids("--draft orator-2m --draft-tokens 64"), ids("")) << "more than are wanted";
}

TEST(SpeculativeDecoding, TakesTheSameTimeWithoutData) {
  const SmallModel hopeless(1, -1);
  const auto same = [](const std::string& job, const std::string& acceptance) {
    auto with = report_of(job), without = report_of(job + " --data none --acceptance " + acceptance);
    with.erase("data"), without.erase("data");
    EXPECT_EQ(with, without) << "to the cycle: " << job;
  };
  const std::string job = text + "--chip edge --steps 14 --draft ";
  same(job + "orator-2m", "1");
  same(job + hopeless.path(), "0");
}

TEST(SpeculativeDecoding, KeepsAsManyAsItIsTold) {
  const std::string job =
      "--model orator-2m --chip edge --data none --phase decode --context 40 --draft orator-2m "
      "--draft-tokens 1 "
      "--acceptance 0.7 ";
  const auto report = report_of(job + "--steps 70");
  EXPECT_NEAR(report["draft"]["kept_share"].get<double>(), 0.7, 3 * std::sqrt(0.7 * 0.3 / 40))
      << "of some 40";
  EXPECT_EQ(report["draft"]["drafted"], report["draft"]["rounds"]);
  EXPECT_EQ(report["tokens"]["generated"], 70);
  const auto kept = [&](const std::string& seed) {
    return report_of(job + "--steps 20 --seed " + seed)["draft"]["kept"];
  };
  EXPECT_EQ(kept("3"), kept("3"));
  EXPECT_NE(kept("3"), kept("5"));
}

TEST(SpeculativeDecoding, CountsLayersOfBothModels) {
  const std::string job =
      "--model gpt2 --draft gpt2 --draft-dtype int4 --chip reference --set clusters.count=4 --data none "
      "--acceptance 0.6 --phase decode --context 64 --steps 5 --draft-tokens 2";
  const auto counted = report_of(job), full = report_of(job + " --all-layers");
  EXPECT_LT(counted["layers"]["simulated"], 8);
  EXPECT_LT(counted["draft"]["layers"]["simulated"], 8);
  EXPECT_EQ(full["draft"]["layers"]["simulated"], 12);
  for (const auto* what : {"rounds", "drafted", "kept", "steps"})
    EXPECT_EQ(counted["draft"][what], full["draft"][what]) << what;
  const auto near = [](const nlohmann::json& a, const nlohmann::json& b, double off, const char* what) {
    EXPECT_NEAR(a.get<double>(), b.get<double>(), off * b.get<double>()) << what;
  };
  for (const auto* what : {"drafting", "verifying", "rounds"})
    near(counted["draft"]["seconds"][what], full["draft"]["seconds"][what], 0.01, what);
  near(counted["phases"][0]["hbm_bytes_read"], full["phases"][0]["hbm_bytes_read"], 0.01, "bytes");
  near(counted["tokens_per_second"], full["tokens_per_second"], 0.01, "tokens a second");
}

TEST(SpeculativeDecoding, ExplainsTheOperatorsOfBothModels) {
  const std::string job =
      "--chip edge --draft orator-2m --data none --acceptance 1 --phase decode --context 40 --steps 5 "
      "--explain ";
  const auto counted = report_of(job), full = report_of(job + "--all-layers");
  const auto seconds = [](const nlohmann::json& report, const std::string& name) {
    for (const auto& bound : report["explain"])
      if (bound["name"] == name) return bound["seconds"].get<double>();
    ADD_FAILURE() << name << " is not explained";
    return 0.0;
  };
  for (const auto* name : {"layers.gate_up", "layers.down"}) {
    const auto drafts = seconds(full, std::string("draft.") + name);
    EXPECT_GT(drafts, 2.5 * seconds(full, name)) << "four steps for one with more rows: " << name;
    EXPECT_NEAR(seconds(counted, std::string("draft.") + name), drafts, 0.05 * drafts) << name;
  }
}

TEST(SpeculativeDecoding, SaysWhatItDid) {
  const auto result = launch("run " + text + "--chip edge --steps 12 --draft orator-2m --draft-dtype int4");
  EXPECT_EQ(result.code, 0) << result.err;
  for (const auto* part :
       {"4 tokens drafted by orator-2m in int4", "tokens drafted, ", "tokens a step of the model",
        "time of a round", "verifying", "draft.layers.attention", "uart| draft: orator-2m"})
    EXPECT_THAT(result.out, HasSubstr(part));
  const auto report = report_of(text + "--chip edge --steps 12 --draft orator-2m");
  const auto& seconds = report["draft"]["seconds"];
  const double parts = seconds["drafting"].get<double>() + seconds["verifying"].get<double>();
  EXPECT_LT(parts, seconds["rounds"].get<double>());
  EXPECT_GT(parts, 0.9 * seconds["rounds"].get<double>());
}

TEST(SpeculativeDecoding, RefusesWhatDoesNotGoTogether) {
  const SmallModel smaller(1, 1, 512);
  expect_problem(
      "--draft " + smaller.path() + " --prompt a", 1,
      AllOf(HasSubstr("vocabulary of 512"), HasSubstr("orator-2m has 1024"), HasSubstr("same vocabulary")));
  expect_problem("--draft no-such-model --prompt a", 1, HasSubstr("no-such-model"));
  expect_problem("--draft-tokens 3 --prompt a", 2, HasSubstr("go with --draft"));
  expect_problem("--acceptance 0.5 --prompt a", 2, HasSubstr("go with --draft"));
  expect_problem("--draft orator-2m --draft-tokens 65 --prompt a", 2, HasSubstr("--draft-tokens"));
  expect_problem("--draft orator-2m --draft-tokens 0 --prompt a", 2, HasSubstr("--draft-tokens"));
  expect_problem("--draft orator-2m --acceptance 0.5 --prompt a", 2,
                 HasSubstr("--acceptance is for --data none"));
  expect_problem("--draft orator-2m --data none --prompt a", 2, HasSubstr("needs --acceptance"));
  expect_problem("--draft orator-2m --data none --acceptance 1.5 --prompt a", 2, HasSubstr("--acceptance"));
  expect_problem("--draft orator-2m --teacher x", 2, HasSubstr("--teacher"));
  expect_problem("--draft orator-2m --batch 2 --prompt a", 2, HasSubstr("--batch"));
  expect_problem("--draft orator-2m --prompts x", 2, HasSubstr("--prompts"));
  expect_problem("--draft orator-2m --program x --prompt a", 2, HasSubstr("--program is for one model"));
  expect_problem("--draft orator-2m --data none --acceptance 1 --phase prefill --context 9", 2,
                 HasSubstr("prefill"));
  expect_problem("--draft orator-2m --data none --acceptance 1 --phase decode --context 9", 2,
                 HasSubstr("--steps"));
}
