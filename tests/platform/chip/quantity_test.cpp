// SPDX-License-Identifier: Apache-2.0
#include "platform/chip/quantity.hpp"

#include <gmock/gmock.h>

namespace forerun::chip {
namespace {

template <typename Quantity>
std::string refusal(const std::string& text) {
  std::string problem;
  return parse<Quantity>(text, problem) ? "accepted" : problem;
}

template <typename Quantity>
Quantity value(const std::string& text) {
  std::string problem;
  return parse<Quantity>(text, problem).value();
}

TEST(Quantity, TellsSiFromBinaryPrefixes) {
  EXPECT_EQ(value<Bytes>("256 B").count, 256u);
  EXPECT_EQ(value<Bytes>("64 kB").count, 64'000u);
  EXPECT_EQ(value<Bytes>("64 KiB").count, 65'536u);
  EXPECT_EQ(value<Bytes>("1.5 MiB").count, 3u << 19);
  EXPECT_EQ(value<Bytes>("1.1kB").count, 1100u);
  EXPECT_EQ(value<Bytes>("2 TiB").count, 2ull << 40);
}

TEST(Quantity, HasTimeFrequencyAndBandwidth) {
  EXPECT_EQ(value<Time>("12 ns").picoseconds, 12'000);
  EXPECT_EQ(value<Time>("1.5 us").picoseconds, 1'500'000);
  EXPECT_EQ(value<Time>("3 s").picoseconds, 3'000'000'000'000);
  EXPECT_EQ(value<Frequency>("1.1 GHz").hertz, 1.1e9);
  EXPECT_EQ(value<Frequency>("32.768 kHz").hertz, 32768.0);
  EXPECT_EQ(value<Bandwidth>("819 GB/s").bytes_per_second, 819e9);
  EXPECT_EQ(value<Bandwidth>("820 GiB/s").bytes_per_second, 820.0 * (1 << 30));
}

TEST(Quantity, HasEnergyAndPower) {
  EXPECT_EQ(value<Energy>("909 pJ").joules, 909e-12);
  EXPECT_EQ(value<Energy>("1.085 nJ").joules, 1.085e-9);
  EXPECT_EQ(value<Energy>("2 uJ").joules, 2e-6);
  EXPECT_EQ(value<Energy>("0.25 J").joules, 0.25);
  EXPECT_EQ(value<Power>("78.3 mW").watts, 78.3e-3);
  EXPECT_EQ(value<Power>("12 uW").watts, 12e-6);
  EXPECT_EQ(value<Power>("3 W").watts, 3.0);
  EXPECT_EQ(refusal<Energy>("3 mW"), "with the unknown unit 'mW'");
  EXPECT_EQ(refusal<Power>("3"), "without a unit");
  EXPECT_EQ(format(Energy{909e-12}), "909 pJ");
  EXPECT_EQ(format(Energy{1e-9}), "1 nJ");
  EXPECT_EQ(format(Energy{0}), "0 pJ");
  EXPECT_EQ(format(Energy{5e-14}), "0.05 pJ");
  EXPECT_EQ(format(Energy{1e-3}), "1 mJ");
  EXPECT_EQ(format(Power{78.3e-3}), "78.3 mW");
  EXPECT_EQ(format(Power{1234}), "1234 W");
  for (double joules = 1e-14; joules < 1e3; joules *= 1.0371) {
    EXPECT_EQ(value<Energy>(format(Energy{joules})).joules, joules);
    EXPECT_EQ(value<Power>(format(Power{joules})).watts, joules);
  }
}

TEST(Quantity, SaysWhatIsWrong) {
  EXPECT_EQ(refusal<Bytes>("4"), "without a unit");
  EXPECT_EQ(refusal<Bytes>("4 "), "without a unit");
  EXPECT_EQ(refusal<Bytes>("4 KB"), "with the unknown unit 'KB'");
  EXPECT_EQ(refusal<Time>("4 GHz"), "with the unknown unit 'GHz'");
  EXPECT_EQ(refusal<Bytes>("0.5 B"), "a fraction of a byte");
  EXPECT_EQ(refusal<Bytes>("0.1 KiB"), "a fraction of a byte");
  EXPECT_EQ(refusal<Time>("0.5 ps"), "a fraction of a picosecond");
  EXPECT_EQ(refusal<Bytes>("99999999 TiB"), "too large");
  for (const auto* text : {"", " ", "KiB", "-4 KiB", "+4 KiB", ".5 KiB", "4. KiB", "4e3 KiB", "0x4 KiB",
                           "4 Ki B", "4 KiB 2", "nan GHz"})
    EXPECT_EQ(refusal<Bytes>(text), "") << text;
  EXPECT_EQ(refusal<Bytes>(std::string(50, '9') + " B"), "");
}

TEST(Quantity, IsWrittenAsItIsRead) {
  EXPECT_EQ(format(Bytes{0}), "0 B");
  EXPECT_EQ(format(Bytes{1000}), "1000 B");
  EXPECT_EQ(format(Bytes{1536}), "1536 B");
  EXPECT_EQ(format(Bytes{4 << 20}), "4 MiB");
  EXPECT_EQ(format(Time{0}), "0 ns");
  EXPECT_EQ(format(Time{1'500'000}), "1500 ns");
  EXPECT_EQ(format(Time{7}), "7 ps");
  EXPECT_EQ(format(Frequency{1.25e9}), "1.25 GHz");
  EXPECT_EQ(format(Frequency{999e6}), "999 MHz");
  EXPECT_EQ(format(Bandwidth{819.2e9}), "819.2 GB/s");
  for (double hertz = 1.0; hertz < 1e11; hertz *= 1.0371)
    EXPECT_EQ(value<Frequency>(format(Frequency{hertz})).hertz, hertz);
  for (std::uint64_t n = 1; n < 1ull << 50; n = n * 3 + 1) EXPECT_EQ(value<Bytes>(format(Bytes{n})).count, n);
  for (std::int64_t n = 1; n < 1ll << 50; n = n * 10) EXPECT_EQ(value<Time>(format(Time{n})).picoseconds, n);
}

TEST(Quantity, HasAPatternThatAgreesWithTheParser) {
  for (const std::string text :
       {"4 KiB", "4KiB", "1.5 MB", "4", "4 KB", "-4 B", ".5 B", "4. B", "", "B", "4 B "}) {
    if (refusal<Bytes>(text) == "accepted")
      EXPECT_THAT(text, testing::MatchesRegex(pattern<Bytes>()));
    else
      EXPECT_THAT(text, testing::Not(testing::MatchesRegex(pattern<Bytes>())));
  }
  EXPECT_THAT("14 ns", testing::MatchesRegex(pattern<Time>()));
  EXPECT_THAT("14 GHz", testing::Not(testing::MatchesRegex(pattern<Time>())));
}

}  // namespace
}  // namespace forerun::chip
