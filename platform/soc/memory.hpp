// SPDX-License-Identifier: Apache-2.0
/// How memory hangs on the network.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ip/hbm/hbm_stack.hpp"
#include "ip/noc/noc.hpp"
#include "platform/chip/chip.hpp"

namespace forerun::soc {

/// The place of the one tile of a kind with this number.
chip::Tile find_tile(const chip::Grid& grid, chip::TileKind kind, unsigned index);

/// Binds a port of a stack, "hbm0.port0", to the network's socket for it.
using BindMemory = std::function<void(const std::string& name, ip::Noc::Target&,
                                      tlm_utils::simple_target_socket_tagged<ip::HbmStack>&)>;
inline void bind_directly(const std::string&, ip::Noc::Target& from,
                          tlm_utils::simple_target_socket_tagged<ip::HbmStack>& to) {
  from.bind(to);
}

/// The same for ports that belong to no HbmStack.
using BindPort =
    std::function<void(const std::string& name, ip::Noc::Target&, unsigned stack, unsigned port)>;
std::vector<const ip::Noc::Target*> connect_memory(ip::Noc& noc, const chip::Chip& chip,
                                                   const chip::Grid& grid, const BindPort& bind);

/// The place of a byte of the HBM, at an offset from its begin, in the memory behind its own port.
std::uint64_t within_port(const chip::Chip& chip, std::uint64_t offset);
/// That port: stack * ports + port.
unsigned port_of(const chip::Chip& chip, std::uint64_t offset);

/// Binds every port of every stack to the network at its memory tile, and maps the memory from
/// address_map::hbm on: consecutive pieces of hbm.interleave go to the next stack first, as the stacks
/// expect, and then to the next port. Returns the targets in that order.
std::vector<const ip::Noc::Target*> connect_memory(ip::Noc& noc, const chip::Chip& chip,
                                                   const chip::Grid& grid,
                                                   std::span<const std::unique_ptr<ip::HbmStack>> stacks,
                                                   const BindMemory& bind = bind_directly);

}  // namespace forerun::soc
