// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/memory_layout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "firmware/abi/program.h"
#include "models/compiler/bump.hpp"
#include "platform/chip/address_map.hpp"

namespace forerun::models {
namespace {

/// From the first tile of weights of a cluster to behind the last, in its lane.
std::uint64_t lane_bytes(const Plan& plan, std::uint32_t cluster, const Lane& lane) {
  const auto& p = plan.tiles(cluster);
  const auto bytes = [&](const std::vector<WeightTile>& tiles) {
    std::uint64_t sum = 0;
    for (const auto& tile : tiles) sum += lane.advance(plan.tile_bytes(tile));
    return sum;
  };
  const auto& e = plan.model.experts;
  const std::uint64_t layers = plan.model.layers,
                      dense = e.count == 0 ? layers : std::min<std::uint64_t>(e.first_layer, layers);
  return layers * (bytes(p.query_key_value) + bytes(p.attention_output) + bytes(p.latent) +
                   plan.share(cluster).heads.size() * (bytes(p.absorb) + bytes(p.expand))) +
         dense * (bytes(p.gate_up) + bytes(p.down)) +
         (layers - dense) * (bytes(p.router) + bytes(p.shared_gate_up) + bytes(p.shared_down) +
                             e.count * (bytes(p.expert_gate_up) + bytes(p.expert_down))) +
         bytes(p.classifier);
}

/// Room for a cluster's part of the residual stream in its lane, in steps of many tokens.
std::uint64_t residual_bytes(const Plan& plan, const Lane& lane) {
  const auto& w = *plan.wide;
  std::uint64_t most = 0;
  for (std::uint32_t g = 0; g < w.column_groups; ++g) {
    std::uint64_t sum = 0;
    for (std::uint32_t i = 0; i < w.row_groups; ++i)
      sum += lane.advance(w.rows() * 4ull * plan.share(g * w.row_groups + i).hidden.size());
    most = std::max(most, sum);
  }
  return round_up(most, lane.stride);
}

/// Lanes of all clusters side by side from `base` on, which is the address of the first port; returns their
/// bytes.
std::uint64_t lay_out_weights(Plan& plan, const Lanes& lanes, std::uint64_t base) {
  std::vector<std::uint64_t> used(lanes.groups);
  for (std::uint32_t c = 0; c < plan.clusters; ++c) {
    const auto group = lanes.group_of[c];
    const auto lane = lanes.lane(group, base + used[group]);
    used[group] += lane_bytes(plan, c, lane);
    plan.memory.lanes.push_back(lane);
  }
  return *std::max_element(used.begin(), used.end());
}

/// Heads of the cache are read side by side, each from its beginning. If they all began at the same port of
/// the memory they would go round the ports together and wait for one another; so they begin at ports that
/// are as far from each other as there are ports for the heads.
std::uint64_t padding_of_heads(const Plan& plan, const chip::Hbm& hbm) {
  const std::uint64_t ports = hbm.stacks * hbm.ports, piece = hbm.interleave.count,
                      heads = plan.kv_heads.size();
  const auto bytes = plan.kv_head_bytes();
  auto apart = std::max<std::uint64_t>(1, ports / std::max<std::uint64_t>(1, heads));
  while (ports % apart != 0) --apart;
  if (heads < 2 || ports == 1 || bytes <= apart * piece) return 0;
  auto pieces = divide_up(bytes, piece);
  while (std::gcd(pieces, ports) != apart) ++pieces;
  const auto padding = pieces * piece - bytes;
  return plan.numerics.cache_scales && padding % plan.cache_row_bytes() != 0 ? 0 : padding;
}

}  // namespace

void lay_out_memory(Plan& plan, const chip::Chip& chip, const Lanes& lanes) {
  const auto& m = plan.model;
  const std::uint64_t act = plan.activation_bytes(), tokens = std::max(plan.max_tokens, plan.most_tokens());
  if (!plan.cache.near) plan.kv_head_padding = padding_of_heads(plan, chip.hbm);
  auto& memory = plan.memory;
  Bump bump(memory.begin, memory_alignment);
  memory.parameters = bump.take(FR_PARAMETERS * 8);
  memory.token_ids = bump.take(plan.sequences * (std::uint64_t{plan.context} + 1) * 4);
  memory.next_ids = bump.take(std::uint64_t{plan.sequences} * plan.context * 4);
  memory.requests = bump.take(plan.sequences * sizeof(fr_sequence_request));
  memory.chunks = bump.take(plan.sequences * sizeof(fr_chunk));
  memory.page_table = bump.take(plan.sequences * plan.page_table_bytes());
  memory.logits =
      bump.take(std::uint64_t{plan.keep_logits ? plan.context : plan.max_tokens} * m.vocabulary * 4);
  if (plan.devices > 1 || plan.wide) {
    const auto operand = [&](std::uint64_t width, std::uint64_t element) {
      const auto& w = plan.wide;
      return std::max(tokens * width * element, w ? w->row_groups * w->group_pitch(width, act) : 0);
    };
    memory.attention = bump.take(operand(plan.attended(), act));
    memory.latent = bump.take(tokens * plan.latent_width() * 4);
    memory.hidden_sum = bump.take(plan.devices > 1 ? tokens * m.hidden * 4 : 0);
    memory.swiglu = bump.take(std::max(operand(m.ffn, act), 2 * plan.expert_round_bytes()));
    memory.router = bump.take(tokens * m.experts.count * 4);
    memory.ffn_sum = bump.take(operand(m.hidden, plan.devices > 1 ? 4 : act));
  }
  memory.queries = bump.take(
      plan.wide ? m.heads * (tokens * m.head_dim * act + plan.wide->row_groups * plan.wide->skew) : 0);
  memory.cosines = bump.take(std::uint64_t{plan.context} * plan.rotated() * 2);
  memory.sines = bump.take(std::uint64_t{plan.context} * plan.rotated() * 2);
  const auto cached = plan.cache.near ? 0 : m.layers * plan.kv_layer_bytes();
  memory.keys = bump.take(cached);
  memory.values = m.is_latent() ? memory.keys : bump.take(cached);
  const auto scales = m.layers * plan.kv_layer_bytes() / plan.cache_row_bytes() * plan.cache_scale_bytes();
  memory.key_scales = bump.take(scales);
  memory.value_scales = bump.take(scales);
  memory.embedding = bump.take(std::uint64_t{m.vocabulary} * m.hidden * act);
  memory.embedding_norm = bump.take(m.embedding_norm ? m.hidden * 8ull : 0);
  memory.positions = bump.take(plan.learned_positions() * m.hidden * act);
  for (std::uint32_t c = 0; c < plan.clusters; ++c) {
    memory.constants.push_back(bump.take((std::uint64_t{m.layers} + 1) * plan.constants.bytes));
    memory.head_scales.push_back(
        bump.take(plan.numerics.output_scales ? plan.share(c).vocabulary.size() * 4 : 0));
  }
  memory.drawn_experts =
      bump.take(plan.draws_experts ? plan.max_tokens * Plan::expert_draws * plan.expert_list_bytes() : 0);
  const auto first = bump.mark() - chip::address_map::hbm;
  bump.take(round_up(first, lanes.first.stride) - first);
  if (plan.cache.near) {
    const auto bytes = m.layers * plan.kv_layer_bytes();
    std::vector<std::uint32_t> before(lanes.groups);  // clusters that share the lane
    for (std::uint32_t c = 0; c < plan.clusters; ++c)
      plan.cache.lanes[c] = lanes.lane(lanes.group_of[c], bump.mark() + before[lanes.group_of[c]]++ * bytes);
    bump.take(plan.clusters / lanes.groups * bytes);
  }
  if (plan.wide) {
    const auto bytes = residual_bytes(plan, lanes.first);
    std::vector<std::uint32_t> before(lanes.groups);
    for (std::uint32_t c = 0; c < plan.clusters; ++c)
      memory.residual.push_back(
          lanes.lane(lanes.group_of[c], bump.mark() + before[lanes.group_of[c]]++ * bytes));
    bump.take(plan.clusters / lanes.groups * bytes);
  }
  memory.weights = bump.mark();
  memory.weight_bytes = lay_out_weights(plan, lanes, memory.weights);
  bump.take(memory.weight_bytes);
  memory.end = bump.mark();
  const auto size = chip::memory_size(chip).count;
  if (memory.end - chip::address_map::hbm > size)
    throw OutOfMemory(fmt::format("{} needs {:.1f} MiB of memory at a context of {}, the chip has {:.1f} MiB",
                                  m.name, static_cast<double>(memory.end - chip::address_map::hbm) / 0x1p20,
                                  plan.context, static_cast<double>(size) / 0x1p20));
}

}  // namespace forerun::models
