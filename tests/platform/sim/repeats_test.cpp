// SPDX-License-Identifier: Apache-2.0
// Where streams repeat layers, and what layers that repeat are taken to add.
#include "platform/sim/layer_loops.hpp"
#include "platform/sim/repeated_layers.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "firmware/abi/program.h"
#include "firmware/abi/registers.h"
#include "models/compiler/stream.hpp"
#include "platform/chip/address_map.hpp"

using namespace forerun;
using namespace forerun::sim;

namespace {

Snapshot at(std::int64_t picoseconds, std::uint64_t count) {
  return {picoseconds, {count}, {count}, {count}};
}

}  // namespace

TEST(LayerLoops, MeetWhereAllClustersPost) {
  models::StreamBuilder out;
  fr_post post{};
  post.count = 4;
  const auto first = out.add(FR_OP_POST, post);
  post.count = 1;  // to the first only
  out.add(FR_OP_POST, post);
  post.count = 4;
  const auto second = out.add(FR_OP_POST, post);
  post.count = 1;
  post.address = chip::address_map::multicast_registers(2) + FR_CLUSTER_POST;
  const auto by_window = out.add(FR_OP_POST, post);
  out.add(FR_OP_END);
  EXPECT_EQ(meetings(out.bytes(), 4), (std::vector<std::uint64_t>{first, second, by_window}));
}

TEST(LayerLoops, AreThoseThatTheLayersParameterCounts) {
  models::StreamBuilder out;
  out.begin_loop(31, 5);  // of another kind
  out.add(FR_OP_VECTOR, fr_vector{});
  out.end_loop();
  const auto loop = [&out](std::int64_t count) {
    out.begin_loop(30, count, {FR_PATCH(fr_loop, count, FR_PARAMETER_LAYERS, 1)});
    const auto begin = out.bytes().size();
    out.add(FR_OP_VECTOR, fr_vector{});
    const auto end = out.bytes().size();
    out.end_loop();
    return std::pair<std::uint64_t, std::uint64_t>(begin, end);
  };
  EXPECT_TRUE(layer_bodies(out.bytes()).empty());
  EXPECT_EQ(layers_before(out.bytes()), 0u);
  const auto first = loop(-3), second = loop(0);  // three layers less, which are elsewhere
  out.add(FR_OP_END);
  const auto bodies = layer_bodies(out.bytes());
  ASSERT_EQ(bodies.size(), 2u);
  EXPECT_EQ(bodies[0].first, first.first);
  EXPECT_EQ(bodies[1].first, second.first);
  EXPECT_GE(bodies[0].second, first.second);
  EXPECT_LE(bodies[0].second, second.first);
  EXPECT_EQ(layers_before(out.bytes()), 3u);
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
