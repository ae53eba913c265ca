// SPDX-License-Identifier: Apache-2.0
// Against the compiler's own binary16 (_Float16), which shares nothing with ours.
#include "ip/base/numbers.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "firmware/abi/command.h"

using namespace forerun::ip;

namespace {

__extension__ typedef _Float16 Half;

TEST(Numbers, EveryHalfBecomesTheSameFloat) {
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float ours = from_half(half), theirs = static_cast<float>(std::bit_cast<Half>(half));
    if (std::isnan(theirs)) {
      EXPECT_TRUE(std::isnan(ours));
    } else {
      EXPECT_EQ(std::bit_cast<std::uint32_t>(ours), std::bit_cast<std::uint32_t>(theirs)) << bits;
      EXPECT_EQ(to_half(ours), half);
    }
  }
}

TEST(Numbers, FloatsRoundToHalfLikeTheCompilers) {
  std::mt19937 random(1);
  for (int i = 0; i < 2000000; ++i) {
    // Exponents around the range of binary16, so that ties, subnormals and overflow are all met.
    const auto bits = static_cast<std::uint32_t>((random() & 0x807fffff) | (100 + random() % 45) << 23);
    const float value = std::bit_cast<float>(i % 4 == 0 ? bits & 0xfffff000 : bits);
    ASSERT_EQ(to_half(value), std::bit_cast<std::uint16_t>(static_cast<Half>(value))) << value;
  }
}

TEST(Numbers, BfloatRoundsToNearestEven) {
  std::mt19937 random(2);
  for (int i = 0; i < 200000; ++i) {
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (!std::isfinite(value)) continue;
    const float down = std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) & 0xffff0000);
    const float up = std::bit_cast<float>((std::bit_cast<std::uint32_t>(value) & 0xffff0000) + 0x10000);
    const auto rounded = to_bfloat(value);
    const double below = std::fabs(static_cast<double>(value) - static_cast<double>(down));
    const double above = std::fabs(static_cast<double>(up) - static_cast<double>(value));
    if (!std::isfinite(up)) continue;
    if (below != above) {
      EXPECT_EQ(from_bfloat(rounded), below < above ? down : up) << value;
    } else {
      EXPECT_EQ(rounded & 1, 0) << value;
    }
  }
}

TEST(Numbers, IntegersRoundToEvenAndSaturate) {
  const float values[] = {0.5F, 1.5F, -0.5F, -2.5F, 127.4F, 127.5F, 1e9F, -1e9F, NAN};
  const int expected[] = {0, 2, 0, -2, 127, 127, 127, -128, 0};
  unsigned char bytes[9];
  write_row(FR_TYPE_I8, values, bytes, 9);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(static_cast<std::int8_t>(bytes[i]), expected[i]) << values[i];
}

}  // namespace
