// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/wide_attention.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ip/base/numbers.hpp"
#include "models/compiler/plan.hpp"

namespace forerun::models {
namespace {

constexpr std::uint64_t alignment = 64;
constexpr std::uint32_t few = 16;           ///< rows and positions that there is always room for
constexpr double commands_of_a_piece = 16;  ///< cycles of a piece in which neither arrays nor lanes are busy
constexpr double unhidden = 0.2;            ///< part of the arrays' time in which lanes wait for them
// ONLINE_SOFTMAX: its passes, and those that take the special-function units.
constexpr double passes = 2, special = 1;

std::uint64_t aligned(std::uint64_t bytes) { return round_up(bytes, alignment); }
std::uint32_t u32(std::uint64_t value) { return static_cast<std::uint32_t>(value); }

std::uint64_t pieces_of(const Plan& plan, const AttentionTiles& t) {
  return round_up(std::uint64_t{plan.group()} * divide_up(t.unit_rows, t.piece_rows), 2);
}

/// Sizes; then places, if there is room.
void measure(const Plan& plan, AttentionTiles& t) {
  const std::uint64_t row = plan.model.head_dim * plan.activation_bytes();
  t.tile_bytes = u32(aligned(t.positions * plan.scaled_row_bytes()));
  t.score_stride = u32(aligned(std::uint64_t{t.positions} * 4));
  t.score_bytes = t.piece_rows * t.score_stride;
  t.query_bytes = u32(aligned(std::uint64_t{plan.group()} * t.unit_rows * row));
  t.output_bytes = u32(aligned(std::uint64_t{t.piece_rows} * plan.model.head_dim * 4));
}
struct Item {
  std::uint32_t AttentionTiles::*at;
  std::uint64_t bytes;
};
/// Largest first.
std::vector<Item> items_of(const Plan& plan, const AttentionTiles& t) {
  const auto pieces = pieces_of(plan, t);
  std::vector<Item> items{{&AttentionTiles::keys, 2ull * t.tile_bytes},
                          {&AttentionTiles::values, 2ull * t.tile_bytes},
                          {&AttentionTiles::scores, aligned(2ull * t.score_bytes)},
                          {&AttentionTiles::states, aligned(pieces * t.piece_rows * 8)},
                          {&AttentionTiles::sums, aligned(pieces * t.piece_rows * 4)},
                          {&AttentionTiles::queries, 2ull * t.query_bytes},
                          {&AttentionTiles::outputs, pieces * t.output_bytes}};
  std::stable_sort(items.begin(), items.end(),
                   [](const Item& a, const Item& b) { return a.bytes > b.bytes; });
  return items;
}
bool place(const Plan& plan, AttentionTiles& t, std::vector<Area> areas) {
  for (const auto& item : items_of(plan, t)) {
    const auto area =
        std::find_if(areas.begin(), areas.end(), [&](const Area& a) { return a.bytes >= item.bytes; });
    if (area == areas.end()) return false;
    t.*item.at = u32(area->at);
    area->at += item.bytes;
    t.end = std::max(t.end, u32(area->at));
    area->bytes -= item.bytes;
  }
  return true;
}

/// Cycles of a row of a head: of lanes, arrays, their operands and loads the most, and its part of the first
/// load, which nothing hides. A row sees half of the prompt on average, and those behind it in its piece.
double estimate(const Plan& plan, const chip::Chip& chip, const AttentionTiles& t, std::uint32_t half,
                std::uint32_t tokens) {
  const auto& c = chip.clusters;
  const double act = plan.activation_bytes(), head = plan.model.head_dim, rows = t.piece_rows;
  const double seen = std::max(1.0, tokens / 2.0), counted = seen + rows / 2;
  const double tiles = t.positions >= tokens ? 1 : std::max(1.0, seen / t.positions + 0.5);
  const double lanes = c.vector.lanes, width = double(c.tensor.columns) * c.tensor.arrays;

  const double row_beats = std::ceil(t.positions / lanes), output_beats = std::ceil(head / lanes);
  const double held = std::max(1.0, std::floor(double(c.vector.buffer.count) / (4 * lanes) / row_beats));
  const double beats_per_row = std::max(1.0, counted / lanes);
  const double vector =
      beats_per_row * (passes + special * (c.vector.special_factor - 1)) +
      tiles * (passes * c.vector.latency * std::ceil(rows / held) + commands_of_a_piece) / rows +
      (tiles - 1) * (output_beats + c.vector.latency / rows) + output_beats;

  const double depth = c.tensor.rows, wave = std::max(rows, depth / c.tensor.dot);
  const double score_waves = std::ceil(head / depth) / width, value_waves = std::ceil(head / width) / depth;
  const double fill = 2.0 * depth / c.tensor.dot + c.tensor.columns + commands_of_a_piece;
  const double arrays = (counted * (score_waves + value_waves) * wave + tiles * 2 * fill) / rows;
  // Operands of both products of a position.
  const double bytes =
      (std::ceil(head / depth) * (rows * depth + width * depth) * act + rows * width * 4) / width +
      (rows * depth + head * depth) * act / depth;
  const double scratchpad =
      counted * bytes / rows / (double(c.scratchpad.banks) * double(c.scratchpad.bank_width.count));

  const double link = std::min(double(chip.noc.link_width.count) * chip.noc.clock.hertz,
                               chip::peak_memory_bandwidth(chip).bytes_per_second / plan.clusters) /
                      c.clock.hertz;
  const double cached = 2.0 * double(plan.scaled_row_bytes());
  const double loads = seen * cached / link / (double(t.unit_rows) * plan.group());
  const double before = std::min<double>(t.positions, tokens) * cached / link;
  const double rows_in_all = 2.0 * half * plan.group();
  return std::max({vector, arrays, scratchpad, loads}) + unhidden * arrays + before / rows_in_all;
}

/// What is tried: parts of the rows in whole waves, tiles in whole waves of positions.
std::vector<std::uint32_t> parts_of(std::uint32_t whole) {
  std::vector<std::uint32_t> parts;
  for (std::uint32_t count = 1; count <= 64; ++count) {
    auto part = u32(divide_up(whole, count));
    if (part > few) part = u32(std::min<std::uint64_t>(whole, round_up(part, few)));
    if (parts.empty() || part < parts.back()) parts.push_back(part);
    if (part <= few) break;
  }
  return parts;
}
std::vector<std::uint32_t> tiles_of(std::uint32_t context, std::uint32_t width) {
  std::vector<std::uint32_t> tiles{context};
  for (std::uint32_t t = few; t < std::min(width, context); t *= 2) tiles.push_back(t);
  for (std::uint32_t t = width; t < context && t <= 8192; t += width) tiles.push_back(t);
  return tiles;
}

}  // namespace

double few_attention_cycles(const Plan& plan, const chip::Chip& chip, std::uint32_t tokens) {
  const auto& c = chip.clusters;
  const double seen = std::max(1.0, tokens / 2.0), rows = double(plan.max_chunk) * plan.group();
  const double lanes = c.vector.lanes, depth = c.tensor.rows,
               columns = double(c.tensor.columns) * c.tensor.arrays;
  const double softmax = std::max(1.0, seen / lanes) * (3.0 + (c.vector.special_factor - 1));
  const double products = 2 * seen * plan.model.head_dim / (depth * columns);
  return softmax + products * std::max(1.0, depth / c.tensor.dot / rows);
}

std::uint64_t least_attention_bytes(const Plan& plan, std::uint32_t half) {
  AttentionTiles t;
  t.unit_rows = t.piece_rows = std::min(half, few);
  t.positions = std::min(plan.context, few);
  measure(plan, t);
  const auto items = items_of(plan, t);
  return std::accumulate(items.begin(), items.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const Item& item) { return sum + item.bytes; });
}

std::optional<AttentionTiles> choose_attention(const Plan& plan, const chip::Chip& chip, std::uint32_t half,
                                               std::uint32_t tokens, std::uint32_t wanted,
                                               std::vector<Area> areas) {
  for (auto& area : areas) {
    const auto end = (area.at + area.bytes) / alignment * alignment;
    area.at = aligned(area.at);
    area.bytes = end > area.at ? end - area.at : 0;
  }
  const auto width = std::max<std::uint32_t>(few, chip.clusters.tensor.columns * chip.clusters.tensor.arrays);
  const auto tiles =
      wanted != 0 ? std::vector{std::min(wanted, plan.context)} : tiles_of(plan.context, width);
  std::optional<AttentionTiles> best;
  for (const auto unit : parts_of(half))
    for (const auto piece : parts_of(unit))
      for (const auto positions : tiles) {
        AttentionTiles t;
        t.unit_rows = unit, t.piece_rows = piece, t.positions = positions;
        measure(plan, t);
        if (!place(plan, t, areas)) continue;
        t.cycles = estimate(plan, chip, t, half, tokens);
        if (!best || t.cycles < best->cycles) best = t;
      }
  return best;
}

}  // namespace forerun::models
