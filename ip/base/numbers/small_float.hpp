// SPDX-License-Identifier: Apache-2.0
/// Floats of at most 8 bits: a sign, an exponent with a bias, a fraction, and what the highest codes mean.
///
/// Sources: OCP 8-bit Floating Point Specification (OFP8) 1.0, section 4 (encodings) and 5 (conversion); OCP
/// Microscaling Formats (MX) Specification 1.0, section 5.3 (element formats).
#pragma once

#include <array>
#include <cstdint>

namespace forerun::ip {

/// What becomes of a value whose rounded magnitude is beyond the largest finite one (OFP8 section 5).
/// Infinities count as such values. Formats with neither infinities nor NaN always saturate.
enum class Overflow : unsigned char {
  saturate,  ///< the largest finite value with the sign
  special    ///< infinity with the sign where the format has it, else NaN
};

/// value = (-1)^s * 2^(e - bias) * 1.f, for e = 0: (-1)^s * 2^(1 - bias) * 0.f; but for the special codes.
struct SmallFloat {
  unsigned exponent_bits;
  unsigned fraction_bits;
  int bias;
  unsigned largest;   ///< magnitude code of the largest finite value
  unsigned infinity;  ///< magnitude code of infinity, or 0 for none
  unsigned nan;       ///< canonical NaN (positive), or 0 for none; all magnitude codes above `largest` but
                      ///< infinity are NaN

  constexpr unsigned bits() const { return 1 + exponent_bits + fraction_bits; }
  constexpr unsigned sign() const { return 1u << (bits() - 1); }
  /// Exponent of the largest finite value: floor(log2(largest value)), emax in MX section 6.3.
  constexpr int emax() const { return static_cast<int>(largest >> fraction_bits) - bias; }
};

/// OFP8 section 4.1: no infinities, S.1111.111 is NaN, largest 448.
inline constexpr SmallFloat e4m3{4, 3, 7, 0x7e, 0, 0x7f};
/// OFP8 section 4.1: infinities and NaNs as in IEEE 754, largest 57344; the canonical NaN has all bits set.
inline constexpr SmallFloat e5m2{5, 2, 15, 0x7b, 0x7c, 0x7f};
/// MX section 5.3.2 (FP6): no infinities or NaN, largest 28.
inline constexpr SmallFloat e3m2{3, 2, 3, 0x1f, 0, 0};
/// MX section 5.3.2 (FP6): no infinities or NaN, largest 7.5.
inline constexpr SmallFloat e2m3{2, 3, 1, 0x1f, 0, 0};
/// MX section 5.3.3 (FP4): no infinities or NaN, largest 6.
inline constexpr SmallFloat e2m1{2, 1, 1, 0x7, 0, 0};

/// Nearest code, ties to even. NaN becomes the canonical NaN; where there is none, the largest positive value
/// (the specification leaves it open; the choice is that of common hardware).
std::uint8_t to_small(const SmallFloat& format, float value, Overflow overflow = Overflow::saturate);

/// The value of a code, exact in binary32; NaN is 0x7fc00000.
float from_small(const SmallFloat& format, unsigned code);

/// The values of all codes, by code.
const std::array<float, 256>& small_values(const SmallFloat& format);

}  // namespace forerun::ip
