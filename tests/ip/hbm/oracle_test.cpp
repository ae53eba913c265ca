// SPDX-License-Identifier: Apache-2.0
// The controller against the plain tick-by-tick scheduler of oracle.hpp: equal to the tick, for all
// schedulers, queues, page policies and refresh modes, on random traffic.
#include "tests/ip/hbm/oracle.hpp"

#include <gtest/gtest.h>

#include <random>
#include <sstream>

using namespace forerun::ip::hbm;

namespace {

Parameters random_parameters(std::mt19937_64& random) {
  const auto pick = [&](auto... values) {
    const std::common_type_t<decltype(values)...> list[] = {values...};
    return list[random() % sizeof...(values)];
  };
  Parameters p;
  p.channels = 1;
  p.pseudo_channels = pick(1u, 2u);
  p.ranks = pick(1u, 1u, 2u);
  p.bank_groups = pick(2u, 4u);
  p.banks_per_group = pick(2u, 4u);
  p.rows = 64;
  p.separate_buses = random() % 4 != 0;
  p.scheduler = pick(Scheduler::fr_fcfs, Scheduler::fr_fcfs, Scheduler::fr_fcfs_grouped, Scheduler::fcfs);
  p.queues = pick(Queues::shared, Queues::per_bank, Queues::read_write, Queues::read_write);
  p.queue_depth = pick(2u, 5u, 16u, 64u);
  p.write_high_percent = pick(0u, 60u, 80u);
  p.starvation_cycles = pick(0u, 0u, 100u, 400u);
  p.page_policy = pick(PagePolicy::open, PagePolicy::open, PagePolicy::closed, PagePolicy::adaptive);
  p.adaptive_idle_cycles = pick(0u, 20u, 100u);
  p.refresh = pick(Refresh::none, Refresh::all_bank, Refresh::all_bank, Refresh::per_bank);
  p.refresh_postpone = pick(0u, 0u, 2u);
  p.refresh_management = random() % 4 == 0;
  p.front_end = pick(1u, 1u, 3u);
  p.keep_open = pick(KeepOpen::none, KeepOpen::older, KeepOpen::all);
  p.refresh_order = pick(RefreshOrder::together, RefreshOrder::spread);
  p.row_order = pick(RowOrder::oldest_ready, RowOrder::first_over);
  p.opened_leaves_queue = random() % 2 == 0;
  auto& t = p.timings;
  t.half_cycle_rows = p.separate_buses && random() % 3 == 0;
  t.tPPD = pick(0u, 2u);
  t.act_cycles = t.half_cycle_rows ? 2 : pick(1u, 2u);
  t.column_cycles = pick(1u, 1u, 2u);
  t.nBL = pick(2u, 4u);
  t.tCCDS = t.nBL;
  t.tREFI = pick(700u, 1500u), t.tRFC = 120;
  t.tREFIpb = t.tREFI / (p.ranks * p.bank_groups * p.banks_per_group * pick(1u, p.pseudo_channels)),
  t.tRFCpb = 60;
  t.tRFM = 60, t.RAAIMT = 12, t.RAAMMT = pick(0u, 24u);
  t.tFAW = pick(15u, 30u);
  p.power_down_cycles = pick(0u, 0u, 12u, 60u);
  p.self_refresh_cycles = pick(0u, 0u, 150u, 900u);
  t.tXP = pick(3u, 13u), t.tCKE = pick(3u, 40u), t.tXS = pick(130u, 300u);
  return p;
}

struct Offer {
  Burst burst;
  Tick when;
};

std::vector<Offer> random_traffic(std::mt19937_64& random, const Parameters& p, unsigned per_cycle,
                                  unsigned bursts) {
  const auto banks = p.pseudo_channels * p.ranks * p.bank_groups * p.banks_per_group;
  std::vector<Offer> offers;
  Tick now = 0;
  const bool linear = random() % 2 == 0;
  const unsigned gap = static_cast<unsigned>(random() % 8), rows = 1 + static_cast<unsigned>(random() % 6);
  const unsigned writes = static_cast<unsigned>(random() % 100);
  while (offers.size() < bursts) {
    const auto size = 1 + random() % 40;  // a request
    const bool write = random() % 100 < writes;
    auto bank = static_cast<unsigned>(random() % banks);
    auto row = static_cast<std::uint32_t>(random() % rows);
    for (std::uint64_t i = 0; i < size; ++i) {
      offers.push_back({{static_cast<std::uint32_t>(offers.size()), bank, row, write, false, false}, now});
      if (linear)
        bank = (bank + 1) % banks;
      else
        bank = static_cast<unsigned>(random() % banks), row = static_cast<std::uint32_t>(random() % rows);
    }
    now += static_cast<Tick>(random() % (1 + size * gap)) * per_cycle;
    if (random() % 50 == 0) now += static_cast<Tick>(random() % 4000) * per_cycle;  // a pause
  }
  return offers;
}

void compare(std::uint64_t seed, bool hop) {
  std::mt19937_64 random(seed);
  const auto p = random_parameters(random);
  Controller controller(p);
  Oracle oracle(p);
  const auto offers = random_traffic(random, p, static_cast<unsigned>(controller.ticks_per_cycle()), 1500);
  std::size_t next = 0;
  Tick now = 0;
  for (; next < offers.size() || !oracle.empty(); ++now) {
    ASSERT_LT(now, 400000) << "seed " << seed << ": bursts are left behind";
    for (auto i = next; i < offers.size() && offers[i].when <= now; ++i)
      oracle.offer(offers[i].burst, offers[i].when);
    while (next < offers.size() && offers[next].when <= now) {
      controller.offer(offers[next].burst,
                       offers[next].when);  // may come long before the controller gets there
      ++next;
    }
    oracle.tick(now);
    if (!hop || random() % 40 == 0) controller.advance(now);
  }
  for (const auto end = now + static_cast<Tick>(random() % 6000); now < end; ++now)
    oracle.tick(now);  // a pause at the end
  controller.advance(--now);
  oracle.finish(now);
  std::size_t i = 0;
  for (const auto& c : controller.completions) {
    i += c.bursts;
    ASSERT_LE(i, oracle.done.size()) << "seed " << seed;
    ASSERT_EQ(c.owner, oracle.done[i - 1].owner)
        << "seed " << seed << ", burst " << i - 1 << " of those served, due at " << oracle.done[i - 1].when
        << ", here " << c.done;
    ASSERT_EQ(c.done, oracle.done[i - 1].when)
        << "seed " << seed << ", burst " << i - 1 << " of those served";
  }
  ASSERT_EQ(i, oracle.done.size()) << "seed " << seed;
  const auto s = controller.statistics(now);
  EXPECT_EQ(s.reads, oracle.counts.reads);
  EXPECT_EQ(s.writes, oracle.counts.writes);
  EXPECT_EQ(s.hits, oracle.counts.hits);
  EXPECT_EQ(s.misses, oracle.counts.misses);
  EXPECT_EQ(s.conflicts, oracle.counts.conflicts);
  EXPECT_EQ(s.activates, oracle.counts.activates);
  EXPECT_EQ(s.refreshes, oracle.counts.refreshes);
  EXPECT_EQ(s.bank_refreshes, oracle.counts.bank_refreshes);
  EXPECT_EQ(s.managements, oracle.counts.managements);
  EXPECT_EQ(s.power_downs, oracle.counts.power_downs) << "seed " << seed;
  EXPECT_EQ(s.self_refreshes, oracle.counts.self_refreshes) << "seed " << seed;
  EXPECT_EQ(s.power_down_cycles, oracle.counts.power_down_cycles) << "seed " << seed;
  EXPECT_EQ(s.self_refresh_cycles, oracle.counts.self_refresh_cycles) << "seed " << seed;
  double sum = 0;
  for (const auto cycles : s.limit_cycles) {
    EXPECT_GE(cycles, 0);
    sum += cycles;
  }
  EXPECT_DOUBLE_EQ(sum, s.cycles * p.pseudo_channels)
      << "seed " << seed << ": what the data buses did adds up to the time";
}

TEST(HbmOracle, EveryBurstAtTheSameTickAskedAtEachTick) {
  for (std::uint64_t seed = 1; seed <= 60 && !testing::Test::HasFatalFailure(); ++seed) compare(seed, false);
}

TEST(HbmOracle, EveryBurstAtTheSameTickAskedNowAndThen) {
  for (std::uint64_t seed = 1001; seed <= 1060 && !testing::Test::HasFatalFailure(); ++seed)
    compare(seed, true);
}

/// Requests of many bursts, as a DMA sends them: with runs and burst by burst.
TEST(HbmOracle, RunsChangeNoTick) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    std::mt19937_64 random(seed);
    auto p = random_parameters(random);
    p.rows = 1024;
    p.scheduler = seed % 2 == 0 ? Scheduler::fr_fcfs : Scheduler::fr_fcfs_grouped;
    if (seed % 4 != 0)
      p.page_policy = PagePolicy::open, p.queues = Queues::read_write, p.separate_buses = true,
      p.starvation_cycles = 0;
    if (!p.separate_buses) p.timings.half_cycle_rows = false;
    Controller fast(p), plain(p, false);
    const auto banks = p.pseudo_channels * p.ranks * p.bank_groups * p.banks_per_group;
    Tick now = 0;
    std::uint32_t owner = 0;
    std::uint64_t position = random() % 4096;
    for (unsigned request = 0; request < 60; ++request, ++owner) {
      if (random() % 8 == 0) position = random() % 4096;
      const bool write = random() % 6 == 0;
      const auto size = random() % 3 == 0 ? 1 : 1 + random() % 256;
      for (std::uint64_t i = 0; i < size; ++i, ++position) {
        const Burst burst{owner,
                          static_cast<unsigned>(position % banks),
                          static_cast<std::uint32_t>(position / banks / 8),
                          write,
                          false,
                          false};
        fast.offer(burst, now);
        plain.offer(burst, now);
      }
      now += static_cast<Tick>(random() % 600);
      plain.advance(now);
      if (random() % 3 == 0) fast.advance(now);
    }
    for (Tick end = now + 2000; !plain.idle() && now < 400000; now = end, end += 2000) plain.advance(end);
    fast.advance(now);
    std::map<std::uint32_t, std::pair<std::uint64_t, Tick>> ends[2];
    for (const auto* c : {&fast, &plain})
      for (const auto& completion : c->completions) {
        auto& end = ends[c == &plain][completion.owner];
        end.first += completion.bursts;
        end.second = std::max(end.second, completion.done);
      }
    ASSERT_EQ(ends[0], ends[1]) << "seed " << seed;
    const auto a = fast.statistics(now), b = plain.statistics(now);
    EXPECT_EQ(a.hits, b.hits) << "seed " << seed;
    EXPECT_EQ(a.limit_cycles, b.limit_cycles) << "seed " << seed;
    EXPECT_DOUBLE_EQ(a.queue_cycles, b.queue_cycles) << "seed " << seed;
  }
}

