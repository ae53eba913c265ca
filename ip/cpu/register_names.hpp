// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

namespace forerun::ip::riscv {

/// Of the integer registers by their numbers, as the calling convention has them (RISC-V ELF psABI).
inline constexpr std::array<const char*, 32> register_names{
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0",  "a1",  "a2", "a3", "a4", "a5",
    "a6",   "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6"};

/// "a0", by its number, of which 5 bits count.
inline const char* register_name(unsigned number) { return register_names[number % 32]; }

}  // namespace forerun::ip::riscv
