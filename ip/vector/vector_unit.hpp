// SPDX-License-Identifier: Apache-2.0
/// The vector engine: lanes that carry out VECTOR commands.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "ip/command/compute_engine.hpp"
#include "ip/vector/lanes.hpp"
#include "ip/vector/vector_timing.hpp"

namespace forerun::ip {

struct VectorParameters {
  unsigned lanes = 64;    ///< elements a cycle and pass, 1 .. 4096
  unsigned latency = 12;  ///< cycles through the pipeline, paid once a pass
  unsigned special_factor =
      4;                      ///< lanes per special-function unit: a special pass takes so many times longer
  Bytes buffer{64 * 1024};    ///< binary32 that are kept between the passes of an operation
  unsigned queue_depth = 16;  ///< commands
  Frequency clock{1.25e9};
  bool data = true;

  VectorShape shape() const {
    return {lanes, latency, special_factor,
            static_cast<unsigned>(std::max<std::uint64_t>(1, buffer.count / (std::uint64_t{4} * lanes)))};
  }
};

/// A command lasts as long as vector_cycles() says, the cycles of the SystemVerilog in ip/vector/rtl, or as
/// long as the scratchpad takes to move its operands and results, whichever is longer. Long commands are
/// booked in slices. The bits are those of vector_operation(), computed when the command ends.
class VectorUnit : public ComputeEngine {
 public:
  VectorUnit(const sc_core::sc_module_name& name, const VectorParameters& parameters,
             std::uint64_t local_bytes);

  Counter elements{counters, "elements", "element", "elements processed, counted once a pass"};
  Counter operand_time{counters, "operand_time", "ps", "time that slices were held up by the scratchpad"};

  std::uint64_t ideal_cycles(const fr_vector& command) const;
  /// From now on `lanes` executes those commands that it takes, in the cycles that it needs. The engine's
  /// accounting and its operands' traffic stay as they are.
  void use(std::unique_ptr<VectorLanes> lanes) { lanes_ = std::move(lanes); }
  /// Null without.
  const VectorLanes* lanes() const { return lanes_.get(); }

 private:
  void start(const Command& command) override;
  void step() override;
  void read_operands();
  void write_results();

  VectorParameters parameters_;
  fr_vector command_{};
  std::unique_ptr<VectorLanes> lanes_;
  bool on_lanes_ = false;  ///< the command under way
  bool computed_ = false;  ///< its results are on their way to the store
  std::uint64_t slices_ = 0, slice_ = 0, cycles_ = 0, read_ = 0, written_ = 0;
};

}  // namespace forerun::ip
