// SPDX-License-Identifier: Apache-2.0
/// Control and status registers: a table of what each holds and which of its bits can be written.
#include <array>
#include <memory>

#include "ip/cpu/fields.hpp"
#include "ip/cpu/hart.hpp"
#include "ip/cpu/host_float.hpp"

namespace forerun::ip::riscv {
namespace {

constexpr std::uint64_t all_bits = ~std::uint64_t{0};
constexpr std::uint64_t misa = 0x8000'0000'0014'112d;  // RV64 ACDFIMSU
constexpr std::uint64_t sstatus_mask =
    status::sie | status::spie | status::spp | status::fs | status::sum | status::mxr | 0x3'0000'0000;
constexpr std::uint64_t mstatus_mask = status::sie | status::mie | status::spie | status::mpie | status::spp | status::mpp |
                                       status::fs | status::mprv | status::sum | status::mxr | status::tvm | status::tw |
                                       status::tsr;
constexpr std::uint64_t delegable_exceptions = 0xb3ff;  // all that exist but the call from machine mode
constexpr std::uint64_t supervisor_timer_bit = 1u << interrupt::supervisor_timer;
constexpr std::uint64_t writable_pending = 1u << interrupt::supervisor_software | supervisor_timer_bit |
                                           1u << interrupt::supervisor_external;

constexpr unsigned mip_number = 0x344, sip_number = 0x144, satp_number = 0x180;
constexpr unsigned fcsr_first = 0x001, fcsr_last = 0x003;
constexpr unsigned user_counters = 0xc00, user_counters_last = 0xc1f;

std::uint64_t with_dirty(std::uint64_t mstatus) {
  return mstatus | ((mstatus & status::fs) == status::fs ? status::dirty : 0);
}

}  // namespace

/// One register. Reading and writing go to a member of State, or to functions.
struct CsrTable {
  struct Row {
    std::uint64_t State::* storage = nullptr;
    std::uint64_t writable = 0;
    std::uint64_t (*read)(const Hart&) = nullptr;
    void (*write)(Hart&, std::uint64_t) = nullptr;
  };

  static const Row* find(unsigned number) {
    static const CsrTable table;
    const auto& row = table.rows_[number];
    return row.storage == nullptr && row.read == nullptr ? nullptr : &row;
  }

 private:
  using Read = std::uint64_t (*)(const Hart&);
  using Write = void (*)(Hart&, std::uint64_t);

  void stored(unsigned number, std::uint64_t State::* storage, std::uint64_t writable) { rows_[number] = {storage, writable, nullptr, nullptr}; }
  void computed(unsigned number, Read read, Write write) { rows_[number] = {nullptr, 0, read, write}; }
  void constant_zero(unsigned first, unsigned last) {
    for (auto number = first; number <= last; ++number) computed(number, [](const Hart&) { return std::uint64_t{0}; }, [](Hart&, std::uint64_t) {});
  }

  CsrTable() {
    floating_point();
    supervisor();
    machine();
    counters();
    protection(std::make_index_sequence<16>());
  }

  void floating_point() {
    computed(0x001, [](const Hart& h) { return std::uint64_t{h.state.fflags}; }, [](Hart& h, std::uint64_t v) { set_fcsr(h, (h.state.frm << 5) | (v & 31)); });
    computed(0x002, [](const Hart& h) { return std::uint64_t{h.state.frm}; }, [](Hart& h, std::uint64_t v) { set_fcsr(h, h.state.fflags | (v & 7) << 5); });
    computed(0x003, [](const Hart& h) { return std::uint64_t{h.state.frm << 5 | h.state.fflags}; }, set_fcsr);
  }

  static void set_fcsr(Hart& hart, std::uint64_t value) {
    hart.state.fflags = value & 31;
    hart.state.frm = value >> 5 & 7;
    hart.mark_float_dirty();
    hart.float_state_changed();
  }

