// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/quantise.hpp"

#include <algorithm>

#include "firmware/abi/command.h"
#include "ip/base/numbers/groups.hpp"
#include "ip/base/numbers/microscaling.hpp"

namespace forerun::models {
namespace {

float largest(NumberFormat format) {
  switch (format.format) {
    case chip::Format::i8:
      return 127;
    case chip::Format::i4:
      return 7;
    case chip::Format::f8e4m3:
      return 448;
    default:
      return 57344;  // E5M2
  }
}

}  // namespace

std::vector<float> divide_by_scales(std::span<float> weights, NumberFormat format) {
  std::vector<float> scales;
  if (format.is_float()) return scales;
  const std::size_t block = format.block() != 0 ? format.block() : weights.size();
  for (std::size_t first = 0; first < weights.size(); first += block) {
    const auto part = weights.subspan(first, std::min(block, weights.size() - first));
    if (format.is_mx()) {
      const auto scale = ip::mx_scale(format.element(), part);
      ip::mx_divide(scale, part, part.data());
      scales.push_back(ip::from_e8m0(scale));
    } else {
      const auto by =
          ip::symmetric_scale(part, largest(format), format.block() != 0 ? FR_TYPE_F16 : FR_TYPE_F32);
      for (auto& v : part) v = ip::to_steps(v, by);
      scales.push_back(by.scale);
    }
  }
  return scales;
}

}  // namespace forerun::models
