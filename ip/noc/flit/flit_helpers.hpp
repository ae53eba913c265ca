// SPDX-License-Identifier: Apache-2.0
/// Small things that the parts of the flit model share.
#pragma once

#include <bit>
#include <cstdint>

#include "ip/noc/topology.hpp"

namespace forerun::ip::noc {

// A flit on its way: the slot of its packet, and whether it is the first or the last of it.
inline constexpr std::uint32_t head_bit = std::uint32_t{1} << 31, tail_bit = std::uint32_t{1} << 30;
inline constexpr std::uint32_t packet_bits = tail_bit - 1;
inline constexpr std::uint32_t failed = none;
inline constexpr std::uint32_t out_of_sight = none - 1;  // nobody to blame

/// Steps from a round-robin pointer to an index.
inline std::uint32_t steps(std::uint32_t index, std::uint32_t pointer, std::uint32_t size) {
  return index >= pointer ? index - pointer : index + size - pointer;
}
/// The first cycle of a rhythm at or after `from`.
inline std::int64_t next_try(std::int64_t tried, std::int64_t rhythm, std::int64_t from) {
  return tried >= from ? tried : tried + (from - tried + rhythm - 1) / rhythm * rhythm;
}
inline std::uint32_t after(std::uint32_t index, std::uint32_t size) {
  return index + 1 == size ? 0 : index + 1;
}
/// The smallest key wins: class, then round robin.
inline std::uint64_t rank(std::uint8_t priority, std::uint32_t distance) {
  return static_cast<std::uint64_t>(255 - priority) << 32 | distance;
}
inline std::uint32_t lowest(std::uint32_t bits) { return static_cast<std::uint32_t>(std::countr_zero(bits)); }
inline std::uint32_t lowest(std::uint64_t bits) { return static_cast<std::uint32_t>(std::countr_zero(bits)); }

}  // namespace forerun::ip::noc
