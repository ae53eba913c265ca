// SPDX-License-Identifier: Apache-2.0
/// Steps of many tokens: how rows and columns are shared between clusters, and where things lie meanwhile.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/compiler/arrange.hpp"
#include "models/compiler/placement.hpp"
#include "models/compiler/split.hpp"
#include "models/compiler/wide_attention.hpp"

namespace forerun::models {

struct Plan;

/// A step of many tokens keeps rows in the scratchpads and streams the weights past them. Clusters form a
/// grid of `row_groups` x `column_groups` (arrange.hpp). Column group g has the columns of the `row_groups`
/// clusters from g x row_groups on in steps of few tokens. The clusters of one column group are a chain: the
/// first loads tiles of weights from memory, each other one from the scratchpad of the one before. The
/// clusters of one row group are a team: together they have all columns of their rows. The first loads panels
/// of operands, and each stores them in the scratchpad of the one behind.
///
/// The rows of a group are two runs of consecutive tokens, of which the step has 2 x row_groups: run r and
/// run 2 row_groups - 1 - r, so that all have as many earlier tokens to attend to.
struct Wide {
  std::uint32_t row_groups = 1, column_groups = 1;
  std::vector<Place> places;  ///< by cluster
  std::uint32_t half = 0;     ///< most tokens of a run
  /// Tiles that the first of a chain loads at a time: two from the lanes of two clusters where one lane is
  /// slower than a link of the network.
  std::uint32_t together = 1;
  std::uint32_t rows() const { return 2 * half; }
  /// Rows of a panel, which comes in `panel_parts` equal parts.
  std::uint32_t panel_rows() const { return (rows() + panel_parts - 1) / panel_parts * panel_parts; }
  std::uint32_t tokens() const { return row_groups * rows(); }

  static constexpr std::uint32_t most_blocks = 8, most_slots = 8, panel_parts = 4, tile_parts = 4,
                                 panel_count = 2;

  // Byte addresses in the scratchpad.
  /// Of the projections that add to the residual stream a block for each owner of columns, f32 [rows][columns
  /// of the owner], padded to the parts of a lane; else blocks of sums, f32 [rows][columns of a tile] each,
  /// `block_bytes` apart.
  std::uint32_t sums = 0;
  std::uint32_t block_bytes = 0, block_count = 0;
  /// Blocks of queries, keys and values: behind them lie cosines and sines, f32 [rows][rotated / 2] each.
  std::uint32_t head_blocks = 0;
  std::uint32_t cosines = 0, sines = 0;
  std::uint32_t panels = 0, panel_bytes = 0;  ///< two of operands, [rows][panel_depth]
  std::uint32_t panel_depth = 0;
  std::uint32_t slots_at = 0, slots = 0, slot_bytes = 0;  ///< tiles of weights
  /// Of the layer; attention's norm of the next layer: weights of the group's columns, then biases.
  std::uint32_t constants = 0, next_norm = 0;
  /// Of the layer, for each owner of columns in the group, `Constants::own_bytes()` apart.
  std::uint32_t own_constants = 0;
  AttentionTiles attention;  ///< in the place of sums and panels, and behind the slots
  /// Rows of a block of the residual stream, one of `stream_parts` parts, on their way to the sums.
  std::uint32_t stream = 0, stream_parts = 1;
  std::uint32_t statistics = 0;    ///< sums of squares of rows
  std::uint32_t norm_pieces = 0;   ///< of own columns, that LayerNorm adds up the squares of
  std::uint32_t cache_scales = 0;  ///< of a cache in integers: f32 [block][head][rows]
  // Where operands are quantised on the chip (emit_wide_operands.hpp):
  std::uint32_t operands = 0, operand_bytes = 0;       ///< with scales of tokens, two panels of them
  std::uint32_t peaks = 0;                             ///< largest magnitudes and scales of rows
  std::uint32_t scale_columns = 0;                     ///< groups of inputs of a tile, 1 where there are none
  std::uint32_t temporary = 0, temporary_columns = 0;  ///< f32 [rows][columns]
  std::uint32_t end = 0;

  /// Operands in memory, [row group][panel][strip][rows][columns of a strip], so that a panel comes in one
  /// piece. Clusters store their parts side by side, so parts of different ones begin `skew` bytes further
  /// each: at different ports of the memory.
  std::uint64_t skew = 0;
  std::uint64_t panels_of(std::uint64_t width) const { return divide_up(width, panel_depth); }
  std::uint64_t panel_pitch(std::uint64_t element) const {
    return std::uint64_t{panel_rows()} * panel_depth * element + skew;
  }
  std::uint64_t group_pitch(std::uint64_t width, std::uint64_t element) const {
    return panels_of(width) * panel_pitch(element) + 2 * skew;
  }
};

/// Tiles of a projection that have the same columns.
struct Block {
  Range n;
  std::size_t first = 0, count = 0;  ///< among the projection's tiles
};
std::vector<Block> blocks_of(const std::vector<WeightTile>& tiles);

struct WideRequest {
  std::uint32_t tokens = 0;      ///< of a prompt
  std::uint32_t most = 0;        ///< of a step
  std::uint32_t row_groups = 0;  ///< 0: chosen
  std::uint32_t positions = 0;   ///< of a tile of keys and values; 0: chosen
};
/// The schedule that is estimated to be the fastest for such prompts; nothing if the model, its shares or the
/// scratchpad do not allow any.
std::optional<Wide> choose_wide(const Plan& plan, const chip::Chip& chip, const Lanes& lanes,
                                const WideRequest& request);

/// Estimated seconds of a layer of a prompt of `tokens` tokens, in steps of few tokens as the plan has them,
/// and in steps of many.
double estimate_few(const Plan& plan, const chip::Chip& chip, std::uint32_t tokens);
double estimate_wide(const Plan& plan, const chip::Chip& chip, std::uint32_t tokens);

}  // namespace forerun::models
