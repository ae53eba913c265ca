// SPDX-License-Identifier: Apache-2.0
// MATMUL_SCALED: bits against plain loops in the documented order, values against double precision.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "firmware/abi/registers.h"
#include "ip/base/numbers.hpp"
#include "ip/tensor/matmul.hpp"

using namespace forerun::ip;

namespace {

struct Case {
  unsigned m, n, k, group, a_type, b_type, a_scale, b_scale, b_zero, c_type, flags;
};

std::uint8_t u8(unsigned value) { return static_cast<std::uint8_t>(value); }
std::int32_t stride_of(unsigned type, unsigned columns) {
  return static_cast<std::int32_t>(row_bytes(type, columns));
}

constexpr std::uint32_t at_b = 0x40000, at_c = 0x80000, at_a_scale = 0xc0000, at_b_scale = 0xd0000,
                        at_b_zero = 0xe0000, memory_bytes = 0x100000;

fr_matmul_scaled command_of(const Case& p) {
  const unsigned groups = (p.k + p.group - 1) / p.group;
  const bool transposed = (p.flags & FR_MATMUL_B_TRANSPOSED) != 0;
  fr_matmul_scaled c{};
  c.b = at_b, c.c = at_c, c.a_scale = at_a_scale, c.b_scale = at_b_scale, c.b_zero = at_b_zero;
  c.m = p.m, c.n = p.n, c.k = p.k, c.group = p.group;
  c.a_type = u8(p.a_type), c.b_type = u8(p.b_type), c.c_type = u8(p.c_type), c.flags = u8(p.flags);
  c.a_scale_type = u8(p.a_scale), c.b_scale_type = u8(p.b_scale), c.b_zero_type = u8(p.b_zero);
  c.a_stride = stride_of(p.a_type, p.k) + 8;
  c.b_stride = stride_of(p.b_type, transposed ? p.k : p.n);
  c.c_stride = stride_of(p.c_type, p.n);
  c.a_scale_stride = stride_of(p.a_scale, groups);
  c.b_scale_stride = stride_of(p.b_scale, transposed ? groups : p.n);
  c.b_zero_stride = stride_of(p.b_zero, transposed ? groups : p.n);
  return c;
}

/// Random operands; `wild` scales take all codes of E8M0 but NaN.
std::vector<unsigned char> memory_for(const Case& p, bool wild) {
  std::vector<unsigned char> memory(memory_bytes);
  std::mt19937 random(p.m * 131 + p.n * 17 + p.k);
  std::normal_distribution<float> normal;
  const auto fill = [&](std::uint32_t at, std::uint32_t bytes, unsigned type, float deviation) {
    if (type == FR_NO_TYPE) return;
    std::vector<float> row(std::uint64_t{bytes} * 8 / element_bits(type));
    for (auto& value : row) value = deviation * normal(random);
    if (type == FR_TYPE_E8M0)
      for (auto& value : row)
        value = std::ldexp(
            1.0F, wild ? static_cast<int>(random() % 255) - 127 : static_cast<int>(random() % 9) - 4);
    write_row(type, row.data(), memory.data() + at, row.size());
  };
  const auto deviation = [](unsigned type) {
    return type == FR_TYPE_I8 ? 50.0F : type == FR_TYPE_I4 ? 4.0F : 1.0F;
  };
  fill(0, at_b, p.a_type, deviation(p.a_type));
  fill(at_b, at_c - at_b, p.b_type, deviation(p.b_type));
  fill(at_c, at_a_scale - at_c, p.c_type, 1);
  fill(at_a_scale, at_b_scale - at_a_scale, p.a_scale, 0.1F);
  fill(at_b_scale, at_b_zero - at_b_scale, p.b_scale, 0.1F);
  fill(at_b_zero, memory_bytes - at_b_zero, p.b_zero, deviation(p.b_zero));
  return memory;
}

/// Element `column` of a row, read alone.
float element(const std::vector<unsigned char>& memory, std::uint32_t base, std::int32_t stride,
              unsigned type, unsigned row, unsigned column) {
  std::vector<float> values(column + 1);
  read_row(type, memory.data() + base + static_cast<std::int64_t>(row) * stride, values.data(), column + 1);
  return values.back();
}

/// One output by definition.
float output(const fr_matmul_scaled& c, const std::vector<unsigned char>& memory, unsigned i, unsigned j,
             double& exact) {
  const bool transposed = (c.flags & FR_MATMUL_B_TRANSPOSED) != 0,
             integer = c.a_type == FR_TYPE_I8 || c.a_type == FR_TYPE_I4;
  const auto of_b = [&](std::uint32_t base, std::int32_t stride, unsigned type, unsigned k) {
    return transposed ? element(memory, base, stride, type, j, k) : element(memory, base, stride, type, k, j);
  };
  float out = (c.flags & FR_MATMUL_ACCUMULATE) != 0 ? element(memory, c.c, c.c_stride, c.c_type, i, j) : 0.0F;
  exact = static_cast<double>(out);
  for (unsigned group = 0; group * c.group < c.k; ++group) {
    float sum = 0, scale = 1;
    std::int64_t whole = 0;
    double part = 0;
    int exponent = 0;
    const float zero =
        c.b_zero_type != FR_NO_TYPE ? of_b(c.b_zero, c.b_zero_stride, c.b_zero_type, group) : 0.0F;
    for (unsigned k = group * c.group; k < std::min(c.k, (group + 1) * c.group); ++k) {
      const float a = element(memory, c.a, c.a_stride, c.a_type, i, k),
                  b = of_b(c.b, c.b_stride, c.b_type, k) - zero;
      if (integer)
        whole += static_cast<std::int64_t>(a) * static_cast<std::int64_t>(b);
      else
        sum = std::fma(a, b, sum);
      part += static_cast<double>(a) * static_cast<double>(b);
    }
    if (integer) sum = static_cast<float>(whole);
    const auto by = [&](unsigned type, float value) {
      if (type == FR_TYPE_E8M0)
        exponent += std::ilogb(value);
      else
        scale *= value;
      part *= static_cast<double>(value);
    };
    if (c.a_scale_type != FR_NO_TYPE)
      by(c.a_scale_type, element(memory, c.a_scale, c.a_scale_stride, c.a_scale_type, i, group));
    if (c.b_scale_type != FR_NO_TYPE)
      by(c.b_scale_type, of_b(c.b_scale, c.b_scale_stride, c.b_scale_type, group));
    out +=
        scale != 1 && exponent != 0 ? sum * std::ldexp(scale, exponent) : std::ldexp(sum * scale, exponent);
    exact += part;
  }
  return out;
}

void expect_bits(const Case& p, bool wild = false) {
  const auto c = command_of(p);
  auto memory = memory_for(p, wild);
  const auto before = memory;
  ASSERT_FALSE(check_matmul(c, memory.size()));
  matmul(c, memory);
  for (unsigned i = 0; i < p.m; ++i)
    for (unsigned j = 0; j < p.n; ++j) {
      double exact = 0;
      const float wanted = output(c, before, i, j, exact);
      unsigned char bytes[4];
      write_row(p.c_type, &wanted, bytes, 1);
      const auto* got =
          memory.data() + c.c + i * static_cast<unsigned>(c.c_stride) + j * element_bytes(p.c_type);
      ASSERT_EQ(std::memcmp(got, bytes, element_bytes(p.c_type)), 0)
          << i << "," << j << ": " << element(memory, c.c, c.c_stride, p.c_type, i, j) << " for " << wanted;
      if (!wild) {
        ASSERT_NEAR(static_cast<double>(wanted), exact, 1e-2 + 1e-4 * std::fabs(exact));
      }
    }
  std::fill(memory.begin() + at_c, memory.begin() + at_a_scale, 0);
  auto rest = before;
  std::fill(rest.begin() + at_c, rest.begin() + at_a_scale, 0);
  EXPECT_EQ(memory, rest) << "nothing but C is written";
}

class Scaled : public testing::TestWithParam<Case> {};
TEST_P(Scaled, FollowsTheDocumentedOrder) { expect_bits(GetParam()); }

constexpr unsigned none = FR_NO_TYPE, turned = FR_MATMUL_B_TRANSPOSED, more = FR_MATMUL_ACCUMULATE;
INSTANTIATE_TEST_SUITE_P(
    Weights4Bits, Scaled,
    testing::Values(
        Case{5, 70, 96, 32, FR_TYPE_BF16, FR_TYPE_I4, none, FR_TYPE_F16, none, FR_TYPE_F32, 0},
        Case{5, 70, 96, 32, FR_TYPE_F16, FR_TYPE_I4, none, FR_TYPE_F32, FR_TYPE_I4, FR_TYPE_F32, turned},
        Case{3, 131, 90, 64, FR_TYPE_BF16, FR_TYPE_I4, none, FR_TYPE_F16, FR_TYPE_I4, FR_TYPE_BF16, 0},
        Case{9, 33, 300, 128, FR_TYPE_I8, FR_TYPE_I4, FR_TYPE_F32, FR_TYPE_F16, none, FR_TYPE_F32, more},
        Case{2, 64, 600, 512, FR_TYPE_I8, FR_TYPE_I4, none, FR_TYPE_F16, FR_TYPE_I4, FR_TYPE_F32, turned},
        Case{4, 20, 50, 16, FR_TYPE_I8, FR_TYPE_I8, FR_TYPE_F32, FR_TYPE_F32, FR_TYPE_I8, FR_TYPE_F16, 0},
        Case{4, 20, 50, 16, FR_TYPE_I4, FR_TYPE_I4, FR_TYPE_F32, none, none, FR_TYPE_F32, 0},
        Case{1, 100, 77, 7, FR_TYPE_F32, FR_TYPE_I4, none, FR_TYPE_F32, FR_TYPE_I8, FR_TYPE_F32, more}));
INSTANTIATE_TEST_SUITE_P(Microscaling, Scaled,
                         testing::Values(Case{6, 40, 128, 32, FR_TYPE_F8E4M3, FR_TYPE_F8E4M3, FR_TYPE_E8M0,
                                              FR_TYPE_E8M0, none, FR_TYPE_F32, turned},
                                         Case{1, 70, 96, 32, FR_TYPE_F8E5M2, FR_TYPE_F8E4M3, FR_TYPE_E8M0,
                                              FR_TYPE_E8M0, none, FR_TYPE_F32, 0},
                                         Case{7, 33, 100, 32, FR_TYPE_F6E3M2, FR_TYPE_F6E2M3, FR_TYPE_E8M0,
                                              FR_TYPE_E8M0, none, FR_TYPE_F32, turned},
                                         Case{2, 80, 64, 32, FR_TYPE_F6E2M3, FR_TYPE_F6E3M2, FR_TYPE_E8M0,
                                              FR_TYPE_E8M0, none, FR_TYPE_BF16, 0},
                                         Case{5, 65, 160, 32, FR_TYPE_F4E2M1, FR_TYPE_F4E2M1, FR_TYPE_E8M0,
                                              FR_TYPE_E8M0, none, FR_TYPE_F32, turned | more},
                                         Case{4, 16, 64, 32, FR_TYPE_MXI8, FR_TYPE_MXI8, FR_TYPE_E8M0,
                                              FR_TYPE_E8M0, none, FR_TYPE_F32, 0},
                                         Case{4, 64, 64, 32, FR_TYPE_F8E4M3, FR_TYPE_F4E2M1, FR_TYPE_E8M0,
                                              FR_TYPE_E8M0, none, FR_TYPE_F32, turned},
                                         Case{3, 64, 96, 32, FR_TYPE_BF16, FR_TYPE_F4E2M1, none, FR_TYPE_E8M0,
                                              none, FR_TYPE_F32, turned}));
INSTANTIATE_TEST_SUITE_P(OtherScales, Scaled,
                         testing::Values(Case{5, 40, 256, 128, FR_TYPE_F8E4M3, FR_TYPE_F8E4M3, FR_TYPE_F32,
                                              FR_TYPE_F32, none, FR_TYPE_BF16, turned},
                                         Case{5, 40, 64, 16, FR_TYPE_F4E2M1, FR_TYPE_F4E2M1, FR_TYPE_F8E4M3,
                                              FR_TYPE_F8E4M3, none, FR_TYPE_F32, turned},
                                         Case{5, 40, 64, 32, FR_TYPE_F8E4M3, FR_TYPE_F4E2M1, FR_TYPE_F32,
                                              FR_TYPE_E8M0, none, FR_TYPE_F32, turned}));

TEST(ScaledExtremes, ExponentsAddWithoutOverflowBetween) {
  expect_bits(
      {4, 70, 256, 32, FR_TYPE_F8E5M2, FR_TYPE_F8E5M2, FR_TYPE_E8M0, FR_TYPE_E8M0, none, FR_TYPE_F32, turned},
      true);
  const Case p{1,    1,           32, 32, FR_TYPE_F8E4M3, FR_TYPE_F8E4M3, FR_TYPE_E8M0, FR_TYPE_E8M0,
               none, FR_TYPE_F32, 0};
  const auto c = command_of(p);
  std::vector<unsigned char> memory(memory_bytes, 0x38);  // all operands 1.0
  memory[at_a_scale] = 254, memory[at_b_scale] = 0;       // 2^127 * 2^-127
  matmul(c, memory);
  EXPECT_EQ(element(memory, at_c, 4, FR_TYPE_F32, 0, 0), 32.0F);
}

TEST(ScaledExtremes, ANanScaleMakesItsOutputsNan) {
  const Case p{2,    3,           64,    32, FR_TYPE_F8E4M3, FR_TYPE_F4E2M1, FR_TYPE_E8M0, FR_TYPE_E8M0,
               none, FR_TYPE_F32, turned};
  const auto c = command_of(p);
  auto memory = memory_for(p, false);
  memory[at_b_scale + 2 * 1 + 1] = 0xff;  // column 1, second group
  matmul(c, memory);
  for (unsigned i = 0; i < 2; ++i)
    for (unsigned j = 0; j < 3; ++j) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, memory.data() + at_c + i * 12 + j * 4, 4);
      EXPECT_EQ(bits == 0x7fc00000, j == 1) << i << "," << j;
    }
}

