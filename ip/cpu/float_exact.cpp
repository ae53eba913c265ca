// SPDX-License-Identifier: Apache-2.0
#include "ip/cpu/float_exact.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace forerun::ip::riscv {
namespace {

int bit_length(u128 value) {
  const auto high = static_cast<std::uint64_t>(value >> 64);
  return high != 0 ? 64 + static_cast<int>(std::bit_width(high))
                   : static_cast<int>(std::bit_width(static_cast<std::uint64_t>(value)));
}

/// Shifts right; bit 0 of the result remembers what fell off.
u128 shift_right_sticky(u128 value, int count) {
  if (count <= 0) return value;
  if (count >= 128) return value != 0 ? 1 : 0;
  const auto kept = value >> count;
  return kept | ((kept << count) != value ? 1 : 0);
}

/// Puts the highest set bit at a place.
void normalise(Exact& value, int top) {
  const int shift = top - (bit_length(value.significand) - 1);
  value.significand = shift >= 0 ? value.significand << shift : shift_right_sticky(value.significand, -shift);
  value.exponent -= shift;
}

/// Whether the magnitude grows when `dropped` bits are cut from a value, by what they hold.
bool rounds_up(u128 value, int dropped, Rounding rounding, bool negative, bool& inexact) {
  const auto rest = dropped >= 128 ? value : value & ((u128{1} << dropped) - 1);
  inexact = rest != 0;
  if (!inexact) return false;
  const bool odd = dropped < 128 && (value >> dropped & 1) != 0;
  const int comparison = [&] {  // with one half of the last kept bit
    if (dropped > 128) return -1;
    const auto half = u128{1} << (dropped - 1);
    return rest < half ? -1 : rest > half ? 1 : 0;
  }();
  switch (rounding) {
    case Rounding::to_zero:
      return false;
    case Rounding::down:
      return negative;
    case Rounding::up:
      return !negative;
    case Rounding::nearest_away:
      return comparison >= 0;
    default:
      return comparison > 0 || (comparison == 0 && odd);
  }
}

std::uint64_t overflowed(const FloatFormat& format, bool negative, Rounding rounding) {
  const bool to_largest = rounding == Rounding::to_zero || (rounding == Rounding::down && !negative) ||
                          (rounding == Rounding::up && negative);
  return format.infinity() - (to_largest ? 1 : 0);
}

}  // namespace

std::uint64_t round_to(const FloatFormat& format, const Exact& value, Rounding rounding,
                       std::uint32_t& flags) {
  const auto sign = value.negative ? format.sign() : 0;
  if (value.significand == 0) return sign;
  auto exact = value;
  normalise(exact, 126);
  const int top_exponent = exact.exponent + 126;
  const int precision = static_cast<int>(format.precision);
  const int full = 127 - precision;  // bits to drop of a normal number
  const int dropped = full + std::max(0, format.min_exponent - top_exponent);
  bool inexact = false;
  const bool up = rounds_up(exact.significand, dropped, rounding, value.negative, inexact);
  const auto kept =
      (dropped >= 128 ? 0 : static_cast<std::uint64_t>(exact.significand >> dropped)) + (up ? 1 : 0);

  // Below the normal numbers the exponent field is 0, which is also what a carry into the hidden bit makes
  // right.
  const auto biased =
      static_cast<std::uint64_t>(std::max(top_exponent, format.min_exponent) - format.min_exponent);
  const auto magnitude = (biased << (precision - 1)) + kept;
  if (magnitude >= format.infinity() || top_exponent > format.max_exponent) {
    flags |= flag::overflow | flag::inexact;
    return sign | overflowed(format, value.negative, rounding);
  }
  if (inexact) {
    flags |= flag::inexact;
    if (top_exponent < format.min_exponent) {
      bool ignored = false;  // tiny, unless rounding at full precision reaches the normal numbers
      const auto unbounded = static_cast<std::uint64_t>(exact.significand >> full) +
                             (rounds_up(exact.significand, full, rounding, value.negative, ignored) ? 1 : 0);
      const bool reaches = top_exponent == format.min_exponent - 1 && unbounded >> precision != 0;
      if (!reaches) flags |= flag::underflow;
    }
  }
  return sign | magnitude;
}

