// SPDX-License-Identifier: Apache-2.0
// One pseudo-channel against closed forms: unloaded latencies, peak, refresh bound and the row-command bound.
#include "ip/hbm/controller.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

using namespace forerun::ip::hbm;

namespace {

/// HBM2, 8 Gb, 2 Gb/s a pin: cycles of 1 ns.
Parameters hbm2(unsigned pseudo_channels = 1) {
  Parameters p;
  p.clock = {1e9};
  p.channels = 1;
  p.pseudo_channels = pseudo_channels;
  p.rows = 65536;
  p.address = plain_masks(p, std::array{Field::channel, Field::pseudo_channel, Field::bank_group, Field::bank,
                                        Field::rank, Field::column, Field::row});
  p.timings = {.RL = 14,
               .WL = 5,
               .nBL = 2,
               .tRCDRD = 14,
               .tRCDWR = 12,
               .tRP = 14,
               .tRAS = 34,
               .tRC = 48,
               .tWR = 16,
               .tRTP = 5,
               .tCCDS = 2,
               .tCCDL = 4,
               .tRRDS = 4,
               .tRRDL = 4,
               .tFAW = 15,
               .tWTRS = 6,
               .tWTRL = 8,
               .tRTW = 13,
               .tREFI = 3900,
               .tRFC = 350,
               .tREFIpb = 122,
               .tRFCpb = 160,
               .act_cycles = 2};
  return p;
}

struct Access {
  Tick when;
  std::uint64_t address;
  bool write = false;
};

/// Runs accesses that are offered at their given cycles; returns when each is done.
std::vector<Tick> run(const Parameters& p, const std::vector<Access>& accesses,
                      ChannelStatistics* statistics = nullptr) {
  Controller controller(p);
  const AddressMap map(p);
  Tick now = 0;
  for (std::uint32_t i = 0; i < accesses.size(); ++i) {
    const auto place = map.place(accesses[i].address);
    controller.offer({i, place.unit(), place.row(), accesses[i].write, false, false}, accesses[i].when);
  }
  while (!controller.idle()) controller.advance(now = controller.next());
  std::vector<Tick> done(accesses.size(), -1);
  for (const auto& c : controller.completions) done[c.owner] = c.done;
  if (statistics != nullptr) *statistics = controller.statistics(now);
  return done;
}

Tick last(const std::vector<Tick>& done) { return *std::max_element(done.begin(), done.end()); }

TEST(HbmController, UnloadedHitAndConflict) {
  auto p = hbm2();
  p.refresh = Refresh::none;
  const std::uint64_t row = 1024 * 16;
  const auto done = run(p, {{0, 0}, {1000, 32 * 16}, {2000, row}});
  EXPECT_EQ(done[1] - 1000, 17) << "hit: RL + BL + 1";
  EXPECT_EQ(done[2] - 2000, 45) << "conflict: tRP + tRCD + RL + BL + 1";
}

TEST(HbmController, RowCommandsInHalfCyclesKeepTheUnloadedLatencies) {
  auto p = hbm2();
  p.refresh = Refresh::none;
  p.timings.half_cycle_rows = true;
  const auto done = run(p, {{0, 0}, {2000, 32 * 16}, {4000, 1024 * 16}});
  EXPECT_EQ(done[1] - 2000, 2 * 17);
  EXPECT_EQ(done[2] - 4000, 2 * 45);
}

double linear_fraction_of_peak(const Parameters& p, unsigned count) {
  std::vector<Access> accesses;
  for (unsigned i = 0; i < count; ++i) accesses.push_back({0, i * 32ull});
  const auto done = run(p, accesses);
  return static_cast<double>(count) * p.timings.nBL / static_cast<double>(last(done)) / p.pseudo_channels;
}

TEST(HbmController, LinearReadsReachThePeakWithoutRefresh) {
  auto p = hbm2();
  p.refresh = Refresh::none;
  const auto fraction = linear_fraction_of_peak(p, 20000);
  EXPECT_GT(fraction, 0.97);
  EXPECT_LE(fraction, 1.0);
}

TEST(HbmController, LinearReadsReachTheRefreshBound) {
  const double bound = 1 - (5.0 + 14 + 350 + 14) / 3900;
  EXPECT_NEAR(linear_fraction_of_peak(hbm2(), 100000), bound, 0.025);
}

TEST(HbmController, RandomReadsAreBoundByTheRowCommandBusOfBothPseudoChannels) {
  auto p = hbm2(2);
  p.refresh = Refresh::none;
  p.queue_depth = 256;
  std::mt19937_64 random(1);
  std::vector<Access> accesses;
  for (unsigned i = 0; i < 20000; ++i) accesses.push_back({0, random() % p.capacity() / 32 * 32});
  ChannelStatistics s;
  const auto cycles = static_cast<double>(last(run(p, accesses, &s)));
  EXPECT_NEAR(20000 / cycles, 1.0 / 3, 0.01) << "each needs two ACT cycles and one PRE cycle";
  const auto of = [&](Limit limit) { return s.limit_cycles[static_cast<std::size_t>(limit)] / s.cycles / 2; };
  EXPECT_GT(of(Limit::row_bus), 0.25) << "and the statistics say so";
  EXPECT_LT(of(Limit::idle) + of(Limit::ccd) + of(Limit::turnaround) + of(Limit::refresh), 0.05);
}

TEST(HbmController, MoreTimeBetweenWritesAndReads) {
  auto p = hbm2();
  p.refresh = Refresh::none;
  const auto done = run(p, {{0, 64}, {1000, 64, true}, {1001, 0}, {500, 0}});
  EXPECT_EQ(done[1] - 1000, 1 + 5 + 2);
  EXPECT_EQ(done[2] - done[1], p.timings.tWTRS + p.timings.RL + 2)
      << "write data end, then tWTR, then the read";
}

TEST(HbmController, CountsWhyTheDataBusWaited) {
  auto p = hbm2();
  p.refresh = Refresh::none;
  ChannelStatistics s;
  run(p, {{0, 0}, {1000, 1024 * 16}}, &s);
  const auto of = [&](Limit limit) { return s.limit_cycles[static_cast<std::size_t>(limit)]; };
  EXPECT_EQ(s.misses, 1u);
  EXPECT_EQ(s.conflicts, 1u);
  EXPECT_EQ(of(Limit::idle), 1000 - (1 + 15 + 2))
      << "between the end of the first burst and the offer of the second";
  EXPECT_EQ(of(Limit::bank), 15 + 13 + 15) << "tRCD; tRP and tRCD";
  EXPECT_EQ(of(Limit::front_end), 2);
}

TEST(HbmController, WaitsForNothingUntilSomethingIsWanted) {
  auto p = hbm2();
  p.refresh = Refresh::none;
  p.queue_depth = 8;
  std::vector<Access> accesses{{0, 0}};
  for (unsigned i = 0; i < 64; ++i) accesses.push_back({1000, i * 64});  // most of them before a full queue
  ChannelStatistics s;
  run(p, accesses, &s);
  EXPECT_EQ(s.limit_cycles[static_cast<std::size_t>(Limit::idle)], 1000 - (1 + 15 + 2));
}

TEST(HbmController, PowerDownAndSelfRefreshCostTheirExit) {
  auto p = hbm2();
  p.timings.tXP = 10, p.timings.tCKE = 5, p.timings.tXS = 200;
  p.power_down_cycles = 100;
  p.self_refresh_cycles = 10000;
  ChannelStatistics s;
  const auto done = run(p, {{0, 0}, {1000, 32 * 16}, {30000, 32 * 16}}, &s);
  EXPECT_EQ(done[1] - 1000, 10 + 17) << "leaves power-down";
  EXPECT_EQ(done[2] - 30000, 200 + 15 + 17) << "leaves self-refresh with all rows closed";
  EXPECT_EQ(s.self_refreshes, 1u);
  EXPECT_GE(s.power_downs, 2u);
  EXPECT_GT(s.self_refresh_cycles, 18000);
  EXPECT_LT(s.refreshes, 4u) << "the DRAM refreshes itself";
}

TEST(HbmController, EnergyIsThatOfTheCommandsAndTheBackground) {
  auto p = hbm2();
  p.refresh = Refresh::none;
  p.energies = {.activate = 1e-9, .read = 2e-9, .write = 3e-9, .standby = 0.5};
  ChannelStatistics s;
  run(p, {{0, 0}, {100, 32 * 16}, {200, 64, true}}, &s);
  EXPECT_NEAR(s.joules, static_cast<double>(s.activates) * 1e-9 + 2 * 2e-9 + 3e-9 + s.cycles * 1e-9 * 0.5,
              1e-15);
}

TEST(HbmAddressMap, IsABijection) {
  Parameters p;
  p.channels = 4;
  p.rows = 2;
  const AddressMap map(p);
  std::set<std::tuple<unsigned, unsigned, std::uint32_t, std::uint32_t>> seen;
  for (std::uint64_t address = 0; address < p.capacity(); address += 32) {
    const auto l = map.locate(address);
    ASSERT_LT(l.channel, 4u);
    ASSERT_LT(l.flat_bank, 32u);
    ASSERT_LT(l.row, 2u);
    ASSERT_LT(l.column, 32u);
    ASSERT_TRUE(seen.emplace(l.channel, l.flat_bank, l.row, l.column).second) << address;
  }
}

}  // namespace
