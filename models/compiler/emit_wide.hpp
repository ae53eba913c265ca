// SPDX-License-Identifier: Apache-2.0
/// Steps of many tokens (wide.hpp): the stream of weights through a chain of clusters. Private to emit.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "models/compiler/emit_attention.hpp"
#include "models/compiler/wide.hpp"

namespace forerun::models::emission {

/// Registers that steps of few tokens do not use, and some of theirs by another name.
enum WideRegister : unsigned {
  half = chunk_sequence + 1,  ///< tokens of a run
  rows,                       ///< of this row group: those of its two runs
  rows0,                      ///< of its first run
  rows1,
  first0,  ///< token of the step with which the run begins
  first1,
  row_count,
  cache_scales_offset = row_count + 2,  ///< behind `tile_slot` (emit_wide_attention.hpp)
  layer_weights = weight_offset,
  part_rows = use_slot,  ///< rows of a part of a panel
};

enum WideSemaphore : std::uint8_t {
  tile_full = 20,  ///< a tile is in its slot
  tile_loaded,     ///< the same, for those who pass it on
  tile_there,      ///< from the one before in the chain: it has the tile
  tile_copied,     ///< from the one behind: it has it too
  tile_used,       ///< multiplied
  slot_free,       ///< both; slots become free in the order of their use
  panel_full,      ///< a panel of the operand is there
  panel_loaded,    ///< a part of it, for those who pass it on
  panel_pushed,    ///< all of it, to the one behind
  panel_room,      ///< from the one behind: there is room for a panel
  panel_used,      ///< multiplied
  panel_free,
  block_free,    ///< by the vector engine; blocks become free in the order of their use
  block_stored,  ///< the same by the store engine
  block_full,
  block_added,  ///< the residual stream, to a block of sums
  stream_free,
  stream_full,  ///< a part of the residual stream is there
  squares_made,
  squares_full,
  squares_posted,
  norm_free,     ///< half of the place of the panels, for normalised columns
  queries_free,  ///< the place of queries, and of what attention gives
  result_made,   ///< there is something to store
  keys_full,
  keys_free,
  values_full,
  values_free,
  scores_free,
  scores_full,
  weights_full,  ///< probabilities
  output_full,
  layer_constants_full,
  cache_posted,
  heads_posted,
  normed_posted,
  hidden_posted,
  rows_posted,
  scales_full,   ///< of the layer's weights
  operand_full,  ///< a panel has been quantised
  operand_free,
  peaks_made,           ///< largest magnitudes of rows
  other_squares_posted  ///< where norms tell twice
};
static_assert(+other_squares_posted < +FR_SEMAPHORES && +row_count < +FR_REGISTERS);

class WideEmitter : public AttentionEmitter {
 public:
  using AttentionEmitter::AttentionEmitter;

 protected:
  /// A tile of weights on its way: where it lies in memory, and what is made with it.
  struct Unit {
    std::uint32_t owner;   ///< cluster whose lane has it
    std::uint64_t offset;  ///< in that lane, from the layer's first tile
    WeightTile tile;
    std::size_t work;       ///< number of the piece of work it belongs to
    std::size_t column;     ///< of that
    bool last;              ///< of a sum over k
    std::size_t panel = 0;  ///< of the operand, among all that are loaded for this projection
    Matrix sums{};
    std::uint32_t slot = 0;
    std::uint32_t scales = 0;  ///< of its outputs, where they have such
  };
  using Together = std::vector<Unit>;
  /// A block of an owner's columns.
  struct Columns {
    std::uint32_t owner;
    const std::vector<WeightTile>* tiles;
    std::uint64_t offset;  ///< of the first of `tiles`
    Block block;
  };
  /// Blocks whose results are stored together, in steps of `step`: one block, or a gate and its up.
  struct Work {
    std::vector<Columns> columns;
    std::size_t step = 1;
  };

