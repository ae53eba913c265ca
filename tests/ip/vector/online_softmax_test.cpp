// SPDX-License-Identifier: Apache-2.0
// ONLINE_SOFTMAX: tile by tile it has to come to the soft-max of whole rows, computed in double precision.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <random>

#include "firmware/abi/registers.h"
#include "ip/base/numbers.hpp"
#include "ip/vector/operations.hpp"
#include "ip/vector/vector_timing.hpp"

using namespace forerun::ip;

namespace {

constexpr std::uint32_t at_scores = 0, at_state = 0x8000, at_sum = 0x9000, at_result = 0xa000,
                        memory_bytes = 0x12000;
constexpr float scale = 0.5F;

/// Scores of some rows over all columns, of which a command takes a tile.
struct Tiles {
  Tiles(std::uint32_t row_count, std::uint32_t col_count) : rows(row_count), cols(col_count) {
    std::mt19937 random(rows * 100 + cols);
    std::normal_distribution<float> normal(0, 6);
    scores.resize(std::size_t{rows} * cols);
    for (auto& s : scores) s = normal(random);
    weights.assign(std::size_t{rows} * cols, 0);
  }
  fr_vector command(std::uint32_t first, std::uint32_t width, bool begins) const {
    fr_vector c{};
    c.op = FR_VECTOR_ONLINE_SOFTMAX;
    c.flags = begins ? FR_VECTOR_FLAG_FIRST : 0;
    c.d_type = static_cast<std::uint8_t>(type);
    c.rows = rows, c.cols = width;
    c.a = at_scores, c.a_stride = static_cast<std::int32_t>(width * 4);
    c.b = at_state, c.b_stride = 8, c.c = at_sum, c.c_stride = 4;
    c.d = at_result, c.d_stride = static_cast<std::int32_t>(row_bytes(type, width));
    c.arg0 = seen_by_first - first, c.arg1 = rows;
    c.arg2 = std::bit_cast<std::uint32_t>(scale);
    c.arg3 = window;
    return c;
  }
  /// The columns from `first` on; earlier weights take the factor.
  void take(std::uint32_t first, std::uint32_t width, bool begins) {
    const auto c = command(first, width, begins);
    for (std::uint32_t r = 0; r < rows; ++r)
      std::memcpy(memory.data() + c.a + r * width * 4, &scores[r * cols + first], width * 4);
    ASSERT_FALSE(check_vector(c, memory.size()));
    vector_operation(c, memory);
    for (std::uint32_t r = 0; r < rows; ++r) {
      std::vector<float> given(width);
      read_row(type, memory.data() + c.d + r * static_cast<std::uint32_t>(c.d_stride), given.data(), width);
      for (std::uint32_t i = 0; i < first; ++i) weights[r * cols + i] *= double{factor(r)};
      for (std::uint32_t i = 0; i < width; ++i) weights[r * cols + first + i] = double{given[i]};
    }
  }
  float number(std::uint32_t at) const {
    float value = 0;
    std::memcpy(&value, memory.data() + at, 4);
    return value;
  }
  float largest(std::uint32_t row) const { return number(at_state + 8 * row); }
  float factor(std::uint32_t row) const { return number(at_state + 8 * row + 4); }
  float sum(std::uint32_t row) const { return number(at_sum + 4 * row); }
  bool sees(std::uint32_t row, std::uint32_t column) const {
    const auto seen = seen_by_first + row;
    return column < seen && (window == 0 || column + window >= seen);
  }
  /// Weights by their sum, against the soft-max in double precision.
  void compare(double tolerance) const {
    for (std::uint32_t r = 0; r < rows; ++r) {
      double top = -INFINITY, total = 0;
      for (std::uint32_t i = 0; i < cols; ++i)
        if (sees(r, i)) top = std::max(top, double{scale} * double{scores[r * cols + i]});
      for (std::uint32_t i = 0; i < cols; ++i)
        if (sees(r, i)) total += std::exp(double{scale} * double{scores[r * cols + i]} - top);
      EXPECT_NEAR(double{largest(r)}, top, 1e-6 * std::fabs(top)) << r;
      EXPECT_NEAR(double{sum(r)}, total, 1e-6 * total) << r;
      for (std::uint32_t i = 0; i < cols; ++i) {
        const double wanted = std::exp(double{scale} * double{scores[r * cols + i]} - top) / total;
        EXPECT_NEAR(weights[r * cols + i] / double{sum(r)}, sees(r, i) ? wanted : 0.0, tolerance)
            << r << " " << i;
      }
    }
  }

  std::uint32_t rows, cols, seen_by_first = 0, window = 0;
  unsigned type = FR_TYPE_F32;
  std::vector<float> scores;
  std::vector<double> weights;
  std::vector<unsigned char> memory = std::vector<unsigned char>(memory_bytes, 0xff);  // NaN
};

}  // namespace

