// SPDX-License-Identifier: Apache-2.0
// The cache near the clusters that read it, and attention in parts of the context, against the golden
// executor.
#include <gmock/gmock.h>

#include "tests/models/compiler/bench.hpp"
#include "tests/models/support/model_files.hpp"

using namespace forerun;
using namespace forerun::models;
using tests::Bench;
using tests::GoldenModel;

namespace {

/// Pieces of a few positions, so that a sequence of some tokens has several rounds in each cluster's lane.
chip::Chip small_pieces(unsigned clusters, unsigned ports) {
  auto chip = tests::chip_with(clusters, 16);
  chip.hbm.ports = ports;
  chip.clusters.dma.burst = {64};
  chip.hbm.interleave = {256};
  return chip;
}

struct Case {
  const char* model;
  unsigned clusters, ports;
  std::uint32_t parts;
  float score_cap = 0;
};

class ContextParts : public testing::TestWithParam<Case> {
 protected:
  ContextParts() : golden_(GetParam().model) {
    golden_.write(folder_.path());
    model_ = load_model(folder_.path().string());
    model_.config.max_positions = std::max(model_.config.max_positions, 64u);
    if (GetParam().score_cap > 0) model_.config.score_cap = GetParam().score_cap;
    for (std::uint32_t i = 0; i < 48; ++i) text_.push_back(golden_.ids[i * 7 % golden_.ids.size()]);
  }
  CompileOptions options(std::uint32_t sequences, chip::Format format = chip::Format::f32) const {
    return {.format = format, .context = 64, .sequences = sequences, .context_parts = GetParam().parts};
  }
  void keep_apart(std::uint32_t page_positions);
  chip::Chip chip() const { return small_pieces(GetParam().clusters, GetParam().ports); }
  tests::ScratchFolder folder_;
  GoldenModel golden_;
  Model model_;
  std::vector<std::uint32_t> text_;
};

TEST_P(ContextParts, LieInTheLanesOfTheirClusters) {
  const auto plan = make_plan(model_.config, chip(), options(1));
  EXPECT_TRUE(plan.cache.near);
  EXPECT_EQ(plan.cache.parts, GetParam().parts);
  EXPECT_GE(plan.context, 2 * plan.cache.round_rows() * plan.cache.parts) << "several rounds";
}
TEST_P(ContextParts, GiveTheGoldenLogits) {
  EXPECT_LT(tests::worst_error(model_, chip(), options(1), text_, 7), 1e-4);
}
TEST_P(ContextParts, GiveTheGoldenLogitsFromTheFirstTokenOn) {
  EXPECT_LT(tests::worst_error(model_, chip(), options(1), text_, 1), 1e-4);
}
TEST_P(ContextParts, GiveThemInFewerBits) {
  EXPECT_LT(tests::worst_error(model_, chip(), options(1, chip::Format::f16), text_, 7), 1e-2);
}
TEST_P(ContextParts, GiveTheGoldenLogitsFromPages) {
  auto paged = options(1);
  paged.page_positions = 1;  // rounded up
  const auto plan = make_plan(model_.config, chip(), paged);
  EXPECT_EQ(plan.cache.page, plan.cache.round_rows() * plan.cache.parts);
  EXPECT_GE(plan.cache.pages, 2u);
  EXPECT_LT(tests::worst_error(model_, chip(), paged, text_, 7), 1e-4);
}
TEST_P(ContextParts, GiveTheGoldenLogitsFromPagesOfSeveralRounds) {
  auto paged = options(1);
  paged.page_positions = static_cast<std::uint32_t>(
      2 * make_plan(model_.config, chip(), paged).cache.round_rows() * GetParam().parts);
  EXPECT_LT(tests::worst_error(model_, chip(), paged, text_, 7), 1e-4);
}
TEST_P(ContextParts, KeepSequencesApart) { keep_apart(0); }
TEST_P(ContextParts, KeepSequencesApartInPages) { keep_apart(1); }

void ContextParts::keep_apart(std::uint32_t page_positions) {
  constexpr std::uint32_t sequences = 3;
  auto wanted = options(sequences);
  wanted.page_positions = page_positions;
  Bench bench("bench", chip(), compile(model_, chip(), wanted));
  std::vector<std::vector<std::uint32_t>> texts(sequences), chosen;
  for (std::uint32_t s = 0; s < sequences; ++s) {
    for (std::size_t i = 0; i < 24; ++i) texts[s].push_back(text_[(5 * s + i) % text_.size()]);
    bench.put(bench.program.header.token_ids + s * (64 + 1ull) * 4, texts[s]);
  }
  bench.script = [&] {
    for (std::uint64_t p = 0; p < texts[0].size(); ++p) chosen.push_back(bench.step_all(p, sequences));
  };
  sc_core::sc_start();
  for (std::uint32_t s = 0; s < sequences; ++s) {
    ReferenceExecutor reference(model_, 64);
    for (std::size_t p = 0; p < texts[s].size(); ++p) {
      const auto logits = reference.step(texts[s][p]);
      EXPECT_EQ(chosen[p][s], std::max_element(logits.begin(), logits.end()) - logits.begin())
          << "sequence " << s << ", position " << p;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ContextParts,
                         testing::Values(Case{"llama", 4, 4, 1}, Case{"llama", 4, 8, 1},
                                         Case{"llama", 2, 2, 1}, Case{"phi3", 2, 4, 1},
                                         Case{"llama-biased", 4, 4, 4}, Case{"llama-scaled", 4, 8, 2},
                                         Case{"llama-scaled", 4, 4, 2, 1.5F}, Case{"qwen3", 4, 8, 2},
                                         Case{"qwen2", 4, 4, 2}, Case{"phi3-long", 4, 4, 2},
                                         Case{"mixtral", 4, 4, 2}, Case{"qwen3_moe", 4, 4, 2}),
                         [](const auto& test) {
                           std::string name = test.param.model;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name + std::to_string(test.param.clusters) + "_" +
                                  std::to_string(test.param.ports) +
                                  (test.param.score_cap > 0 ? "_capped" : "");
                         });

}  // namespace
