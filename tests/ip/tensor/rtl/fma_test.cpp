// SPDX-License-Identifier: Apache-2.0
// The arithmetic of a cell against the host's fused multiply-add.
#include "tests/ip/tensor/rtl/fma.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "ip/base/numbers.hpp"

using namespace forerun;

namespace {

std::uint32_t host(unsigned format, std::uint16_t a, std::uint16_t w, std::uint32_t sum) {
  if (format == 0)
    return sum + static_cast<std::uint32_t>(static_cast<std::int8_t>(a & 0xff) *
                                            static_cast<std::int8_t>(w & 0xff));
  const auto value = [&](std::uint16_t bits) {
    return format == 1 ? ip::from_bfloat(bits) : ip::from_half(bits);
  };
  const float result = std::fma(value(a), value(w), std::bit_cast<float>(sum));
  return std::isnan(result) ? 0x7fc00000 : std::bit_cast<std::uint32_t>(result);
}

class CellArithmetic : public testing::TestWithParam<unsigned> {
 protected:
  void check(std::uint16_t a, std::uint16_t w, std::uint32_t sum) {
    const auto got = (*fma_)(GetParam(), a, w, sum), want = host(GetParam(), a, w, sum);
    ASSERT_EQ(got, want) << std::hex << "a " << a << " w " << w << " sum " << sum << " result " << got
                         << " host " << want;
    ++checked_;
  }
  std::unique_ptr<rtl::Fma> fma_ = rtl::Fma::make();
  std::uint64_t checked_ = 0;
};

class FloatArithmetic : public CellArithmetic {};

TEST_P(CellArithmetic, CornersMeetAllCorners) {
  const unsigned fraction = GetParam() == 1 ? 7 : 10, exponents = GetParam() == 1 ? 256 : 32;
  std::vector<std::uint16_t> operands;
  for (unsigned exponent = 0; exponent < exponents; ++exponent) {
    const bool edge = exponent < 3 || exponent + 3 >= exponents ||
                      (exponent + 2 >= exponents / 2 && exponent <= exponents / 2);
    if (!edge) continue;
    for (const unsigned bits : {0u, 1u, 2u, (1u << fraction) - 1, 1u << (fraction - 1), (1u << fraction) - 2})
      for (const unsigned sign : {0u, 0x8000u})
        operands.push_back(static_cast<std::uint16_t>(sign | exponent << fraction | bits));
  }
  std::vector<std::uint32_t> sums;
  for (const unsigned exponent :
       {0u, 1u, 2u, 23u, 24u, 25u, 102u, 103u, 104u, 126u, 127u, 128u, 150u, 151u, 253u, 254u, 255u})
    for (const unsigned bits : {0u, 1u, 0x7fffffu, 0x400000u, 0x3fffffu})
      for (const unsigned sign : {0u, 0x80000000u}) sums.push_back(sign | exponent << 23 | bits);
  for (const auto a : operands)
    for (const auto w : operands)
      for (const auto sum : sums) {
        check(a, w, sum);
        if (HasFatalFailure()) return;
      }
  EXPECT_GT(checked_, 900000u);
}

TEST_P(CellArithmetic, AnyBits) {
  std::mt19937 random(GetParam());
  for (int i = 0; i < 1000000; ++i) {
    const auto ab = random();
    check(static_cast<std::uint16_t>(ab), static_cast<std::uint16_t>(ab >> 16),
          static_cast<std::uint32_t>(random()));
    if (HasFatalFailure()) return;
  }
}

// Every pair of operands of 8 bits, with sums that wrap and that do not.
TEST(IntegerArithmetic, EveryPairOfOperands) {
  const auto fma = rtl::Fma::make();
  for (unsigned pair = 0; pair < 65536; ++pair)
    for (const std::uint32_t sum : {0u, 1u, 0x7fffffffu, 0x80000000u, 0xffffffffu, pair * 2654435761u}) {
      const auto a = static_cast<std::uint16_t>(pair & 0xff), w = static_cast<std::uint16_t>(pair >> 8);
      ASSERT_EQ((*fma)(0, a, w, sum), host(0, a, w, sum)) << a << " " << w << " " << sum;
    }
}

// Every operand as activation and as weight, against 12 others and four sums each.
TEST_P(FloatArithmetic, EveryOperand) {
  const std::uint16_t one = GetParam() == 1 ? 0x3f80 : 0x3c00, infinity = GetParam() == 1 ? 0x7f80 : 0x7c00;
  for (unsigned operand = 0; operand < 65536; ++operand)
    for (const unsigned other : {0u, 0x8000u, 1u, 0x8001u, one + 0u, one + 1u, one ^ 0x8000u, infinity - 1u,
                                 infinity + 0u, infinity ^ 0x8000u, infinity + 1u, one - 1u})
      for (const std::uint32_t sum : {0u, 0x80000000u, 0x3f800001u, 0xff7fffffu}) {
        check(static_cast<std::uint16_t>(operand), static_cast<std::uint16_t>(other), sum);
        check(static_cast<std::uint16_t>(other), static_cast<std::uint16_t>(operand), sum);
        if (HasFatalFailure()) return;
      }
}

// Sums close to the product, so that leading bits cancel, ties arise and the last bits decide.
TEST_P(FloatArithmetic, SumsCloseToTheProduct) {
  std::mt19937 random(GetParam() + 10);
  for (int i = 0; i < 1000000; ++i) {
    const auto ab = random();
    const auto a = static_cast<std::uint16_t>(ab), w = static_cast<std::uint16_t>(ab >> 16);
    const auto product = host(GetParam(), a, w, 0x80000000);
    const auto exponent = static_cast<int>(product >> 23 & 0xff) + static_cast<int>(random() % 60) - 30;
    const auto fraction =
        random() % 2 == 0 ? product & 0x7fffff : random() & (random() % 2 == 0 ? 0x7fffff : 0x7ff000);
    const auto sign = random() & 0x80000000;
    const auto near =
        static_cast<std::uint32_t>(product ^ 0x80000000) + static_cast<std::uint32_t>(random() % 5) - 2;
    check(a, w,
          i % 3 == 0 ? near
                     : static_cast<std::uint32_t>(
                           sign | static_cast<unsigned>(std::clamp(exponent, 0, 254)) << 23 | fraction));
    if (HasFatalFailure()) return;
  }
}

std::string format_name(const testing::TestParamInfo<unsigned>& info) {
  static const char* const names[] = {"int8", "bf16", "fp16"};
  return names[info.param];
}
INSTANTIATE_TEST_SUITE_P(Formats, CellArithmetic, testing::Values(0u, 1u, 2u), format_name);
INSTANTIATE_TEST_SUITE_P(Formats, FloatArithmetic, testing::Values(1u, 2u), format_name);

}  // namespace
