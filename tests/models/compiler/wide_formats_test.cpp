// SPDX-License-Identifier: Apache-2.0
// Steps of many tokens in each number format, against the golden executor in the same formats.
#include "models/reference/loss.hpp"
#include "tests/models/compiler/bench.hpp"
#include "tests/models/support/model_files.hpp"

using namespace forerun;
using namespace forerun::models;
using tests::Bench;
using tests::chip_with;

namespace {

struct Losses {
  LogitLoss chip;    ///< of the chip, against the golden executor in the formats
  LogitLoss golden;  ///< of the golden executor in the formats, against full precision
  LogitLoss full;    ///< of the chip, against full precision
};

struct Prompt {
  chip::Chip chip;
  std::uint32_t row_groups = 1;
  std::vector<std::size_t> steps;  ///< tokens of each; the first is one of many
  std::uint32_t context = 64;
  std::optional<std::uint32_t> tile_positions = std::nullopt;
  std::uint32_t most = 0;  ///< tokens to compile for; 0: as many as the first step has

  CompileOptions options(const NumberFormats& formats) const {
    return {.format = formats,
            .context = context,
            .max_tokens = std::max(most, static_cast<std::uint32_t>(steps.front())),
            .keep_logits = false,
            .row_groups = row_groups,
            .tile_positions = tile_positions};
  }
};

/// Of the last token of each step.
Losses losses(const Model& model, const Prompt& run, const NumberFormats& formats,
              const std::vector<std::uint32_t>& ids) {
  const auto options = run.options(formats);
  const auto plan = make_plan(model.config, run.chip, options);
  EXPECT_TRUE(plan.wide.has_value());
  EXPECT_LT(plan.max_chunk, run.steps.front());
  Bench bench("bench", run.chip, compile(model, run.chip, options));
  bench.put(bench.program.header.token_ids, ids);
  std::vector<std::vector<float>> rows;
  bench.script = [&] {
    std::size_t position = 0;
    for (const auto tokens : run.steps) {
      bench.step(position, tokens, 1);
      position += tokens;
      rows.push_back(bench.peek<float>(plan.memory.logits, model.config.vocabulary));
    }
  };
  sc_core::sc_start();
  EXPECT_EQ(rows.size(), run.steps.size());
  ReferenceExecutor full(model, run.context), rounded(model, run.context, formats);
  LogitMeter of_chip, of_golden, in_all;
  std::size_t position = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::vector<double> exact, expected;
    for (const auto end = position + run.steps[i]; position < end; ++position) {
      exact = full.step(ids[position]);
      expected = rounded.step(ids[position]);
    }
    const std::vector<double> row(rows[i].begin(), rows[i].end());
    of_chip.add(expected, row, nullptr);
    of_golden.add(exact, expected, nullptr);
    in_all.add(exact, row, nullptr);
  }
  return {of_chip.loss(), of_golden.loss(), in_all.loss()};
}

// The golden executor rounds probabilities that add up to 1, a chip in such steps those that do not yet:
// hence what rounding to 16 bits costs. Where an operand then lies between two values of its format, both
// sides may go another way, and go on to differ from layer to layer; in the end the chip's error may be
// another one than the golden executor's, but no larger.
constexpr double of_fp16 = 0.0006, of_bf16 = 0.002, of_carrier = 0.005;

void record(const Losses& l) {
  testing::Test::RecordProperty("chip", std::to_string(l.chip.relative_error));
  testing::Test::RecordProperty("golden", std::to_string(l.golden.relative_error));
  testing::Test::RecordProperty("full", std::to_string(l.full.relative_error));
}
void expect_losses(const Losses& l, const NumberFormats& formats, double of_activations = of_carrier) {
  record(l);
  const double golden = l.golden.relative_error;
  EXPECT_GT(golden, 0);
  EXPECT_LT(l.chip.relative_error, formats.activations.is_float() ? of_activations : 1.5 * golden);
  EXPECT_LT(l.full.relative_error, std::max(of_carrier, 1.5 * golden));
}

const std::vector<std::uint32_t> text{0,  53, 73, 70,  540, 269, 261, 512, 446, 13,  285, 261,
                                      53, 73, 70, 540, 269, 54,  261, 512, 71,  446, 13,  285};
std::vector<std::uint32_t> long_text(std::uint32_t tokens) {
  std::vector<std::uint32_t> ids;
  for (std::uint32_t i = 0; i < tokens; ++i) ids.push_back(text[i * 7 % text.size()]);
  return ids;
}
Model bundled() { return load_model(FORERUN_SOURCE_DIR "/models/zoo/orator-2m"); }

struct Case {
  const char *weights, *activations, *kv;
  double chip;  ///< relative error of the logits at most; of one layer where operands are quantised
  NumberFormats formats() const {
    return {*parse_format(weights), *parse_format(activations), *parse_format(kv)};
  }
  Prompt prompt() const {
    const bool blocks = formats().activations.is_mx();
    return {chip_with(blocks ? 2 : 6), blocks ? 1u : 3u, {14, 9, 1}};
  }
};
std::string name_of(const testing::TestParamInfo<Case>& test) {
  return std::string(test.param.weights) + "_" + test.param.activations + "_" + test.param.kv;
}

