// SPDX-License-Identifier: Apache-2.0
// Matrix products on the assembled chip whose clusters share A through a multicast window.
#include "models/compiler/gemm.hpp"
#include "tests/models/compiler/bench.hpp"

using namespace forerun;
using namespace forerun::models;
using tests::Bench;

namespace {

struct Work {
  const char* name;
  GemmShape shape;
  chip::Format format;
  std::uint64_t scratchpad = 4 << 20;
  unsigned clusters = 16;
  chip::NocTopology topology = chip::NocTopology::mesh;
  chip::NocModel model = chip::NocModel::packet;
  chip::Timing timing = chip::Timing::approximate;
};
void PrintTo(const Work& work, std::ostream* out) { *out << work.name; }

chip::Chip chip_for(const Work& work, bool window) {
  chip::Chip chip;
  chip.clusters.count = work.clusters;
  chip.clusters.scratchpad.size = {work.scratchpad};
  chip.noc.topology = work.topology;
  chip.noc.model = work.model;
  chip.timing = work.timing;
  if (window) chip.noc.multicast = {{"everyone", {}}};
  return chip;
}

struct Outcome {
  std::int64_t ps = 0;
  std::uint64_t memory_bytes = 0;
};

Outcome run(const Work& work, bool window) {
  const auto chip = chip_for(work, window);
  const Gemm gemm(work.shape, chip, work.format);
  EXPECT_EQ(gemm.plan().shared, window);
  Bench bench("bench", chip, gemm.program(true));
  Outcome outcome;
  bench.script = [&] {
    for (unsigned again = 0; again < 2; ++again) {  // semaphores end as they began
      const auto begin = sc_core::sc_time_stamp();
      bench.run(std::vector<std::int64_t>(FR_PARAMETERS));
      outcome.ps = static_cast<std::int64_t>((sc_core::sc_time_stamp() - begin).value());
    }
  };
  sc_core::sc_start();
  const auto verdict = gemm.verify(bench.peek<std::uint8_t>(gemm.result(), gemm.result_bytes()));
  EXPECT_TRUE(verdict.right) << verdict.text;
  for (const auto& cluster : bench.devices.front()->soc.clusters)
    outcome.memory_bytes += cluster->load.bytes_moved.value();
  return outcome;
}

class SharedGemm : public testing::TestWithParam<Work> {};
INSTANTIATE_TEST_SUITE_P(
    Shapes, SharedGemm,
    testing::Values(
        Work{"slices_of_one_block", {150, 600, 528, 1}, chip::Format::bf16},
        Work{"blocks_with_a_rest", {150, 1000, 528, 1}, chip::Format::f16, 64 << 10},
        Work{"fewer_rows_than_clusters", {7, 3000, 256, 1}, chip::Format::f32},
        Work{"b_that_stays", {300, 500, 480, 1}, chip::Format::f16, 128 << 10},
        Work{"b_turned_around", {600, 256, 256, 1}, chip::Format::bf16, 192 << 10},
        Work{"crossbar", {150, 600, 528, 1}, chip::Format::f32, 4 << 20, 16, chip::NocTopology::crossbar},
        Work{"flit",
             {70, 300, 256, 1},
             chip::Format::bf16,
             4 << 20,
             16,
             chip::NocTopology::mesh,
             chip::NocModel::flit},
        Work{"loose",
             {150, 600, 528, 1},
             chip::Format::bf16,
             4 << 20,
             16,
             chip::NocTopology::mesh,
             chip::NocModel::packet,
             chip::Timing::loose}),
    [](const auto& work) { return std::string(work.param.name); });

TEST_P(SharedGemm, IsTheGoldenProduct) { run(GetParam(), true); }

}  // namespace

TEST(SharedGemmCost, MovesAOnceAndIsFaster) {
  const Work work{"", {256, 1024, 2048, 1}, chip::Format::bf16};
  Outcome outcome[2];
  for (const bool window : {false, true}) {
    // SystemC elaborates once a process.
    int channel[2];
    ASSERT_EQ(pipe(channel), 0);
    if (fork() == 0) {
      const auto o = run(work, window);
      if (HasFailure() || write(channel[1], &o, sizeof o) != sizeof o) _exit(1);
      _exit(0);
    }
    close(channel[1]);
    ASSERT_EQ(read(channel[0], &outcome[window], sizeof(Outcome)), static_cast<ssize_t>(sizeof(Outcome)));
  }
  const std::uint64_t a = 256 * 1024 * 2, b = 1024 * 2048 * 2;
  EXPECT_EQ(outcome[0].memory_bytes, 2 * (16 * a + b));
  EXPECT_EQ(outcome[1].memory_bytes, 2 * (a + b));
  EXPECT_LT(outcome[1].ps, outcome[0].ps * 8 / 10);
}
