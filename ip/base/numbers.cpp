// SPDX-License-Identifier: Apache-2.0
#include "ip/base/numbers.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "firmware/abi/command.h"

namespace forerun::ip {
namespace {

constexpr std::uint32_t canonical_nan = 0x7fc00000;

template <typename T>
T load(const unsigned char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename T>
void store(unsigned char* to, T value) {
  std::memcpy(to, &value, sizeof value);
}

template <typename Integer>
Integer saturate(float value) {
  constexpr auto low = std::numeric_limits<Integer>::min(), high = std::numeric_limits<Integer>::max();
  if (std::isnan(value)) return 0;
  const double rounded = round_even(value);
  if (rounded <= static_cast<double>(low)) return low;
  if (rounded >= static_cast<double>(high)) return high;
  return static_cast<Integer>(rounded);
}

}  // namespace

unsigned element_bytes(unsigned type) {
  static constexpr unsigned bytes[] = {
#define FR_X(NAME, NUMBER, BYTES, DESCRIPTION) BYTES,
      FR_TYPES(FR_X)
#undef FR_X
  };
  return type < FR_TYPE_COUNT ? bytes[type] : 0;
}

bool is_float_type(unsigned type) { return type == FR_TYPE_F32 || type == FR_TYPE_F16 || type == FR_TYPE_BF16; }

float round_even(float value) {
  if (!(std::fabs(value) < 8388608.0F)) return value;  // already whole, or NaN
  const float magic = std::copysign(8388608.0F, value);
  const volatile float shifted = value + magic;
  return std::copysign(shifted - magic, value);
}

std::uint16_t to_half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  const std::uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return 0x7e00;
  if (magnitude >= 0x477ff000) return static_cast<std::uint16_t>(sign | 0x7c00);  // 65520 and above
  if (magnitude < 0x38800000) {                                                   // below 2^-14: subnormal
    const float scaled = std::bit_cast<float>(magnitude) + 0.5F;                  // 2^-24 is the last bit of 0.5's
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(scaled) - 0x3f000000));
  }
  const std::uint32_t odd = magnitude >> 13 & 1;
  return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000 + 0xfff + odd) >> 13));
}

float from_half(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000u) << 16;
  const std::uint32_t exponent = bits >> 10 & 0x1f, fraction = bits & 0x3ff;
  if (exponent == 0x1f)
    return std::bit_cast<float>(fraction != 0 ? canonical_nan : sign | 0x7f800000);
  if (exponent == 0) {
    const float value = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -value : value;
  }
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (fraction << 13));
}

std::uint16_t to_bfloat(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return 0x7fc0;
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

void read_row(unsigned type, const unsigned char* from, float* to, std::uint64_t count) {
  switch (type) {
    case FR_TYPE_F32:
      std::memcpy(to, from, count * 4);
      break;
    case FR_TYPE_F16:
      for (std::uint64_t i = 0; i < count; ++i) to[i] = from_half(load<std::uint16_t>(from + 2 * i));
      break;
    case FR_TYPE_BF16:
      for (std::uint64_t i = 0; i < count; ++i) to[i] = from_bfloat(load<std::uint16_t>(from + 2 * i));
      break;
    case FR_TYPE_I8:
      for (std::uint64_t i = 0; i < count; ++i) to[i] = static_cast<float>(static_cast<std::int8_t>(from[i]));
      break;
    case FR_TYPE_I32:
      for (std::uint64_t i = 0; i < count; ++i) to[i] = static_cast<float>(load<std::int32_t>(from + 4 * i));
      break;
    default:
      for (std::uint64_t i = 0; i < count; ++i) to[i] = static_cast<float>(load<std::uint32_t>(from + 4 * i));
      break;
  }
}

void write_row(unsigned type, const float* from, unsigned char* to, std::uint64_t count) {
  switch (type) {
    case FR_TYPE_F32:
      for (std::uint64_t i = 0; i < count; ++i)
        store(to + 4 * i, std::isnan(from[i]) ? canonical_nan : std::bit_cast<std::uint32_t>(from[i]));
      break;
    case FR_TYPE_F16:
      for (std::uint64_t i = 0; i < count; ++i) store(to + 2 * i, to_half(from[i]));
      break;
    case FR_TYPE_BF16:
      for (std::uint64_t i = 0; i < count; ++i) store(to + 2 * i, to_bfloat(from[i]));
      break;
    case FR_TYPE_I8:
      for (std::uint64_t i = 0; i < count; ++i) store(to + i, saturate<std::int8_t>(from[i]));
      break;
    case FR_TYPE_I32:
      for (std::uint64_t i = 0; i < count; ++i) store(to + 4 * i, saturate<std::int32_t>(from[i]));
      break;
    default:
      for (std::uint64_t i = 0; i < count; ++i) store(to + 4 * i, saturate<std::uint32_t>(from[i]));
      break;
  }
}

}  // namespace forerun::ip
