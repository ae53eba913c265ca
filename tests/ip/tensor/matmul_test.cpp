// SPDX-License-Identifier: Apache-2.0
// Bits against a plain loop in the documented order, values against double precision.
#include "ip/tensor/matmul.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <random>

#include "firmware/abi/registers.h"
#include "ip/base/numbers.hpp"

using namespace forerun::ip;

namespace {

struct Case {
  unsigned m, n, k, a_type, b_type, c_type, flags;
};
class Matmul : public testing::TestWithParam<Case> {};

float element(const std::vector<unsigned char>& memory, std::uint32_t base, std::int32_t stride,
              unsigned type, unsigned row, unsigned col) {
  std::vector<float> values(col + 1);
  read_row(type, memory.data() + base + static_cast<std::int64_t>(row) * stride, values.data(),
           values.size());
  return values.back();
}

TEST_P(Matmul, FollowsTheDocumentedOrder) {
  const auto& p = GetParam();
  std::vector<unsigned char> memory(1 << 20);
  std::mt19937 random(p.m * 131 + p.n * 17 + p.k);
  std::normal_distribution<float> normal;
  fr_matmul c{};
  c.a = 0, c.b = 0x40000, c.c = 0x80000;
  const bool transposed = (p.flags & FR_MATMUL_B_TRANSPOSED) != 0;
  c.a_stride = static_cast<std::int32_t>(row_bytes(p.a_type, p.k) + 8);
  c.b_stride = static_cast<std::int32_t>(row_bytes(p.b_type, transposed ? p.k : p.n));
  c.c_stride = static_cast<std::int32_t>(p.n * element_bytes(p.c_type));
  c.m = p.m, c.n = p.n, c.k = p.k;
  c.a_type = static_cast<std::uint8_t>(p.a_type), c.b_type = static_cast<std::uint8_t>(p.b_type);
  c.c_type = static_cast<std::uint8_t>(p.c_type), c.flags = static_cast<std::uint8_t>(p.flags);
  const auto fill = [&](std::uint32_t at, unsigned type, std::size_t bytes) {
    std::vector<float> values(bytes * 8 / element_bits(type));
    for (auto& value : values)
      value = type == FR_TYPE_I8   ? static_cast<float>(static_cast<int>(random() % 256) - 128)
              : type == FR_TYPE_I4 ? static_cast<float>(static_cast<int>(random() % 16) - 8)
                                   : normal(random);
    write_row(type, values.data(), memory.data() + at, values.size());
  };
  fill(c.a, p.a_type, 0x40000);
  fill(c.b, p.b_type, 0x40000);
  if (p.c_type != FR_TYPE_I32) fill(c.c, p.c_type, 0x40000);
  const auto before = memory;
  ASSERT_FALSE(check_matmul(c, memory.size()));
  matmul(c, memory);
  for (unsigned i = 0; i < p.m; ++i)
    for (unsigned j = 0; j < p.n; ++j) {
      const bool carry = (p.flags & FR_MATMUL_ACCUMULATE) != 0;
      double exact = 0;
      float acc = 0;
      if (carry && p.c_type == FR_TYPE_F32) acc = element(before, c.c, c.c_stride, p.c_type, i, j);
      exact = static_cast<double>(acc);
      double magnitude = std::fabs(exact);
      for (unsigned k = 0; k < p.k; ++k) {
        const float a = element(before, c.a, c.a_stride, p.a_type, i, k);
        const float b = transposed ? element(before, c.b, c.b_stride, p.b_type, j, k)
                                   : element(before, c.b, c.b_stride, p.b_type, k, j);
        acc = std::fma(a, b, acc);
        exact += static_cast<double>(a) * static_cast<double>(b);
        magnitude += std::fabs(static_cast<double>(a) * static_cast<double>(b));
      }
      const float got = element(memory, c.c, c.c_stride, p.c_type, i, j);
      if (p.c_type == FR_TYPE_I32) {
        ASSERT_EQ(static_cast<double>(got), exact);
        continue;
      }
      unsigned char expected[4], actual[4];
      write_row(p.c_type, &acc, expected, 1);
      write_row(p.c_type, &got, actual, 1);
      ASSERT_EQ(std::memcmp(expected, actual, element_bytes(p.c_type)), 0)
          << i << "," << j << ": " << got << " for " << acc;
      const double unit = p.c_type == FR_TYPE_F32 ? 1e-7 : p.c_type == FR_TYPE_F16 ? 1e-3 : 8e-3;
      ASSERT_NEAR(static_cast<double>(got), exact,
                  magnitude * unit * (p.c_type == FR_TYPE_F32 ? p.k : 1) + 1e-6);
    }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Matmul,
    testing::Values(Case{1, 64, 64, FR_TYPE_F32, FR_TYPE_F32, FR_TYPE_F32, 0},
                    Case{7, 100, 33, FR_TYPE_F32, FR_TYPE_F32, FR_TYPE_F32, 0},
                    Case{4, 65, 100, FR_TYPE_F16, FR_TYPE_F16, FR_TYPE_F32, FR_MATMUL_B_TRANSPOSED},
                    Case{3, 12, 70, FR_TYPE_BF16, FR_TYPE_BF16, FR_TYPE_BF16, 0},
                    Case{5, 130, 64, FR_TYPE_F16, FR_TYPE_F16, FR_TYPE_F16, 0},
                    Case{6, 20, 48, FR_TYPE_F16, FR_TYPE_I8, FR_TYPE_F32, 0},
                    Case{9, 40, 50, FR_TYPE_F32, FR_TYPE_F32, FR_TYPE_F32, FR_MATMUL_ACCUMULATE},
                    Case{8, 66, 96, FR_TYPE_I8, FR_TYPE_I8, FR_TYPE_I32, 0},
                    Case{2, 66, 96, FR_TYPE_I8, FR_TYPE_I8, FR_TYPE_I32, FR_MATMUL_B_TRANSPOSED},
                    Case{13, 70, 1500, FR_TYPE_I8, FR_TYPE_I8, FR_TYPE_I32, 0},
                    Case{1, 130, 700, FR_TYPE_BF16, FR_TYPE_BF16, FR_TYPE_F32, 0}));

INSTANTIATE_TEST_SUITE_P(
    NarrowTypes, Matmul,
    testing::Values(Case{4, 66, 300, FR_TYPE_F8E4M3, FR_TYPE_F8E4M3, FR_TYPE_F32, 0},
                    Case{1, 40, 50, FR_TYPE_F8E4M3, FR_TYPE_F8E5M2, FR_TYPE_BF16, FR_MATMUL_B_TRANSPOSED},
                    Case{6, 33, 64, FR_TYPE_F8E5M2, FR_TYPE_F8E5M2, FR_TYPE_F32, FR_MATMUL_ACCUMULATE},
                    Case{6, 33, 64, FR_TYPE_BF16, FR_TYPE_F8E4M3, FR_TYPE_F32, 0},
                    Case{3, 50, 65, FR_TYPE_F6E3M2, FR_TYPE_F6E2M3, FR_TYPE_F32, 0},
                    Case{3, 50, 65, FR_TYPE_F4E2M1, FR_TYPE_MXI8, FR_TYPE_F32, FR_MATMUL_B_TRANSPOSED},
                    Case{5, 65, 77, FR_TYPE_F16, FR_TYPE_I4, FR_TYPE_F32, 0},
                    Case{5, 65, 77, FR_TYPE_I8, FR_TYPE_I4, FR_TYPE_I32, FR_MATMUL_B_TRANSPOSED},
                    Case{5, 65, 77, FR_TYPE_I4, FR_TYPE_I4, FR_TYPE_I32, 0}));

TEST(MatmulWrap, IntegersWrapAtThirtyTwoBits) {
  std::vector<unsigned char> memory(1 << 20);
  fr_matmul c{};
  c.a_type = c.b_type = FR_TYPE_I8, c.c_type = FR_TYPE_I32,
  c.flags = FR_MATMUL_ACCUMULATE | FR_MATMUL_B_TRANSPOSED;
  c.m = c.n = 1, c.k = 300000;
  c.b = 300000, c.c = 600000;
  c.a_stride = c.b_stride = 300000, c.c_stride = 4;
  std::fill_n(memory.begin(), 600000, static_cast<unsigned char>(0x80));  // -128
  const std::int32_t start = 5;
  std::memcpy(memory.data() + c.c, &start, 4);
  ASSERT_FALSE(check_matmul(c, memory.size()));
  matmul(c, memory);
  std::int32_t got = 0;
  std::memcpy(&got, memory.data() + c.c, 4);
  EXPECT_EQ(static_cast<std::uint32_t>(got), static_cast<std::uint32_t>(300000ull * 16384 + 5));
}

TEST(MatmulSplit, AnyTilingOfKGivesTheSameBits) {
  std::vector<unsigned char> memory(1 << 16);
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (std::size_t i = 0; i < 8192; ++i) {
    const float v = normal(random);
    std::memcpy(memory.data() + 4 * i, &v, 4);
  }
  fr_matmul whole{};
  whole.b = 0x2000, whole.c = 0xa000;
  whole.a_stride = 400, whole.b_stride = whole.c_stride = 40;
  whole.m = 4, whole.n = 10, whole.k = 100;
  auto first = whole, second = whole;
  first.c = second.c = 0xc000;
  first.k = 37;
  second.k = 63;
  second.a += 37 * 4;
  second.b += 37 * 40;
  second.flags = FR_MATMUL_ACCUMULATE;
  matmul(whole, memory);
  matmul(first, memory);
  matmul(second, memory);
  EXPECT_EQ(std::memcmp(memory.data() + 0xa000, memory.data() + 0xc000, 160), 0);
}

TEST(MatmulCheck, RefusesBadTypesAndRanges) {
  fr_matmul c{};
  c.m = c.n = c.k = 4;
  c.a_stride = c.b_stride = c.c_stride = 16;
  EXPECT_FALSE(check_matmul(c, 64));
  EXPECT_EQ(check_matmul(c, 63)->error, static_cast<unsigned>(FR_ERROR_LOCAL_RANGE));
  c.a_type = FR_TYPE_U32;
  EXPECT_EQ(check_matmul(c, 64)->error, static_cast<unsigned>(FR_ERROR_COMMAND));
  for (const auto& [a, b, out] : {std::array{FR_TYPE_F8E4M3, FR_TYPE_BF16, FR_TYPE_F32},
                                  {FR_TYPE_F8E4M3, FR_TYPE_I4, FR_TYPE_F32},
                                  {FR_TYPE_I8, FR_TYPE_F8E4M3, FR_TYPE_F32},
                                  {FR_TYPE_I8, FR_TYPE_I4, FR_TYPE_F32},
                                  {FR_TYPE_E8M0, FR_TYPE_F8E4M3, FR_TYPE_F32},
                                  {FR_TYPE_F32, FR_TYPE_E8M0, FR_TYPE_F32},
                                  {FR_TYPE_F8E4M3, FR_TYPE_F8E4M3, FR_TYPE_F8E4M3},
                                  {FR_TYPE_F8E4M3, FR_TYPE_F8E4M3, FR_TYPE_I32}}) {
    c.a_type = static_cast<std::uint8_t>(a), c.b_type = static_cast<std::uint8_t>(b),
    c.c_type = static_cast<std::uint8_t>(out);
    EXPECT_EQ(check_matmul(c, 64)->error, static_cast<unsigned>(FR_ERROR_COMMAND))
        << a << " " << b << " " << out;
  }
  c.b_type = c.c_type = FR_TYPE_F32;
  c.a_type = FR_TYPE_F32, c.a_stride = -16;
  EXPECT_EQ(check_matmul(c, 64)->error, static_cast<unsigned>(FR_ERROR_LOCAL_RANGE));
}

}  // namespace
