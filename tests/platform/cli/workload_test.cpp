// SPDX-License-Identifier: Apache-2.0
// Phases, batches and repeated layers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/platform/cli/program.hpp"

using namespace forerun::test;
using testing::HasSubstr;

namespace {

/// A shape of 24 layers with a window in every second one, if wanted.
std::string shape(const Scratch& scratch, bool windows = false, unsigned vocabulary = 2048) {
  nlohmann::json config{{"model_type", windows ? "gemma2" : "llama"},
                        {"hidden_size", 256},
                        {"intermediate_size", 688},
                        {"num_hidden_layers", 24},
                        {"num_attention_heads", 8},
                        {"num_key_value_heads", 4},
                        {"head_dim", 32},
                        {"vocab_size", vocabulary},
                        {"max_position_embeddings", 2048},
                        {"rms_norm_eps", 1e-5},
                        {"rope_theta", 1e4},
                        {"hidden_act", "silu"},
                        {"tie_word_embeddings", windows},
                        {"bos_token_id", 1},
                        {"eos_token_id", 2}};
  if (windows) {
    config["hidden_activation"] = "gelu_pytorch_tanh";
    config["query_pre_attn_scalar"] = 32;
    config["sliding_window"] = 64;
    config["attn_logit_softcapping"] = 50.0;
    config["final_logit_softcapping"] = 30.0;
  }
  scratch.write("config.json", config.dump());
  return " --model " + scratch.file("config.json") + " --data none ";
}

double of(const nlohmann::json& report, const std::string& pointer) {
  return report.at(nlohmann::json::json_pointer(pointer)).get<double>();
}

/// What does not depend on time within `all_figures`, and time within that or twice the standard error that
/// is stated. The energy of a channel and the arrays' time in one operator differ more from layer to layer.
void expect_close(const nlohmann::json& counted, const nlohmann::json& all, double single = 0.01,
                  double all_figures = 0.01) {
  EXPECT_LT(counted["layers"]["simulated"], counted["layers"]["of_model"]);
  EXPECT_EQ(all["layers"]["simulated"], all["layers"]["of_model"]);
  const auto stated = of(counted, "/layers/expected_error");
  EXPECT_LE(stated, 0.015);
  const auto near = [&](const std::string& figure, double tolerance) {
    EXPECT_NEAR(of(counted, figure) / of(all, figure), 1, tolerance) << figure;
  };
  for (const std::string figure : {"/phases/0/seconds", "/phases/0/cluster_cycles"})
    near(figure, std::max(all_figures, 2 * stated));
  for (const std::string figure :
       {"/phases/0/hbm_bytes_read", "/phases/0/operations", "/noc/packets", "/engines/2/commands"})
    near(figure, all_figures);
  near("/hbm_channels/0/joules", single);
  for (const auto& channel : counted["hbm_channels"])
    for (const auto& [limit, fraction] : channel["time_fractions"].items())
      EXPECT_LE(fraction.get<double>(), 1.01) << channel["name"] << " " << limit;
  for (std::size_t i = 0; i < all["operators"].size(); ++i)
    if (all["operators"][i]["name"] == "layers.query_key_value") {
      EXPECT_NEAR(of(counted["operators"][i], "/tensor_seconds") / of(all["operators"][i], "/tensor_seconds"),
                  1, std::max(single, 2 * stated));
    }
}

}  // namespace

TEST(Phase, DecodeIsAStepAtItsContext) {
  const Scratch scratch;
  const auto work = "--chip edge" + shape(scratch);
  const auto phase = report_of(work + "--phase decode --context 200 --steps 3 --all-layers");
  EXPECT_EQ(phase["phase"], "decode");
  EXPECT_EQ(phase["context"]["most"], 200);
  EXPECT_EQ(phase["phases"][0]["tokens"], 3);
  // The same steps after a prompt, through smaller buffers for weights.
  const auto run = report_of(work + "--prompt-tokens 199 --steps 4");
  EXPECT_NEAR(of(phase, "/seconds/per_token") / of(run, "/seconds/per_token"), 1, 0.05);
  EXPECT_NEAR(of(phase, "/phases/0/hbm_bytes_read") / of(run, "/phases/2/hbm_bytes_read"), 1, 0.01);
}

