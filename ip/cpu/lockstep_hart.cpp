// SPDX-License-Identifier: Apache-2.0
#include "ip/cpu/lockstep_hart.hpp"

#include <fmt/format.h>

#include <bit>

#include "ip/cpu/decode.hpp"
#include "ip/cpu/disassemble.hpp"
#include "ip/cpu/fields.hpp"
#include "ip/cpu/register_names.hpp"

namespace forerun::ip::riscv {
namespace {

/// Instructions that may retire before an interrupt that is pending and enabled is taken.
constexpr std::uint64_t most_before_interrupt = 100;
/// And between a line that goes low and the handler of its interrupt, which had been taken before.
constexpr std::uint64_t most_after_line = 16;
constexpr std::uint64_t interrupt_flag = std::uint64_t{1} << 63;

constexpr unsigned interrupts[] = {interrupt::machine_external,    interrupt::machine_software,
                                   interrupt::machine_timer,       interrupt::supervisor_external,
                                   interrupt::supervisor_software, interrupt::supervisor_timer};

const char* interrupt_name(unsigned bit) {
  switch (bit) {
    case interrupt::machine_external:
      return "machine external";
    case interrupt::machine_software:
      return "machine software";
    case interrupt::machine_timer:
      return "machine timer";
    case interrupt::supervisor_external:
      return "supervisor external";
    case interrupt::supervisor_software:
      return "supervisor software";
    default:
      return "supervisor timer";
  }
}

std::uint32_t expanded(std::uint32_t insn) {
  return is_compressed(insn) ? expand_compressed(static_cast<std::uint16_t>(insn)) : insn;
}
unsigned length(std::uint32_t insn) { return is_compressed(insn) ? 2 : 4; }
unsigned opcode(std::uint32_t word) { return word & 0x7f; }
bool is_load(std::uint32_t word) { return opcode(word) == 0x03 || opcode(word) == 0x07; }
bool is_store(std::uint32_t word) { return opcode(word) == 0x23 || opcode(word) == 0x27; }
bool is_atomic(std::uint32_t word) { return opcode(word) == 0x2f; }
bool is_csr(std::uint32_t word) { return opcode(word) == 0x73 && (funct3_of(word) & 3) != 0; }

/// The integer register that it writes; 0: none.
unsigned destination(std::uint32_t word) {
  switch (opcode(word)) {
    case 0x07:  // loads, stores and arithmetic of floating point, branches, fences
    case 0x0f:
    case 0x23:
    case 0x27:
    case 0x43:
    case 0x47:
    case 0x4b:
    case 0x4f:
    case 0x63:
      return 0;
    case 0x53: {
      const auto kind = word >> 27;  // comparisons, conversions to integers, moves and classes
      return kind == 0x14 || kind == 0x18 || kind == 0x1c ? rd_of(word) : 0;
    }
    case 0x73:
      return is_csr(word) ? rd_of(word) : 0;
    default:
      return rd_of(word);
  }
}

std::string written(unsigned rd, std::uint64_t value) {
  return rd == 0 ? "it writes no register" : fmt::format("it writes {:#x} to {}", value, register_name(rd));
}

std::string access(const char* verb, std::uint64_t address, unsigned mask, std::uint64_t data, bool with) {
  if (mask == 0) return fmt::format("it {} nothing", verb);
  const auto first = static_cast<unsigned>(std::countr_zero(mask));
  const auto bytes = static_cast<unsigned>(std::popcount(mask));
  const auto value = bytes >= 8 ? data : (data >> 8 * first) & ((std::uint64_t{1} << 8 * bytes) - 1);
  return fmt::format("it {} {} byte{} at {:#x}{}", verb, bytes, bytes == 1 ? "" : "s", address + first,
                     with ? fmt::format(" ({:#x})", value) : "");
}

}  // namespace

LockstepHart::LockstepHart(const CpuParameters& parameters, const Extensions& extensions)
    : extensions_(extensions), hart_(*this, parameters) {
  fix_modes();
}

void LockstepHart::reset() {
  memory.clear();
  decoded_.clear();
  hart_.reset();
  fix_modes();
  next_order_ = due_ = other_causes_ = 0;
  was_trap_ = false;
}

/// A hart of machine mode alone has no other mode to return to.
void LockstepHart::fix_modes() {
  if (!extensions_.user) hart_.state.mstatus |= status::mpp;
}

void LockstepHart::set_line(unsigned bit, bool level) {
  const auto mask = std::uint64_t{1} << bit;
  if ((lines_ & mask) != 0 && !level) low_since_[bit] = retired_;
  lines_ = level ? lines_ | mask : lines_ & ~mask;
}

bool LockstepHart::lacks(std::uint32_t word) const {
  const auto& e = extensions_;
  if (is_compressed(now_->insn) && !e.c) return true;
  switch (opcode(word)) {
    case 0x2f:
      return !e.a;
    case 0x07:
    case 0x27:
      return funct3_of(word) == 2 ? !e.f : !e.d;
    case 0x43:
    case 0x47:
    case 0x4b:
    case 0x4f:
    case 0x53:
      return bits(word, 26, 25) == 0 ? !e.f : !e.d;
    case 0x33:
    case 0x3b:
      return word >> 25 == 1 && !e.m;
    case 0x73:
      return funct3_of(word) == 0 && !e.supervisor && (word == 0x1020'0073 || word >> 25 == 0x09);
    default:
      return false;
  }
}

std::optional<std::string> LockstepHart::retire(const Retired& r) {
  now_ = &r;
  problem_.reset();
  read_ = wrote_ = 0;
  followed_ = false;
  if (r.order) {
    if (retired_ != 0 && next_order_ != 0 && *r.order != next_order_)
      return fmt::format("its rvfi_order is {}, expected {}", *r.order, next_order_);
    next_order_ = *r.order + 1;
  }
  memory.instructions = ++retired_;
  if (const auto byte = memory.unexplained())
    return fmt::format("its bus has written {:02x} to {:#x}, which no instruction up to here has stored",
                       byte->written.value_or(0), byte->address);
  if ((r.intr && !was_trap_) || r.pc != hart_.state.pc) begin_handler();
  was_trap_ = r.trap;
  if (problem_) return problem_;
  if (r.pc != hart_.state.pc)
    return fmt::format("it is at {:#x}, by the model at {:#x}", r.pc, hart_.state.pc);
  bool failed = false;
  if (auto what = check_fetch(failed)) return what;
  const auto traps = hart_.traps();
  carry_out(failed);
  if (problem_) return problem_;
  if (auto what = check_result(expanded(r.insn), hart_.traps() != traps)) return what;
  return check_interrupts();
}

/// The other one has taken an interrupt: the first that leads there, of those that are or were pending.
void LockstepHart::begin_handler() {
  auto& state = hart_.state;
  std::uint64_t candidates = state.software_pending;
  for (const auto bit : interrupts)
    if ((lines_ >> bit & 1) != 0 || (low_since_[bit] != 0 && retired_ - low_since_[bit] <= most_after_line))
      candidates |= std::uint64_t{1} << bit;
  const auto before = state;
  std::optional<State> first;
  for (const auto bit : interrupts) {
    state.lines = candidates & std::uint64_t{1} << bit;
    state.software_pending = 0;
    const bool taken = state.lines != 0 && hart_.take_interrupt();
    if (taken && !first) first = state;
    if (taken && state.pc == now_->pc) break;
    state = before;
  }
  if (first && now_->intr && state.pc != now_->pc) state = *first;  // so its address is wrong
  state.lines = 0;
  state.software_pending = before.software_pending;
  other_causes_ = candidates;
  due_ = 0;
  if (!first && now_->intr)
    problem_ = fmt::format(
        "it is the first of a trap handler, but by the model no interrupt is pending and enabled (mip {:#x}, "
        "mie {:#x}, mstatus {:#x}), and its pc would be {:#x}",
        candidates, state.mie, state.mstatus, state.pc);
}

/// Against what passed the bus.
LockstepHart::What LockstepHart::check_fetch(bool& failed) {
  const auto& r = *now_;
  const auto first = memory.expected(r.pc);
  const auto bytes = first ? ((*first & 3) == 3 ? 4u : 2u) : length(r.insn);
  if (const auto at = memory.failed_read(r.pc, bytes)) {
    failed = true;
    return std::nullopt;
  }
  unsigned char insn[4];
  for (unsigned i = 0; i < 4; ++i) insn[i] = static_cast<unsigned char>(r.insn >> 8 * i);
  const auto look = memory.look(r.pc, insn, length(r.insn));
  if (look.verdict == SeenMemory::Verdict::unread)
    return fmt::format("its instruction has never passed the bus (byte at {:#x})", r.pc + look.offset);
  if (look.verdict == SeenMemory::Verdict::right) return std::nullopt;
  std::uint32_t held = 0;
  for (unsigned i = 0; i < bytes; ++i) held |= std::uint32_t{memory.expected(r.pc + i).value_or(0)} << 8 * i;
  return fmt::format("it is that instruction, but memory holds {} ({:0{}x})", disassemble(held, r.pc), held,
                     2 * bytes);
}

void LockstepHart::carry_out(bool fetch_failed) {
  const auto& r = *now_;
  const auto word = expanded(r.insn);
  if (fetch_failed) {
    const auto at = memory.failed_read(r.pc, 4).value_or(r.pc);
    return hart_.raise(Cause::fetch_fault, at - r.pc >= 2 ? r.pc + 2 : r.pc);
  }
  if (lacks(word)) return hart_.raise(Cause::illegal_instruction, r.insn);
  if (r.trap && refused(word)) return;
  if (!r.trap && (is_atomic(word) || (is_csr(word) && !hart_.read_csr(csr_of(word))))) return follow(word);
  auto [known, is_new] = decoded_.try_emplace(r.pc, r.insn);
  if (!is_new && known->second != r.insn) {
    known->second = r.insn;
    hart_.code.fence();
  }
  hart_.execute_one();
  fix_modes();
  if (hart_.state.satp >> 60 != 0 && !problem_)
    problem_ = "it switches address translation on, which is not compared";
}

/// Traps that the specification allows and the model does not take.
bool LockstepHart::refused(std::uint32_t word) {
  auto& state = hart_.state;
  if (is_csr(word)) {
    constexpr unsigned needed[] = {0x300, 0x301, 0x304, 0x305, 0x340, 0x341,
                                   0x342, 0x343, 0x344, 0xb00, 0xb02, 0xf14};
    for (const auto number : needed)
      if (csr_of(word) == number) return false;
    hart_.raise(Cause::illegal_instruction, now_->insn);
    return true;
  }
  if (!is_load(word) && !is_store(word) && !is_atomic(word)) return false;
  const auto offset = is_load(word) ? i_immediate(word) : is_store(word) ? s_immediate(word) : 0;
  const auto address = state.x[rs1_of(word)] + static_cast<std::uint64_t>(std::int64_t{offset});
  const bool load = is_load(word) || (is_atomic(word) && word >> 27 == 2);
  const auto bytes = 1u << (funct3_of(word) & 3);
  if (address % bytes != 0) {
    hart_.raise(load ? Cause::load_misaligned : Cause::store_misaligned, address);
    return true;
  }
  if (!is_atomic(word)) return false;
  if (!memory.failed_read(address, bytes) && !memory.take_failed_write(address, bytes)) return false;
  hart_.raise(load ? Cause::load_fault : Cause::store_fault, address);
  return true;
}

/// Takes over what the other one has done.
void LockstepHart::follow(std::uint32_t word) {
  const auto& r = *now_;
  followed_ = true;
  if (const auto rd = destination(word); rd != 0) hart_.state.x[rd] = r.rd_value;
  hart_.state.pc += length(r.insn);
  for (unsigned i = 0; i < 8; ++i)
    if ((r.writes >> i & 1) != 0) memory.stored(r.address + i, r.write_data >> 8 * i, 1);
}

bool LockstepHart::fetch(std::uint64_t address, void* data, unsigned bytes) {
  const auto offset = address - now_->pc;
  for (unsigned i = 0; i < bytes; ++i)
    static_cast<unsigned char*>(data)[i] = static_cast<unsigned char>(now_->insn >> 8 * (offset + i));
  return true;
}

bool LockstepHart::read(std::uint64_t address, void* data, unsigned bytes) {
  const auto& r = *now_;
  auto* const to = static_cast<unsigned char*>(data);
  if (memory.failed_read(address, bytes)) return false;
  for (unsigned i = 0; i < bytes; ++i) {
    const auto bit = address + i - r.address;
    to[i] = static_cast<unsigned char>(bit < 8 ? r.read_data >> 8 * bit : 0);
    if (bit < 8) read_ = static_cast<unsigned char>(read_ | 1u << bit);
    if (!r.trap && (bit >= 8 || (r.reads >> bit & 1) == 0) && !problem_)
      problem_ = fmt::format("{}, by the model {} byte{} at {:#x}",
                             access("loads", r.address, r.reads, r.read_data, false), bytes,
                             bytes == 1 ? "" : "s", address);
  }
  if (problem_ || r.trap) return true;
  const auto look = memory.look(address, to, bytes);
  if (look.verdict == SeenMemory::Verdict::wrong)
    problem_ = fmt::format("the byte that it loads from {:#x} is {:02x}, but memory holds {:02x}",
                           address + look.offset, to[look.offset], look.expected);
  else if (look.verdict != SeenMemory::Verdict::right)
    problem_ =
        fmt::format("the byte that it loads from {:#x} has never passed the bus", address + look.offset);
  return true;
}

bool LockstepHart::write(std::uint64_t address, const void* data, unsigned bytes) {
  const auto& r = *now_;
  if (const auto failed = memory.take_failed_write(address, bytes)) {
    if (address % bytes == 0 && (failed->address != address || failed->bytes != bytes))
      problem_ = fmt::format("it stores {} bytes at {:#x}, but its bus has written {} at {:#x}", bytes,
                             address, failed->bytes, failed->address);
    return false;
  }
  std::uint64_t value = 0;
  for (unsigned i = 0; i < bytes; ++i) {
    const auto byte = static_cast<const unsigned char*>(data)[i];
    value |= std::uint64_t{byte} << 8 * i;
    const auto bit = address + i - r.address;
    if (bit < 8) wrote_ = static_cast<unsigned char>(wrote_ | 1u << bit);
    const bool same =
        bit < 8 && (r.writes >> bit & 1) != 0 && static_cast<unsigned char>(r.write_data >> 8 * bit) == byte;
    if (!r.trap && !same && !problem_) problem_ = "";  // told when all of it is known
  }
  if (problem_ && problem_->empty())
    problem_ = fmt::format("{}, by the model {} byte{} at {:#x} ({:#x})",
                           access("stores", r.address, r.writes, r.write_data, true), bytes,
                           bytes == 1 ? "" : "s", address, value);
  if (r.trap) return true;
  if (const auto byte = memory.stored(address, value, bytes); byte && !problem_)
    problem_ = fmt::format("it stores {:02x} to {:#x}, but its bus has written {} there",
                           static_cast<unsigned char>(value >> 8 * (byte->address - address)), byte->address,
                           byte->written ? fmt::format("{:02x}", *byte->written) : "nothing");
  return true;
}

LockstepHart::What LockstepHart::check_memory() const {
  const auto& r = *now_;
  if (r.reads != read_) return access("loads", r.address, r.reads, r.read_data, false) + ", by the model not";
  if (r.writes != wrote_)
    return access("stores", r.address, r.writes, r.write_data, true) + ", by the model not";
  return std::nullopt;
}

LockstepHart::What LockstepHart::check_result(std::uint32_t word, bool model_traps) {
  const auto& r = *now_;
  auto& state = hart_.state;
  if (r.trap != model_traps) {
    if (r.trap) return "it traps, by the model it does not";
    const bool machine = state.privilege == Privilege::machine;
    return fmt::format("it does not trap, by the model it does, with cause {} and the value {:#x}",
                       machine ? state.mcause : state.scause, machine ? state.mtval : state.stval);
  }
  if (r.trap) return std::nullopt;
  if (!followed_)
    if (auto what = check_memory()) return what;
  if (is_csr(word) && !followed_)
    if (auto what = check_csr(word)) return what;
  const auto rd = destination(word);
  if (r.rd != rd || (rd != 0 && state.x[rd] != r.rd_value))
    return r.rd == rd
               ? fmt::format("it writes {:#x} to {}, by the model {:#x}", r.rd_value, register_name(rd),
                             state.x[rd])
               : fmt::format("{}, by the model {}", written(r.rd, r.rd_value), written(rd, state.x[rd]));
  if (r.next_pc && *r.next_pc != state.pc)
    return fmt::format("it goes on at {:#x}, by the model at {:#x}", *r.next_pc, state.pc);
  return std::nullopt;
}

std::uint64_t LockstepHart::compared_bits(unsigned csr) const {
  constexpr auto all = ~std::uint64_t{0};
  const auto& e = extensions_;
  switch (csr) {
    case 0x305:  // mtvec, mscratch, mepc, mcause, mtval, mhartid, and those of the supervisor
    case 0x340:
    case 0x341:
    case 0x342:
    case 0x343:
    case 0xf14:
    case 0x105:
    case 0x140:
    case 0x141:
    case 0x142:
    case 0x143:
      return all;
    case 0x300:
      return status::mie | status::mpie | (e.user ? status::mpp | status::mprv : 0) |
             (e.supervisor ? status::sie | status::spie | status::spp | status::sum : 0);
    case 0x100:
      return status::sie | status::spie | status::spp | status::sum;
    case 0x304:
      return interrupt::machine_all | (e.supervisor ? interrupt::supervisor_all : 0);
    case 0x001:
    case 0x002:
    case 0x003:
      return e.f ? all : 0;
    default:
      return 0;
  }
}

/// The value that a CSR had; what implementations may choose is taken over.
LockstepHart::What LockstepHart::check_csr(std::uint32_t word) {
  const auto rd = rd_of(word), csr = csr_of(word);
  if (rd == 0) return std::nullopt;
  auto& model = hart_.state.x[rd];
  const auto rtl = now_->rd_value;
  const bool value_of_trap = csr == 0x343 || csr == 0x143;
  const bool other_cause = csr == 0x342 && (model & rtl & interrupt_flag) != 0 &&
                           (rtl & 63) == (rtl & ~interrupt_flag) && (other_causes_ >> (rtl & 63) & 1) != 0;
  if (!(value_of_trap && rtl == 0) && !other_cause && ((model ^ rtl) & compared_bits(csr)) != 0)
    return fmt::format("it reads {:#x} from CSR {:#x}, by the model {:#x}", rtl, csr, model);
  model = rtl;
  return std::nullopt;
}

/// One that is due must be taken some time.
LockstepHart::What LockstepHart::check_interrupts() {
  auto& state = hart_.state;
  if ((lines_ & state.mie) == 0) {
    due_ = 0;
    return std::nullopt;
  }
  state.lines = lines_;
  if (hart_.interrupt_due()) ++due_;  // a handler or a critical section may lie in between
  const auto pending = state.enabled_pending();
  state.lines = 0;
  if (due_ < most_before_interrupt) return std::nullopt;
  for (const auto bit : interrupts)
    if ((pending >> bit & 1) != 0)
      return fmt::format("the {} interrupt is pending and was enabled at {} instructions, and is not taken",
                         interrupt_name(bit), due_);
  return std::nullopt;
}

}  // namespace forerun::ip::riscv
