// SPDX-License-Identifier: Apache-2.0
#include "platform/soc/windows.hpp"

#include "firmware/abi/registers.h"
#include "platform/chip/address_map.hpp"

namespace forerun::soc {
namespace map = chip::address_map;
namespace {

/// Elements of the chip file and of the network go by the same numbers.
ip::noc::Element element(chip::Element of) { return static_cast<ip::noc::Element>(of); }
static_assert(static_cast<int>(chip::Element::f32) == static_cast<int>(ip::noc::Element::f32) &&
              static_cast<int>(chip::Element::bf16) == static_cast<int>(ip::noc::Element::bf16) &&
              static_cast<int>(chip::Element::f16) == static_cast<int>(ip::noc::Element::f16) &&
              static_cast<int>(chip::Element::i32) == static_cast<int>(ip::noc::Element::i32));

}  // namespace

void connect_windows(ip::Noc& noc, const chip::Chip& chip, std::span<const ClusterPort> clusters,
                     const std::vector<const ip::Noc::Target*>& memory) {
  for (unsigned i = 0; const auto& window : chip.noc.multicast) {
    std::vector<ip::Noc::Member> scratchpads, registers;
    for (const auto cluster : window_clusters(chip, window.clusters)) {
      scratchpads.push_back({clusters[cluster].target, map::scratchpad_stride});
      registers.push_back({clusters[cluster].target, 0});
    }
    noc.map_multicast(map::multicast(i), window_size(chip, window).count, scratchpads);
    noc.map_multicast(map::multicast_registers(i++), FR_CLUSTER_REGISTER_BYTES, registers);
  }
  for (unsigned i = 0; const auto& window : chip.noc.reduction) {
    const auto base = map::reduction(i++), size = window_size(chip, window).count,
               offset = window.offset.count;
    std::vector<const ip::Noc::Initiator*> members;
    for (const auto cluster : window_clusters(chip, window.clusters))
      members.push_back(clusters[cluster].initiator);
    if (window.to_memory)
      noc.map_reduction_interleaved(base, size, offset, chip.hbm.interleave.count, memory, members,
                                    element(window.element));
    else
      noc.map_reduction(base, size, {clusters[window.target].target, map::scratchpad_stride + offset},
                        members, element(window.element));
  }
}

}  // namespace forerun::soc
