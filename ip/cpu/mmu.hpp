// SPDX-License-Identifier: Apache-2.0
/// Loads, stores and address translation (Sv39, PMP), with the look-aside buffers that make them fast.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "ip/cpu/debug.hpp"
#include "ip/cpu/hart_bus.hpp"
#include "ip/cpu/pmp.hpp"
#include "ip/cpu/state.hpp"

namespace forerun::ip::riscv {

/// A page of virtual addresses whose accesses may go straight to host memory: host = virtual + offset.
struct TlbEntry {
  static constexpr std::uint64_t invalid = ~std::uint64_t{0};
  std::uint64_t tag = invalid;
  std::uint64_t offset = 0;
};

/// Rights by which data are accessed. Each has its own buffers, so that changing between them flushes
/// nothing.
enum class DataContext : unsigned { user, supervisor, supervisor_sum, machine, count };

class Mmu {
 public:
  static constexpr unsigned tlb_size = 256;
  using Tlb = std::array<TlbEntry, tlb_size>;
  static constexpr unsigned tlb_index(std::uint64_t address) {
    return static_cast<unsigned>(address >> 12) % tlb_size;
  }

  Mmu(State& state, HartBus& bus, unsigned pmp_entries) : pmp(pmp_entries), state_(state), bus_(bus) {}

  /// Loads and stores of 1, 2, 4 or 8 bytes at any address; false: see fault().
  bool load(std::uint64_t address, unsigned bytes, std::uint64_t& value);
  bool store(std::uint64_t address, unsigned bytes, std::uint64_t value);
  /// The bytes (1 .. 4 within one page) of an instruction.
  bool fetch(std::uint64_t address, unsigned bytes, std::uint32_t& value);
  /// Whether PMP lets the present mode execute at a physical address.
  bool may_fetch(std::uint64_t address, std::uint64_t physical);
  /// Host memory for an atomic access, which must be aligned. `access` read: lr; write: sc and amo.
  unsigned char* atomic(std::uint64_t address, unsigned bytes, Access access);

  /// lr, and how sc ends: see Cpu about what breaks a reservation.
  void reserve(std::uint64_t address, const unsigned char* host);
  bool reserved(std::uint64_t address, const unsigned char* host) const;
  void end_reservation() { reservation_ = {}; }
  /// After amo and sc have written: as a store does.
  void wrote(const unsigned char* host, unsigned bytes);

  bool translate(std::uint64_t address, Access access, Privilege privilege, std::uint64_t& physical);
  /// As seen by a debugger: rights do not matter, nothing changes.
  bool debug_translate(std::uint64_t address, std::uint64_t& physical) const;

  void flush();
  DataContext data_context() const;
  Privilege data_privilege() const;
  Tlb& read_tlb(DataContext context) { return read_tlb_[static_cast<unsigned>(context)]; }
  Tlb& write_tlb(DataContext context) { return write_tlb_[static_cast<unsigned>(context)]; }
  HartBus::Page page(std::uint64_t physical);
  const Fault& fault() const { return fault_; }
  std::uint64_t misses() const { return misses_; }

  struct Watch {
    std::uint64_t address, length;
    WatchKind kind;
    bool operator==(const Watch&) const = default;
  };
  void set_watches(std::vector<Watch> watches);
  const std::vector<Watch>& watches() const { return watches_; }
  /// The watchpoint that the last instruction touched: where and which; clears it.
  bool take_watch_hit(std::uint64_t& address, WatchKind& kind);
  bool watch_hit() const { return hit_; }

  Pmp pmp;

 private:
  struct Reservation {
    const unsigned char* host = nullptr;  // of the double word
    std::uint64_t address = 0, value = 0;
  };
  bool walk(std::uint64_t address, Access access, Privilege privilege, std::uint64_t& physical);
  bool leaf_allows(std::uint64_t entry, Access access, Privilege privilege) const;
  bool read_entry(std::uint64_t physical, std::uint64_t& entry);
  bool write_entry(std::uint64_t physical, std::uint64_t entry);
  bool load_within_page(std::uint64_t address, unsigned bytes, std::uint64_t& value);
  bool store_within_page(std::uint64_t address, unsigned bytes, std::uint64_t value);
  bool access(std::uint64_t address, unsigned bytes, Access access, std::uint64_t& physical);
  bool bus_read(std::uint64_t physical, void* data, unsigned bytes);
  bool bus_fetch(std::uint64_t physical, void* data, unsigned bytes);
  bool bus_write(std::uint64_t physical, const void* data, unsigned bytes);
  void remember(Tlb& tlb, std::uint64_t address, std::uint64_t physical, const unsigned char* host);
  void check_watches(std::uint64_t address, unsigned bytes, bool write);
  bool watched_page(std::uint64_t address) const;
  bool fail(Cause cause, std::uint64_t address) {
    fault_ = {cause, address};
    return false;
  }

  State& state_;
  HartBus& bus_;
  Fault fault_;
  Reservation reservation_;
  std::array<Tlb, static_cast<unsigned>(DataContext::count)> read_tlb_{}, write_tlb_{};
  std::uint64_t misses_ = 0;
  std::vector<Watch> watches_;
  bool hit_ = false;
  std::uint64_t hit_address_ = 0;
  WatchKind hit_kind_ = WatchKind::write;
};

}  // namespace forerun::ip::riscv
