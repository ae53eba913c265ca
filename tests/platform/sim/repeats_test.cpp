// SPDX-License-Identifier: Apache-2.0
// What is found to repeat in streams, and what layers that repeat are taken to add.
#include "platform/sim/counted_repeats.hpp"
#include "platform/sim/repeated_layers.hpp"
#include "platform/sim/stream_repeats.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "firmware/abi/program.h"
#include "models/compiler/stream.hpp"

using namespace forerun;
using namespace forerun::sim;

namespace {

/// Offsets of the LOAD and the MATMUL of a tile.
struct Tile {
  std::size_t load, product;
};
Tile add_tile(models::StreamBuilder& out, std::uint32_t c, std::uint32_t n, std::uint32_t bytes = 1 << 20,
              std::uint8_t signal = 2) {
  Tile tile{};
  fr_copy load{};
  load.bytes = bytes;
  load.size1 = load.size2 = load.size3 = 1;
  tile.load = out.add(FR_OP_LOAD, load, {{{2, 1}}, {{3, 1}}}, {FR_PATCH(fr_copy, global, 20, 1)});
  out.scalar(FR_SCALAR_ADD, 20, 20, 255, 4096);
  fr_matmul product{};
  product.c = c;
  product.m = 1, product.n = n, product.k = 64;
  tile.product = out.add(FR_OP_MATMUL, product, {{{3, 1}}, {{signal, 1}}});
  return tile;
}

Snapshot at(std::int64_t picoseconds, std::uint64_t count) {
  return {picoseconds, {count}, {count}, {count}};
}

}  // namespace

TEST(StreamRepeats, AreRowsOfEqualTiles) {
  models::StreamBuilder out;
  out.set_tag(7);
  std::vector<Tile> tiles;
  for (std::uint32_t i = 0; i < 100; ++i) tiles.push_back(add_tile(out, i * 128, 32));
  tiles.push_back(add_tile(out, 100 * 128, 16, 1 << 18));  // a smaller one is a part of one
  tiles.push_back(add_tile(out, 101 * 128, 32));
  out.add(FR_OP_END);
  const auto repeats = find_repeats(out.bytes(), 0);
  ASSERT_EQ(repeats.size(), 1u);
  const auto& row = repeats.front();
  EXPECT_EQ(row.tag, 7u);
  EXPECT_EQ(row.iterations, 0);
  EXPECT_EQ(row.unit_bytes, 1u << 20);
  EXPECT_EQ(row.to, tiles[101].load);
  EXPECT_EQ(row.moments[3].offset, tiles[101].product);
  // What is left out lies between the last that is measured and the last of all.
  const auto whole = static_cast<std::size_t>(row.left_out);
  EXPECT_EQ(row.left_out, static_cast<double>(whole) + 0.25);
  EXPECT_EQ(row.moments[2].offset, tiles[100 - whole - 1].product);
  EXPECT_EQ(row.at, tiles[100 - whole].load);
  const auto begin = 100 - whole - 1 - 2 * row.counted;
  for (std::size_t m = 0; m < 3; ++m) {
    EXPECT_EQ(row.moments[m].offset, tiles[begin + m * row.counted].product);
    EXPECT_EQ(row.loads.at(m), tiles[begin + m * row.counted].load);
  }
  EXPECT_GT(begin, 8u);  // it is under way
}

TEST(StreamRepeats, AreNoShortOrUnequalRows) {
  models::StreamBuilder few, unequal, larger, apart, meeting;
  for (std::uint32_t i = 0; i < 24; ++i) add_tile(few, i * 128, 32);
  for (std::uint32_t i = 0; i < 200; ++i) add_tile(unequal, i * 128, 32, i % 2 == 0 ? 1 << 20 : 1 << 19);
  for (std::uint32_t i = 0; i < 200; ++i) add_tile(larger, i * 128, 32, i < 40 ? 1 << 19 : 1 << 20);
  for (std::uint32_t i = 0; i < 200; ++i) {
    apart.set_tag(i / 20);  // of different operators
    add_tile(apart, i * 128, 32);
  }
  for (std::uint32_t i = 0; i < 200; ++i) add_tile(meeting, i * 128, 32, 1 << 20, i == 100 ? 5 : 2);
  for (auto* out : {&few, &unequal, &larger, &apart, &meeting}) {
    out->add(FR_OP_END);
    EXPECT_TRUE(find_repeats(out->bytes(), 0).empty());
  }
}

