// SPDX-License-Identifier: Apache-2.0
/// A recorded product as the beats of a tensor tile (ip/tensor/rtl/tensor_tile.sv).
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "ip/record/format.hpp"

namespace forerun::replay {

struct TileShape {
  unsigned format = 0;  ///< 0 int8, 1 bfloat16, 2 binary16
  unsigned rows = 8, columns = 8;
  unsigned depth = std::numeric_limits<unsigned>::max();  ///< rows of sums that it keeps
  bool own_timing = false;  ///< its cycles are not those of ip/tensor/tile_timing.hpp
  bool last = true;         ///< it has c_last

  unsigned lane_bits() const { return format == 0 ? 8 : 16; }
  /// Whether it can compute this product: its format, and sums that it can keep.
  bool takes(const ip::record::Product& product) const;
  /// Throws std::invalid_argument.
  void check() const;
};
/// "int8", "bf16", "fp16".
const char* format_name(unsigned format);

struct WeightBeat {
  std::vector<std::uint16_t> lanes;  ///< `columns`
  bool last = false;
};
struct ActivationBeat {
  std::vector<std::uint16_t> lanes;  ///< `rows`
  std::vector<std::uint32_t> sums;   ///< `columns`
  unsigned start = 0;                ///< a_start
  bool emit = false, last = false;
};
struct ResultBeat {
  std::vector<std::uint32_t> lanes;  ///< `columns`, of which the first `used` count
  unsigned used = 0;
  bool last = false;
  std::uint32_t row = 0, column = 0;  ///< of lane 0 in C
};

struct TileBeats {
  /// Over k first, then over n; sums stay in the tile between k-tiles. Lanes that do not take part are 0.
  TileBeats(const ip::record::Product& product, const TileShape& shape);
  std::vector<WeightBeat> weights;
  std::vector<ActivationBeat> activations;
  std::vector<ResultBeat> results;
  /// From the first weights to the last result, when nothing stalls.
  std::uint64_t cycles = 0;
};

}  // namespace forerun::replay