  void supervisor() {
    computed(0x100, [](const Hart& h) { return with_dirty(h.state.mstatus) & (sstatus_mask | status::dirty); },
             [](Hart& h, std::uint64_t v) { set_mstatus(h, v, sstatus_mask & mstatus_mask); });
    computed(0x104, [](const Hart& h) { return h.state.mie & h.state.mideleg; },
             [](Hart& h, std::uint64_t v) { h.state.mie = (h.state.mie & ~h.state.mideleg) | (v & h.state.mideleg); });
    stored(0x105, &State::stvec, ~std::uint64_t{2});
    stored(0x106, &State::scounteren, 0xffff'ffff);
    stored(0x10a, &State::senvcfg, 1);
    stored(0x140, &State::sscratch, all_bits);
    stored(0x141, &State::sepc, ~std::uint64_t{1});
    stored(0x142, &State::scause, all_bits);
    stored(0x143, &State::stval, all_bits);
    computed(sip_number, [](const Hart& h) { return h.state.mip() & h.state.mideleg; }, [](Hart& h, std::uint64_t v) {
      const auto mask = h.state.mideleg & 1u << interrupt::supervisor_software;
      h.state.software_pending = (h.state.software_pending & ~mask) | (v & mask);
    });
    computed(satp_number, [](const Hart& h) { return h.state.satp; }, [](Hart& h, std::uint64_t v) {
      const auto mode = v >> 60;
      if (mode != 0 && mode != 8) return;  // no other mode: the write has no effect
      h.state.satp = v & 0xf000'0fff'ffff'ffff;  // no address space identifiers
      h.mmu.flush();
      h.code.flush_translations();
    });
  }

  static void set_mstatus(Hart& hart, std::uint64_t value, std::uint64_t mask) {
    const auto old = hart.state.mstatus;
    auto now = (old & ~mask) | (value & mask);
    if ((now & status::mpp) == std::uint64_t{2} << status::mpp_shift) now = (now & ~status::mpp) | (old & status::mpp);
    hart.state.mstatus = now;
    if (((old ^ now) & status::mxr) != 0) hart.mmu.flush();
    hart.float_state_changed();
  }

  void machine() {
    constant_zero(0xf11, 0xf13);  // mvendorid, marchid, mimpid
    computed(0xf14, [](const Hart& h) { return h.parameters_.hart_id; }, nullptr);
    constant_zero(0xf15, 0xf15);  // mconfigptr
    computed(0x300, [](const Hart& h) { return with_dirty(h.state.mstatus); }, [](Hart& h, std::uint64_t v) { set_mstatus(h, v, mstatus_mask); });
    computed(0x301, [](const Hart&) { return misa; }, [](Hart&, std::uint64_t) {});
    stored(0x302, &State::medeleg, delegable_exceptions);
    stored(0x303, &State::mideleg, interrupt::supervisor_all);
    stored(0x304, &State::mie, interrupt::supervisor_all | interrupt::machine_all);
    stored(0x305, &State::mtvec, ~std::uint64_t{2});
    stored(0x306, &State::mcounteren, 0xffff'ffff);
    stored(0x30a, &State::menvcfg, 1);
    stored(0x340, &State::mscratch, all_bits);
    stored(0x341, &State::mepc, ~std::uint64_t{1});
    stored(0x342, &State::mcause, all_bits);
    stored(0x343, &State::mtval, all_bits);
    computed(mip_number, [](const Hart& h) { return h.state.mip(); },
             [](Hart& h, std::uint64_t v) { h.state.software_pending = v & writable_pending; });
  }

  void counters() {
    computed(0x320, [](const Hart& h) { return h.state.mcountinhibit; }, set_mcountinhibit);
    constant_zero(0x323, 0x33f);  // mhpmevent
    computed(0xb00, [](const Hart& h) { return h.mcycle(); }, [](Hart& h, std::uint64_t v) {
      const bool frozen = (h.state.mcountinhibit & 1) != 0;
      h.mcycle_offset_ = frozen ? v : v - (h.cycle() + h.parameters_.costs.system);
    });
    computed(0xb02, [](const Hart& h) { return h.minstret(); }, [](Hart& h, std::uint64_t v) {
      const bool frozen = (h.state.mcountinhibit & 4) != 0;
      h.minstret_offset_ = frozen ? v : v - (h.retired() + 1);  // the next instruction reads v
    });
    constant_zero(0xb03, 0xb1f);  // mhpmcounter
    constant_zero(0xc03, 0xc1f);
    computed(0xc00, [](const Hart& h) { return h.mcycle(); }, nullptr);
    computed(0xc01, [](const Hart& h) { return h.bus_.time().value_or(0); }, nullptr);
    computed(0xc02, [](const Hart& h) { return h.minstret(); }, nullptr);
  }

  static void set_mcountinhibit(Hart& hart, std::uint64_t value) {
    const auto cycle = hart.mcycle(), instructions = hart.minstret();
    hart.state.mcountinhibit = value & 5;
    hart.mcycle_offset_ = (value & 1) != 0 ? cycle : cycle - hart.cycle();
    hart.minstret_offset_ = (value & 4) != 0 ? instructions : instructions - hart.retired();
  }

  static void protection_changed(Hart& hart) {
    hart.mmu.flush();
    hart.code.flush_translations();
  }

  template <std::size_t... entry>
  void protection(std::index_sequence<entry...>) {
    computed(0x3a0, [](const Hart& h) { return h.mmu.pmp.config(0); }, [](Hart& h, std::uint64_t v) { h.mmu.pmp.set_config(0, v), protection_changed(h); });
    computed(0x3a2, [](const Hart& h) { return h.mmu.pmp.config(1); }, [](Hart& h, std::uint64_t v) { h.mmu.pmp.set_config(1, v), protection_changed(h); });
    (computed(0x3b0 + entry, [](const Hart& h) { return h.mmu.pmp.address(entry); },
              [](Hart& h, std::uint64_t v) { h.mmu.pmp.set_address(entry, v), protection_changed(h); }), ...);
  }

  std::array<Row, 4096> rows_;
};

std::uint64_t Hart::mcycle() const { return (state.mcountinhibit & 1) != 0 ? mcycle_offset_ : cycle() + mcycle_offset_; }
std::uint64_t Hart::minstret() const { return (state.mcountinhibit & 4) != 0 ? minstret_offset_ : retired() + minstret_offset_; }

bool Hart::counter_accessible(unsigned bit) const {
  if (state.privilege != Privilege::machine && (state.mcounteren >> bit & 1) == 0) return false;
  return state.privilege != Privilege::user || (state.scounteren >> bit & 1) != 0;
}

bool Hart::csr_accessible(unsigned number, bool write) const {
  const bool read_only = number >> 10 == 3;
  if ((write && read_only) || (number >> 8 & 3) > static_cast<unsigned>(state.privilege)) return false;
  if (number >= fcsr_first && number <= fcsr_last) return !state.float_off();
  if (number >= user_counters && number <= user_counters_last && !counter_accessible(number & 31)) return false;
  if (number == user_counters + 1) return bus_.time().has_value();
  if (number == satp_number && state.privilege == Privilege::supervisor) return (state.mstatus & status::tvm) == 0;
  return true;
}

std::optional<std::uint64_t> Hart::read_csr(unsigned number) const {
  const auto* row = CsrTable::find(number & 4095);
  if (row == nullptr) return std::nullopt;
  return row->storage != nullptr ? state.*row->storage : row->read(*this);
}

bool Hart::write_csr(unsigned number, std::uint64_t value) {
  const auto* row = CsrTable::find(number & 4095);
  if (row == nullptr || number >> 10 == 3) return false;
  if (row->storage != nullptr)
    state.*row->storage = (state.*row->storage & ~row->writable) | (value & row->writable);
  else
    row->write(*this, value);
  return true;
}

bool Hart::execute_csr(std::uint32_t word) {
  const auto number = csr_of(word);
  const unsigned operation = funct3_of(word) & 3;  // 1 write, 2 set, 3 clear
  const bool write = operation == 1 || rs1_of(word) != 0;
  const auto operand = (funct3_of(word) & 4) != 0 ? std::uint64_t{rs1_of(word)} : state.x[rs1_of(word)];
  if (!csr_accessible(number, write)) return illegal(word);
  const HostFloatPause pause(state);
  const auto old = read_csr(number);
  if (!old) return illegal(word);
  // Setting or clearing a bit must not turn a line into a software interrupt.
  const auto base = number == mip_number ? state.software_pending : *old;
  if (write) write_csr(number, operation == 1 ? operand : operation == 2 ? base | operand : base & ~operand);
  if (rd_of(word) != 0) state.x[rd_of(word)] = *old;
  return true;
}

}  // namespace forerun::ip::riscv