  const Wide& wide() const { return *plan_.wide; }
  const Place& place() const { return wide().places[cluster_]; }
  std::uint32_t row_group() const { return place().row_group; }
  std::uint32_t column_group() const { return place().column_group; }
  std::uint32_t first_owner() const { return column_group() * wide().row_groups; }
  bool begins_chain() const { return place().chain_before == Place::none; }
  bool ends_chain() const { return place().chain_behind == Place::none; }
  bool begins_team() const { return place().team_before == Place::none; }
  bool ends_team() const { return place().team_behind == Place::none; }
  /// The cluster of this row group that is in a column group.
  std::uint32_t teammate(std::uint32_t group) const {
    std::uint32_t cluster = 0;
    while (wide().places[cluster].row_group != row_group() || wide().places[cluster].column_group != group)
      ++cluster;
    return cluster;
  }
  /// The hidden columns of a column group.
  Range group_hidden(std::uint32_t group) const {
    const auto first = group * wide().row_groups;
    return {plan_.share(first).hidden.begin, plan_.share(first + wide().row_groups - 1).hidden.end};
  }
  /// Row of this row group's first row in buffers of all rows.
  std::uint64_t base_row() const { return std::uint64_t{row_group()} * wide().rows(); }

  /// A vector operation over the rows of this row group.
  static Patch all_rows() { return FR_PATCH(fr_vector, rows, rows, 1); }

  // Weights

