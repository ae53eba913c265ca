// SPDX-License-Identifier: Apache-2.0
// Conversions to and from the narrow number formats as vector commands.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>

#include "firmware/abi/registers.h"
#include "ip/base/numbers.hpp"
#include "ip/base/numbers/microscaling.hpp"
#include "ip/vector/operations.hpp"

using namespace forerun::ip;

namespace {

constexpr std::uint32_t at_a = 0, at_b = 0x4000, at_c = 0x8000, at_d = 0xc000, memory_bytes = 0x10000;

/// A command over rows x cols; sources and destination lie densely in their own type.
struct Bench {
  Bench(unsigned op, std::uint32_t row_count, std::uint32_t col_count, unsigned d_type)
      : rows(row_count), cols(col_count) {
    command.op = static_cast<std::uint8_t>(op), command.d_type = static_cast<std::uint8_t>(d_type);
    command.rows = rows, command.cols = cols;
    command.a = at_a, command.b = at_b, command.c = at_c, command.d = at_d;
    command.a_stride = static_cast<std::int32_t>(cols * 4);
    command.d_stride = static_cast<std::int32_t>(row_bytes(d_type, cols));
    std::mt19937 random(op + cols);
    std::normal_distribution<float> normal(0, 3);
    values.resize(std::size_t{rows} * cols);
    for (auto& value : values) value = normal(random);
    place();
  }
  void place() { std::memcpy(memory.data(), values.data(), values.size() * 4); }
  void run() {
    ASSERT_FALSE(check_vector(command, memory.size()));
    vector_operation(command, memory);
  }
  std::vector<float> row(unsigned type, std::uint32_t base, std::int32_t stride, std::uint32_t number,
                         std::uint32_t count) const {
    std::vector<float> list(count);
    read_row(type, memory.data() + base + static_cast<std::int64_t>(number) * stride, list.data(), count);
    return list;
  }
  std::vector<float> result(std::uint32_t number) const {
    return row(command.d_type, at_d, command.d_stride, number, cols);
  }