Exact unpack(const FloatFormat& format, std::uint64_t bits) {
  const int precision = static_cast<int>(format.precision);
  const auto field = static_cast<int>((bits & format.infinity()) >> (precision - 1));
  const auto fraction = bits & format.fraction();
  const bool negative = (bits & format.sign()) != 0;
  const int lowest = format.min_exponent - (precision - 1);
  if (field == 0) return {negative, lowest, fraction};
  return {negative, lowest + field - 1, fraction | (format.fraction() + 1)};
}

Exact add(Exact a, Exact b, Rounding rounding) {
  if (a.significand == 0 && b.significand == 0)
    return {a.negative == b.negative ? a.negative : rounding == Rounding::down, 0, 0};
  if (a.significand == 0) return b;
  if (b.significand == 0) return a;
  // Two places are left above: for the carry, and none of 106 bits falls off while the exponents differ by
  // one.
  normalise(a, 125);
  normalise(b, 125);
  if (a.exponent < b.exponent) std::swap(a, b);
  b.significand = shift_right_sticky(b.significand, a.exponent - b.exponent);
  if (a.negative == b.negative) {
    a.significand += b.significand;
  } else if (a.significand >= b.significand) {
    a.significand -= b.significand;
  } else {
    a.significand = b.significand - a.significand;
    a.negative = b.negative;
  }
  if (a.significand == 0) a.negative = rounding == Rounding::down;
  return a;
}

Exact multiply(const Exact& a, const Exact& b) {
  return {a.negative != b.negative, a.exponent + b.exponent, a.significand * b.significand};
}

Exact divide(const Exact& a, const Exact& b) {
  const bool negative = a.negative != b.negative;
  if (a.significand == 0) return {negative, 0, 0};
  auto numerator = a, denominator = b;
  normalise(numerator, 126);
  normalise(denominator, 62);
  const auto quotient = numerator.significand / denominator.significand;  // 64 or 65 bits
  const auto sticky = quotient * denominator.significand != numerator.significand ? 1u : 0u;
  return {negative, numerator.exponent - denominator.exponent - 1, quotient << 1 | sticky};
}

Exact square_root(const Exact& a) {
  if (a.significand == 0) return a;
  auto radicand = a;
  normalise(radicand, 125);
  if (radicand.exponent % 2 != 0)
    radicand.significand >>= 1, ++radicand.exponent;  // bit 0 is 0: 64 bits were shifted up
  u128 root = 0;
  for (auto bit = u128{1} << 62; bit != 0; bit >>= 1)
    if (const auto candidate = root | bit; candidate * candidate <= radicand.significand) root = candidate;
  const auto sticky = root * root != radicand.significand ? 1u : 0u;
  return {false, radicand.exponent / 2 - 1, root << 1 | sticky};
}

bool round_to_integer(const Exact& value, Rounding rounding, std::uint64_t& magnitude, bool& inexact) {
  inexact = false;
  magnitude = 0;
  if (value.significand == 0) return true;
  if (value.exponent >= 0) {
    if (bit_length(value.significand) + value.exponent > 64) return false;
    magnitude = static_cast<std::uint64_t>(value.significand << value.exponent);
    return true;
  }
  const int dropped = std::min(-value.exponent, 129);
  const bool up = rounds_up(value.significand, dropped, rounding, value.negative, inexact);
  const auto kept = (dropped >= 128 ? u128{0} : value.significand >> dropped) + (up ? 1 : 0);
  if (bit_length(kept) > 64) return false;
  magnitude = static_cast<std::uint64_t>(kept);
  return true;
}

}  // namespace forerun::ip::riscv
