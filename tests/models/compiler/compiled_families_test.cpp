// SPDX-License-Identifier: Apache-2.0
// A small model of each family on the chip, against the golden executor (which is held to PyTorch's results).
#include <gmock/gmock.h>

#include "tests/models/compiler/bench.hpp"
#include "tests/models/support/model_files.hpp"

using namespace forerun;
using namespace forerun::models;
using tests::Bench;
using tests::chip_with;
using tests::GoldenModel;

namespace {

Model load(const GoldenModel& golden, const tests::ScratchFolder& folder) {
  golden.write(folder.path());
  return load_model(folder.path().string());
}

class CompiledFamily : public testing::TestWithParam<const char*> {
 protected:
  CompiledFamily() : golden_(GetParam()), model_(load(golden_, folder_)) {}
  std::uint32_t context() const { return std::min(model_.config.max_positions, 64u); }
  double error(const chip::Chip& chip, chip::Format format, std::size_t prefill) const {
    return tests::worst_error(model_, chip, {format, context(), true}, golden_.ids, prefill);
  }
  tests::ScratchFolder folder_;
  GoldenModel golden_;
  Model model_;
};

TEST_P(CompiledFamily, OnThreeClusters) { EXPECT_LT(error(chip_with(3), chip::Format::f32, 5), 1e-4); }
TEST_P(CompiledFamily, AloneTokenByToken) { EXPECT_LT(error(chip_with(1), chip::Format::f32, 1), 1e-4); }
/// The least scratchpad that steps of three tokens fit into: the cache goes through it in tiles of few
/// positions, of which windows leave some out.
TEST_P(CompiledFamily, InTheLeastScratchpad) {
  auto chip = chip_with(2, 16);
  chip.hbm.ports = 2;  // one a cluster: a slot may be smallest where a tile lies behind one port
  // Scratchpads come in steps of 4 KiB: of steps of some tokens, one leaves the least room for a tile of the
  // cache.
  std::uint32_t tile = 0, tokens = 0;
  Bytes least{};
  for (std::uint32_t most = 2; most <= 5; ++most) {
    std::uint32_t fits = 0;
    for (std::uint64_t size = 4096; fits == 0 && size < 1u << 20; size += 4096) {
      chip.clusters.scratchpad.size = {size};
      try {
        const auto plan = make_plan(model_.config, chip,
                                    {.format = chip::Format::f32, .context = context(), .max_tokens = most});
        if (plan.max_tokens == most) fits = plan.cache_tile;
      } catch (const CompileError&) {
      }
    }
    if (fits == 0 || (tile != 0 && fits >= tile)) continue;
    tile = fits, tokens = most, least = chip.clusters.scratchpad.size;
  }
  chip.clusters.scratchpad.size = least;
  EXPECT_GT(tile, 0u);
  const bool skips = GetParam() == std::string("mistral") || GetParam() == std::string("gemma2");
  EXPECT_LE(tile, skips ? 5u : 21u) << "positions";
  const CompileOptions options{chip::Format::f32, context(), true, tokens};
  EXPECT_LT(tests::worst_error(model_, chip, options, golden_.ids, tokens), 1e-4);
}
TEST_P(CompiledFamily, Integer) {
  if (model_.config.experts.count != 0 || model_.config.is_latent()) {
    EXPECT_THROW(compile(model_, chip_with(2), {chip::Format::i8, context(), true}), CompileError);
    return;
  }
  EXPECT_LT(error(chip_with(2), chip::Format::i8, 5), 1);
}

/// Sequences of a step take experts of their own, have their own cache and their own distances.
TEST_P(CompiledFamily, SequencesAreIndependent) {
  constexpr std::uint32_t sequences = 3;
  Bench bench("bench", chip_with(2),
              compile(model_, chip_with(2),
                      {.format = chip::Format::f32, .context = context(), .sequences = sequences}));
  std::vector<std::vector<std::uint32_t>> texts(sequences), chosen;
  for (std::uint32_t s = 0; s < sequences; ++s)
    for (std::size_t i = 0; i < 6; ++i) texts[s].push_back(golden_.ids[(2 * s + i) % golden_.ids.size()]);
  for (std::uint32_t s = 0; s < sequences; ++s)
    bench.put(bench.program.header.token_ids + s * (context() + 1ull) * 4, texts[s]);
  bench.script = [&] {
    for (std::uint64_t p = 0; p < texts[0].size(); ++p) chosen.push_back(bench.step_all(p, sequences));
  };
  sc_core::sc_start();
  for (std::uint32_t s = 0; s < sequences; ++s) {
    ReferenceExecutor reference(model_, context());
    for (std::size_t p = 0; p < texts[s].size(); ++p) {
      const auto logits = reference.step(texts[s][p]);
      EXPECT_EQ(chosen[p][s], std::max_element(logits.begin(), logits.end()) - logits.begin())
          << "sequence " << s << ", position " << p;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, CompiledFamily,
                         testing::Values("llama", "llama-scaled", "llama-biased", "llama-wide", "mistral",
                                         "qwen2", "qwen2-yarn", "qwen3", "gemma", "gemma2", "phi3",
                                         "phi3-long", "gpt2", "opt", "bloom", "mixtral", "qwen3_moe",
                                         "deepseek_v2", "deepseek_v3"),
                         [](const auto& test) {
                           std::string name = test.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Refused, NamesWhatIsLacking) {
  const tests::ScratchFolder folder;
  auto model = load(GoldenModel("llama"), folder);
  model.config.value_dim = model.config.head_dim / 2;
  try {
    compile(model, chip_with(2), {chip::Format::f32, 16, true});
    ADD_FAILURE() << "compiled";
  } catch (const CompileError& e) {
    EXPECT_THAT(e.what(),
                testing::HasSubstr("(llama) cannot be compiled yet; the compiler has no commands for: "
                                   "values of another size than keys"));
  }
}

TEST(Refused, ShapesWithoutWeights) {
  const auto model = load_model(FORERUN_SOURCE_DIR "/models/zoo/llama-3.2-1b.yaml");
  const auto chip = chip_with(16);
  EXPECT_THROW(compile(model, chip, {chip::Format::f16, 64, true}), CompileError);
  EXPECT_GT(compile(model, chip, {chip::Format::f16, 64, false}).segments.size(), 3u);
}

}  // namespace
