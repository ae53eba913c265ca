// SPDX-License-Identifier: Apache-2.0
#include "ip/base/numbers/groups.hpp"

#include <algorithm>
#include <cmath>

#include "ip/base/numbers.hpp"

namespace forerun::ip {
namespace {

float as_stored(unsigned type, float value) {
  unsigned char bytes[4];
  write_row(type, &value, bytes, 1);
  read_row(type, bytes, &value, 1);
  return value;
}

}  // namespace

GroupScale symmetric_scale(std::span<const float> group, float top, unsigned scale_type) {
  float most = 0;
  for (const float value : group) most = std::max(most, std::fabs(value));
  return {as_stored(scale_type, most / top), 0};
}

GroupScale affine_scale(std::span<const float> group, unsigned bits, unsigned scale_type) {
  float low = 0, high = 0;
  for (const float value : group) low = std::min(low, value), high = std::max(high, value);
  const int steps = (1 << bits) - 1, lowest = -(1 << (bits - 1));
  const float scale = as_stored(scale_type, (high - low) / static_cast<float>(steps));
  if (!(scale > 0)) return {};
  const float zero = round_even(static_cast<float>(lowest) - low / scale);
  return {scale,
          static_cast<int>(std::clamp(zero, static_cast<float>(lowest), static_cast<float>(lowest + steps)))};
}

}  // namespace forerun::ip
