// SPDX-License-Identifier: Apache-2.0
/// The architectural state of a hart, and the names of its fields.
#pragma once

#include <cstdint>

namespace forerun::ip::riscv {

enum class Privilege : unsigned { user = 0, supervisor = 1, machine = 3 };

enum class Access { read, write, execute };

/// mcause and scause.
enum class Cause : std::uint64_t {
  fetch_misaligned = 0,
  fetch_fault = 1,
  illegal_instruction = 2,
  breakpoint = 3,
  load_misaligned = 4,
  load_fault = 5,
  store_misaligned = 6,
  store_fault = 7,
  call_from_user = 8,  ///< supervisor: 9, machine: 11
  fetch_page_fault = 12,
  load_page_fault = 13,
  store_page_fault = 15,
};

/// Bits of mip, mie and mideleg.
namespace interrupt {
inline constexpr unsigned supervisor_software = 1, machine_software = 3, supervisor_timer = 5,
                          machine_timer = 7, supervisor_external = 9, machine_external = 11;
inline constexpr std::uint64_t supervisor_all = 0x222, machine_all = 0x888;
}  // namespace interrupt

/// Fields of mstatus.
namespace status {
inline constexpr std::uint64_t sie = 1u << 1, mie = 1u << 3, spie = 1u << 5, mpie = 1u << 7, spp = 1u << 8,
                               mpp = 3u << 11, fs = 3u << 13, mprv = 1u << 17, sum = 1u << 18, mxr = 1u << 19,
                               tvm = 1u << 20, tw = 1u << 21, tsr = 1u << 22;
inline constexpr unsigned mpp_shift = 11;
inline constexpr std::uint64_t wide = 0xa'0000'0000;            // UXL and SXL: 64 bits
inline constexpr std::uint64_t dirty = std::uint64_t{1} << 63;  // SD
}  // namespace status

/// Accrued exceptions (fflags).
namespace flag {
inline constexpr std::uint32_t inexact = 1, underflow = 2, overflow = 4, divide_by_zero = 8, invalid = 16;
}

struct State {
  std::uint64_t x[33] = {};  ///< [32] takes what is written to x0
  std::uint64_t f[32] = {};
  std::uint64_t pc = 0;
  Privilege privilege = Privilege::machine;

  std::uint64_t mstatus = status::wide;  ///< without SD
  std::uint64_t medeleg = 0, mideleg = 0, mie = 0, mtvec = 0, mepc = 0, mcause = 0, mtval = 0, mscratch = 0;
  std::uint64_t mcounteren = 0, mcountinhibit = 0, menvcfg = 0;
  std::uint64_t stvec = 0, sepc = 0, scause = 0, stval = 0, sscratch = 0, satp = 0, scounteren = 0,
                senvcfg = 0;
  std::uint64_t lines = 0;             ///< of mip: what the interrupt lines say
  std::uint64_t software_pending = 0;  ///< of mip: what software has set (SSIP, STIP, SEIP)
  std::uint32_t fflags = 0, frm = 0;

  std::uint64_t mip() const { return lines | software_pending; }
  std::uint64_t enabled_pending() const { return mip() & mie; }
  bool float_off() const { return (mstatus & status::fs) == 0; }
};

/// Why an instruction cannot be carried out.
struct Fault {
  Cause cause = Cause::illegal_instruction;
  std::uint64_t value = 0;  ///< mtval
};

}  // namespace forerun::ip::riscv
