// SPDX-License-Identifier: Apache-2.0
/// What the tensor and the vector engine have in common: a command goes in steps, and operands come from the
/// scratchpad.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <cstdint>
#include <span>

#include "ip/base/local_store.hpp"
#include "ip/base/payload.hpp"
#include "ip/command/engine.hpp"

namespace forerun::ip {

/// Reaches the scratchpad in two ways: time by transactions, bytes by DMI.
class ComputeEngine : public Engine {
 public:
  tlm_utils::simple_initiator_socket<ComputeEngine> local;
  /// Operands and results go through this too.
  void use_store(LocalStore& store) { store_ = &store; }

 protected:
  /// Rows of a matrix in the scratchpad.
  struct LocalRows {
    std::uint64_t address, rows, row_bytes;
    std::int64_t stride;
  };
  /// Largest piece of operand traffic that is booked at once, so that engines share the banks fairly.
  static constexpr std::uint32_t chunk_bytes = 65536;

  ComputeEngine(const sc_core::sc_module_name& name, unsigned queue_depth, Frequency clock,
                std::uint64_t local_bytes);

  /// Books the time of moving `bytes` and returns when it is over, in picoseconds from now.
  std::int64_t transfer(tlm::tlm_command direction, std::uint64_t bytes);
  /// Brings an operand from the store to where models find it, or a result to the store; nothing without one.
  /// One after another.
  void move_rows(bool write, const LocalRows& rows);
  /// What has been moved is in its place after so many picoseconds; 0: it is now.
  std::int64_t moving() const;
  /// The whole scratchpad as host memory.
  std::span<unsigned char> memory();
  /// Calls `step` after so many picoseconds, unless the command is abandoned.
  void step_after(std::int64_t picoseconds) { step_.after(to_sc_time({picoseconds})); }
  virtual void step() = 0;

  const Clock clock_;
  const std::uint64_t local_bytes_;

 private:
  void abandon() override { step_.cancel(); }
  void add_turns(Turns& turns) override {
    turns.add(step_, *this, [this] { step(); });
  }

  PayloadPool pool_{chunk_bytes};
  LocalStore* store_ = nullptr;
  std::int64_t moved_ps_ = 0;
  std::span<unsigned char> memory_;
  Turns::Turn step_;
};

}  // namespace forerun::ip
