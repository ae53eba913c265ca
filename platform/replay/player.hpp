// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>

namespace forerun::replay {

/// How a replay goes on after a cycle.
enum class Status { running = 0, finished = 1, different = 2 };

struct PlaySettings {
  double stall_share = 0;  ///< of the cycles in which the bench holds back VALID or READY, 0 to below 1
  std::uint64_t seed = 1;
  std::uint64_t most = std::numeric_limits<std::uint64_t>::max();  ///< products or transactions to play
  std::uint64_t patience = 100'000;  ///< cycles without progress after which the block counts as stuck
};

}  // namespace forerun::replay
