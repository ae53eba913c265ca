// SPDX-License-Identifier: Apache-2.0
/// The hot loop: one handler for each operation, in handlers.inc, for instructions of four and of two bytes.
///
/// A handler ends by jumping to the next operation's code. That needs labels as values (a GNU extension),
/// which this file alone is compiled to allow. Whatever may fail, or change more than registers, is a
/// function of Hart.
#include <bit>
#include <cmath>
#include <cstring>

#include "ip/cpu/float_table.hpp"
#include "ip/cpu/hart.hpp"

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

namespace forerun::ip::riscv {
namespace {

using i8 = std::int8_t;
using i16 = std::int16_t;
using i32 = std::int32_t;
using i64 = std::int64_t;
using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
__extension__ using i128 = __int128;
__extension__ using u128 = unsigned __int128;

constexpr u64 sign_bit = u64{1} << 63;
constexpr u64 boxed = 0xffff'ffff'0000'0000;
constexpr u64 canonical_double = 0x7ff8'0000'0000'0000;
constexpr u32 canonical_single = 0x7fc0'0000;

/// What an instruction of a class adds to Hart::progress_.
constexpr i64 tick(unsigned cycles) { return static_cast<i64>(cycles) * (i64{1} << 32) + 1; }

/// A word's sign is extended into the upper half of a register.
inline u64 word(u64 value) { return static_cast<u64>(static_cast<i64>(static_cast<i32>(value))); }

inline u64 divide(u64 a, u64 b) {
  const auto n = static_cast<i64>(a), d = static_cast<i64>(b);
  if (d == 0) return ~u64{0};
  return d == -1 ? u64{0} - a : static_cast<u64>(n / d);
}
inline u64 remainder(u64 a, u64 b) {
  const auto n = static_cast<i64>(a), d = static_cast<i64>(b);
  if (d == 0) return a;
  return d == -1 ? 0 : static_cast<u64>(n % d);
}
inline float single(u64 bits) {
  return std::bit_cast<float>((bits & boxed) == boxed ? static_cast<u32>(bits) : canonical_single);
}
inline u64 from_single(float value) {
  return boxed | (value == value ? std::bit_cast<u32>(value) : canonical_single);
}
inline u64 from_double(double value) { return value == value ? std::bit_cast<u64>(value) : canonical_double; }

/// Infinity times zero is invalid even when the addend is a quiet NaN; hosts differ there.
template <typename Float>
bool invalid_product(Float a, Float b) {
  return (std::isinf(a) && b == 0) || (a == 0 && std::isinf(b));
}

}  // namespace

void Hart::execute(HandlerCode* export_to) {
  static const HandlerCode labels = {{{
#define HANDLER(NAME) &&compressed_##NAME,
#include "ip/cpu/handlers.def"
#undef HANDLER
                                      },
                                      {
#define HANDLER(NAME) &&full_##NAME,
#include "ip/cpu/handlers.def"
#undef HANDLER
                                      }}};
  if (export_to != nullptr) {
    *export_to = labels;
    return;
  }

  const i64 tick_alu = tick(parameters_.costs.alu), tick_load = tick(parameters_.costs.load),
            tick_store = tick(parameters_.costs.store), tick_branch = tick(parameters_.costs.branch),
            tick_multiply = tick(parameters_.costs.multiply), tick_divide = tick(parameters_.costs.divide),
            tick_floating = tick(parameters_.costs.floating), tick_atomic = tick(parameters_.costs.atomic),
            tick_system = tick(parameters_.costs.system);
  auto* const x = state.x;
  auto* const f = state.f;
  i64 progress = progress_;
  u64 target = state.pc;
  u64 page_start = 0;  // virtual
  CodePage* page = nullptr;
  Operation* slots = nullptr;
  Operation* op = nullptr;
  const TlbEntry* read_tlb = nullptr;
  const TlbEntry* write_tlb = nullptr;

enter : {  // after a change of privilege or of anything that loads and stores depend on
  const auto context = mmu.data_context();
  read_tlb = mmu.read_tlb(context).data();
  write_tlb = mmu.write_tlb(context).data();
  goto enter_page;
}

jump:  // taken, to anywhere
  if (UNLIKELY(progress >= 0)) {
    state.pc = target;
    goto leave;
  }
  if (LIKELY((target ^ page_start) < 4096)) {
    op = slots + ((target & 4095) >> 1);
    goto * op->code;
  }
enter_page:
  progress_ = progress;
  page = code.enter(target);
  progress = progress_;
  if (UNLIKELY(page == nullptr)) {
    state.pc = target;
    take_trap(mmu.fault().cause, mmu.fault().value);
    return;
  }
  page_start = target & ~u64{4095};
  slots = page->operations;
  op = slots + ((target & 4095) >> 1);
  if (UNLIKELY(progress >= 0)) {  // fetching through the bus took the rest of the slice
    state.pc = target;
    goto leave;
  }
  goto * op->code;

#define LABEL(NAME) full_##NAME
#define LENGTH 2
#include "ip/cpu/handlers.inc"
#undef LABEL
#undef LENGTH
#define LABEL(NAME) compressed_##NAME
#define LENGTH 1
#include "ip/cpu/handlers.inc"
#undef LABEL
#undef LENGTH

decode:
  target = page_start + static_cast<u64>(op - slots) * 2;
  state.pc = target;
  progress_ = progress;
  if (!code.decode_slot(*page, *op, target)) goto memory_fault;
  progress = progress_;
  if (UNLIKELY(progress >= 0)) goto leave;
  goto * op->code;

cross : {
  state.pc = page_start + 4094;
  progress_ = progress;
  const void* const crossing = code.decode_crossing(*page, *op, state.pc);
  if (crossing == nullptr) goto memory_fault;
  progress = progress_;
  if (UNLIKELY(progress >= 0)) goto leave;
  goto* crossing;
}

breakpoint:
  state.pc = page_start + static_cast<u64>(op - slots) * 2;
  progress_ = progress;
  if (skip_breakpoint_at_ != state.pc && code.breakpoints().contains(state.pc)) {
    at_breakpoint_ = true;
    return;
  }
  if (!code.lift_breakpoint(*page, *op, state.pc)) goto memory_fault;
  place(cycle(), cycle() + 1);  // one instruction only, then the breakpoint comes back
  progress = progress_;
  goto * op->code;

illegal_operation:
  state.pc = page_start + static_cast<u64>(op - slots) * 2;
  progress_ = progress;
  take_trap(Cause::illegal_instruction, code.word(*page, *op));
  return;

instruction_fault:  // of a function of this class; state.pc is the instruction
  take_trap(fault_.cause, fault_.cause == Cause::illegal_instruction ? code.word(*page, *op) : fault_.value);
  return;

memory_fault:  // of the Mmu; state.pc is the instruction
  take_trap(mmu.fault().cause, mmu.fault().value);
  return;

control_changed:  // after CSR accesses, returns from traps, fences: state.pc is the next instruction
  if (progress < 0 && !sleeping_ && state.enabled_pending() == 0) {
    target = state.pc;
    goto enter;
  }
leave:
  progress_ = progress;
}

}  // namespace forerun::ip::riscv