TEST(Phase, PrefillTakesItsTokens) {
  const Scratch scratch;
  const auto work = "--chip edge" + shape(scratch) + "--phase prefill --all-layers --context ";
  const auto one = report_of(work + "128"), two = report_of(work + "128 --batch 2");
  EXPECT_EQ(one["phases"][0]["tokens"], 128);
  EXPECT_EQ(two["phases"][0]["tokens"], 256);
  EXPECT_NEAR(of(two, "/seconds/phase") / of(one, "/seconds/phase"), 2, 0.1);
}

TEST(Batch, ReadsWeightsOnce) {
  const Scratch scratch;
  const auto work = "--chip edge" + shape(scratch) + "--phase decode --all-layers --context ";
  const auto one = report_of(work + "64"), eight = report_of(work + "64 --batch 8");
  EXPECT_EQ(eight["sequences"], 8);
  EXPECT_EQ(eight["phases"][0]["tokens"], 8);
  EXPECT_LT(of(eight, "/phases/0/hbm_bytes_read") / of(one, "/phases/0/hbm_bytes_read"), 2);
  const auto mixed = report_of(work + "1,700,64,2");
  EXPECT_EQ(mixed["sequences"], 4);
  EXPECT_EQ(mixed["context"]["least"], 1);
  EXPECT_EQ(mixed["context"]["most"], 700);
}

TEST(Batch, GivesTheIdsOfEachAlone) {
  const std::vector<std::string> prompts{"We the people", "In the beginning of the second year", "A", "1789"};
  for (const std::string chip : {"--chip edge --dtype fp32", "--set clusters.count=3 --dtype int8"}) {
    const Scratch scratch;
    std::string text;
    for (const auto& prompt : prompts) text += prompt + "\n";
    scratch.write("prompts", text);
    const auto batch = launch("run " + chip + " --steps 5 --prompts " + scratch.file("prompts") + " --ids " +
                              scratch.file("ids"));
    ASSERT_EQ(batch.code, 0) << batch.err;
    std::istringstream lines(read_file(scratch.file("ids")));
    for (const auto& prompt : prompts) {
      const auto alone =
          launch("run " + chip + " --steps 5 --prompt '" + prompt + "' --ids " + scratch.file("one"));
      ASSERT_EQ(alone.code, 0) << alone.err;
      std::string line;
      std::getline(lines, line);
      std::istringstream words(line);
      const std::vector<std::uint32_t> ids{std::istream_iterator<std::uint32_t>(words), {}};
      EXPECT_EQ(ids, read_ids(scratch.file("one"))) << prompt;
    }
  }
}

TEST(Batch, GivesTheSameIdsFromAPagedCache) {
  const Scratch scratch;
  scratch.write("prompts", "We the people\nIn the beginning of the second year of the war\nA\n");
  for (const std::string chip : {"--chip edge", "--set clusters.count=2 --dtype bf16"}) {
    for (const std::string page : {"", " --page-positions 16"}) {
      const auto run = launch("run " + chip + " --steps 20 --prompts " + scratch.file("prompts") + page +
                              " --ids " + scratch.file("ids" + std::to_string(page.size())));
      ASSERT_EQ(run.code, 0) << run.err;
    }
    EXPECT_EQ(read_file(scratch.file("ids0")), read_file(scratch.file("ids20"))) << chip;
  }
}

TEST(PagedCache, NeedsMemoryForThePositionsThatThereAre) {
  const Scratch scratch;
  const auto work = "run --chip edge" + shape(scratch) + "--phase decode --context 2000,60";
  std::string contexts;
  for (unsigned i = 0; i < 60; ++i) contexts += ",60";
  const auto small = " --set hbm.rows=2048";
  const auto whole = launch(work + contexts + small),
             paged = launch(work + contexts + small + " --page-positions 64");
  EXPECT_EQ(whole.code, 1);
  EXPECT_THAT(whole.err, HasSubstr("MiB of memory at a context of"));
  EXPECT_EQ(paged.code, 0) << paged.err;
}

