// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace forerun::ip::riscv {

/// The row of an F or D instruction (loads and stores apart) in the table of float_instructions.cpp; -1 if it
/// is none.
int find_float_instruction(std::uint32_t word);

}  // namespace forerun::ip::riscv
