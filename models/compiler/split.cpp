// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/split.hpp"

#include <algorithm>
#include <numeric>

namespace forerun::models {

Range share(std::uint64_t total, std::uint64_t granule, std::uint64_t parts, std::uint64_t part) {
  const auto granules = divide_up(total, granule);
  return {std::min(total, granules * part / parts * granule),
          std::min(total, granules * (part + 1) / parts * granule)};
}

std::vector<WeightTile> tile_weights(std::uint64_t inputs, std::uint64_t outputs, const TileLimits& limits) {
  std::vector<WeightTile> tiles;
  if (inputs == 0 || outputs == 0) return tiles;
  const auto& format = limits.format;
  const auto least = format.group == 0 ? 1 : std::min<std::uint64_t>(format.group, inputs);
  // Columns that fit with so many inputs each.
  const auto columns = [&](std::uint64_t k) {
    const auto scales = format.scale_bytes == 0 ? 0 : divide_up(k, format.group) * format.scale_bytes * 8;
    return std::max<std::uint64_t>(1, limits.slot_bytes * 8 / (k * format.element_bits + scales));
  };
  const auto most = columns(least);
  // A column block as wide as the slot allows with all inputs, in whole widths of the arrays; one width at
  // least.
  auto width = columns(inputs) / limits.array_columns * limits.array_columns;
  width = std::min({std::max(width, limits.array_columns), most, outputs});
  while (width > 1 && format.bytes(least, width) > limits.slot_bytes) --width;  // rows end with a byte
  const auto blocks = divide_up(outputs, width);
  // All inputs if they fit, else equal parts in whole rows of an array where there is room for one.
  auto depth = format.bytes(inputs, width) <= limits.slot_bytes
                   ? inputs
                   : std::max<std::uint64_t>(1, limits.slot_bytes / format.bytes(least, width)) * least;
  if (depth < inputs && limits.depth != 0) {
    depth = std::min(depth, limits.depth);
  } else if (depth < inputs) {
    const auto even = divide_up(inputs, divide_up(inputs, depth));
    const auto rows = std::lcm(limits.array_rows, least);
    depth = round_up(even, rows) <= depth ? round_up(even, rows)
            : depth >= rows               ? depth / rows * rows
                                          : depth;
  }
  for (std::uint64_t block = 0; block < blocks; ++block)
    for (std::uint64_t k = 0; k < inputs; k += depth)
      tiles.push_back(
          {{k, std::min(inputs, k + depth)}, {block * width, std::min(outputs, (block + 1) * width)}});
  return tiles;
}

}  // namespace forerun::models
