// SPDX-License-Identifier: Apache-2.0
/// The fields of 32-bit instructions.
#pragma once

#include <cstdint>

namespace forerun::ip::riscv {

constexpr std::uint32_t bits(std::uint32_t word, unsigned high, unsigned low) {
  return word >> low & ((1u << (high - low + 1)) - 1);
}
constexpr unsigned rd_of(std::uint32_t word) { return bits(word, 11, 7); }
constexpr unsigned rs1_of(std::uint32_t word) { return bits(word, 19, 15); }
constexpr unsigned rs2_of(std::uint32_t word) { return bits(word, 24, 20); }
constexpr unsigned rs3_of(std::uint32_t word) { return word >> 27; }
constexpr unsigned funct3_of(std::uint32_t word) { return bits(word, 14, 12); }
constexpr unsigned csr_of(std::uint32_t word) { return word >> 20; }

/// Sign-extends the low `width` bits.
constexpr std::int64_t sign_extend(std::uint64_t value, unsigned width) {
  return static_cast<std::int64_t>(value << (64 - width)) >> (64 - width);
}

constexpr std::int32_t i_immediate(std::uint32_t word) { return static_cast<std::int32_t>(word) >> 20; }
constexpr std::int32_t s_immediate(std::uint32_t word) {
  return static_cast<std::int32_t>(sign_extend(bits(word, 31, 25) << 5 | bits(word, 11, 7), 12));
}
constexpr std::int32_t b_immediate(std::uint32_t word) {
  return static_cast<std::int32_t>(sign_extend(
      bits(word, 31, 31) << 12 | bits(word, 7, 7) << 11 | bits(word, 30, 25) << 5 | bits(word, 11, 8) << 1,
      13));
}
constexpr std::int32_t j_immediate(std::uint32_t word) {
  return static_cast<std::int32_t>(sign_extend(bits(word, 31, 31) << 20 | bits(word, 19, 12) << 12 |
                                                   bits(word, 20, 20) << 11 | bits(word, 30, 21) << 1,
                                               21));
}

}  // namespace forerun::ip::riscv