/// Blocks of consecutive addresses, as long streams of large requests make them: streams against burst by
/// burst.
TEST(HbmOracle, StreamsChangeNoTick) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    std::mt19937_64 random(seed);
    auto p = random_parameters(random);
    p.rows = 1024;
    p.ranks = 1;
    p.page_policy = PagePolicy::open, p.separate_buses = true, p.starvation_cycles = 0;
    p.queues = seed % 3 == 0 ? Queues::shared : Queues::read_write;
    p.scheduler = seed % 2 == 0 ? Scheduler::fr_fcfs : Scheduler::fr_fcfs_grouped;
    p.refresh_management = false;
    p.queue_depth = 16u << random() % 3;
    p.timings.column_cycles = 1;
    p.row_bytes.count = 1024;
    using F = Field;
    const std::array orders = {
        std::array{F::pseudo_channel, F::bank_group, F::bank, F::rank, F::column, F::row, F::channel},
        std::array{F::pseudo_channel, F::bank_group, F::column, F::bank, F::rank, F::row, F::channel},
        std::array{F::bank_group, F::pseudo_channel, F::column, F::bank, F::rank, F::row, F::channel},
        std::array{F::column, F::pseudo_channel, F::bank_group, F::bank, F::rank, F::row, F::channel}};
    p.address = plain_masks(p, orders[random() % orders.size()]);
    const AddressMap map(p);
    const std::size_t size = 16u << random() % 4;  // bursts of a block
    std::vector<AddressMap::Place> block;
    for (std::size_t i = 0; i < size; ++i) block.push_back(map.place(i * p.burst_bytes.count));
    Controller fast(p), plain(p, false);
    fast.set_block(block), plain.set_block(block);
    Tick now = 0;
    std::uint64_t position = 0;
    const unsigned writes = random() % 2 == 0 ? 0 : static_cast<unsigned>(random() % 30);
    const auto share = 1 + random() % 8;
    for (std::uint32_t owner = 0; owner < 150; ++owner, ++position) {
      if (random() % 32 == 0) position = random() % 512;
      const auto cut = random() % 16 == 0 ? random() % size : 0;  // a block that is not whole
      const BurstBlock burst{owner, map.place(position * size * p.burst_bytes.count),
                             static_cast<std::uint16_t>(cut), static_cast<std::uint16_t>(size),
                             random() % 100 < writes};
      const auto offered = now + static_cast<Tick>(random() % 3 == 0 ? random() % 100 : 0);
      fast.offer(burst, offered);
      plain.offer(burst, offered);
      if (random() % share != 0) continue;
      now += static_cast<Tick>(random() % (2 * size));
      plain.advance(now);
      if (random() % 3 != 0) continue;
      fast.advance(now);
      const auto a = fast.statistics(now), b = plain.statistics(now);
      ASSERT_EQ(a.limit_cycles, b.limit_cycles) << "seed " << seed << " at " << now;
      ASSERT_DOUBLE_EQ(a.queue_cycles, b.queue_cycles) << "seed " << seed << " at " << now;
    }
    for (Tick end = now + 2000; !plain.idle() && now < 400000; now = end, end += 2000) plain.advance(end);
    fast.advance(now);
    std::map<std::uint32_t, std::pair<std::uint64_t, Tick>> ends[2];
    for (const auto* c : {&fast, &plain})
      for (const auto& completion : c->completions) {
        auto& end = ends[c == &plain][completion.owner];
        end.first += completion.bursts;
        end.second = std::max(end.second, completion.done);
      }
    ASSERT_EQ(ends[0], ends[1]) << "seed " << seed;
    const auto a = fast.statistics(now), b = plain.statistics(now);
    ASSERT_EQ(a.hits, b.hits) << "seed " << seed;
    ASSERT_EQ(a.activates, b.activates) << "seed " << seed;
    ASSERT_EQ(a.limit_cycles, b.limit_cycles) << "seed " << seed;
    ASSERT_DOUBLE_EQ(a.queue_cycles, b.queue_cycles) << "seed " << seed;
  }
}

