// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/layer_loops.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "firmware/abi/command.h"
#include "firmware/abi/program.h"
#include "platform/chip/address_map.hpp"

namespace forerun::sim {
namespace {

struct Placed {
  std::uint64_t offset;
  fr_command_header header;
  std::span<const unsigned char> bytes;

  template <typename T>
  T as() const {
    T command{};
    std::memcpy(&command, bytes.data(), std::min(sizeof command, bytes.size()));
    return command;
  }
};

std::vector<Placed> read_commands(std::span<const unsigned char> stream) {
  std::vector<Placed> commands;
  for (std::size_t at = 0; at + sizeof(fr_command_header) <= stream.size();) {
    fr_command_header header{};
    std::memcpy(&header, &stream[at], sizeof header);
    const auto bytes = std::max<std::size_t>(8, header.words * 8u);
    commands.push_back({at, header, stream.subspan(at, std::min(bytes, stream.size() - at))});
    at += bytes;
  }
  return commands;
}

/// True if the number of iterations is in that register.
bool counts_to(const Placed& loop, unsigned reg) {
  for (unsigned i = 0; i < loop.header.patches; ++i) {
    fr_patch patch{};
    std::memcpy(&patch, loop.bytes.data() + loop.bytes.size() - (i + 1) * sizeof patch, sizeof patch);
    if (patch.offset == offsetof(fr_loop, count) && patch.reg == reg) return true;
  }
  return false;
}

std::vector<Placed> loops_over_layers(std::span<const unsigned char> stream) {
  auto commands = read_commands(stream);
  std::erase_if(commands, [](const Placed& command) {
    return command.header.opcode != FR_OP_LOOP || !counts_to(command, FR_PARAMETER_LAYERS);
  });
  return commands;
}

}  // namespace

namespace {

/// One by one, or by a window of the network. Programs post by windows of all their clusters only.
bool posts_to(const fr_post& post, std::size_t clusters) {
  namespace map = chip::address_map;
  return post.count == clusters || (post.address >= map::multicast_registers(0) &&
                                    post.address < map::multicast_registers(map::max_windows));
}

}  // namespace

std::vector<std::pair<std::uint64_t, std::uint64_t>> layer_bodies(std::span<const unsigned char> stream) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> bodies;
  for (const auto& loop : loops_over_layers(stream)) {
    const auto begin = loop.offset + loop.bytes.size();
    bodies.emplace_back(begin, begin + loop.as<fr_loop>().body);
  }
  return bodies;
}

std::vector<std::uint64_t> meetings(std::span<const unsigned char> stream, std::size_t clusters) {
  std::vector<std::uint64_t> offsets;
  for (const auto& command : read_commands(stream))
    if (command.header.opcode == FR_OP_POST && posts_to(command.as<fr_post>(), clusters))
      offsets.push_back(command.offset);
  return offsets;
}

std::uint64_t layers_before(std::span<const unsigned char> stream) {
  const auto loops = loops_over_layers(stream);
  if (loops.empty()) return 0;
  // The parameter is added to the count.
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, -loops.front().as<fr_loop>().count));
}

}  // namespace forerun::sim
