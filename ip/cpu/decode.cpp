// SPDX-License-Identifier: Apache-2.0
#include "ip/cpu/decode.hpp"

#include <array>
#include <vector>

#include "ip/cpu/fields.hpp"
#include "ip/cpu/float_table.hpp"

namespace forerun::ip::riscv {
namespace {

enum class Format {
  R,  // rd, rs1, rs2
  I,
  S,
  B,
  U,
  J,
  shift,  // immediate: the low six bits of the I immediate
  raw,    // immediate: the instruction itself
  F_I,
  F_raw  // as I and raw, with a floating-point destination
};

struct Instruction {
  Handler handler;
  std::uint32_t match, mask;
  Format format;
};

constexpr Instruction op(Handler h, Format format, std::uint32_t opcode) { return {h, opcode, 0x7f, format}; }
constexpr Instruction op3(Handler h, Format format, std::uint32_t opcode, std::uint32_t funct3) {
  return {h, opcode | funct3 << 12, 0x707f, format};
}
constexpr Instruction op7(Handler h, Format format, std::uint32_t opcode, std::uint32_t funct3,
                          std::uint32_t funct7) {
  return {h, opcode | funct3 << 12 | funct7 << 25, 0xfe00'707f, format};
}
constexpr Instruction shift6(Handler h, std::uint32_t funct3, std::uint32_t funct6) {
  return {h, 0x13 | funct3 << 12 | funct6 << 26, 0xfc00'707f, Format::shift};
}
constexpr Instruction atomic(std::uint32_t funct5, std::uint32_t extra_mask = 0) {
  return {Handler::ATOMIC, 0x2f | 2 << 12 | funct5 << 27, 0xf800'607f | extra_mask, Format::raw};
}
// With the dynamic (7) or the nearest-even (0) rounding mode.
constexpr Instruction rounded(Handler h, std::uint32_t opcode, std::uint32_t funct7, std::uint32_t mode) {
  return {h, opcode | mode << 12 | funct7 << 25, (opcode == 0x43 ? 0x0600'707fu : 0xfe00'707fu),
          Format::F_raw};
}

constexpr std::uint32_t whole_word = 0xffff'ffff;

constexpr Instruction integer_table[] = {
    op(Handler::LUI, Format::U, 0x37),
    op(Handler::AUIPC, Format::U, 0x17),
    op(Handler::JAL, Format::J, 0x6f),
    op3(Handler::JALR, Format::I, 0x67, 0),
    op3(Handler::BEQ, Format::B, 0x63, 0),
    op3(Handler::BNE, Format::B, 0x63, 1),
    op3(Handler::BLT, Format::B, 0x63, 4),
    op3(Handler::BGE, Format::B, 0x63, 5),
    op3(Handler::BLTU, Format::B, 0x63, 6),
    op3(Handler::BGEU, Format::B, 0x63, 7),
    op3(Handler::LB, Format::I, 0x03, 0),
    op3(Handler::LH, Format::I, 0x03, 1),
    op3(Handler::LW, Format::I, 0x03, 2),
    op3(Handler::LD, Format::I, 0x03, 3),
    op3(Handler::LBU, Format::I, 0x03, 4),
    op3(Handler::LHU, Format::I, 0x03, 5),
    op3(Handler::LWU, Format::I, 0x03, 6),
    op3(Handler::SB, Format::S, 0x23, 0),
    op3(Handler::SH, Format::S, 0x23, 1),
    op3(Handler::SW, Format::S, 0x23, 2),
    op3(Handler::SD, Format::S, 0x23, 3),
    op3(Handler::ADDI, Format::I, 0x13, 0),
    op3(Handler::SLTI, Format::I, 0x13, 2),
    op3(Handler::SLTIU, Format::I, 0x13, 3),
    op3(Handler::XORI, Format::I, 0x13, 4),
    op3(Handler::ORI, Format::I, 0x13, 6),
    op3(Handler::ANDI, Format::I, 0x13, 7),
    shift6(Handler::SLLI, 1, 0x00),
    shift6(Handler::SRLI, 5, 0x00),
    shift6(Handler::SRAI, 5, 0x10),
    op3(Handler::ADDIW, Format::I, 0x1b, 0),
    op7(Handler::SLLIW, Format::shift, 0x1b, 1, 0x00),
    op7(Handler::SRLIW, Format::shift, 0x1b, 5, 0x00),
    op7(Handler::SRAIW, Format::shift, 0x1b, 5, 0x20),
    op7(Handler::ADD, Format::R, 0x33, 0, 0x00),
    op7(Handler::SUB, Format::R, 0x33, 0, 0x20),
    op7(Handler::SLL, Format::R, 0x33, 1, 0x00),
    op7(Handler::SLT, Format::R, 0x33, 2, 0x00),
    op7(Handler::SLTU, Format::R, 0x33, 3, 0x00),
    op7(Handler::XOR, Format::R, 0x33, 4, 0x00),
    op7(Handler::SRL, Format::R, 0x33, 5, 0x00),
    op7(Handler::SRA, Format::R, 0x33, 5, 0x20),
    op7(Handler::OR, Format::R, 0x33, 6, 0x00),
    op7(Handler::AND, Format::R, 0x33, 7, 0x00),
    op7(Handler::ADDW, Format::R, 0x3b, 0, 0x00),
    op7(Handler::SUBW, Format::R, 0x3b, 0, 0x20),
    op7(Handler::SLLW, Format::R, 0x3b, 1, 0x00),
    op7(Handler::SRLW, Format::R, 0x3b, 5, 0x00),
    op7(Handler::SRAW, Format::R, 0x3b, 5, 0x20),
    op7(Handler::MUL, Format::R, 0x33, 0, 0x01),
    op7(Handler::MULH, Format::R, 0x33, 1, 0x01),
    op7(Handler::MULHSU, Format::R, 0x33, 2, 0x01),
    op7(Handler::MULHU, Format::R, 0x33, 3, 0x01),
    op7(Handler::DIV, Format::R, 0x33, 4, 0x01),
    op7(Handler::DIVU, Format::R, 0x33, 5, 0x01),
    op7(Handler::REM, Format::R, 0x33, 6, 0x01),
    op7(Handler::REMU, Format::R, 0x33, 7, 0x01),
    op7(Handler::MULW, Format::R, 0x3b, 0, 0x01),
    op7(Handler::DIVW, Format::R, 0x3b, 4, 0x01),
    op7(Handler::DIVUW, Format::R, 0x3b, 5, 0x01),
    op7(Handler::REMW, Format::R, 0x3b, 6, 0x01),
    op7(Handler::REMUW, Format::R, 0x3b, 7, 0x01),
    op3(Handler::NOP, Format::R, 0x0f, 0),  // fence: memory is in order
    op3(Handler::FENCE_I, Format::R, 0x0f, 1),
    {Handler::SYSTEM, 0x0000'0073, whole_word, Format::raw},   // ecall
    {Handler::SYSTEM, 0x0010'0073, whole_word, Format::raw},   // ebreak
    {Handler::SYSTEM, 0x1020'0073, whole_word, Format::raw},   // sret
    {Handler::SYSTEM, 0x3020'0073, whole_word, Format::raw},   // mret
    {Handler::SYSTEM, 0x1050'0073, whole_word, Format::raw},   // wfi
    {Handler::SYSTEM, 0x1200'0073, 0xfe00'7fff, Format::raw},  // sfence.vma
    op3(Handler::CSR, Format::raw, 0x73, 1),
    op3(Handler::CSR, Format::raw, 0x73, 2),
    op3(Handler::CSR, Format::raw, 0x73, 3),
    op3(Handler::CSR, Format::raw, 0x73, 5),
    op3(Handler::CSR, Format::raw, 0x73, 6),
    op3(Handler::CSR, Format::raw, 0x73, 7),
    atomic(0x02, 0x01f0'0000),  // lr
    atomic(0x03),               // sc
    atomic(0x01),               // amoswap
    atomic(0x00),               // amoadd
    atomic(0x04),               // amoxor
    atomic(0x0c),               // amoand
    atomic(0x08),               // amoor
    atomic(0x10),               // amomin
    atomic(0x14),               // amomax
    atomic(0x18),               // amominu
    atomic(0x1c),               // amomaxu
};

// Before the floating-point table, which holds all of these as well.
constexpr Instruction float_shortcuts[] = {
    op3(Handler::FLW, Format::F_I, 0x07, 2),
    op3(Handler::FLD, Format::F_I, 0x07, 3),
    op3(Handler::FSW, Format::S, 0x27, 2),
    op3(Handler::FSD, Format::S, 0x27, 3),
    rounded(Handler::FADD_S, 0x53, 0x00, 7),
    rounded(Handler::FADD_S, 0x53, 0x00, 0),
    rounded(Handler::FSUB_S, 0x53, 0x04, 7),
    rounded(Handler::FSUB_S, 0x53, 0x04, 0),
    rounded(Handler::FMUL_S, 0x53, 0x08, 7),
    rounded(Handler::FMUL_S, 0x53, 0x08, 0),
    rounded(Handler::FDIV_S, 0x53, 0x0c, 7),
    rounded(Handler::FDIV_S, 0x53, 0x0c, 0),
    rounded(Handler::FMADD_S, 0x43, 0x00, 7),
    rounded(Handler::FMADD_S, 0x43, 0x00, 0),
    rounded(Handler::FADD_D, 0x53, 0x01, 7),
    rounded(Handler::FADD_D, 0x53, 0x01, 0),
    rounded(Handler::FSUB_D, 0x53, 0x05, 7),
    rounded(Handler::FSUB_D, 0x53, 0x05, 0),
    rounded(Handler::FMUL_D, 0x53, 0x09, 7),
    rounded(Handler::FMUL_D, 0x53, 0x09, 0),
    rounded(Handler::FDIV_D, 0x53, 0x0d, 7),
    rounded(Handler::FDIV_D, 0x53, 0x0d, 0),
    rounded(Handler::FMADD_D, 0x43, 0x01, 7),
    rounded(Handler::FMADD_D, 0x43, 0x01, 0),
    op7(Handler::FSGNJ_D, Format::F_raw, 0x53, 0, 0x11),
    {Handler::FMV_X_D, 0xe200'0053, 0xfff0'707f, Format::raw},
    {Handler::FMV_D_X, 0xf200'0053, 0xfff0'707f, Format::F_raw},
    op7(Handler::FLE_D, Format::raw, 0x53, 0, 0x51),
    op7(Handler::FLT_D, Format::raw, 0x53, 1, 0x51),
};

/// Rows by opcode, to keep the search short.
class Index {
 public:
  Index() {
    for (const auto& row : float_shortcuts) add(row);
    for (const auto& row : integer_table) add(row);
  }
  const Instruction* find(std::uint32_t word) const {
    for (const auto* row : rows_[word >> 2 & 31])
      if ((word & row->mask) == row->match) return row;
    return nullptr;
  }

 private:
  void add(const Instruction& row) { rows_[row.match >> 2 & 31].push_back(&row); }
  std::array<std::vector<const Instruction*>, 32> rows_;
};

std::int32_t immediate_of(Format format, std::uint32_t word) {
  switch (format) {
    case Format::R:
      return 0;
    case Format::I:
    case Format::F_I:
      return i_immediate(word);
    case Format::S:
      return s_immediate(word);
    case Format::B:
      return b_immediate(word);
    case Format::U:
      return static_cast<std::int32_t>(word & 0xffff'f000);
    case Format::J:
      return j_immediate(word);
    case Format::shift:
      return i_immediate(word) & 63;
    case Format::raw:
    case Format::F_raw:
      break;
  }
  return static_cast<std::int32_t>(word);
}

Handler far_variant(Handler handler) {
  switch (handler) {
    case Handler::JAL:
      return Handler::JAL_FAR;
    case Handler::BEQ:
      return Handler::BEQ_FAR;
    case Handler::BNE:
      return Handler::BNE_FAR;
    case Handler::BLT:
      return Handler::BLT_FAR;
    case Handler::BGE:
      return Handler::BGE_FAR;
    case Handler::BLTU:
      return Handler::BLTU_FAR;
    default:
      return Handler::BGEU_FAR;
  }
}

/// Cheaper handlers for frequent special cases.
Handler specialise(Handler handler, Operation& operation) {
  switch (handler) {
    case Handler::ADDI:
      if (operation.rd == discard) return Handler::NOP;
      if (operation.rs1 == 0) return Handler::LI;
      return operation.immediate == 0 ? Handler::MV : handler;
    case Handler::ADD:
      if (operation.rs1 == 0) operation.rs1 = operation.rs2, operation.rs2 = 0;
      return operation.rs2 == 0 ? Handler::MV : handler;
    case Handler::LUI:
      return Handler::LI;
    case Handler::JALR:
      return operation.rd == discard && operation.immediate == 0 ? Handler::JR : handler;
    case Handler::BEQ:
      return operation.rs2 == 0 ? Handler::BEQZ : handler;
    case Handler::BNE:
      return operation.rs2 == 0 ? Handler::BNEZ : handler;
    default:
      return handler;
  }
}

}  // namespace

Operation decode(std::uint32_t word, unsigned bytes, unsigned page_offset, bool crosses,
                 const HandlerCode& code) {
  static const Index index;
  Operation operation{};
  operation.rs1 = static_cast<std::uint8_t>(rs1_of(word));
  operation.rs2 = static_cast<std::uint8_t>(rs2_of(word));
  operation.rd = static_cast<std::uint8_t>(rd_of(word));
  operation.extra = static_cast<std::uint8_t>(rs3_of(word));

  const auto* row = index.find(word);
  if (row == nullptr) {
    const int number = find_float_instruction(word);
    operation.immediate = static_cast<std::int32_t>(word);
    operation.extra = static_cast<std::uint8_t>(number);
    operation.code = code(number < 0 ? Handler::ILLEGAL : Handler::FLOAT, bytes);
    return operation;
  }
  const bool to_float = row->format == Format::F_I || row->format == Format::F_raw;
  if (operation.rd == 0 && !to_float) operation.rd = discard;
  operation.immediate = immediate_of(row->format, word);
  auto handler = row->handler;
  if (row->format == Format::B || row->format == Format::J) {
    const auto target = static_cast<std::int32_t>(page_offset) + operation.immediate;
    if (crosses || target < 0 || target >= 4096) {
      handler = far_variant(handler);
    } else {
      handler = specialise(handler, operation);
      operation.immediate /= 2;
    }
  } else {
    handler = specialise(handler, operation);
  }
  operation.code = code(handler, bytes);
  return operation;
}

}  // namespace forerun::ip::riscv