  std::uint32_t rows, cols;
  std::vector<float> values;
  std::vector<unsigned char> memory = std::vector<unsigned char>(memory_bytes);
  fr_vector command{};
};

TEST(VectorFormats, CopyConvertsRowsOfEveryNarrowType) {
  for (const unsigned type : {FR_TYPE_F8E4M3, FR_TYPE_F8E5M2, FR_TYPE_I4, FR_TYPE_F6E3M2, FR_TYPE_F6E2M3,
                              FR_TYPE_F4E2M1, FR_TYPE_MXI8}) {
    Bench bench(FR_VECTOR_COPY, 3, 37, type);
    bench.run();
    for (std::uint32_t r = 0; r < bench.rows; ++r) {
      std::vector<unsigned char> bytes(row_bytes(type, bench.cols));
      write_row(type, &bench.values[std::size_t{r} * bench.cols], bytes.data(), bench.cols);
      EXPECT_EQ(std::memcmp(bytes.data(), bench.memory.data() + at_d + r * bytes.size(), bytes.size()), 0)
          << type;
    }
    // And back to binary32, from the narrow rows.
    Bench back(FR_VECTOR_COPY, 3, 37, FR_TYPE_F32);
    back.memory = bench.memory;
    back.command.a_type = static_cast<std::uint8_t>(type), back.command.a_stride = bench.command.d_stride;
    back.command.a = at_d, back.command.d = at_b;
    back.run();
    for (std::uint32_t r = 0; r < 3; ++r)
      EXPECT_EQ(back.row(FR_TYPE_F32, at_b, back.command.d_stride, r, 37), bench.result(r)) << type;
  }
}

TEST(VectorFormats, OverflowSaturatesUnlessAskedOtherwise) {
  for (const bool special : {false, true})
    for (const unsigned type : {FR_TYPE_F8E4M3, FR_TYPE_F8E5M2}) {
      Bench bench(FR_VECTOR_COPY, 1, 2, type);
      bench.values = {1e6F, -1e6F};
      bench.place();
      bench.command.flags = special ? FR_VECTOR_FLAG_OVERFLOW : 0;
      bench.run();
      const auto got = bench.result(0);
      const float most = type == FR_TYPE_F8E4M3 ? 448.0F : 57344.0F;
      for (const unsigned i : {0u, 1u}) {
        const float sign = i == 0 ? 1.0F : -1.0F;
        if (!special)
          EXPECT_EQ(got[i], sign * most);
        else if (type == FR_TYPE_F8E4M3)
          EXPECT_TRUE(std::isnan(got[i]));
        else
          EXPECT_EQ(got[i], sign * INFINITY);
      }
    }
}

TEST(VectorFormats, QuantizeByGroupsThenDequantizeStaysWithinHalfAStep) {
  struct Kind {
    unsigned type;
    double top, error;  // of a step for integers, relative for floats
  };
  for (const auto& kind : {Kind{FR_TYPE_I8, 127, 0.51}, Kind{FR_TYPE_I4, 7, 0.51},
                           Kind{FR_TYPE_F8E4M3, 448, 0x1p-4}, Kind{FR_TYPE_F8E5M2, 57344, 0x1p-3}})
    for (const unsigned group : {0u, 32u, 48u})
      for (const unsigned scale_type : {FR_TYPE_F32, FR_TYPE_F16}) {
        Bench bench(FR_VECTOR_QUANTIZE, 2, 100, kind.type);
        const std::uint32_t width = group == 0 ? 100 : group, groups = (100 + width - 1) / width;
        bench.command.arg0 = group, bench.command.c_type = static_cast<std::uint8_t>(scale_type);
        bench.command.c_stride = static_cast<std::int32_t>(row_bytes(scale_type, groups));
        bench.run();
        Bench back(FR_VECTOR_DEQUANTIZE_GROUPS, 2, 100, FR_TYPE_F32);
        back.memory = bench.memory;
        back.command.a_type = bench.command.d_type, back.command.a = at_d,
        back.command.a_stride = bench.command.d_stride;
        back.command.b_type = static_cast<std::uint8_t>(scale_type), back.command.b = at_c;
        back.command.b_stride = bench.command.c_stride, back.command.arg0 = width;
        back.command.d = at_b;
        back.run();
        for (std::uint32_t r = 0; r < 2; ++r) {
          const auto scales = bench.row(scale_type, at_c, bench.command.c_stride, r, groups);
          const auto got = back.row(FR_TYPE_F32, at_b, back.command.d_stride, r, 100);
          for (std::uint32_t g = 0; g < groups; ++g) {
            double most = 0;
            for (std::uint32_t i = g * width; i < std::min(100u, (g + 1) * width); ++i)
              most = std::max(most, std::fabs(static_cast<double>(bench.values[r * 100 + i])));
            const double scale = static_cast<double>(scales[g]);
            // A small scale is a subnormal of binary16, with a last place of 2^-24.
            const double rounding = scale_type == FR_TYPE_F32 ? 1e-7 : 0x1p-11 + 0x1p-25 / scale;
            EXPECT_NEAR(scale, most / kind.top, scale * rounding * 1.01);
            for (std::uint32_t i = g * width; i < std::min(100u, (g + 1) * width); ++i) {
              const double value = static_cast<double>(bench.values[r * 100 + i]);
              const bool whole = kind.type == FR_TYPE_I8 || kind.type == FR_TYPE_I4;
              const double allowed =
                  (whole ? scale * kind.error : std::fabs(value) * kind.error + scale * 0x1p-9) +
                  most * rounding * 1.01;
              EXPECT_NEAR(static_cast<double>(got[i]), value, allowed) << kind.type << " group " << group;
            }
          }
        }
      }
}

TEST(VectorFormats, DequantizesWithZeroPoints) {
  Bench bench(FR_VECTOR_DEQUANTIZE_GROUPS, 1, 6, FR_TYPE_F32);
  const float codes[] = {-8, -7, 7, 3, 0, -1}, scales[] = {0.5F, 2}, zeros[] = {-8, 3};
  write_row(FR_TYPE_I4, codes, bench.memory.data() + at_a, 6);
  write_row(FR_TYPE_F16, scales, bench.memory.data() + at_b, 2);
  write_row(FR_TYPE_I4, zeros, bench.memory.data() + at_c, 2);
  bench.command.a_type = bench.command.c_type = FR_TYPE_I4, bench.command.b_type = FR_TYPE_F16;
  bench.command.arg0 = 3, bench.command.flags = FR_VECTOR_FLAG_ZERO_POINTS;
  bench.run();
  EXPECT_EQ(bench.result(0), (std::vector<float>{0, 0.5F, 7.5F, 0, -6, -8}));
  EXPECT_EQ(vector_traffic(bench.command).read, 3u + 4 + 1);
  bench.command.flags = 0;
  bench.run();
  EXPECT_EQ(bench.result(0), (std::vector<float>{-4, -3.5F, 3.5F, 6, 0, -2}));
  EXPECT_EQ(vector_traffic(bench.command).read, 3u + 4);
}

TEST(VectorFormats, QuantizesMicroscalingBlocks) {
  for (const unsigned type :
       {FR_TYPE_F8E4M3, FR_TYPE_F8E5M2, FR_TYPE_F6E3M2, FR_TYPE_F6E2M3, FR_TYPE_F4E2M1, FR_TYPE_MXI8}) {
    Bench bench(FR_VECTOR_QUANTIZE_MX, 2, 72, type);  // two blocks and a quarter
    bench.values[40] = 1e5F;
    bench.values[72] = NAN;
    bench.place();
    bench.command.c_stride = 3;
    bench.run();
    EXPECT_EQ(vector_traffic(bench.command).written, 2 * (row_bytes(type, 72) + 3));
    for (std::uint32_t r = 0; r < 2; ++r) {
      const auto elements = bench.result(r);
      for (std::uint32_t g = 0; g < 3; ++g) {
        const std::span<const float> block(&bench.values[r * 72 + g * 32], g == 2 ? 8 : 32);
        const auto scale = bench.memory[at_c + r * 3 + g];
        EXPECT_EQ(scale, mx_scale(type, block)) << type;
        EXPECT_EQ(scale == e8m0_nan, r == 1 && g == 0);
        if (scale == e8m0_nan) continue;
        double most = 0;
        for (const float value : block) most = std::max(most, std::fabs(static_cast<double>(value)));
        for (std::size_t i = 0; i < block.size(); ++i) {
          const double back =
              static_cast<double>(elements[g * 32 + i]) * static_cast<double>(from_e8m0(scale));
          // The coarsest, E2M1, has a last place of 1/4 of the block's largest power of two, and cuts 8 down
          // to 6.
          EXPECT_NEAR(back, static_cast<double>(block[i]), most / 4) << type;
        }
      }
    }
  }
}

TEST(VectorFormats, TransposesAndCountsInPackedRows) {
  Bench bench(FR_VECTOR_TRANSPOSE, 5, 7, FR_TYPE_I4);
  bench.command.d_stride = 3;  // rows of 5 elements
  bench.run();
  for (std::uint32_t i = 0; i < 7; ++i) {
    const auto got = bench.row(FR_TYPE_I4, at_d, 3, i, 5);
    for (std::uint32_t r = 0; r < 5; ++r)
      EXPECT_EQ(static_cast<double>(got[r]),
                std::clamp(std::nearbyint(static_cast<double>(bench.values[r * 7 + i])), -8.0, 7.0));
  }
  Bench count(FR_VECTOR_CONCAT_COUNT, 1, 5, FR_TYPE_I4);
  count.command.arg0 = 3;
  count.run();
  EXPECT_EQ(count.result(0), (std::vector<float>{3, 4, 5, 6, 7}));
}

TEST(VectorFormats, RefusesWhatCannotBe) {
  const auto refused = [](unsigned op, auto change) {
    Bench bench(op, 2, 64, FR_TYPE_F8E4M3);
    bench.command.c_stride = 2, bench.command.arg0 = 32;
    change(bench.command);
    const auto fault = check_vector(bench.command, memory_bytes);
    return fault ? fault->error : 0;
  };
  const auto keep = [](fr_vector&) {};
  EXPECT_EQ(refused(FR_VECTOR_QUANTIZE, keep), 0u);
  EXPECT_EQ(refused(FR_VECTOR_QUANTIZE, [](auto& c) { c.d_type = FR_TYPE_F16; }), unsigned{FR_ERROR_COMMAND});
  EXPECT_EQ(refused(FR_VECTOR_QUANTIZE, [](auto& c) { c.d_type = FR_TYPE_F4E2M1; }),
            unsigned{FR_ERROR_COMMAND});
  EXPECT_EQ(refused(FR_VECTOR_QUANTIZE, [](auto& c) { c.c_type = FR_TYPE_I8; }), unsigned{FR_ERROR_COMMAND});
  EXPECT_EQ(refused(FR_VECTOR_QUANTIZE, [](auto& c) { c.c = memory_bytes - 9; }),
            unsigned{FR_ERROR_LOCAL_RANGE})
      << "two scales a row";
  EXPECT_EQ(refused(FR_VECTOR_QUANTIZE_MX, keep), 0u);
  EXPECT_EQ(refused(FR_VECTOR_QUANTIZE_MX, [](auto& c) { c.d_type = FR_TYPE_I8; }),
            unsigned{FR_ERROR_COMMAND});
  EXPECT_EQ(refused(FR_VECTOR_QUANTIZE_MX, [](auto& c) { c.c = memory_bytes - 3; }),
            unsigned{FR_ERROR_LOCAL_RANGE});
  EXPECT_EQ(refused(FR_VECTOR_DEQUANTIZE_GROUPS, keep), 0u);
  EXPECT_EQ(refused(FR_VECTOR_DEQUANTIZE_GROUPS, [](auto& c) { c.arg0 = 0; }), unsigned{FR_ERROR_COMMAND});
  EXPECT_EQ(refused(FR_VECTOR_COPY, [](auto& c) { c.reserved = 1; }), unsigned{FR_ERROR_COMMAND});
  // Flags that mean nothing for the operation.
  for (const auto& [op, flag] :
       {std::pair{FR_VECTOR_COPY, FR_VECTOR_FLAG_B_SCALAR}, std::pair{FR_VECTOR_ADD, FR_VECTOR_FLAG_C_SCALAR},
        std::pair{FR_VECTOR_ROPE, FR_VECTOR_FLAG_B_SCALAR},
        std::pair{FR_VECTOR_ADD, FR_VECTOR_FLAG_INTERLEAVED},
        std::pair{FR_VECTOR_DEQUANTIZE, FR_VECTOR_FLAG_ZERO_POINTS},
        std::pair{FR_VECTOR_SOFTMAX, FR_VECTOR_FLAG_FIRST}})
    EXPECT_EQ(refused(op, [flag = flag](auto& c) { c.flags = static_cast<std::uint8_t>(flag); }),
              unsigned{FR_ERROR_COMMAND})
        << +op << ' ' << +flag;
  const auto overflows = [](auto& c) { c.d_type = FR_TYPE_F16, c.flags = FR_VECTOR_FLAG_OVERFLOW; };
  EXPECT_EQ(refused(FR_VECTOR_ADD, overflows), unsigned{FR_ERROR_COMMAND});
  EXPECT_EQ(refused(FR_VECTOR_COPY, [](auto& c) { c.flags = 64; }), unsigned{FR_ERROR_COMMAND});
}

}  // namespace
