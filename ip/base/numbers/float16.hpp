// SPDX-License-Identifier: Apache-2.0
/// The 16-bit floats: IEEE 754-2019 binary16 (table 3.5) and bfloat16, the upper half of binary32.
///
/// From binary32: round to nearest, ties to even (IEEE 754 section 4.3.1); overflow to infinity; subnormals
/// kept; any NaN becomes the canonical quiet NaN (0x7e00, 0x7fc0). To binary32: exact; a binary16 NaN becomes
/// 0x7fc00000.
#pragma once

#include <bit>
#include <cstdint>

namespace forerun::ip {

std::uint16_t to_half(float value);

/// Free of branches, so that rows of it become vector code.
inline float from_half(std::uint16_t bits) {
  const std::uint32_t magnitude = bits & 0x7fffu;
  // The exponent is rebiased by a product, which is exact and makes subnormals right by itself.
  const auto finite = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude << 13) * 0x1p112F);
  const std::uint32_t special = magnitude > 0x7c00 ? 0x7fc00000u : 0x7f800000u;
  const std::uint32_t sign = magnitude > 0x7c00 ? 0u : (bits & 0x8000u) << 16;
  return std::bit_cast<float>(sign | (magnitude >= 0x7c00 ? special : finite));
}

std::uint16_t to_bfloat(float value);
inline float from_bfloat(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

}  // namespace forerun::ip
