// SPDX-License-Identifier: Apache-2.0
/// Which memory ports hold what a cluster alone reads: those that are near it, so that streams of weights
/// share no links of the network and no channels of the memory.
#pragma once

#include <cstdint>
#include <vector>

#include "models/compiler/split.hpp"
#include "platform/chip/chip.hpp"

namespace forerun::models {

/// The memory behind some neighbouring ports: each has a piece of contiguous bytes, `width` of them `step`
/// bytes apart are a round, the next round begins `stride` bytes on. A block of bytes lies in as few rounds
/// as it needs, in equal parts, each at the beginning of a piece: so all ports give as much, and one strided
/// copy loads it. When the ports are all that there are, the lane is linear and a block is one part.
struct Lane {
  std::uint64_t base = 0;   ///< global address of the first piece
  std::uint64_t piece = 0;  ///< hbm.interleave
  std::uint64_t width = 1, stride = 0, step = 0;
  static constexpr std::uint64_t alignment = 64;  ///< of parts

  bool linear() const { return piece * width == stride; }
  /// Pieces that a block takes of each port.
  std::uint64_t rounds(std::uint64_t bytes) const { return linear() ? 1 : divide_up(bytes, piece * width); }
  std::uint64_t parts(std::uint64_t bytes) const { return linear() ? 1 : rounds(bytes) * width; }
  std::uint64_t part_bytes(std::uint64_t bytes) const {
    return round_up(divide_up(bytes, parts(bytes)), alignment);
  }
  /// Room that a block takes in a scratchpad.
  std::uint64_t padded(std::uint64_t bytes) const { return parts(bytes) * part_bytes(bytes); }
  /// From the address of a block to that of its part `i`.
  std::uint64_t part_offset(std::uint64_t i) const { return i / width * stride + i % width * step; }
  /// From the address of a block to that of the next.
  std::uint64_t advance(std::uint64_t bytes) const {
    return linear() ? part_bytes(bytes) : rounds(bytes) * stride;
  }
  /// What a scratchpad's room for a block of up to `bytes` is rounded down to, so that all its parts fit.
  std::uint64_t granule(std::uint64_t bytes) const {
    return linear() ? 1 : bytes >= piece * width ? piece * width : alignment * width;
  }
};

/// For each of the first `clusters` clusters the group of ports that it shares with as few others as can be:
/// as many groups as divide both ports and clusters, each given to the clusters that are nearest by hops in
/// the grid. The ports of a group follow one another as memory goes round them, or are neighbours in one
/// stack, whichever makes fewer hops.
struct Lanes {
  std::uint32_t groups = 1;
  Lane first;                             ///< of the first group, but for its base
  std::vector<std::uint32_t> group_of;    ///< by cluster
  std::vector<std::uint32_t> first_port;  ///< by group
  std::uint32_t port_step = 1;            ///< from a port of a group to the next
  std::vector<chip::Tile> port_at;        ///< in the order in which memory goes round them
  const chip::Tile& port(std::uint32_t group, std::uint64_t i) const {
    return port_at[first_port[group] + i * port_step];
  }
  /// Of a group, whose first round of pieces is in the round of all ports at `base`.
  Lane lane(std::uint32_t group, std::uint64_t base) const {
    auto lane = first;
    lane.base = base + first_port[group] * first.piece;
    return lane;
  }
};
Lanes make_lanes(const chip::Chip& chip, std::uint32_t clusters);

}  // namespace forerun::models
