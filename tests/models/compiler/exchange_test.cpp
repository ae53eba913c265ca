// SPDX-License-Identifier: Apache-2.0
// Exchanges between clusters through a multicast window give the same bits as those one by one.
#include "tests/models/compiler/bench.hpp"

using namespace forerun;
using namespace forerun::models;
using tests::Bench;

namespace {

struct Steps {
  std::int64_t ps = 0;       ///< of the steps of one token
  std::uint64_t copies = 0;  ///< that units of windows sent
  std::vector<float> logits;
};

/// In a process of its own, for SystemC elaborates once in each.
Steps run(unsigned clusters, const std::vector<chip::MulticastWindow>& windows) {
  int channel[2];
  EXPECT_EQ(pipe(channel), 0);
  const std::vector<std::uint32_t> text{0, 53, 73, 70, 540, 269, 261, 512, 446, 13};
  const auto model = load_model(FORERUN_SOURCE_DIR "/models/zoo/orator-2m");
  if (fork() == 0) {
    auto chip = tests::chip_with(clusters);
    chip.noc.multicast = windows;
    Bench bench("bench", chip, compile(model, chip, {chip::Format::f16, 64}));
    bench.put(bench.program.header.token_ids, text);
    std::int64_t ps = 0;
    bench.script = [&] {
      bench.step(0, 6, 6);
      const auto begin = sc_core::sc_time_stamp();
      for (std::size_t p = 6; p < text.size(); ++p) bench.step(p, 1, 1);
      ps = static_cast<std::int64_t>((sc_core::sc_time_stamp() - begin).value());
    };
    sc_core::sc_start();
    const auto logits =
        bench.peek<float>(bench.program.header.logits, text.size() * bench.program.header.vocabulary);
    const auto copies = bench.devices.front()->soc.noc.copies.value();
    bool written = !testing::Test::HasFailure() && write(channel[1], &ps, sizeof ps) == sizeof ps &&
                   write(channel[1], &copies, sizeof copies) == sizeof copies;
    const auto* at = reinterpret_cast<const char*>(logits.data());
    for (std::size_t left = logits.size() * 4; written && left > 0;) {
      const auto n = write(channel[1], at, left);
      written = n > 0;
      if (written) at += n, left -= static_cast<std::size_t>(n);
    }
    _exit(written ? 0 : 1);
  }
  close(channel[1]);
  std::vector<char> bytes;
  char part[4096];
  for (ssize_t n; (n = read(channel[0], part, sizeof part)) > 0;) bytes.insert(bytes.end(), part, part + n);
  close(channel[0]);
  Steps steps;
  constexpr auto before = sizeof steps.ps + sizeof steps.copies;
  if (bytes.size() < before) return steps;
  std::memcpy(&steps.ps, bytes.data(), sizeof steps.ps);
  std::memcpy(&steps.copies, bytes.data() + sizeof steps.ps, sizeof steps.copies);
  steps.logits.resize((bytes.size() - before) / 4);
  std::memcpy(steps.logits.data(), bytes.data() + before, steps.logits.size() * 4);
  return steps;
}

void expect_same_bits(const Steps& one_by_one, const Steps& window) {
  ASSERT_GT(one_by_one.logits.size(), 0u);
  EXPECT_EQ(one_by_one.logits, window.logits);
  EXPECT_EQ(one_by_one.copies, 0u);
  EXPECT_GT(window.copies, 0u) << "the window is used";
}

}  // namespace

TEST(Exchange, GivesTheSameBitsThroughAWindowInAboutTheSameTime) {
  const auto one_by_one = run(16, {}), window = run(16, {{"everyone", {}}});
  expect_same_bits(one_by_one, window);
  EXPECT_LT(static_cast<double>(window.ps), 1.02 * static_cast<double>(one_by_one.ps));
  RecordProperty("one_by_one_ps", std::to_string(one_by_one.ps));
  RecordProperty("window_ps", std::to_string(window.ps));
}

TEST(Exchange, GivesTheSameBitsWhereOneClusterIsAhead) {
  expect_same_bits(run(3, {}), run(3, {{"others", {1, 2}}, {"listed", {0, 1, 2}}}));
}
