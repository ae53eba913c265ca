// SPDX-License-Identifier: Apache-2.0
/// The chip's multicast and reduction windows on its network.
#pragma once

#include <span>
#include <vector>

#include "ip/noc/noc.hpp"
#include "platform/chip/chip.hpp"

namespace forerun::soc {

/// Where a cluster is bound to the network. At the target its registers begin at 0, its scratchpad at
/// scratchpad_stride.
struct ClusterPort {
  const ip::Noc::Initiator* initiator;
  const ip::Noc::Target* target;
};

/// Maps window i of noc.multicast at address_map::multicast(i) (scratchpads) and
/// address_map::multicast_registers(i), and of noc.reduction at address_map::reduction(i). `memory` are the
/// targets in the order of connect_memory.
void connect_windows(ip::Noc& noc, const chip::Chip& chip, std::span<const ClusterPort> clusters,
                     const std::vector<const ip::Noc::Target*>& memory);

}  // namespace forerun::soc
