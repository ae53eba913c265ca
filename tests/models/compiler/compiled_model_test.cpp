// SPDX-License-Identifier: Apache-2.0
// Compiled models on the assembled chip, driven step by step as firmware does it, against the golden
// executor.
#include "tests/models/compiler/bench.hpp"

using namespace forerun;
using namespace forerun::models;
using tests::Bench;
using tests::chip_with;

namespace {

const std::string bundled = FORERUN_SOURCE_DIR "/models/zoo/orator-2m";

const std::vector<std::uint32_t> text{0, 53, 73, 70, 540, 269, 261, 512, 446, 13, 285, 261};

double worst_error(const chip::Chip& chip, chip::Format format, std::size_t prefill) {
  return tests::worst_error(load_model(bundled), chip, {format, 64, true}, text, prefill);
}

}  // namespace

TEST(CompiledModel, OneClusterTokenByToken) {
  EXPECT_LT(worst_error(chip_with(1), chip::Format::f32, 1), 1e-4);
}
TEST(CompiledModel, OneClusterWithPrefill) {
  EXPECT_LT(worst_error(chip_with(1), chip::Format::f32, 8), 1e-4);
}
TEST(CompiledModel, FourClusters) { EXPECT_LT(worst_error(chip_with(4), chip::Format::f32, 8), 1e-4); }
TEST(CompiledModel, SixteenClusters) {
  EXPECT_LT(worst_error(chip_with(16, 32), chip::Format::f32, 5), 1e-4);
}
TEST(CompiledModel, Half) { EXPECT_LT(worst_error(chip_with(3), chip::Format::f16, 5), 0.05); }
TEST(CompiledModel, Bfloat) { EXPECT_LT(worst_error(chip_with(3), chip::Format::bf16, 5), 0.5); }
TEST(CompiledModel, Integer) { EXPECT_LT(worst_error(chip_with(2), chip::Format::i8, 5), 1); }
TEST(CompiledModel, ExchangesByMulticast) {
  auto chip = chip_with(4);
  chip.noc.multicast = {{"some", {1, 2}}, {"everyone", {}}};
  const auto everyone = make_plan(load_model(bundled).config, chip, {chip::Format::f32, 64}).everyone;
  ASSERT_TRUE(everyone);
  EXPECT_EQ(everyone->scratchpads, chip::address_map::multicast(1));
  EXPECT_EQ(everyone->registers, chip::address_map::multicast_registers(1));
  EXPECT_LT(worst_error(chip, chip::Format::f32, 8), 1e-4);
}
TEST(CompiledModel, LaunchesWhatFollowsExchanges) {
  auto chip = chip_with(4);
  chip.clusters.command.launch = {100'000};
  EXPECT_LT(worst_error(chip, chip::Format::f32, 8), 1e-4);
  EXPECT_THROW(make_plan(load_model(bundled).config, chip,
                         {.format = chip::Format::f32, .context = 64, .keep_logits = false, .row_groups = 2}),
               CompileError);
}
TEST(CompiledModel, LooseTiming) {
  auto chip = chip_with(4);
  chip.timing = chip::Timing::loose;
  EXPECT_LT(worst_error(chip, chip::Format::f32, 8), 1e-4);
}
TEST(CompiledModel, SmallScratchpad) {
  auto chip = chip_with(2, 16);
  chip.clusters.scratchpad.size = {96 << 10};
  EXPECT_LT(worst_error(chip, chip::Format::f32, 1), 1e-4);
}

TEST(CompiledModel, SamplesFromTheSoftmaxWithItsSeed) {
  const auto model = load_model(bundled);
  const auto chip = chip_with(2);
  Bench bench("bench", chip, compile(model, chip, {chip::Format::f32, 64, true}));
  bench.put(bench.program.header.token_ids, text);
  std::vector<std::uint32_t> chosen, again;
  std::uint32_t cold = 0, greedy = 0;
  bench.script = [&] {
    greedy = bench.step(0, 6, 1);
    for (std::uint64_t seed = 0; seed < 12; ++seed)
      chosen.push_back(bench.step(0, 6, 1, true, 1.0F, seed << 31));
    for (std::uint64_t seed = 0; seed < 12; ++seed)
      again.push_back(bench.step(0, 6, 1, true, 1.0F, seed << 31));
    cold = bench.step(0, 6, 1, true, 1e-4F, 7);
  };
  sc_core::sc_start();
  EXPECT_EQ(chosen, again) << "the same seed gives the same token";
  EXPECT_GT(std::set<std::uint32_t>(chosen.begin(), chosen.end()).size(), 3u) << "seeds differ";
  EXPECT_EQ(cold, greedy) << "at a temperature near 0 the largest logit wins";
}

TEST(CompiledModel, TakesTheSameTimeWithoutData) {
  const auto model = load_model(bundled);
  std::int64_t ended = 0;
  static std::int64_t with_data = -1;
  for (const bool data : {true, false}) {
    // SystemC elaborates once a process: the first run happens in a child.
    int channel[2];
    ASSERT_EQ(pipe(channel), 0);
    const auto run = [&] {
      auto chip = chip_with(4);
      chip.data = data ? chip::Data::real : chip::Data::none;
      Bench bench("bench", chip, compile(model, chip, {chip::Format::f16, 64, data}));
      bench.put(bench.program.header.token_ids, text);
      bench.script = [&] {
        bench.step(0, 9, 1);
        bench.step(9, 1, 1);
        ended = static_cast<std::int64_t>(sc_core::sc_time_stamp().value());
      };
      sc_core::sc_start();
    };
    if (data) {
      if (fork() == 0) {
        run();
        if (write(channel[1], &ended, sizeof ended) != sizeof ended) _exit(1);
        _exit(0);
      }
      ASSERT_EQ(read(channel[0], &with_data, sizeof with_data), static_cast<ssize_t>(sizeof with_data));
    } else {
      run();
    }
  }
  EXPECT_GT(with_data, 0);
  EXPECT_EQ(ended, with_data);
}