TEST(PagedCache, IsRefusedWhereThereIsNone) {
  const auto scales =
      launch("run --chip edge --dtype int8 --kv int8 --prompt A --steps 1 --page-positions 16");
  EXPECT_EQ(scales.code, 1);
  EXPECT_THAT(scales.err, HasSubstr("cannot be paged on this chip"));
  const auto groups = launch("run --chip edge --prompt-tokens 40 --row-groups 1 --page-positions 16");
  EXPECT_EQ(groups.code, 2);
  EXPECT_THAT(groups.err, HasSubstr("--row-groups does not go with it"));
  const auto program = launch("run --chip edge --program x.bin --prompt A --steps 1 --page-positions 16");
  EXPECT_EQ(program.code, 2);
  EXPECT_THAT(program.err, HasSubstr("--program is compiled already"));
}

TEST(RepeatedLayers, AreCountedWithinOnePerCent) {
  const Scratch scratch;
  const auto work = "--chip edge" + shape(scratch);
  for (const std::string phase : {"--phase decode --context 500 ", "--phase prefill --context 64 "})
    expect_close(report_of(work + phase), report_of(work + phase + "--all-layers"));
  expect_close(report_of(work + "--prompt-tokens 9 --steps 2 --repeat-layers"),
               report_of(work + "--prompt-tokens 9 --steps 2"));
}

TEST(RepeatedLayers, OfTwoKindsRepeatInPairs) {
  const Scratch scratch;
  const auto work = "--chip edge" + shape(scratch, true) + "--phase decode --context 1500 ";
  const auto counted = report_of(work);
  EXPECT_EQ(counted["layers"]["simulated"].get<int>() % 2, 0);
  expect_close(counted, report_of(work + "--all-layers"));
}

TEST(RepeatedLayers, OfBatches) {
  const Scratch scratch;
  const auto work = "--chip edge" + shape(scratch) + "--phase decode --context ";
  for (const std::string contexts : {"600 --batch 12 ", "600,600,600,600,600,600,600,90 "})
    expect_close(report_of(work + contexts), report_of(work + contexts + "--all-layers"));
}

TEST(RepeatedLayers, OfPartsOfTheContext) {
  const Scratch scratch;
  const auto work = "--set clusters.count=8 " + shape(scratch) + "--phase decode --context 1000 --batch 12 ";
  const auto in_parts = work + "--context-parts 2 ";
  const auto all = report_of(in_parts + "--all-layers"), counted = report_of(in_parts);
  expect_close(counted, all);
  const auto whole = report_of(work + "--context-parts 1 --all-layers");
  // Each of the two clusters of a head would read all its keys and values, 64 bytes each for a position.
  const double cache = 24.0 * 12 * 1000 * 4 * 2 * 64;
  EXPECT_NEAR((of(whole, "/phases/0/hbm_bytes_read") - of(all, "/phases/0/hbm_bytes_read")) / cache, 1, 0.1);
}

TEST(Phase, RefusesPartsThatThereAreNot) {
  const Scratch scratch;
  const auto refused =
      launch("run" + shape(scratch) + "--phase decode --context 64 --chip edge --context-parts 2");
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err,
              testing::HasSubstr("cannot be cut into 2 parts of the context on this chip: expected 1"));
}

TEST(Phase, TakesALargerChipForALargerModel) {
  const Scratch scratch;
  // Rows so few that the reference chip has 32 MiB, and the next 256 MiB.
  const auto work =
      "run --set hbm.rows=64 --set clusters.count=2" + shape(scratch) + "--phase decode --context 16";
  const auto taken = launch(work);
  EXPECT_EQ(taken.code, 0) << taken.err;
  EXPECT_THAT(taken.out, HasSubstr("no --chip was given, and "));
  EXPECT_THAT(taken.out, HasSubstr("reference-256g is taken instead"));
  const auto named = launch(work + " --chip reference");
  EXPECT_EQ(named.code, 1);
  EXPECT_THAT(named.err, HasSubstr("of memory at a context of 64, the chip has 32.0 MiB"));
}