class FormatsOfManyTokens : public testing::TestWithParam<Case> {};

/// In a grid whose shares are no round numbers, with MX blocks in two column groups of whole blocks: a
/// prompt, and what follows it in steps of few tokens.
TEST_P(FormatsOfManyTokens, GiveTheLogitsOfTheGoldenExecutor) {
  const auto& c = GetParam();
  expect_losses(losses(bundled(), c.prompt(), c.formats(), text), c.formats(), c.chip);
}
constexpr Case cases[] = {{"fp16", "fp16", "fp16", of_fp16},
                          {"bf16", "bf16", "bf16", of_bf16},
                          {"fp8_e4m3", "bf16", "bf16", of_bf16},
                          {"int8", "fp16", "fp16", of_fp16},
                          {"int8_g32", "fp16", "fp16", of_fp16},
                          {"int4_g128", "fp16", "fp16", of_fp16},
                          {"int4_g16", "fp16", "fp16", of_fp16},
                          {"mxfp8", "bf16", "bf16", of_bf16},
                          {"mxfp4", "bf16", "bf16", of_bf16},
                          // Operands quantised on the chip
                          {"int8", "int8", "fp16", 0.004},
                          {"fp8_e4m3", "fp8_e4m3", "bf16", 0.01},
                          {"fp8_e5m2", "fp8_e5m2", "bf16", 0.015},
                          {"int4_g64", "int8", "fp16", 0.004},
                          {"mxfp4", "fp8_e4m3", "bf16", 0.01},
                          {"mxfp8", "mxfp8", "bf16", 0.01},
                          {"mxfp6", "mxfp6", "bf16", 0.01},
                          {"mxint8", "mxint8", "bf16", 0.01},
                          {"mxfp4", "mxfp4", "bf16", 0.04},
                          {"fp8_e4m3", "mxfp8", "bf16", 0.01},
                          // A cache in its own format
                          {"bf16", "bf16", "fp8_e4m3", 0.009},
                          {"fp16", "fp16", "fp8_e5m2", 0.004},
                          {"fp16", "fp32", "bf16", of_fp16},
                          {"fp16", "fp16", "int8", of_carrier},
                          {"int4_g32", "bf16", "fp8_e4m3", of_carrier},
                          {"fp8_e4m3", "fp8_e4m3", "fp8_e4m3", 0.01},
                          {"int8", "int8", "int8", 0.004}};
INSTANTIATE_TEST_SUITE_P(All, FormatsOfManyTokens, testing::ValuesIn(cases), name_of);

/// Before differences grow.
class OneLayerOfManyTokens : public testing::TestWithParam<Case> {};
TEST_P(OneLayerOfManyTokens, GivesTheLogitsOfTheGoldenExecutor) {
  const auto& c = GetParam();
  auto model = bundled();
  model.layers.resize(1);
  model.config.layers = 1;
  const auto l = losses(model, c.prompt(), c.formats(), text);
  record(l);
  EXPECT_LT(l.chip.relative_error, c.chip);
  EXPECT_GT(l.golden.relative_error, 0);
}
INSTANTIATE_TEST_SUITE_P(All, OneLayerOfManyTokens, testing::ValuesIn(cases), name_of);

/// Heads of 64 to 256 columns on arrays of 128, with biases, norms and windows of all kinds.
TEST(ShapesOfManyTokens, TakeAPrompt) {
  chip::Chip chip;
  chip.hbm.rows *= 4;
  for (const auto* name : {"qwen2.5-7b", "gemma-2-9b", "phi-3-mini", "gpt2-xl", "opt-6.7b", "llama-3-8b"})
    for (const auto format : {chip::Format::bf16, chip::Format::i4, chip::Format::i8}) {
      const auto model = load_model(FORERUN_SOURCE_DIR "/models/zoo/" + std::string(name) + ".yaml", true);
      const CompileOptions options{.format = format, .context = 1024, .data = false, .keep_logits = false};
      const auto plan = make_plan(model.config, chip, options);
      EXPECT_EQ(plan.wide.has_value(), model.config.norm == NormKind::rms || format != chip::Format::i8)
          << name << " in " << options.format.name();
      if (!plan.wide) continue;
      EXPECT_GE(plan.wide->tokens(), 512u) << name;
      EXPECT_LE(plan.wide->end, chip.clusters.scratchpad.size.count);
    }
}

/// Arrays in RTL multiply integers, but apply no scales.
TEST(StepsOfManyTokensInRtl, LeaveProductsOfIntegersToTheArrays) {
  const auto model = load_model(FORERUN_SOURCE_DIR "/models/zoo/llama-3.2-1b.yaml", true);
  for (const auto format : {chip::Format::i8, chip::Format::bf16})
    for (const auto tensor : {chip::TensorModel::tlm, chip::TensorModel::rtl}) {
      chip::Chip chip;
      chip.clusters.tensor.model = tensor;
      const CompileOptions options{.format = format, .context = 1024, .data = false, .keep_logits = false};
      EXPECT_EQ(make_plan(model.config, chip, options).wide.has_value(),
                format != chip::Format::i8 || tensor == chip::TensorModel::tlm);
    }
}

