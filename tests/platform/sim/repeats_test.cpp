// SPDX-License-Identifier: Apache-2.0
// What is found to repeat in streams, and what layers that repeat are taken to add.
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
Tile add_tile(models::StreamBuilder& out, std::uint32_t c, std::uint32_t n) {
  Tile tile{};
  fr_copy load{};
  load.bytes = 1 << 20;
  load.size1 = load.size2 = load.size3 = 1;
  tile.load = out.add(FR_OP_LOAD, load, {{{2, 1}}, {{3, 1}}}, {FR_PATCH(fr_copy, global, 20, 1)});
  out.scalar(FR_SCALAR_ADD, 20, 20, 255, 4096);
  fr_matmul product{};
  product.c = c;
  product.m = 1, product.n = n, product.k = 64;
  tile.product = out.add(FR_OP_MATMUL, product, {{{3, 1}}, {{2, 1}}});
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
  add_tile(out, 100 * 128, 16);  // a smaller one
  out.add(FR_OP_END);
  const auto repeats = find_repeats(out.bytes(), 0);
  ASSERT_EQ(repeats.size(), 1u);
  const auto& row = repeats.front();
  EXPECT_EQ(row.tag, 7u);
  EXPECT_EQ(row.iterations, 0);
  EXPECT_EQ(row.to, tiles[99].load);
  EXPECT_EQ(row.moments[3].offset, tiles[99].product);
  // What is left out lies between the last that is measured and the last of all.
  EXPECT_EQ(row.moments[2].offset, tiles[99 - row.left_out - 1].product);
  EXPECT_EQ(row.at, tiles[99 - row.left_out].load);
  const auto begin = 99 - row.left_out - 1 - 2 * row.counted;
  EXPECT_EQ(row.moments[0].offset, tiles[begin].product);
  EXPECT_EQ(row.moments[1].offset, tiles[begin + row.counted].product);
  EXPECT_GT(begin, 16u);  // more than a ring holds
}

TEST(StreamRepeats, AreNoShortOrUnequalRows) {
  models::StreamBuilder few, unequal, apart;
  for (std::uint32_t i = 0; i < 40; ++i) add_tile(few, i * 128, 32);
  for (std::uint32_t i = 0; i < 200; ++i) add_tile(unequal, i * 128, 32 + i % 2);
  for (std::uint32_t i = 0; i < 200; ++i) {
    apart.set_tag(i / 20);  // of different operators
    add_tile(apart, i * 128, 32);
  }
  for (auto* out : {&few, &unequal, &apart}) {
    out->add(FR_OP_END);
    EXPECT_TRUE(find_repeats(out->bytes(), 0).empty());
  }
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
  EXPECT_EQ(loop.left_out, 16 - loop.iterations);
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
