// SPDX-License-Identifier: Apache-2.0
#include "platform/soc/memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "platform/chip/address_map.hpp"
#include "platform/soc/parameters.hpp"

namespace forerun::soc {

chip::Tile find_tile(const chip::Grid& grid, chip::TileKind kind, unsigned index) {
  return *std::find_if(grid.tiles.begin(), grid.tiles.end(),
                       [&](const chip::Tile& tile) { return tile.kind == kind && tile.index == index; });
}

std::vector<const ip::Noc::Target*> connect_memory(ip::Noc& noc, const chip::Chip& chip,
                                                   const chip::Grid& grid,
                                                   std::span<const std::unique_ptr<ip::HbmStack>> stacks,
                                                   const BindMemory& bind) {
  return connect_memory(noc, chip, grid,
                        [&](const std::string& name, ip::Noc::Target& target, unsigned stack, unsigned port) {
                          bind(name, target, stacks[stack]->port[port]);
                        });
}

std::uint64_t within_port(const chip::Chip& chip, std::uint64_t offset) {
  const auto piece = chip.hbm.interleave.count;
  const std::uint64_t ports = chip.hbm.stacks * chip.hbm.ports;
  return ports == 1 ? offset : offset / (piece * ports) * piece + offset % piece;
}

unsigned port_of(const chip::Chip& chip, std::uint64_t offset) {
  const std::uint64_t stacks = chip.hbm.stacks, ports = chip.hbm.ports;
  const auto piece = offset / chip.hbm.interleave.count % (stacks * ports);  // port * stacks + stack
  return static_cast<unsigned>(piece % stacks * ports + piece / stacks);
}

std::vector<const ip::Noc::Target*> connect_memory(ip::Noc& noc, const chip::Chip& chip,
                                                   const chip::Grid& grid, const BindPort& bind) {
  const auto ports = chip.hbm.ports;
  std::vector<const ip::Noc::Target*> pieces(chip.hbm.stacks * ports);
  for (unsigned stack = 0; stack < chip.hbm.stacks; ++stack)
    for (unsigned port = 0; port < ports; ++port) {
      const auto tile = find_tile(grid, chip::TileKind::memory, stack * ports + port);
      const auto name = fmt::format("hbm{}.port{}", stack, port);
      auto& target = noc.add_target(name, tile.x, tile.y, noc_endpoint(chip, chip.hbm.clock));
      bind(name, target, stack, port);
      pieces[port * chip.hbm.stacks + stack] = &target;
    }
  noc.map_interleaved(chip::address_map::hbm, chip::memory_size(chip).count, chip.hbm.interleave.count,
                      pieces);
  return pieces;
}

}  // namespace forerun::soc
