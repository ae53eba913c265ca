// SPDX-License-Identifier: Apache-2.0
/// Memory-mapped registers, declared instead of coded: decoding, access size, alignment, access rights and debug
/// access live here once.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <tlm>
#include <vector>

namespace forerun::ip {

enum class Access { RO, RW, WO, W1C, W1S };

/// A set of 32- and 64-bit little-endian registers behind a TLM target.
///
/// Accepted accesses: 4 or 8 aligned bytes inside one register (a half of a 64-bit register is a read-modify-write of
/// that half, and calls its hook each time). No byte enables, no streaming. Refused with the TLM error response named:
/// unknown or write-only read / read-only write (TLM_ADDRESS_ERROR / TLM_COMMAND_ERROR), size or alignment
/// (TLM_BURST_ERROR), byte enables (TLM_BYTE_ENABLE_ERROR), or a hook that returned false (TLM_GENERIC_ERROR).
class RegisterFile {
 public:
  /// Called on a read: returns the value. `debug` reads must have no side effect.
  using ReadHook = std::function<std::uint64_t(bool debug)>;
  /// Called on a write with the whole new value; false refuses it. Not called for debug writes to W1S registers.
  using WriteHook = std::function<bool(std::uint64_t value)>;

  /// Adds a register; offsets must not overlap. Without hooks it is storage (W1C clears written ones).
  void add(std::string name, std::uint32_t offset, unsigned bits, Access access, std::uint64_t reset_value);
  void on_read(std::uint32_t offset, ReadHook hook);
  void on_write(std::uint32_t offset, WriteHook hook);

  std::uint64_t get(std::uint32_t offset) const;             ///< the stored value
  void set(std::uint32_t offset, std::uint64_t value);       ///< stores without calling the hook
  void reset();                                              ///< every register to its reset value

  /// Carries out a transaction (its address is the offset) and sets its response status.
  void access(tlm::tlm_generic_payload& payload);
  /// transport_dbg: returns the bytes carried, 0 where nothing is readable. Never has side effects on reads.
  unsigned debug_access(tlm::tlm_generic_payload& payload);

 private:
  struct Register {
    std::string name;
    std::uint32_t offset;
    unsigned bytes;
    Access access;
    std::uint64_t reset_value, value;
    ReadHook read;
    WriteHook write;
  };
  Register* find(std::uint64_t offset);
  const Register& at(std::uint32_t offset) const;
  tlm::tlm_response_status carry_out(tlm::tlm_generic_payload& payload, bool debug);
  std::vector<Register> registers_;  // ascending offsets
};

/// Adds every register of an ABI table, for example `FR_TIMER_REGISTERS(FORERUN_ADD_REGISTER)` with a RegisterFile
/// called `registers_` in scope.
#define FORERUN_ADD_REGISTER(NAME, OFFSET, BITS, ACCESS, RESET, DESCRIPTION) \
  registers_.add(#NAME, OFFSET, BITS, ::forerun::ip::Access::ACCESS, RESET);

}  // namespace forerun::ip
