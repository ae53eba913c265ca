// SPDX-License-Identifier: Apache-2.0
#include "platform/chip/address_bits.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <bit>
#include <random>
#include <set>

namespace forerun::chip {
namespace {

using testing::ElementsAre;
using F = AddressField;

/// 2 channels, 2 pseudo-channels, 2 ranks, 2 groups of 4 banks, 4 rows of 256 B, bursts of 32 B: 32 KiB.
Hbm small() {
  Hbm h;
  h.channels = 2, h.pseudo_channels = 2, h.ranks = 2, h.bank_groups = 2, h.banks_per_group = 4, h.rows = 4;
  h.row_bytes = {256}, h.burst_bytes = {32};
  h.address_map = {{F::burst},  {F::column, 1}, {F::channel}, {F::pseudo_channel}, {F::bank_group}, {F::rank},
                   {F::column}, {F::bank},      {F::row}};
  return h;
}

const std::vector<std::uint64_t>& of(const AddressMasks& masks, F field) {
  return masks[static_cast<std::size_t>(field)];
}

/// Where an address lies: the values of all fields in one number.
std::uint64_t place(const AddressMasks& masks, std::uint64_t address) {
  std::uint64_t value = 0;
  for (const auto& field : masks)
    for (const auto mask : field)
      value = value << 1 | (static_cast<unsigned>(std::popcount(address & mask)) & 1);
  return value;
}

TEST(AddressBits, AreCountedByTheShape) {
  const auto h = small();
  EXPECT_EQ(address_bits(h, F::burst), 5u);
  EXPECT_EQ(address_bits(h, F::column), 3u);
  EXPECT_EQ(address_bits(h, F::bank), 2u);
  EXPECT_EQ(address_bits(h, F::row), 2u);
  EXPECT_EQ(address_bits(Hbm{}, F::rank), 0u);
}

TEST(AddressBits, GoFromTheLowestUp) {
  const auto masks = address_masks(small());
  EXPECT_THAT(of(masks, F::burst), ElementsAre(1, 2, 4, 8, 16));
  EXPECT_THAT(of(masks, F::column), ElementsAre(1u << 5, 1u << 10, 1u << 11)) << "in two pieces";
  EXPECT_THAT(of(masks, F::channel), ElementsAre(1u << 6));
  EXPECT_THAT(of(masks, F::pseudo_channel), ElementsAre(1u << 7));
  EXPECT_THAT(of(masks, F::bank_group), ElementsAre(1u << 8));
  EXPECT_THAT(of(masks, F::rank), ElementsAre(1u << 9));
  EXPECT_THAT(of(masks, F::bank), ElementsAre(1u << 12, 1u << 13));
  EXPECT_THAT(of(masks, F::row), ElementsAre(1u << 14, 1u << 15));
}

TEST(AddressBits, TakeTheHashOnTop) {
  auto h = small();
  h.address_hash = {{F::bank, {1u << 14, 1u << 15 | 1u << 5}}, {F::channel, {0}}};
  const auto masks = address_masks(h);
  EXPECT_THAT(of(masks, F::bank), ElementsAre(1u << 12 | 1u << 14, 1u << 13 | 1u << 15 | 1u << 5));
  EXPECT_THAT(of(masks, F::channel), ElementsAre(1u << 6));
}

TEST(AddressBits, OfAMapMadeInCppAreChecked) {
  auto h = small();
  h.address_map.erase(h.address_map.begin());
  EXPECT_THROW(address_masks(h), AddressMapError);
  h.address_map.clear();
  EXPECT_THROW(address_masks(h), AddressMapError);
}

TEST(AddressBits, AreABijectionExactlyIfTheyAreAccepted) {
  std::mt19937 random(1);
  int good = 0, bad = 0;
  for (int round = 0; round < 400; ++round) {
    auto h = small();
    std::shuffle(h.address_map.begin() + 1, h.address_map.end(), random);
    for (auto& piece : h.address_map)  // the first piece of the column is the short one
      if (piece.field == F::column) piece.width = 0;
    const auto first = std::find_if(h.address_map.begin(), h.address_map.end(),
                                    [](const AddressPiece& piece) { return piece.field == F::column; });
    first->width = 1 + static_cast<unsigned>(random() % 3);
    for (const auto field : {F::bank, F::channel, F::row, F::column}) {
      AddressHash hash{field, {}};
      for (unsigned bit = 0; bit < address_bits(h, field); ++bit) hash.masks.push_back(random() % 0x800 * 32);
      h.address_hash.push_back(hash);
    }
    AddressMasks masks;
    bool accepted = true;
    try {
      masks = address_masks(h);
    } catch (const AddressMapError& error) {
      EXPECT_EQ(error.key, "hbm.address_hash");
      accepted = false;
    }
    (accepted ? good : bad) += 1;
    if (!accepted) {  // the masks again without the check
      const auto hash = std::exchange(h.address_hash, {});
      masks = address_masks(h);
      for (const auto& [field, more] : hash)
        for (std::size_t i = 0; i < more.size(); ++i) masks[static_cast<std::size_t>(field)][i] ^= more[i];
    }
    std::set<std::uint64_t> places;
    for (std::uint64_t address = 0; address < 1u << 16; address += 32) places.insert(place(masks, address));
    EXPECT_EQ(places.size() == 1u << 11, accepted);
  }
  EXPECT_GT(good, 50);
  EXPECT_GT(bad, 50);
}

}  // namespace
}  // namespace forerun::chip
