// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/cache.hpp"

#include <algorithm>
#include <limits>

#include "models/compiler/plan.hpp"

namespace forerun::models {
namespace {

/// Assumed: of each of the two exchanges of a layer, and of a sequence's commands more than without parts.
constexpr double exchange_seconds = 1e-6, sequence_seconds = 0.5e-6;

}  // namespace

std::uint32_t clusters_of_a_head(const Plan& plan) {
  const auto& m = plan.model;
  const std::uint64_t group = plan.group(), clusters = plan.shares.size() / m.kv_heads;
  const bool alone = std::all_of(plan.shares.begin(), plan.shares.end(), [group](const Share& s) {
    return s.heads.begin % group == 0 && s.heads.size() % group == 0;
  });
  if (alone) return 1;
  if (clusters < 2 || plan.shares.size() % m.kv_heads != 0 || plan.clusters % clusters != 0 ||
      (group % clusters != 0 && clusters % group != 0) || m.head_dim * group % clusters != 0 ||
      2 * m.head_dim % clusters != 0)
    return 0;
  return static_cast<std::uint32_t>(clusters);
}

std::optional<CacheLayout> near_cache(const Plan& plan, const Lanes& lanes, std::uint32_t parts,
                                      std::uint32_t page) {
  CacheLayout layout;
  layout.near = true;
  layout.parts = parts;
  layout.heads = plan.widest(&Share::kv_heads);  // all devices have the same layout
  layout.lanes.assign(plan.clusters, lanes.first);
  layout.piece_rows = lanes.first.piece / plan.cache_row_bytes();
  // Some fields of commands have 32 bits.
  constexpr std::uint64_t most = std::numeric_limits<std::int32_t>::max();
  if (layout.piece_rows == 0 || layout.heads == 0 || lanes.first.stride > most) return std::nullopt;
  if (page != 0) layout.page = static_cast<std::uint32_t>(round_up(page, layout.round_rows() * parts));
  const std::uint64_t positions = page != 0 ? layout.page : plan.context;
  layout.head_bytes = layout.part_rows(positions) / layout.round_rows() * lanes.first.stride;
  if (layout.sequence_bytes() > most) return std::nullopt;
  return layout;
}

std::uint64_t near_tile(const CacheLayout& cache, std::uint64_t most) {
  const auto rounds = most / cache.round_rows();
  if (cache.page == 0 || rounds == 0) return rounds * cache.round_rows();
  const auto of_page = cache.page / cache.parts / cache.round_rows();
  auto of_tile = std::min(rounds, of_page);
  while (of_page % of_tile != 0) --of_tile;
  return of_tile * cache.round_rows();
}

std::uint32_t pages_of(const CacheLayout& cache, const Plan& plan,
                       const std::vector<std::uint32_t>& sequences) {
  std::uint64_t pages = 0;
  for (const auto positions : sequences) pages += cache.pages_of_sequence(positions);
  if (sequences.empty()) pages = plan.sequences * cache.pages_of_sequence(plan.context);
  return static_cast<std::uint32_t>(pages);
}

void share_heads_in_teams(Plan& plan) {
  const std::uint64_t parts = plan.cache.parts, width = plan.model.head_dim, own = 2 * width / parts,
                      queries = plan.group() * width / parts;
  for (std::size_t c = 0; c < plan.shares.size(); ++c) {
    auto& share = plan.shares[c];
    share.kv_heads = share.stored_kv_heads = {c / parts, c / parts + 1};
    share.queries = share.attended = {c * queries, (c + 1) * queries};
    share.heads = {share.queries.begin / width, divide_up(share.queries.end, width)};
    share.query_columns = queries;
    share.key_columns = width;
    // Of the head's keys and values side by side.
    const auto begin = c % parts * own, end = begin + own, first = share.kv_heads.begin * width;
    share.keys = {first + std::min(begin, width), first + std::min(end, width)};
    share.values = {first + std::max(begin, width) - width, first + std::max(end, width) - width};
  }
}

bool parts_pay(const Plan& plan, const chip::Chip& chip, std::uint32_t parts) {
  const auto& m = plan.model;
  const double lane = chip::peak_memory_bandwidth(chip).bytes_per_second / plan.clusters;
  // Weights for the columns that the clusters with query heads have more: they hold up the others. What is
  // cached they read once each, from all ports.
  const auto queries = plan.widest(&Share::queries) - std::uint64_t{m.head_dim} * plan.group() / parts;
  const auto weights =
      static_cast<double>(plan.tile_format().bytes(m.hidden, 2ull * m.head_dim)) * (1 - 1.0 / parts) +
      static_cast<double>(plan.tile_format().bytes(m.hidden, queries));
  const auto cached = 2.0 * plan.sequences * plan.context * static_cast<double>(plan.cache_row_bytes());
  const double copies = std::min(plan.group(), parts);
  return (weights + cached * (copies - 1) / parts) / lane >
         2 * exchange_seconds + plan.sequences * sequence_seconds;
}

}  // namespace forerun::models
