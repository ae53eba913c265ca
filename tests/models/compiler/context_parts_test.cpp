// SPDX-License-Identifier: Apache-2.0
// The cache near the clusters that read it, and attention in parts of the context, against the golden
// executor.
#include <gmock/gmock.h>

#include "platform/chip/load.hpp"
#include "tests/models/compiler/bench.hpp"
#include "tests/models/support/model_files.hpp"

using namespace forerun;
using namespace forerun::models;
using tests::Bench;
using tests::GoldenModel;

namespace {

/// Pieces of a few positions, so that a sequence of some tokens has several rounds in each cluster's lane.
chip::Chip small_pieces(unsigned clusters, unsigned ports, unsigned devices = 1) {
  auto chip = tests::chip_with(clusters, 16);
  chip.devices = devices;
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
  unsigned devices = 1;
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
  void keep_apart(std::uint32_t page_positions, std::vector<std::uint64_t> lengths);
  chip::Chip chip() const { return small_pieces(GetParam().clusters, GetParam().ports, GetParam().devices); }
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
TEST_P(ContextParts, KeepSequencesApart) { keep_apart(0, {0, 0, 0}); }
TEST_P(ContextParts, KeepSequencesApartInPages) { keep_apart(1, {0, 0, 0}); }
TEST_P(ContextParts, KeepSequencesOfDifferentLengthsApart) { keep_apart(0, {3, 30, 0}); }
TEST_P(ContextParts, KeepSequencesOfDifferentLengthsApartInPages) { keep_apart(1, {3, 30, 0}); }

/// Sequences with prompts of so many tokens, then a token of each at a time.
void ContextParts::keep_apart(std::uint32_t page_positions, std::vector<std::uint64_t> lengths) {
  constexpr std::size_t steps = 24;
  const auto sequences = static_cast<std::uint32_t>(lengths.size());
  auto wanted = options(sequences);
  wanted.page_positions = page_positions;
  Bench bench("bench", chip(), tests::compile_all(model_, chip(), wanted));
  std::vector<std::vector<std::uint32_t>> texts(sequences), chosen;
  for (std::uint32_t s = 0; s < sequences; ++s) {
    for (std::size_t i = 0; i < lengths[s] + steps; ++i)
      texts[s].push_back(text_[(5 * s + i) % text_.size()]);
    bench.put(bench.program.header.token_ids + s * (64 + 1ull) * 4, texts[s]);
  }
  bench.script = [&] {
    for (std::uint32_t s = 0; s < sequences; ++s)
      for (std::uint64_t done = 0; done < lengths[s];) {
        const auto next = std::min<std::uint64_t>(lengths[s] - done, bench.program.header.max_tokens);
        bench.prefill(s, done, next);
        done += next;
      }
    auto positions = lengths;
    for (std::size_t i = 0; i < steps; ++i) {
      chosen.push_back(bench.step_each(positions));
      for (auto& position : positions) ++position;
    }
  };
  sc_core::sc_start();
  for (std::uint32_t s = 0; s < sequences; ++s) {
    ReferenceExecutor reference(model_, 64);
    for (std::size_t p = 0; p < texts[s].size(); ++p) {
      const auto logits = reference.step(texts[s][p]);
      if (p < lengths[s]) continue;
      EXPECT_EQ(chosen[p - lengths[s]][s], std::max_element(logits.begin(), logits.end()) - logits.begin())
          << "sequence " << s << ", position " << p;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, ContextParts,
    testing::Values(Case{"llama", 4, 4, 1}, Case{"llama", 4, 8, 1}, Case{"llama", 2, 2, 1},
                    Case{"phi3", 2, 4, 1}, Case{"llama-biased", 4, 4, 4}, Case{"llama-scaled", 4, 8, 2},
                    Case{"llama-scaled", 4, 4, 2, 1.5F}, Case{"qwen3", 4, 8, 2}, Case{"qwen2", 4, 4, 2},
                    Case{"phi3-long", 4, 4, 2}, Case{"mixtral", 4, 4, 2}, Case{"qwen3_moe", 4, 4, 2},
                    // More clusters than query heads.
                    Case{"llama-scaled", 8, 8, 4}, Case{"qwen3", 8, 8, 4}, Case{"phi3-long", 8, 8, 4},
                    Case{"mixtral", 8, 8, 4},
                    // Several devices.
                    Case{"llama", 2, 2, 1, 0, 2}, Case{"phi3", 1, 4, 1, 0, 2}, Case{"llama", 1, 1, 1, 0, 3},
                    Case{"llama-scaled", 2, 4, 2, 0, 2}, Case{"llama-scaled", 4, 4, 4, 1.5F, 2},
                    Case{"qwen2", 2, 2, 2, 0, 2}, Case{"qwen3", 4, 4, 4, 0, 2},
                    Case{"phi3-long", 4, 4, 4, 0, 2}, Case{"mixtral", 2, 2, 2, 0, 2}),
    [](const auto& test) {
      std::string name = test.param.model;
      std::replace(name.begin(), name.end(), '-', '_');
      return name + std::to_string(test.param.clusters) + "_" + std::to_string(test.param.ports) +
             (test.param.score_cap > 0 ? "_capped" : "") +
             (test.param.devices > 1 ? "_on" + std::to_string(test.param.devices) : "");
    });

/// A team lies within a device.
TEST(ContextPartsOf, HeadsThatDevicesShareAreRefused) {
  const tests::ScratchFolder folder;
  GoldenModel("llama-biased").write(folder.path());  // one key/value head
  const auto model = load_model(folder.path().string());
  const auto chip = small_pieces(2, 2, 2);
  try {
    make_plan(model.config, chip, {.format = chip::Format::f32, .context = 32, .context_parts = 4});
    FAIL();
  } catch (const CompileError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("4 parts of the context on this chip: expected 1, because"));
    EXPECT_THAT(error.what(), testing::HasSubstr("of one device, with equal parts"));
  }
}

/// Of a large model with more clusters than query heads, on four devices.
TEST(ContextPartsOf, LongSequencesOnSeveralDevicesAreChosen) {
  const auto model = load_model(FORERUN_SOURCE_DIR "/models/zoo/llama-3-70b.yaml", true);
  const auto chip = chip::load("reference-256g", {"devices=4"});
  const auto parts = [&](std::uint32_t context, std::uint32_t sequences) {
    const CompileOptions options{.format = chip::Format::bf16,
                                 .context = context,
                                 .data = false,
                                 .sequences = sequences,
                                 .keep_logits = false};
    return make_plan(model.config, chip, options).cache.parts;
  };
  EXPECT_EQ(parts(8192, 16), 16u);
  EXPECT_EQ(parts(64, 64), 1u) << "more commands than it saves";
}

}  // namespace
