// SPDX-License-Identifier: Apache-2.0
// The application that shares operands and sums through the windows of the network, on the chip's own CPU.
#include <gmock/gmock.h>

#include "tests/firmware/bench.hpp"

using namespace forerun;
using testing::HasSubstr;

namespace {

chip::Chip chip_with_windows() {
  auto chip = small_chip();
  chip.clusters.count = 6;
  chip.noc.multicast = {{"other", {0}}, {"everyone", {}}};
  chip.noc.reduction = {{.name = "total", .clusters = {}, .target = 0}};
  return chip;
}

class Share : public testing::TestWithParam<chip::Timing> {};
INSTANTIATE_TEST_SUITE_P(Timings, Share, testing::Values(chip::Timing::approximate, chip::Timing::loose),
                         [](const auto& timing) {
                           return timing.param == chip::Timing::loose ? "loose" : "approximate";
                         });

TEST_P(Share, ReachesEveryClusterAndAddsUp) {
  auto chip = chip_with_windows();
  chip.timing = GetParam();
  Computer computer("computer", "share.elf", chip);
  sc_core::sc_start(10, sc_core::SC_MS);
  EXPECT_EQ(computer.exit_code, 0) << computer.log;
  EXPECT_THAT(computer.log, HasSubstr("1024 bytes to 6 clusters: "));
  EXPECT_THAT(computer.log, HasSubstr("all operands and sums are right\r\n"));
  EXPECT_EQ(computer.soc.noc.copies.value() > 0, chip.timing == chip::Timing::approximate);
}

TEST(ShareElsewhere, SaysWhichWindowsAreMissing) {
  Computer computer("computer", "share.elf");
  sc_core::sc_start(10, sc_core::SC_MS);
  EXPECT_EQ(computer.exit_code, 1);
  EXPECT_THAT(computer.log, HasSubstr("this chip has no windows 'everyone' and 'total'"));
}

TEST(ShareElsewhere, RunsInTheSimulatorsProcessToo) {
  Bench bench("bench", forerun_share_main, chip_with_windows());
  sc_core::sc_start(10, sc_core::SC_MS);
  EXPECT_EQ(bench.exit_code, 0) << bench.log;
  EXPECT_THAT(bench.log, HasSubstr("all operands and sums are right"));
}

TEST(Hello, ListsTheWindowsOfTheNetwork) {
  Computer computer("computer", "hello.elf", chip_with_windows());
  sc_core::sc_start(10, sc_core::SC_MS);
  EXPECT_EQ(computer.exit_code, 0);
  EXPECT_THAT(computer.log, HasSubstr("  multicast everyone at 0x5010000000, 64 KiB\r\n"
                                      "  reduction total at 0x6000000000, 64 KiB\r\n"));
}

}  // namespace
