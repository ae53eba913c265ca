// SPDX-License-Identifier: Apache-2.0
/// Modules of any style as the modules that the benches know.
#pragma once

#include <string>

#include "ip/cosim/pins.hpp"
#include "platform/replay/bench.hpp"
#include "platform/replay/tile_beats.hpp"

namespace forerun::replay {

struct WrappedAxi {
  std::string text;  ///< Verilog of module `top`, with clock, reset (active high) and s_axi_...
  ip::cosim::AxiShape shape;
  static constexpr const char* top = "replay_block";
};

/// The module's one subordinate by itself; what else it has is held at 0. Throws std::invalid_argument or
/// std::runtime_error, naming the place in the pin map.
WrappedAxi wrap_axi(const PinnedBlock& block);

struct WrappedTile {
  std::string text;  ///< Verilog of module `top`, with the ports of ip/tensor/rtl/tensor_tile.sv
  TileShape shape;
  static constexpr const char* top = "replay_unit";
};

/// A matrix unit: its pin map has a section `tile`. Throws as the above.
WrappedTile wrap_tile(const PinnedBlock& block);

}  // namespace forerun::replay
