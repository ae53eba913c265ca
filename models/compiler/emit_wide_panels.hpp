// SPDX-License-Identifier: Apache-2.0
/// Steps of many tokens: panels of operands, which go through a team of clusters, and their products with the
/// stream of weights. Private to emit.cpp.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "models/compiler/emit_wide_operands.hpp"

namespace forerun::models::emission {

class WidePanels : public WideOperands {
 public:
  using WideOperands::WideOperands;

 protected:
  /// A part of a panel: the first of a team loads it from memory, and each but the last stores it in the
  /// scratchpad of the one behind, so that load engines have tiles alone to copy.
  void move_panel_part(const Operand& operand, std::uint64_t from, std::uint32_t to, std::uint32_t part) {
    const bool last = part + 1 == Wide::panel_parts;
    const auto pitch = narrow(panel_row(operand));
    if (begins_team()) {
      const auto strips = wide().panel_depth / operand.strip;
      Sync begins;
      if (part == 0) begins.wait.push_back({panel_free, 1});
      const auto load = [&](std::uint64_t strip_from, std::uint64_t local, std::uint64_t row, bool ends) {
        auto c = run_of(from + strip_from, to + u32(local), row);
        c.size1 = 0;
        c.local_stride1 = pitch;
        c.global_stride1 = static_cast<std::int64_t>(row);
        auto sync = std::exchange(begins, {});
        if (ends && last) sync.signal.push_back({panel_full, 1});
        if (ends && !ends_team()) sync.signal.push_back({panel_loaded, 1});
        panel_loads_.push_back({c,
                                sync,
                                {FR_PATCH(fr_copy, size1, part_rows, 1),
                                 FR_PATCH(fr_copy, local, part_rows, narrow(part * panel_row(operand))),
                                 FR_PATCH(fr_copy, global, part_rows, narrow(part * row))}});
      };
      for (std::uint64_t strip = 0; strip < strips; ++strip) {
        const bool ends = strip + 1 == strips;
        load(strip_at(operand, strip), element_bytes(operand, strip * operand.strip),
             element_bytes(operand, operand.strip), ends && !has_blocks(operand));
        if (has_blocks(operand))
          load(strip_scales_at(operand, strip),
               element_bytes(operand, wide().panel_depth) + scale_bytes_of(operand, strip * operand.strip),
               scale_bytes_of(operand, operand.strip), ends);
      }
    }
    if (ends_team()) return;
    flush_loads();
    const auto behind = place().team_behind;
    Sync sync{{{panel_loaded, 1}}, {}};
    if (part == 0) sync.wait.push_back({panel_room, 1});
    if (last) sync.signal.push_back({panel_pushed, 1});
    out_.add(FR_OP_STORE, run_of(chip::address_map::scratchpad(behind) + to, to, 0), sync,
             {FR_PATCH(fr_copy, bytes, part_rows, pitch),
              FR_PATCH(fr_copy, local, part_rows, narrow(part * panel_row(operand))),
              FR_PATCH(fr_copy, global, part_rows, narrow(part * panel_row(operand)))});
    if (wide().places[behind].team_behind != Place::none) post_to(behind, 1, 1, panel_loaded);
    if (last) post_to(behind, 1, 1, panel_full);
  }
  /// What tells that nobody here reads a panel any more.
  WideSemaphore panel_left() const { return begins_team() && ends_team() ? panel_free : panel_used; }
  /// When it has been stored for the one behind, too, its place is free, for the load engine or for the one
  /// before.
  void free_panel() {
    if (begins_team() && ends_team()) return;
    Sync sync{{{panel_used, 1}}, {}};
    if (!ends_team()) sync.wait.push_back({panel_pushed, 1});
    if (!begins_team()) return posts_.push_back({place().team_before, panel_room, sync});
    sync.signal.push_back({panel_free, 1});
    out_.add(FR_OP_VECTOR_NOP, sync);
  }
  /// A panel that came plain, whose scales are known.
  void quantise_panel(const Operand& operand, std::size_t panel) {
    const auto columns = std::min<std::uint64_t>(
        wide().panel_depth, operand.width - panel % panels_of(operand) * wide().panel_depth);
    const auto buffer = u32(panel % Wide::panel_count);
    const auto to = form_of(operand);
    auto v = vector(FR_VECTOR_MUL, columns,
                    {wide().panels + buffer * wide().panel_bytes, panel_row(operand), type_of(operand)},
                    {to.at + buffer * to.pitch, to.row, to.type});
    set_b(v, {inverse_peaks(), 4, FR_TYPE_F32});
    v.flags = FR_VECTOR_FLAG_B_SCALAR;
    out_.add(FR_OP_VECTOR, v, {{{panel_full, 1}, {operand_free, 1}}, {{operand_full, 1}, {panel_left(), 1}}},
             {all_rows()});
    free_panel();
  }