TEST(ScaledExtremes, NoKWritesZerosOrKeepsC) {
  for (const unsigned type : {FR_TYPE_I8, FR_TYPE_BF16})
    for (const unsigned flags : {0u, more}) {
      const Case p{3, 70, 0, 32, type, FR_TYPE_I4, none, FR_TYPE_F16, none, FR_TYPE_F32, flags};
      const auto c = command_of(p);
      auto memory = memory_for(p, false);
      auto wanted = memory;
      if (flags == 0) std::fill_n(wanted.begin() + at_c, 3 * 70 * 4, static_cast<unsigned char>(0));
      ASSERT_FALSE(check_matmul(c, memory.size()));
      matmul(c, memory);
      EXPECT_EQ(memory, wanted) << type;
    }
}

TEST(ScaledTiling, OfRowsColumnsAndGroupsGivesTheSameBits) {
  const Case p{6,           48,         160,         32, FR_TYPE_BF16, FR_TYPE_I4, FR_TYPE_F32,
               FR_TYPE_F16, FR_TYPE_I4, FR_TYPE_F32, 0};
  const auto whole = command_of(p);
  auto once = memory_for(p, false), tiled = once;
  matmul(whole, once);
  for (const unsigned m : {0u, 1u, 3u})
    for (const unsigned n : {0u, 16u})
      for (const unsigned k : {0u, 96u}) {
        auto c = whole;
        c.m = m == 0 ? 1 : m == 1 ? 2 : 3;
        c.n = n == 0 ? 16 : 32;
        c.k = k == 0 ? 96 : 64;
        const auto at = [](std::int64_t stride, unsigned row) {
          return static_cast<std::uint32_t>(stride * row);
        };
        c.a += at(c.a_stride, m) + k * 2;
        c.a_scale += at(c.a_scale_stride, m) + k / 32 * 4;
        c.b += at(c.b_stride, k) + n / 2;
        c.b_scale += at(c.b_scale_stride, k / 32) + n * 2;
        c.b_zero += at(c.b_zero_stride, k / 32) + n / 2;
        c.c += at(c.c_stride, m) + n * 4;
        if (k != 0) c.flags = FR_MATMUL_ACCUMULATE;
        ASSERT_FALSE(check_matmul(c, memory_bytes));
        matmul(c, tiled);
      }
  EXPECT_EQ(once, tiled);
}

