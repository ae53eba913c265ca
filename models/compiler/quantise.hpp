// SPDX-License-Identifier: Apache-2.0
/// Weights in a number format: the same bits from the same model, on every host.
#pragma once

#include <span>
#include <vector>

#include "models/import/number_formats.hpp"

namespace forerun::models {

/// Divides the weights of one output, [inputs], by their scales, so that they only have to be rounded to the
/// format's elements (to nearest even, saturating), and gives the scales: none, one, or one for each group of
/// inputs. Integers and fp8: the largest magnitude of those that share a scale over the format's largest
/// value (127, 7, 448, 57344), in binary32, or for groups rounded to binary16. MX blocks: OCP MX 1.0
/// section 6.3.
std::vector<float> divide_by_scales(std::span<float> weights, NumberFormat format);

}  // namespace forerun::models
