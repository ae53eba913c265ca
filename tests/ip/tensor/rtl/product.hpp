// SPDX-License-Identifier: Apache-2.0
/// A random product C (+)= A B: as a MATMUL command with its memory, and as beats for a tile.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "firmware/abi/command.h"
#include "ip/tensor/tile_timing.hpp"

namespace forerun::rtl {

struct Product {
  unsigned format = 0;  ///< 0 int8, 1 bfloat16, 2 binary16
  std::uint32_t m = 1, n = 1, k = 1;
  bool accumulate = false;
  std::vector<std::uint16_t> a, b;  ///< bit patterns, row after row
  std::vector<std::uint32_t> c;     ///< what C holds before

  /// Numbers of about the same size, or with `wild` any bit patterns: subnormals, infinities, NaNs, overflow,
  /// cancellation.
  static Product random(std::mt19937& generator, unsigned format, std::uint32_t m, std::uint32_t n,
                        std::uint32_t k, bool accumulate, bool wild);

  /// A at 0, B and C behind it.
  fr_matmul command() const;
  std::vector<unsigned char> memory() const;
  /// C as the functional model computes it.
  std::vector<std::uint32_t> expected() const;
  std::vector<std::uint32_t> result_in(const std::vector<unsigned char>& memory) const;
};

struct WeightBeat {
  std::vector<std::uint16_t> lanes;
  bool last;
};
struct ActivationBeat {
  std::vector<std::uint16_t> lanes;
  std::vector<std::uint32_t> sums;
  unsigned start;
  bool emit, last;
};
struct Beats {
  std::vector<WeightBeat> weights;
  std::vector<ActivationBeat> activations;
};

/// k-tile after k-tile, n-tile after n-tile; lanes that do not take part hold rubbish, unused columns too.
Beats beats_of(const Product& product, unsigned rows, unsigned columns, std::mt19937& generator);

/// Random stalls; `setting` 0: none, 1: late inputs, 2: results not taken, 3: both, in bursts.
struct Stalls {
  std::vector<std::uint32_t> weights, activations, results;
  static Stalls random(std::mt19937& generator, unsigned setting, std::size_t beats);
  ip::TileStalls view() const { return {weights, activations, results}; }
};

}  // namespace forerun::rtl