  std::uint64_t advance_of(const Lane& lane, const std::vector<WeightTile>& tiles, std::size_t count) const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < count; ++i) sum += lane.advance(plan_.tile_bytes(tiles[i]));
    return sum;
  }
  std::uint64_t layer_advance(std::uint32_t owner) const {
    const auto& p = plan_.tiles(owner);
    std::uint64_t sum = 0;
    for (const auto* tiles : {&p.query_key_value, &p.attention_output, &p.gate_up, &p.down})
      sum += advance_of(memory_.lanes[owner], *tiles, tiles->size());
    return sum;
  }
  std::uint64_t offset_of(std::uint32_t owner, const std::vector<WeightTile> Projections::*projection) const {
    const auto& p = plan_.tiles(owner);
    std::uint64_t sum = 0;
    for (const auto tiles : {&Projections::query_key_value, &Projections::attention_output,
                             &Projections::gate_up, &Projections::down}) {
      if (tiles == projection) break;
      sum += advance_of(memory_.lanes[owner], p.*tiles, (p.*tiles).size());
    }
    return sum;
  }
  Unit unit_of(const Work& work, std::size_t number, std::size_t column, std::size_t i) const {
    const auto& c = work.columns[column];
    const auto at = c.block.first + i;
    Unit unit{c.owner,        c.offset + advance_of(memory_.lanes[c.owner], *c.tiles, at),
              (*c.tiles)[at], number,
              column,         i + 1 == c.block.count};
    if (plan_.numerics.output_scales) unit.scales = own_constant(c.owner, scales_of(c), c.block.n.begin).at;
    return unit;
  }
  /// Among the constants.
  std::uint32_t scales_of(const Columns& c) const {
    const auto& p = plan_.tiles(c.owner);
    const auto& at = plan_.constants;
    return c.tiles == &p.query_key_value    ? at.query_key_value
           : c.tiles == &p.attention_output ? at.attention_output
           : c.tiles == &p.gate_up          ? at.gate_up
                                            : at.down;
  }
  /// Of an owner's columns from `column` on, what is at `offset` among the constants.
  Matrix own_constant(std::uint32_t owner, std::uint32_t offset, std::uint64_t column) const {
    return {wide().own_constants + (owner - first_owner()) * plan_.constants.own_bytes() + offset -
                plan_.constants.own + u32(column * 4),
            0, FR_TYPE_F32};
  }
  /// Two pieces of work can share their loads when their tiles are alike and lie at the same places of two
  /// lanes, layer by layer.
  bool alike(const Work& a, const Work& b) const {
    if (a.columns.size() != b.columns.size() || a.step != b.step) return false;
    for (std::size_t i = 0; i < a.columns.size(); ++i) {
      const auto &x = a.columns[i], &y = b.columns[i];
      if (x.owner == y.owner || x.block.count != y.block.count ||
          layer_advance(x.owner) != layer_advance(y.owner))
        return false;
      for (std::size_t t = 0; t < x.block.count; ++t)
        if (plan_.tile_bytes((*x.tiles)[x.block.first + t]) !=
            plan_.tile_bytes((*y.tiles)[y.block.first + t]))
          return false;
    }
    return true;
  }
  /// With up to `most` blocks each.
  std::vector<std::vector<std::size_t>> pairs_of(const std::vector<Work>& works, std::size_t most) const {
    std::vector<std::vector<std::size_t>> pairs;
    for (std::size_t i = 0; i < works.size(); ++i) {
      pairs.push_back({i});
      if (wide().together == 2 && i + 1 < works.size() && 2 * works[i].columns.size() <= most &&
          alike(works[i], works[i + 1]))
        pairs.back().push_back(++i);
    }
    return pairs;
  }

  // Loads of tiles and of panels take turns piece by piece, because they come over different links of the
  // network: one after the other each would wait for its own.
  struct Load {
    fr_copy copy;
    Sync sync;
    std::vector<Patch> patches;
  };
  struct Post {
    std::uint32_t cluster;
    WideSemaphore semaphore;
    Sync sync;
  };
  void flush_loads() {
    std::size_t tile = 0, panel = 0;
    const auto tiles = tile_loads_.size(), panels = panel_loads_.size();
    while (tile < tiles || panel < panels) {
      const bool takes_tile = panel == panels || (tile < tiles && (tile + 1) * panels <= (panel + 1) * tiles);
      const auto& l = takes_tile ? tile_loads_[tile++] : panel_loads_[panel++];
      out_.add(FR_OP_LOAD, l.copy, l.sync, l.patches);
    }
    for (const auto& post : posts_) post_at_once(post.cluster, post.semaphore, post.sync);
    tile_loads_.clear();
    panel_loads_.clear();
    posts_.clear();
  }

  /// Loads tiles into the next slots, and tells the neighbours in the chain.
  void issue(Together& tiles) {
    for (auto& unit : tiles) {
      unit.slot = next_slot_;
      next_slot_ = (next_slot_ + 1) % wide().slots;
    }
    if (begins_chain())
      load_tiles(tiles);
    else
      copy_tiles(tiles);
    if (begins_chain() && ends_chain()) return;
    for (std::size_t i = 0; i < tiles.size(); ++i) {
      Sync loaded{{{tile_loaded, 1}}, {}};
      if (!ends_chain()) posts_.push_back({place().chain_behind, tile_there, std::exchange(loaded, {})});
      if (!begins_chain()) posts_.push_back({place().chain_before, tile_copied, loaded});
    }
  }
  std::uint32_t slot_at(const Unit& unit) const { return wide().slots_at + unit.slot * wide().slot_bytes; }
  /// Signals that tiles are there.
  std::vector<fr_semaphore_use> tiles_came(std::uint8_t count) const {
    std::vector<fr_semaphore_use> signals{{tile_full, count}};
    if (!begins_chain() || !ends_chain()) signals.push_back({tile_loaded, count});
    return signals;
  }
  /// From memory.
  void load_tiles(const Together& tiles) {
    const auto count = static_cast<std::uint8_t>(tiles.size());
    const auto& first = tiles.front();
    const auto& lane = memory_.lanes[first.owner];
    const auto bytes = plan_.tile_bytes(first.tile);
    const auto rounds = lane.rounds(bytes);
    if (loads_from_ != first.owner) {
      flush_loads();
      out_.scalar(FR_SCALAR_MUL, layer_weights, layer, none,
                  static_cast<std::int64_t>(layer_advance(first.owner)));
      loads_from_ = first.owner;
    }
    const auto parts = rounds % Wide::tile_parts == 0 ? Wide::tile_parts : 1;
    for (std::uint32_t part = 0; part < parts; ++part) {
      const auto part_rounds = rounds / parts;
      const auto width = lane.linear() ? 1 : lane.width;
      auto c = run_of(lane.base + first.offset + part * part_rounds * lane.stride,
                      slot_at(first) + u32(part * part_rounds * width * lane.part_bytes(bytes)),
                      lane.part_bytes(bytes));
      c.size1 = u32(width);
      c.local_stride1 = narrow(c.bytes);
      c.global_stride1 = static_cast<std::int64_t>(lane.step);
      c.size2 = u32(part_rounds);
      c.local_stride2 = narrow(std::uint64_t{c.bytes} * c.size1);
      c.global_stride2 = static_cast<std::int64_t>(lane.stride);
      Sync sync;
      if (part == 0) sync.wait.push_back({slot_free, count});
      if (part + 1 == parts) sync.signal = tiles_came(count);
      if (tiles.size() == 2) {
        const auto& second = tiles[1];
        c.size1 = 2;
        c.local_stride1 =
            static_cast<std::int32_t>(slot_at(second)) - static_cast<std::int32_t>(slot_at(first));
        c.global_stride1 = static_cast<std::int64_t>(memory_.lanes[second.owner].base + second.offset) -
                           static_cast<std::int64_t>(lane.base + first.offset);
        c.local_stride2 = narrow(c.bytes);
      }
      tile_loads_.push_back({c, sync, {FR_PATCH(fr_copy, global, layer_weights, 1)}});
    }
  }
  /// From the one before in the chain.
  void copy_tiles(const Together& tiles) {
    for (const auto& unit : tiles) {
      const auto bytes = plan_.tile_bytes(unit.tile);
      const auto part_bytes = round_up(divide_up(bytes, Wide::tile_parts), 64);
      for (std::uint64_t from = 0; from < bytes; from += part_bytes) {
        const auto at = slot_at(unit) + u32(from);
        Sync sync;
        if (from == 0) sync.wait = {{tile_there, 1}, {slot_free, 1}};
        if (from + part_bytes >= bytes) sync.signal = tiles_came(1);
        tile_loads_.push_back({run_of(chip::address_map::scratchpad(place().chain_before) + at, at,
                                      std::min(part_bytes, bytes - from)),
                               sync,
                               {}});
      }
    }
  }
  /// A post that does not wait for stores.
  void post_at_once(std::uint32_t cluster, WideSemaphore semaphore, const Sync& sync) {
    fr_collective c{};
    c.members = c.columns = 1;
    c.post = chip::address_map::cluster_registers(cluster) + FR_CLUSTER_POST;
    c.post_count = 1;
    c.semaphore = semaphore;
    out_.add(FR_OP_ALL_GATHER, c, sync);
  }
  /// When a tile has been multiplied, and copied by the one behind.
  void free_slot() {
    // By the engine with the least to do: a NOP among loads would let no load begin before the end of the
    // last.
    if (!ends_chain()) out_.add(FR_OP_VECTOR_NOP, {{{tile_used, 1}, {tile_copied, 1}}, {{slot_free, 1}}});
  }

  /// Streams tiles through the slots, as many ahead as there is room. `operands` comes when the first are on
  /// their way, `before` and `product` with each of them.
  void stream(std::vector<Together> loads, const std::function<void()>& operands,
              const std::function<void(const Unit&)>& before, const std::function<void(Unit&)>& product) {
    loads_from_ = ~std::uint32_t{0};
    std::size_t ahead = 0, room = wide().slots;
    const auto fill = [&] {
      for (; ahead < loads.size() && loads[ahead].size() <= room; ++ahead) {
        room -= loads[ahead].size();
        issue(loads[ahead]);
      }
    };
    fill();
    flush_loads();
    operands();
    for (auto& together : loads)
      for (auto& unit : together) {
        before(unit);
        flush_loads();
        product(unit);
        ++room;
        fill();
      }
    flush_loads();
  }

  std::uint32_t next_slot_ = 0, loads_from_ = 0;
  std::vector<Load> tile_loads_, panel_loads_;
  std::vector<Post> posts_;
};

}  // namespace forerun::models::emission
