// SPDX-License-Identifier: Apache-2.0
#include "ip/vector/elementary.hpp"

#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>

namespace forerun::ip {

double exponential(double x) {
  if (std::isnan(x)) return x;
  if (x > 709.0) return std::numeric_limits<double>::infinity();
  if (x < -708.0) return 0.0;
  constexpr double log2_e = 1.4426950408889634, ln2_high = 6.93147180369123816490e-01, ln2_low = 1.90821492927058770002e-10;
  const auto n = static_cast<std::int64_t>(x * log2_e + (x < 0 ? -0.5 : 0.5));
  const double r = (x - static_cast<double>(n) * ln2_high) - static_cast<double>(n) * ln2_low;
  // Taylor series of e^r for |r| <= ln 2 / 2, by Horner's rule.
  double sum = 1.0 / 6227020800.0;
  for (const double inverse : {1.0 / 479001600.0, 1.0 / 39916800.0, 1.0 / 3628800.0, 1.0 / 362880.0, 1.0 / 40320.0,
                               1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0})
    sum = sum * r + inverse;
  return sum * std::bit_cast<double>(static_cast<std::uint64_t>(n + 1023) << 52);
}

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

float exponential(float x) { return static_cast<float>(exponential(static_cast<double>(x))); }
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
  if (x >= 0) return static_cast<float>(1 / (1 + exponential(-static_cast<double>(x))));
  const double e = exponential(static_cast<double>(x));
  return static_cast<float>(e / (1 + e));
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
