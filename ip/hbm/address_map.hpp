// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>

#include "ip/hbm/parameters.hpp"

namespace forerun::ip::hbm {

/// Where one burst lives. `controller` counts pseudo-channels through the stack, `bank` through bank groups.
struct Location {
  unsigned controller = 0, bank_group = 0, bank = 0;
  std::uint32_t row = 0, column = 0;
};

/// Cuts an address within one stack into fields; a bijection when every size is a power of two.
class AddressMap {
 public:
  explicit AddressMap(const Parameters& p) : parameters_(p) {
    const auto bits = [](std::uint64_t n) { return static_cast<unsigned>(std::bit_width(n) - 1); };
    const unsigned column = bits(p.row_bytes.count / p.burst_bytes.count);
    low_column_ = bits(p.interleave.count / p.burst_bytes.count);
    if (low_column_ > column) low_column_ = column;
    const bool split = p.address_map.size() > 1 && p.address_map[1] == Field::column;
    if (!split) low_column_ = 0;
    unsigned shift = 0;
    for (const auto field : p.address_map) {
      unsigned width = 0;
      switch (field) {
        case Field::burst: width = bits(p.burst_bytes.count); break;
        case Field::column: width = split ? low_column_ : column; break;
        case Field::channel: width = bits(p.channels); break;
        case Field::pseudo_channel: width = bits(p.pseudo_channels); break;
        case Field::bank_group: width = bits(p.bank_groups); break;
        case Field::bank: width = bits(p.banks_per_group); break;
        case Field::row: width = bits(p.rows); break;
      }
      if (field == Field::row && split) {  // the rest of the columns lies below the row
        high_column_shift_ = shift;
        high_column_width_ = column - low_column_;
        shift += high_column_width_;
      }
      shift_[static_cast<unsigned>(field)] = shift;
      width_[static_cast<unsigned>(field)] = width;
      shift += width;
    }
  }

  Location locate(std::uint64_t address) const {
    const auto get = [&](Field field) {
      const auto i = static_cast<unsigned>(field);
      return static_cast<std::uint32_t>(address >> shift_[i] & ((std::uint64_t{1} << width_[i]) - 1));
    };
    Location l;
    l.controller = get(Field::channel) * parameters_.pseudo_channels + get(Field::pseudo_channel);
    l.bank_group = get(Field::bank_group);
    l.bank = l.bank_group * parameters_.banks_per_group + get(Field::bank);
    l.row = get(Field::row);
    const auto high = static_cast<std::uint32_t>(address >> high_column_shift_ & ((std::uint64_t{1} << high_column_width_) - 1));
    l.column = get(Field::column) | high << low_column_;
    return l;
  }

  /// From an offset in the range that all stacks share to one in this stack.
  std::uint64_t within_stack(std::uint64_t offset) const {
    if (parameters_.stacks == 1) return offset;
    const auto piece = parameters_.interleave.count;
    return offset / (piece * parameters_.stacks) * piece + offset % piece;
  }

 private:
  Parameters parameters_;
  unsigned low_column_ = 0, high_column_shift_ = 0, high_column_width_ = 0;
  unsigned shift_[7] = {}, width_[7] = {};
};

}  // namespace forerun::ip::hbm
