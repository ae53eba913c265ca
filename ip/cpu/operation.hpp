// SPDX-License-Identifier: Apache-2.0
/// Decoded instructions: what the interpreter executes.
#pragma once

#include <cstdint>

namespace forerun::ip::riscv {

/// The pieces of the interpreter that an operation can name.
enum class Handler : std::uint8_t {
#define HANDLER(NAME) NAME,
#include "ip/cpu/handlers.def"
#undef HANDLER
  count
};

/// Number of the register that takes writes to x0.
inline constexpr unsigned discard = 32;

/// A decoded instruction. `code` is the address of the interpreter's handler for this operation and
/// instruction length.
struct Operation {
  const void* code;
  std::int32_t immediate;  ///< operand, distance in slots (branch within the page) or the raw instruction
  std::uint8_t rd, rs1, rs2;
  std::uint8_t extra;  ///< rs3, or the row of the floating-point table
};
static_assert(sizeof(Operation) == 16);

/// The interpreter's entry points: [0] for compressed instructions, [1] for those of four bytes.
struct HandlerCode {
  const void* of[2][static_cast<unsigned>(Handler::count)];
  const void* operator()(Handler handler, unsigned bytes) const {
    return of[bytes / 4][static_cast<unsigned>(handler)];
  }
};

}  // namespace forerun::ip::riscv
