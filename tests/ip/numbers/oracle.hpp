// SPDX-License-Identifier: Apache-2.0
/// Rounding by definition: a format is the list of its values, written down from the specification's tables,
/// and a number goes to the nearest of them by exact comparison. Nothing here looks at the bits of a
/// binary32.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "firmware/abi/command.h"

namespace forerun::oracle {

/// A row of a specification's table of formats.
struct Format {
  std::string name;
  unsigned type;  ///< FR_TYPE_*
  unsigned exponent_bits, fraction_bits;
  int bias;
  double largest, smallest_normal, smallest_subnormal;  ///< as the table prints them
  unsigned infinity;                                    ///< code of +infinity, 0 for none
  std::vector<unsigned> nan;                            ///< positive codes that are NaN
  unsigned canonical_nan;                               ///< the one that conversions give, 0 for none
  unsigned bits() const { return 1 + exponent_bits + fraction_bits; }
  unsigned sign() const { return 1u << (bits() - 1); }
};

inline std::vector<unsigned> range(unsigned first, unsigned last) {
  std::vector<unsigned> codes;
  for (unsigned code = first; code <= last; ++code) codes.push_back(code);
  return codes;
}

/// OFP8 1.0 table 1 and 2, MX 1.0 tables 2 to 5; binary16 and bfloat16 as IEEE 754 lays out its formats.
inline const std::vector<Format>& formats() {
  static const std::vector<Format> all{
      {"e4m3", FR_TYPE_F8E4M3, 4, 3, 7, 448, 0x1p-6, 0x1p-9, 0, {0x7f}, 0x7f},
      {"e5m2", FR_TYPE_F8E5M2, 5, 2, 15, 57344, 0x1p-14, 0x1p-16, 0x7c, {0x7d, 0x7e, 0x7f}, 0x7f},
      {"e3m2", FR_TYPE_F6E3M2, 3, 2, 3, 28, 0.25, 0.0625, 0, {}, 0},
      {"e2m3", FR_TYPE_F6E2M3, 2, 3, 1, 7.5, 1, 0.125, 0, {}, 0},
      {"e2m1", FR_TYPE_F4E2M1, 2, 1, 1, 6, 1, 0.5, 0, {}, 0},
      {"binary16", FR_TYPE_F16, 5, 10, 15, 65504, 0x1p-14, 0x1p-24, 0x7c00, range(0x7c01, 0x7fff), 0x7e00},
      {"bfloat16", FR_TYPE_BF16, 8, 7, 127, 0x1.fep127, 0x1p-126, 0x1p-133, 0x7f80, range(0x7f81, 0x7fff),
       0x7fc0}};
  return all;
}

/// The finite values that are not negative, by code; NaN where the code is no finite value.
inline std::vector<double> values(const Format& format) {
  std::vector<double> list(format.sign());
  for (unsigned code = 0; code < format.sign(); ++code) {
    const unsigned steps = 1u << format.fraction_bits, exponent = code / steps;
    const double fraction = code % steps / static_cast<double>(steps);
    list[code] = exponent == 0 ? std::ldexp(fraction, 1 - format.bias)
                               : std::ldexp(1 + fraction, static_cast<int>(exponent) - format.bias);
    const bool nan = std::find(format.nan.begin(), format.nan.end(), code) != format.nan.end();
    if (nan || (format.infinity != 0 && code == format.infinity)) list[code] = NAN;
  }
  return list;
}

/// Rounds to a format.
class Rounder {
 public:
  explicit Rounder(const Format& format) : format_(format) {
    for (const double value : values(format))
      if (!std::isnan(value)) finite_.push_back(value);
  }
  const std::vector<double>& finite() const { return finite_; }  ///< ascending, from 0; the index is the code

  /// The code of the nearest value, ties to the even code; beyond the largest, the next value that the format
  /// would have if its exponent went on stands for overflow.
  unsigned code(double value, bool saturate) const {
    if (std::isnan(value)) return format_.canonical_nan != 0 ? format_.canonical_nan : top();
    const unsigned sign = std::signbit(value) ? format_.sign() : 0;
    const double magnitude = std::fabs(value);
    const double beyond = 2 * finite_[top()] - finite_[top() - 1];
    const double limit = (finite_[top()] + beyond) / 2;  // ties go to the even of the two codes
    if (magnitude > limit || (magnitude == limit && top() % 2 == 1)) {
      if (saturate || (format_.infinity == 0 && format_.nan.empty())) return sign | top();
      return format_.infinity != 0 ? sign | format_.infinity : format_.canonical_nan;
    }
    const auto above = std::lower_bound(finite_.begin(), finite_.end(), magnitude);
    if (above == finite_.end()) return sign | top();
    const auto high = static_cast<unsigned>(above - finite_.begin());
    if (*above == magnitude) return sign | high;
    const double middle = (finite_[high - 1] + finite_[high]) / 2;  // exact: few bits
    if (magnitude != middle) return sign | (magnitude < middle ? high - 1 : high);
    return sign | (high % 2 == 0 ? high : high - 1);
  }

 private:
  unsigned top() const { return static_cast<unsigned>(finite_.size()) - 1; }
  Format format_;
  std::vector<double> finite_;
};

/// Binary32 numbers that could go wrong: every value of the format, every middle of neighbours and the ends
/// of its range, each with its two neighbours in binary32; zeros, infinities, NaN; then all upper halves of a
/// binary32 with six lower halves. Calls `f` with each, with both signs.
inline std::size_t for_hard_cases(const Rounder& rounder, const std::function<void(float)>& f) {
  std::size_t count = 0;
  const auto both = [&](float value) { f(value), f(-value), count += 2; };
  const auto around = [&](double value) {
    const auto here = static_cast<float>(value);
    both(here), both(std::nextafter(here, 0.0F)), both(std::nextafter(here, INFINITY));
  };
  const auto& finite = rounder.finite();
  for (std::size_t i = 0; i < finite.size(); ++i) {
    around(finite[i]);
    around(i + 1 < finite.size() ? (finite[i] + finite[i + 1]) / 2
                                 : finite[i] + (finite[i] - finite[i - 1]) / 2);
  }
  both(0.0F), both(INFINITY), both(NAN);
  for (std::uint32_t upper = 0; upper < 0x8000; ++upper)
    for (const std::uint32_t lower : {0x0000u, 0x0001u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      both(std::bit_cast<float>(upper << 16 | lower));
  return count;
}

}  // namespace forerun::oracle
