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
constexpr std::uint32_t least_slots = 4;
constexpr std::uint32_t temporary_columns = 64;

/// Whether the schedule has commands for all that the model does.
bool has_commands(const ModelConfig& m, const Plan& plan) {
  const auto& n = plan.numerics;
  return m.experts.count == 0 && !m.is_latent() && plan.sequences == 1 && plan.devices == 1 &&
         m.positions != Positions::alibi && !m.embedding_norm &&
         !(m.norm == NormKind::layer && (n.token_scales || m.post_norms)) &&
         !(m.post_norms && (m.output_bias || m.ffn_bias));
}

/// Every head lies in one tile of its projection, each gate beside its up, and every block of an operand's
/// inputs in one share.
bool tiles_fit(const Plan& plan) {
  const std::uint64_t head = plan.model.head_dim;
  const std::uint64_t shared = plan.numerics.block_scales ? plan.numerics.group : 1;
  if (head % shared != 0) return false;
  for (std::uint32_t c = 0; c < plan.clusters; ++c) {
    const auto& share = plan.share(c);
    if (share.heads.empty() || share.hidden.empty() || share.ffn.empty()) return false;
    for (const auto& block : blocks_of(plan.tiles(c).query_key_value))
      if (block.n.begin % head != 0 || block.n.size() % head != 0) return false;
    const auto up = blocks_of(plan.tiles(c).gate_up);
    if (share.hidden.begin % shared != 0 || share.hidden.end % shared != 0 || share.ffn.begin % shared != 0)
      return false;
    for (const auto& gate : up)
      if (gate.n.size() % shared != 0) return false;
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
                            std::uint32_t row_groups, std::uint32_t half, const WideRequest& request) {
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
  const auto angles = aligned(rows * plan.rotated() * 2);
  w.block_bytes = u32(aligned(rows * widest * 4));
  const std::uint64_t least_blocks = w.together * (m.gated ? 2 : 1);
  const auto zone = aligned(std::max({stream, least_attention_bytes(plan, half),
                                      std::max<std::uint64_t>(2, least_blocks) * w.block_bytes,
                                      w.together * w.block_bytes + 2 * angles}));
  w.sums = take(zone);
  w.block_count = u32(std::min<std::uint64_t>(Wide::most_blocks, zone / w.block_bytes));
  w.head_blocks = u32(std::min<std::uint64_t>(w.block_count, (zone - 2 * angles) / w.block_bytes));
  w.cosines = u32(zone - 2 * angles);
  w.sines = u32(zone - angles);
  w.constants = take(plan.constants.own);
  w.own_constants = take(std::uint64_t{row_groups} * plan.constants.own_bytes());
  const bool layer_norm = m.norm == NormKind::layer;
  w.next_norm = take(hidden * 4 * (layer_norm ? 2 : 1));
  w.stream = take(stream_part);
  for (std::uint32_t c = 0; layer_norm && c < plan.clusters; c += row_groups) {
    std::uint64_t pieces = 0;
    for (std::uint32_t i = 0; i < row_groups; ++i)
      pieces += divide_up(plan.share(c + i).hidden.size(), temporary_columns);
    w.norm_pieces = std::max(w.norm_pieces, u32(pieces));
  }
  w.statistics = take(rows * 4 * (4 + w.column_groups + row_groups + w.norm_pieces));

  // Panels as deep as the deepest tile; what is left is for weights.
  const auto deepest = std::max<std::uint64_t>(queries, m.ffn);
  w.panel_depth = u32(std::min(depth, deepest));
  w.panel_bytes = u32(aligned(w.panel_rows() * w.panel_depth * act));
  w.slot_bytes = u32(aligned(slot));
  const auto& n = plan.numerics;
  if (n.cache_scales) w.cache_scales = take(w.block_count * (w.block_bytes / m.head_dim));
  if (n.quantises() || layer_norm) {
    w.temporary_columns = temporary_columns;
    w.temporary = take(rows * temporary_columns * 4);
  }
  if (n.block_scales) {
    if (w.panel_depth % n.group != 0) return std::nullopt;
    const auto row = ip::row_bytes(n.operand, w.panel_depth) + w.panel_depth / n.group;
    w.panel_bytes = std::max(w.panel_bytes, u32(aligned(w.panel_rows() * row)));
  } else if (n.token_scales) {
    w.scale_columns = u32(n.scales_groups() ? divide_up(depth, n.group) : 1);
    w.peaks = take(rows * 4 * (5 + w.column_groups + (w.scale_columns > 1 ? w.scale_columns : 0)));
    w.operand_bytes = u32(aligned(w.panel_rows() * ip::row_bytes(n.operand, w.panel_depth)));
    w.operands = take(std::uint64_t{Wide::panel_count} * w.operand_bytes);
  }
  const auto bytes = std::uint64_t{Wide::panel_count} * w.panel_bytes;
  if (at + bytes + std::uint64_t{least_slots} * w.slot_bytes > scratch) return std::nullopt;
  w.panels = take(bytes);
  w.slots = u32(std::min<std::uint64_t>(Wide::most_slots, (scratch - at) / w.slot_bytes));
  w.slots_at = take(std::uint64_t{w.slots} * w.slot_bytes);
  w.end = u32(at);
  for (std::uint32_t c = 0; c < plan.clusters; ++c)
    for (const auto* list : {&plan.tiles(c).query_key_value, &plan.tiles(c).attention_output,
                             &plan.tiles(c).gate_up, &plan.tiles(c).down})
      for (const auto& tile : *list)
        if (tile.k.begin / w.panel_depth != (tile.k.end - 1) / w.panel_depth) return std::nullopt;
  const auto attention = choose_attention(plan, chip, half, request.tokens, request.positions,
                                          {{w.sums, zone}, {w.panels, bytes}, {w.end, scratch - w.end}});
  if (!attention) return std::nullopt;
  w.attention = *attention;
  w.end = std::max(w.end, attention->end);
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
  const double attention = double(tokens) * m.heads / plan.clusters * w.attention.cycles;
  return double(steps) * (std::max({compute, network, memory}) + before + many_meetings) +
         attention / chip.clusters.clock.hertz;
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
  const double attention =
      double(tokens) * m.heads / plan.clusters * few_attention_cycles(plan, chip, tokens);
  return steps * (std::max(compute, memory) + exchange + few_meetings) +
         attention / chip.clusters.clock.hertz;
}

double estimate_wide(const Plan& plan, const chip::Chip& chip, std::uint32_t tokens) {
  return estimate(plan, chip, *plan.wide, tokens);
}

std::optional<Wide> choose_wide(const Plan& plan, const chip::Chip& chip, const Lanes& lanes,
                                const WideRequest& request) {
  if (!has_commands(plan.model, plan) || !tiles_fit(plan)) return std::nullopt;
  std::optional<Wide> best;
  double shortest = 0;
  for (std::uint32_t groups = 1; groups <= plan.clusters; ++groups) {
    if (plan.clusters % groups != 0 || (request.row_groups != 0 && groups != request.row_groups)) continue;
    const auto wanted =
        static_cast<std::uint32_t>(divide_up(std::min(request.tokens, request.most), 2ull * groups));
    std::optional<Wide> w;
    for (auto half = wanted; half > 0 && !w; half = half > 16 ? (half - 1) / 16 * 16 : half - 1)
      w = lay_out(plan, chip, lanes.first, groups, half, request);
    if (!w) continue;
    if (const auto time = estimate(plan, chip, *w, request.tokens); !best || time < shortest) {
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
