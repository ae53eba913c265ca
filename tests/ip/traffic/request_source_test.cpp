// SPDX-License-Identifier: Apache-2.0
#include "ip/traffic/request_source.hpp"

#include <gmock/gmock.h>

#include <map>
#include <set>
#include <stdexcept>

using namespace forerun;
using namespace forerun::ip;
using testing::ElementsAre;

namespace {

std::vector<TrafficRequest> take(const TrafficParameters& p, unsigned n) {
  const auto source = make_source(p);
  std::vector<TrafficRequest> requests(n);
  for (auto& request : requests) EXPECT_TRUE(source->next(request));
  return requests;
}

std::vector<std::uint64_t> addresses(const TrafficParameters& p, unsigned n) {
  std::vector<std::uint64_t> found;
  for (const auto& request : take(p, n)) found.push_back(request.address);
  return found;
}

/// A grid of endpoints whose windows lie 0x100 apart, so that address / 0x100 is the endpoint.
TrafficParameters grid(TrafficPattern pattern, unsigned columns, unsigned rows, unsigned self) {
  TrafficParameters p;
  p.pattern = pattern;
  p.columns = columns;
  p.self = self;
  for (unsigned i = 0; i < columns * rows; ++i) p.targets.push_back(i * 0x100);
  return p;
}

TEST(RequestSource, LinearWrapsAtTheEndOfItsRange) {
  TrafficParameters p;
  p.base = 0x1000;
  p.size = {256};
  p.stride = {64};
  EXPECT_THAT(addresses(p, 6), ElementsAre(0x1000, 0x1040, 0x1080, 0x10c0, 0x1000, 0x1040));
}

TEST(RequestSource, ASliceHoldsEveryNthPiece) {
  TrafficParameters p;
  p.size = {256};
  p.stride = {32};
  p.piece = {64};
  p.slices = 4;
  p.slice = 1;
  EXPECT_THAT(addresses(p, 5), ElementsAre(0x40, 0x60, 0x140, 0x160, 0x240));
}

TEST(RequestSource, BlocksAreWalkedThroughFromTheirBeginning) {
  TrafficParameters p;
  p.pattern = TrafficPattern::blocks;
  p.size = {1 << 16};
  p.block = {256};
  std::set<std::uint64_t> blocks;
  const auto found = addresses(p, 800);
  for (std::size_t i = 0; i < found.size(); i += 8) {
    EXPECT_EQ(found[i] % 256, 0u);
    blocks.insert(found[i]);
    for (std::size_t k = 1; k < 8; ++k) EXPECT_EQ(found[i + k], found[i] + 32 * k);
  }
  EXPECT_GT(blocks.size(), 60u) << "of 100 draws from 256";
}

TEST(RequestSource, RandomCoversItsRangeEvenly) {
  TrafficParameters p;
  p.pattern = TrafficPattern::random;
  p.size = {16 * 32};
  std::map<std::uint64_t, unsigned> counts;
  for (const auto address : addresses(p, 16000)) ++counts[address];
  ASSERT_EQ(counts.size(), 16u);
  for (const auto& [address, count] : counts) EXPECT_NEAR(count, 1000, 150) << address;
}

TEST(RequestSource, BernoulliHasItsRateAndAtMostOneACycle) {
  TrafficParameters p;
  p.arrivals = TrafficArrivals::bernoulli;
  p.rate = 0.3;
  const auto requests = take(p, 30000);
  for (std::size_t i = 1; i < requests.size(); ++i)
    EXPECT_GE(requests[i].picoseconds - requests[i - 1].picoseconds, 1000);
  EXPECT_NEAR(30000e3 / static_cast<double>(requests.back().picoseconds), 0.3, 0.005);
}

TEST(RequestSource, PeriodicKeepsItsRateExactly) {
  TrafficParameters p;
  p.arrivals = TrafficArrivals::periodic;
  p.rate = 0.4;
  const auto requests = take(p, 1001);
  EXPECT_EQ(requests[1].picoseconds, 2000);
  EXPECT_EQ(requests[2].picoseconds, 5000);
  EXPECT_EQ(requests[1000].picoseconds, 2500 * 1000);
}

TEST(RequestSource, PeriodicMixSpreadsReadsEvenly) {
  TrafficParameters p;
  p.reads = 2.0 / 3;
  p.mix = TrafficMix::periodic;
  std::string letters;
  for (const auto& request : take(p, 9)) letters += request.write ? 'w' : 'r';
  EXPECT_EQ(letters, "rrwrrwrrw") << "reads first";
  p.reads = 0;
  for (const auto& request : take(p, 5)) EXPECT_TRUE(request.write);
}

TEST(RequestSource, RandomMixHasItsShare) {
  TrafficParameters p;
  p.reads = 0.25;
  unsigned reads = 0;
  for (const auto& request : take(p, 10000)) reads += request.write ? 0 : 1;
  EXPECT_NEAR(reads, 2500, 150);
}

TEST(RequestSource, GridPatternsGoWhereTheyAreDefinedToGo) {
  const auto target = [](TrafficPattern pattern, unsigned self) {
    return addresses(grid(pattern, 4, 4, self), 1).front() / 0x100;
  };
  EXPECT_EQ(target(TrafficPattern::transpose, 1 + 4 * 2), 2u + 4 * 1);
  EXPECT_EQ(target(TrafficPattern::bit_complement, 0), 15u);
  EXPECT_EQ(target(TrafficPattern::tornado, 3 + 4 * 3), 0u + 4 * 0) << "one on in each dimension of four";
  EXPECT_EQ(target(TrafficPattern::neighbor, 3 + 4 * 1), 0u + 4 * 2);
  EXPECT_THAT(addresses(grid(TrafficPattern::all_to_all, 2, 2, 2), 4), ElementsAre(0x300, 0x0, 0x100, 0x300));
}

TEST(RequestSource, HotspotsGetTheirShare) {
  auto p = grid(TrafficPattern::hotspot, 4, 4, 0);
  p.hotspots = {5};
  p.hotspot_share = 0.5;
  unsigned hot = 0;
  for (const auto address : addresses(p, 10000)) hot += address == 0x500 ? 1 : 0;
  EXPECT_NEAR(hot, 5000 + 5000 / 16, 250);
}

TEST(RequestSource, SameSeedSameRequests) {
  TrafficParameters p;
  p.pattern = TrafficPattern::random;
  const auto first = addresses(p, 100);
  EXPECT_EQ(first, addresses(p, 100));
  p.seed = 2;
  EXPECT_NE(first, addresses(p, 100));
}

TEST(RequestSource, NamesAParameterOutOfRange) {
  const auto message = [](const TrafficParameters& p) -> std::string {
    try {
      make_source(p);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  TrafficParameters p;
  p.rate = 1.5;
  EXPECT_THAT(message(p), testing::StartsWith("rate:"));
  p = {};
  p.stride = {16};
  EXPECT_THAT(message(p), testing::StartsWith("stride:"));
  p = {};
  p.pattern = TrafficPattern::blocks;
  p.block = {48};
  EXPECT_THAT(message(p), testing::StartsWith("block:"));
  EXPECT_THAT(message(grid(TrafficPattern::transpose, 4, 2, 0)), testing::StartsWith("pattern:"));
  auto hot = grid(TrafficPattern::hotspot, 2, 2, 0);
  hot.hotspots = {4};
  EXPECT_THAT(message(hot), testing::StartsWith("hotspots:"));
}

}  // namespace
