// SPDX-License-Identifier: Apache-2.0
/// Physical memory protection (privileged architecture, chapter 3.7).
#pragma once

#include <array>
#include <cstdint>

#include "ip/cpu/state.hpp"

namespace forerun::ip::riscv {

/// Up to 16 entries, granularity 4 bytes. Registers of absent entries read 0.
class Pmp {
 public:
  explicit Pmp(unsigned entries) : entries_(entries) {}
  void reset() { *this = Pmp(entries_); }

  /// pmpcfg0 and pmpcfg2 by index 0 and 1: eight entries each.
  std::uint64_t config(unsigned index) const;
  void set_config(unsigned index, std::uint64_t value);
  std::uint64_t address(unsigned entry) const { return entry < entries_ ? address_[entry] : 0; }
  void set_address(unsigned entry, std::uint64_t value);

  bool allows(std::uint64_t address, std::uint64_t bytes, Access access, Privilege privilege) const;
  /// True if one answer holds for every byte of the 4 KiB page, so that it may be remembered.
  bool uniform(std::uint64_t page_address) const;

 private:
  static constexpr unsigned max_entries = 16;
  struct Range {
    std::uint64_t first = 1, last = 0;  // inclusive; empty if first > last
  };
  void update_ranges();

  unsigned entries_;
  std::array<std::uint8_t, max_entries> config_{};
  std::array<std::uint64_t, max_entries> address_{};
  std::array<Range, max_entries> ranges_{};
  bool any_ = false;  // an entry is not off
};

}  // namespace forerun::ip::riscv
