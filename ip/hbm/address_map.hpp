// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "ip/hbm/parameters.hpp"

namespace forerun::ip::hbm {

/// Where one burst lives.
struct Location {
  unsigned channel = 0;
  unsigned pseudo_channel = 0;  ///< in the channel
  unsigned rank = 0;
  unsigned bank_group = 0;
  unsigned bank = 0;  ///< in the group
  std::uint32_t row = 0, column = 0;
  unsigned flat_bank = 0;  ///< in the channel: pseudo-channel, rank, group, bank, the last counting fastest
};

/// Masks of a map of plain bit fields, listed from the lowest bit above the offset in a burst up: {field,
/// number of bits}. A field may be listed more than once, lower bits first.
inline AddressMasks plain_masks(const Parameters& p, std::span<const std::pair<Field, unsigned>> pieces) {
  AddressMasks masks;
  auto bit = static_cast<unsigned>(std::bit_width(p.burst_bytes.count) - 1);
  for (const auto& [field, width] : pieces)
    for (unsigned i = 0; i < width; ++i)
      masks.bits[static_cast<std::size_t>(field)].push_back(std::uint64_t{1} << bit++);
  return masks;
}

/// The same for whole fields: each has as many bits as its size asks for. `order` names every field once.
inline AddressMasks plain_masks(const Parameters& p, const std::array<Field, fields>& order) {
  const auto bits = [](std::uint64_t n) { return static_cast<unsigned>(std::bit_width(n) - 1); };
  std::vector<std::pair<Field, unsigned>> pieces;
  for (const auto field : order) {
    unsigned width = 0;
    switch (field) {
      case Field::channel:
        width = bits(p.channels);
        break;
      case Field::pseudo_channel:
        width = bits(p.pseudo_channels);
        break;
      case Field::rank:
        width = bits(p.ranks);
        break;
      case Field::bank_group:
        width = bits(p.bank_groups);
        break;
      case Field::bank:
        width = bits(p.banks_per_group);
        break;
      case Field::row:
        width = bits(p.rows);
        break;
      case Field::column:
        width = bits(p.row_bytes.count / p.burst_bytes.count);
        break;
    }
    pieces.emplace_back(field, width);
  }
  return plain_masks(p, pieces);
}

/// The map of a Parameters without masks: pieces of `interleave` go round channels, pseudo-channels, bank
/// groups and banks.
inline AddressMasks default_masks(const Parameters& p) {
  const auto bits = [](std::uint64_t n) { return static_cast<unsigned>(std::bit_width(n) - 1); };
  const auto column = bits(p.row_bytes.count / p.burst_bytes.count);
  const auto low =
      std::min(column, bits(std::max<std::uint64_t>(1, p.interleave.count / p.burst_bytes.count)));
  const std::pair<Field, unsigned> pieces[] = {{Field::column, low},
                                               {Field::channel, bits(p.channels)},
                                               {Field::pseudo_channel, bits(p.pseudo_channels)},
                                               {Field::bank_group, bits(p.bank_groups)},
                                               {Field::bank, bits(p.banks_per_group)},
                                               {Field::column, column - low},
                                               {Field::rank, bits(p.ranks)},
                                               {Field::row, bits(p.rows)}};
  return plain_masks(p, pieces);
}

/// Cuts an address within one stack into fields. A map of parities is linear: the place of an address is the
/// exclusive or of the places of its bytes, which are looked up, so that a hashed map costs no more than a
/// plain one.
class AddressMap {
 public:
  /// The fields of a burst in one word: the exclusive or of two of them is that of their addresses.
  struct Place {
    std::uint64_t word = 0;
    std::uint32_t row() const { return static_cast<std::uint32_t>(word >> 32); }
    std::uint32_t column() const { return static_cast<std::uint32_t>(word >> 16 & 0xffff); }
    unsigned unit() const {
      return static_cast<unsigned>(word & 0xffff);
    }  ///< channel * banks per channel + flat bank
    bool operator==(const Place&) const = default;
    Place operator^(const Place& other) const { return {word ^ other.word}; }
  };

  explicit AddressMap(const Parameters& p) : parameters_(p) {
    const auto bits = [](std::uint64_t n) { return static_cast<unsigned>(std::bit_width(n) - 1); };
    AddressMasks masks = p.address;
    bool given = false;
    for (const auto& field : masks.bits) given = given || !field.empty();
    if (!given) masks = default_masks(p);
    bank_bits_ = bits(p.banks_per_group), group_bits_ = bits(p.bank_groups), rank_bits_ = bits(p.ranks);
    pseudo_bits_ = bits(p.pseudo_channels);
    std::array<unsigned, fields> shift{};
    const auto at = [&](Field field) -> unsigned& { return shift[static_cast<std::size_t>(field)]; };
    at(Field::bank_group) = bank_bits_;
    at(Field::rank) = bank_bits_ + group_bits_;
    at(Field::pseudo_channel) = at(Field::rank) + rank_bits_;
    at(Field::channel) = at(Field::pseudo_channel) + pseudo_bits_;
    for (unsigned byte = 0; byte < bytes; ++byte)
      for (unsigned value = 0; value < 256; ++value) {
        const auto address = std::uint64_t{value} << 8 * byte;
        Place place;
        for (unsigned f = 0; f < fields; ++f) {
          std::uint64_t number = 0;
          for (std::size_t i = 0; i < masks.bits[f].size(); ++i)
            number |= std::uint64_t(std::popcount(address & masks.bits[f][i]) & 1) << i;
          place.word |= number << (static_cast<Field>(f) == Field::row      ? 32
                                   : static_cast<Field>(f) == Field::column ? 16
                                                                            : shift[f]);
        }
        table_[byte][value] = place;
      }
  }

  Place place(std::uint64_t address) const {
    Place sum;
    for (unsigned byte = 0; byte < bytes; ++byte) sum = sum ^ table_[byte][address >> 8 * byte & 0xff];
    return sum;
  }
  unsigned banks_per_channel() const { return 1u << (bank_bits_ + group_bits_ + rank_bits_ + pseudo_bits_); }

  Location locate(std::uint64_t address) const {
    const auto p = place(address);
    const auto cut = [unit = p.unit()](unsigned shift, unsigned width) {
      return unit >> shift & ((1u << width) - 1);
    };
    Location l;
    l.bank = cut(0, bank_bits_);
    l.bank_group = cut(bank_bits_, group_bits_);
    l.rank = cut(bank_bits_ + group_bits_, rank_bits_);
    l.pseudo_channel = cut(bank_bits_ + group_bits_ + rank_bits_, pseudo_bits_);
    l.channel = p.unit() / banks_per_channel();
    l.flat_bank = p.unit() % banks_per_channel();
    l.row = p.row();
    l.column = p.column();
    return l;
  }

  /// From an offset in the range that all stacks share to one in this stack.
  std::uint64_t within_stack(std::uint64_t offset) const {
    if (parameters_.stacks == 1) return offset;
    const auto piece = parameters_.interleave.count;
    return offset / (piece * parameters_.stacks) * piece + offset % piece;
  }

 private:
  static constexpr unsigned bytes = 6;  // a stack holds at most 256 TiB
  Parameters parameters_;
  unsigned bank_bits_ = 0, group_bits_ = 0, rank_bits_ = 0, pseudo_bits_ = 0;
  std::array<std::array<Place, 256>, bytes> table_{};
};

}  // namespace forerun::ip::hbm
