// SPDX-License-Identifier: Apache-2.0
/// Steps of many tokens (wide.hpp): the stream of weights through a chain of clusters, and what is made of
/// it. Private to emit.cpp.
#pragma once

#include <algorithm>
#include <array>
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
  panel_there,     ///< from the one before in the team
  panel_copied,    ///< from the one behind: it has all
  panel_used,      ///< multiplied
  panel_free,
  block_free,  ///< blocks become free in the order of their use
  block_full,
  half_free,    ///< of two buffers in the place of the panels: rows to normalise, queries
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
    std::size_t work;       ///< number of the piece of work it belongs to
    bool last;              ///< of a sum over k
    std::size_t panel = 0;  ///< of the operand, among all that are loaded for this projection
    int block = -1;         ///< of the sums; -1: they have a place of their own
    Matrix sums{};
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

  // Weights

  static constexpr std::uint32_t tile_parts = 1;

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

  /// Loads tiles into the next slots, and tells the neighbours in the chain. Tiles come in parts, so that the
  /// next cluster has the first while the others are on their way.
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
    tell(tiles);
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
        if (!ends_chain()) post_at_once(place().chain_behind, tile_there, std::exchange(loaded, {}));
        if (!begins_chain() && part + 1 == parts)
          post_at_once(place().chain_before, tile_copied, loaded);
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
    c.global_stride1 = static_cast<std::int64_t>(lane.step);
    c.size2 = u32(rounds);
    c.local_stride2 = narrow(std::uint64_t{c.bytes} * c.size1);
    c.global_stride2 = static_cast<std::int64_t>(lane.stride);
    Sync sync;
    if (part == 0) sync.wait.push_back({slot_free, count});
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
      if (part == 0) sync.wait.push_back({slot_free, 1});
      if (part + 1 == parts) sync.signal.push_back({tile_full, 1});
      out_.add(FR_OP_LOAD, run_of(chip::address_map::scratchpad(place().chain_before) + at, at, bytes), sync);
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
    auto m = unscaled(tile_product(unit.tile, slot_at(unit)));
    m.a = wide().panels + u32(unit.panel % Wide::panel_count * wide().panel_bytes +
                              unit.tile.k.begin % wide().panel_depth * act_);
    m.a_stride = narrow(panel_row());
    m.a_type = static_cast<std::uint8_t>(plan_.numerics.activation);
    m.c = unit.sums.at, m.c_stride = narrow(unit.sums.stride), m.c_type = FR_TYPE_F32;
    sync.wait.push_back({tile_full, 1});
    if (starts_block) sync.wait.push_back({block_free, 1});
    sync.signal.push_back({ends_chain() ? slot_free : tile_used, 1});
    out_.add(FR_OP_MATMUL, m, sync, {FR_PATCH(fr_matmul, m, rows, 1)});
    // By the engine with the least to do: a NOP among loads would let no load begin before the end of the
    // last.
    if (!ends_chain()) out_.add(FR_OP_VECTOR_NOP, {{{tile_used, 1}, {tile_copied, 1}}, {{slot_free, 1}}});
  }

  /// Streams tiles through the slots, as many ahead as there is room. `operands` comes when the first are on
  /// their way, `before` and `product` with each of them.
  void stream(std::vector<Together> loads, const std::function<void()>& operands,
              const std::function<void(const Unit&)>& before,
              const std::function<void(const Unit&)>& product) {
    loads_from_ = ~std::uint32_t{0};
    std::size_t ahead = 0, room = wide().slots;
    const auto fill = [&] {
      for (; ahead < loads.size() && loads[ahead].size() <= room; ++ahead) {
        room -= loads[ahead].size();
        issue(loads[ahead]);
      }
    };
    fill();
    operands();
    for (auto& together : loads)
      for (auto& unit : together) {
        before(unit);
        product(unit);
        ++room;
        fill();
      }
  }

  /// An operand in memory, there when the team has posted: [row group][panel][rows][panel_depth], so that a
  /// panel comes in one piece.
  struct Operand {
    std::uint64_t at, width;
    WideSemaphore posted;
  };
  std::uint64_t panels_of(const Operand& operand) const {
    return divide_up(operand.width, wide().panel_depth);
  }
  /// Bytes between the rows of a panel, and between panels.
  std::uint64_t panel_row() const { return wide().panel_depth * act_; }
  std::uint64_t panel_pitch() const { return wide().panel_rows() * panel_row(); }
  std::uint64_t rows_of_group(const Operand& operand) const {
    return operand.at + row_group() * panels_of(operand) * panel_pitch();
  }
  /// Copies that store columns of some rows: one for each panel that they reach into, the rows patched in.
  std::vector<fr_copy> stores_of(const Operand& operand, Range columns, std::uint32_t from,
                                 std::uint64_t stride) const {
    std::vector<fr_copy> copies;
    const auto depth = std::uint64_t{wide().panel_depth};
    for (auto k = columns.begin; k < columns.end;) {
      const auto end = std::min(columns.end, (k / depth + 1) * depth);
      auto c = run_of(rows_of_group(operand) + k / depth * panel_pitch() + k % depth * act_,
                      from + u32((k - columns.begin) * act_), (end - k) * act_);
      c.size1 = 0;
      c.local_stride1 = narrow(stride);
      c.global_stride1 = static_cast<std::int64_t>(panel_row());
      copies.push_back(c);
      k = end;
    }
    return copies;
  }
  /// Adds these, the first with the waits and the last with the signals of `sync`.
  void store_all(const std::vector<fr_copy>& copies, const Sync& sync, const std::vector<Patch>& patches) {
    for (const auto& c : copies) {
      Sync use;
      if (&c == &copies.front()) use.wait = sync.wait;
      if (&c == &copies.back()) use.signal = sync.signal;
      out_.add(FR_OP_STORE, c, use, patches);
    }
  }

  /// The first of a team loads a panel from memory, each other one copies it from the one before, in parts.
  void load_panel_parts(std::uint64_t from, std::uint32_t to) {
    for (std::uint32_t part = 0; part < Wide::panel_parts; ++part) {
      const auto c =
          run_of(begins_team() ? from : chip::address_map::scratchpad(place().team_before) + to, to, 0);
      Sync sync;
      if (part == 0) sync.wait.push_back({panel_free, 1});
      if (!begins_team()) sync.wait.push_back({panel_there, 1});
      if (part + 1 == Wide::panel_parts) sync.signal.push_back({panel_full, 1});
      if (wide().column_groups > 1) sync.signal.push_back({panel_loaded, 1});
      const auto pitch = narrow(panel_row());
      out_.add(FR_OP_LOAD, c, sync,
               {FR_PATCH(fr_copy, bytes, part_rows, pitch),
                FR_PATCH(fr_copy, local, part_rows, narrow(part * panel_row())),
                FR_PATCH(fr_copy, global, part_rows, narrow(part * panel_row()))});
    }
  }
  void tell_of_panel() {
    if (wide().column_groups == 1) return;
    for (std::uint32_t part = 0; part < Wide::panel_parts; ++part) {
      Sync loaded{{{panel_loaded, 1}}, {}};
      if (!ends_team()) post_at_once(place().team_behind, panel_there, std::exchange(loaded, {}));
      if (!begins_team() && part + 1 == Wide::panel_parts)
        post_at_once(place().team_before, panel_copied, loaded);
      else if (ends_team())
        out_.add(FR_OP_COLLECTIVE_NOP, loaded);
    }
  }

  /// Multiplies panels of this row group's rows with tiles of weights, as often as `loads` want the operand.
  /// `also` comes behind the first panel, `done` behind each product, which gets the signals of `sync`.
  void stream_panels(std::vector<Together> loads, const Operand& operand, const std::function<void()>& also,
                     const std::function<Sync(const Unit&)>& sync,
                     const std::function<void(const Unit&)>& done) {
    const auto panels = panels_of(operand);
    std::vector<std::size_t> products;
    for (const auto& together : loads) {
      products.resize(std::max(products.size(), together.front().panel + 1));
      products[together.front().panel] += together.size();
    }
    std::size_t loaded = 0, begun = 0;
    const auto load_panel = [&] {
      if (loaded == products.size()) return;
      if (loaded == 0)
        out_.add(FR_OP_LOAD_NOP, wait_for(static_cast<Semaphore>(operand.posted), wide().column_groups));
      load_panel_parts(rows_of_group(operand) + loaded % panels * panel_pitch(),
                       wide().panels + u32(loaded % Wide::panel_count * wide().panel_bytes));
      ++loaded;
      tell_of_panel();
    };
    stream(
        std::move(loads),
        [&] {
          load_panel();
          also();
        },
        [&](const Unit& unit) {
          if (unit.panel != begun) return;
          load_panel();  // the next one
          out_.add(FR_OP_TENSOR_NOP, {{{panel_full, 1}}, {}});
          ++begun;
        },
        [&](const Unit& unit) {
          multiply(unit, unit.block >= 0 && unit.tile.first_k(), sync(unit));
          if (--products[unit.panel] == 0) {
            out_.add(FR_OP_TENSOR_NOP, {{}, {{ends_team() ? panel_free : panel_used, 1}}});
            if (!ends_team())
              out_.add(FR_OP_VECTOR_NOP, {{{panel_used, 1}, {panel_copied, 1}}, {{panel_free, 1}}});
          }
          done(unit);
        });
  }

  /// Blocks of a piece of work, and how many are free for the next when it has been stored.
  struct Held {
    std::vector<int> blocks;
    std::size_t freed = 1;
  };
  /// Sums of each block in a place of its own, of up to `most` blocks at a time; `epilogue(work, blocks)`
  /// takes them on.
  void project_blocks(
      const std::vector<Work>& works, std::uint32_t most, const Operand& operand,
      const std::function<void(const Work&, const Held&)>& epilogue,
      const std::function<void()>& also = [] {}) {
    std::vector<std::vector<std::vector<std::size_t>>> rounds(1);  // pairs of works, as many as have room
    std::vector<Held> held(works.size());
    std::size_t room = most;
    std::uint32_t next = 0;
    for (const auto& pair : pairs_of(works)) {
      std::size_t blocks = 0;
      for (const auto number : pair) blocks += works[number].blocks.size();
      if (blocks > room) {
        rounds.emplace_back();
        room = most;
      }
      room -= blocks;
      // In the order of their use, in which they have to become free: a piece of work frees its first block,
      // the last one of a pair all that are left.
      for (std::size_t b = 0; b < works[pair.front()].blocks.size(); ++b)
        for (const auto number : pair) held[number].blocks.push_back(static_cast<int>(next++ % most));
      for (const auto number : pair)
        held[number].freed = number == pair.back() ? blocks - pair.size() + 1 : 1;
      rounds.back().push_back(pair);
    }
    std::vector<Together> loads;
    for (std::size_t r = 0; r < rounds.size(); ++r)
      for (std::uint64_t p = 0; p < panels_of(operand); ++p)
        for (const auto& pair : rounds[r])
          for (std::size_t b = 0; b < works[pair.front()].blocks.size(); ++b)
            for (std::size_t t = 0; t < works[pair.front()].blocks[b].count; ++t) {
              Together together;
              for (const auto number : pair) {
                auto unit = unit_of(works[number], number, works[number].blocks[b], t);
                if (unit.tile.k.begin / wide().panel_depth != p) continue;
                unit.panel = r * panels_of(operand) + p;
                unit.block = held[number].blocks[b];
                unit.sums = block_at(unit.block, unit.tile.n.size());
                together.push_back(unit);
              }
              if (!together.empty()) loads.push_back(std::move(together));
            }
    const auto complete = [&](const Unit& unit) {
      return unit.last && unit.block == held[unit.work].blocks.back();
    };
    // Blocks that there is no room for this time.
    const fr_semaphore_use others{block_free, static_cast<std::uint8_t>(wide().block_count - most)};
    if (others.count > 0) out_.add(FR_OP_TENSOR_NOP, {{others}, {}});
    stream_panels(
        std::move(loads), operand, also,
        [&](const Unit& unit) {
          return complete(unit) ? Sync{{}, {{block_full, 1}}} : Sync{};
        },
        [&](const Unit& unit) {
          if (complete(unit)) epilogue(works[unit.work], held[unit.work]);
        });
    if (others.count > 0) out_.add(FR_OP_TENSOR_NOP, {{}, {others}});
  }
  Matrix block_at(int block, std::uint64_t columns) const {
    return {wide().sums + static_cast<std::uint32_t>(block) * wide().block_bytes, columns * 4, FR_TYPE_F32};
  }

  /// Sums of all columns of the group, side by side.
  void project_sums(const std::vector<WeightTile> Projections::*projection, const Operand& operand) {
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
    const auto columns = group_hidden(column_group());
    std::vector<Together> loads;
    for (std::uint64_t p = 0; p < panels_of(operand); ++p)
      for (const auto& pair : pairs_of(works))
        for (std::size_t t = 0; t < works[pair.front()].blocks[0].count; ++t) {
          Together together;
          for (const auto number : pair) {
            auto unit = unit_of(works[number], number, works[number].blocks[0], t);
            if (unit.tile.k.begin / wide().panel_depth != p) continue;
            unit.panel = p;
            unit.sums = {
                wide().sums +
                    u32((plan_.share(unit.owner).hidden.begin - columns.begin + unit.tile.n.begin) * 4),
                columns.size() * 4, FR_TYPE_F32};
            together.push_back(unit);
          }
          if (!together.empty()) loads.push_back(std::move(together));
        }
    stream_panels(
        std::move(loads), operand, [] {}, [](const Unit&) { return Sync{}; }, [](const Unit&) {});
    out_.add(FR_OP_TENSOR_NOP, {{}, {{sums_made, 1}}});
    post_to_team(sums_posted, {{{sums_made, 1}}, {}});
  }

  // Meetings

  void post_to_team(WideSemaphore posted, Sync sync = {}) {
    for (std::uint32_t g = 0; g < wide().column_groups; ++g)
      post_to(teammate(g), 1, 1, posted, std::exchange(sync, {}));
  }
  void post_to_chain(WideSemaphore posted) {
    for (std::uint32_t c = 0; c < plan_.clusters; ++c)
      if (wide().places[c].column_group == column_group()) post_to(c, 1, 1, posted);
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

  std::uint32_t next_slot_ = 0, loads_from_ = 0;
};

}  // namespace forerun::models::emission
