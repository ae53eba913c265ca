// SPDX-License-Identifier: Apache-2.0
/// Steps of many tokens: how attention is cut into units, pieces and tiles (emit_wide_attention.hpp), and
/// where they lie in the scratchpad.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "platform/chip/chip.hpp"

namespace forerun::models {

struct Plan;

struct AttentionTiles {
  std::uint32_t unit_rows = 0;   ///< most rows of a run that keys and values go past at a time
  std::uint32_t piece_rows = 0;  ///< most of these, of one head, that are multiplied at a time
  std::uint32_t positions = 0;   ///< of a tile; the context, where one holds all

  // Byte addresses in the scratchpad.
  /// Two of each, [positions][head_dim], and behind them the scales of positions, if the cache has such.
  std::uint32_t keys = 0, values = 0, tile_bytes = 0;
  std::uint32_t scores = 0, score_stride = 0, score_bytes = 0;  ///< two, f32 [piece_rows][positions]
  std::uint32_t states = 0, sums = 0;           ///< of pieces: f32 [piece_rows][2], f32 [piece_rows]
  std::uint32_t queries = 0, query_bytes = 0;   ///< two, [head][unit_rows][head_dim]
  std::uint32_t outputs = 0, output_bytes = 0;  ///< of pieces: f32 [piece_rows][head_dim]
  std::uint32_t end = 0;                        ///< of them all
  double cycles = 0;                            ///< estimated, of a row of a head
};

/// Cycles of a row of a head in steps of few tokens, where arrays and lanes work one after the other.
double few_attention_cycles(const Plan& plan, const chip::Chip& chip, std::uint32_t tokens);

/// A part of the scratchpad that attention may use.
struct Area {
  std::uint64_t at, bytes;
};

/// What there has to be in one area for any prompt.
std::uint64_t least_attention_bytes(const Plan& plan, std::uint32_t half);

/// The fastest by a small model of arrays, lanes and loads for runs of up to `half` rows of a prompt of
/// `tokens`, in what the areas have room for. Tiles have so many positions, if these are not 0.
std::optional<AttentionTiles> choose_attention(const Plan& plan, const chip::Chip& chip, std::uint32_t half,
                                               std::uint32_t tokens, std::uint32_t positions,
                                               std::vector<Area> areas);

}  // namespace forerun::models
