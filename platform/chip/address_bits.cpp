// SPDX-License-Identifier: Apache-2.0
#include "platform/chip/address_bits.hpp"

#include <fmt/format.h>

#include <bit>

#include "platform/chip/names.hpp"

namespace forerun::chip {
namespace {

constexpr std::string_view map_key = "hbm.address_map", hash_key = "hbm.address_hash";

constexpr std::size_t number(AddressField field) { return static_cast<std::size_t>(field); }

std::string bits(unsigned count) { return fmt::format("{} bit{}", count, count == 1 ? "" : "s"); }

/// Names of the bits of a set such as "bank[0], row[3]".
using BitNames = std::vector<std::string>;

/// Throws if the masks are linearly dependent over GF(2): then two places are one, and some are none.
/// The message names the bits whose masks cancel.
void expect_independent(std::vector<std::uint64_t> masks, const BitNames& names) {
  // Beside each mask goes the set of given masks that it is the sum of.
  std::vector<std::uint64_t> sums(masks.size());
  for (std::size_t i = 0; i < masks.size(); ++i) sums[i] = std::uint64_t{1} << i;
  for (std::size_t i = 0; i < masks.size(); ++i) {
    if (masks[i] == 0) {
      BitNames cancelled;
      for (std::size_t j = 0; j < names.size(); ++j)
        if ((sums[i] >> j & 1) != 0) cancelled.push_back(names[j]);
      throw AddressMapError(
          hash_key,
          fmt::format("hbm.address_hash: different addresses would share a place, because {} is always 0",
                      fmt::join(cancelled, " XOR ")));
    }
    const auto pivot = std::uint64_t{1} << (std::bit_width(masks[i]) - 1);
    for (std::size_t j = i + 1; j < masks.size(); ++j)
      if ((masks[j] & pivot) != 0) masks[j] ^= masks[i], sums[j] ^= sums[i];
  }
}

}  // namespace

unsigned address_bits(const Hbm& h, AddressField field) {
  const auto log2 = [](std::uint64_t n) { return static_cast<unsigned>(std::bit_width(n)) - 1; };
  switch (field) {
    case AddressField::burst:
      return log2(h.burst_bytes.count);
    case AddressField::column:
      return log2(h.row_bytes.count / h.burst_bytes.count);
    case AddressField::channel:
      return log2(h.channels);
    case AddressField::pseudo_channel:
      return log2(h.pseudo_channels);
    case AddressField::rank:
      return log2(h.ranks);
    case AddressField::bank_group:
      return log2(h.bank_groups);
    case AddressField::bank:
      return log2(h.banks_per_group);
    case AddressField::row:
      return log2(h.rows);
  }
  return 0;
}

AddressMasks address_masks(const Hbm& h) {
  AddressMasks masks;
  unsigned at = 0;
  if (h.address_map.empty() || h.address_map.front() != AddressPiece{AddressField::burst})
    throw AddressMapError(map_key, "hbm.address_map does not begin with burst");
  for (const auto& piece : h.address_map) {
    auto& field = masks[number(piece.field)];
    const auto all = address_bits(h, piece.field), placed = static_cast<unsigned>(field.size());
    if (piece.width > all - placed)
      throw AddressMapError(
          map_key,
          fmt::format("hbm.address_map: {0}:{1} is more than the {2} that {0} has{3}", name(piece.field),
                      piece.width, bits(all - placed), placed == 0 ? "" : " left"));
    for (auto left = piece.width == 0 ? all - placed : piece.width; left > 0; --left)
      field.push_back(std::uint64_t{1} << at++);
  }
  for (std::size_t i = 0; i < address_fields; ++i)
    if (const auto needed = address_bits(h, static_cast<AddressField>(i)); masks[i].size() != needed)
      throw AddressMapError(map_key, fmt::format("hbm.address_map places {} of the {} of {}", masks[i].size(),
                                                 bits(needed), Names<AddressField>::all[i]));

  const auto burst = h.burst_bytes.count - 1,
             stack = at < 64 ? (std::uint64_t{1} << at) - 1 : ~std::uint64_t{0};
  for (const auto& hash : h.address_hash) {
    auto& field = masks[number(hash.field)];
    if (hash.masks.size() > field.size())
      throw AddressMapError(hash_key,
                            fmt::format("hbm.address_hash: {} masks for {}, which has {}", hash.masks.size(),
                                        name(hash.field), bits(static_cast<unsigned>(field.size()))));
    for (std::size_t i = 0; i < hash.masks.size(); ++i) {
      const auto mask = hash.masks[i];
      if ((mask & burst) != 0)
        throw AddressMapError(
            hash_key, fmt::format("hbm.address_hash: mask {:#x} of {} has bits of the place in a burst; the "
                                  "lowest that may be used is {:#x}",
                                  mask, name(hash.field), burst + 1));
      if ((mask & ~stack) != 0)
        throw AddressMapError(hash_key,
                              fmt::format("hbm.address_hash: mask {:#x} of {} is beyond a stack, which has "
                                          "{} of address",
                                          mask, name(hash.field), bits(at)));
      field[i] ^= mask;
    }
  }
  if (h.address_hash.empty()) return masks;  // each address bit went to one place

  std::vector<std::uint64_t> all;
  BitNames names;
  for (std::size_t i = 0; i < address_fields; ++i)
    for (std::size_t bit = 0; bit < masks[i].size(); ++bit) {
      all.push_back(masks[i][bit]);
      names.push_back(fmt::format("{}[{}]", Names<AddressField>::all[i], bit));
    }
  expect_independent(std::move(all), names);
  return masks;
}

}  // namespace forerun::chip
