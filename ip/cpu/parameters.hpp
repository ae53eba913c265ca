// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "ip/base/units.hpp"

namespace forerun::ip {

/// Cycles of each class of instruction, 1 .. 2^20 (0 counts as 1). Time that a bus access takes is added to
/// its instruction.
struct CpuCosts {
  unsigned alu = 1;     ///< integer arithmetic and logic, fence
  unsigned load = 2;    ///< integer and floating-point loads
  unsigned store = 1;   ///< integer and floating-point stores
  unsigned branch = 2;  ///< branches, taken or not, and jumps
  unsigned multiply = 3;
  unsigned divide = 20;   ///< integer division and remainder
  unsigned floating = 4;  ///< all floating-point operations but loads and stores
  unsigned atomic = 6;    ///< lr, sc and amo
  unsigned system = 4;    ///< CSR accesses, fence.i, sfence.vma, mret, sret, wfi, and the entry into a trap
};

struct CpuParameters {
  Frequency clock{1e9};
  CpuCosts costs;
  Time quantum{10'000'000};  ///< longest run ahead of simulated time; changes speed, never results
  std::uint64_t reset_vector = 0x1000;
  std::uint64_t hart_id = 0;
  unsigned pmp_entries = 16;  ///< 0 .. 16
};

}  // namespace forerun::ip
