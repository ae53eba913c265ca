// SPDX-License-Identifier: Apache-2.0
#include "platform/chip/chip.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>

namespace forerun::chip {

double peak_flops(const Chip& chip, Format format) {
  const auto& t = chip.clusters.tensor;
  if (std::find(t.formats.begin(), t.formats.end(), format) == t.formats.end()) return 0;
  return 2.0 * t.rows * t.columns * t.arrays * chip.clusters.count * chip.clusters.clock.hertz;
}

Bandwidth peak_memory_bandwidth(const Chip& chip) {
  const auto& h = chip.hbm;
  return {static_cast<double>(h.burst_bytes.count) / h.timings.nBL * h.clock.hertz * h.channels *
          h.pseudo_channels * h.stacks};
}

std::uint64_t device_tree_bytes(const Chip& chip) {
  constexpr std::uint64_t fixed = 8192, cluster = 256, window = 256, cell = 4;
  auto bytes = fixed + cluster * chip.clusters.count;
  const auto add = [&](const auto& windows) {
    for (const auto& w : windows)
      bytes += window + w.name.size() + cell * window_clusters(chip, w.clusters).size();
  };
  add(chip.noc.multicast);
  add(chip.noc.reduction);
  return bytes;
}

std::vector<unsigned> window_clusters(const Chip& chip, const std::vector<unsigned>& listed) {
  if (!listed.empty()) return listed;
  std::vector<unsigned> all(chip.clusters.count);
  std::iota(all.begin(), all.end(), 0u);
  return all;
}

Bytes window_size(const Chip& chip, const MulticastWindow&) { return chip.clusters.scratchpad.size; }

Bytes window_size(const Chip& chip, const ReductionWindow& window) {
  if (window.size.count != 0 || window.to_memory) return window.size;
  return {chip.clusters.scratchpad.size.count - window.offset.count};
}

Bytes memory_size(const Chip& chip) {
  const auto& h = chip.hbm;
  return {std::uint64_t{h.stacks} * h.channels * h.pseudo_channels * h.ranks * h.bank_groups *
          h.banks_per_group * h.rows * h.row_bytes.count};
}

namespace {

TileKind kind_of(char letter) {
  switch (letter) {
    case 'C':
      return TileKind::cluster;
    case 'M':
      return TileKind::memory;
    case 'X':
      return TileKind::control;
    case 'H':
      return TileKind::host;
    case '.':
      return TileKind::empty;
    default:
      throw std::invalid_argument(
          fmt::format("noc.tiles: no tile '{}'; letters are C, M, X, H and .", letter));
  }
}

/// Rows of letters to a grid, numbering the tiles of each kind row by row.
Grid from_letters(const std::vector<std::string>& rows) {
  Grid grid;
  unsigned count[5] = {};
  for (const auto& row : rows) {
    unsigned x = 0;
    for (const char letter : row) {
      if (letter == ' ') continue;
      const auto kind = kind_of(letter);
      grid.tiles.push_back({kind, count[static_cast<unsigned>(kind)]++, x++, grid.rows});
    }
    if (grid.rows > 0 && x != grid.columns)
      throw std::invalid_argument(
          fmt::format("noc.tiles: row {} has {} tiles, the first has {}", grid.rows + 1, x, grid.columns));
    grid.columns = x;
    ++grid.rows;
  }
  return grid;
}

void expect(const Grid& grid, TileKind kind, unsigned wanted, const char* what) {
  const auto found = static_cast<unsigned>(
      std::count_if(grid.tiles.begin(), grid.tiles.end(), [&](const Tile& t) { return t.kind == kind; }));
  if (found != wanted)
    throw std::invalid_argument(
        fmt::format("noc.tiles: {} {} tiles, but the chip has {}", found, what, wanted));
}

}  // namespace

Grid place_tiles(const Chip& chip) {
  const unsigned memory = chip.hbm.stacks * chip.hbm.ports, clusters = chip.clusters.count;
  const auto& noc = chip.noc;
  if (!noc.tiles.empty()) {
    auto grid = from_letters(noc.tiles);
    expect(grid, TileKind::cluster, clusters, "C (cluster)");
    expect(grid, TileKind::memory, memory, "M (memory)");
    expect(grid, TileKind::control, 1, "X (control)");
    expect(grid, TileKind::host, 1, "H (host)");
    if ((noc.columns != 0 && noc.columns != grid.columns) || (noc.rows != 0 && noc.rows != grid.rows))
      throw std::invalid_argument(
          fmt::format("noc.tiles: {} x {} tiles, but noc.columns and noc.rows say {} x {}", grid.columns,
                      grid.rows, noc.columns, noc.rows));
    return grid;
  }
  // Near a square, and high enough for the memory on the two edges where the shape is free.
  const unsigned total = clusters + memory + 2;
  unsigned columns = noc.columns, rows = noc.rows;
  if (columns == 0 && rows == 0) {
    rows = std::max(static_cast<unsigned>(std::ceil(std::sqrt(total))), (memory + 1) / 2);
    if (rows > 16) rows = std::max(16u, static_cast<unsigned>(std::ceil(std::sqrt(total))));
  }
  if (rows == 0) rows = (total + columns - 1) / columns;
  if (columns == 0) columns = (total + rows - 1) / rows;
  if (std::uint64_t{rows} * columns < total)
    throw std::invalid_argument(fmt::format("noc: {} x {} places for {} tiles", columns, rows, total));

  std::vector<std::string> letters(rows, std::string(columns, '.'));
  // Memory, then clusters, fill columns from the outside in: left, right, second from left, ...; spread
  // evenly over the free places of a column. So a cluster stands next to a memory tile where there are enough
  // of them.
  const auto free_in = [&](unsigned x) {
    std::vector<unsigned> free;
    for (unsigned y = 0; y < rows; ++y)
      if (letters[y][x] == '.') free.push_back(y);
    return free;
  };
  const auto fill = [&](char letter, unsigned n) {
    for (unsigned ring = 0; n > 0; ++ring) {
      const unsigned first = ring, last = columns - 1 - ring;
      const auto on_left = free_in(first), on_right = last > first ? free_in(last) : std::vector<unsigned>{};
      const auto here = std::min<std::size_t>(n, on_left.size() + on_right.size());
      const auto left =
          std::max(std::min((here + 1) / 2, on_left.size()), here - std::min(here, on_right.size()));
      for (std::size_t i = 0; i < left; ++i)
        letters[on_left[(2 * i + 1) * on_left.size() / (2 * left)]][first] = letter;
      for (std::size_t i = 0; i < here - left; ++i)
        letters[on_right[(2 * i + 1) * on_right.size() / (2 * (here - left))]][last] = letter;
      n -= static_cast<unsigned>(here);
    }
  };
  fill('M', memory);
  fill('C', clusters);
  for (const char letter : {'X', 'H'}) {  // in the first places that are left
    unsigned place = 0;
    while (letters[place / columns][place % columns] != '.') ++place;
    letters[place / columns][place % columns] = letter;
  }
  return from_letters(letters);
}

}  // namespace forerun::chip
