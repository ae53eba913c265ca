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

/// Tiles: the first are a start, of the next, two halves, the time is taken, and the last goes over to what
/// follows.
struct Sample {
  std::size_t first;         ///< tiles
  std::uint64_t half_bytes;  ///< several refreshes of the memory are to lie in it
};
constexpr Sample once{12, 1 << 20}, in_each_layer{8, 1 << 19};  // the next layer is a sample again
constexpr std::size_t half_tiles = 4, fewest_tiles_left_out = 4;
// Sequences: fewer, for each is long.
constexpr unsigned first_sequences = 1, half_sequences = 1, fewest_sequences_left_out = 2;

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
  std::uint64_t bytes;     ///< that it loads
};

/// Whether what the commands of a tile take from semaphores they give back.
bool balanced(const std::vector<Placed>& commands, const Tile& tile) {
  std::map<unsigned, int> taken;
  for (auto i = tile.first; i < tile.end; ++i)
    for (std::size_t k = 0; k < 2; ++k) {
      const auto &wait = commands[i].header.wait[k], &signal = commands[i].header.signal[k];
      if (wait.semaphore != FR_NO_SEMAPHORE) taken[wait.semaphore] += wait.count;
      if (signal.semaphore != FR_NO_SEMAPHORE) taken[signal.semaphore] -= signal.count;
    }
  return std::all_of(taken.begin(), taken.end(), [](const auto& entry) { return entry.second == 0; });
}

/// The tile that begins with this command, if one does.
std::optional<Tile> tile_at(const std::vector<Placed>& commands, std::size_t first) {
  if (commands[first].header.opcode != FR_OP_LOAD) return {};
  Tile tile{first, first + 1, 0, 0};
  for (; tile.end < commands.size(); ++tile.end) {
    const auto& command = commands[tile.end];
    if (command.header.tag != commands[first].header.tag || command.header.opcode == FR_OP_LOAD) break;
    if (command.header.opcode == FR_OP_MATMUL)
      tile.product = tile.end;
    else if (command.header.opcode != FR_OP_SCALAR)
      break;
  }
  if (tile.product == 0) return {};
  fr_copy load{};
  std::memcpy(&load, commands[first].bytes.data(), sizeof load);
  tile.bytes = std::uint64_t{load.bytes} * load.size1 * load.size2 * load.size3;
  return tile;
}

/// The same commands; a row begins where they become others. Sizes may differ.
bool alike(const std::vector<Placed>& commands, const Tile& a, const Tile& b) {
  if (a.end - a.first != b.end - b.first || commands[a.first].header.tag != commands[b.first].header.tag)
    return false;
  for (std::size_t i = 0; i < a.end - a.first; ++i)
    if (commands[a.first + i].header.opcode != commands[b.first + i].header.opcode) return false;
  return true;
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

/// Offsets at which the bodies of loops over layers begin and end.
std::vector<std::pair<std::uint64_t, std::uint64_t>> layers_of(const std::vector<Placed>& commands) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> bodies;
  for (const auto& command : commands) {
    if (command.header.opcode != FR_OP_LOOP || !counts_to(command, FR_PARAMETER_LAYERS)) continue;
    fr_loop loop{};
    std::memcpy(&loop, command.bytes.data(), sizeof loop);
    const auto begin = command.offset + command.bytes.size();
    bodies.emplace_back(begin, begin + loop.body);
  }
  return bodies;
}

