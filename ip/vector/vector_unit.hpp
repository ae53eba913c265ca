// SPDX-License-Identifier: Apache-2.0
/// The vector engine: lanes that carry out VECTOR commands.
#pragma once

#include <cstdint>

#include "ip/command/compute_engine.hpp"

namespace forerun::ip {

struct VectorParameters {
  unsigned lanes = 64;         ///< elements a cycle and pass, 1 .. 4096
  unsigned latency = 12;       ///< cycles through the pipeline, paid once a pass
  unsigned special_factor = 4; ///< lanes per special-function unit: a special pass takes so many times longer
  unsigned queue_depth = 16;   ///< commands
  Frequency clock{1.25e9};
  bool data = true;
};

/// A command of p passes over e elements, s of them through the special-function units, lasts
///   p (latency + ceil(e / lanes)) + s (special_factor - 1) ceil(e / lanes) cycles,
/// or as long as the scratchpad takes to move its operands and results, whichever is longer. Long commands are booked
/// in slices. The bits are those of vector_operation(), computed when the command ends.
class VectorUnit : public ComputeEngine {
 public:
  VectorUnit(const sc_core::sc_module_name& name, const VectorParameters& parameters, std::uint64_t local_bytes);

  Counter elements{counters, "elements", "element", "elements processed, counted once a pass"};
  Counter operand_time{counters, "operand_time", "ps", "time that slices were held up by the scratchpad"};

  std::uint64_t ideal_cycles(const fr_vector& command) const;

 private:
  void start(const Command& command) override;
  void step() override;

  VectorParameters parameters_;
  fr_vector command_{};
  std::uint64_t slices_ = 0, slice_ = 0, cycles_ = 0, read_ = 0, written_ = 0;
};

}  // namespace forerun::ip
