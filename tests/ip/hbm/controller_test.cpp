// SPDX-License-Identifier: Apache-2.0
// One pseudo-channel against closed forms: unloaded latencies, peak, refresh bound and the row-command bound.
#include "ip/hbm/controller.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

using namespace forerun::ip::hbm;

namespace {

/// HBM2, 8 Gb, 2 Gb/s a pin: cycles of 1 ns.
Parameters hbm2() {
  Parameters p;
  p.clock = {1e9};
  p.channels = p.pseudo_channels = 1;
  p.bank_groups = p.banks_per_group = 4;
  p.rows = 65536;
  p.interleave = {32};
  p.address = plain_masks(p, std::array{Field::channel, Field::pseudo_channel, Field::bank_group, Field::bank, Field::rank,
                                        Field::column, Field::row});
  p.timings = {.RL = 14, .WL = 5, .nBL = 2, .tRCDRD = 14, .tRCDWR = 12, .tRP = 14, .tRAS = 34, .tRC = 48, .tWR = 16,
               .tRTP = 5, .tCCDS = 2, .tCCDL = 4, .tRRDS = 4, .tRRDL = 4, .tFAW = 15, .tWTRS = 6, .tWTRL = 8, .tRTW = 13,
               .tREFI = 3900, .tRFC = 350, .act_cycles = 2};
  return p;
}

/// Runs bursts that all arrive at their given cycles; returns the completion cycles in the order of the owners.
std::vector<std::int64_t> run(const Parameters& p, const std::vector<Burst>& bursts) {
  Controller controller(p);
  std::vector<Controller::Completion> completions;
  for (const auto& burst : bursts) controller.add(burst);
  std::int64_t now = 0;
  while (now >= 0) now = controller.advance(now, completions);
  std::vector<std::int64_t> done(bursts.size(), -1);
  for (const auto& c : completions) done[c.owner] = c.done;
  return done;
}

Burst read_at(const Parameters& p, std::uint64_t owner, std::int64_t when, std::uint64_t address) {
  auto at = AddressMap(p).locate(address);
  at.bank = at.flat_bank;
  return {owner, when, at, false, false};
}

TEST(HbmController, UnloadedHitAndConflict) {
  auto p = hbm2();
  p.refresh = Refresh::none;
  const std::uint64_t row = 1024 * 16;
  const auto done = run(p, {read_at(p, 0, 0, 0), read_at(p, 1, 1000, 32 * 16), read_at(p, 2, 2000, row)});
  EXPECT_EQ(done[1] - 1000, 17) << "hit: RL + BL + 1";
  EXPECT_EQ(done[2] - 2000, 45) << "conflict: tRP + tRCD + RL + BL + 1";
}

double linear_fraction_of_peak(const Parameters& p, unsigned count) {
  std::vector<Burst> bursts;
  for (unsigned i = 0; i < count; ++i) bursts.push_back(read_at(p, i, 0, i * 32ull));
  const auto done = run(p, bursts);
  return static_cast<double>(count) * p.timings.nBL / static_cast<double>(*std::max_element(done.begin(), done.end()));
}

TEST(HbmController, LinearReadsReachThePeakWithoutRefresh) {
  auto p = hbm2();
  p.refresh = Refresh::none;
  const auto fraction = linear_fraction_of_peak(p, 20000);
  EXPECT_GT(fraction, 0.99);
  EXPECT_LE(fraction, 1.0);
}

TEST(HbmController, LinearReadsReachTheRefreshBound) {
  const auto p = hbm2();
  const double bound = 1 - (5.0 + 14 + 350 + 14) / 3900;
  EXPECT_NEAR(linear_fraction_of_peak(p, 100000), bound, 0.01);
}

TEST(HbmController, RandomReadsAreBoundByTheRowCommandBus) {
  auto p = hbm2();
  p.refresh = Refresh::none;
  std::mt19937_64 random(1);
  std::vector<Burst> bursts;
  for (unsigned i = 0; i < 20000; ++i) bursts.push_back(read_at(p, i, 0, random() % p.capacity() / 32 * 32));
  const auto done = run(p, bursts);
  const auto cycles = static_cast<double>(*std::max_element(done.begin(), done.end()));
  EXPECT_LE(20000 / cycles, 1.0 / 3 + 0.01) << "each needs two ACT cycles and one PRE cycle";
  EXPECT_GT(20000 / cycles, 0.20);
}

TEST(HbmController, MoreTimeBetweenWritesAndReads) {
  auto p = hbm2();
  p.refresh = Refresh::none;
  auto write = read_at(p, 0, 1000, 64);
  write.write = true;
  const auto done = run(p, {read_at(p, 2, 0, 0), write, read_at(p, 1, 1000, 64)});
  EXPECT_GE(done[1] - done[0], p.timings.tWTRS + p.timings.RL) << "write data end, then tWTR, then the read latency";
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
