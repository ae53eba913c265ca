// SPDX-License-Identifier: Apache-2.0
// Every encoding of every format of at most 16 bits, and every place where rounding changes its mind, against
// rounding by definition (oracle.hpp); binary16 also against the compiler's own.
#include <gtest/gtest.h>

#include <cfenv>
#include <cstring>

#include "ip/base/numbers.hpp"
#include "ip/base/numbers/microscaling.hpp"
#include "ip/base/numbers/packing.hpp"
#include "tests/ip/numbers/oracle.hpp"

using namespace forerun;
using namespace forerun::ip;

namespace {

__extension__ typedef _Float16 Half;

unsigned write(unsigned type, float value, Overflow overflow = Overflow::saturate) {
  unsigned char bytes[4] = {};
  write_row(type, &value, bytes, 1, overflow);
  return bytes[0] | static_cast<unsigned>(bytes[1]) << 8;
}

float read(unsigned type, unsigned code) {
  const unsigned char bytes[4] = {static_cast<unsigned char>(code), static_cast<unsigned char>(code >> 8)};
  float value = 0;
  read_row(type, bytes, &value, 1);
  return value;
}

class Exhaustive : public testing::TestWithParam<oracle::Format> {};

TEST_P(Exhaustive, TheTablesOfTheSpecificationAgreeWithTheirFormula) {
  const auto& format = GetParam();
  const oracle::Rounder rounder(format);
  EXPECT_EQ(rounder.finite().back(), format.largest);
  EXPECT_EQ(rounder.finite()[1], format.smallest_subnormal);
  EXPECT_EQ(rounder.finite()[1u << format.fraction_bits], format.smallest_normal);
  EXPECT_TRUE(std::is_sorted(rounder.finite().begin(), rounder.finite().end()));
  EXPECT_EQ(element_bits(format.type), format.bits());
}

TEST_P(Exhaustive, EveryCodeHasItsValueAndComesBack) {
  const auto& format = GetParam();
  const auto values = oracle::values(format);
  for (unsigned code = 0; code < 2 * format.sign(); ++code) {
    const unsigned magnitude = code & (format.sign() - 1);
    const double sign = code >= format.sign() ? -1 : 1;
    const float value = read(format.type, code);
    if (format.infinity != 0 && magnitude == format.infinity) {
      ASSERT_EQ(static_cast<double>(value), sign * INFINITY) << code;
      ASSERT_EQ(write(format.type, value, Overflow::special), code);
    } else if (std::isnan(values[magnitude])) {
      if (format.type == FR_TYPE_BF16)  // its upper half is kept
        ASSERT_TRUE(std::isnan(value)) << code;
      else
        ASSERT_EQ(std::bit_cast<std::uint32_t>(value), 0x7fc00000u) << code;
      ASSERT_EQ(write(format.type, value), format.canonical_nan) << code;
    } else {
      ASSERT_EQ(static_cast<double>(value), sign * values[magnitude]) << code;
      ASSERT_EQ(std::signbit(value), sign < 0) << code;
      ASSERT_EQ(write(format.type, value), code);
      ASSERT_EQ(write(format.type, value, Overflow::special), code);
    }
  }
}

TEST_P(Exhaustive, EveryTieAndItsNeighboursRoundAsDefined) {
  const auto& format = GetParam();
  const oracle::Rounder rounder(format);
  const bool wide = format.bits() == 16;  // these have no saturating conversion
  const auto count = oracle::for_hard_cases(rounder, [&](float value) {
    for (const bool saturate : {false, true}) {
      if (wide && saturate) continue;
      const unsigned got = write(format.type, value, saturate ? Overflow::saturate : Overflow::special);
      ASSERT_EQ(got, rounder.code(static_cast<double>(value), saturate))
          << value << (saturate ? " saturating" : "");
    }
  });
  EXPECT_GT(count, 393'000u);
  RecordProperty("cases", static_cast<int>(count));
}

INSTANTIATE_TEST_SUITE_P(Formats, Exhaustive, testing::ValuesIn(oracle::formats()),
                         [](const auto& one) { return one.param.name; });

TEST(ExhaustiveHalf, HardCasesRoundLikeTheCompilers) {
  for (const auto& format : oracle::formats()) {
    if (format.type != FR_TYPE_F16) continue;
    oracle::for_hard_cases(oracle::Rounder(format), [&](float value) {
      if (!std::isnan(value)) {
        ASSERT_EQ(to_half(value), std::bit_cast<std::uint16_t>(static_cast<Half>(value))) << value;
      }
    });
  }
}

TEST(ExhaustiveSingle, EveryExponentIsKeptAndNanIsCanonical) {
  for (std::uint32_t upper = 0; upper < 0x10000; ++upper) {
    const std::uint32_t bits = upper << 16 | 0x1234;
    const float value = std::bit_cast<float>(bits);
    unsigned char bytes[4];
    write_row(FR_TYPE_F32, &value, bytes, 1);
    std::uint32_t stored = 0;
    std::memcpy(&stored, bytes, 4);
    ASSERT_EQ(stored, std::isnan(value) ? 0x7fc00000u : bits);
  }
}

struct Integer {
  unsigned type;
  int low, high, written_low;
  double step;
};

TEST(ExhaustiveIntegers, EveryCodeAndEveryTie) {
  ASSERT_EQ(std::fegetround(), FE_TONEAREST);
  for (const auto& format : {Integer{FR_TYPE_I8, -128, 127, -128, 1}, Integer{FR_TYPE_I4, -8, 7, -8, 1},
                             Integer{FR_TYPE_MXI8, -128, 127, -127, 0x1p-6}}) {
    const unsigned codes = 1u << element_bits(format.type);
    for (int q = format.low; q <= format.high; ++q) {
      const unsigned code = static_cast<unsigned>(q) & (codes - 1);
      ASSERT_EQ(static_cast<double>(read(format.type, code)), q * format.step);
      if (q >= format.written_low) {
        ASSERT_EQ(write(format.type, read(format.type, code)), code);
      }
    }
    for (int half = 2 * format.low - 5; half <= 2 * format.high + 5; ++half) {
      const auto here = static_cast<float>(half * format.step / 2);
      for (const float value : {std::nextafter(here, -INFINITY), here, std::nextafter(here, INFINITY)}) {
        const double rounded = std::nearbyint(static_cast<double>(value) / format.step);
        const int expected = static_cast<int>(std::clamp<double>(rounded, format.written_low, format.high));
        ASSERT_EQ(write(format.type, value), static_cast<unsigned>(expected) & (codes - 1)) << value;
      }
    }
    EXPECT_EQ(write(format.type, INFINITY), static_cast<unsigned>(format.high));
    EXPECT_EQ(write(format.type, -INFINITY), static_cast<unsigned>(format.written_low) & (codes - 1));
    EXPECT_EQ(write(format.type, NAN), 0u);
  }
}

TEST(ExhaustiveScales, EveryCodeOfE8M0) {
  for (unsigned code = 0; code < 255; ++code) {
    const double exact = std::ldexp(1.0, static_cast<int>(code) - 127);
    const float value = from_e8m0(static_cast<std::uint8_t>(code));
    ASSERT_EQ(static_cast<double>(value), exact);
    ASSERT_EQ(to_e8m0(value), code);
    ASSERT_EQ(to_e8m0(std::nextafter(value, INFINITY)), code) << "down to the power of two";
    ASSERT_EQ(to_e8m0(std::nextafter(value, 0.0F)), code == 0 ? 0 : code - 1);
  }
  EXPECT_TRUE(std::isnan(from_e8m0(0xff)));
  EXPECT_EQ(to_e8m0(0.0F), 0);
  EXPECT_EQ(to_e8m0(0x1p-149F), 0);
  for (const float value : {NAN, INFINITY, -1.0F}) EXPECT_EQ(to_e8m0(value), 0xff);
}

TEST(Packing, LaysBitsLowestFirst) {
  const float fours[] = {1, -1, 7, -8, 3};
  unsigned char bytes[4] = {0xaa, 0xaa, 0xaa, 0xaa};
  write_row(FR_TYPE_I4, fours, bytes, 5);
  EXPECT_EQ(bytes[0], 0xf1);
  EXPECT_EQ(bytes[1], 0x87);
  EXPECT_EQ(bytes[2], 0x03) << "the unused half is 0";
  EXPECT_EQ(bytes[3], 0xaa) << "beyond the row";
  const float sixes[] = {0.0625F, -28, 0.25F, 1.75F, -0.0F};  // E3M2 codes 0x01, 0x3f, 0x04, 0x0f, 0x20
  unsigned char packed[5] = {0, 0, 0, 0, 0xaa};
  write_row(FR_TYPE_F6E3M2, sixes, packed, 5);
  EXPECT_EQ(packed[0], 0x01 | (0x3f & 3) << 6);
  EXPECT_EQ(packed[1], 0x3f >> 2 | (0x04 & 0xf) << 4);
  EXPECT_EQ(packed[2], 0x04 >> 4 | 0x0f << 2);
  EXPECT_EQ(packed[3], 0x20);
  EXPECT_EQ(packed[4], 0xaa);
}

TEST(Packing, RowsOfAnyLengthComeBackAndStayWithinTheirBytes) {
  for (const unsigned type : {FR_TYPE_I4, FR_TYPE_F4E2M1, FR_TYPE_F6E3M2, FR_TYPE_F6E2M3, FR_TYPE_F8E4M3})
    for (std::uint64_t count = 0; count < 40; ++count) {
      EXPECT_EQ(row_bytes(type, count), (count * element_bits(type) + 7) / 8);
      std::vector<unsigned char> bytes(row_bytes(type, count) + 1, 0x55);
      std::vector<float> values(count), back(count);
      for (std::uint64_t i = 0; i < count; ++i) values[i] = i % 3 == 0 ? -1.0F : i % 3 == 1 ? 2.0F : 3.0F;
      write_row(type, values.data(), bytes.data(), count);
      EXPECT_EQ(bytes.back(), 0x55);
      read_row(type, bytes.data(), back.data(), count);
      EXPECT_EQ(back, values) << type << " of " << count;
    }
}

TEST(ElementTypes, HaveBytesOnlyWhenWhole) {
  EXPECT_EQ(element_bytes(FR_TYPE_F8E4M3), 1u);
  EXPECT_EQ(element_bytes(FR_TYPE_F6E3M2), 0u);
  EXPECT_EQ(element_bytes(FR_TYPE_I4), 0u);
  EXPECT_EQ(element_bytes(FR_TYPE_COUNT), 0u);
  EXPECT_EQ(element_bits(FR_NO_TYPE), 0u);
}

}  // namespace
