// SPDX-License-Identifier: Apache-2.0
/// Combinations that no chip, or none of our models, can have, where each number by itself is fine.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "platform/chip/chip.hpp"

namespace forerun::chip {

struct Conflict {
  std::vector<std::string_view> keys;  ///< what to change, the likeliest first
  std::string message;                 ///< names the keys and their values
};

/// All conflicts of a chip whose every number keeps its own rule.
std::vector<Conflict> find_conflicts(const Chip& chip);

}  // namespace forerun::chip
