// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/plan.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <string_view>

#include "firmware/abi/command.h"
#include "firmware/abi/program.h"
#include "ip/base/numbers.hpp"
#include "models/compiler/bump.hpp"
#include "models/compiler/memory_layout.hpp"
#include "models/compiler/program.hpp"
#include "platform/chip/address_map.hpp"
#include "platform/chip/names.hpp"

namespace forerun::models {
namespace {

constexpr std::uint64_t scratch_alignment = 64;
constexpr std::uint64_t hidden_granule = 4;  // columns: 16 bytes of a row that clusters exchange
constexpr std::uint64_t ffn_granule = 8, vocabulary_granule = 16, expert_granule = 4;
constexpr std::uint32_t most_slots = 16, largest_slot = 256 << 10, largest_slot_for_many = 128 << 10;
constexpr std::uint32_t few_tokens = 16;

void check_chip_has(const NumberFormats& formats, const chip::Chip& chip) {
  const auto lacking = lacking_formats(formats, chip);
  if (lacking.empty()) return;
  std::vector<std::string_view> has;
  for (const auto f : chip.clusters.tensor.formats) has.push_back(chip::name(f));
  throw CompileError(fmt::format(
      "{} needs {}, which the chip's tensor cores do not multiply; clusters.tensor.formats is [{}]",
      formats.name(), fmt::join(lacking, ", "), fmt::join(has, ", ")));
}

/// Of part `cluster` of `clusters` of all devices; the first on its device has number `first`.
Share make_share(const ModelConfig& m, std::uint32_t clusters, std::uint32_t cluster, std::uint32_t first) {
  const std::uint64_t group = m.heads / m.kv_heads;
  Share s;
  s.heads = share(m.heads, 1, clusters, cluster);
  if (!s.heads.empty()) {
    s.kv_heads = {s.heads.begin / group, (s.heads.end - 1) / group + 1};
    const bool begins = s.heads.begin == share(m.heads, 1, clusters, first).begin;
    s.stored_kv_heads = {begins ? s.kv_heads.begin : divide_up(s.heads.begin, group), s.kv_heads.end};
  }
  const auto query_dim = m.is_latent() ? m.latent.plain_dim + m.latent.rotary_dim : m.head_dim;
  s.query_columns = s.heads.size() * query_dim;
  s.queries = {s.heads.begin * query_dim, s.heads.end * query_dim};
  s.attended = {s.heads.begin * m.value_dim, s.heads.end * m.value_dim};
  s.key_columns = s.kv_heads.size() * m.head_dim;
  s.keys = s.values = {s.kv_heads.begin * m.head_dim, s.kv_heads.end * m.head_dim};
  s.hidden = share(m.hidden, hidden_granule, clusters, cluster);
  if (m.is_latent())
    s.latent = share(std::uint64_t{m.latent.q_rank} + m.latent.kv_rank + m.latent.rotary_dim, hidden_granule,
                     clusters, cluster);
  s.ffn = share(m.ffn, ffn_granule, clusters, cluster);
  s.vocabulary = share(m.vocabulary, vocabulary_granule, clusters, cluster);
  if (m.experts.count != 0) {
    s.experts = share(m.experts.count, expert_granule, clusters, cluster);
    s.expert_ffn = share(m.experts.ffn, ffn_granule, clusters, cluster);
    s.shared_ffn = share(m.experts.shared_ffn, ffn_granule, clusters, cluster);
  }
  return s;
}

/// Whether each device's shares are those of the first, shifted.
bool all_alike(const Plan& plan) {
  for (const auto dimension :
       {&Share::heads, &Share::kv_heads, &Share::stored_kv_heads, &Share::hidden, &Share::ffn,
        &Share::vocabulary, &Share::experts, &Share::expert_ffn, &Share::shared_ffn, &Share::latent})
    for (std::size_t device = plan.clusters; device < plan.shares.size(); device += plan.clusters) {
      std::optional<std::uint64_t> shift;
      for (std::size_t c = 0; c < plan.clusters; ++c) {
        const auto own = plan.shares[device + c].*dimension, first = plan.shares[c].*dimension;
        if (own.size() != first.size()) return false;
        if (own.empty()) continue;
        if (!shift) shift = own.begin - first.begin;
        if (own.begin != first.begin + *shift) return false;
      }
    }
  return plan.devices > 1;
}

void lay_out_constants(Plan& plan) {
  std::uint64_t at = 0;
  const auto take = [&at](std::uint64_t count) {
    const auto offset = at;
    at = round_up(at + count * 4, scratch_alignment);
    return static_cast<std::uint32_t>(offset);
  };
  auto& c = plan.constants;
  c.attention_norm = take(plan.model.hidden);
  c.ffn_norm = take(plan.model.hidden);
  const auto& m = plan.model;
  const auto hidden = plan.widest(&Share::hidden), up = (m.gated ? 2 : 1) * plan.widest(&Share::ffn);
  if (m.norm == NormKind::layer) {
    c.attention_norm_bias = take(m.hidden);
    c.ffn_norm_bias = take(m.hidden);
  }
  if (m.post_norms) {
    c.post_attention_norm = take(m.hidden);
    c.post_ffn_norm = take(m.hidden);
  }
  if (m.qk_norm) {
    c.query_norm = take(m.head_dim);
    c.key_norm = take(m.head_dim);
  }
  if (m.is_latent()) {
    c.q_down_norm = take(m.latent.q_rank);
    c.kv_down_norm = take(m.latent.kv_rank);
  }
  if (m.experts.corrected) c.router_correction = take(m.experts.count);
  c.own = static_cast<std::uint32_t>(at);
  if (m.positions == Positions::alibi) c.slopes = take(plan.widest(&Share::heads));
  if (m.qkv_bias) c.query_key_value_bias = take(plan.widest_qkv());
  if (m.output_bias) c.attention_output_bias = take(hidden);
  if (m.ffn_bias) {
    c.gate_up_bias = take(up);
    c.down_bias = take(hidden);
  }
  if (plan.numerics.output_scales) {
    c.query_key_value = take(plan.widest_qkv());
    c.attention_output = take(hidden);
    c.gate_up = take(up);
    c.down = take(hidden);
  }
  c.bytes = static_cast<std::uint32_t>(at);
}

/// Everything but the ring; returns the bytes used.
std::uint64_t lay_out_scratch(const Plan& plan, Scratch& s) {
  const auto& m = plan.model;
  const std::uint64_t tokens = plan.max_tokens, chunk = plan.max_chunk;
  const std::uint64_t act = plan.activation_bytes(), queries = plan.attended();
  const std::uint64_t group = plan.group(), parts = plan.cache.parts;
  Bump bump(0, scratch_alignment);
  const auto take = [&bump](std::uint64_t bytes) { return static_cast<std::uint32_t>(bump.take(bytes)); };
  const std::uint64_t context = plan.context;
  const auto scored = parts == 1 ? context : std::min(context, plan.cache.part_rows(context) + chunk);
  s.score_stride = static_cast<std::uint32_t>(round_up(scored * 4, scratch_alignment));
  s.residual = take(tokens * m.hidden * 4);
  s.normed = take(tokens * m.hidden * ip::element_bytes(plan.numerics.normed()));
  if (plan.numerics.quantises()) {
    const auto widest = std::max({std::uint64_t{m.hidden}, queries, std::uint64_t{m.ffn}});
    s.quantised = take(tokens * ip::row_bytes(plan.numerics.operand, widest));
    s.row_scales = take(tokens * (plan.numerics.block_scales ? divide_up(widest, plan.numerics.group) : 4));
  }
  const bool alone = plan.clusters == 1 && plan.devices == 1;
  s.inputs = take(alone ? 0
                        : std::max(tokens * std::max(queries, std::uint64_t{m.ffn}) * act,
                                   2 * plan.expert_round_bytes()));
  s.sums = take(tokens * m.hidden * (alone ? act : 4));
  s.cosines = take(tokens * plan.rotated() * 2);
  s.sines = take(tokens * plan.rotated() * 2);
  s.constants = take(2ull * plan.constants.bytes);
  std::uint64_t kv = 0;
  for (const auto& share : plan.shares) kv = std::max(kv, share.key_columns);
  const auto cached = parts > 1 ? tokens : chunk;  // rows
  s.keys = take(cached * kv / m.head_dim * plan.cache_row_bytes());
  s.values = m.is_latent() ? s.keys : take(cached * kv / m.head_dim * plan.cache_row_bytes());
  s.key_scales = take(chunk * kv / m.head_dim * plan.cache_scale_bytes());
  s.value_scales = take(chunk * kv / m.head_dim * plan.cache_scale_bytes());
  s.choice = take(4);
  if (m.is_latent()) {
    const auto own = plan.widest(&Share::heads);
    s.latent_parts = take(tokens * plan.latent_width() * 4);
    s.latent_input = take(tokens * m.latent.q_rank * act);
    s.latent_rows = take(tokens * m.head_dim * act);
    s.latent_queries = take(tokens * own * (m.latent.plain_dim + m.latent.rotary_dim) * act);
    s.latent_product = take(tokens * m.latent.kv_rank * 4);
    s.absorbed = take(tokens * own * m.head_dim * act);
  }
  if (const std::uint64_t experts = m.experts.count; experts != 0) {
    s.router_scores = take(tokens * experts * 4);
    s.expert_choice = take(tokens * experts * 4);
    s.group_choice = take(m.experts.groups > 1 ? 3 * tokens * m.experts.groups * 4 : 0);
    s.expert_weights = take(tokens * experts * 4);
    s.expert_sums = take(std::max(experts, tokens) * 4);
    s.expert_list = take(plan.expert_list_bytes());
    s.mixed = take(tokens * plan.widest(&Share::hidden) * 4);
  }
  if (m.positions == Positions::alibi) s.distances = take(plan.context * 4ull);
  const auto heads = plan.widest(&Share::heads), hidden = plan.widest(&Share::hidden),
             ffn = plan.widest(&Share::ffn);
  if (parts > 1) {
    s.team_rows = take(tokens * (group + 2) * m.head_dim * 4);
    s.parts = take(tokens * parts * plan.combined_heads() * plan.combined_row_bytes());
  }

  const auto common = bump.mark();
  const auto attends = parts > 1 ? group : heads, together = std::min(attends, group);
  const auto attended = plan.widest(&Share::attended);
  const auto expert = plan.widest(&Share::expert_ffn), shared = plan.widest(&Share::shared_ffn);
  std::uint64_t product =
      std::max({plan.widest_qkv(), hidden, plan.widest(&Share::experts), plan.widest(&Share::latent),
                attended, (m.gated ? 2 : 1) * std::max({ffn, expert, shared})});
  s.product = take(tokens * product * 4);
  s.slice = take(std::max(tokens * std::max({attended, ffn, shared}), plan.expert_rows() * expert) * act);
  s.queries = take(cached * attends * m.head_dim * act);
  s.scores = take(together * chunk * s.score_stride);
  s.weighted = take(parts > 1 ? tokens * group * plan.part_row_bytes() : together * chunk * m.head_dim * 4);
  if (parts > 1) {
    s.part_columns = take(2 * tokens * plan.combined_heads() * parts * 4);
    s.part_sums = take(tokens * attended * 4);
  }
  bump.release(common);
  s.embedding_norm = take(m.embedding_norm ? m.hidden * 8ull : 0);
  bump.release(common);
  take(tokens * plan.widest(&Share::vocabulary) * 4);  // the head's product, in the place of all those
  s.last_row = take(std::uint64_t{m.vocabulary} * 4);
  return bump.high();
}

/// Gates, then what they gate, so that tiles of the same columns lie side by side.
std::vector<WeightTile> tile_gates(std::uint64_t inputs, std::uint64_t outputs, const TileLimits& limits) {
  auto tiles = tile_weights(inputs, outputs, limits);
  for (std::size_t i = 0, gates = tiles.size(); i < gates; ++i)
    tiles.push_back({tiles[i].k, {tiles[i].n.begin + outputs, tiles[i].n.end + outputs}});
  return tiles;
}

/// Tiles of all projections, of at most the size of a slot; for steps of many tokens with gates apart, and
/// whole heads.
void cut_tiles(Plan& plan, const chip::Tensor& tensor, bool for_many) {
  const auto& m = plan.model;
  TileLimits limits{plan.scratch.slot_bytes, tensor.rows, std::uint64_t{tensor.columns} * tensor.arrays,
                    plan.tile_format()};
  if (for_many) {
    const std::uint64_t least = std::max(1u, limits.format.group);
    const auto depth = limits.slot_bytes / limits.format.bytes(least, limits.array_columns) * least;
    const auto rows = std::lcm(limits.array_rows, least);
    limits.depth = depth < rows ? depth : depth / rows * rows;
  }
  auto whole_heads = limits;
  if (for_many)
    whole_heads.array_columns = std::max<std::uint64_t>(1, limits.array_columns / m.head_dim) * m.head_dim;
  const bool latent = m.is_latent();
  const auto& l = m.latent;
  plan.projections.clear();
  for (const auto& s : plan.shares)
    plan.projections.push_back(
        {latent ? tile_weights(l.q_rank != 0 ? l.q_rank : m.hidden, s.query_columns, limits)
                : tile_weights(m.hidden, s.qkv_columns(), whole_heads),
         tile_weights(plan.attended(), s.hidden.size(), limits),
         for_many && m.gated ? tile_gates(m.hidden, s.ffn.size(), limits)
                             : tile_weights(m.hidden, plan.up_columns(s), limits),
         tile_weights(m.ffn, s.hidden.size(), limits), tile_weights(m.hidden, s.vocabulary.size(), limits),
         tile_weights(m.hidden, s.latent.size(), limits),
         tile_weights(l.plain_dim, s.heads.empty() ? 0 : l.kv_rank, limits),
         tile_weights(l.kv_rank, s.heads.empty() || !latent ? 0 : m.value_dim, limits),
         tile_weights(m.hidden, s.experts.size(), limits),
         tile_weights(m.hidden, plan.up_columns(s.shared_ffn), limits),
         tile_weights(m.experts.shared_ffn, s.hidden.size(), limits),
         tile_weights(m.hidden, plan.up_columns(s.expert_ffn), limits),
         tile_weights(m.experts.ffn, s.hidden.size(), limits)});
}

/// Tiles of narrower weights take as many inputs as those of 16 bits, because panels of operands are as deep.
std::uint64_t slot_for_many(const Plan& plan, const Lanes& lanes) {
  const auto format = plan.tile_format();
  const std::uint64_t inputs = std::max(1u, format.group), weights = largest_slot_for_many / 2;
  const auto bytes = std::min<std::uint64_t>(largest_slot_for_many,
                                             divide_up(weights * format.bytes(inputs, 8), 8 * inputs));
  return std::min<std::uint64_t>(largest_slot_for_many, round_up(bytes, lanes.first.granule(bytes)));
}

/// Steps of up to `most_tokens` tokens, fewer if the scratchpad is small.
void choose_steps(Plan& plan, const chip::Chip& chip, std::uint32_t most_tokens, const Lanes& lanes,
                  bool for_many = false) {
  const auto scratch_bytes = chip.clusters.scratchpad.size.count;
  std::uint64_t used = 0;
  for (const std::uint32_t tokens : {512u, 256u, 128u, 64u, 32u, 16u, 8u, 4u, 2u, 1u}) {
    plan.max_chunk = std::min({tokens, plan.context, most_tokens});
    plan.max_tokens = std::max(plan.max_chunk, plan.sequences);
    used = lay_out_scratch(plan, plan.scratch);
    if (used <= scratch_bytes / 4 * 3) break;
  }
  const auto ring = used < scratch_bytes ? scratch_bytes - used : 0;
  auto& s = plan.scratch;
  s.ring = static_cast<std::uint32_t>(used);
  s.slot_bytes = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(ring / 8 / 256 * 256, for_many ? slot_for_many(plan, lanes) : largest_slot));
  s.slot_bytes -= s.slot_bytes % static_cast<std::uint32_t>(lanes.first.granule(s.slot_bytes));
  const auto least = plan.scaled_row_bytes();
  if (s.slot_bytes < std::max<std::uint64_t>(least, 256))
    throw CompileError(fmt::format(
        "{} needs more than the {} bytes of a cluster's scratchpad: {} for one token of {} at a "
        "context of {}, and 8 "
        "buffers of {} bytes for weights",
        plan.model.name, scratch_bytes, used,
        plan.sequences == 1 ? "one sequence" : fmt::format("each of {} sequences", plan.sequences),
        plan.context, std::max<std::uint64_t>(least, 256)));
  s.slots = static_cast<std::uint32_t>(std::min<std::uint64_t>(most_slots, ring / s.slot_bytes));
  s.end = s.ring + s.slots * s.slot_bytes;
  plan.cache_tile = static_cast<std::uint32_t>(
      plan.cache.near ? near_tile(plan.cache, s.slot_bytes / least)
                      : std::min<std::uint64_t>(plan.context, s.slot_bytes / least));
  cut_tiles(plan, chip.clusters.tensor, for_many);
}

/// Adds steps of many tokens for prompts of `wanted` tokens: where they are estimated to be faster, or as
/// they are asked for, of up to `most` tokens. The other steps then leave room for large tiles of weights.
void choose_steps_of_many(Plan& plan, const chip::Chip& chip, std::uint32_t wanted, std::uint32_t most,
                          const CompileOptions& options, const Lanes& lanes) {
  const auto row_groups = options.page_positions == 0 ? options.row_groups : 0;
  const auto few = std::max(plan.choices, row_groups ? std::clamp(wanted / 2, 1u, few_tokens) : few_tokens);
  if (row_groups.value_or(0) > 0) {
    if (plan.keep_logits)
      throw CompileError("there are no steps of many tokens with the logits of all positions");
    if (wanted <= few)
      throw CompileError(
          fmt::format("prompts of {} tokens are too short for steps of many, of more than {}", wanted, few));
    if (plan.devices > 1)
      throw CompileError("there are no steps of many tokens on several devices (devices)");
  }
  if (plan.keep_logits || row_groups == 0u || wanted <= few) return;
  if (plan.launches) {  // clusters that hand tiles on to one another are no launches
    if (row_groups)
      throw CompileError(
          "there are no steps of many tokens on a chip that launches what follows an exchange "
          "(clusters.command.launch)");
    return;
  }
  // Arrays in RTL apply no scales: they would leave these products of integers to the model.
  const bool rtl = chip.clusters.tensor.model != chip::TensorModel::tlm;
  if (rtl && !row_groups && plan.numerics.sum() == FR_TYPE_I32) return;
  const auto otherwise = plan;
  const auto time = estimate_few(plan, chip, wanted);
  choose_steps(plan, chip, few, lanes, true);
  plan.wide = choose_wide(plan, chip, lanes,
                          {wanted, most, row_groups.value_or(0), options.tile_positions.value_or(0)});
  if (row_groups) {
    if (!plan.wide)
      throw CompileError(
          fmt::format("there are no steps of many tokens for {} with {} groups of rows on this chip",
                      plan.model.name, *row_groups));
    return;
  }
  if (!plan.wide || estimate_wide(plan, chip, wanted) >= time) plan = otherwise;
}

/// Why attention cannot be cut into parts of the context, with so many clusters for a head; empty if it can.
std::string_view why_not_in_parts(const Plan& plan, std::uint32_t clusters) {
  const auto& m = plan.model;
  if (plan.wide) return "there are steps of many tokens";
  if (m.is_latent()) return "its attention is latent";
  if (plan.numerics.cache_scales) return "its cache is in integers";
  if (plan.launches) return "the chip launches what follows an exchange";
  if (m.positions == Positions::alibi) return "its scores have linear biases";
  if (std::any_of(m.windows.begin(), m.windows.end(), [](auto w) { return w != 0; }))
    return "it has sliding windows";
  if (clusters == 0)
    return "key/value heads do not all have as many clusters, of one device, with equal parts of their "
           "columns";
  return clusters == 1 ? "no cluster shares a key/value head with another one" : "";
}

/// Puts the cache near the clusters that read it where that can be, and cuts attention into parts of the
/// context where that is estimated to be faster, or as it is asked for.
void choose_cache(Plan& plan, const chip::Chip& chip, std::uint32_t wanted, const CompileOptions& options,
                  const Lanes& lanes) {
  const auto& m = plan.model;
  const auto& parts = options.context_parts;
  const auto page = options.page_positions;
  const CompileError no_pages(
      fmt::format("the cache of {} cannot be paged on this chip: pages lie near the clusters that read them, "
                  "which each need whole key/value heads or parts of the context, not in integers, and a "
                  "scratchpad that holds some rows",
                  m.name));
  const bool lies_near = !plan.wide && !m.is_latent() && !plan.numerics.cache_scales;
  const auto clusters = lies_near ? clusters_of_a_head(plan) : 0;
  const auto why_not = why_not_in_parts(plan, clusters);
  const auto most = why_not.empty() ? clusters : 1;
  if (parts && *parts != 1 && *parts != most)
    throw CompileError(fmt::format(
        "attention of {} cannot be cut into {} parts of the context on this chip: expected {}", m.name,
        *parts, most == 1 ? fmt::format("1, because {}", why_not) : fmt::format("1 or {}", most)));
  const bool pays = most > 1 && (page != 0 || parts_pay(plan, chip, most));
  const auto chosen = parts ? *parts : pays ? most : 1;
  if (clusters == 0 || (clusters > 1 && chosen == 1)) {
    if (page != 0) throw no_pages;
    return;
  }
  auto layout = near_cache(plan, lanes, chosen, std::min(page, plan.context));
  if (!layout) {
    if (page != 0) throw no_pages;
    return;
  }
  if (page != 0) layout->pages = pages_of(*layout, plan, options.sequence_positions);
  const auto otherwise = plan;
  plan.cache = *layout;
  if (chosen > 1) share_heads_in_teams(plan);
  try {
    choose_steps(plan, chip, wanted, lanes);
  } catch (const CompileError&) {  // the scratchpad is too small
    if ((parts && *parts > 1) || page != 0) throw;
    plan.cache_tile = 0;
  }
  if (plan.cache_tile == 0 && page != 0) throw no_pages;
  if (plan.cache_tile == 0) plan = otherwise;
}

}  // namespace