TEST(StreamRepeats, MeetWhereAllClustersPost) {
  models::StreamBuilder out;
  fr_post post{};
  post.count = 4;
  const auto first = out.add(FR_OP_POST, post);
  post.count = 1;  // to the first only
  out.add(FR_OP_POST, post);
  post.count = 4;
  const auto second = out.add(FR_OP_POST, post);
  out.add(FR_OP_END);
  EXPECT_EQ(meetings(out.bytes(), 4), (std::vector<std::uint64_t>{first, second}));
}

TEST(UnitTimes, OfEqualClustersAreTheMeanOfAll) {
  UnitTimes times;
  // What differs within the samples explains what differs between the clusters.
  times.add(0, 90, 110), times.add(1, 120, 80), times.add(2, 104, 96);
  for (std::size_t cluster = 0; cluster < 3; ++cluster) {
    EXPECT_DOUBLE_EQ(times.of(cluster).mean, 100);
    // Of halves: (20^2 + 40^2 + 8^2) / 3 / 4; of the mean of three samples a third
    EXPECT_DOUBLE_EQ(times.of(cluster).error, std::sqrt(2064.0 / 3 / 4 / 3));
  }
}

TEST(UnitTimes, OfClustersThatDifferAreTheirOwn) {
  UnitTimes times;
  times.add(0, 100, 100), times.add(1, 200, 200), times.add(1, 202, 202);
  EXPECT_DOUBLE_EQ(times.of(0).mean, 100);
  EXPECT_DOUBLE_EQ(times.of(1).mean, 201);
  EXPECT_EQ(times.of(1).error, 0);
  times.add(0, 101, 99), times.add(1, 203, 201);
  EXPECT_NEAR(times.of(0).mean, 100, 0.1);
  EXPECT_GT(times.of(0).mean, 100);
}

TEST(StreamRepeats, AreLoopsOverChunks) {
  models::StreamBuilder out;
  out.set_tag(3);
  out.begin_loop(30, 0, {FR_PATCH(fr_loop, count, FR_PARAMETER_CHUNKS, 1)});
  const auto body = out.bytes().size();
  out.begin_loop(31, 5);
  add_tile(out, 0, 32);
  out.end_loop();
  const auto last = out.add(FR_OP_VECTOR, fr_vector{});
  out.scalar(FR_SCALAR_ADD, 20, 20, 255, 1);
  out.end_loop();
  out.begin_loop(30, 16);  // of another kind
  out.add(FR_OP_VECTOR, fr_vector{});
  out.end_loop();
  out.add(FR_OP_END);
  EXPECT_TRUE(find_repeats(out.bytes(), 0).empty());
  EXPECT_TRUE(find_repeats(out.bytes(), 4).empty());
  const auto repeats = find_repeats(out.bytes(), 16);
  ASSERT_EQ(repeats.size(), 1u);
  const auto& loop = repeats.front();
  EXPECT_EQ(loop.at, body);
  EXPECT_EQ(loop.left_out, static_cast<double>(16 - loop.iterations));
  EXPECT_EQ(loop.loads.size(), 1u);
  for (const auto& moment : loop.moments) EXPECT_EQ(moment.offset, last);
  EXPECT_EQ(loop.moments[1].visit, loop.moments[0].visit + loop.counted);
  EXPECT_EQ(loop.moments[2].visit, loop.moments[1].visit + loop.counted);
  EXPECT_EQ(loop.moments[3].visit, loop.iterations - 1);
}

