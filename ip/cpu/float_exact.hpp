// SPDX-License-Identifier: Apache-2.0
/// IEEE 754 arithmetic in integers: every rounding mode of RISC-V, flags included, the same on every host.
///
/// An operation makes an exact (or nearly exact, see Exact) result, which is rounded once. Tininess is
/// detected after rounding.
#pragma once

#include <cstdint>

#include "ip/cpu/state.hpp"

namespace forerun::ip::riscv {

__extension__ using u128 = unsigned __int128;

enum class Rounding : std::uint32_t { nearest_even = 0, to_zero = 1, down = 2, up = 3, nearest_away = 4 };

/// A format: how many bits its significand has (the hidden one included), and its exponents.
struct FloatFormat {
  unsigned precision;
  int min_exponent, max_exponent;
  unsigned width;
  constexpr std::uint64_t sign() const { return std::uint64_t{1} << (width - 1); }
  constexpr std::uint64_t fraction() const { return (std::uint64_t{1} << (precision - 1)) - 1; }
  constexpr std::uint64_t infinity() const { return sign() - 1 - fraction(); }
  constexpr std::uint64_t quiet() const { return std::uint64_t{1} << (precision - 2); }
  constexpr std::uint64_t canonical_nan() const { return infinity() | quiet(); }
};
inline constexpr FloatFormat binary32{24, -126, 127, 32};
inline constexpr FloatFormat binary64{53, -1022, 1023, 64};

/// significand * 2^exponent. Bit 0 also stands for anything that lies below it, which must be far below the
/// rounding.
struct Exact {
  bool negative = false;
  int exponent = 0;
  u128 significand = 0;
};

/// Rounds to a format and raises inexact, underflow and overflow in `flags`. Zero keeps its sign.
std::uint64_t round_to(const FloatFormat& format, const Exact& value, Rounding rounding,
                       std::uint32_t& flags);

/// A finite number of a format; infinities and NaNs are the caller's business.
Exact unpack(const FloatFormat& format, std::uint64_t bits);

Exact add(Exact a, Exact b, Rounding rounding);  ///< the mode decides the sign of an exact zero
Exact multiply(const Exact& a, const Exact& b);  ///< significands of up to 64 bits
Exact divide(const Exact& a, const Exact& b);    ///< b is not zero; significands of up to 64 bits
Exact square_root(const Exact& a);               ///< a is not negative; significands of up to 64 bits

/// Rounds to an integer; false if its magnitude needs more than 64 bits. Raises inexact.
bool round_to_integer(const Exact& value, Rounding rounding, std::uint64_t& magnitude, bool& inexact);

}  // namespace forerun::ip::riscv
