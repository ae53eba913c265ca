// SPDX-License-Identifier: Apache-2.0
// Blocks of OCP MX 1.0 section 6.3 against the rule written in powers of two found by search, and rounding by
// definition.
#include "ip/base/numbers/microscaling.hpp"

#include <gtest/gtest.h>

#include <random>

#include "ip/base/numbers.hpp"
#include "tests/ip/numbers/oracle.hpp"

using namespace forerun;
using namespace forerun::ip;

namespace {

/// MX 1.0 tables: emax of each element type.
const std::pair<unsigned, int> types[] = {{FR_TYPE_F8E4M3, 8}, {FR_TYPE_F8E5M2, 15}, {FR_TYPE_F6E3M2, 4},
                                          {FR_TYPE_F6E2M3, 2}, {FR_TYPE_F4E2M1, 2},  {FR_TYPE_MXI8, 0}};

/// The exponent of the largest power of two that is not above a value, by trying.
int power_below(double value) {
  int exponent = -200;
  while (std::ldexp(1.0, exponent + 1) <= value) ++exponent;
  return exponent;
}

double nearest(unsigned type, double value) {
  if (type == FR_TYPE_MXI8) return std::clamp(std::nearbyint(value * 64), -127.0, 127.0) / 64;
  for (const auto& format : oracle::formats())
    if (format.type == type) {
      const oracle::Rounder rounder(format);
      const unsigned code = rounder.code(value, true);
      return std::copysign(rounder.finite()[code & (format.sign() - 1)], value);
    }
  return NAN;
}

void expect_block(unsigned type, int emax, const std::vector<float>& block) {
  double most = 0;
  for (const float value : block) most = std::max(most, std::fabs(static_cast<double>(value)));
  const int exponent = most == 0 ? -127 : std::max(power_below(most) - emax, -127);
  const auto scale = mx_scale(type, block);
  ASSERT_EQ(scale, exponent + 127) << "type " << type << " largest " << most;
  std::vector<float> divided(block.size()), back(block.size());
  mx_divide(scale, block, divided.data());
  std::vector<unsigned char> bytes(row_bytes(type, block.size()));
  write_row(type, divided.data(), bytes.data(), block.size());
  read_row(type, bytes.data(), back.data(), block.size());
  for (std::size_t i = 0; i < block.size(); ++i) {
    const double exact = std::ldexp(static_cast<double>(block[i]), -exponent);
    ASSERT_EQ(static_cast<double>(back[i]), nearest(type, exact)) << "type " << type << " value " << block[i];
  }
}

TEST(Microscaling, TheLargestPowerOfTwoOfEachElementTypeIsTheTables) {
  for (const auto& [type, emax] : types) {
    EXPECT_EQ(mx_emax(type), emax);
    EXPECT_TRUE(is_mx_element(type));
  }
  for (const unsigned type : {FR_TYPE_F32, FR_TYPE_BF16, FR_TYPE_I8, FR_TYPE_I4, FR_TYPE_E8M0})
    EXPECT_FALSE(is_mx_element(type));
}

TEST(Microscaling, BlocksFollowTheRule) {
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  for (const auto& [type, emax] : types)
    for (int exponent = -149; exponent < 128; exponent += 3)
      for (int round = 0; round < 3; ++round) {
        std::vector<float> block(mx_block);
        for (auto& value : block) {
          value = std::ldexp(normal(random), exponent);
          if (std::isinf(value)) value = 0x1.fffffep127F;
        }
        ASSERT_NO_FATAL_FAILURE(expect_block(type, emax, block));
      }
}

TEST(Microscaling, TheLargestElementSaturatesWhenItsFractionIsTooLong) {
  // 7.9 has the exponent of 4, so E2M1 is asked for 7.9, beyond its 6.
  const std::vector<float> block{7.9F, -7.9F, 1};
  EXPECT_EQ(mx_scale(FR_TYPE_F4E2M1, block), 127);
  for (const auto& [type, emax] : types) expect_block(type, emax, block);
}

TEST(Microscaling, ZerosHaveTheSmallestScaleAndWhatIsNotFiniteMakesItNan) {
  const std::vector<float> zeros(32);
  for (const auto& [type, emax] : types) {
    EXPECT_EQ(mx_scale(type, zeros), 0);
    expect_block(type, emax, zeros);
    for (const float value : {NAN, INFINITY, -INFINITY}) {
      std::vector<float> block(32, 1.0F), divided(32);
      block[17] = value;
      const auto scale = mx_scale(type, block);
      EXPECT_EQ(scale, e8m0_nan);
      mx_divide(scale, block, divided.data());
      EXPECT_EQ(divided, zeros);
    }
  }
}

}  // namespace
