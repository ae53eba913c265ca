// SPDX-License-Identifier: Apache-2.0
/// Microscaling: blocks of 32 small elements that share one power of two (OCP Microscaling Formats (MX) 1.0).
///
///     MXFP8: F8E4M3 or F8E5M2   MXFP6: F6E3M2 or F6E2M3   MXFP4: F4E2M1   MXINT8: MXI8     (section 5.1,
///     table 1)
///
/// A block's value i is X * P(i), X = 2^(code - 127) the E8M0 scale (section 5.4.1), P(i) the element.
#pragma once

#include <cstdint>
#include <span>

namespace forerun::ip {

inline constexpr unsigned mx_block = 32;  ///< elements that share a scale (MX section 5.1)
inline constexpr std::uint8_t e8m0_nan = 0xff;

/// 2^(code - 127), exact (2^-127 is subnormal); 0xff is NaN (MX section 5.4.1).
float from_e8m0(std::uint8_t code);

/// The largest power of two that is not above `value`: floor(log2(value)), held within -127 .. 127. Zero
/// gives 2^-127; infinity, NaN and negative numbers give NaN.
std::uint8_t to_e8m0(float value);

/// MXINT8's element (MX section 5.3.4): two's complement with 6 fraction bits, nearest even. Saturates to
/// +-127/64, so that -2 (0x80) is read but never written; NaN becomes 0.
std::uint8_t to_mx_int8(float value);
float from_mx_int8(std::uint8_t code);

/// emax of an MX element type (FR_TYPE_*): the exponent of its largest power of two; 0 for MXI8.
int mx_emax(unsigned type);
bool is_mx_element(unsigned type);

/// The shared scale of a block (MX section 6.3): 2^(floor(log2(max |v|)) - emax), the exponent held within
/// -127 .. 127. A block of zeros has 2^-127. A block with an infinity or a NaN has the scale NaN, which makes
/// the whole block NaN (the specification leaves it open).
std::uint8_t mx_scale(unsigned type, std::span<const float> block);

/// v / X for each value of a block, ready to be rounded to the element type with saturation (section 6.3); 0
/// if the scale is NaN. `to` may be the block itself.
void mx_divide(std::uint8_t scale, std::span<const float> block, float* to);

}  // namespace forerun::ip
