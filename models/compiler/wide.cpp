// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/wide.hpp"

#include <algorithm>
#include <cmath>

#include "ip/base/numbers.hpp"
#include "models/compiler/plan.hpp"
#include "platform/chip/chip.hpp"

namespace forerun::models {
namespace {

constexpr std::uint64_t alignment = 64;
constexpr std::uint32_t least_slots = 4, enough_score_rows = 32;

/// Whether the schedule has commands for all that the model does.
bool has_commands(const ModelConfig& m, const Plan& plan) {
  const auto& n = plan.numerics;
  return m.experts.count == 0 && !m.is_latent() && !n.quantises() && !n.output_scales && !n.scales_groups() &&
         n.cache == n.activation && plan.sequences == 1 && plan.devices == 1 && m.norm == NormKind::rms &&
         !m.post_norms && !m.qkv_bias && !m.output_bias && !m.ffn_bias && m.positions == Positions::rotary;
}

/// Every head lies in one tile of its projection, and each gate beside its up.
bool tiles_fit(const Plan& plan) {
  const std::uint64_t head = plan.model.head_dim;
  for (std::uint32_t c = 0; c < plan.clusters; ++c) {
    const auto& share = plan.share(c);
    if (share.heads.empty() || share.hidden.empty() || share.ffn.empty()) return false;
    for (const auto& block : blocks_of(plan.tiles(c).query_key_value))
      if (block.n.begin % head != 0 || block.n.size() % head != 0) return false;
    const auto up = blocks_of(plan.tiles(c).gate_up);
    if (!plan.model.gated) continue;
    if (up.size() % 2 != 0) return false;
    for (std::size_t i = 0; i < up.size() / 2; ++i)
      if (up[i].n.begin + share.ffn.size() != up[i + up.size() / 2].n.begin ||
          up[i].n.size() != up[i + up.size() / 2].n.size())
        return false;
  }
  return true;
}

double link_bandwidth(const chip::Chip& chip) {
  return double(chip.noc.link_width.count) * chip.noc.clock.hertz;
}

std::optional<Wide> lay_out(const Plan& plan, const chip::Chip& chip, const Lane& lane,
                            std::uint32_t row_groups, std::uint32_t half) {
  const auto& m = plan.model;
  Wide w;
  w.row_groups = row_groups;
  w.column_groups = plan.clusters / row_groups;
  w.half = half;
  w.skew = chip.hbm.interleave.count;
  const double port =
      chip::peak_memory_bandwidth(chip).bytes_per_second / (double(chip.hbm.stacks) * chip.hbm.ports);
  w.together =
      row_groups % 2 == 0 && lane.width == 1 && !lane.linear() && port < link_bandwidth(chip) ? 2 : 1;
  const std::uint64_t rows = w.rows(), act = plan.activation_bytes();
  const std::uint64_t scratch = chip.clusters.scratchpad.size.count;
  std::uint64_t hidden = 0, stream = 0, widest = 0, slot = 0, depth = 0;
  for (std::uint32_t g = 0; g < w.column_groups; ++g) {
    std::uint64_t sum = 0;
    hidden = std::max(
        hidden, plan.share((g + 1) * row_groups - 1).hidden.end - plan.share(g * row_groups).hidden.begin);
    for (std::uint32_t i = 0; i < row_groups; ++i)
      sum += lane.padded(rows * 4 * plan.share(g * row_groups + i).hidden.size());
    stream = std::max(stream, sum);
  }
  const auto whole = [&](std::uint32_t parts) {
    return rows % parts == 0 && std::all_of(plan.shares.begin(), plan.shares.end(), [&](const Share& share) {
             const auto bytes = rows / parts * 4 * share.hidden.size();
             return lane.padded(bytes) == bytes && lane.advance(bytes) * parts == lane.advance(bytes * parts);
           });
  };
  for (const auto parts : {8u, 4u, 2u})
    if (w.stream_parts == 1 && whole(parts)) w.stream_parts = parts;
  std::uint64_t stream_part = 0;
  for (const auto& share : plan.shares)
    stream_part = std::max(stream_part, lane.padded(rows / w.stream_parts * 4 * share.hidden.size()));
  for (std::uint32_t c = 0; c < plan.clusters; ++c) {
    const auto& p = plan.tiles(c);
    for (const auto* tiles : {&p.query_key_value, &p.attention_output, &p.gate_up, &p.down})
      for (const auto& tile : *tiles) {
        const auto bytes = plan.tile_bytes(tile);
        slot = std::max(slot, lane.parts(bytes) * lane.part_bytes(bytes));
        depth = std::max(depth, tile.k.size());
        if (tiles == &p.query_key_value || tiles == &p.gate_up) widest = std::max(widest, tile.n.size());
      }
  }
  std::uint64_t at = 0;
  const auto aligned = [](std::uint64_t bytes) { return round_up(bytes, alignment); };
  const auto take = [&](std::uint64_t bytes) {
    const auto address = at;
    at = aligned(at + bytes);
    return static_cast<std::uint32_t>(address);
  };
  const auto u32 = [](std::uint64_t v) { return static_cast<std::uint32_t>(v); };
  const std::uint64_t queries = std::uint64_t{m.heads} * m.head_dim;
  const auto cache = aligned(std::uint64_t{plan.context} * m.head_dim * act);
  const auto angles = aligned(rows * plan.rotated() * 2);
  w.score_stride = u32(aligned(std::uint64_t{plan.context} * 4));
  w.block_bytes = u32(aligned(rows * widest * 4));
  const std::uint64_t least_blocks = w.together * (m.gated ? 2 : 1);
  const auto zone = aligned(std::max(
      {stream, 2 * cache + std::uint64_t{2} * std::min(half, enough_score_rows) * w.score_stride,
       std::max<std::uint64_t>(2, least_blocks) * w.block_bytes, w.together * w.block_bytes + 2 * angles}));
  w.sums = take(zone);
  w.block_count = u32(std::min<std::uint64_t>(Wide::most_blocks, zone / w.block_bytes));
  w.head_blocks = u32(std::min<std::uint64_t>(w.block_count, (zone - 2 * angles) / w.block_bytes));
  w.cosines = u32(zone - 2 * angles);
  w.sines = u32(zone - angles);
  w.keys = w.sums;
  w.values = u32(w.keys + cache);
  w.scores = u32(w.values + cache);
  w.score_rows = std::min(half, u32((zone - 2 * cache) / 2 / w.score_stride));
  w.query_bytes = u32(aligned(std::uint64_t{m.heads / m.kv_heads} * half * m.head_dim * act));
  w.output_bytes = u32(aligned(std::uint64_t{w.score_rows} * m.head_dim * act));
  w.constants = take(plan.constants.bytes);
  w.next_norm = take(hidden * 4);
  w.stream = take(stream_part);
  w.statistics = take(rows * 4 * (2 + w.column_groups + row_groups));

  // Panels as deep as the deepest tile; what is left is for weights.
  const auto deepest = std::max<std::uint64_t>(queries, m.ffn);
  w.panel_depth = u32(std::min(depth, deepest));
  w.panel_bytes = u32(aligned(w.panel_rows() * w.panel_depth * act));
  w.slot_bytes = u32(aligned(slot));
  const auto others = std::uint64_t{2} * w.query_bytes + std::uint64_t{2} * w.output_bytes;
  const auto bytes = std::max(std::uint64_t{Wide::panel_count} * w.panel_bytes, others);
  if (at + bytes + std::uint64_t{least_slots} * w.slot_bytes > scratch) return std::nullopt;
  w.panels = w.queries = take(bytes);
  w.outputs = w.queries + 2 * w.query_bytes;
  w.slots = u32(std::min<std::uint64_t>(Wide::most_slots, (scratch - at) / w.slot_bytes));
  w.slots_at = take(std::uint64_t{w.slots} * w.slot_bytes);
  w.end = u32(at);
  for (std::uint32_t c = 0; c < plan.clusters; ++c)
    for (const auto* list : {&plan.tiles(c).query_key_value, &plan.tiles(c).attention_output,
                             &plan.tiles(c).gate_up, &plan.tiles(c).down})
      for (const auto& tile : *list)
        if (tile.k.begin / w.panel_depth != (tile.k.end - 1) / w.panel_depth) return std::nullopt;
  return w;
}

/// Of a layer's projections: what all clusters multiply and read.
double layer_weights(const ModelConfig& m) {
  const double queries = double(m.heads) * m.head_dim, keys = 2.0 * m.kv_heads * m.head_dim;
  return m.hidden * (2 * queries + keys + (m.gated ? 3.0 : 2.0) * m.ffn);
}
/// Of a weight, with its part of a scale.
double weight_bytes(const Plan& plan) {
  const auto format = plan.tile_format();
  return format.element_bits / 8.0 +
         (format.scale_bytes == 0 ? 0 : double(format.scale_bytes) / format.group);
}
/// Multiply-adds of a cluster in a second.
double products(const chip::Chip& chip) {
  const auto& tensor = chip.clusters.tensor;
  return double(tensor.rows) * tensor.columns * tensor.arrays * chip.clusters.clock.hertz;
}
// Meetings of clusters in a layer: four exchanges, or six posts after stores and as many loads that wait for
// them.
constexpr double few_meetings = 4e-6, many_meetings = 12e-6;

/// Bytes of a layer's operands that each cluster reads, of `rows` rows: those of blocks of sums come once for
/// as many blocks as there is room for.
double layer_operands(const Plan& plan, const Wide& w, double rows) {
  const auto& m = plan.model;
  const auto times = [&](double columns, std::uint32_t blocks) {
    return std::ceil(columns * rows * 4 / w.column_groups / (double(blocks) * w.block_bytes));
  };
  const double heads = double(m.heads) * m.head_dim, keys = 2.0 * m.kv_heads * m.head_dim;
  return rows * plan.activation_bytes() *
         (heads + m.ffn +
          m.hidden *
              (times(heads + keys, w.head_blocks) + times((m.gated ? 2.0 : 1.0) * m.ffn, w.block_count)));
}

/// Of a tile of weights: rows for which it is multiplied take a cycle each.
double loading_cycles(const chip::Chip& chip) {
  return double(chip.clusters.tensor.rows) / chip.clusters.tensor.dot;
}

/// Seconds of a layer for `tokens` tokens: of what goes on side by side the slowest part, and what comes
/// before it.
double estimate(const Plan& plan, const chip::Chip& chip, const Wide& w, std::uint64_t tokens) {
  const auto& m = plan.model;
  const double weights = layer_weights(m), bytes = weights * weight_bytes(plan);
  const auto steps = divide_up(tokens, w.tokens());
  const double rows = double(divide_up(divide_up(tokens, steps), w.row_groups));
  const double act = plan.activation_bytes(), link = link_bandwidth(chip);
  const double operands = layer_operands(plan, w, rows);
  const double before = 2.0 * m.hidden * (act + 8.0) / w.column_groups * rows / link;
  const double compute = weights / w.column_groups * std::max(rows, loading_cycles(chip)) / products(chip);
  const double network = (bytes / w.column_groups + operands) / link;
  const double memory =
      (bytes + operands * w.row_groups) / chip::peak_memory_bandwidth(chip).bytes_per_second;
  return double(steps) * (std::max({compute, network, memory}) + before + many_meetings);
}

}  // namespace

std::vector<Block> blocks_of(const std::vector<WeightTile>& tiles) {
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    if (tiles[i].first_k()) blocks.push_back({tiles[i].n, i, 0});
    ++blocks.back().count;
  }
  return blocks;
}

