// SPDX-License-Identifier: Apache-2.0
/// Number formats of the chip (FR_TYPE_*) and their conversions, bit for bit the same on every host.
///
/// To a narrower float: round to nearest, ties to even; overflow to infinity; subnormals kept; NaN becomes the
/// canonical quiet NaN. To an integer: round to nearest even, saturate; NaN becomes 0.
#pragma once

#include <bit>
#include <cstdint>

namespace forerun::ip {

/// Bytes of an element, or 0 for an unknown type.
unsigned element_bytes(unsigned type);
/// True for F32, F16 and BF16.
bool is_float_type(unsigned type);

std::uint16_t to_half(float value);
float from_half(std::uint16_t bits);
std::uint16_t to_bfloat(float value);
inline float from_bfloat(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16); }

/// Rounds to the nearest integer, ties to even, within the binary32 range.
float round_even(float value);

/// Converts `count` elements of a type to binary32 (exact, but for 32-bit integers, which round to nearest even).
void read_row(unsigned type, const unsigned char* from, float* to, std::uint64_t count);
/// Converts `count` binary32 values to a type.
void write_row(unsigned type, const float* from, unsigned char* to, std::uint64_t count);

}  // namespace forerun::ip
