// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/stream_repeats.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <map>
#include <optional>

#include "firmware/abi/command.h"
#include "firmware/abi/program.h"
#include "ip/command/command_processor.hpp"

namespace forerun::sim {
namespace {

// Tiles: the first fill the ring of a scratchpad, of the next the time is taken, of so many bytes at least
// that several refreshes of the memory lie in it.
constexpr std::size_t first_tiles = 20, half_tiles = 8, fewest_tiles_left_out = 16;
constexpr std::uint64_t half_bytes = 2 << 20;
// Sequences: fewer, for each is long.
constexpr unsigned first_sequences = 2, half_sequences = 1, fewest_sequences_left_out = 2;

struct Placed {
  std::uint64_t offset;
  fr_command_header header;
  std::span<const unsigned char> bytes;
  unsigned engine() const { return ip::opcode_info(header.opcode).engine; }
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

/// A LOAD and what follows it up to the next one.
struct Tile {
  std::size_t first, end;  ///< numbers of commands
  std::size_t product;     ///< of the last MATMUL among them
};

/// Equal but for where the products go.
bool equal(const std::vector<Placed>& commands, const Tile& a, const Tile& b) {
  if (a.end - a.first != b.end - b.first) return false;
  for (std::size_t i = 0; i < a.end - a.first; ++i) {
    const auto &one = commands[a.first + i], &other = commands[b.first + i];
    if (one.bytes.size() != other.bytes.size()) return false;
    const bool product = one.header.opcode == FR_OP_MATMUL;
    const auto skip = product ? offsetof(fr_matmul, c) : one.bytes.size();
    const auto behind = product ? skip + sizeof(fr_matmul::c) : skip;
    if (!std::equal(one.bytes.begin(), one.bytes.begin() + static_cast<std::ptrdiff_t>(skip),
                    other.bytes.begin()) ||
        !std::equal(one.bytes.begin() + static_cast<std::ptrdiff_t>(behind), one.bytes.end(),
                    other.bytes.begin() + static_cast<std::ptrdiff_t>(behind)))
      return false;
  }
  return true;
}

/// The tile that begins with this command, if one does.
std::optional<Tile> tile_at(const std::vector<Placed>& commands, std::size_t first) {
  if (commands[first].header.opcode != FR_OP_LOAD) return {};
  Tile tile{first, first + 1, 0};
  for (; tile.end < commands.size(); ++tile.end) {
    const auto& command = commands[tile.end];
    if (command.header.tag != commands[first].header.tag || command.header.opcode == FR_OP_LOAD) break;
    if (command.header.opcode == FR_OP_MATMUL)
      tile.product = tile.end;
    else if (command.header.opcode != FR_OP_SCALAR)
      break;
  }
  if (tile.product == 0) return {};
  return tile;
}

void find_rows(const std::vector<Placed>& commands, std::vector<StreamRepeat>& repeats) {
  for (std::size_t i = 0; i < commands.size();) {
    std::vector<Tile> row;
    while (i < commands.size()) {
      const auto tile = tile_at(commands, i);
      if (!tile || (!row.empty() && !equal(commands, row.front(), *tile))) break;
      row.push_back(*tile);
      i = tile->end;
    }
    if (row.empty()) {
      ++i;
      continue;
    }
    fr_copy load{};
    std::memcpy(&load, commands[row.front().first].bytes.data(), sizeof load);
    const auto bytes = std::uint64_t{load.bytes} * load.size1 * load.size2 * load.size3;
    const auto half = std::max<std::size_t>(half_tiles, half_bytes / std::max<std::uint64_t>(bytes, 1));
    const auto kept = first_tiles + 2 * half + 1, last = row.size() - 1;
    if (row.size() < kept + 1 + fewest_tiles_left_out) continue;
    const auto product = [&](std::size_t tile) {
      return StreamRepeat::Moment{commands[row[tile].product].offset, 0};
    };
    repeats.push_back({.tag = commands[row.front().first].header.tag,
                       .moments = {product(first_tiles), product(first_tiles + half),
                                   product(first_tiles + 2 * half), product(last)},
                       .counted = static_cast<unsigned>(half),
                       .left_out = static_cast<unsigned>(last - kept),
                       .at = commands[row[kept].first].offset,
                       .to = commands[row[last].first].offset});
  }
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

void find_loops(const std::vector<Placed>& commands, unsigned sequences, std::vector<StreamRepeat>& repeats) {
  constexpr auto kept = first_sequences + 2 * half_sequences + 1;
  if (sequences < kept + fewest_sequences_left_out) return;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    if (commands[i].header.opcode != FR_OP_LOOP || !counts_to(commands[i], FR_PARAMETER_CHUNKS)) continue;
    fr_loop loop{};
    std::memcpy(&loop, commands[i].bytes.data(), sizeof loop);
    const auto body = commands[i].offset + commands[i].bytes.size(), end = body + loop.body;
    const Placed* last = nullptr;
    int depth = 0;  // of loops in the body
    for (auto k = i + 1; k < commands.size() && commands[k].offset < end; ++k) {
      const auto opcode = commands[k].header.opcode;
      depth += opcode == FR_OP_LOOP ? 1 : opcode == FR_OP_ENDLOOP ? -1 : 0;
      if (depth == 0 && commands[k].engine() != FR_ENGINE_COMMAND) last = &commands[k];
    }
    if (last == nullptr) continue;
    const auto visit = [&](unsigned number) { return StreamRepeat::Moment{last->offset, number}; };
    repeats.push_back({.tag = last->header.tag,
                       .moments = {visit(first_sequences - 1), visit(first_sequences - 1 + half_sequences),
                                   visit(first_sequences - 1 + 2 * half_sequences), visit(kept - 1)},
                       .counted = half_sequences,
                       .left_out = sequences - kept,
                       .at = body,
                       .iterations = kept});
  }
}

}  // namespace

std::vector<StreamRepeat> find_repeats(std::span<const unsigned char> stream, unsigned sequences) {
  const auto commands = read_commands(stream);
  std::vector<StreamRepeat> repeats;
  find_rows(commands, repeats);
  find_loops(commands, sequences, repeats);
  std::map<std::uint32_t, std::uint32_t> numbers;
  for (auto& repeat : repeats) repeat.number = numbers[repeat.tag]++;
  return repeats;
}

std::vector<std::uint64_t> layer_loops(std::span<const unsigned char> stream) {
  std::vector<std::uint64_t> bodies;
  for (const auto& command : read_commands(stream))
    if (command.header.opcode == FR_OP_LOOP && counts_to(command, FR_PARAMETER_LAYERS))
      bodies.push_back(command.offset + command.bytes.size());
  return bodies;
}

std::uint64_t layers_before(std::span<const unsigned char> stream) {
  for (const auto& command : read_commands(stream)) {
    if (command.header.opcode != FR_OP_LOOP || !counts_to(command, FR_PARAMETER_LAYERS)) continue;
    fr_loop loop{};
    std::memcpy(&loop, command.bytes.data(), sizeof loop);
    return static_cast<std::uint64_t>(std::max<std::int64_t>(0, -loop.count));  // the parameter is added to it
  }
  return 0;
}

}  // namespace forerun::sim
