// SPDX-License-Identifier: Apache-2.0
/// Steps of many tokens (wide.hpp): the stream of weights through a chain of clusters, and what is made of
/// it. Private to emit.cpp.
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
  part0,  ///< row of the run from which on this cluster normalises
  part1,
  count0,  ///< rows that it normalises
  count1,
  seen,  ///< positions that this row group attends to
  row = tile_positions,
  row_count = carry,
  layer_weights = weight_offset,
};

enum WideSemaphore : std::uint8_t {
  slot_free = 20,             ///< one for each slot
  tile_full = slot_free + 8,  ///< a tile is in its slot
  tile_loaded,                ///< the same, for those who pass it on
  tile_there,                 ///< from the one before in the chain: it has the tile
  tile_copied,                ///< from the one behind: it has it too
  tile_used,                  ///< multiplied
  operand_full,
  operand_free,
  block_free,  ///< one for each block
  block_full = block_free + Wide::block_count,
  result_made,  ///< there is something to store
  keys_full,
  keys_free,
  values_full,
  values_free,
  queries_full,
  scores_free,
  scores_full,
  weights_full,  ///< probabilities
  output_free,
  output_full,
  sums_made,
  layer_constants_full,
  cache_posted,
  heads_posted,
  sums_posted,
  normed_posted,
  hidden_posted,
  rows_posted
};
static_assert(+rows_posted < +FR_SEMAPHORES && +seen < +FR_REGISTERS);

class WideEmitter : public AttentionEmitter {
 public:
  using AttentionEmitter::AttentionEmitter;

 protected:
  /// A tile of weights on its way: where it lies in memory, and what is made with it.
  struct Unit {
    std::uint32_t owner;   ///< cluster whose lane has it
    std::uint64_t offset;  ///< in that lane, from the layer's first tile
    WeightTile tile;
    std::size_t work;  ///< number of the piece of work it belongs to
    bool last;         ///< of a sum over k
    int block = -1;    ///< of the sums; -1: they lie with the operand
    Matrix sums{};
    std::uint32_t a = 0;
    std::uint64_t a_stride = 0;
    std::uint32_t slot = 0;
  };
  using Together = std::vector<Unit>;
  /// Columns of one owner that are worked on together: one block, or a gate and its up.
  struct Work {
    std::uint32_t owner;
    const std::vector<WeightTile>* tiles;
    std::uint64_t offset;  ///< of the first of `tiles`
    std::vector<Block> blocks;
  };

  const Wide& wide() const { return *plan_.wide; }
  std::uint32_t row_group() const { return cluster_ % wide().row_groups; }
  std::uint32_t column_group() const { return cluster_ / wide().row_groups; }
  std::uint32_t first_owner() const { return column_group() * wide().row_groups; }
  bool begins_chain() const { return row_group() == 0; }
  bool ends_chain() const { return row_group() + 1 == wide().row_groups; }
  /// The hidden columns of a column group.
  Range group_hidden(std::uint32_t group) const {
    const auto first = group * wide().row_groups;
    return {plan_.share(first).hidden.begin, plan_.share(first + wide().row_groups - 1).hidden.end};
  }
  /// Row of this row group's first row in buffers of all rows.
  std::uint64_t base_row() const { return std::uint64_t{row_group()} * wide().rows(); }
  static std::uint8_t of(WideSemaphore semaphore, std::uint32_t index) {
    return static_cast<std::uint8_t>(semaphore + index);
  }

  // Weights

