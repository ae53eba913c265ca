// SPDX-License-Identifier: Apache-2.0
// Steps of many tokens against steps of few: the same logits but for roundings, whatever the groups, and the
// same time with and without data.
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
};

/// The last logits of each step, the ids chosen, and the picoseconds of it all.
std::vector<float> results(const Model& model, const Case& c, const std::vector<std::uint32_t>& ids,
                           bool with_time) {
  return in_child([&] {
    const auto most = std::max<std::size_t>(c.most, *std::max_element(c.steps.begin(), c.steps.end()));
    CompileOptions options{.format = c.format,
                           .context = std::min(128u, model.config.max_positions),
                           .data = c.chip.data == chip::Data::real};
    options.max_tokens = static_cast<std::uint32_t>(most);
    options.keep_logits = false;
    options.row_groups = c.row_groups;
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

/// Of the largest logit: sums of a row, and of attention, are added up in other orders in steps of many
/// tokens, so results in a narrow format may be rounded to the next one.
double tolerance(chip::Format format) {
  switch (format) {
    case chip::Format::f32:
      return 1e-5;
    case chip::Format::f16:
      return 4e-3;
    default:
      return 3e-2;
  }
}

/// All steps in rows, against steps of few tokens.
void expect_equal(const Model& model, Case c, const std::vector<std::uint32_t>& ids = text) {
  auto few = c;
  few.row_groups = 0;
  few.chip.clusters.scratchpad.size = {4 << 20};
  const auto expected = results(model, few, ids, false), got = results(model, c, ids, false);
  const std::size_t row = model.config.vocabulary + 1u;
  ASSERT_EQ(expected.size(), c.steps.size() * row);
  ASSERT_EQ(got.size(), expected.size());
  for (std::size_t step = 0; step < c.steps.size(); ++step) {
    const auto* want = &expected[step * row];
    const auto* have = &got[step * row];
    double largest = 0, difference = 0;
    for (std::size_t i = 0; i + 1 < row; ++i) {
      ASSERT_TRUE(std::isfinite(have[i])) << "step " << step << ", logit " << i;
      largest = std::max(largest, std::abs(double(want[i])));
      difference = std::max(difference, std::abs(double(have[i]) - double(want[i])));
    }
    EXPECT_LE(difference, tolerance(c.format) * largest) << "step " << step;
    const auto best = *std::max_element(want, want + row - 1);
    EXPECT_GE(want[static_cast<std::size_t>(have[row - 1])], best - 2 * tolerance(c.format) * largest);
  }
}

Model bundled() { return load_model(FORERUN_SOURCE_DIR "/models/zoo/orator-2m"); }

}  // namespace

TEST(StepsOfManyTokens, OneRowGroup) { expect_equal(bundled(), {chip_with(3), chip::Format::f16, 1}); }
TEST(StepsOfManyTokens, AloneOnOneCluster) { expect_equal(bundled(), {chip_with(1), chip::Format::f32, 1}); }
TEST(StepsOfManyTokens, OneColumnGroup) { expect_equal(bundled(), {chip_with(3), chip::Format::bf16, 3}); }
TEST(StepsOfManyTokens, AGridOfGroups) { expect_equal(bundled(), {chip_with(6), chip::Format::f16, 3}); }
/// A lane slower than a link: the first of a chain loads two tiles at a time.
TEST(StepsOfManyTokens, TilesInPairs) {
  auto chip = chip_with(4, 32);
  chip.hbm.ports = 4;
  chip.noc.link_width = {256};
  const auto model = bundled();
  CompileOptions options{.context = 128, .max_tokens = 11, .keep_logits = false, .row_groups = 2};
  ASSERT_EQ(make_plan(model.config, chip, options).wide->together, 2u);
  expect_equal(model, {chip, chip::Format::f16, 2});
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
        expect_equal(model, {chip, chip::Format::f16, groups, {std::min(80u, wide.tokens()), 2, 1}, 80});
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
/// Fewer tokens than runs: some clusters have no rows.
TEST(StepsOfManyTokens, FewerTokensThanRuns) {
  expect_equal(bundled(), {chip_with(6), chip::Format::f16, 6, {11, 3, 2, 1}});
}
TEST(StepsOfManyTokens, LooseTiming) {
  Case c{chip_with(4), chip::Format::f16, 2};
  c.chip.timing = chip::Timing::loose;
  expect_equal(bundled(), c);
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
TEST_P(ManyTokensOfFamily, HaveTheLogitsOfFew) {
  const tests::GoldenModel golden(GetParam());
  const tests::ScratchFolder folder;
  golden.write(folder.path());
  const auto model = load_model(folder.path().string());
  expect_equal(model, {chip_with(2), chip::Format::f32, 2, {8, 3, 1}}, golden.ids);
}
INSTANTIATE_TEST_SUITE_P(All, ManyTokensOfFamily,
                         testing::Values("llama", "llama-scaled", "llama-wide", "mistral", "qwen3", "gemma",
                                         "phi3", "phi3-long"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });
