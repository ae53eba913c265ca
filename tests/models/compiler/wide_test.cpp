// SPDX-License-Identifier: Apache-2.0
// Steps of many tokens against the golden executor, whatever the groups and however attention is cut; the
// same bits each time, and the same time with and without data.
#include <sys/wait.h>

#include <cmath>

#include "tests/models/compiler/bench.hpp"
#include "tests/models/support/model_files.hpp"

using namespace forerun;
using namespace forerun::models;
using tests::Bench;
using tests::chip_with;

namespace {

std::vector<std::uint32_t> make_text() {
  std::vector<std::uint32_t> ids;
  for (int round = 0; round < 8; ++round)
    for (const auto id : {0, 53, 73, 70, 540, 269, 261, 512, 446, 13, 285, 261})
      ids.push_back(static_cast<std::uint32_t>(id + round));
  return ids;
}
const auto text = make_text();

/// Runs `f` in a process of its own, because SystemC elaborates once in each.
template <typename F>
std::vector<float> in_child(const F& f) {
  int channel[2];
  if (pipe(channel) != 0) return {};
  const auto child = fork();
  if (child == 0) {
    std::vector<float> values;
    try {
      values = f();
    } catch (const std::exception& e) {
      ADD_FAILURE() << e.what();
    }
    const auto bytes = values.size() * sizeof(float);
    const bool ok = !testing::Test::HasFailure() &&
                    write(channel[1], values.data(), bytes) == static_cast<ssize_t>(bytes);
    _exit(ok ? 0 : 1);
  }
  close(channel[1]);
  std::vector<float> values;
  for (float value; read(channel[0], &value, sizeof value) == sizeof value;) values.push_back(value);
  close(channel[0]);
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  return values;
}

struct Case {
  chip::Chip chip;
  chip::Format format = chip::Format::f32;
  std::uint32_t row_groups = 0;
  std::vector<std::size_t> steps{11, 5, 1};  ///< tokens of each
  std::uint32_t most = 0;                    ///< tokens to compile for; 0: as many as the longest step has
  std::uint32_t context = 128;
  std::optional<std::uint32_t> tile_positions = std::nullopt;

