// SPDX-License-Identifier: Apache-2.0
/// Where the bits of a memory address go: hbm.address_map and hbm.address_hash, worked out.
#pragma once

#include <array>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "platform/chip/chip.hpp"

namespace forerun::chip {

/// For each field its bits from the lowest up, each as the mask of those bits of an address (an offset within
/// a stack) whose parity it is: one bit in a mask for a plain map, several where it is hashed.
using AddressMasks = std::array<std::vector<std::uint64_t>, address_fields>;

/// What is wrong with the map, and which of the two keys says it: "hbm.address_map" or "hbm.address_hash".
struct AddressMapError : std::invalid_argument {
  AddressMapError(std::string_view at_key, const std::string& what) : invalid_argument(what), key(at_key) {}
  std::string_view key;
};

/// Bits of a field that a stack of this shape needs; sizes are powers of two.
unsigned address_bits(const Hbm& hbm, AddressField field);

/// The masks of all fields. They are a bijection between the addresses of a stack and its bytes, and a burst
/// of consecutive, aligned bytes lies in one place. Throws AddressMapError if the keys do not say such a map.
AddressMasks address_masks(const Hbm& hbm);

}  // namespace forerun::chip