  /// Multiplies panels of this row group's rows with tiles of weights, as often as `loads` want the operand.
  /// `also` comes behind the first panel, `done` behind each product, which gets what `prepare` gives. In
  /// all, `total` panels go through the team: behind the last that is multiplied here, others are handed on
  /// alone.
  void stream_panels(std::vector<Together> loads, const Operand& operand, std::size_t total,
                     const std::function<void()>& also, const std::function<Sync(Unit&)>& prepare,
                     const std::function<void(const Unit&)>& done) {
    const auto panels = panels_of(operand);
    std::vector<std::size_t> products;
    for (const auto& together : loads) {
      products.resize(std::max(products.size(), together.front().panel + 1));
      products[together.front().panel] += together.size();
    }
    const bool plain = comes_plain(operand);
    const auto form = form_of(operand);
    // Parts of the next panel come between the tiles for the present one, so that neither waits long for the
    // other.
    std::size_t loaded = 0, begun = 0, quantised = 0;
    const auto load_parts_until = [&](std::size_t parts) {
      for (const auto end = std::min(parts, total * Wide::panel_parts); loaded < end; ++loaded) {
        if (loaded == 0) await(operand);
        const auto panel = loaded / Wide::panel_parts;
        move_panel_part(operand, rows_of_group(operand) + panel % panels * panel_pitch(operand),
                        wide().panels + u32(panel % Wide::panel_count * wide().panel_bytes),
                        u32(loaded % Wide::panel_parts));
      }
    };
    const auto quantise_until = [&](std::size_t end) {
      for (; plain && quantised < end; ++quantised) quantise_panel(operand, quantised);
    };
    const auto begin_panel = [&] {
      load_parts_until((begun + 1) * Wide::panel_parts);
      flush_loads();
      quantise_until(begun + 1);
      out_.add(FR_OP_TENSOR_NOP, {{{plain ? operand_full : panel_full, 1}}, {}});
      ++begun;
    };
    const auto end_panel = [&] {
      out_.add(FR_OP_TENSOR_NOP, {{}, {{plain ? operand_free : panel_left(), 1}}});
      if (!plain) free_panel();
    };
    std::size_t made = 0;  // products of the present panel
    stream(
        std::move(loads),
        [&] {
          load_parts_until(Wide::panel_parts);
          flush_loads();
          also();
        },
        [&](const Unit& unit) {
          if (unit.panel == begun) {
            begin_panel();
            made = 0;
          }
          // The next one has been asked for by now, and the arrays have something to do meanwhile.
          if (++made == Wide::panel_parts + 1 && begun < total) quantise_until(begun + 1);
          load_parts_until(begun * Wide::panel_parts + std::min<std::size_t>(made, Wide::panel_parts));
        },
        [&](Unit& unit) {
          multiply(unit, form, prepare(unit));
          if (--products[unit.panel] == 0) end_panel();
          done(unit);
        });
    while (begun < total) {
      begin_panel();
      end_panel();
      flush_loads();
    }
  }
  /// Until it is in memory; the scales of one that comes plain are found then.
  void await(const Operand& operand) {
    out_.add(FR_OP_LOAD_NOP, wait_for(static_cast<Semaphore>(operand.posted), wide().column_groups));
    if (!comes_plain(operand)) return;
    load_peaks(plain_peaks());
    out_.add(FR_OP_LOAD_NOP, {{}, {{squares_full, 1}}});
    find_scales(plain_peaks(), std::nullopt, {{{squares_full, 1}}, {}});
  }

