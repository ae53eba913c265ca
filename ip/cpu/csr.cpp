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
constexpr std::uint64_t mstatus_mask = status::sie | status::mie | status::spie | status::mpie | status::spp |
                                       status::mpp | status::fs | status::mprv | status::sum | status::mxr |
                                       status::tvm | status::tw | status::tsr;
constexpr std::uint64_t delegable_exceptions = 0xb3ff;  // all that exist but the call from machine mode
constexpr std::uint64_t supervisor_timer_bit = 1u << interrupt::supervisor_timer;
constexpr std::uint64_t writable_pending =
    1u << interrupt::supervisor_software | supervisor_timer_bit | 1u << interrupt::supervisor_external;

/// Numbers of the registers.
namespace csr {
constexpr unsigned fflags = 0x001, frm = 0x002, fcsr = 0x003, sstatus = 0x100, sie = 0x104, stvec = 0x105,
                   scounteren = 0x106, senvcfg = 0x10a, sscratch = 0x140, sepc = 0x141, scause = 0x142,
                   stval = 0x143, sip = 0x144, satp = 0x180, mstatus = 0x300, misa = 0x301, medeleg = 0x302,
                   mideleg = 0x303, mie = 0x304, mtvec = 0x305, mcounteren = 0x306, menvcfg = 0x30a,
                   mcountinhibit = 0x320, mhpmevent3 = 0x323, mhpmevent31 = 0x33f, mscratch = 0x340,
                   mepc = 0x341, mcause = 0x342, mtval = 0x343, mip = 0x344, pmpcfg0 = 0x3a0, pmpcfg2 = 0x3a2,
                   pmpaddr0 = 0x3b0, mcycle = 0xb00, minstret = 0xb02, mhpmcounter3 = 0xb03,
                   mhpmcounter31 = 0xb1f, cycle = 0xc00, time = 0xc01, instret = 0xc02, hpmcounter3 = 0xc03,
                   hpmcounter31 = 0xc1f, mvendorid = 0xf11, mimpid = 0xf13, mhartid = 0xf14,
                   mconfigptr = 0xf15;
}

std::uint64_t with_dirty(std::uint64_t mstatus) {
  return mstatus | ((mstatus & status::fs) == status::fs ? status::dirty : 0);
}

}  // namespace

/// One register. Reading and writing go to a member of State, or to functions.
struct CsrTable {
  struct Row {
    std::uint64_t State::*storage = nullptr;
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

  void stored(unsigned number, std::uint64_t State::*storage, std::uint64_t writable) {
    rows_[number] = {storage, writable, nullptr, nullptr};
  }
  void computed(unsigned number, Read read, Write write) { rows_[number] = {nullptr, 0, read, write}; }
  void constant_zero(unsigned first, unsigned last) {
    for (auto number = first; number <= last; ++number)
      computed(
          number, [](const Hart&) { return std::uint64_t{0}; }, [](Hart&, std::uint64_t) {});
  }

  CsrTable() {
    floating_point();
    supervisor();
    machine();
    counters();
    protection(std::make_index_sequence<16>());
  }

  void floating_point() {
    computed(
        csr::fflags, [](const Hart& h) { return std::uint64_t{h.state.fflags}; },
        [](Hart& h, std::uint64_t v) { set_fcsr(h, (h.state.frm << 5) | (v & 31)); });
    computed(
        csr::frm, [](const Hart& h) { return std::uint64_t{h.state.frm}; },
        [](Hart& h, std::uint64_t v) { set_fcsr(h, h.state.fflags | (v & 7) << 5); });
    computed(
        csr::fcsr, [](const Hart& h) { return std::uint64_t{h.state.frm << 5 | h.state.fflags}; }, set_fcsr);
  }

  static void set_fcsr(Hart& hart, std::uint64_t value) {
    hart.state.fflags = value & 31;
    hart.state.frm = value >> 5 & 7;
    hart.mark_float_dirty();
    hart.float_state_changed();
  }

