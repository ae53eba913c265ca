// SPDX-License-Identifier: Apache-2.0
/// Where cached keys and values lie when they lie near the clusters that read them, and which positions of a
/// sequence a cluster attends to.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/compiler/placement.hpp"

namespace forerun::models {

struct Plan;

/// Near: each cluster has what it reads in its own lane, [layer][sequence][own kv head][keys, values], each
/// `head_bytes` of the lane. In a piece lie the rows of `piece_rows` consecutive positions, in a round those
/// of `round_rows()`; what a piece has beyond them stays unused. So loading and storing some positions takes
/// whole pieces but for the first and last.
///
/// Paged: the cache consists of pages of `page` positions, [layer][page][own kv head][keys, values], which
/// the run-time gives to sequences as they grow (fr_program_header::page_table).
///
/// Where there are more clusters than key/value heads, several of a device may share one: a team. They share
/// the columns of its queries, keys and values, of query heads whole ones or parts of one. Each cluster of
/// the team then has all of the team's queries but only a part of the positions: every `parts`-th round,
/// beginning with that of its number in the team. What it has made of its part, normalised by itself, is put
/// together with the others' by their sums of exponentials.
struct CacheLayout {
  bool near = false;
  std::uint32_t parts = 1;
  std::uint64_t piece_rows = 0;
  std::uint64_t head_bytes = 0;  ///< of a sequence, or of a page
  std::uint64_t heads = 0;       ///< of a cluster, at most
  std::vector<Lane> lanes;       ///< by cluster of the device
  std::uint64_t round_rows() const { return piece_rows * lanes.front().width; }
  /// Positions of its part of a sequence of so many, at most.
  std::uint64_t part_rows(std::uint64_t positions) const {
    return divide_up(positions, round_rows() * parts) * round_rows();
  }
  std::uint64_t sequence_bytes() const { return heads * 2 * head_bytes; }
  std::uint32_t page = 0;   ///< positions, whole rounds of all parts; 0: not paged
  std::uint32_t pages = 0;  ///< of all sequences together
  std::uint64_t pages_of_sequence(std::uint64_t positions) const { return divide_up(positions, page); }
};

/// Clusters for each key/value head, if there are as many for each, all of one device, and each can have as
/// many query heads or as large a part of one as the others; 0 if not. 1 also where clusters have several
/// key/value heads, or none.
std::uint32_t clusters_of_a_head(const Plan& plan);

/// The layout for parts of the context (1: every cluster has all positions of its heads), but for the lanes'
/// places in memory; nothing if a row is longer than a piece, or other clusters read the head too. In pages
/// of `page` positions or some more, if that is not 0.
std::optional<CacheLayout> near_cache(const Plan& plan, const Lanes& lanes, std::uint32_t parts,
                                      std::uint32_t page);

/// Positions of a tile of which `most` fit a slot: whole rounds, and as many in each tile of a page.
std::uint64_t near_tile(const CacheLayout& cache, std::uint64_t most);

/// Pages for sequences of so many positions each; if none are given, of the context.
std::uint32_t pages_of(const CacheLayout& cache, const Plan& plan,
                       const std::vector<std::uint32_t>& sequences);

/// Gives the clusters of each team their part of the keys' and values' columns.
void share_heads_in_teams(Plan& plan);

/// Estimated: whether reading each part once saves more time than putting the parts together takes.
bool parts_pay(const Plan& plan, const chip::Chip& chip, std::uint32_t parts);

}  // namespace forerun::models
