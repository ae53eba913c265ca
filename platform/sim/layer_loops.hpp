// SPDX-License-Identifier: Apache-2.0
/// Where a command stream repeats layers, and where its clusters wait for one another.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace forerun::sim {

/// Byte offsets of begin and end of the bodies of the loops over layers: one, or of a program with steps of
/// many tokens two.
std::vector<std::pair<std::uint64_t, std::uint64_t>> layer_bodies(std::span<const unsigned char> stream);

/// Byte offsets of the commands by which a cluster tells as many clusters, itself among them, that it has
/// come so far.
std::vector<std::uint64_t> meetings(std::span<const unsigned char> stream, std::size_t clusters);

/// Layers that come before those, in a loop of their own: of another kind.
std::uint64_t layers_before(std::span<const unsigned char> stream);

}  // namespace forerun::sim
