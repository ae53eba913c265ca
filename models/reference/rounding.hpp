// SPDX-License-Identifier: Apache-2.0
/// Number formats by their definition, in double precision: the golden executor's own, which shares no code
/// with the chip's numbers.
#pragma once

#include <span>
#include <vector>

#include "models/import/number_formats.hpp"

namespace forerun::models {

/// Rounds to the nearest value of a format without scales (ties to even); the 8-bit floats saturate, the
/// wider ones overflow to infinity.
double round_to(double value, NumberFormat format);

/// What a row becomes in a format with its scales: each value the nearest multiple that the format has of the
/// scale of its block. Formats without scales round value by value. fp8 has one scale for the whole row.
void round_row(std::span<double> row, NumberFormat format);

/// A row as integers or fp8 with one scale: `row` becomes the elements, the scale is returned.
double split_scale(std::span<double> row, NumberFormat format);

}  // namespace forerun::models
