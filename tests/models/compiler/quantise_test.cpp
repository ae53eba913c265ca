// SPDX-License-Identifier: Apache-2.0
// Formats, what goes together, and weights as the compiler writes them against the golden executor's own
// rounding, which shares no code with it.
#include "models/compiler/quantise.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "ip/base/numbers.hpp"
#include "models/compiler/numerics.hpp"
#include "models/compiler/split.hpp"
#include "models/reference/rounding.hpp"

using namespace forerun;
using namespace forerun::models;

namespace {

class EachFormat : public testing::TestWithParam<std::string> {
 protected:
  NumberFormat format_ = *parse_format(GetParam());
};

/// What the weights of one output are worth after elements and scales have been written and read back.
std::vector<double> written_and_read(std::vector<float> weights, NumberFormat format) {
  const auto scales = divide_by_scales(weights, format);
  std::vector<unsigned char> bytes(ip::row_bytes(format.element(), weights.size()));
  ip::write_row(format.element(), weights.data(), bytes.data(), weights.size());
  ip::read_row(format.element(), bytes.data(), weights.data(), weights.size());
  std::vector<double> values(weights.begin(), weights.end());
  const auto block = format.block() != 0 ? format.block() : weights.size();
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!scales.empty()) values[i] *= static_cast<double>(scales[i / block]);
  return values;
}

TEST_P(EachFormat, WeightsAreThoseOfTheGoldenRounding) {
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  for (int row = 0; row < 400; ++row) {
    std::vector<float> weights(1 + random() % 300);
    const float size = std::ldexp(1.0F, static_cast<int>(random() % 24) - 12);
    for (auto& w : weights) w = random() % 9 == 0 ? 0 : normal(random) * size;
    if (row % 10 == 0) std::fill(weights.begin(), weights.end(), 0.0F);
    std::vector<double> expected(weights.begin(), weights.end());
    round_row(expected, format_);
    ASSERT_EQ(written_and_read(weights, format_), expected) << row;
  }
}
TEST_P(EachFormat, NameIsReadBack) { EXPECT_EQ(format_name(format_), GetParam()); }
TEST_P(EachFormat, ErrsByHalfAStepAtMost) {
  // The largest of a block is at most half of the largest step off, relative to itself.
  const double step = format_.is_float()                   ? 0x1p-8
                      : format_.is_fp8()                   ? 0x1p-3
                      : format_.is_mx()                    ? 0x1p-1
                      : format_.format == chip::Format::i4 ? 1.0 / 13
                                                           : 1.0 / 253;
  std::mt19937 random(3);
  std::normal_distribution<double> normal;
  for (int row = 0; row < 50; ++row) {
    std::vector<double> values(32);
    double top = 0;
    for (auto& v : values) top = std::max(top, std::fabs(v = normal(random)));
    auto rounded = values;
    round_row(rounded, format_);
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_LE(std::fabs(rounded[i] - values[i]), step * top);
    EXPECT_NE(rounded, values);
  }
}
INSTANTIATE_TEST_SUITE_P(All, EachFormat, testing::ValuesIn([] {
                           std::vector<std::string> names;
                           for (const auto name : format_names()) names.emplace_back(name);
                           return names;
                         }()),
                         [](const auto& test) { return test.param; });

TEST(Rounding, ByTheTablesOfTheFormats) {
  const auto rounded = [](double v, std::string_view name) { return round_to(v, *parse_format(name)); };
  EXPECT_EQ(rounded(17, "fp8_e4m3"), 16) << "ties to even";
  EXPECT_EQ(rounded(19, "fp8_e4m3"), 20);
  EXPECT_EQ(rounded(1e6, "fp8_e4m3"), 448);
  EXPECT_EQ(rounded(-1e6, "fp8_e5m2"), -57344);
  EXPECT_EQ(rounded(0x1p-10, "fp8_e4m3"), 0);
  EXPECT_EQ(rounded(0x1.8p-10, "fp8_e4m3"), 0x1p-9) << "the least subnormal";
  EXPECT_EQ(rounded(65520, "fp16"), HUGE_VAL);
  EXPECT_EQ(rounded(65519, "fp16"), 65504);
  EXPECT_EQ(rounded(257, "bf16"), 256);
  EXPECT_EQ(rounded(2.4, "mxfp4"), 2);
  EXPECT_EQ(rounded(5, "mxfp4"), 4) << "ties to even";
  EXPECT_EQ(rounded(0.25, "mxfp4"), 0);
  EXPECT_EQ(rounded(7.3, "mxfp6"), 7.5);
}