TEST(Phase, RefusesWhatDoesNotGoTogether) {
  const Scratch scratch;
  const auto work = "run --chip edge" + shape(scratch);
  const std::pair<std::string, const char*> cases[] = {
      {"--phase decode", "--phase needs --context"},
      {"--context 5", "--context goes with --phase"},
      {"--phase decode --context 5 --prompt-tokens 3", "--phase takes no tokens"},
      {"--phase prefill --context 5 --steps 3", "--phase prefill generates nothing"},
      {"--phase decode --context 2049", "a step at --context 2049 needs 2049 positions, but "},
      {"--phase decode --context 2048 --steps 2", "--steps 2 at --context 2048 needs 2050 positions"},
      {"--phase decode --context 5,6 --batch 3", "--context has 2 numbers, but --batch 3 wants"},
      {"--phase decode --context 5 --batch 257", "Value 257 not in range"},
      {"--teacher x --batch 2", "--teacher is for one sequence"},
      {"--prompts x --batch 2", "--prompts says how many"},
  };
  for (const auto& [options, message] : cases) {
    const auto result = launch(work + options);
    EXPECT_EQ(result.code, 2) << options;
    EXPECT_THAT(result.err, HasSubstr(message)) << options;
  }
  const auto real = launch("run --chip edge --phase decode --context 5");
  EXPECT_EQ(real.code, 2);
  EXPECT_THAT(real.err, HasSubstr("--phase is for studies of time: it needs --data none"));
  scratch.write("empty", "");
  const auto empty = launch("run --chip edge --prompts " + scratch.file("empty"));
  EXPECT_EQ(empty.code, 1);
  EXPECT_THAT(empty.err, HasSubstr("holds 0 lines, expected a prompt in each of 1 to 256"));
}
/// One operator of `--explain`.
nlohmann::json bound_of(const nlohmann::json& report, const std::string& name) {
  for (const auto& b : report["explain"])
    if (b["name"] == name) return b;
  ADD_FAILURE() << "no " << name;
  return {};
}

TEST(Explain, HoldsTheWorkOfEachOperatorAgainstPeaks) {
  const Scratch scratch;
  const auto arguments =
      shape(scratch) + "--dtype bf16 --set clusters.count=4 --phase decode --context 64 --all-layers";
  const auto plain = report_of(arguments), explained = report_of(arguments + " --explain");
  EXPECT_FALSE(plain.contains("explain"));
  EXPECT_EQ(plain["phases"], explained["phases"]) << "looking does not change the time";
  const auto gates = bound_of(explained, "layers.gate_up");
  const double macs = 24.0 * 256 * 2 * 688 / 4, peak = 2 * 64 * 64 * 1.25e9;  // of a cluster
  EXPECT_NEAR(of(gates, "/ideal_seconds/tensor"), macs / peak, 1e-12);
  const double bytes = 24.0 * 256 * 2 * 688 * 2;
  EXPECT_NEAR(of(gates, "/ideal_seconds/hbm") * of(explained, "/peak/hbm_bytes_per_second") / bytes, 1, 0.05)
      << "tiles are padded a little";
  double sum = 0;
  for (const auto& b : explained["explain"]) {
    sum += of(b, "/seconds");
    const auto bound = b["bound_by"].get<std::string>();
    for (const auto& [resource, ideal] : b["ideal_seconds"].items())
      EXPECT_LE(ideal.get<double>(), of(b, "/ideal_seconds/" + bound)) << b["name"] << " " << resource;
    EXPECT_NEAR(of(b, "/gap_seconds"), of(b, "/seconds") - of(b, "/ideal_seconds/" + bound), 1e-12);
    EXPECT_FALSE(b["gap"].get<std::string>().empty());
  }
  EXPECT_NEAR(sum / of(explained, "/phases/0/seconds"), 1, 0.1) << "but for firmware's part of a step";
}

