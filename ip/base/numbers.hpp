// SPDX-License-Identifier: Apache-2.0
/// Element types of the chip (FR_TYPE_*) and rows of them, bit for bit the same on every host. The formats
/// themselves: numbers/float16.hpp, numbers/small_float.hpp (8, 6 and 4 bits), numbers/microscaling.hpp (MX
/// blocks), numbers/groups.hpp (integers with group scales), numbers/packing.hpp (how narrow elements lie in
/// memory).
///
/// To a narrower float: round to nearest, ties to even; subnormals kept; overflow to infinity in F16 and
/// BF16, as asked in the 8-bit floats, saturating in those without infinity or NaN; NaN becomes the canonical
/// quiet NaN. To an integer: round to nearest even, saturate; NaN becomes 0. To E8M0: the power of two that
/// is not above the value.
#pragma once

#include <bit>
#include <cstdint>

#include "ip/base/numbers/float16.hpp"
#include "ip/base/numbers/small_float.hpp"

namespace forerun::ip {

/// Bits of an element, or 0 for an unknown type.
unsigned element_bits(unsigned type);
/// Bytes of an element of whole bytes, or 0 for an unknown type and for elements narrower than a byte.
unsigned element_bytes(unsigned type);
/// Bytes of a row of `count` elements, packed as numbers/packing.hpp says.
std::uint64_t row_bytes(unsigned type, std::uint64_t count);
/// True for F32, F16 and BF16.
bool is_float_type(unsigned type);
/// The format of a float of at most 8 bits, else null.
const SmallFloat* small_float(unsigned type);

/// Rounds to the nearest integer, ties to even, within the binary32 range.
float round_even(float value);

/// Converts `count` elements of a type to binary32 (exact, but for 32-bit integers, which round to nearest
/// even). The row begins at a byte.
void read_row(unsigned type, const unsigned char* from, float* to, std::uint64_t count);
/// Converts `count` binary32 values to a type; `overflow` is for F8E4M3 and F8E5M2.
void write_row(unsigned type, const float* from, unsigned char* to, std::uint64_t count,
               Overflow overflow = Overflow::saturate);

}  // namespace forerun::ip
