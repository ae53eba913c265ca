// SPDX-License-Identifier: Apache-2.0
/// Records what passes the boundaries of blocks while a chip runs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ip/record/writer.hpp"
#include "platform/sim/simulation.hpp"

namespace forerun::sim {

/// What to record, and where to.
struct Recording {
  /// A boundary of soc::Soc, or that of a tensor engine's arrays, "clusterN.tensor", or of a DMA engine of
  /// RTL, "clusterN.load" and "clusterN.store".
  std::string block;
  std::string path;
};

/// "BLOCK=FILE". Throws std::invalid_argument.
Recording parse_recording(const std::string& text);

/// The taps that these need in the Soc.
std::vector<std::string> taps_of(const std::vector<Recording>& recordings);

class Recorder {
 public:
  /// Before the simulation starts. Records the first `most` transactions or products of each block, 0: all.
  /// Throws std::invalid_argument for a block that is not there, ip::record::FileError if a file cannot be
  /// made.
  Recorder(Simulation& simulation, const std::vector<Recording>& recordings, std::uint64_t most);

  /// After the simulation. False, with a message on standard error, if a file could not be written.
  bool close();
  /// One line a file: what it holds, and what was left out.
  std::string summary() const;

 private:
  struct Stream {
    Recording recording;
    ip::record::Writer writer;
    ip::record::Kind kind;
    std::uint64_t beyond = 0;       ///< not recorded: more than wanted
    std::uint64_t scaled = 0;       ///< MATMUL_SCALED, which no tile has
    std::uint64_t other_types = 0;  ///< products of number formats that the tile does not have
    std::size_t unanswered = 0;
  };
  void record_products(Stream& stream, ip::TensorCore& tensor);
  void record_copies(Stream& stream, rtl::RtlDma& engine);
  Simulation& simulation_;
  std::uint64_t most_;
  std::vector<std::unique_ptr<Stream>> streams_;
};

}  // namespace forerun::sim
