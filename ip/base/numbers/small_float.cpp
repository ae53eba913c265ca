// SPDX-License-Identifier: Apache-2.0
#include "ip/base/numbers/small_float.hpp"

#include <algorithm>
#include <bit>

namespace forerun::ip {
namespace {

constexpr float power_of_two(int exponent) {  // within the normal range of binary32
  return std::bit_cast<float>(static_cast<std::uint32_t>(exponent + 127) << 23);
}

constexpr float decode(const SmallFloat& format, unsigned code) {
  const unsigned magnitude = code & (format.sign() - 1);
  const std::uint32_t sign = (code & format.sign()) != 0 ? 0x80000000u : 0;
  if (magnitude > format.largest)
    return std::bit_cast<float>(magnitude == format.infinity ? sign | 0x7f800000u : 0x7fc00000u);
  const unsigned exponent = magnitude >> format.fraction_bits;
  const unsigned fraction = magnitude & ((1u << format.fraction_bits) - 1);
  const unsigned significand = exponent == 0 ? fraction : fraction | 1u << format.fraction_bits;
  const int scale =
      static_cast<int>(std::max(exponent, 1u)) - format.bias - static_cast<int>(format.fraction_bits);
  const float value = static_cast<float>(significand) * power_of_two(scale);
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | sign);
}

constexpr std::array<float, 256> decode_all(const SmallFloat& format) {
  std::array<float, 256> values{};
  for (unsigned code = 0; code < 1u << format.bits(); ++code) values[code] = decode(format, code);
  return values;
}

constexpr auto e4m3_values = decode_all(e4m3), e5m2_values = decode_all(e5m2), e3m2_values = decode_all(e3m2),
               e2m3_values = decode_all(e2m3), e2m1_values = decode_all(e2m1);

}  // namespace

std::uint8_t to_small(const SmallFloat& format, float value, Overflow overflow) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t magnitude = bits & 0x7fffffff;
  const unsigned sign = (bits >> 31) != 0 ? format.sign() : 0;
  if (magnitude > 0x7f800000) return static_cast<std::uint8_t>(format.nan != 0 ? format.nan : format.largest);
  // A subnormal of binary32 is far below half of the smallest code of every format here, and falls to 0 like
  // its peers.
  const int exponent = static_cast<int>(magnitude >> 23) - 127;
  const int lowest = 1 - format.bias;
  const unsigned dropped =
      23 - format.fraction_bits + static_cast<unsigned>(std::clamp(lowest - exponent, 0, 8));
  const std::uint32_t significand = (magnitude & 0x7fffff) | 0x800000;
  std::uint32_t kept = 0;
  if (lowest - exponent <= 8) {
    const std::uint32_t odd = significand >> dropped & 1;
    kept = (significand + (1u << (dropped - 1)) - 1 + odd) >> dropped;
  }
  // A normal's hidden bit counts as 1 in the exponent, and so does a carry out of the fraction.
  const std::uint32_t code =
      kept + (static_cast<std::uint32_t>(std::max(exponent, lowest) - lowest) << format.fraction_bits);
  if (code <= format.largest) return static_cast<std::uint8_t>(sign | code);
  if (overflow == Overflow::saturate || (format.infinity == 0 && format.nan == 0))
    return static_cast<std::uint8_t>(sign | format.largest);
  return static_cast<std::uint8_t>(format.infinity != 0 ? sign | format.infinity : format.nan);
}

float from_small(const SmallFloat& format, unsigned code) { return small_values(format)[code & 0xff]; }

const std::array<float, 256>& small_values(const SmallFloat& format) {
  if (format.bits() == 8) return format.fraction_bits == 3 ? e4m3_values : e5m2_values;
  if (format.bits() == 6) return format.fraction_bits == 2 ? e3m2_values : e2m3_values;
  return e2m1_values;
}

}  // namespace forerun::ip
