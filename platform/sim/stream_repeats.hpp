// SPDX-License-Identifier: Apache-2.0
/// What comes again and again in a command stream: rows of equal tiles, and loops over equal sequences.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace forerun::sim {

/// Units (tiles of a projection, sequences of a loop) of which each takes as long as the one before once they
/// are well under way. The first are carried out, then those up to the last may be left out.
struct StreamRepeat {
  std::uint32_t tag = 0;     ///< of the operator
  std::uint32_t number = 0;  ///< among those of its tag
  /// A command of a unit and how often it has begun before, in one pass. Between moments[0] and moments[1],
  /// and between that and moments[2], lie `counted` units each; moments[3] is in the last unit.
  struct Moment {
    std::uint64_t offset = 0;  ///< in the stream
    unsigned visit = 0;
  };
  std::array<Moment, 4> moments;
  unsigned counted = 0;
  unsigned left_out = 0;  ///< units
  std::uint64_t at = 0;   ///< a row: here the stream goes on `to`; a loop: where its body begins
  std::uint64_t to = 0;
  std::int64_t iterations =
      0;  ///< of a loop: so many are carried out, the last one of all among them; a row: 0
};

/// Those of a stream that are long enough to leave something out. `sequences`: iterations of loops over the
/// chunks of a step, if all do the same; else 0.
std::vector<StreamRepeat> find_repeats(std::span<const unsigned char> stream, unsigned sequences);

/// Byte offsets of the bodies of the loops over layers: one, or of a program with steps of many tokens two.
std::vector<std::uint64_t> layer_loops(std::span<const unsigned char> stream);
/// Layers that come before those, in a loop of their own: of another kind.
std::uint64_t layers_before(std::span<const unsigned char> stream);

}  // namespace forerun::sim