  CompileOptions options(const Model& model) const {
    const auto longest = static_cast<std::uint32_t>(*std::max_element(steps.begin(), steps.end()));
    CompileOptions options{.format = format,
                           .context = std::min(context, model.config.max_positions),
                           .data = chip.data == chip::Data::real};
    options.max_tokens = std::max(most, longest);
    options.keep_logits = false;
    options.row_groups = row_groups;
    options.tile_positions = tile_positions;
    return options;
  }
};

/// The last logits of each step, the ids chosen, and the picoseconds of it all.
std::vector<float> results(const Model& model, const Case& c, const std::vector<std::uint32_t>& ids,
                           bool with_time) {
  return in_child([&] {
    const auto options = c.options(model);
    Bench bench("bench", c.chip, compile(model, c.chip, options));
    const auto plan = make_plan(model.config, c.chip, options);
    EXPECT_EQ(plan.wide.has_value(), c.row_groups != 0);
    bench.put(bench.program.header.token_ids, ids);
    std::vector<float> all;
    bench.script = [&] {
      std::size_t position = 0;
      for (const auto tokens : c.steps) {
        const auto id = bench.step(position, tokens, 1);
        position += tokens;
        const auto row = bench.peek<float>(plan.memory.logits, bench.program.header.vocabulary);
        if (with_time) continue;
        all.insert(all.end(), row.begin(), row.end());
        all.push_back(static_cast<float>(id));
      }
      if (with_time) all.push_back(static_cast<float>(sc_core::sc_time_stamp().value() % 1000003));
    };
    sc_core::sc_start();
    return all;
  });
}

/// Of the last token of each step.
std::vector<std::vector<double>> golden_logits(const Model& model, const Case& c,
                                               const std::vector<std::uint32_t>& ids) {
  ReferenceExecutor reference(model, c.options(model).context);
  std::vector<std::vector<double>> all;
  std::size_t position = 0;
  for (const auto tokens : c.steps) {
    std::vector<double> logits;
    for (const auto end = position + tokens; position < end; ++position)
      logits = reference.step(ids[position]);
    all.push_back(std::move(logits));
  }
  return all;
}
/// Logits of the bundled model reach some 20. The golden executor rounds nothing to 16 bits, so in fp16 and
/// bf16 this is what rounding costs, with steps of few tokens as well.
double tolerance(chip::Format format) {
  return format == chip::Format::f32 ? 1e-4 : format == chip::Format::f16 ? 2e-2 : 0.2;
}
/// All steps against the golden executor.
std::vector<float> expect_golden(const Model& model, const Case& c,
                                 const std::vector<std::uint32_t>& ids = text) {
  const auto got = results(model, c, ids, false);
  const auto expected = golden_logits(model, c, ids);
  const std::size_t each = model.config.vocabulary + 1u;
  EXPECT_EQ(got.size(), c.steps.size() * each);
  if (got.size() != c.steps.size() * each) return got;
  double worst = 0, largest = 0;
  std::size_t worst_step = 0;
  for (std::size_t step = 0; step < expected.size(); ++step) {
    const auto* row = &got[step * each];
    for (std::size_t i = 0; i + 1 < each; ++i) {
      const double difference = std::fabs(double{row[i]} - expected[step][i]);
      if (std::isnan(difference) || difference > worst) {
        worst = std::isnan(difference) ? INFINITY : difference;
        worst_step = step;
      }
      largest = std::max(largest, std::fabs(expected[step][i]));
    }
    EXPECT_EQ(row[each - 1], static_cast<float>(std::max_element(row, row + each - 1) - row)) << step;
  }
  EXPECT_LT(worst, tolerance(c.format)) << "of step " << worst_step;
  EXPECT_GT(largest, 10 * worst);
  return got;
}
void expect_bits(const std::vector<float>& a, const std::vector<float>& b) {
  ASSERT_EQ(a.size(), b.size());
  std::size_t differ = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    differ += std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i]) ? 1 : 0;
  EXPECT_EQ(differ, 0u) << "of " << a.size();
}

Model bundled() { return load_model(FORERUN_SOURCE_DIR "/models/zoo/orator-2m"); }

}  // namespace

