// SPDX-License-Identifier: Apache-2.0
// The row model beside the burst model: everything is served, in times that are nearly the same.
#include "ip/hbm/row_controller.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <queue>
#include <random>

#include "ip/hbm/controller.hpp"

using namespace forerun::ip::hbm;

namespace {

/// A channel of HBM3 with the address map of the reference chip.
Parameters hbm3() {
  Parameters p;
  p.channels = 1;
  p.ranks = 1;
  p.queue_depth = 128;
  p.timings.half_cycle_rows = true;
  p.address = plain_masks(p, std::array{Field::pseudo_channel, Field::bank_group, Field::column,
                                        Field::channel, Field::bank, Field::rank, Field::row});
  return p;
}

struct Request {
  std::uint64_t address;
  std::uint32_t bytes;
  bool write = false;
};

struct Outcome {
  Tick end = 0;
  double mean_latency = 0;
  ChannelStatistics statistics;
};

/// Keeps `window` requests under way, each offered when another is complete, until `count` are.
Outcome run(Channel& channel, const Parameters& p, unsigned window, unsigned count,
            const std::function<Request()>& next) {
  const AddressMap map(p);
  std::vector<AddressMap::Place> block;
  for (std::uint64_t offset = 0; offset < 4096; offset += 32) block.push_back(map.place(offset));
  channel.set_block(block);
  struct Open {
    unsigned left;
    Tick offered, done;
  };
  std::vector<Open> requests;
  using Done = std::pair<Tick, std::uint32_t>;
  std::priority_queue<Done, std::vector<Done>, std::greater<>> due;
  Outcome outcome;
  const auto offer = [&](Tick t) {
    const auto request = next();
    const auto owner = static_cast<std::uint32_t>(requests.size());
    const auto first = static_cast<std::uint16_t>(request.address / 32 % 128);
    const auto end = static_cast<std::uint16_t>(first + request.bytes / 32);
    requests.push_back({request.bytes / 32, t, 0});
    channel.offer({owner, map.place(request.address / 4096 * 4096), first, end, request.write}, t);
  };
  for (unsigned i = 0; i < window; ++i) offer(0);
  unsigned complete = 0;
  while (complete < count) {
    const auto until = due.empty() ? channel.next() : std::min(channel.next(), due.top().first);
    channel.advance(until);
    for (const auto& c : channel.completions) {
      auto& request = requests[c.owner];
      request.done = std::max(request.done, c.done);
      if ((request.left -= c.bursts) == 0) due.push({request.done, c.owner});
    }
    channel.completions.clear();
    while (!due.empty() && due.top().first <= until) {
      const auto& request = requests[due.top().second];
      outcome.mean_latency += static_cast<double>(request.done - request.offered) / count;
      outcome.end = request.done;
      due.pop();
      ++complete;
      if (requests.size() < count) offer(until);
    }
    if (until > 100'000'000) break;
  }
  EXPECT_EQ(complete, count);
  outcome.statistics = channel.statistics(std::max(outcome.end, Tick{0}));
  return outcome;
}

struct Traffic {
  const char* name;
  std::uint32_t bytes;
  unsigned streams;  ///< 0: random places
  unsigned writes;   ///< per cent
  unsigned window;
  double near;  ///< the times of the two models differ by at most so much of one
};

class HbmRowModel : public testing::TestWithParam<Traffic> {};

TEST_P(HbmRowModel, IsNearTheBurstModel) {
  const auto& traffic = GetParam();
  const auto p = hbm3();
  const auto source = [&] {
    return [&, random = std::mt19937(7), position = std::vector<std::uint64_t>(16), turn = 0u]() mutable {
      Request request{0, traffic.bytes, random() % 100 < traffic.writes};
      const auto pieces = p.capacity() / traffic.bytes;
      if (traffic.streams == 0) {
        request.address = random() % pieces * traffic.bytes;
      } else {
        const auto s = turn++ % traffic.streams;
        request.address = (pieces / 16 * s + s * 12345 + position[s]++) % pieces * traffic.bytes;
      }
      return request;
    };
  };
  Controller bursts(p);
  RowController rows(p);
  const auto count = std::max(2000u, 400'000u / traffic.bytes);
  const auto expected = run(bursts, p, traffic.window, count, source());
  const auto found = run(rows, p, traffic.window, count, source());
  EXPECT_NEAR(static_cast<double>(found.end) / static_cast<double>(expected.end), 1, traffic.near);
  EXPECT_EQ(found.statistics.reads, expected.statistics.reads);
  EXPECT_EQ(found.statistics.writes, expected.statistics.writes);
  EXPECT_EQ(found.statistics.hits + found.statistics.misses + found.statistics.conflicts,
            found.statistics.reads + found.statistics.writes);
  double sum = 0;
  for (const auto cycles : found.statistics.limit_cycles) sum += cycles;
  EXPECT_NEAR(sum, found.statistics.cycles * p.pseudo_channels, 1e-6 * sum) << "all time is explained";
}

INSTANTIATE_TEST_SUITE_P(
    Traffic, HbmRowModel,
    testing::Values(Traffic{"linear_1", 4096, 1, 0, 1, 0.01}, Traffic{"linear_2", 4096, 1, 0, 2, 0.005},
                    Traffic{"linear_3", 4096, 1, 0, 3, 0.005}, Traffic{"linear_8", 4096, 1, 0, 8, 0.005},
                    Traffic{"streams_2", 4096, 2, 0, 8, 0.11}, Traffic{"streams_4", 4096, 4, 0, 8, 0.015},
                    Traffic{"streams_16", 4096, 16, 0, 16, 0.02}, Traffic{"random", 4096, 0, 0, 8, 0.02},
                    Traffic{"random_2", 4096, 0, 0, 2, 0.02}, Traffic{"random_1k", 1024, 0, 0, 8, 0.07},
                    Traffic{"linear_1k", 1024, 1, 0, 8, 0.005}, Traffic{"linear_256", 256, 1, 0, 16, 0.005},
                    Traffic{"random_256", 256, 0, 0, 16, 0.03}, Traffic{"random_32", 32, 0, 0, 64, 0.04},
                    Traffic{"linear_32", 32, 1, 0, 64, 0.015},
                    Traffic{"writes_linear", 4096, 1, 100, 8, 0.01},
                    Traffic{"mixed_10", 4096, 4, 10, 8, 0.02}, Traffic{"mixed_50", 4096, 4, 50, 8, 0.07},
                    Traffic{"mixed_random", 4096, 0, 30, 8, 0.05},
                    Traffic{"mixed_256", 256, 0, 30, 32, 0.17}),
    [](const auto& traffic) { return std::string(traffic.param.name); });

TEST(HbmRowController, UnloadedHitAndConflict) {
  auto p = hbm3();
  p.refresh = Refresh::none;
  RowController channel(p);
  const AddressMap map(p);
  const auto read = [&](std::uint32_t owner, std::uint64_t address, Tick t) {
    const auto place = map.place(address);
    channel.offer(Burst{owner, place.unit(), place.row()}, t);
    while (channel.completions.empty()) channel.advance(channel.next());
    const auto done = channel.completions.back().done - t;
    channel.completions.clear();
    return done / 2;
  };
  const auto& t = p.timings;
  read(0, 0, 0);
  EXPECT_EQ(read(1, 32 * 8, 2000), p.front_end + t.RL + t.nBL);
  EXPECT_EQ(read(2, std::uint64_t{1} << 20, 4000), p.front_end + t.tRP + t.tRCDRD + t.RL + t.nBL);
}

TEST(HbmRowController, RefusesWhatItDoesNotModel) {
  auto p = hbm3();
  p.page_policy = PagePolicy::closed;
  EXPECT_THROW(RowController{p}, std::invalid_argument);
  p = hbm3();
  p.refresh = Refresh::per_bank;
  EXPECT_THROW(RowController{p}, std::invalid_argument);
}

TEST(SlotBus, GivesEachSlotAwayOnce) {
  SlotBus bus;
  EXPECT_EQ(bus.take(10, 3), 10);
  EXPECT_EQ(bus.take(9, 1), 9);
  EXPECT_EQ(bus.take(8, 2), 13) << "8 is free, 9 is not";
  EXPECT_EQ(bus.take(8, 1), 8);
  EXPECT_EQ(bus.take(62, 4), 62) << "over the end of a word";
  EXPECT_EQ(bus.take(60, 3), 66);
  EXPECT_EQ(bus.take(100'000, 32), 100'000);
  EXPECT_EQ(bus.take(99'999, 2), 100'032);
  for (Tick t = 200'000; t < 200'100; ++t) EXPECT_EQ(bus.take(200'000, 1), t);
}

/// Also where reads find room before writes that came earlier, and the other way round: with a share of
/// writes.
TEST(HbmRowController, TellsThatARequestHasEnteredBeforeItIsComplete) {
  auto p = hbm3();
  p.queue_depth = 32;
  const AddressMap map(p);
  RowController channel(p);
  std::vector<AddressMap::Place> block;
  for (std::uint64_t offset = 0; offset < 4096; offset += 32) block.push_back(map.place(offset));
  channel.set_block(block);
  std::mt19937 random(3);
  std::vector<unsigned> left;
  std::vector<Tick> done;
  std::vector<bool> held;
  unsigned open = 0, complete = 0, waited = 0;
  Tick now = 0;
  while (complete < 2000) {
    for (; open < 24; ++open) {
      const auto owner = static_cast<std::uint32_t>(left.size());
      const auto end = static_cast<std::uint16_t>(1 + random() % 128);
      const auto place = map.place(random() % (p.capacity() / 4096) * 4096);
      channel.offer({owner, place, 0, end, random() % 3 == 0}, now);
      left.push_back(end);
      done.push_back(0);
      held.push_back(channel.report_last(owner));
      waited += held.back();
    }
    now = channel.next();
    channel.advance(now);
    for (const auto owner : channel.admissions) {
      ASSERT_TRUE(held[owner]) << owner;
      held[owner] = false;
    }
    channel.admissions.clear();
    for (const auto& c : channel.completions) {
      done[c.owner] = std::max(done[c.owner], c.done);
      if ((left[c.owner] -= c.bursts) > 0) continue;
      --open, ++complete;
    }
    channel.completions.clear();
    for (std::size_t i = 0; i < left.size(); ++i)
      ASSERT_FALSE(left[i] == 0 && done[i] <= now && held[i]) << "request " << i << " at " << now;
    ASSERT_LT(now, 100'000'000);
  }
  EXPECT_GT(waited, 1000u);
}

}  // namespace