  /// A block, and which semaphore tells that it is free: of the vector or of the store engine, which last
  /// used it.
  struct Held {
    int block;
    WideSemaphore freed = block_free;
  };
  /// Blocks of sums by what frees them, in the order in which that happens, which is that of their next use.
  struct Free {
    std::deque<int> by_vector, by_store;
    std::size_t size() const { return by_vector.size() + by_store.size(); }
    Held take() {
      auto& from = by_vector.empty() ? by_store : by_vector;
      const Held held{from.front(), by_vector.empty() ? block_stored : block_free};
      from.pop_front();
      return held;
    }
  };
  /// Pairs of pieces of work, as many in a round as there is room for.
  using Rounds = std::vector<std::vector<std::vector<std::size_t>>>;
  Rounds rounds_of(const std::vector<Work>& works, std::uint32_t most) const {
    Rounds rounds(1);
    std::size_t room = most;
    for (const auto& pair : pairs_of(works, most)) {
      std::size_t blocks = 0;
      for (const auto number : pair) blocks += works[number].columns.size();
      if (blocks > room) {
        rounds.emplace_back();
        room = most;
      }
      room -= blocks;
      rounds.back().push_back(pair);
    }
    return rounds;
  }
  /// Sums of each block in a place of its own, of up to `most` blocks at a time. When blocks `first` to
  /// `first + step` of a piece of work are made, `epilogue(work, blocks, first, free)` takes them on: its
  /// commands signal block_free and block_stored for what it adds to `free`.
  using Epilogue = std::function<void(const Work&, const std::vector<int>&, std::size_t first, Free& free)>;
  void project_blocks(
      const std::function<std::vector<Work>(std::uint32_t group)>& works_of, std::uint32_t most,
      const Operand& operand, const Epilogue& epilogue, const std::function<void()>& also = [] {}) {
    // Panels go from group to group, as many for each.
    std::size_t most_rounds = 0;
    for (std::uint32_t g = 0; g < wide().column_groups; ++g)
      most_rounds = std::max(most_rounds, rounds_of(works_of(g), most).size());
    const auto works = works_of(column_group());
    const auto rounds = rounds_of(works, most);
    std::vector<Together> loads;
    for (std::size_t r = 0; r < rounds.size(); ++r)
      for (std::uint64_t p = 0; p < panels_of(operand); ++p)
        for (const auto& pair : rounds[r])
          for (std::size_t c = 0; c < works[pair.front()].columns.size(); ++c)
            for (std::size_t t = 0; t < works[pair.front()].columns[c].block.count; ++t) {
              Together together;
              for (const auto number : pair) {
                auto unit = unit_of(works[number], number, c, t);
                if (unit.tile.k.begin / wide().panel_depth != p) continue;
                unit.panel = r * panels_of(operand) + p;
                together.push_back(unit);
              }
              if (!together.empty()) loads.push_back(std::move(together));
            }
    // Blocks that there is no room for this time.
    const fr_semaphore_use others{block_free, static_cast<std::uint8_t>(wide().block_count - most)};
    if (others.count > 0) out_.add(FR_OP_TENSOR_NOP, {{others}, {}});
    Free free;
    for (std::uint32_t b = 0; b < most; ++b) free.by_vector.push_back(static_cast<int>(b));
    std::vector<std::vector<int>> blocks(works.size());
    const auto ends_step = [&](const Unit& unit) {
      return unit.last && (unit.column + 1) % works[unit.work].step == 0;
    };
    stream_panels(
        std::move(loads), operand, most_rounds * panels_of(operand), also,
        [&](Unit& unit) {
          Sync sync;
          auto& held = blocks[unit.work];
          if (unit.tile.first_k()) {
            // Those of the round before have been taken on by now.
            const auto [block, freed] = free.take();
            held.push_back(block);
            sync.wait.push_back({freed, 1});
          }
          unit.sums = block_at(held[unit.column], unit.tile.n.size());
          if (ends_step(unit)) sync.signal.push_back({block_full, 1});
          return sync;
        },
        [&](const Unit& unit) {
          const auto& work = works[unit.work];
          if (ends_step(unit)) epilogue(work, blocks[unit.work], unit.column + 1 - work.step, free);
        });
    // The next operator finds all freed alike.
    if (const auto stored = static_cast<std::uint8_t>(free.by_store.size()); stored > 0)
      out_.add(FR_OP_TENSOR_NOP, {{{block_stored, stored}}, {{block_free, stored}}});
    if (others.count > 0) out_.add(FR_OP_TENSOR_NOP, {{}, {others}});
  }
  Matrix block_at(int block, std::uint64_t columns) const {
    return {wide().sums + static_cast<std::uint32_t>(block) * wide().block_bytes, columns * 4, FR_TYPE_F32};
  }

  // Meetings

  /// An operand that is in memory, or will be as soon as what was stored before.
  void post_operand(const Operand& operand) {
    Sync made;
    if (comes_plain(operand)) {
      made.wait.push_back({peaks_made, 1});
      out_.add(FR_OP_VECTOR_NOP, {{}, {{peaks_made, 1}}});
    }
    post_to_team(operand.posted, made);
  }
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
};

}  // namespace forerun::models::emission
