// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/multicast.hpp"

#include "firmware/abi/registers.h"
#include "platform/chip/address_map.hpp"

namespace forerun::models {

std::optional<Everyone> window_of_all(const chip::Chip& chip, std::uint32_t clusters) {
  namespace map = chip::address_map;
  if (clusters < 2) return std::nullopt;
  for (unsigned i = 0; i < chip.noc.multicast.size(); ++i) {
    const auto& listed = chip.noc.multicast[i].clusters;
    if (listed.empty() ? clusters == chip.clusters.count
                       : listed.size() == clusters && listed.back() == clusters - 1)
      return Everyone{map::multicast(i), map::multicast_registers(i)};
  }
  return std::nullopt;
}

fr_post post_to(const Everyone& everyone, std::uint8_t semaphore) {
  fr_post post{};
  post.address = everyone.registers + FR_CLUSTER_POST;
  post.count = 1;
  post.skip = 0xffffffff;
  post.semaphore = semaphore;
  post.amount = 1;
  return post;
}

}  // namespace forerun::models
