// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace forerun::ip::riscv {

/// "lw a0, 8(sp)"; of operations that it has no words for, "floating point" for instance, only what they are.
/// @param instruction as it lies in memory; `pc`: where, for targets of branches
std::string disassemble(std::uint32_t instruction, std::uint64_t pc);

}  // namespace forerun::ip::riscv
