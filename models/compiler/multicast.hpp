// SPDX-License-Identifier: Apache-2.0
/// The window of the network by which clusters that work together send the same bytes to all of them.
#pragma once

#include <cstdint>
#include <optional>

#include "firmware/abi/command.h"
#include "platform/chip/chip.hpp"

namespace forerun::models {

/// Global addresses of a window of noc.multicast: writes reach the same offset in all its clusters.
struct Everyone {
  std::uint64_t scratchpads = 0, registers = 0;
};

/// A window of just the first `clusters` clusters, if the chip has one and there are several.
std::optional<Everyone> window_of_all(const chip::Chip& chip, std::uint32_t clusters);

/// Adds 1 to a semaphore of all its clusters, the one that posts among them.
fr_post post_to(const Everyone& everyone, std::uint8_t semaphore);

}  // namespace forerun::models