  static constexpr std::uint32_t tile_parts = 2;

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
  Unit unit_of(const Work& work, std::size_t number, const Block& block, std::size_t i) const {
    const auto at = block.first + i;
    return {work.owner, work.offset + advance_of(memory_.lanes[work.owner], *work.tiles, at),
            (*work.tiles)[at], number, i + 1 == block.count};
  }
  /// Two pieces of work can share their loads when their tiles are alike and lie at the same places of two
  /// lanes, layer by layer.
  bool alike(const Work& a, const Work& b) const {
    if (a.owner == b.owner || a.blocks.size() != b.blocks.size() ||
        layer_advance(a.owner) != layer_advance(b.owner))
      return false;
    for (std::size_t i = 0; i < a.blocks.size(); ++i) {
      if (a.blocks[i].count != b.blocks[i].count) return false;
      for (std::size_t t = 0; t < a.blocks[i].count; ++t)
        if (plan_.tile_bytes((*a.tiles)[a.blocks[i].first + t]) !=
            plan_.tile_bytes((*b.tiles)[b.blocks[i].first + t]))
          return false;
    }
    return true;
  }
  std::vector<std::vector<std::size_t>> pairs_of(const std::vector<Work>& works) const {
    std::vector<std::vector<std::size_t>> pairs;
    for (std::size_t i = 0; i < works.size(); ++i) {
      pairs.push_back({i});
      if (wide().together == 2 && i + 1 < works.size() && alike(works[i], works[i + 1]))
        pairs.back().push_back(++i);
    }
    return pairs;
  }

