// SPDX-License-Identifier: Apache-2.0
#include "ip/cpu/pmp.hpp"

#include <bit>

namespace forerun::ip::riscv {
namespace {
constexpr std::uint8_t readable = 1, writable = 2, executable = 4, mode = 0x18, lock = 0x80,
                       implemented = 0x9f;
constexpr std::uint8_t top_of_range = 0x08, four_bytes = 0x10, power_of_two = 0x18;
constexpr std::uint64_t address_bits = (std::uint64_t{1} << 54) - 1;
}  // namespace

std::uint64_t Pmp::config(unsigned index) const {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < 8; ++i) value |= std::uint64_t{config_[index * 8 + i]} << 8 * i;
  return value;
}

void Pmp::set_config(unsigned index, std::uint64_t value) {
  for (unsigned i = 0; i < 8; ++i) {
    const auto entry = index * 8 + i;
    if (entry >= entries_ || (config_[entry] & lock) != 0) continue;
    auto byte = static_cast<std::uint8_t>(value >> 8 * i & implemented);
    if ((byte & (readable | writable)) == writable)
      byte = static_cast<std::uint8_t>(byte & ~(readable | writable));  // reserved
    config_[entry] = byte;
  }
  update_ranges();
}

void Pmp::set_address(unsigned entry, std::uint64_t value) {
  if (entry >= entries_ || (config_[entry] & lock) != 0) return;
  const bool next_locks =
      entry + 1 < entries_ && (config_[entry + 1] & (lock | mode)) == (lock | top_of_range);
  if (next_locks) return;
  address_[entry] = value & address_bits;
  update_ranges();
}

void Pmp::update_ranges() {
  any_ = false;
  for (unsigned i = 0; i < entries_; ++i) {
    const auto address = address_[i];
    switch (config_[i] & mode) {
      case top_of_range: {
        const auto from = i == 0 ? 0 : address_[i - 1];
        ranges_[i] = from < address ? Range{from << 2, (address << 2) - 1} : Range{};
        break;
      }
      case four_bytes:
        ranges_[i] = {address << 2, (address << 2) + 3};
        break;
      case power_of_two: {
        const auto ones = static_cast<unsigned>(std::countr_one(address));
        const auto size = std::uint64_t{8} << ones;
        const auto from = (address >> ones << ones) << 2;
        ranges_[i] = {from, from + size - 1};
        break;
      }
      default:
        ranges_[i] = {};
        break;
    }
    any_ = any_ || (config_[i] & mode) != 0;
  }
}

bool Pmp::allows(std::uint64_t address, std::uint64_t bytes, Access access, Privilege privilege) const {
  const bool machine = privilege == Privilege::machine;
  if (!any_) return machine || entries_ == 0;
  const auto last = address + bytes - 1;
  for (unsigned i = 0; i < entries_; ++i) {
    const auto& range = ranges_[i];
    if (last < range.first || address > range.last) continue;
    if (address < range.first || last > range.last) return false;  // an access must match as a whole
    if (machine && (config_[i] & lock) == 0) return true;
    const auto right = access == Access::read ? readable : access == Access::write ? writable : executable;
    return (config_[i] & right) != 0;
  }
  return machine;
}

bool Pmp::uniform(std::uint64_t page_address) const {
  const auto last = page_address + 4095;
  for (unsigned i = 0; i < entries_; ++i) {
    const auto& range = ranges_[i];
    if (range.first > range.last || last < range.first || page_address > range.last) continue;
    return page_address >= range.first && last <= range.last;  // nothing behind it matters
  }
  return true;
}

}  // namespace forerun::ip::riscv
