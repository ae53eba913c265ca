// SPDX-License-Identifier: Apache-2.0
#include "ip/cpu/mmu.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "ip/cpu/host_float.hpp"

namespace forerun::ip::riscv {
namespace {

constexpr std::uint64_t page_bytes = 4096;
constexpr std::uint64_t page_of(std::uint64_t address) { return address & ~(page_bytes - 1); }
constexpr bool crosses_page(std::uint64_t address, unsigned bytes) {
  return (address & (page_bytes - 1)) + bytes > page_bytes;
}

constexpr Cause access_fault(Access access) {
  return access == Access::read    ? Cause::load_fault
         : access == Access::write ? Cause::store_fault
                                   : Cause::fetch_fault;
}

/// The largest aligned access of at most `bytes` at an address.
unsigned piece(std::uint64_t address, unsigned bytes) {
  const auto aligned = address == 0 ? 8u : static_cast<unsigned>(address & (~address + 1) & 15);
  return std::bit_floor(std::min(bytes, aligned == 0 ? 8u : aligned));
}

}  // namespace

void Mmu::flush() {
  for (auto& tlb : read_tlb_) tlb.fill({});
  for (auto& tlb : write_tlb_) tlb.fill({});
}

Privilege Mmu::data_privilege() const {
  if ((state_.mstatus & status::mprv) == 0) return state_.privilege;
  return static_cast<Privilege>((state_.mstatus & status::mpp) >> status::mpp_shift);
}

DataContext Mmu::data_context() const {
  switch (data_privilege()) {
    case Privilege::machine:
      return DataContext::machine;
    case Privilege::supervisor:
      return (state_.mstatus & status::sum) != 0 ? DataContext::supervisor_sum : DataContext::supervisor;
    default:
      return DataContext::user;
  }
}

bool Mmu::access(std::uint64_t address, unsigned bytes, Access access, std::uint64_t& physical) {
  const auto privilege = access == Access::execute ? state_.privilege : data_privilege();
  if (!translate(address, access, privilege, physical)) return false;
  return pmp.allows(physical, bytes, access, privilege) || fail(access_fault(access), address);
}

bool Mmu::load(std::uint64_t address, unsigned bytes, std::uint64_t& value) {
  if (!crosses_page(address, bytes)) {
    if (!load_within_page(address, bytes, value)) return false;
  } else {
    const auto first = static_cast<unsigned>(page_bytes - (address & (page_bytes - 1)));
    std::uint64_t low = 0, high = 0;
    if (!load_within_page(address, first, low) || !load_within_page(address + first, bytes - first, high))
      return false;
    value = low | high << 8 * first;
  }
  if (!watches_.empty()) check_watches(address, bytes, false);
  return true;
}

bool Mmu::load_within_page(std::uint64_t address, unsigned bytes, std::uint64_t& value) {
  std::uint64_t physical = 0;
  if (!access(address, bytes, Access::read, physical)) return false;
  value = 0;
  const auto page = this->page(physical);
  if (page.readable) {
    std::memcpy(&value, page.host + (physical & (page_bytes - 1)), bytes);
    remember(read_tlb(data_context()), address, physical, page.host);
    return true;
  }
  for (unsigned done = 0; done < bytes;) {
    const auto part = piece(physical + done, bytes - done);
    std::uint64_t data = 0;
    if (!bus_read(physical + done, &data, part)) return fail(Cause::load_fault, address + done);
    value |= data << 8 * done;
    done += part;
  }
  return true;
}

bool Mmu::store(std::uint64_t address, unsigned bytes, std::uint64_t value) {
  if (!crosses_page(address, bytes)) {
    if (!store_within_page(address, bytes, value)) return false;
  } else {
    const auto first = static_cast<unsigned>(page_bytes - (address & (page_bytes - 1)));
    std::uint64_t physical = 0;  // both pages are checked before either is written
    if (!access(address, first, Access::write, physical) ||
        !access(address + first, bytes - first, Access::write, physical))
      return false;
    if (!store_within_page(address, first, value) ||
        !store_within_page(address + first, bytes - first, value >> 8 * first))
      return false;
  }
  if (!watches_.empty()) check_watches(address, bytes, true);
  return true;
}

bool Mmu::store_within_page(std::uint64_t address, unsigned bytes, std::uint64_t value) {
  std::uint64_t physical = 0;
  if (!access(address, bytes, Access::write, physical)) return false;
  const auto page = this->page(physical);
  if (page.writable) {
    auto* const here = page.host + (physical & (page_bytes - 1));
    std::memcpy(here, &value, bytes);
    wrote(here, bytes);
    const bool holds_reservation = reservation_.host != nullptr &&
                                   reservation_.host - page.host < static_cast<std::ptrdiff_t>(page_bytes) &&
                                   reservation_.host >= page.host;
    if (!holds_reservation) remember(write_tlb(data_context()), address, physical, page.host);
    return true;
  }
  for (unsigned done = 0; done < bytes;) {
    const auto part = piece(physical + done, bytes - done);
    const auto data = value >> 8 * done;
    if (!bus_write(physical + done, &data, part)) return fail(Cause::store_fault, address + done);
    done += part;
  }
  return true;
}

bool Mmu::fetch(std::uint64_t address, unsigned bytes, std::uint32_t& value) {
  std::uint64_t physical = 0;
  if (!access(address, bytes, Access::execute, physical)) return false;
  value = 0;
  if (const auto page = this->page(physical); page.readable) {
    std::memcpy(&value, page.host + (physical & (page_bytes - 1)), bytes);
    return true;
  }
  return bus_fetch(physical, &value, bytes) || fail(Cause::fetch_fault, address);
}

bool Mmu::may_fetch(std::uint64_t address, std::uint64_t physical) {
  return pmp.allows(physical, 2, Access::execute, state_.privilege) || fail(Cause::fetch_fault, address);
}

unsigned char* Mmu::atomic(std::uint64_t address, unsigned bytes, Access access) {
  const bool load = access == Access::read;
  if (address % bytes != 0) {
    fail(load ? Cause::load_misaligned : Cause::store_misaligned, address);
    return nullptr;
  }
  std::uint64_t physical = 0;
  if (!this->access(address, bytes, access, physical)) return nullptr;
  const auto page = this->page(physical);
  if (!page.readable || (!load && !page.writable)) {
    fail(access_fault(access), address);
    return nullptr;
  }
  if (!watches_.empty()) check_watches(address, bytes, !load);
  return page.host + (physical & (page_bytes - 1));
}

void Mmu::reserve(std::uint64_t address, const unsigned char* host) {
  host -= address & 7;
  reservation_ = {host, address & ~std::uint64_t{7}, 0};
  std::memcpy(&reservation_.value, host, 8);
  // From here on, stores to this page have to be seen.
  const auto page = reinterpret_cast<std::uintptr_t>(host) - (reservation_.address & (page_bytes - 1));
  for (auto& tlb : write_tlb_)
    for (auto& entry : tlb)
      if (entry.tag + entry.offset == page && entry.tag != TlbEntry::invalid) entry = {};
}

bool Mmu::reserved(std::uint64_t address, const unsigned char* host) const {
  if (reservation_.host == nullptr || reservation_.host != host - (address & 7)) return false;
  return std::memcmp(reservation_.host, &reservation_.value, 8) == 0;
}

void Mmu::wrote(const unsigned char* host, unsigned bytes) {
  if (reservation_.host != nullptr && host < reservation_.host + 8 && host + bytes > reservation_.host)
    end_reservation();
}

void Mmu::remember(Tlb& tlb, std::uint64_t address, std::uint64_t physical, const unsigned char* host) {
  if (watched_page(address) || !pmp.uniform(page_of(physical))) return;
  tlb[tlb_index(address)] = {page_of(address), reinterpret_cast<std::uintptr_t>(host) - page_of(address)};
}

HartBus::Page Mmu::page(std::uint64_t physical) {
  const HostFloatPause pause(state_);
  return bus_.page(page_of(physical));
}

bool Mmu::bus_read(std::uint64_t physical, void* data, unsigned bytes) {
  const HostFloatPause pause(state_);
  return bus_.read(physical, data, bytes);
}

bool Mmu::bus_fetch(std::uint64_t physical, void* data, unsigned bytes) {
  const HostFloatPause pause(state_);
  return bus_.fetch(physical, data, bytes);
}

bool Mmu::bus_write(std::uint64_t physical, const void* data, unsigned bytes) {
  const HostFloatPause pause(state_);
  return bus_.write(physical, data, bytes);
}

void Mmu::set_watches(std::vector<Watch> watches) {
  watches_ = std::move(watches);
  flush();
}

bool Mmu::watched_page(std::uint64_t address) const {
  return std::any_of(watches_.begin(), watches_.end(), [&](const Watch& watch) {
    return page_of(watch.address) <= page_of(address) &&
           page_of(address) <= page_of(watch.address + watch.length - 1);
  });
}

void Mmu::check_watches(std::uint64_t address, unsigned bytes, bool write) {
  for (const auto& watch : watches_) {
    if (watch.kind == (write ? WatchKind::read : WatchKind::write)) continue;
    if (address >= watch.address + watch.length || watch.address >= address + bytes) continue;
    hit_ = true;
    hit_address_ = std::max(address, watch.address);
    hit_kind_ = watch.kind;
  }
}

bool Mmu::take_watch_hit(std::uint64_t& address, WatchKind& kind) {
  address = hit_address_;
  kind = hit_kind_;
  return std::exchange(hit_, false);
}

}  // namespace forerun::ip::riscv