/// Long streams from several ports, each of which offers a block as soon as the one before has entered:
/// rows and refreshes make the same pattern again and again, with now and then something else in between.
/// What is repeated against burst by burst.
TEST(HbmOracle, InterludesChangeNoTick) {
  std::uint64_t repeated = 0, bursts = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    std::mt19937_64 random(seed);
    auto p = random_parameters(random);
    p.rows = 4096;
    p.page_policy = PagePolicy::open, p.separate_buses = true, p.starvation_cycles = 0;
    p.queues = seed % 3 == 0 ? Queues::shared : Queues::read_write;
    p.scheduler = seed % 2 == 0 ? Scheduler::fr_fcfs : Scheduler::fr_fcfs_grouped;
    p.refresh_management = false;
    p.queue_depth = 16u << random() % 3;
    p.row_bytes.count = 512;
    if (seed % 4 != 0) p.ranks = 1, p.timings.column_cycles = 1;
    using F = Field;
    const std::array orders = {
        std::array{F::pseudo_channel, F::bank_group, F::bank, F::rank, F::column, F::row, F::channel},
        std::array{F::bank_group, F::pseudo_channel, F::column, F::bank, F::rank, F::row, F::channel},
        std::array{F::column, F::pseudo_channel, F::bank_group, F::bank, F::rank, F::row, F::channel}};
    p.address = plain_masks(p, orders[random() % orders.size()]);
    const AddressMap map(p);
    constexpr std::uint16_t size = 128;
    std::vector<AddressMap::Place> block;
    for (std::size_t i = 0; i < size; ++i) block.push_back(map.place(i * p.burst_bytes.count));
    Controller fast(p), plain(p, false);
    fast.set_block(block), plain.set_block(block);
    std::vector<std::uint64_t> port(1 + random() % 3);
    for (auto& position : port) position = random() % 64 * 16;
    const auto oddity = 4 + random() % 60;  // one in so many
    const bool writes = random() % 2 == 0, looks = random() % 2 == 0, hops = random() % 2 == 0;
    std::vector<std::uint32_t> admissions[2];
    std::vector<std::uint32_t> waiting(port.size(), ~0u);  // by port: who has to enter first
    Tick now = 0;
    const auto offer = [&](std::uint32_t owner, std::uint64_t place, std::uint16_t end, bool write,
                           Tick offered) {
      const BurstBlock burst{owner, map.place(place * size * p.burst_bytes.count), 0, end, write};
      fast.offer(burst, offered), plain.offer(burst, offered);
    };
    for (std::uint32_t owner = 0; owner < 160 && now < 100000;) {
      plain.advance(now);
      if (!hops || random() % 8 == 0) fast.advance(now);
      for (auto entered : plain.admissions)
        std::replace(waiting.begin(), waiting.end(), entered, ~0u), admissions[1].push_back(entered);
      plain.admissions.clear();
      for (std::size_t i = 0; i < port.size(); ++i) {
        if (waiting[i] != ~0u) continue;
        const bool odd = random() % oddity == 0;
        if (odd && random() % 3 == 0) port[i] = random() % 512;
        if (odd && random() % 4 == 0) now += static_cast<Tick>(random() % 3000);
        plain.advance(now), fast.advance(now);
        const auto end = odd ? static_cast<std::uint16_t>(1 + random() % size) : size;
        offer(owner, port[i]++, end, odd && writes, now + static_cast<Tick>(odd ? random() % 50 : 0));
        if (plain.report_last(owner)) waiting[i] = owner;
        EXPECT_EQ(fast.report_last(owner), waiting[i] == owner) << "seed " << seed << " at " << now;
        ++owner;
      }
      now += 1 + static_cast<Tick>(random() % 8);
      if (!looks || random() % 512 != 0) continue;
      plain.advance(now), fast.advance(now);
      const auto a = fast.statistics(now), b = plain.statistics(now);
      ASSERT_EQ(a.limit_cycles, b.limit_cycles) << "seed " << seed << " at " << now;
      ASSERT_DOUBLE_EQ(a.queue_cycles, b.queue_cycles) << "seed " << seed << " at " << now;
      ASSERT_DOUBLE_EQ(a.joules, b.joules) << "seed " << seed << " at " << now;
      if (random() % 4 == 0) fast.clear_statistics(now), plain.clear_statistics(now);
    }
    for (Tick end = now + 2000; !plain.idle() && now < 400000; now = end, end += 2000) plain.advance(end);
    fast.advance(now);
    for (const auto entered : plain.admissions) admissions[1].push_back(entered);
    EXPECT_EQ(fast.admissions, admissions[1]) << "seed " << seed;
    std::map<std::uint32_t, std::pair<std::uint64_t, Tick>> ends[2];
    for (const auto* c : {&fast, &plain})
      for (const auto& completion : c->completions) {
        auto& end = ends[c == &plain][completion.owner];
        end.first += completion.bursts;
        end.second = std::max(end.second, completion.done);
      }
    ASSERT_EQ(ends[0], ends[1]) << "seed " << seed;
    const auto a = fast.statistics(now), b = plain.statistics(now);
    ASSERT_EQ(a.reads + a.writes, b.reads + b.writes) << "seed " << seed;
    ASSERT_EQ(a.hits, b.hits) << "seed " << seed;
    ASSERT_EQ(a.misses, b.misses) << "seed " << seed;
    ASSERT_EQ(a.activates, b.activates) << "seed " << seed;
    ASSERT_EQ(a.precharges, b.precharges) << "seed " << seed;
    ASSERT_EQ(a.refreshes, b.refreshes) << "seed " << seed;
    ASSERT_EQ(a.bank_refreshes, b.bank_refreshes) << "seed " << seed;
    ASSERT_EQ(a.power_downs, b.power_downs) << "seed " << seed;
    ASSERT_EQ(a.limit_cycles, b.limit_cycles) << "seed " << seed;
    ASSERT_DOUBLE_EQ(a.queue_cycles, b.queue_cycles) << "seed " << seed;
    ASSERT_DOUBLE_EQ(a.joules, b.joules) << "seed " << seed;
    repeated += fast.repeated();
    for (const auto& [owner, end] : ends[0]) bursts += end.first;
  }
  EXPECT_GT(repeated, bursts / 20) << "of " << bursts << ": the test reaches what it is for";
}

}  // namespace
