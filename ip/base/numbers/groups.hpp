// SPDX-License-Identifier: Apache-2.0
/// Integers with a scale, and perhaps a zero point, for each group of neighbours: value = (q - zero) * scale.
#pragma once

#include <cstdint>
#include <span>

namespace forerun::ip {

struct GroupScale {
  float scale = 0;  ///< as stored, that is, rounded to the scale's type
  int zero = 0;
};

/// Symmetric: scale = max|v| / top rounded to `scale_type` (F32, F16 or BF16), zero = 0. A group of zeros has
/// scale 0.
GroupScale symmetric_scale(std::span<const float> group, float top, unsigned scale_type);

/// With a zero point for codes -2^(bits-1) .. 2^(bits-1) - 1: the range is widened to hold 0, so that 0 is
/// exact; scale = (max - min) / (2^bits - 1) rounded to `scale_type`, zero = round(lowest code - min /
/// scale), nearest even and held within the codes.
GroupScale affine_scale(std::span<const float> group, unsigned bits, unsigned scale_type);

/// q before rounding and saturation, in binary32: v / scale + zero; zero if the scale is 0 (or NaN).
inline float to_steps(float value, GroupScale by) {
  return by.scale > 0 ? value / by.scale + static_cast<float>(by.zero) : static_cast<float>(by.zero);
}

}  // namespace forerun::ip