  void supervisor() {
    computed(
        csr::sstatus,
        [](const Hart& h) { return with_dirty(h.state.mstatus) & (sstatus_mask | status::dirty); },
        [](Hart& h, std::uint64_t v) { set_mstatus(h, v, sstatus_mask & mstatus_mask); });
    computed(
        csr::sie, [](const Hart& h) { return h.state.mie & h.state.mideleg; },
        [](Hart& h, std::uint64_t v) {
          h.state.mie = (h.state.mie & ~h.state.mideleg) | (v & h.state.mideleg);
        });
    stored(csr::stvec, &State::stvec, ~std::uint64_t{2});
    stored(csr::scounteren, &State::scounteren, 0xffff'ffff);
    stored(csr::senvcfg, &State::senvcfg, 1);
    stored(csr::sscratch, &State::sscratch, all_bits);
    stored(csr::sepc, &State::sepc, ~std::uint64_t{1});
    stored(csr::scause, &State::scause, all_bits);
    stored(csr::stval, &State::stval, all_bits);
    computed(
        csr::sip, [](const Hart& h) { return h.state.mip() & h.state.mideleg; },
        [](Hart& h, std::uint64_t v) {
          const auto mask = h.state.mideleg & 1u << interrupt::supervisor_software;
          h.state.software_pending = (h.state.software_pending & ~mask) | (v & mask);
        });
    computed(
        csr::satp, [](const Hart& h) { return h.state.satp; },
        [](Hart& h, std::uint64_t v) {
          const auto mode = v >> 60;
          if (mode != 0 && mode != 8) return;        // no other mode: the write has no effect
          h.state.satp = v & 0xf000'0fff'ffff'ffff;  // no address space identifiers
          h.mmu.flush();
          h.code.flush_translations();
        });
  }

  static void set_mstatus(Hart& hart, std::uint64_t value, std::uint64_t mask) {
    const auto old = hart.state.mstatus;
    auto now = (old & ~mask) | (value & mask);
    if ((now & status::mpp) == std::uint64_t{2} << status::mpp_shift)
      now = (now & ~status::mpp) | (old & status::mpp);
    hart.state.mstatus = now;
    if (((old ^ now) & status::mxr) != 0) hart.mmu.flush();
    hart.float_state_changed();
  }

  void machine() {
    constant_zero(csr::mvendorid, csr::mimpid);
    computed(
        csr::mhartid, [](const Hart& h) { return h.parameters_.hart_id; }, nullptr);
    constant_zero(csr::mconfigptr, csr::mconfigptr);
    computed(
        csr::mstatus, [](const Hart& h) { return with_dirty(h.state.mstatus); },
        [](Hart& h, std::uint64_t v) { set_mstatus(h, v, mstatus_mask); });
    computed(
        csr::misa, [](const Hart&) { return misa; }, [](Hart&, std::uint64_t) {});
    stored(csr::medeleg, &State::medeleg, delegable_exceptions);
    stored(csr::mideleg, &State::mideleg, interrupt::supervisor_all);
    stored(csr::mie, &State::mie, interrupt::supervisor_all | interrupt::machine_all);
    stored(csr::mtvec, &State::mtvec, ~std::uint64_t{2});
    stored(csr::mcounteren, &State::mcounteren, 0xffff'ffff);
    stored(csr::menvcfg, &State::menvcfg, 1);
    stored(csr::mscratch, &State::mscratch, all_bits);
    stored(csr::mepc, &State::mepc, ~std::uint64_t{1});
    stored(csr::mcause, &State::mcause, all_bits);
    stored(csr::mtval, &State::mtval, all_bits);
    computed(
        csr::mip, [](const Hart& h) { return h.state.mip(); },
        [](Hart& h, std::uint64_t v) { h.state.software_pending = v & writable_pending; });
  }

  void counters() {
    computed(
        csr::mcountinhibit, [](const Hart& h) { return h.state.mcountinhibit; }, set_mcountinhibit);
    constant_zero(csr::mhpmevent3, csr::mhpmevent31);
    computed(
        csr::mcycle, [](const Hart& h) { return h.mcycle(); },
        [](Hart& h, std::uint64_t v) {
          const bool frozen = (h.state.mcountinhibit & 1) != 0;
          h.mcycle_offset_ = frozen ? v : v - (h.cycle() + h.parameters_.costs.system);
        });
    computed(
        csr::minstret, [](const Hart& h) { return h.minstret(); },
        [](Hart& h, std::uint64_t v) {
          const bool frozen = (h.state.mcountinhibit & 4) != 0;
          h.minstret_offset_ = frozen ? v : v - (h.retired() + 1);  // the next instruction reads v
        });
    constant_zero(csr::mhpmcounter3, csr::mhpmcounter31);
    constant_zero(csr::hpmcounter3, csr::hpmcounter31);
    computed(
        csr::cycle, [](const Hart& h) { return h.mcycle(); }, nullptr);
    computed(
        csr::time, [](const Hart& h) { return h.bus_.time().value_or(0); }, nullptr);
    computed(
        csr::instret, [](const Hart& h) { return h.minstret(); }, nullptr);
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
    computed(
        csr::pmpcfg0, [](const Hart& h) { return h.mmu.pmp.config(0); },
        [](Hart& h, std::uint64_t v) { h.mmu.pmp.set_config(0, v), protection_changed(h); });
    computed(
        csr::pmpcfg2, [](const Hart& h) { return h.mmu.pmp.config(1); },
        [](Hart& h, std::uint64_t v) { h.mmu.pmp.set_config(1, v), protection_changed(h); });
    (computed(
         csr::pmpaddr0 + entry, [](const Hart& h) { return h.mmu.pmp.address(entry); },
         [](Hart& h, std::uint64_t v) { h.mmu.pmp.set_address(entry, v), protection_changed(h); }),
     ...);
  }

  std::array<Row, 4096> rows_;
};

std::uint64_t Hart::mcycle() const {
  return (state.mcountinhibit & 1) != 0 ? mcycle_offset_ : cycle() + mcycle_offset_;
}
std::uint64_t Hart::minstret() const {
  return (state.mcountinhibit & 4) != 0 ? minstret_offset_ : retired() + minstret_offset_;
}

bool Hart::counter_accessible(unsigned bit) const {
  if (state.privilege != Privilege::machine && (state.mcounteren >> bit & 1) == 0) return false;
  return state.privilege != Privilege::user || (state.scounteren >> bit & 1) != 0;
}

bool Hart::csr_accessible(unsigned number, bool write) const {
  const bool read_only = number >> 10 == 3;
  if ((write && read_only) || (number >> 8 & 3) > static_cast<unsigned>(state.privilege)) return false;
  if (number >= csr::fflags && number <= csr::fcsr) return !state.float_off();
  if (number >= csr::cycle && number <= csr::hpmcounter31 && !counter_accessible(number & 31)) return false;
  if (number == csr::time) return bus_.time().has_value();
  if (number == csr::satp && state.privilege == Privilege::supervisor)
    return (state.mstatus & status::tvm) == 0;
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
  const auto base = number == csr::mip ? state.software_pending : *old;
  if (write) write_csr(number, operation == 1 ? operand : operation == 2 ? base | operand : base & ~operand);
  if (rd_of(word) != 0) state.x[rd_of(word)] = *old;
  return true;
}

}  // namespace forerun::ip::riscv
