// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "ip/cosim/pins.hpp"
#include "platform/replay/bench.hpp"
#include "platform/rtl/pin_map.hpp"

namespace forerun::replay {

/// A block behind AXI whose ports are of any style, in a module with plain ones.
struct WrappedBlock {
  static constexpr const char* top = "forerun_replay_block";
  /// The modules: ports `clock`, `reset` (active high) and those of AXI behind "s_axi_".
  std::string text;
  ip::cosim::AxiShape shape;
};

/// Looks at the module with Verilator. Throws std::invalid_argument or std::runtime_error for a pin map
/// without exactly one subordinate, and for what it names and the module does not have.
WrappedBlock wrap(const Block& block, const rtl::PinMap& map, const std::string& map_text);

}  // namespace forerun::replay
