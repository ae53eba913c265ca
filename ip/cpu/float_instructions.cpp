// SPDX-License-Identifier: Apache-2.0
/// The F and D extensions, loads and stores apart: a table of instructions and what each of them does.
#include <array>
#include <optional>

#include "ip/cpu/fields.hpp"
#include "ip/cpu/float_exact.hpp"
#include "ip/cpu/float_table.hpp"
#include "ip/cpu/hart.hpp"

namespace forerun::ip::riscv {
namespace {

constexpr std::uint64_t boxes = 0xffff'ffff'0000'0000;
constexpr unsigned dynamic_rounding = 7, last_rounding = 4;

/// One execution: operands in, result and flags out.
struct Operands {
  std::uint32_t word;
  const FloatFormat* format;  // of the operation
  std::uint64_t a, b, c;      // as the instruction reads them: integers, or unboxed numbers of the format
  std::uint64_t wide;         // rs1 as it is, for conversions from the other format and moves
  Rounding rounding;
  std::uint32_t flags = 0;
};

bool is_single(const Operands& o) { return o.format == &binary32; }
bool is_negative(const FloatFormat& f, std::uint64_t bits) { return (bits & f.sign()) != 0; }
bool is_nan(const FloatFormat& f, std::uint64_t bits) { return (bits & (f.sign() - 1)) > f.infinity(); }
bool is_signaling(const FloatFormat& f, std::uint64_t bits) {
  return is_nan(f, bits) && (bits & f.quiet()) == 0;
}
bool is_infinite(const FloatFormat& f, std::uint64_t bits) { return (bits & (f.sign() - 1)) == f.infinity(); }
bool is_zero(const FloatFormat& f, std::uint64_t bits) { return (bits & (f.sign() - 1)) == 0; }
std::uint64_t negated(const FloatFormat& f, std::uint64_t bits) { return bits ^ f.sign(); }

/// What a register says as a single: a number in a box, or else the canonical NaN.
std::uint64_t unbox(std::uint64_t bits) {
  return (bits & boxes) == boxes ? bits & ~boxes : binary32.canonical_nan();
}

std::uint64_t invalid(Operands& o) {
  o.flags |= flag::invalid;
  return o.format->canonical_nan();
}

/// The result if one of the operands is a NaN.
std::optional<std::uint64_t> nan_result(Operands& o, std::initializer_list<std::uint64_t> operands) {
  bool found = false;
  for (const auto bits : operands) {
    found = found || is_nan(*o.format, bits);
    if (is_signaling(*o.format, bits)) o.flags |= flag::invalid;
  }
  return found ? std::optional(o.format->canonical_nan()) : std::nullopt;
}

std::uint64_t rounded(Operands& o, const Exact& exact) {
  return round_to(*o.format, exact, o.rounding, o.flags);
}

std::uint64_t sum(Operands& o, std::uint64_t a, std::uint64_t b) {
  const auto& f = *o.format;
  if (const auto nan = nan_result(o, {a, b})) return *nan;
  if (is_infinite(f, a)) return is_infinite(f, b) && a != b ? invalid(o) : a;
  if (is_infinite(f, b)) return b;
  return rounded(o, add(unpack(f, a), unpack(f, b), o.rounding));
}

/// a * b + c, rounded once.
std::uint64_t fused(Operands& o, std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  const auto& f = *o.format;
  const bool bad = (is_infinite(f, a) && is_zero(f, b)) || (is_zero(f, a) && is_infinite(f, b));
  const auto nan = nan_result(o, {a, b, c});
  if (bad) return invalid(o);
  if (nan) return *nan;
  const bool negative = is_negative(f, a) != is_negative(f, b);
  if (is_infinite(f, a) || is_infinite(f, b))
    return is_infinite(f, c) && is_negative(f, c) != negative ? invalid(o)
                                                              : f.infinity() | (negative ? f.sign() : 0);
  if (is_infinite(f, c)) return c;
  return rounded(o, add(multiply(unpack(f, a), unpack(f, b)), unpack(f, c), o.rounding));
}

std::uint64_t fadd(Operands& o) { return sum(o, o.a, o.b); }
std::uint64_t fsub(Operands& o) {
  return sum(o, o.a, is_nan(*o.format, o.b) ? o.b : negated(*o.format, o.b));
}
std::uint64_t fmadd(Operands& o) { return fused(o, o.a, o.b, o.c); }
std::uint64_t fmsub(Operands& o) { return fused(o, o.a, o.b, negated(*o.format, o.c)); }
std::uint64_t fnmsub(Operands& o) { return fused(o, negated(*o.format, o.a), o.b, o.c); }
std::uint64_t fnmadd(Operands& o) { return fused(o, negated(*o.format, o.a), o.b, negated(*o.format, o.c)); }

std::uint64_t fmul(Operands& o) {
  const auto& f = *o.format;
  if (const auto nan = nan_result(o, {o.a, o.b})) return *nan;
  const auto sign = (o.a ^ o.b) & f.sign();
  if (is_infinite(f, o.a) || is_infinite(f, o.b))
    return is_zero(f, o.a) || is_zero(f, o.b) ? invalid(o) : f.infinity() | sign;
  return rounded(o, multiply(unpack(f, o.a), unpack(f, o.b)));
}

std::uint64_t fdiv(Operands& o) {
  const auto& f = *o.format;
  if (const auto nan = nan_result(o, {o.a, o.b})) return *nan;
  const auto sign = (o.a ^ o.b) & f.sign();
  if (is_infinite(f, o.a)) return is_infinite(f, o.b) ? invalid(o) : f.infinity() | sign;
  if (is_infinite(f, o.b)) return sign;
  if (is_zero(f, o.b)) {
    if (is_zero(f, o.a)) return invalid(o);
    o.flags |= flag::divide_by_zero;
    return f.infinity() | sign;
  }
  return rounded(o, divide(unpack(f, o.a), unpack(f, o.b)));
}

std::uint64_t fsqrt(Operands& o) {
  const auto& f = *o.format;
  if (const auto nan = nan_result(o, {o.a})) return *nan;
  if (is_zero(f, o.a)) return o.a;
  if (is_negative(f, o.a)) return invalid(o);
  return is_infinite(f, o.a) ? o.a : rounded(o, square_root(unpack(f, o.a)));
}

std::uint64_t fsgnj(Operands& o) { return (o.a & ~o.format->sign()) | (o.b & o.format->sign()); }
std::uint64_t fsgnjn(Operands& o) { return (o.a & ~o.format->sign()) | (~o.b & o.format->sign()); }
std::uint64_t fsgnjx(Operands& o) { return o.a ^ (o.b & o.format->sign()); }

/// a < b of numbers, with -0 below +0 if so wanted.
bool less(const FloatFormat& f, std::uint64_t a, std::uint64_t b, bool zeros_differ) {
  if (!zeros_differ && is_zero(f, a) && is_zero(f, b)) return false;
  const bool negative_a = is_negative(f, a), negative_b = is_negative(f, b);
  if (negative_a != negative_b) return negative_a;
  return negative_a ? a > b : a < b;
}

std::uint64_t extreme(Operands& o, bool want_less) {
  const auto& f = *o.format;
  if (is_signaling(f, o.a) || is_signaling(f, o.b)) o.flags |= flag::invalid;
  if (is_nan(f, o.a) && is_nan(f, o.b)) return f.canonical_nan();
  if (is_nan(f, o.a)) return o.b;
  if (is_nan(f, o.b)) return o.a;
  return less(f, o.a, o.b, true) == want_less ? o.a : o.b;
}
std::uint64_t fmin(Operands& o) { return extreme(o, true); }
std::uint64_t fmax(Operands& o) { return extreme(o, false); }

std::uint64_t feq(Operands& o) {
  const auto& f = *o.format;
  if (is_signaling(f, o.a) || is_signaling(f, o.b)) o.flags |= flag::invalid;
  if (is_nan(f, o.a) || is_nan(f, o.b)) return 0;
  return o.a == o.b || (is_zero(f, o.a) && is_zero(f, o.b)) ? 1 : 0;
}
std::uint64_t flt(Operands& o) {
  if (is_nan(*o.format, o.a) || is_nan(*o.format, o.b)) return invalid(o), 0;
  return less(*o.format, o.a, o.b, false) ? 1 : 0;
}
std::uint64_t fle(Operands& o) {
  if (is_nan(*o.format, o.a) || is_nan(*o.format, o.b)) return invalid(o), 0;
  return less(*o.format, o.b, o.a, false) ? 0 : 1;
}

std::uint64_t fclass(Operands& o) {
  const auto& f = *o.format;
  if (is_nan(f, o.a)) return is_signaling(f, o.a) ? 1u << 8 : 1u << 9;
  const bool subnormal = !is_zero(f, o.a) && (o.a & f.infinity()) == 0;
  const unsigned kind = is_infinite(f, o.a) ? 0 : is_zero(f, o.a) ? 3 : subnormal ? 2 : 1;
  return is_negative(f, o.a) ? 1u << kind : 1u << (7 - kind);
}

/// To an integer of a width; out of range gives the nearest end of the range, NaN the upper one.
std::uint64_t to_integer(Operands& o, unsigned width, bool is_signed) {
  const auto& f = *o.format;
  const auto highest = is_signed ? (std::uint64_t{1} << (width - 1)) - 1 : ~std::uint64_t{0} >> (64 - width);
  const auto lowest_magnitude = is_signed ? std::uint64_t{1} << (width - 1) : 0;
  const auto result = [&](std::uint64_t value) {
    return width == 32 ? static_cast<std::uint64_t>(sign_extend(value, 32)) : value;
  };
  const bool negative = is_negative(f, o.a) && !is_nan(f, o.a);
  const auto limit = negative ? lowest_magnitude : highest;
  std::uint64_t magnitude = 0;
  bool inexact = false;
  const bool finite = !is_nan(f, o.a) && !is_infinite(f, o.a);
  if (!finite || !round_to_integer(unpack(f, o.a), o.rounding, magnitude, inexact) || magnitude > limit) {
    o.flags |= flag::invalid;
    return result(negative ? std::uint64_t{0} - limit : limit);
  }
  if (inexact) o.flags |= flag::inexact;
  return result(negative ? std::uint64_t{0} - magnitude : magnitude);
}
std::uint64_t to_w(Operands& o) { return to_integer(o, 32, true); }
std::uint64_t to_wu(Operands& o) { return to_integer(o, 32, false); }
std::uint64_t to_l(Operands& o) { return to_integer(o, 64, true); }
std::uint64_t to_lu(Operands& o) { return to_integer(o, 64, false); }

std::uint64_t from_signed(Operands& o, std::int64_t value) {
  const auto magnitude = static_cast<std::uint64_t>(value);
  return rounded(o, {value < 0, 0, value < 0 ? std::uint64_t{0} - magnitude : magnitude});
}
std::uint64_t from_w(Operands& o) { return from_signed(o, sign_extend(o.wide, 32)); }
std::uint64_t from_wu(Operands& o) { return rounded(o, {false, 0, o.wide & 0xffff'ffff}); }
std::uint64_t from_l(Operands& o) { return from_signed(o, static_cast<std::int64_t>(o.wide)); }
std::uint64_t from_lu(Operands& o) { return rounded(o, {false, 0, o.wide}); }

/// Between the formats; `o.format` is the destination.
std::uint64_t from_format(Operands& o, const FloatFormat& source, std::uint64_t bits) {
  if (is_signaling(source, bits)) o.flags |= flag::invalid;
  if (is_nan(source, bits)) return o.format->canonical_nan();
  if (is_infinite(source, bits))
    return o.format->infinity() | (is_negative(source, bits) ? o.format->sign() : 0);
  return rounded(o, unpack(source, bits));
}
std::uint64_t single_to_double(Operands& o) { return from_format(o, binary32, unbox(o.wide)); }
std::uint64_t double_to_single(Operands& o) { return from_format(o, binary64, o.wide); }

std::uint64_t move_to_integer(Operands& o) {
  return is_single(o) ? static_cast<std::uint64_t>(sign_extend(o.wide, 32)) : o.wide;
}
std::uint64_t move_from_integer(Operands& o) { return is_single(o) ? o.wide & ~boxes : o.wide; }

struct FloatInstruction {
  std::uint32_t match, mask;
  std::uint64_t (*execute)(Operands&);
  bool to_integer = false;    // the destination is an integer register
  bool from_integer = false;  // so is rs1
  bool has_rounding = false;  // the word names a rounding mode
};

constexpr std::uint32_t two_operands = 0xfe00'007f, with_funct3 = 0xfe00'707f, one_operand = 0xfff0'007f,
                        one_operand_funct3 = 0xfff0'707f, three_operands = 0x0600'007f;

constexpr FloatInstruction arithmetic(std::uint32_t funct7, std::uint64_t (*execute)(Operands&)) {
  return {0x53 | funct7 << 25, two_operands, execute, false, false, true};
}
constexpr FloatInstruction multiply_add(std::uint32_t opcode, std::uint32_t format,
                                        std::uint64_t (*execute)(Operands&)) {
  return {opcode | format << 25, three_operands, execute, false, false, true};
}
constexpr FloatInstruction by_funct3(std::uint32_t funct7, std::uint32_t funct3,
                                     std::uint64_t (*execute)(Operands&), bool to_integer = false) {
  return {0x53 | funct7 << 25 | funct3 << 12, with_funct3, execute, to_integer};
}
constexpr FloatInstruction conversion(std::uint32_t funct7, std::uint32_t rs2,
                                      std::uint64_t (*execute)(Operands&), bool to_integer,
                                      bool from_integer) {
  return {0x53 | funct7 << 25 | rs2 << 20, one_operand, execute, to_integer, from_integer, true};
}
constexpr FloatInstruction move(std::uint32_t funct7, std::uint32_t funct3,
                                std::uint64_t (*execute)(Operands&), bool to_integer, bool from_integer) {
  return {0x53 | funct7 << 25 | funct3 << 12, one_operand_funct3, execute, to_integer, from_integer};
}

// Each row for singles (bits 26:25 = 0) and for doubles (1).
// clang-format off
constexpr FloatInstruction rows[] = {
    multiply_add(0x43, 0, fmadd),          multiply_add(0x43, 1, fmadd),
    multiply_add(0x47, 0, fmsub),          multiply_add(0x47, 1, fmsub),
    multiply_add(0x4b, 0, fnmsub),         multiply_add(0x4b, 1, fnmsub),
    multiply_add(0x4f, 0, fnmadd),         multiply_add(0x4f, 1, fnmadd),
    arithmetic(0x00, fadd),                arithmetic(0x01, fadd),
    arithmetic(0x04, fsub),                arithmetic(0x05, fsub),
    arithmetic(0x08, fmul),                arithmetic(0x09, fmul),
    arithmetic(0x0c, fdiv),                arithmetic(0x0d, fdiv),
    conversion(0x2c, 0, fsqrt, false, false), conversion(0x2d, 0, fsqrt, false, false),
    by_funct3(0x10, 0, fsgnj),             by_funct3(0x11, 0, fsgnj),
    by_funct3(0x10, 1, fsgnjn),            by_funct3(0x11, 1, fsgnjn),
    by_funct3(0x10, 2, fsgnjx),            by_funct3(0x11, 2, fsgnjx),
    by_funct3(0x14, 0, fmin),              by_funct3(0x15, 0, fmin),
    by_funct3(0x14, 1, fmax),              by_funct3(0x15, 1, fmax),
    by_funct3(0x50, 0, fle, true),         by_funct3(0x51, 0, fle, true),
    by_funct3(0x50, 1, flt, true),         by_funct3(0x51, 1, flt, true),
    by_funct3(0x50, 2, feq, true),         by_funct3(0x51, 2, feq, true),
    move(0x70, 1, fclass, true, false),    move(0x71, 1, fclass, true, false),
    move(0x70, 0, move_to_integer, true, false),   move(0x71, 0, move_to_integer, true, false),
    move(0x78, 0, move_from_integer, false, true), move(0x79, 0, move_from_integer, false, true),
    conversion(0x60, 0, to_w, true, false),   conversion(0x61, 0, to_w, true, false),
    conversion(0x60, 1, to_wu, true, false),  conversion(0x61, 1, to_wu, true, false),
    conversion(0x60, 2, to_l, true, false),   conversion(0x61, 2, to_l, true, false),
    conversion(0x60, 3, to_lu, true, false),  conversion(0x61, 3, to_lu, true, false),
    conversion(0x68, 0, from_w, false, true), conversion(0x69, 0, from_w, false, true),
    conversion(0x68, 1, from_wu, false, true), conversion(0x69, 1, from_wu, false, true),
    conversion(0x68, 2, from_l, false, true), conversion(0x69, 2, from_l, false, true),
    conversion(0x68, 3, from_lu, false, true), conversion(0x69, 3, from_lu, false, true),
    conversion(0x20, 1, double_to_single, false, false),
    conversion(0x21, 0, single_to_double, false, false),
};
// clang-format on

}  // namespace

int find_float_instruction(std::uint32_t word) {
  for (int i = 0; i < static_cast<int>(std::size(rows)); ++i)
    if ((word & rows[i].mask) == rows[i].match) return i;
  return -1;
}

bool Hart::execute_float(std::uint32_t word, unsigned number) {
  const auto& row = rows[number];
  const auto field = funct3_of(word);
  const auto mode = row.has_rounding ? (field == dynamic_rounding ? state.frm : field) : 0;
  if (state.float_off() || mode > last_rounding) return illegal(word);

  const bool single = bits(word, 26, 25) == 0;
  const auto number_in = [&](unsigned index) { return single ? unbox(state.f[index]) : state.f[index]; };
  Operands operands{word,
                    single ? &binary32 : &binary64,
                    number_in(rs1_of(word)),
                    number_in(rs2_of(word)),
                    number_in(rs3_of(word)),
                    row.from_integer ? state.x[rs1_of(word)] : state.f[rs1_of(word)],
                    static_cast<Rounding>(mode)};
  const auto result = row.execute(operands);
  state.fflags |= operands.flags;
  if (row.to_integer) {
    if (rd_of(word) != 0) state.x[rd_of(word)] = result;
    if (operands.flags != 0) mark_float_dirty();
  } else {
    state.f[rd_of(word)] = single ? result | boxes : result;
    mark_float_dirty();
  }
  return true;
}

}  // namespace forerun::ip::riscv
