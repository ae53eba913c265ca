// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace forerun::ip::cosim {

/// A block of RTL as its clock sees it. Implement it around a Verilated model, in a source file of its own
/// that does not include SystemC: the headers of `verilator --cc` and `<systemc>` do not go together.
class RtlBlock {
 public:
  RtlBlock() = default;
  RtlBlock(const RtlBlock&) = delete;
  RtlBlock& operator=(const RtlBlock&) = delete;
  virtual ~RtlBlock() = default;

  /// Clock low: takes the inputs from the pins, evaluates, puts the outputs on the pins.
  virtual void settle() = 0;
  /// The clock rises. Inputs are those of the last settle(). Outputs reach the pins at the next settle().
  virtual void edge() = 0;
  /// True if nothing will change without a change of an input: then the clock may stop. False is always safe.
  virtual bool idle() const { return false; }
};

/// A bus model on the pins of a block, for instance in a bridge.
class PinUser {
 public:
  PinUser() = default;
  PinUser(const PinUser&) = delete;
  PinUser& operator=(const PinUser&) = delete;
  virtual ~PinUser() = default;

  virtual void drive(std::uint64_t cycle) = 0;  ///< writes its wires, from registered state only
  virtual void edge(std::uint64_t cycle) = 0;   ///< the clock rises
  virtual bool idle() const = 0;                ///< nothing to do until somebody calls
  /// In picoseconds: what has come already is driven in no cycle that begins before. For simulations that let
  /// a block run ahead; 0 is always safe.
  virtual std::int64_t drives_from() const { return 0; }
};

}  // namespace forerun::ip::cosim