TEST(StepsOfManyTokens, OneRowGroup) { expect_golden(bundled(), {chip_with(3), chip::Format::f16, 1}); }
TEST(StepsOfManyTokens, AloneOnOneCluster) { expect_golden(bundled(), {chip_with(1), chip::Format::f32, 1}); }
TEST(StepsOfManyTokens, OneColumnGroup) { expect_golden(bundled(), {chip_with(3), chip::Format::bf16, 3}); }
TEST(StepsOfManyTokens, AGridOfGroups) { expect_golden(bundled(), {chip_with(6), chip::Format::f16, 3}); }
/// A lane slower than a link: the first of a chain loads two tiles at a time.
TEST(StepsOfManyTokens, TilesInPairs) {
  auto chip = chip_with(4, 32);
  chip.hbm.ports = 4;
  chip.noc.link_width = {256};
  const auto model = bundled();
  CompileOptions options{.context = 128, .max_tokens = 11, .keep_logits = false, .row_groups = 2};
  ASSERT_EQ(make_plan(model.config, chip, options).wide->together, 2u);
  expect_golden(model, {chip, chip::Format::f16, 2});
}
/// Little room: several panels of every operand, the last ones less deep; on two clusters side by side or one
/// behind the other, and in a grid, where panels go from cluster to cluster.
TEST(StepsOfManyTokens, SeveralPanels) {
  const auto model = bundled();
  for (const auto& [clusters, groups] : {std::pair{2u, 1u}, std::pair{2u, 2u}, std::pair{6u, 2u}}) {
    auto chip = chip_with(clusters, 16);
    std::size_t tried = 0;
    for (std::uint64_t size = 64 << 10; size < 1 << 20 && tried < 3; size += 16 << 10) {
      const CompileOptions options{
          .context = 128, .max_tokens = 80, .keep_logits = false, .row_groups = groups};
      chip.clusters.scratchpad.size = {size};
      try {
        const auto wide = *make_plan(model.config, chip, options).wide;
        if (wide.panel_depth >= model.config.hidden) continue;
        expect_golden(model, {chip, chip::Format::f16, groups, {std::min(80u, wide.tokens()), 2, 1}, 80});
        ++tried;
      } catch (const CompileError&) {
      }
    }
    EXPECT_EQ(tried, 3u);
  }
}
/// One step for a prompt that a large chip can take at once, with room for its weights to run ahead.
TEST(StepsOfManyTokens, TakeALongPromptOfALargeModelAtOnce) {
  const auto model = load_model(FORERUN_SOURCE_DIR "/models/zoo/llama-3-8b.yaml", true);
  const CompileOptions options{
      .format = chip::Format::bf16, .context = 2048, .data = false, .keep_logits = false};
  const auto plan = make_plan(model.config, chip::Chip{}, options);
  ASSERT_TRUE(plan.wide.has_value());
  EXPECT_EQ(plan.wide->tokens(), 2048u);
  EXPECT_GE(plan.wide->slots, 6u);
}
/// A scratchpad does not hold all keys and values of a head.
TEST(StepsOfManyTokens, TakeLongContexts) {
  chip::Chip chip;
  for (const auto& [name, context] : {std::pair{"llama-3-8b", 8192u}, std::pair{"llama-3.2-1b", 32768u}}) {
    if (context == 8192) chip.hbm.rows *= 2;
    const auto model = load_model(FORERUN_SOURCE_DIR "/models/zoo/" + std::string(name) + ".yaml", true);
    const CompileOptions options{
        .format = chip::Format::bf16, .context = context, .data = false, .keep_logits = false};
    const auto plan = make_plan(model.config, chip, options);
    ASSERT_TRUE(plan.wide.has_value()) << name;
    EXPECT_GE(plan.wide->tokens(), 1024u);
    EXPECT_LT(plan.wide->attention.positions, context);
    EXPECT_LE(plan.wide->end, chip.clusters.scratchpad.size.count);
    chip = {};
  }
}
/// Weights and cache of 8192 positions leave so little of 16 GiB that there are steps of few tokens only;
/// half the cache leaves room for shorter ones than the scratchpads have.
TEST(StepsOfManyTokens, AreAsLongAsMemoryHasRoomFor) {
  const auto model = load_model(FORERUN_SOURCE_DIR "/models/zoo/llama-3-8b.yaml", true);
  CompileOptions options{.format = chip::Format::bf16, .context = 8192, .data = false, .keep_logits = false};
  EXPECT_FALSE(make_plan(model.config, chip::Chip{}, options).wide.has_value());
  options.context = 3072;
  const auto plan = make_plan(model.config, chip::Chip{}, options);
  ASSERT_TRUE(plan.wide.has_value());
  EXPECT_LE(plan.memory.end - plan.memory.begin, chip::memory_size(chip::Chip{}).count);
  options.row_groups = 4;
  options.context = 8192;
  EXPECT_THROW(make_plan(model.config, chip::Chip{}, options), OutOfMemory);
}
TEST(StepsOfManyTokens, HaveTheSameBitsEachTime) {
  const auto model = bundled();
  const Case c{chip_with(6), chip::Format::f16, 3};
  ASSERT_EQ(make_plan(model.config, c.chip, c.options(model)).wide->attention.positions, 128u)
      << "a tile of all positions";
  expect_bits(results(model, c, text, false), results(model, c, text, false));
}

/// Each step attends to those before it.
TEST(StepsOfManyTokens, AttendTileByTile) {
  auto model = bundled();
  model.config.max_positions = 512;
  std::vector<std::uint32_t> ids;
  while (ids.size() < 400) ids.insert(ids.end(), text.begin(), text.end());
  for (const auto& [clusters, groups] : {std::pair{1u, 1u}, std::pair{4u, 2u}}) {
    Case c{chip_with(clusters, 16), chip::Format::f32, groups, {150, 150, 40, 1}, 150};
    c.context = 384;
    c.tile_positions = clusters == 1 ? 64 : 50;
    const auto got = expect_golden(model, c, ids);
    expect_bits(results(model, c, ids, false), got);
  }
}

