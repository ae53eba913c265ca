// SPDX-License-Identifier: Apache-2.0
/// When a weight-stationary tile with double-buffered weights takes each beat of weights and activations and
/// gives each row of results: the timing of the SystemVerilog in ip/tensor/rtl, row by row and with stalls.
/// TensorCore uses the closed form, which is the case without stalls.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace forerun::ip {

/// One tile of weights and the rows of activations that meet it.
struct TileWave {
  std::uint32_t weights = 1;  ///< rows of the tile of weights, 1 .. R
  std::uint32_t rows = 1;     ///< rows of activations, 1 or more
  bool continues = false;     ///< sums continue in the accumulators (every k-tile but the first)
  bool emits = true;          ///< results leave the tile (the last k-tile), or else stay in the accumulators
};

/// The waves of an m x n x k product on one tile of R = `rows` by C = `columns`: over k first, then over n.
std::vector<TileWave> tile_waves(unsigned rows, unsigned columns, std::uint32_t m, std::uint32_t n,
                                 std::uint32_t k);

/// Cycles between the first activations of two waves when nothing stalls: the weights of the next wave, and
/// where it continues the accumulators, the way of a sum down a column of `rows` cells.
constexpr std::uint64_t wave_gap(std::uint64_t rows, std::uint64_t m, std::uint64_t next_weights,
                                 bool next_continues) {
  return std::max({m, next_weights, next_continues ? rows : 0});
}

/// Cycles that the surroundings add, a number for each beat in order; beats beyond the end of a list are not
/// stalled.
struct TileStalls {
  /// A beat is offered so many cycles later than it could be: than cycle 0 or the cycle after its predecessor
  /// was taken.
  std::span<const std::uint32_t> weights, activations;
  /// A row of results is taken so many cycles after it is offered.
  std::span<const std::uint32_t> results;
};

/// The cycle in which each beat is taken; cycle 0 is the first in which weights can be.
struct TileSchedule {
  std::vector<std::uint64_t> weights, activations, results;
  /// Cycles up to and with that of the last result.
  std::uint64_t cycles() const { return results.empty() ? 0 : results.back() + 1; }
};

/// Steps from beat to beat, not from cycle to cycle.
TileSchedule schedule_tile(unsigned rows, unsigned columns, std::span<const TileWave> waves,
                           const TileStalls& stalls = {});

}  // namespace forerun::ip