/// Attention tile by tile over a cache in its own format, each step over those before.
class CachesOfManyTokens : public testing::TestWithParam<Case> {};
TEST_P(CachesOfManyTokens, AreReadInTiles) {
  const auto& c = GetParam();
  expect_losses(
      losses(bundled(), {chip_with(2, 16), 2, {70, 50, 30, 1}, 160, 24}, c.formats(), long_text(160)),
      c.formats());
}
INSTANTIATE_TEST_SUITE_P(All, CachesOfManyTokens,
                         testing::Values(Case{"fp16", "fp16", "int8", of_carrier},
                                         Case{"bf16", "bf16", "fp8_e4m3", 0.009},
                                         Case{"fp8_e4m3", "fp8_e4m3", "bf16", 0.01},
                                         Case{"int8", "int8", "int8", 0.004}),
                         name_of);

/// Little room: several panels of every operand, quantised while others are multiplied; on two clusters side
/// by side or one behind the other, and in a grid.
struct Panels {
  Case formats;
  unsigned clusters;
  std::uint32_t row_groups;
};
class PanelsOfManyTokens : public testing::TestWithParam<Panels> {};
TEST_P(PanelsOfManyTokens, AreQuantised) {
  const auto& p = GetParam();
  const auto formats = p.formats.formats();
  Prompt prompt{chip_with(p.clusters), p.row_groups, {80, 2, 1}, 128, std::nullopt, 80};
  const auto model = bundled();
  for (std::uint64_t size = 64 << 10; size < 1 << 20; size += 16 << 10) {
    prompt.chip.clusters.scratchpad.size = {size};
    try {
      const auto plan = make_plan(model.config, prompt.chip, prompt.options(formats));
      if (plan.wide->panel_depth >= model.config.hidden || plan.wide->tokens() < 24) continue;
      prompt.steps.front() = std::min(80u, plan.wide->tokens());
      return expect_losses(losses(model, prompt, formats, long_text(96)), formats);
    } catch (const CompileError&) {
    }
  }
  ADD_FAILURE() << "no such scratchpad";
}
constexpr Case int8{"int8", "int8", "fp16", 0}, int4_int8{"int4_g32", "int8", "fp16", 0},
    mxfp8{"mxfp8", "mxfp8", "bf16", 0}, int4{"int4_g32", "fp16", "fp16", 0},
    fp8{"fp8_e4m3", "bf16", "bf16", 0};
INSTANTIATE_TEST_SUITE_P(All, PanelsOfManyTokens,
                         testing::Values(Panels{int8, 2, 1}, Panels{int8, 2, 2}, Panels{int8, 6, 2},
                                         Panels{int4_int8, 6, 3}, Panels{mxfp8, 2, 1}, Panels{mxfp8, 2, 2},
                                         Panels{int4, 2, 1}, Panels{int4, 2, 2}, Panels{fp8, 6, 3}),
                         [](const auto& test) {
                           const auto& c = test.param.formats;
                           return std::string(c.weights) + "_" + c.activations + "_" +
                                  std::to_string(test.param.clusters) + "_" +
                                  std::to_string(test.param.row_groups);
                         });

/// Biases and LayerNorm: gpt2; biases of queries, keys and values: qwen2; norms of heads: qwen3; partly
/// rotated: phi3; norms of what is added: gemma2.
class FamilyInFormatsOfManyTokens : public testing::TestWithParam<std::tuple<const char*, const char*>> {};
TEST_P(FamilyInFormatsOfManyTokens, GivesTheLogitsOfTheGoldenExecutor) {
  const std::string family = std::get<0>(GetParam()), name = std::get<1>(GetParam());
  const tests::GoldenModel golden(family);
  const tests::ScratchFolder folder;
  golden.write(folder.path());
  const auto model = load_model(folder.path().string());
  auto formats = *parse_formats(name);
  if (name == "int8") formats.kv = {chip::Format::i8};
  const Prompt prompt{chip_with(2), 2, {8, 3, 1}, 16};
  if (family == "gpt2" && name != "int4") {  // LayerNorm beside one scale for each token
    EXPECT_THROW(make_plan(model.config, prompt.chip, prompt.options(formats)), CompileError);
    return;
  }
  expect_losses(losses(model, prompt, formats, golden.ids), formats);
}
INSTANTIATE_TEST_SUITE_P(All, FamilyInFormatsOfManyTokens,
                         testing::Combine(testing::Values("gpt2", "qwen2", "qwen3", "phi3", "gemma2"),
                                          testing::Values("fp8", "int4", "int8")),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param)) + "_" + std::get<1>(test.param);
                         });

}  // namespace