  /// Loads tiles into the next slots. They come in parts, so that the next cluster in the chain has the first
  /// while the others are on their way.
  void issue(Together& tiles) {
    for (auto& unit : tiles) {
      unit.slot = next_slot_;
      next_slot_ = (next_slot_ + 1) % wide().slots;
    }
    const auto parts = parts_of(tiles);
    for (std::uint32_t part = 0; part < parts; ++part) {
      if (begins_chain())
        load_part(tiles, part, parts, chained());
      else
        copy_part(tiles, part, parts);
    }
  }
  bool chained() const { return !begins_chain() || !ends_chain(); }
  std::uint32_t parts_of(const Together& tiles) const {
    const auto bytes = plan_.tile_bytes(tiles.front().tile);
    const auto& lane = memory_.lanes[tiles.front().owner];
    return chained() && lane.rounds(bytes) % tile_parts == 0 &&
                   bytes == lane.parts(bytes) * lane.part_bytes(bytes)
               ? tile_parts
               : 1;
  }
  /// Tells the neighbours in the chain what has been loaded.
  void tell(const Together& tiles) {
    if (!chained()) return;
    const auto parts = parts_of(tiles);
    for (std::uint32_t part = 0; part < parts; ++part)
      for (std::size_t i = 0; i < tiles.size(); ++i) {
        Sync loaded{{{tile_loaded, 1}}, {}};
        if (!ends_chain()) post_at_once(cluster_ + 1, tile_there, std::exchange(loaded, {}));
        if (!begins_chain() && part + 1 == parts)
          post_at_once(cluster_ - 1, tile_copied, loaded);
        else if (ends_chain())
          out_.add(FR_OP_COLLECTIVE_NOP, loaded);
      }
  }
  std::uint32_t slot_at(const Unit& unit) const { return wide().slots_at + unit.slot * wide().slot_bytes; }
  /// From memory.
  void load_part(const Together& tiles, std::uint32_t part, std::uint32_t parts, bool chained) {
    const auto count = static_cast<std::uint8_t>(tiles.size());
    const auto& first = tiles.front();
    const auto& lane = memory_.lanes[first.owner];
    const auto bytes = plan_.tile_bytes(first.tile);
    const auto rounds = lane.rounds(bytes) / parts;
    if (loads_from_ != first.owner) {
      out_.scalar(FR_SCALAR_MUL, layer_weights, layer, none,
                  static_cast<std::int64_t>(layer_advance(first.owner)));
      loads_from_ = first.owner;
    }
    auto c = run_of(lane.base + first.offset + part * rounds * lane.stride,
                    slot_at(first) + u32(part * bytes / parts), lane.part_bytes(bytes));
    c.size1 = u32(lane.linear() ? 1 : lane.width);
    c.local_stride1 = narrow(c.bytes);
    c.global_stride1 = static_cast<std::int64_t>(lane.piece);
    c.size2 = u32(rounds);
    c.local_stride2 = narrow(std::uint64_t{c.bytes} * c.size1);
    c.global_stride2 = static_cast<std::int64_t>(lane.stride);
    Sync sync;
    if (part == 0)
      for (const auto& unit : tiles) sync.wait.push_back({of(slot_free, unit.slot), 1});
    if (part + 1 == parts) sync.signal.push_back({tile_full, count});
    if (chained) sync.signal.push_back({tile_loaded, count});
    if (tiles.size() == 2) {
      const auto& second = tiles[1];
      c.size1 = 2;
      c.local_stride1 =
          static_cast<std::int32_t>(slot_at(second)) - static_cast<std::int32_t>(slot_at(first));
      c.global_stride1 = static_cast<std::int64_t>(memory_.lanes[second.owner].base + second.offset) -
                         static_cast<std::int64_t>(lane.base + first.offset);
      c.local_stride2 = narrow(c.bytes);
    }
    out_.add(FR_OP_LOAD, c, sync, {FR_PATCH(fr_copy, global, layer_weights, 1)});
  }
  /// From the one before in the chain.
  void copy_part(const Together& tiles, std::uint32_t part, std::uint32_t parts) {
    for (const auto& unit : tiles) {
      const auto bytes = plan_.tile_bytes(unit.tile) / parts;
      const auto at = slot_at(unit) + u32(part * bytes);
      Sync sync{{{tile_there, 1}}, {{tile_loaded, 1}}};
      if (part == 0) sync.wait.push_back({of(slot_free, unit.slot), 1});
      if (part + 1 == parts) sync.signal.push_back({tile_full, 1});
      out_.add(FR_OP_LOAD, run_of(chip::address_map::scratchpad(cluster_ - 1) + at, at, bytes), sync);
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
  void multiply(const Unit& unit, bool starts_block, Sync sync = {}) {
    auto m = tile_product(unit.tile, slot_at(unit));
    m.a = unit.a, m.a_stride = narrow(unit.a_stride),
    m.a_type = static_cast<std::uint8_t>(plan_.numerics.activation);
    m.c = unit.sums.at, m.c_stride = narrow(unit.sums.stride), m.c_type = FR_TYPE_F32;
    sync.wait.push_back({tile_full, 1});
    if (starts_block) sync.wait.push_back({of(block_free, u32(static_cast<std::uint64_t>(unit.block))), 1});
    sync.signal.push_back(ends_chain() ? fr_semaphore_use{of(slot_free, unit.slot), 1}
                                       : fr_semaphore_use{tile_used, 1});
    if (m.group != 0)
      out_.add(FR_OP_MATMUL_SCALED, m, sync, {FR_PATCH(fr_matmul, m, rows, 1)});
    else
      out_.add(FR_OP_MATMUL, unscaled(m), sync, {FR_PATCH(fr_matmul, m, rows, 1)});
    if (!ends_chain())
      out_.add(FR_OP_COLLECTIVE_NOP, {{{tile_used, 1}, {tile_copied, 1}}, {{of(slot_free, unit.slot), 1}}});
  }

  /// Streams tiles through the slots, as many ahead as there is room. `operands` comes when the first are on
  /// their way, `before` and `after` around each product.
  void stream(std::vector<Together> loads, const std::function<void()>& operands,
              const std::function<void(const Unit&)>& before,
              const std::function<void(const Unit&)>& product) {
    loads_from_ = ~std::uint32_t{0};
    std::size_t ahead = 0, told = 0, room = wide().slots, done = 0;
    std::vector<std::size_t> issued_at;  // by load: products that were before it
    const auto fill = [&] {
      for (; ahead < loads.size() && loads[ahead].size() <= room; ++ahead) {
        room -= loads[ahead].size();
        issue(loads[ahead]);
        issued_at.push_back(done);
      }
    };
    // A slot is given free by the engine that tells of loads, one after the other. So that the next load need
    // not wait for the end of the one before, the slots that it needs come before the news of that; with few
    // slots the neighbour would get the news too late.
    const auto behind = wide().slots == Wide::most_slots ? wide().together : 0;
    const auto tell_of = [&](std::size_t products) {
      for (; told < ahead && issued_at[told] + behind <= products; ++told) tell(loads[told]);
    };
    fill();
    tell_of(~std::size_t{0});
    operands();
    for (auto& together : loads)
      for (auto& unit : together) {
        before(unit);
        product(unit);
        ++room;
        tell_of(++done);
        fill();
        tell_of(done);
      }
    tell_of(~std::size_t{0});
  }

  /// Sums of each block in a place of its own, in the zone of blocks; `epilogue(work, blocks)` takes them on.
  /// The operand is this row group's rows of the normalised stream.
  void project_blocks(
      const std::vector<Work>& works,
      const std::function<void(const Work&, const std::vector<int>&)>& epilogue,
      const std::function<void()>& also = [] {}) {
    std::vector<Together> loads;
    for (const auto& pair : pairs_of(works))
      for (std::size_t b = 0; b < works[pair.front()].blocks.size(); ++b)
        for (std::size_t t = 0; t < works[pair.front()].blocks[b].count; ++t) {
          loads.emplace_back();
          for (const auto number : pair)
            loads.back().push_back(unit_of(works[number], number, works[number].blocks[b], t));
        }
    const auto row_bytes = std::uint64_t{model_.hidden} * act_;
    const auto& first = works.front();
    std::size_t parts = first.blocks.front().count, waits = 0;
    free_blocks_.assign({0, 1, 2, 3});
    slow_blocks_.clear();
    std::vector<std::vector<int>> held(works.size());
    stream(
        std::move(loads),
        [&] {
          auto barrier = wait_for(static_cast<Semaphore>(normed_posted), wide().column_groups);
          for (std::size_t i = 0; i < parts; ++i) {
            const auto k = (*first.tiles)[first.blocks.front().first + i].k;
            auto c = run_of(memory_.ffn_sum + base_row() * row_bytes + k.begin * act_,
                            wide().operand + u32(k.begin * act_), k.size() * act_);
            c.size1 = 0;
            c.local_stride1 = narrow(row_bytes);
            c.global_stride1 = static_cast<std::int64_t>(row_bytes);
            barrier.signal.push_back({operand_full, 1});
            out_.add(FR_OP_LOAD, c, std::exchange(barrier, {}), {FR_PATCH(fr_copy, size1, rows, 1)});
          }
          also();
        },
        [&](const Unit& unit) {
          if (unit.work == 0 && waits < parts) {
            out_.add(FR_OP_TENSOR_NOP, {{{operand_full, 1}}, {}});
            ++waits;
          }
        },
        [&](const Unit& given) {
          auto unit = given;
          auto& own = held[unit.work];
          const bool starts = unit.tile.first_k();
          if (starts) own.push_back(take_block());
          unit.block = own.back();
          unit.sums = block_at(unit.block, unit.tile.n.size());
          unit.a = wide().operand + u32(unit.tile.k.begin * act_);
          unit.a_stride = row_bytes;
          const bool complete = unit.last && own.size() == works[unit.work].blocks.size();
          Sync sync;
          if (complete) sync.signal.push_back({block_full, 1});
          multiply(unit, starts, std::move(sync));
          if (!complete) return;
          epilogue(works[unit.work], own);
          slow_blocks_.push_back(own.front());
          if (own.size() > 1) free_blocks_.push_back(own.back());
        });
  }
  int take_block() {
    auto& from = free_blocks_.empty() ? slow_blocks_ : free_blocks_;
    const int block = from.front();
    from.pop_front();
    return block;
  }
  Matrix block_at(int block, std::uint64_t columns) const {
    return {wide().blocks + static_cast<std::uint32_t>(block) * wide().block_bytes, columns * 4, FR_TYPE_F32};
  }

  /// Sums of all columns of the group, in the place of the operand; A comes in panels along k from `from`,
  /// [rows][width], when the team has posted.
  void project_panels(const std::vector<WeightTile> Projections::*projection, std::uint64_t from,
                      std::uint64_t width, WideSemaphore posted) {
    std::vector<Work> works;
    for (std::uint32_t i = 0; i < wide().row_groups; ++i) {
      const auto owner = first_owner() + i;
      const auto offset = offset_of(owner, projection);
      const auto& tiles = plan_.tiles(owner).*projection;
      for (const auto& block : blocks_of(tiles)) works.push_back({owner, &tiles, offset, {block}});
    }
    // Blocks of neighbours side by side, so that they can be loaded together.
    std::stable_sort(works.begin(), works.end(), [](const Work& a, const Work& b) {
      return std::pair(a.owner / 2, a.blocks[0].n.begin) < std::pair(b.owner / 2, b.blocks[0].n.begin);
    });
    const auto depth = std::uint64_t{wide().panel_depth};
    const auto panels = divide_up(width, depth);
    std::vector<Together> loads;
    for (std::uint64_t p = 0; p < panels; ++p)
      for (const auto& pair : pairs_of(works))
        for (std::size_t t = 0; t < works[pair.front()].blocks[0].count; ++t) {
          Together together;
          for (const auto number : pair) {
            const auto unit = unit_of(works[number], number, works[number].blocks[0], t);
            if (unit.tile.k.begin / depth == p) together.push_back(unit);
          }
          if (!together.empty()) loads.push_back(std::move(together));
        }
    std::vector<std::size_t> products(panels);
    for (const auto& together : loads) products[together.front().tile.k.begin / depth] += together.size();
    const auto columns = group_hidden(column_group());
    const Matrix sums{wide().operand, columns.size() * 4, FR_TYPE_F32};
    std::uint64_t loaded = 0, begun = 0;
    const auto load_panel = [&] {
      if (loaded == panels) return;
      const auto k = std::min(depth, width - loaded * depth);
      auto c = run_of(from + base_row() * width * act_ + loaded * depth * act_,
                      wide().panels + u32(loaded % wide().panel_count * wide().panel_bytes), k * act_);
      c.size1 = 0;
      c.local_stride1 = narrow(depth * act_);
      c.global_stride1 = static_cast<std::int64_t>(width * act_);
      Sync sync;
      if (loaded == 0) sync = wait_for(static_cast<Semaphore>(posted), wide().column_groups);
      sync.wait.push_back({operand_free, 1});
      sync.signal.push_back({operand_full, 1});
      out_.add(FR_OP_LOAD, c, sync, {FR_PATCH(fr_copy, size1, rows, 1)});
      ++loaded;
    };
    stream(
        std::move(loads), load_panel,
        [&](const Unit& unit) {
          if (unit.tile.k.begin / depth != begun) return;
          if (loaded == begun) load_panel();
          if (wide().panel_count == 2) load_panel();
          out_.add(FR_OP_TENSOR_NOP, {{{operand_full, 1}}, {}});
          ++begun;
        },
        [&](const Unit& given) {
          auto unit = given;
          const auto p = unit.tile.k.begin / depth;
          unit.a = wide().panels +
                   u32(p % wide().panel_count * wide().panel_bytes + (unit.tile.k.begin - p * depth) * act_);
          unit.a_stride = depth * act_;
          unit.sums = sums;
          unit.sums.at += u32((plan_.share(unit.owner).hidden.begin - columns.begin + unit.tile.n.begin) * 4);
          Sync sync;
          if (--products[p] == 0) sync.signal.push_back({operand_free, 1});
          multiply(unit, false, std::move(sync));
        });
    out_.add(FR_OP_TENSOR_NOP, {{}, {{sums_made, 1}}});
    post_to_team(sums_posted, {{{sums_made, 1}}, {}});
  }

  // Meetings

  void post_to_team(WideSemaphore posted, const Sync& sync = {}) {
    post_to(row_group(), wide().row_groups, wide().column_groups, posted, sync);
  }
  void post_to(std::uint32_t first, std::uint32_t step, std::uint32_t count, WideSemaphore posted,
               const Sync& sync = {}) {
    fr_post p{};
    p.address = chip::address_map::cluster_registers(first) + FR_CLUSTER_POST;
    p.stride = chip::address_map::cluster_stride * step;
    p.count = count;
    p.skip = 0xffffffff;
    p.semaphore = posted;
    p.amount = 1;
    out_.add(FR_OP_POST, p, sync);
  }

  std::deque<int> free_blocks_, slow_blocks_;
  std::uint32_t next_slot_ = 0, loads_from_ = 0;
};

}  // namespace forerun::models::emission