double estimate_few(const Plan& plan, const chip::Chip& chip, std::uint32_t tokens) {
  const auto& m = plan.model;
  const double weights = layer_weights(m), act = plan.activation_bytes();
  const double steps = double(divide_up(tokens, plan.max_chunk)), rows = tokens / steps;
  const double compute = weights / plan.clusters * std::max(rows, loading_cycles(chip)) / products(chip);
  const double memory = weights * weight_bytes(plan) / chip::peak_memory_bandwidth(chip).bytes_per_second;
  const double exchange =
      rows * (double(m.heads) * m.head_dim * act + m.ffn * act + m.hidden * 8.0) / link_bandwidth(chip);
  return steps * (std::max(compute, memory) + exchange + few_meetings);
}

double estimate_wide(const Plan& plan, const chip::Chip& chip, std::uint32_t tokens) {
  return estimate(plan, chip, *plan.wide, tokens);
}

std::optional<Wide> choose_wide(const Plan& plan, const chip::Chip& chip, const Lanes& lanes,
                                std::uint32_t tokens, std::uint32_t row_groups) {
  if (!has_commands(plan.model, plan) || !tiles_fit(plan)) return std::nullopt;
  std::optional<Wide> best;
  double shortest = 0;
  for (std::uint32_t groups = 1; groups <= plan.clusters; ++groups) {
    if (plan.clusters % groups != 0 || (row_groups != 0 && groups != row_groups)) continue;
    const auto wanted = static_cast<std::uint32_t>(divide_up(tokens, 2ull * groups));
    std::optional<Wide> w;
    for (auto half = wanted; half > 0 && !w; half = half > 16 ? (half - 1) / 16 * 16 : half - 1)
      w = lay_out(plan, chip, lanes.first, groups, half);
    if (!w) continue;
    if (const auto time = estimate(plan, chip, *w, tokens); !best || time < shortest) {
      best = w;
      shortest = time;
    }
  }
  if (best)
    best->places = arrange(chip, lanes, best->row_groups, best->column_groups,
                           {layer_weights(plan.model) * weight_bytes(plan) / best->column_groups,
                            layer_operands(plan, *best, best->rows())});
  return best;
}

}  // namespace forerun::models
