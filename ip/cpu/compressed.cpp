// SPDX-License-Identifier: Apache-2.0
/// The C extension: every compressed instruction stands for one of 32 bits.
#include "ip/cpu/decode.hpp"
#include "ip/cpu/fields.hpp"

namespace forerun::ip::riscv {
namespace {

constexpr std::uint32_t illegal = 0, sp = 2, ra = 1;

constexpr std::uint32_t r_type(std::uint32_t opcode, std::uint32_t rd, std::uint32_t funct3,
                               std::uint32_t rs1, std::uint32_t rs2, std::uint32_t funct7) {
  return opcode | rd << 7 | funct3 << 12 | rs1 << 15 | rs2 << 20 | funct7 << 25;
}
constexpr std::uint32_t i_type(std::uint32_t opcode, std::uint32_t rd, std::uint32_t funct3,
                               std::uint32_t rs1, std::uint32_t immediate) {
  return opcode | rd << 7 | funct3 << 12 | rs1 << 15 | immediate << 20;
}
constexpr std::uint32_t s_type(std::uint32_t opcode, std::uint32_t funct3, std::uint32_t rs1,
                               std::uint32_t rs2, std::uint32_t immediate) {
  return opcode | (immediate & 31) << 7 | funct3 << 12 | rs1 << 15 | rs2 << 20 | (immediate >> 5) << 25;
}
constexpr std::uint32_t b_type(std::uint32_t funct3, std::uint32_t rs1, std::uint32_t offset) {
  return 0x63 | bits(offset, 11, 11) << 7 | bits(offset, 4, 1) << 8 | funct3 << 12 | rs1 << 15 |
         bits(offset, 10, 5) << 25 | bits(offset, 12, 12) << 31;
}
constexpr std::uint32_t jump(std::uint32_t offset) {
  return 0x6f | bits(offset, 19, 12) << 12 | bits(offset, 11, 11) << 20 | bits(offset, 10, 1) << 21 |
         bits(offset, 20, 20) << 31;
}

/// Puts bit `from` of the instruction at place `to` of an immediate.
constexpr std::uint32_t place(std::uint32_t c, unsigned from, unsigned to) { return (c >> from & 1) << to; }
constexpr std::uint32_t place(std::uint32_t c, unsigned high, unsigned low, unsigned to) {
  return bits(c, high, low) << to;
}

constexpr std::uint32_t signed_six(std::uint32_t c) {
  return static_cast<std::uint32_t>(sign_extend(place(c, 12, 5) | place(c, 6, 2, 0), 6));
}
constexpr std::uint32_t shift_amount(std::uint32_t c) { return place(c, 12, 5) | place(c, 6, 2, 0); }
constexpr std::uint32_t word_offset(std::uint32_t c) {
  return place(c, 12, 10, 3) | place(c, 6, 2) | place(c, 5, 6);
}
constexpr std::uint32_t double_offset(std::uint32_t c) { return place(c, 12, 10, 3) | place(c, 6, 5, 6); }

std::uint32_t quadrant0(std::uint32_t c) {
  const auto rd = 8 + bits(c, 4, 2), rs1 = 8 + bits(c, 9, 7);
  switch (bits(c, 15, 13)) {
    case 0: {  // c.addi4spn
      const auto immediate = place(c, 12, 11, 4) | place(c, 10, 7, 6) | place(c, 6, 2) | place(c, 5, 3);
      return immediate == 0 ? illegal : i_type(0x13, rd, 0, sp, immediate);
    }
    case 1:
      return i_type(0x07, rd, 3, rs1, double_offset(c));  // c.fld
    case 2:
      return i_type(0x03, rd, 2, rs1, word_offset(c));  // c.lw
    case 3:
      return i_type(0x03, rd, 3, rs1, double_offset(c));  // c.ld
    case 5:
      return s_type(0x27, 3, rs1, rd, double_offset(c));  // c.fsd
    case 6:
      return s_type(0x23, 2, rs1, rd, word_offset(c));  // c.sw
    case 7:
      return s_type(0x23, 3, rs1, rd, double_offset(c));  // c.sd
    default:
      return illegal;
  }
}

std::uint32_t arithmetic(std::uint32_t c) {
  const auto rd = 8 + bits(c, 9, 7), rs2 = 8 + bits(c, 4, 2);
  switch (bits(c, 11, 10)) {
    case 0:
      return i_type(0x13, rd, 5, rd, shift_amount(c));  // c.srli
    case 1:
      return i_type(0x13, rd, 5, rd, shift_amount(c) | 0x400);  // c.srai
    case 2:
      return i_type(0x13, rd, 7, rd, signed_six(c));  // c.andi
    default:
      break;
  }
  switch (bits(c, 12, 12) << 2 | bits(c, 6, 5)) {
    case 0:
      return r_type(0x33, rd, 0, rd, rs2, 0x20);  // c.sub
    case 1:
      return r_type(0x33, rd, 4, rd, rs2, 0);  // c.xor
    case 2:
      return r_type(0x33, rd, 6, rd, rs2, 0);  // c.or
    case 3:
      return r_type(0x33, rd, 7, rd, rs2, 0);  // c.and
    case 4:
      return r_type(0x3b, rd, 0, rd, rs2, 0x20);  // c.subw
    case 5:
      return r_type(0x3b, rd, 0, rd, rs2, 0);  // c.addw
    default:
      return illegal;
  }
}

std::uint32_t quadrant1(std::uint32_t c) {
  const auto rd = bits(c, 11, 7), rs1 = 8 + bits(c, 9, 7);
  switch (bits(c, 15, 13)) {
    case 0:
      return i_type(0x13, rd, 0, rd, signed_six(c));  // c.addi
    case 1:
      return rd == 0 ? illegal : i_type(0x1b, rd, 0, rd, signed_six(c));  // c.addiw
    case 2:
      return i_type(0x13, rd, 0, 0, signed_six(c));  // c.li
    case 3:
      if (rd == sp) {  // c.addi16sp
        const auto immediate = static_cast<std::uint32_t>(sign_extend(
            place(c, 12, 9) | place(c, 6, 4) | place(c, 5, 6) | place(c, 4, 3, 7) | place(c, 2, 5), 10));
        return immediate == 0 ? illegal : i_type(0x13, sp, 0, sp, immediate);
      }
      return signed_six(c) == 0 ? illegal : 0x37 | rd << 7 | signed_six(c) << 12;  // c.lui
    case 4:
      return arithmetic(c);
    case 5:  // c.j
      return jump(static_cast<std::uint32_t>(
          sign_extend(place(c, 12, 11) | place(c, 11, 4) | place(c, 10, 9, 8) | place(c, 8, 10) |
                          place(c, 7, 6) | place(c, 6, 7) | place(c, 5, 3, 1) | place(c, 2, 5),
                      12)));
    default:  // c.beqz, c.bnez
      return b_type(
          bits(c, 13, 13), rs1,
          static_cast<std::uint32_t>(sign_extend(
              place(c, 12, 8) | place(c, 11, 10, 3) | place(c, 6, 5, 6) | place(c, 4, 3, 1) | place(c, 2, 5),
              9)));
  }
}

std::uint32_t quadrant2(std::uint32_t c) {
  const auto rd = bits(c, 11, 7), rs2 = bits(c, 6, 2);
  const auto load_double = place(c, 12, 5) | place(c, 6, 5, 3) | place(c, 4, 2, 6);
  const auto load_word = place(c, 12, 5) | place(c, 6, 4, 2) | place(c, 3, 2, 6);
  const auto store_double = place(c, 12, 10, 3) | place(c, 9, 7, 6);
  const auto store_word = place(c, 12, 9, 2) | place(c, 8, 7, 6);
  switch (bits(c, 15, 13)) {
    case 0:
      return i_type(0x13, rd, 1, rd, shift_amount(c));  // c.slli
    case 1:
      return i_type(0x07, rd, 3, sp, load_double);  // c.fldsp
    case 2:
      return rd == 0 ? illegal : i_type(0x03, rd, 2, sp, load_word);  // c.lwsp
    case 3:
      return rd == 0 ? illegal : i_type(0x03, rd, 3, sp, load_double);  // c.ldsp
    case 4:
      if (bits(c, 12, 12) == 0) {
        if (rs2 != 0) return r_type(0x33, rd, 0, 0, rs2, 0);   // c.mv
        return rd == 0 ? illegal : i_type(0x67, 0, 0, rd, 0);  // c.jr
      }
      if (rs2 != 0) return r_type(0x33, rd, 0, rd, rs2, 0);       // c.add
      return rd == 0 ? 0x0010'0073 : i_type(0x67, ra, 0, rd, 0);  // c.ebreak, c.jalr
    case 5:
      return s_type(0x27, 3, sp, rs2, store_double);  // c.fsdsp
    case 6:
      return s_type(0x23, 2, sp, rs2, store_word);  // c.swsp
    default:
      return s_type(0x23, 3, sp, rs2, store_double);  // c.sdsp
  }
}

}  // namespace

std::uint32_t expand_compressed(std::uint16_t instruction) {
  switch (instruction & 3) {
    case 0:
      return quadrant0(instruction);
    case 1:
      return quadrant1(instruction);
    case 2:
      return quadrant2(instruction);
    default:
      return illegal;
  }
}

}  // namespace forerun::ip::riscv