TEST(RepeatedLayers, AddTheMeanOfAllButTheFirst) {
  RepeatedLayers layers({.period = 1, .tolerance = 0.01}, 32);
  // layers of 150, 100, 102 and 98; the last counts otherwise
  EXPECT_FALSE(layers.mark(at(1000, 5)));
  EXPECT_FALSE(layers.mark(at(1150, 16)));
  EXPECT_FALSE(layers.mark(at(1250, 26)));
  // 100 and 102 differ too much for 28 more of 32: 1.84 of 101
  EXPECT_FALSE(layers.mark(at(1352, 36)));
  layers.end_layers(at(1450, 60));
  EXPECT_TRUE(layers.ended());
  layers.end_step(28);
  EXPECT_FALSE(layers.ended());
  EXPECT_EQ(layers.layers(), 4u);
  EXPECT_EQ(layers.added().picoseconds, 28 * 100);
  EXPECT_EQ(layers.added().values.front(), 28u * 10);
  // The deviation is 2, so the mean of three is known within 2 / sqrt(3), or 1.32 times that.
  EXPECT_NEAR(layers.uncertain_ps(), 28 * 1.32 * 2 / std::sqrt(3), 1e-6);
}

TEST(RepeatedLayers, AreEnoughOnceTheyAgree) {
  RepeatedLayers layers({.period = 1, .tolerance = 0.01}, 32);
  for (const auto t : {0, 500, 600}) EXPECT_FALSE(layers.mark(at(t, 0)));
  EXPECT_TRUE(layers.mark(at(701, 0)));
  EXPECT_FALSE(layers.mark(at(760, 0)));  // 100, 101, 59
}

TEST(RepeatedLayers, AreForeseenToBeEnough) {
  RepeatedLayers layers({.period = 1, .tolerance = 0.01}, 32);
  EXPECT_FALSE(layers.nearly_done(0));  // none has begun
  EXPECT_FALSE(layers.mark(at(0, 0)));
  EXPECT_FALSE(layers.nearly_done(140));
  EXPECT_FALSE(layers.mark(at(150, 0)));
  EXPECT_FALSE(layers.nearly_done(240));
  EXPECT_FALSE(layers.nearly_done(245));  // the same layer
  EXPECT_FALSE(layers.mark(at(250, 0)));
  EXPECT_TRUE(layers.nearly_done(340));  // 90 as the one before
  layers.end_layers(at(351, 0));
  layers.end_step(29);
  EXPECT_EQ(layers.layers(), 3u);
  EXPECT_EQ(layers.added().picoseconds, std::llround(29 * 100.5));
  EXPECT_GT(layers.uncertain_ps(), 0);
}

TEST(RepeatedLayers, AreNotSimulatedForEverWhereTheyDiffer) {
  RepeatedLayers layers({.period = 1, .tolerance = 0.01, .most = 4}, 32);
  std::int64_t now = 0;
  for (const auto time : {100, 100, 200, 100, 200}) {
    EXPECT_FALSE(layers.mark(at(now, 0)));
    now += time;
  }
  EXPECT_TRUE(layers.mark(at(now, 0)));
}

TEST(RepeatedLayers, AreSimulatedSoOftenAtLeast) {
  RepeatedLayers layers({.period = 1, .tolerance = 0.01, .least = 4}, 32);
  for (const auto t : {0, 100, 200, 300, 400}) EXPECT_FALSE(layers.mark(at(t, 0)));
  EXPECT_TRUE(layers.mark(at(500, 0)));
}

TEST(RepeatedLayers, OfSeveralKindsAreTakenTogether) {
  RepeatedLayers layers({.period = 2, .tolerance = 0.01}, 24);
  for (const auto t : {0, 30, 50, 60, 80}) EXPECT_FALSE(layers.mark(at(t, 0)));
  EXPECT_FALSE(layers.mark(at(90, 0)));
  EXPECT_TRUE(layers.mark(at(110, 0)));
  EXPECT_TRUE(layers.mark(at(120, 0)));
  layers.end_layers(at(140, 0));
  layers.end_step(16);
  EXPECT_EQ(layers.added().picoseconds, 8 * 30);
  EXPECT_EQ(layers.uncertain_ps(), 0);
}

TEST(RepeatedLayers, LeaveNothingOutOfFew) {
  RepeatedLayers layers({}, 4);
  for (const auto t : {0, 10, 20, 30}) EXPECT_FALSE(layers.mark(at(t, 0)));
  layers.end_layers(at(50, 0));
  layers.end_step(0);
  EXPECT_EQ(layers.layers(), 4u);
  EXPECT_EQ(layers.added().picoseconds, 0);
}