TEST(ScaledTiling, AStrideOf0RepeatsARowOfScales) {
  const Case p{4,           20,          128,  64,          FR_TYPE_F8E4M3, FR_TYPE_F8E4M3,
               FR_TYPE_F32, FR_TYPE_F32, none, FR_TYPE_F32, turned};
  auto c = command_of(p);
  c.b_scale_stride = 0;
  auto memory = memory_for(p, false);
  auto copied = memory;
  for (unsigned j = 1; j < 20; ++j)
    std::memcpy(copied.data() + at_b_scale + 8 * j, copied.data() + at_b_scale, 8);
  auto spread = command_of(p);
  matmul(c, memory);
  matmul(spread, copied);
  EXPECT_EQ(std::memcmp(memory.data() + at_c, copied.data() + at_c, 4 * 20 * 4), 0);
}

TEST(ScaledCheck, RefusesWhatCannotBe) {
  const Case good{2, 4, 64, 32, FR_TYPE_BF16, FR_TYPE_I4, none, FR_TYPE_F16, FR_TYPE_I4, FR_TYPE_F32, 0};
  EXPECT_FALSE(check_matmul(command_of(good), memory_bytes));
  const auto refused = [&](auto change) {
    auto c = command_of(good);
    change(c);
    const auto fault = check_matmul(c, memory_bytes);
    return fault && fault->error == FR_ERROR_COMMAND;
  };
  EXPECT_TRUE(refused([](auto& c) { c.b_scale_type = FR_NO_TYPE; })) << "no scales at all";
  EXPECT_TRUE(refused([](auto& c) { c.b_scale_type = FR_TYPE_I8; })) << "integer scales";
  EXPECT_TRUE(refused([](auto& c) { c.b_scale_type = FR_TYPE_COUNT; })) << "unknown scales";
  EXPECT_TRUE(refused([](auto& c) { c.group = 0; }));
  EXPECT_TRUE(refused([](auto& c) { c.b_scale_type = FR_TYPE_E8M0, c.group = 64; })) << "MX blocks are of 32";
  EXPECT_TRUE(refused([](auto& c) { c.b_zero_type = FR_TYPE_F16; }));
  EXPECT_TRUE(refused([](auto& c) { c.b_type = FR_TYPE_F8E4M3; })) << "zero points of floats";
  EXPECT_TRUE(refused([](auto& c) { c.c_type = FR_TYPE_I32; }));
  EXPECT_TRUE(refused([](auto& c) { c.c_type = FR_TYPE_F8E4M3; }));
  EXPECT_TRUE(refused([](auto& c) { c.a_type = FR_TYPE_E8M0; }));
  EXPECT_TRUE(refused([](auto& c) { c.a_type = FR_TYPE_F8E4M3; })) << "8-bit float beside integer";
  EXPECT_TRUE(refused([](auto& c) { c.scale_reserved = 1; }));
  EXPECT_TRUE(refused([](auto& c) { c.c_type = FR_TYPE_BF16, c.flags = FR_MATMUL_ACCUMULATE; }));
  const auto outside = [&](auto change) {
    auto c = command_of(good);
    change(c);
    const auto fault = check_matmul(c, memory_bytes);
    return fault && fault->error == FR_ERROR_LOCAL_RANGE;
  };
  EXPECT_TRUE(outside([](auto& c) { c.b_scale = memory_bytes - 15; })) << "two rows of four F16";
  EXPECT_FALSE(outside([](auto& c) { c.b_scale = memory_bytes - 16; }));
  EXPECT_TRUE(outside([](auto& c) { c.b_zero = memory_bytes - 3; })) << "two rows of four I4";
  EXPECT_FALSE(outside([](auto& c) { c.b_zero = memory_bytes - 4; }));
  EXPECT_TRUE(outside([](auto& c) { c.b = memory_bytes - 127; })) << "64 rows of two bytes";
  EXPECT_FALSE(outside([](auto& c) { c.b = memory_bytes - 128; }));
}

}  // namespace
