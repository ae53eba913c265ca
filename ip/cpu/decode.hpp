// SPDX-License-Identifier: Apache-2.0
/// From instruction words to operations.
#pragma once

#include <cstdint>

#include "ip/cpu/operation.hpp"

namespace forerun::ip::riscv {

/// The 32-bit instruction that a compressed one stands for; 0 (an illegal instruction) if it stands for none.
std::uint32_t expand_compressed(std::uint16_t instruction);

/// True if the first two bytes of an instruction say that it has only these.
constexpr bool is_compressed(std::uint32_t instruction) { return (instruction & 3) != 3; }

/// Decodes a (possibly expanded) 32-bit instruction.
/// @param bytes its length in memory, 2 or 4
/// @param page_offset where it lies in its page of 4 KiB; `crosses`: its second half lies in the next page
Operation decode(std::uint32_t instruction, unsigned bytes, unsigned page_offset, bool crosses,
                 const HandlerCode& code);

}  // namespace forerun::ip::riscv
