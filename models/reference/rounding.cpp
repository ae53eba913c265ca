// SPDX-License-Identifier: Apache-2.0
// Sources: IEEE 754-2019; OCP OFP8 1.0 section 4; OCP MX 1.0 sections 5.3 and 6.3.
#include "models/reference/rounding.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace forerun::models {
namespace {

using chip::Format;

/// Values are multiples of 2^(exponent - fraction_bits), the exponent that of the value but at least `least`.
struct Grid {
  int fraction_bits, least;
  double largest;
  bool saturates, whole = false;
};

Grid grid_of(Format format) {
  switch (format) {
    case Format::f32:
      return {23, -126, std::numeric_limits<float>::max(), false};
    case Format::f16:
      return {10, -14, 65504, false};
    case Format::bf16:
      return {7, -126, 0x1.fep127, false};
    case Format::f8e4m3:
    case Format::mxfp8:
      return {3, -6, 448, true};
    case Format::f8e5m2:
      return {2, -14, 57344, true};
    case Format::mxfp6:
      return {3, 0, 7.5, true};
    case Format::mxfp4:
      return {1, 0, 6, true};
    case Format::mxint8:
      return {6, 0, 127.0 / 64, true};
    case Format::i8:
      return {7, 7, 127, true, true};
    case Format::i4:
      return {3, 3, 7, true, true};
  }
  return {};
}

double on_grid(double value, const Grid& grid) {
  if (value == 0 || !std::isfinite(value)) return value;
  const int exponent = std::max(std::ilogb(value), grid.least);
  const double step = std::ldexp(1.0, exponent - grid.fraction_bits);
  const double rounded = std::nearbyint(value / step) * step;
  // Two's complement has one more negative number, which only a scale that was rounded down can lead to.
  const double largest = grid.whole && value < 0 ? grid.largest + 1 : grid.largest;
  if (std::fabs(rounded) <= largest) return rounded;
  return std::copysign(grid.saturates ? largest : std::numeric_limits<double>::infinity(), value);
}

double to_single(double value) { return on_grid(value, grid_of(Format::f32)); }

double largest_of(std::span<const double> row) {
  double most = 0;
  for (const double v : row) most = std::max(most, std::fabs(v));
  return most;
}

/// Exponent of the largest power of two that an MX element has.
int largest_exponent(Format format) { return std::ilogb(grid_of(format).largest); }

void round_mx_block(std::span<double> block, Format format) {
  const double most = largest_of(block);
  if (most == 0) return;
  const int exponent = std::clamp(std::ilogb(most) - largest_exponent(format), -127, 127);
  for (auto& v : block) v = std::ldexp(on_grid(std::ldexp(v, -exponent), grid_of(format)), exponent);
}

/// Divides by the scale and rounds; returns it, rounded to `scale_format`.
double split_block(std::span<double> block, Format format, Format scale_format) {
  const auto grid = grid_of(format);
  const double scale = on_grid(to_single(to_single(largest_of(block)) / grid.largest), grid_of(scale_format));
  for (auto& v : block) v = scale > 0 ? on_grid(to_single(v / scale), grid) : 0;
  return scale;
}

}  // namespace

double round_to(double value, NumberFormat format) { return on_grid(value, grid_of(format.format)); }

double split_scale(std::span<double> row, NumberFormat format) {
  return split_block(row, format.format, Format::f32);
}

void round_row(std::span<double> row, NumberFormat format) {
  if (format.is_float()) {
    for (auto& v : row) v = round_to(v, format);
    return;
  }
  const std::size_t block = format.block() != 0 ? format.block() : std::max<std::size_t>(row.size(), 1);
  for (std::size_t first = 0; first < row.size(); first += block) {
    const auto part = row.subspan(first, std::min(block, row.size() - first));
    if (format.is_mx()) {
      round_mx_block(part, format.format);
      continue;
    }
    const double scale = split_block(part, format.format, format.group != 0 ? Format::f16 : Format::f32);
    for (auto& v : part) v *= scale;
  }
}

}  // namespace forerun::models
