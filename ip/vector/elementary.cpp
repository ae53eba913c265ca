// SPDX-License-Identifier: Apache-2.0
#include "ip/vector/elementary.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>

#include "ip/vector/powers_of_two.hpp"

namespace forerun::ip {
namespace {

/// e^x in binary64, relative error below 1e-14; x is at most 0 here.
double exponential(double x) {
  if (x < -708.0) return 0.0;
  constexpr double log2_e = 1.4426950408889634, ln2_high = 6.93147180369123816490e-01,
                   ln2_low = 1.90821492927058770002e-10;
  const auto n = static_cast<std::int64_t>(x * log2_e + (x < 0 ? -0.5 : 0.5));
  const double r = (x - static_cast<double>(n) * ln2_high) - static_cast<double>(n) * ln2_low;
  // Taylor series of e^r for |r| <= ln 2 / 2, by Horner's rule.
  double sum = 1.0 / 6227020800.0;
  for (const double inverse :
       {1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0, 1.0 / 5040.0,
        1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0})
    sum = sum * r + inverse;
  return sum * std::bit_cast<double>(static_cast<std::uint64_t>(n + 1023) << 52);
}

}  // namespace

double logarithm(double x) {
  if (std::isnan(x) || x < 0) return std::numeric_limits<double>::quiet_NaN();
  if (x == 0) return -std::numeric_limits<double>::infinity();
  if (std::isinf(x)) return x;
  int exponent = 0;
  double m = std::frexp(x, &exponent);  // exact
  if (m < 0.70710678118654752) m *= 2, --exponent;
  // ln m = 2 artanh(s), s = (m - 1) / (m + 1), |s| < 0.172
  const double s = (m - 1) / (m + 1), s2 = s * s;
  double sum = 0;
  for (int k = 21; k >= 1; k -= 2) sum = sum * s2 + 1.0 / k;
  return 2 * s * sum + exponent * 0.69314718055994531;
}

float exponential(float x) {
  constexpr std::uint64_t log2_e = 793129986396;  // 39 bits of fraction
  constexpr std::uint64_t ln2 = 2977044472, half = 1031764991,
                          sixth = 238388332;  // ln 2, its square / 2, its cube / 6: 32 bits
  constexpr std::int64_t fraction = (std::int64_t{1} << 36) - 1;
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t magnitude = bits & 0x7fffffff;
  const bool negative = bits >> 31 != 0;
  if (magnitude > 0x7f800000) return std::numeric_limits<float>::quiet_NaN();
  if (magnitude >= 0x43000000) return negative ? 0.0F : std::numeric_limits<float>::infinity();  // 128
  // x log2(e) with 36 bits of fraction; 0 for a subnormal.
  const std::uint32_t exponent = magnitude >> 23, drop = 153 - exponent;
  const std::uint64_t product = std::uint64_t{(magnitude & 0x7fffff) | 0x800000} * log2_e;
  const auto size = static_cast<std::int64_t>(drop < 64 ? product >> drop : 0);
  const std::int64_t t = negative ? -size : size;
  const std::int64_t n = t >> 36;
  const auto f = static_cast<std::uint64_t>(t & fraction);
  // 2^f: the table for its upper 7 bits, a cubic for the others.
  const std::uint64_t z = f & ((1u << 29) - 1), whole = powers_of_two[f >> 29];
  const std::uint64_t slope = ln2 + ((half + (sixth * z >> 36)) * z >> 36);
  const std::uint64_t power = whole + (whole * (slope * z >> 32) >> 36);
  if (n > 127) return std::numeric_limits<float>::infinity();
  const std::int64_t shift = n < -126 ? 11 - 126 - n : 11;
  if (shift > 36) return 0.0F;
  const std::uint64_t kept = power >> shift, rest = power & ((std::uint64_t{1} << shift) - 1);
  const std::uint64_t tie = std::uint64_t{1} << (shift - 1);
  const std::uint64_t rounded = kept + (rest > tie || (rest == tie && (kept & 1) != 0) ? 1 : 0);
  const std::uint64_t base = n < -126 ? 0 : static_cast<std::uint64_t>(n + 126) << 23;
  return std::bit_cast<float>(static_cast<std::uint32_t>(base + rounded));
}
float logarithm(float x) { return static_cast<float>(logarithm(static_cast<double>(x))); }

float hyperbolic_tangent(float x) {
  if (std::isnan(x)) return x;
  const double a = std::fabs(static_cast<double>(x));
  double t = 1;
  if (a < 0.01) {
    t = a * (1 - a * a * (1.0 / 3 - a * a * (2.0 / 15)));
  } else if (a < 20) {
    const double e = exponential(-2 * a);
    t = (1 - e) / (1 + e);
  }
  return static_cast<float>(std::copysign(t, static_cast<double>(x)));
}

float sigmoid(float x) {
  if (std::isnan(x)) return x;
  const float e = exponential(-std::fabs(x));
  return (x >= 0 ? 1.0F : e) / (1 + e);
}

float error_function(float x) {
  if (std::isnan(x)) return x;
  const double a = std::fabs(static_cast<double>(x));
  double value = 1;
  if (a < 6) {
    // erf x = 2/sqrt(pi) e^(-x^2) sum of 2^n x^(2n+1) / (2n+1)!!; all terms positive
    double term = a, sum = a;
    for (int n = 1; n < 200 && term > sum * 1e-17; ++n) {
      term *= 2 * a * a / (2 * n + 1);
      sum += term;
    }
    value = 1.1283791670955126 * exponential(-a * a) * sum;
  }
  return static_cast<float>(std::copysign(value, static_cast<double>(x)));
}

}  // namespace forerun::ip
