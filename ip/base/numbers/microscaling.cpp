// SPDX-License-Identifier: Apache-2.0
#include "ip/base/numbers/microscaling.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "firmware/abi/command.h"
#include "ip/base/numbers.hpp"
#include "ip/base/numbers/small_float.hpp"

namespace forerun::ip {
namespace {

/// floor(log2(magnitude)) of a positive binary32, given as its bits.
int exponent_of(std::uint32_t magnitude) {
  if (magnitude >= 0x00800000) return static_cast<int>(magnitude >> 23) - 127;
  return 31 - std::countl_zero(magnitude) - 149;
}

}  // namespace

float from_e8m0(std::uint8_t code) {
  if (code == e8m0_nan) return std::bit_cast<float>(0x7fc00000u);
  return std::bit_cast<float>(code == 0 ? 0x00400000u : std::uint32_t{code} << 23);
}

std::uint8_t to_e8m0(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffff) == 0) return 0;
  if (bits >= 0x7f800000) return e8m0_nan;  // infinity, NaN, or the sign bit
  return static_cast<std::uint8_t>(std::max(exponent_of(bits), -127) + 127);
}

std::uint8_t to_mx_int8(float value) {
  if (std::isnan(value)) return 0;
  const float steps = round_even(std::clamp(value, -2.0F, 2.0F) * 64);
  return static_cast<std::uint8_t>(static_cast<int>(std::clamp(steps, -127.0F, 127.0F)));
}

float from_mx_int8(std::uint8_t code) { return static_cast<float>(static_cast<std::int8_t>(code)) * 0x1p-6F; }

int mx_emax(unsigned type) {
  const auto* format = small_float(type);
  return format != nullptr ? format->emax() : 0;
}

bool is_mx_element(unsigned type) { return small_float(type) != nullptr || type == FR_TYPE_MXI8; }

std::uint8_t mx_scale(unsigned type, std::span<const float> block) {
  std::uint32_t most = 0;
  for (const float value : block) most = std::max(most, std::bit_cast<std::uint32_t>(value) & 0x7fffffff);
  if (most >= 0x7f800000) return e8m0_nan;
  if (most == 0) return 0;
  return static_cast<std::uint8_t>(std::max(exponent_of(most) - mx_emax(type), -127) + 127);
}

void mx_divide(std::uint8_t scale, std::span<const float> block, float* to) {
  // 2^-e is a binary64 for every e; what underflows in binary32 is far below half of any element's last
  // place.
  const double inverse = scale == e8m0_nan ? 0 : std::ldexp(1.0, 127 - scale);
  for (const float value : block)
    *to++ = scale == e8m0_nan ? 0.0F : static_cast<float>(static_cast<double>(value) * inverse);
}

}  // namespace forerun::ip