struct Attention {
  const char* model;
  float score_cap = 0;
  std::uint32_t window = 0, other_window = 0;  ///< of every other layer
};
class TilesOfFamily : public testing::TestWithParam<Attention> {};
TEST_P(TilesOfFamily, HaveTheGoldenLogits) {
  const tests::GoldenModel golden(GetParam().model);
  const tests::ScratchFolder folder;
  golden.write(folder.path());
  auto model = load_model(folder.path().string());
  model.config.max_positions = std::max(model.config.max_positions, 160u);
  if (GetParam().score_cap > 0) model.config.score_cap = GetParam().score_cap;
  if (GetParam().window > 0)
    for (std::size_t i = 0; i < model.config.windows.size(); ++i)
      model.config.windows[i] = i % 2 == 0 ? GetParam().window : GetParam().other_window;
  std::vector<std::uint32_t> ids;
  for (std::uint32_t i = 0; i < 160; ++i) ids.push_back(golden.ids[i * 7 % golden.ids.size()]);
  Case c{chip_with(2, 8), chip::Format::f32, 2, {70, 50, 30, 1}, 70};
  c.context = 160;
  c.tile_positions = 24;
  expect_golden(model, c, ids);
}
INSTANTIATE_TEST_SUITE_P(All, TilesOfFamily,
                         testing::Values(Attention{"llama"}, Attention{"llama-scaled", 1.5F},
                                         Attention{"mistral", 0, 5, 5}, Attention{"mistral", 0, 40, 0},
                                         Attention{"qwen3"}, Attention{"phi3"}, Attention{"gemma2"}),
                         [](const auto& test) {
                           std::string name = test.param.model;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name + (test.param.score_cap > 0 ? "_capped" : "") +
                                  (test.param.window > 0 ? std::to_string(test.param.window) : "");
                         });

/// Five clusters share the heads unequally: panels pass through clusters that have fewer rounds of blocks.
TEST(StepsOfManyTokens, ColumnGroupsWithDifferentRounds) {
  auto chip = chip_with(5, 32);
  chip.clusters.tensor.arrays = 1;
  chip.clusters.scratchpad.size = {208 << 10};
  expect_golden(bundled(), {.chip = chip, .format = chip::Format::f16, .row_groups = 1, .steps = {64, 2}});
}
/// Fewer tokens than runs: some clusters have no rows.
TEST(StepsOfManyTokens, FewerTokensThanRuns) {
  expect_golden(bundled(), {chip_with(6), chip::Format::f16, 6, {11, 3, 2, 1}});
}
TEST(StepsOfManyTokens, LooseTiming) {
  Case c{chip_with(4), chip::Format::f16, 2};
  c.chip.timing = chip::Timing::loose;
  expect_golden(bundled(), c);
}
TEST(StepsOfManyTokens, TakeTheSameTimeWithoutData) {
  const auto model = bundled();
  Case c{chip_with(4), chip::Format::f16, 2};
  const auto with = results(model, c, text, true);
  c.chip.data = chip::Data::none;
  ASSERT_EQ(with.size(), 1u);
  EXPECT_EQ(results(model, c, text, true), with);
}

class ManyTokensOfFamily : public testing::TestWithParam<const char*> {};
TEST_P(ManyTokensOfFamily, HaveTheGoldenLogits) {
  const tests::GoldenModel golden(GetParam());
  const tests::ScratchFolder folder;
  golden.write(folder.path());
  const auto model = load_model(folder.path().string());
  expect_golden(model, {chip_with(2), chip::Format::f32, 2, {8, 3, 1}}, golden.ids);
}
INSTANTIATE_TEST_SUITE_P(All, ManyTokensOfFamily,
                         testing::Values("llama", "llama-scaled", "llama-wide", "llama-biased", "mistral",
                                         "qwen2", "qwen2-yarn", "qwen3", "gemma", "gemma2", "gpt2", "opt",
                                         "phi3", "phi3-long"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });
