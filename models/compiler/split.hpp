// SPDX-License-Identifier: Apache-2.0
/// How work is shared between clusters and cut into tiles. Only outputs are split, never the sums over
/// inputs, so that results do not depend on the number of clusters or the size of the arrays.
#pragma once

#include <cstdint>
#include <vector>

namespace forerun::models {

/// A range [begin, end).
struct Range {
  std::uint64_t begin = 0, end = 0;
  std::uint64_t size() const { return end - begin; }
  bool empty() const { return begin == end; }
};

/// Part `part` of `parts` of 0 .. total, in whole granules but for the last; parts differ by one granule at
/// most.
Range share(std::uint64_t total, std::uint64_t granule, std::uint64_t parts, std::uint64_t part);

/// A tile of a weight matrix: rows `k` of the inputs and columns `n` of the outputs, stored [k][n].
struct WeightTile {
  Range k, n;
  bool first_k() const { return k.begin == 0; }
};

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }
constexpr std::uint64_t divide_up(std::uint64_t a, std::uint64_t b) { return (a + b - 1) / b; }

/// How a tile of weights lies in memory: rows [n] of packed elements, each from a byte on, then rows [n] of
/// scales, one for each group of inputs.
struct TileFormat {
  std::uint32_t element_bits = 0;
  std::uint32_t group = 0;        ///< tiles begin at multiples of so many inputs; 0: anywhere
  std::uint32_t scale_bytes = 0;  ///< of a group and output; 0: without scales
  std::uint64_t row_bytes(std::uint64_t n) const { return divide_up(n * element_bits, 8); }
  std::uint64_t scale_offset(std::uint64_t k, std::uint64_t n) const { return k * row_bytes(n); }
  std::uint64_t bytes(std::uint64_t k, std::uint64_t n) const {
    return scale_offset(k, n) + (scale_bytes == 0 ? 0 : divide_up(k, group) * n * scale_bytes);
  }
};

/// What a tile may be: at most `slot_bytes`, and best a multiple of what the arrays hold.
struct TileLimits {
  std::uint64_t slot_bytes = 0;
  std::uint64_t array_rows = 0;     ///< R of an array
  std::uint64_t array_columns = 0;  ///< C of all arrays side by side
  TileFormat format;
  /// If not 0: inputs of a tile where not all fit, the same for every matrix; else they are cut evenly.
  std::uint64_t depth = 0;
};

/// Tiles in the order in which they are used: all of the inputs for a column block, then the next block.
std::vector<WeightTile> tile_weights(std::uint64_t inputs, std::uint64_t outputs, const TileLimits& limits);

}  // namespace forerun::models