void find_rows(const std::vector<Placed>& commands, std::vector<StreamRepeat>& repeats) {
  const auto layers = layers_of(commands);
  for (std::size_t i = 0; i < commands.size();) {
    std::vector<Tile> row;
    while (i < commands.size()) {
      const auto tile = tile_at(commands, i);
      if (!tile || (!row.empty() && !alike(commands, row.front(), *tile))) break;
      row.push_back(*tile);
      i = tile->end;
    }
    if (row.empty()) {
      ++i;
      continue;
    }
    const auto bytes = row.front().bytes;
    const auto begin = commands[row.front().first].offset;
    const bool in_layers = std::any_of(layers.begin(), layers.end(), [begin](const auto& body) {
      return begin >= body.first && begin < body.second;
    });
    const auto& sample = in_layers ? in_each_layer : once;
    const auto half =
        std::max<std::size_t>(half_tiles, sample.half_bytes / std::max<std::uint64_t>(bytes, 1));
    const auto kept = sample.first + 2 * half + 1, last = row.size() - 1;
    if (row.size() < kept + 1 + fewest_tiles_left_out) continue;
    // Those measured have one size; the others may be smaller.
    const auto same = [&](const Tile& tile) { return tile.bytes == bytes; };
    const auto may_be_left_out = [&](const Tile& tile) {
      return tile.bytes > 0 && tile.bytes <= bytes && balanced(commands, tile);
    };
    const auto at = [&](std::size_t tile) { return row.begin() + static_cast<std::ptrdiff_t>(tile); };
    if (!std::all_of(row.begin(), at(kept), same) || !std::all_of(at(kept), at(last), may_be_left_out))
      continue;
    StreamRepeat repeat;
    repeat.tag = commands[row.front().first].header.tag;
    repeat.counted = static_cast<unsigned>(half);
    repeat.unit_bytes = bytes;
    for (std::size_t m = 0; m < 3; ++m) {
      const auto& tile = row[sample.first + m * half];
      repeat.moments[m] = {commands[tile.product].offset, 0};
      repeat.loads.push_back(commands[tile.first].offset);
    }
    repeat.moments[3] = {commands[row[last].product].offset, 0};
    for (auto tile = kept; tile < last; ++tile)
      repeat.left_out += static_cast<double>(row[tile].bytes) / static_cast<double>(bytes);
    repeat.at = commands[row[kept].first].offset;
    repeat.to = commands[row[last].first].offset;
    repeats.push_back(std::move(repeat));
  }
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
    std::vector<std::uint64_t> loads;
    int depth = 0;  // of loops in the body
    for (auto k = i + 1; k < commands.size() && commands[k].offset < end; ++k) {
      const auto opcode = commands[k].header.opcode;
      if (opcode == FR_OP_LOAD) loads.push_back(commands[k].offset);
      depth += opcode == FR_OP_LOOP ? 1 : opcode == FR_OP_ENDLOOP ? -1 : 0;
      if (depth == 0 && commands[k].engine() != FR_ENGINE_COMMAND) last = &commands[k];
    }
    if (last == nullptr) continue;
    const auto visit = [&](unsigned number) { return StreamRepeat::Moment{last->offset, number}; };
    repeats.push_back({.tag = last->header.tag,
                       .moments = {visit(first_sequences - 1), visit(first_sequences - 1 + half_sequences),
                                   visit(first_sequences - 1 + 2 * half_sequences), visit(kept - 1)},
                       .loads = std::move(loads),
                       .counted = half_sequences,
                       .unit_bytes = 0,
                       .left_out = static_cast<double>(sequences - kept),
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

std::vector<std::pair<std::uint64_t, std::uint64_t>> layer_bodies(std::span<const unsigned char> stream) {
  return layers_of(read_commands(stream));
}

std::vector<std::uint64_t> meetings(std::span<const unsigned char> stream, std::size_t clusters) {
  std::vector<std::uint64_t> offsets;
  for (const auto& command : read_commands(stream)) {
    if (command.header.opcode != FR_OP_POST) continue;
    fr_post post{};
    std::memcpy(&post, command.bytes.data(), sizeof post);
    if (post.count == clusters) offsets.push_back(command.offset);
  }
  return offsets;
}

std::uint64_t layers_before(std::span<const unsigned char> stream) {
  for (const auto& command : read_commands(stream)) {
    if (command.header.opcode != FR_OP_LOOP || !counts_to(command, FR_PARAMETER_LAYERS)) continue;
    fr_loop loop{};
    std::memcpy(&loop, command.bytes.data(), sizeof loop);
    return static_cast<std::uint64_t>(
        std::max<std::int64_t>(0, -loop.count));  // the parameter is added to it
  }
  return 0;
}

}  // namespace forerun::sim
