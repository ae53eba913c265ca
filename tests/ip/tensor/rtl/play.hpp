// SPDX-License-Identifier: Apache-2.0
/// Drives a tile with beats and stalls, cycle by cycle.
#pragma once

#include <string>

#include "tests/ip/tensor/rtl/product.hpp"
#include "tests/ip/tensor/rtl/tile.hpp"

namespace forerun::rtl {

struct Played {
  ip::TileSchedule schedule;
  std::vector<std::vector<std::uint32_t>> results;  ///< a row of lanes for each result beat
  std::vector<bool> lasts;
  bool quiet = true;  ///< idle, without a result offered, once everything should be over
};

void reset(Tile& tile);

/// Offers the beats as TileStalls says, for at most `limit` cycles and some more in which nothing must
/// happen.
Played play(Tile& tile, const Beats& beats, const ip::TileStalls& stalls, std::uint64_t limit);

/// Plays a product and holds it against the models of time and of numbers. Returns what differs first, or
/// nothing.
std::string first_difference(Tile& tile, const Product& product, const Stalls& stalls,
                             std::mt19937& generator);

}  // namespace forerun::rtl
