// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/split.hpp"

#include <algorithm>

namespace forerun::models {

Range share(std::uint64_t total, std::uint64_t granule, std::uint64_t parts, std::uint64_t part) {
  const auto granules = divide_up(total, granule);
  return {std::min(total, granules * part / parts * granule),
          std::min(total, granules * (part + 1) / parts * granule)};
}

std::vector<WeightTile> tile_weights(std::uint64_t inputs, std::uint64_t outputs, const TileLimits& limits) {
  std::vector<WeightTile> tiles;
  if (inputs == 0 || outputs == 0) return tiles;
  const auto elements = std::max<std::uint64_t>(1, limits.slot_bytes / limits.element_bytes);
  // A column block as wide as the slot allows with all inputs, in whole widths of the arrays; one width at
  // least.
  auto width = elements / inputs / limits.array_columns * limits.array_columns;
  width = std::min({std::max(width, limits.array_columns), elements, outputs});
  const auto blocks = divide_up(outputs, width);
  // All inputs if they fit, else equal parts in whole rows of an array where there is room for one.
  auto depth = std::min(inputs, elements / width);
  if (depth < inputs && limits.depth != 0) {
    depth = std::min(depth, limits.depth);
  } else if (depth < inputs) {
    const auto even = divide_up(inputs, divide_up(inputs, depth));
    depth = round_up(even, limits.array_rows) <= depth ? round_up(even, limits.array_rows)
            : depth >= limits.array_rows               ? depth / limits.array_rows * limits.array_rows
                                                       : depth;
  }
  for (std::uint64_t block = 0; block < blocks; ++block)
    for (std::uint64_t k = 0; k < inputs; k += depth)
      tiles.push_back(
          {{k, std::min(inputs, k + depth)}, {block * width, std::min(outputs, (block + 1) * width)}});
  return tiles;
}

}  // namespace forerun::models