TEST(Explain, NamesWhatIsScarce) {
  const Scratch scratch;
  const auto arguments =
      shape(scratch) +
      "--dtype bf16 --set clusters.count=4 --phase prefill --context 32 --all-layers --explain ";
  const auto bound = [&](const std::string& settings) {
    return bound_of(report_of(arguments + settings), "layers.gate_up")["bound_by"].get<std::string>();
  };
  EXPECT_EQ(
      bound("--set clusters.tensor.rows=16 --set clusters.tensor.columns=16 --set clusters.tensor.arrays=1"),
      "tensor");
  EXPECT_EQ(bound("--set 'noc.link_width=8 B'"), "noc");
  EXPECT_THAT(launch("run" + arguments).out, HasSubstr("what bounds"));
}

TEST(Explain, CountsLayersThatWereNotSimulated) {
  const Scratch scratch;
  const auto arguments =
      shape(scratch) + "--dtype bf16 --set clusters.count=4 --phase prefill --context 256 --explain ";
  const auto all = report_of(arguments + "--all-layers"), counted = report_of(arguments + "--repeat-layers");
  EXPECT_LT(counted["layers"]["simulated"], counted["layers"]["of_model"]);
  for (const std::string name : {"layers.gate_up", "layers.attention"}) {
    EXPECT_NEAR(of(bound_of(counted, name), "/seconds") / of(bound_of(all, name), "/seconds"), 1, 0.05)
        << name;
    EXPECT_NEAR(of(bound_of(counted, name), "/ideal_seconds/tensor") /
                    of(bound_of(all, name), "/ideal_seconds/tensor"),
                1, 1e-9)
        << name;
  }
}

/// The many-token schedule marks its layers as the other does. What is loaded ahead when one begins differs,
/// in a small shape by up to 3.4 % of a layer's bytes over the layers that are measured.
TEST(RepeatedLayers, OfStepsOfManyTokens) {
  const Scratch scratch;
  const auto arguments =
      shape(scratch) + "--dtype bf16 --set clusters.count=4 --phase prefill --context 256 --row-groups 2 ";
  expect_close(report_of(arguments + "--repeat-layers"), report_of(arguments + "--all-layers"), 0.03, 0.04);
}

/// Clusters post to all others by one command instead of one for each.
TEST(RepeatedLayers, WhoseClustersMeetThroughAWindow) {
  const Scratch scratch;
  const auto arguments = shape(scratch) +
                         "--dtype bf16 --set clusters.count=4 --set 'noc.multicast={everyone: all}' --phase "
                         "decode --context 100 ";
  const auto counted = report_of(arguments + "--repeat-layers");
  EXPECT_LT(counted["layers"]["simulated"], counted["layers"]["of_model"]);
  expect_close(counted, report_of(arguments + "--all-layers"));
}

/// The first layers are of another kind; those with experts go on with experts of their own.
TEST(RepeatedLayers, BehindLayersOfAnotherKind) {
  const Scratch scratch;
  scratch.write(
      "config.json",
      R"({"model_type": "deepseek_v3", "hidden_size": 512, "intermediate_size": 1024, "num_hidden_layers": 18,
"num_attention_heads": 8, "num_key_value_heads": 8, "max_position_embeddings": 512, "vocab_size": 1024,
"q_lora_rank": 128, "kv_lora_rank": 64, "qk_nope_head_dim": 32, "qk_rope_head_dim": 16, "v_head_dim": 32,
"moe_intermediate_size": 512, "n_routed_experts": 32, "n_shared_experts": 1, "num_experts_per_tok": 4,
"first_k_dense_replace": 3, "n_group": 8, "topk_group": 4})");
  const auto arguments = "--model " + scratch.file("config.json") +
                         " --data none --dtype bf16 --set clusters.count=4 --phase decode --context 100 ";
  const auto counted = report_of(arguments + "--repeat-layers");
  EXPECT_LT(counted["layers"]["simulated"], 18u);
  expect_close(counted, report_of(arguments + "--all-layers"));
}
