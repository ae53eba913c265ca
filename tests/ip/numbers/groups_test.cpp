// SPDX-License-Identifier: Apache-2.0
// Group scales: what comes back is within half a step, zero is exact, and the scale is what its type can
// hold.
#include "ip/base/numbers/groups.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "firmware/abi/command.h"
#include "ip/base/numbers.hpp"

using namespace forerun::ip;

namespace {

int stored(float steps) {
  unsigned char byte = 0;
  write_row(FR_TYPE_I4, &steps, &byte, 1);
  float value = 0;
  read_row(FR_TYPE_I4, &byte, &value, 1);
  return static_cast<int>(value);
}

TEST(Groups, SymmetricKeepsTheLargestAndHalfAStep) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (const unsigned type : {FR_TYPE_F32, FR_TYPE_F16, FR_TYPE_BF16})
    for (int round = 0; round < 200; ++round) {
      std::vector<float> group(128);
      for (auto& value : group) value = 0.1F * normal(random);
      const auto by = symmetric_scale(group, 7, type);
      double most = 0;
      for (const float value : group) most = std::max(most, std::fabs(static_cast<double>(value)));
      const double scale = static_cast<double>(by.scale), unit = type == FR_TYPE_BF16  ? 0x1p-8
                                                                 : type == FR_TYPE_F16 ? 0x1p-11
                                                                                       : 0x1p-24;
      EXPECT_NEAR(scale, most / 7, most / 7 * unit * 1.001);
      EXPECT_EQ(by.zero, 0);
      for (const float value : group) {
        const double back = stored(to_steps(value, by)) * scale;
        // A scale rounded down leaves the largest a little beyond 7 steps.
        EXPECT_NEAR(back, static_cast<double>(value), scale / 2 + 7 * scale * unit);
      }
    }
}

TEST(Groups, AffineSpansTheRangeAndKeepsZeroExact) {
  std::mt19937 random(2);
  std::uniform_real_distribution<float> uniform(-0.2F, 1.0F);
  for (const unsigned type : {FR_TYPE_F32, FR_TYPE_F16})
    for (int round = 0; round < 200; ++round) {
      std::vector<float> group(64);
      for (auto& value : group) value = uniform(random);
      const auto by = affine_scale(group, 4, type);
      const double low = std::min(0.0F, *std::min_element(group.begin(), group.end()));
      const double high = std::max(0.0F, *std::max_element(group.begin(), group.end()));
      const double scale = static_cast<double>(by.scale);
      EXPECT_NEAR(scale, (high - low) / 15, scale * 0x1p-10);
      EXPECT_GE(by.zero, -8);
      EXPECT_LE(by.zero, 7);
      EXPECT_EQ(stored(to_steps(0, by)), by.zero);
      for (const float value : group)  // the zero point's own rounding moves the ends by up to half a step
        EXPECT_NEAR((stored(to_steps(value, by)) - by.zero) * scale, static_cast<double>(value),
                    scale * 1.01);
    }
}

TEST(Groups, OfZerosHaveNoScale) {
  const std::vector<float> zeros(16);
  EXPECT_EQ(symmetric_scale(zeros, 7, FR_TYPE_F16).scale, 0);
  EXPECT_EQ(affine_scale(zeros, 4, FR_TYPE_F16).scale, 0);
  EXPECT_EQ(to_steps(3.0F, {}), 0);
}

TEST(Groups, OfOneSignReachAllCodes) {
  const std::vector<float> group{1, 8, 15};
  const auto by = affine_scale(group, 4, FR_TYPE_F32);
  EXPECT_EQ(by.scale, 1);
  EXPECT_EQ(by.zero, -8);
  EXPECT_EQ(stored(to_steps(15, by)), 7);
  EXPECT_EQ(stored(to_steps(1, by)), -7);
}

}  // namespace
