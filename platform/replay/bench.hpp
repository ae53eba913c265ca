// SPDX-License-Identifier: Apache-2.0
/// Test benches that play a recording into a block of RTL alone, for simulators that know nothing of this
/// project.
#pragma once

#include <string>
#include <vector>

#include "ip/cosim/pins.hpp"
#include "platform/replay/axi_player.hpp"
#include "platform/replay/tile_beats.hpp"
#include "platform/rtl/pin_map.hpp"

namespace forerun::replay {

/// The block, and what of the recording is played.
struct Block {
  std::string top;                                 ///< module
  std::vector<std::string> sources;                ///< Verilog files, in the order of compilation
  std::vector<std::string> includes{}, defines{};  ///< folders of `include files; NAME or NAME=VALUE
  std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
};

struct AxiBlock : Block {
  ip::cosim::AxiShape shape{};
  std::string prefix = "s_axi_", clock = "aclk", reset = "aresetn";
  bool reset_high = false;
  AddressWindow window{};
  bool initial_contents = true;  ///< false: the block is at the start as it was in the run
  std::string wrapper{};         ///< Verilog of `top`, in front of the sources; empty: it is in them
};

/// A module of any style, with its pin map.
struct PinnedBlock : Block {
  rtl::PinMap map{};
  std::string pins{}, pins_file{};  ///< the map's text, and its file
};

struct TileBlock : Block {
  TileShape shape{};
  std::string wrapper{};  ///< Verilog of `top`, beside the sources; empty: it is in them, and has parameters
                          ///< FORMAT, R, C and DEPTH
};

/// What a written bench plays, in one line.
using Summary = std::string;

/// Makes a folder with two benches: replay_tb.sv in plain SystemVerilog, which reads text files beside it,
/// and replay_dpi_tb.sv with DPI-C, which reads the recording; and scripts that run them: icarus.sh,
/// verilator.sh and verilator_dpi.sh. Throws ip::record::FileError, std::invalid_argument,
/// std::runtime_error.
Summary write_tile_bench(const std::string& folder, const std::string& recording, const TileBlock& block);
/// The block's ports are those of AXI whose names, behind the prefix, its sources contain.
Summary write_axi_bench(const std::string& folder, const std::string& recording, const AxiBlock& block);
/// Only the bench with DPI-C, and the script verilator_dpi.sh, for a module with AXI4 managers and a section
/// `dma` in its pin map. Looks at it with Verilator.
Summary write_dma_bench(const std::string& folder, const std::string& recording, const PinnedBlock& block);

}  // namespace forerun::replay