TEST(OnlineSoftmax, TileByTileIsTheSoftmaxOfAllColumns) {
  for (const std::uint32_t width : {1u, 7u, 64u, 100u, 210u}) {
    Tiles t(5, 210);
    t.seen_by_first = 206;
    for (std::uint32_t at = 0; at < t.cols; at += width) t.take(at, std::min(width, t.cols - at), at == 0);
    t.compare(1e-6);
  }
}
TEST(OnlineSoftmax, RowsSeeNothingOfTilesBehindThem) {
  Tiles t(6, 40);
  t.seen_by_first = 2;  // the last row sees 7 columns
  for (std::uint32_t at = 0; at < t.cols; at += 4) t.take(at, 4, at == 0);
  t.compare(1e-6);
}
/// Some rows see nothing of the first tile, nor of the second.
TEST(OnlineSoftmax, WindowsLeaveTilesOut) {
  for (const std::uint32_t window : {1u, 3u, 9u, 200u}) {
    Tiles t(12, 60);
    t.seen_by_first = 20, t.window = window;
    for (std::uint32_t at = 0; at < t.cols; at += 6) t.take(at, 6, at == 0);
    t.compare(1e-6);
  }
}
/// The sum is of what is not yet rounded to the type of the result.
TEST(OnlineSoftmax, GivesHalves) {
  Tiles t(3, 90);
  t.seen_by_first = 88, t.type = FR_TYPE_BF16;
  for (std::uint32_t at = 0; at < t.cols; at += 32) t.take(at, std::min(32u, t.cols - at), at == 0);
  t.compare(0.004);
}
TEST(OnlineSoftmax, ATileThatARowDoesNotSeeChangesNothing) {
  Tiles t(2, 8);
  t.seen_by_first = 4;
  t.take(0, 4, true);
  const float top = t.largest(0), sum = t.sum(0), second = t.sum(1);
  t.take(4, 4, false);
  EXPECT_EQ(t.largest(0), top);
  EXPECT_EQ(t.sum(0), sum);
  EXPECT_EQ(t.factor(0), 1.0F);
  EXPECT_NE(t.sum(1), second) << "it sees one column";
  for (std::uint32_t i = 4; i < 8; ++i) EXPECT_EQ(t.weights[i], 0.0);
}
TEST(OnlineSoftmax, NothingFiniteCountsAsNothing) {
  Tiles t(1, 12);
  t.seen_by_first = 12;
  for (std::uint32_t i = 0; i < 8; ++i) t.scores[i] = -INFINITY;
  t.take(0, 4, true);
  t.take(4, 4, false);
  EXPECT_EQ(t.largest(0), -INFINITY);
  EXPECT_EQ(t.sum(0), 0.0F);
  EXPECT_EQ(t.factor(0), 1.0F);
  t.take(8, 4, false);
  t.compare(1e-6);
  EXPECT_EQ(t.factor(0), 0.0F);
}
TEST(OnlineSoftmax, NanAndInfinityStay) {
  for (const float bad : {NAN, INFINITY}) {
    Tiles t(2, 12);
    t.seen_by_first = 11;
    t.scores[5] = bad;  // of the first row
    for (std::uint32_t at = 0; at < 12; at += 4) t.take(at, 4, at == 0);
    EXPECT_TRUE(std::isnan(t.sum(0)));
    EXPECT_FALSE(std::isnan(t.sum(1)));
    EXPECT_TRUE(std::isnan(bad) ? std::isnan(t.largest(0)) : std::isinf(t.largest(0)));
  }
  Tiles hidden(1, 12);
  hidden.seen_by_first = 5, hidden.scores[5] = NAN;
  hidden.take(0, 12, true);
  EXPECT_FALSE(std::isnan(hidden.sum(0))) << "of a column that is not seen";
}
TEST(OnlineSoftmax, TakesTwoPassesOfWhichOneIsSpecial) {
  Tiles t(3, 64);
  const auto cost = vector_cost(t.command(0, 64, true));
  EXPECT_EQ(cost.passes, 2u);
  EXPECT_EQ(cost.special, 1u);
  EXPECT_TRUE(cost.special_last);
  const VectorShape shape{.lanes = 64, .latency = 12, .special_factor = 4, .buffer_beats = 256};
  EXPECT_EQ(vector_cycles(shape, cost), 2 * 12u + 3 * 5u) << "5 cycles for 64 scores";
}
TEST(OnlineSoftmax, MovesScoresResultsAndState) {
  Tiles t(3, 64);
  t.type = FR_TYPE_BF16;
  EXPECT_EQ(vector_traffic(t.command(0, 64, true)).read, 3u * 256);
  EXPECT_EQ(vector_traffic(t.command(0, 64, false)).read, 3u * (256 + 4 + 4));
  EXPECT_EQ(vector_traffic(t.command(0, 64, false)).written, 3u * (128 + 8 + 4));
}
TEST(OnlineSoftmax, IsRefusedWithoutRoomForItsState) {
  const Tiles t(4, 8);
  const auto refused = [&](auto change) {
    auto c = t.command(0, 8, true);
    change(c);
    const auto fault = check_vector(c, memory_bytes);
    return fault ? fault->error : 0;
  };
  EXPECT_EQ(refused([](auto&) {}), 0u);
  EXPECT_EQ(refused([](auto& c) { c.b = memory_bytes - 28; }), unsigned{FR_ERROR_LOCAL_RANGE});
  EXPECT_EQ(refused([](auto& c) { c.c = memory_bytes - 12; }), unsigned{FR_ERROR_LOCAL_RANGE});
  EXPECT_EQ(refused([](auto& c) { c.b_type = FR_TYPE_F16; }), unsigned{FR_ERROR_COMMAND});
  EXPECT_EQ(refused([](auto& c) { c.c_type = FR_TYPE_BF16; }), unsigned{FR_ERROR_COMMAND});
}