unsigned Plan::activation_bytes() const { return ip::element_bytes(numerics.activation); }
std::uint64_t Plan::cache_row_bytes() const { return ip::row_bytes(numerics.cache, model.head_dim); }
TileFormat Plan::tile_format() const {
  const bool scales = numerics.group_scale != FR_NO_TYPE;
  return {ip::element_bits(numerics.weight), numerics.group,
          scales ? ip::element_bytes(numerics.group_scale) : 0};
}

std::uint64_t Plan::widest(Range Share::*dimension) const {
  std::uint64_t most = 0;
  for (const auto& share : shares) most = std::max(most, (share.*dimension).size());
  return most;
}

std::uint64_t Plan::expert_round_bytes() const {
  const auto& e = model.experts;
  return round_up(
      std::max(expert_rows() * e.ffn, std::uint64_t{max_tokens} * e.shared_ffn) * activation_bytes(),
      scratch_alignment);
}

std::uint64_t Plan::widest_qkv() const {
  std::uint64_t most = 0;
  for (const auto& share : shares) most = std::max(most, share.qkv_columns());
  return most;
}

Plan make_plan(const ModelConfig& model, const chip::Chip& chip, const CompileOptions& options) {
  const auto context = options.context == 0 ? model.max_positions : options.context;
  Plan plan;
  plan.model = model;
  if (model.has_experts(0)) plan.model.ffn = 0;  // there is no dense layer
  if (model.is_latent()) {                       // what is cached is one head
    plan.model.kv_heads = 1;
    plan.model.head_dim = model.latent.kv_rank + model.latent.rotary_dim;
  }
  plan.draws_experts = !options.data && model.experts.count != 0;
  plan.formats = options.format;
  plan.numerics = numerics_for(options.format);
  check_chip_has(options.format, chip);
  const auto& n = plan.numerics;
  if (n.quantises() || n.output_scales || n.scales_groups() || (model.is_latent() && n.cache != n.activation))
    if (model.experts.count != 0 || model.is_latent())
      throw CompileError(fmt::format(
          "{} cannot be compiled for {} yet, because it has {}; fp32, fp16 and bf16 can be chosen",
          model.name, options.format.name(), model.is_latent() ? "latent attention" : "experts"));
  if (context == 0 || context > model.max_positions)
    throw CompileError(fmt::format("a context of {} positions was asked for; {} has 1 to {}", context,
                                   model.name, model.max_positions));
  plan.context = context;
  if (options.sequences == 0 || options.sequences > FR_PROGRAM_SEQUENCES)
    throw CompileError(fmt::format("{} sequences were asked for; a program has 1 to {}", options.sequences,
                                   +FR_PROGRAM_SEQUENCES));
  plan.sequences = options.sequences;
  plan.keep_logits = options.keep_logits && options.sequences == 1;
  plan.devices = chip.devices;
  plan.device = options.device;
  plan.columns = chip.link.topology == chip::LinkTopology::torus ? chip.link.columns : chip.devices;
  plan.clusters = static_cast<std::uint32_t>(
      std::min<std::uint64_t>(chip.clusters.count, divide_up(model.hidden, hidden_granule) / plan.devices));
  if (plan.clusters == 0 || model.heads < plan.devices)
    throw CompileError(
        fmt::format("{} cannot be shared between {} devices (devices): it has {} heads and {} "
                    "columns, and a device takes one head and {} columns at least",
                    model.name, plan.devices, model.heads, model.hidden, hidden_granule));
  const auto parts = plan.devices * plan.clusters;
  for (std::uint32_t c = 0; c < parts; ++c)
    plan.shares.push_back(make_share(plan.model, parts, c, c / plan.clusters * plan.clusters));
  for (std::uint32_t c = 0; c < plan.clusters; ++c)
    if (const auto heads = plan.share(c).kv_heads; !heads.empty())
      plan.kv_heads = {plan.kv_heads.empty() ? heads.begin : plan.kv_heads.begin, heads.end};
  plan.symmetric = all_alike(plan);
  plan.everyone = window_of_all(chip, plan.clusters);
  plan.launches = chip.clusters.command.launch.picoseconds > 0;
  lay_out_constants(plan);
  const auto lanes = make_lanes(chip, plan.clusters);
  plan.choices = options.choices;
  if (plan.choices == 0 || plan.choices > context || (plan.choices > 1 && plan.sequences > 1))
    throw CompileError(fmt::format(
        "steps that choose {} tokens were asked for; expected {}", plan.choices,
        plan.sequences > 1 ? "1 of each sequence" : fmt::format("1 to {}, the context", context)));
  const auto wanted =
      std::min(context, options.max_tokens == 0 ? context : std::max(options.max_tokens, options.choices));
  // Memory may have room for shorter steps only, or for steps of few tokens.
  const auto before = plan;
  for (auto most = wanted;; most = std::min(most, plan.wide->tokens()) / 2) {
    plan = before;
    choose_steps(plan, chip, wanted, lanes);
    if (most > few_tokens || options.row_groups)
      choose_steps_of_many(plan, chip, wanted, most, options, lanes);
    choose_cache(plan, chip, wanted, options, lanes);
    if (plan.max_chunk < plan.choices)
      throw CompileError(
          fmt::format("{} has steps of {} tokens on this chip, too few to choose {} in one (drafted ones and "
                      "one more)",
                      model.name, plan.max_chunk, plan.choices));
    plan.memory.begin = options.drafts_for == nullptr
                            ? chip::address_map::hbm
                            : round_up(std::max(options.drafts_for->header.memory_end, options.drafts_from),
                                       memory_alignment);
    try {
      lay_out_memory(plan, chip, lanes);
      return plan;
    } catch (const OutOfMemory&) {
      if (!plan.wide || options.row_groups) throw;
    }
  }
}

}  // namespace forerun::models
