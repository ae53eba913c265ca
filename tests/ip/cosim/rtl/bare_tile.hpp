// SPDX-License-Identifier: Apache-2.0
/// A Verilated tensor tile, int8 16x16, in a plain loop without any hook: what hooks are measured against.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace forerun::ip::cosim {

inline constexpr unsigned bare_rows = 16, bare_columns = 16, bare_depth = 256;

/// What goes to the pins in one cycle.
struct TileInputs {
  bool w_valid = false, w_last = false, a_valid = false, a_last = false, a_emit = false;
  std::uint8_t a_start = 0;
  std::array<std::uint32_t, bare_columns / 4> w_data{};
  std::array<std::uint32_t, bare_rows / 4> a_data{};
};

class BareTile {
 public:
  virtual ~BareTile() = default;
  virtual void reset() = 0;
  /// One cycle after another; returns the sum of all results, so that nothing is left out.
  virtual std::uint32_t run(const TileInputs* cycles, std::size_t count) = 0;
};
std::unique_ptr<BareTile> make_bare_tile();

}  // namespace forerun::ip::cosim
