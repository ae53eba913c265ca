// SPDX-License-Identifier: Apache-2.0
/// A CPU of RTL beside the hart of the interpreter, instruction by instruction.
#pragma once

#include <deque>
#include <functional>

#include "ip/cpu/lockstep_hart.hpp"
#include "platform/rtl/device.hpp"
#include "platform/rtl/difference.hpp"

namespace forerun::rtl {

/// Each instruction that the CPU says it has retired (the pins of `rvfi` in its pin map) is carried out by
/// the model, with what passed the CPU's bus, and compared: LockstepHart. Only the first difference is told.
class CpuLockstep {
 public:
  /// Throws std::runtime_error, naming the file, for a device whose pin map has no `rvfi`.
  CpuLockstep(Device& device, const ip::CpuParameters& parameters);
  CpuLockstep(const CpuLockstep&) = delete;
  CpuLockstep& operator=(const CpuLockstep&) = delete;

  std::function<void(const Difference&)> on_difference;
  /// Where in a program an address is, for messages; may be empty.
  std::function<std::string(std::uint64_t)> place;
  /// An interrupt line of the CPU, by its bit in mip.
  void set_line(unsigned bit, bool level) { hart_.set_line(bit, level); }
  void reset() { hart_.reset(); }
  std::uint64_t compared() const { return hart_.retired(); }  ///< instructions

 private:
  struct Before {
    std::uint64_t pc;
    std::uint32_t insn;
  };
  void differ(std::uint64_t cycle, const ip::riscv::Retired& instruction, const std::string& what);
  std::string describe(std::uint64_t pc, std::uint32_t insn) const;

  Device& device_;
  ip::riscv::LockstepHart hart_;
  std::deque<Before> before_;  ///< the last few, oldest first
  bool found_ = false;
};

}  // namespace forerun::rtl