TEST(Formats, ThatDoNotGoTogetherAreRefusedWithThoseThatDo) {
  const auto refusal = [](std::string_view w, std::string_view a, std::string_view kv) -> std::string {
    try {
      (void)numerics_for({*parse_format(w), *parse_format(a), *parse_format(kv)});
    } catch (const FormatError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(refusal("fp16", "int8", "fp16"),
            "weights beside activations in int8 in fp16: expected int8 or int4, for integers are multiplied "
            "with integers");
  EXPECT_THAT(refusal("int8", "fp8_e4m3", "bf16"),
              testing::HasSubstr("weights beside activations in fp8_e4m3"));
  EXPECT_THAT(refusal("int4", "int4", "fp16"),
              testing::StartsWith("activations in int4_g128: expected fp32, "));
  EXPECT_THAT(refusal("fp16", "fp16", "mxfp8"),
              testing::StartsWith("keys and values in mxfp8: expected fp32, "));
  for (const auto w : format_names())
    for (const auto a : {"fp32", "fp16", "bf16"})
      for (const auto kv : {"fp32", "fp16", "bf16", "fp8_e4m3", "fp8_e5m2", "int8"})
        EXPECT_EQ(refusal(w, a, kv), "");
  for (const auto w : {"fp8", "mxfp8", "mxfp6", "mxfp4", "mxint8"})
    for (const auto a : {"fp8", "fp8_e5m2", "mxfp8", "mxfp6", "mxfp4", "mxint8"})
      EXPECT_EQ(refusal(w, a, "fp8"), "");
  for (const auto w : {"int8", "int8_g32", "int4"}) EXPECT_EQ(refusal(w, "int8", "int8"), "");
}

TEST(Formats, OneNameStandsForThree) {
  for (const auto name : whole_format_names()) EXPECT_NO_THROW(parse_formats(name)->check()) << name;
  const auto fp8 = *parse_formats("fp8");
  EXPECT_EQ(fp8.name(), "fp8");
  EXPECT_EQ(format_name(fp8.kv), "bf16");
  EXPECT_EQ(parse_formats("int8")->carrier().format, chip::Format::f16);
  EXPECT_EQ(format_name(parse_formats("int4")->activations), "fp16");
  EXPECT_EQ(parse_formats("mxint8"), std::nullopt);
  EXPECT_EQ((NumberFormats{*parse_format("int4"), *parse_format("bf16"), *parse_format("fp8")}).name(),
            "int4_g128 x bf16, kv fp8_e4m3");
}

TEST(Tiles, OfNarrowWeightsFitWithTheirScalesAndEndAtGroups) {
  std::mt19937 random(5);
  const TileFormat formats[] = {{4, 128, 2}, {4, 32, 1}, {6, 32, 1}, {8, 32, 0},
                                {8, 0, 0},   {16, 0, 0}, {8, 64, 2}};
  for (int i = 0; i < 300; ++i) {
    const auto& format = formats[random() % std::size(formats)];
    const auto inputs = 1 + random() % 700, outputs = 1 + random() % 300;
    const TileLimits limits{256 + random() % 8192, 1 + random() % 64, 1 + random() % 64, format};
    std::vector<int> covered(outputs * inputs);
    for (const auto& tile : tile_weights(inputs, outputs, limits)) {
      ASSERT_LE(format.bytes(tile.k.size(), tile.n.size()), limits.slot_bytes);
      ASSERT_EQ(tile.k.begin % std::max(1u, format.group), 0u);
      for (auto n = tile.n.begin; n < tile.n.end; ++n)
        for (auto k = tile.k.begin; k < tile.k.end; ++k) ++covered[n * inputs + k];
    }
    ASSERT_EQ(std::count(covered.begin(), covered.end(), 1), static_cast<std::ptrdiff_t>(covered.size()));
  }
}

}  // namespace
