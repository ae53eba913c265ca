// SPDX-License-Identifier: Apache-2.0
/// Which memory ports hold what a cluster alone reads: those that are near it, so that streams of weights
/// share no links of the network and no channels of the memory.
#pragma once

#include <cstdint>
#include <vector>

#include "models/compiler/split.hpp"
#include "platform/chip/chip.hpp"

namespace forerun::models {

/// The pieces of memory behind neighbouring ports: `run` contiguous bytes, then the next run `stride` bytes
/// on. A block of bytes lies in as few runs as it needs, in equal parts, each at the beginning of a run: so
/// one strided copy loads it. When the ports are all that there are, the lane is linear and a block is one
/// part.
struct Lane {
  std::uint64_t base = 0;  ///< global address of the first run
  std::uint64_t run = 0, stride = 0;
  static constexpr std::uint64_t alignment = 64;  ///< of parts

  bool linear() const { return run == stride; }
  std::uint64_t parts(std::uint64_t bytes) const { return linear() ? 1 : divide_up(bytes, run); }
  std::uint64_t part_bytes(std::uint64_t bytes) const {
    return round_up(divide_up(bytes, parts(bytes)), alignment);
  }
  /// What a block takes of a scratchpad: its parts one after another.
  std::uint64_t loaded_bytes(std::uint64_t bytes) const { return parts(bytes) * part_bytes(bytes); }
  /// From the address of a block to that of the next.
  std::uint64_t advance(std::uint64_t bytes) const {
    return linear() ? part_bytes(bytes) : parts(bytes) * stride;
  }
};

/// For each of the first `clusters` clusters the group of ports that it shares with as few others as can be:
/// as many groups as divide both ports and clusters, of consecutive ports, each given to the clusters that
/// are nearest by hops in the grid.
struct Lanes {
  std::uint32_t groups = 1;
  std::uint64_t run = 0, stride = 0;
  std::vector<std::uint32_t> group_of;  ///< by cluster
};
Lanes make_lanes(const chip::Chip& chip, std::uint32_t clusters);

}  // namespace forerun::models
