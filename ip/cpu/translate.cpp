// SPDX-License-Identifier: Apache-2.0
/// Sv39 (privileged architecture, chapter 4.4).
#include "ip/cpu/fields.hpp"
#include "ip/cpu/mmu.hpp"

#include <cstring>

namespace forerun::ip::riscv {
namespace {

constexpr std::uint64_t valid = 1, readable = 2, writable = 4, executable = 8, user = 16, accessed = 64,
                        dirty = 128;
constexpr std::uint64_t number_mask = (std::uint64_t{1} << 44) - 1;
constexpr unsigned levels = 3;

constexpr Cause page_fault(Access access) {
  return access == Access::read    ? Cause::load_page_fault
         : access == Access::write ? Cause::store_page_fault
                                   : Cause::fetch_page_fault;
}
constexpr Cause access_fault(Access access) {
  return access == Access::read    ? Cause::load_fault
         : access == Access::write ? Cause::store_fault
                                   : Cause::fetch_fault;
}

constexpr std::uint64_t table_of(std::uint64_t satp) { return (satp & number_mask) << 12; }
constexpr std::uint64_t index_of(std::uint64_t address, unsigned level) {
  return address >> (12 + 9 * level) & 511;
}
constexpr bool is_leaf(std::uint64_t entry) { return (entry & (readable | writable | executable)) != 0; }
constexpr bool is_usable(std::uint64_t entry) {
  return (entry & valid) != 0 && (entry & (readable | writable)) != writable && entry >> 54 == 0;
}
constexpr std::uint64_t number_of(std::uint64_t entry) { return entry >> 10 & number_mask; }

/// The physical address through a leaf; a large page must be aligned to its size.
constexpr bool through_leaf(std::uint64_t entry, std::uint64_t address, unsigned level,
                            std::uint64_t& physical) {
  const auto low = (std::uint64_t{1} << 9 * level) - 1;
  if ((number_of(entry) & low) != 0) return false;
  physical = (number_of(entry) | (address >> 12 & low)) << 12 | (address & 4095);
  return true;
}

constexpr bool is_canonical(std::uint64_t address) {
  return static_cast<std::uint64_t>(sign_extend(address, 39)) == address;
}
constexpr bool is_on(std::uint64_t satp) { return satp >> 60 == 8; }

}  // namespace

bool Mmu::translate(std::uint64_t address, Access access, Privilege privilege, std::uint64_t& physical) {
  if (privilege == Privilege::machine || !is_on(state_.satp)) {
    physical = address;
    return true;
  }
  ++misses_;
  return walk(address, access, privilege, physical);
}

bool Mmu::walk(std::uint64_t address, Access access, Privilege privilege, std::uint64_t& physical) {
  if (!is_canonical(address)) return fail(page_fault(access), address);
  auto table = table_of(state_.satp);
  for (unsigned level = levels; level-- > 0;) {
    const auto where = table + index_of(address, level) * 8;
    std::uint64_t entry = 0;
    if (!pmp.allows(where, 8, Access::read, Privilege::supervisor) || !read_entry(where, entry))
      return fail(access_fault(access), address);
    if (!is_usable(entry)) return fail(page_fault(access), address);
    if (!is_leaf(entry)) {
      table = number_of(entry) << 12;
      continue;
    }
    if (!leaf_allows(entry, access, privilege) || !through_leaf(entry, address, level, physical))
      return fail(page_fault(access), address);
    const auto marked = entry | accessed | (access == Access::write ? dirty : 0);
    if (marked != entry &&
        (!pmp.allows(where, 8, Access::write, Privilege::supervisor) || !write_entry(where, marked)))
      return fail(access_fault(access), address);
    return true;
  }
  return fail(page_fault(access), address);
}

bool Mmu::leaf_allows(std::uint64_t entry, Access access, Privilege privilege) const {
  const bool of_user = (entry & user) != 0;
  if (privilege == Privilege::user && !of_user) return false;
  if (privilege == Privilege::supervisor && of_user &&
      (access == Access::execute || (state_.mstatus & status::sum) == 0))
    return false;
  switch (access) {
    case Access::read:
      return (entry & (readable | ((state_.mstatus & status::mxr) != 0 ? executable : 0))) != 0;
    case Access::write:
      return (entry & writable) != 0;
    default:
      return (entry & executable) != 0;
  }
}

bool Mmu::read_entry(std::uint64_t physical, std::uint64_t& entry) {
  if (const auto page = this->page(physical); page.readable) {
    std::memcpy(&entry, page.host + (physical & 4095), 8);
    return true;
  }
  return bus_read(physical, &entry, 8);
}

bool Mmu::write_entry(std::uint64_t physical, std::uint64_t entry) {
  if (const auto page = this->page(physical); page.writable) {
    std::memcpy(page.host + (physical & 4095), &entry, 8);
    wrote(page.host + (physical & 4095), 8);
    return true;
  }
  return bus_write(physical, &entry, 8);
}

bool Mmu::debug_translate(std::uint64_t address, std::uint64_t& physical) const {
  physical = address;
  if (data_privilege() == Privilege::machine || !is_on(state_.satp)) return true;
  if (!is_canonical(address)) return false;
  auto table = table_of(state_.satp);
  for (unsigned level = levels; level-- > 0;) {
    std::uint64_t entry = 0;
    if (!bus_.debug_read(table + index_of(address, level) * 8, &entry, 8) || !is_usable(entry)) return false;
    if (is_leaf(entry)) return through_leaf(entry, address, level, physical);
    table = number_of(entry) << 12;
  }
  return false;
}

}  // namespace forerun::ip::riscv
