// SPDX-License-Identifier: Apache-2.0
/// Steps of many tokens: the projections that add to the residual stream, and its norms. Private to emit.cpp.
#pragma once

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "models/compiler/emit_wide_attention.hpp"

namespace forerun::models::emission {

/// Each cluster has the residual stream's columns of its column group, for the rows of its row group: a block
/// for each owner of columns, f32 [rows][columns of the owner], which lies in the memory ports near the
/// cluster. A projection makes sums of all its columns in the scratchpad, and the stream is added to them
/// while others are still made. Norms need the whole row: clusters of a team tell each other the sums of
/// squares of their columns.
class WideResidual : public WideAttention {
 public:
  using WideAttention::WideAttention;

 protected:
  Operand normalised() const { return {memory_.ffn_sum, model_.hidden, normed_posted, wide().panel_depth}; }

  void load_next_norm(std::uint64_t layers_on) {
    const auto block = plan_.constants.bytes;
    std::vector<Patch> patches;
    if (layers_on > 0) patches.push_back(FR_PATCH(fr_copy, global, layer, narrow(block)));
    out_.add(FR_OP_LOAD,
             run_of(memory_.constants[cluster_] + layers_on * block + plan_.constants.attention_norm +
                        group_hidden(column_group()).begin * 4,
                    wide().next_norm, own_columns().size() * 4),
             {{}, {{layer_constants_full, 1}}}, patches);
  }

  /// The rows of the tokens' table, and their norm.
  void embed() {
    std::size_t piece = 0;
    for (const auto& columns : pieces_of(own_columns(), wide().panel_depth)) {
      const auto buffer = piece_buffer(piece++);
      gather_rows(columns, buffer);
      Sync loaded{{{block_full, 1}}, {}};
      for (std::uint32_t block = 0; block < blocks(); ++block) {
        const auto shared = overlap(columns_of(block), columns);
        if (shared.empty()) continue;
        const Matrix from{buffer + u32((shared.begin - columns.begin) * act_), columns.size() * act_,
                          plan_.numerics.activation},
            to = part_of(block, shared);
        const bool ends = shared.end == columns.end;
        const bool scales = model_.embedding_scale != 1;
        const std::vector<fr_semaphore_use> free{{norm_free, 1}};
        auto sync = std::exchange(loaded, {});
        if (ends && !scales) sync.signal = free;
        out_.add(FR_OP_VECTOR, vector(FR_VECTOR_COPY, shared.size(), from, to), sync, {all_rows()});
        if (!scales) continue;
        auto v = vector(FR_VECTOR_AFFINE, shared.size(), to, to);
        v.arg0 = bits(model_.embedding_scale);
        out_.add(FR_OP_VECTOR, v, ends ? Sync{{}, free} : Sync{}, {all_rows()});
      }
    }
    for (std::uint32_t block = 0; block < blocks(); ++block) keep(block, {});
    normalise(wide().next_norm);
  }

  /// The products of `operand` are added to the residual stream, whose norm is the next operand; at `weights`
  /// are those of the norm for the group's columns.
  void project_sums(const std::vector<WeightTile> Projections::*projection, const Operand& operand,
                    std::uint32_t weights) {
    std::vector<Work> works;
    for (std::uint32_t i = 0; i < wide().row_groups; ++i) {
      const auto owner = first_owner() + i;
      const auto offset = offset_of(owner, projection);
      const auto& tiles = plan_.tiles(owner).*projection;
      for (const auto& block : blocks_of(tiles)) works.push_back({{{owner, &tiles, offset, block}}});
    }
    // Blocks of neighbours side by side, so that they can be loaded together.
    std::stable_sort(works.begin(), works.end(), [](const Work& a, const Work& b) {
      const auto &x = a.columns[0], &y = b.columns[0];
      return std::pair(x.owner / 2, x.block.n.begin) < std::pair(y.owner / 2, y.block.n.begin);
    });
    const auto panels = panels_of(operand);
    std::vector<Together> loads;
    for (std::uint64_t p = 0; p < panels; ++p)
      for (const auto& pair : pairs_of(works, 2))
        for (std::size_t t = 0; t < works[pair.front()].columns[0].block.count; ++t) {
          Together together;
          for (const auto number : pair) {
            auto unit = unit_of(works[number], number, 0, t);
            if (unit.tile.k.begin / wide().panel_depth != p) continue;
            unit.panel = p;
            unit.sums = sums_of(unit.owner - first_owner());
            unit.sums.at += u32(unit.tile.n.begin * 4);
            together.push_back(unit);
          }
          if (!together.empty()) loads.push_back(std::move(together));
        }
    // The stream is added part by part, in the turns between panels, because all of it at once is more than
    // memory gives without holding up others.
    const auto parts = std::uint64_t{blocks()} * wide().stream_parts;
    const auto turn_of = [&](std::uint64_t part) { return part * (panels - 1) / parts; };
    const auto due_in = [&](std::uint32_t block, std::uint64_t turn) {
      std::vector<std::uint32_t> due;
      for (std::uint32_t i = 0; i < wide().stream_parts; ++i)
        if (turn_of(std::uint64_t{block} * wide().stream_parts + i) == turn) due.push_back(i);
      return due;
    };
    const auto begins = [&](const Unit& unit) {
      return unit.tile.n.begin == 0 && unit.tile.k.begin == unit.panel * wide().panel_depth;
    };
    const auto ends = [&](const Unit& unit) {
      return unit.tile.n.end == columns_of(block_of(unit)).size() &&
             unit.tile.k.end == std::min<std::uint64_t>(operand.width, (unit.panel + 1) * wide().panel_depth);
    };
    // Some products later, so that loads of tiles are not held up by the present one. It has to come before
    // the vector engine waits for the block's next product, as it does in a chain of several clusters: their
    // panels have two products at least, one for each row group.
    struct Due {
      std::uint32_t block;
      std::vector<std::uint32_t> parts;
      bool tells;
      unsigned products;
    };
    std::deque<Due> waiting;
    const auto add_due = [&](unsigned after) {
      for (auto& due : waiting) ++due.products;
      for (; !waiting.empty() && waiting.front().products >= after; waiting.pop_front())
        add_residual(waiting.front().block, waiting.front().parts, waiting.front().tells);
    };
    stream_panels(
        std::move(loads), operand, panels, [] {},
        [&](const Unit& unit) {
          Sync sync;
          if (begins(unit) && unit.panel > 0 && !due_in(block_of(unit), unit.panel - 1).empty())
            sync.wait.push_back({block_added, 1});
          if (ends(unit) && (unit.panel + 1 == panels || !due_in(block_of(unit), unit.panel).empty()))
            sync.signal.push_back({block_full, 1});
          return sync;
        },
        [&](const Unit& unit) {
          const bool last = unit.panel + 1 == panels;
          if (ends(unit))
            if (auto due = due_in(block_of(unit), unit.panel); !due.empty())
              waiting.push_back({block_of(unit), std::move(due), !last, 0});
          add_due(last ? 0 : 2);
          if (ends(unit) && last) keep(block_of(unit), panels == 1 ? Sync{} : Sync{{{block_full, 1}}, {}});
        });
    normalise(weights);
  }

 private:
  Range own_columns() const { return {0, group_hidden(column_group()).size()}; }
  static Range overlap(Range a, Range b) {
    const Range both{std::max(a.begin, b.begin), std::min(a.end, b.end)};
    return both.begin < both.end ? both : Range{};
  }
  std::uint32_t blocks() const { return wide().row_groups; }
  /// Of a block, among those of the group.
  Range columns_of(std::uint32_t block) const {
    const auto first = group_hidden(column_group()).begin;
    const auto& own = plan_.share(first_owner() + block).hidden;
    return {own.begin - first, own.end - first};
  }
  std::uint64_t bytes_of(std::uint32_t block) const {
    return wide().rows() * 4ull * columns_of(block).size();
  }
  /// Sums of a block.
  Matrix sums_of(std::uint32_t block) const {
    const auto& lane = memory_.residual[cluster_];
    std::uint64_t at = wide().sums;
    for (std::uint32_t i = 0; i < block; ++i) at += lane.padded(bytes_of(i));
    return {u32(at), columns_of(block).size() * 4, FR_TYPE_F32};
  }
  Matrix part_of(std::uint32_t block, Range columns) const {
    auto part = sums_of(block);
    part.at += u32((columns.begin - columns_of(block).begin) * 4);
    return part;
  }
  std::uint32_t block_of(const Unit& unit) const { return unit.owner - first_owner(); }
  std::uint32_t part_of_rows() const { return wide().rows() / wide().stream_parts; }
  /// Rows from `first` on, at most `most`, between memory and the scratchpad; of pieces of memory as many as
  /// the rows that are there reach into. Leaves the number of rows in `row_count`.
  void copy_residual(unsigned opcode, std::uint32_t block, std::uint32_t first, std::uint32_t most,
                     std::uint32_t local, const Sync& sync) {
    const auto& lane = memory_.residual[cluster_];
    const auto row = sums_of(block).stride, bytes = most * row, width = lane.linear() ? 1 : lane.width;
    std::uint64_t offset = first == 0 ? 0 : lane.advance(first * row);
    for (std::uint32_t i = 0; i < block; ++i) offset += lane.advance(bytes_of(i));
    out_.scalar(FR_SCALAR_SUB, row_count, rows, none, first);
    out_.scalar(FR_SCALAR_MAX, row_count, row_count, none, 0);
    out_.scalar(FR_SCALAR_MIN, row_count, row_count, none, most);
    auto c = run_of(lane.base + offset, local, lane.part_bytes(bytes));
    c.size1 = u32(width);
    c.local_stride1 = narrow(c.bytes);
    c.global_stride1 = static_cast<std::int64_t>(lane.step);
    c.size2 = u32(lane.rounds(bytes));
    c.local_stride2 = narrow(std::uint64_t{c.bytes} * c.size1);
    c.global_stride2 = static_cast<std::int64_t>(lane.stride);
    std::vector<Patch> patches;
    if (lane.linear()) {
      c.bytes = 0;
      patches.push_back(FR_PATCH(fr_copy, bytes, row_count, narrow(row)));
    } else if (c.bytes == lane.piece) {
      out_.scalar(FR_SCALAR_MUL, scratch_register, row_count, none, static_cast<std::int64_t>(row));
      out_.scalar(FR_SCALAR_CEIL_DIV, scratch_register, scratch_register, none,
                  static_cast<std::int64_t>(lane.piece * width));
      c.size2 = 0;
      patches.push_back(FR_PATCH(fr_copy, size2, scratch_register, 1));
    }
    out_.add(opcode, c, sync, patches);
  }
  /// Adds parts of the residual stream to the sums of a block, and tells the arrays when they may go on.
  void add_residual(std::uint32_t block, const std::vector<std::uint32_t>& parts, bool tells) {
    const auto sums = sums_of(block);
    for (const auto part : parts) {
      const auto first = part * part_of_rows();
      copy_residual(FR_OP_LOAD, block, first, part_of_rows(), wide().stream,
                    {{{stream_free, 1}}, {{stream_full, 1}}});
      const Matrix some{sums.at + u32(first * sums.stride), sums.stride, FR_TYPE_F32};
      auto v = vector(FR_VECTOR_ADD, columns_of(block).size(), some, some);
      set_b(v, {wide().stream, sums.stride, FR_TYPE_F32});
      Sync sync{{{stream_full, 1}}, {{stream_free, 1}}};
      if (part == parts.front()) sync.wait.push_back({block_full, 1});
      if (part == parts.back() && tells) sync.signal.push_back({block_added, 1});
      out_.add(FR_OP_VECTOR, v, sync, {FR_PATCH(fr_vector, rows, row_count, 1)});
    }
  }
  /// Stores a block of the new residual stream, and adds up its squares.
  void keep(std::uint32_t block, Sync made) {
    made.signal.push_back({result_made, 1});
    out_.add(FR_OP_VECTOR,
             vector(FR_VECTOR_SUM_SQUARES, columns_of(block).size(), sums_of(block),
                    {squares_of_blocks() + block * 4, blocks() * 4ull, FR_TYPE_F32}),
             made, {all_rows()});
    copy_residual(FR_OP_STORE, block, 0, wide().rows(), sums_of(block).at, {{{result_made, 1}}, {}});
  }

  // Sums of squares: of all own columns, f32 [rows]; of each column group's; the factor of the norm; of each
  // own block, [rows][blocks].
  std::uint32_t squares() const { return wide().statistics; }
  std::uint32_t squares_of_group(std::uint32_t group) const {
    return group == column_group() ? squares() : wide().statistics + (group + 1) * wide().rows() * 4;
  }
  std::uint32_t factors() const { return wide().statistics + (wide().column_groups + 1) * wide().rows() * 4; }
  std::uint32_t squares_of_blocks() const { return factors() + wide().rows() * 4; }

  /// Half of the place of the panels, in turns.
  std::uint32_t piece_buffer(std::size_t piece) const {
    return wide().panels + u32(piece % 2) * wide().panel_bytes;
  }
  /// Columns of the group, cut where panels of the operand begin and end, and at most `most` long.
  std::vector<Range> pieces_of(Range columns, std::uint64_t most) const {
    const auto first = group_hidden(column_group()).begin;
    std::vector<Range> pieces;
    for (auto k = columns.begin; k < columns.end;) {
      const auto end = std::min(columns.end, ((first + k) / most + 1) * most - first);
      pieces.push_back({k, end});
      k = end;
    }
    return pieces;
  }
  void gather_rows(Range columns, std::uint32_t to) {
    const auto row_bytes = std::uint64_t{model_.hidden} * act_;
    const auto pitch = narrow(columns.size() * act_);
    for (const bool second : {false, true}) {
      fr_gather g{};
      g.table = memory_.embedding + (group_hidden(column_group()).begin + columns.begin) * act_;
      g.indices = memory_.token_ids;
      g.table_stride = row_bytes;
      g.limit = model_.vocabulary;
      g.bytes = u32(columns.size() * act_);
      g.local = to;
      g.local_stride = pitch;
      Sync sync;
      if (!second) sync.wait.push_back({norm_free, 1});
      if (second) sync.signal.push_back({block_full, 1});
      std::vector<Patch> patches{FR_PATCH(fr_gather, indices, position, 4),
                                 FR_PATCH(fr_gather, indices, second ? +first1 : +first0, 4),
                                 FR_PATCH(fr_gather, count, second ? +rows1 : +rows0, 1)};
      if (second) patches.push_back(FR_PATCH(fr_gather, local, rows0, pitch));
      out_.add(FR_OP_GATHER, g, sync, patches);
    }
  }

  /// 1 / sqrt(mean of squares + epsilon) of each row.
  void find_factors() {
    const auto groups = wide().column_groups;
    const Matrix factor{factors(), 4, FR_TYPE_F32}, own{squares(), 4, FR_TYPE_F32};
    out_.add(FR_OP_VECTOR,
             vector(FR_VECTOR_SUM, blocks(), {squares_of_blocks(), blocks() * 4ull, FR_TYPE_F32}, own),
             {{}, {{squares_made, 1}}}, {all_rows()});
    // At once, because a post of the store engine would wait for the residual stream.
    Sync made{{{squares_made, 1}}, {}};
    for (std::uint32_t g = 0; g < groups; ++g)
      post_at_once(teammate(g), squares_posted, std::exchange(made, {}));
    out_.add(FR_OP_LOAD_NOP, wait_for(static_cast<Semaphore>(squares_posted), groups));
    for (std::uint32_t g = 0; g < groups; ++g)
      if (g != column_group())
        out_.add(FR_OP_LOAD,
                 run_of(chip::address_map::scratchpad(teammate(g)) + squares(), squares_of_group(g), 0), {},
                 {FR_PATCH(fr_copy, bytes, rows, 4)});
    out_.add(FR_OP_LOAD_NOP, {{}, {{squares_full, 1}}});
    // One row of as many columns as there are rows of the stream.
    const auto over_rows = [&](unsigned op, std::uint32_t from) {
      auto v = vector(op, 0, {from, 0, FR_TYPE_F32}, {factor.at, 0, FR_TYPE_F32});
      v.rows = 1;
      return v;
    };
    const Patch columns = FR_PATCH(fr_vector, cols, rows, 1);
    Sync full{{{squares_full, 1}}, {}};
    for (std::uint32_t g = 1; g < groups; ++g) {
      auto v = over_rows(FR_VECTOR_ADD, g == 1 ? squares_of_group(0) : factors());
      set_b(v, {squares_of_group(g), 0, FR_TYPE_F32});
      out_.add(FR_OP_VECTOR, v, std::exchange(full, {}), {columns});
    }
    auto mean = over_rows(FR_VECTOR_AFFINE, groups == 1 ? squares() : factors());
    mean.arg0 = bits(1.0F / static_cast<float>(model_.hidden));
    mean.arg1 = bits(model_.norm_eps);
    out_.add(FR_OP_VECTOR, mean, std::exchange(full, {}), {columns});
    out_.add(FR_OP_VECTOR, over_rows(FR_VECTOR_RSQRT, factors()), {}, {columns});
  }
  /// Own columns, normalised, to memory. The place of the panels is free: all of the team have made their
  /// sums.
  void normalise(std::uint32_t weights) {
    find_factors();
    const auto first = group_hidden(column_group()).begin;
    std::size_t piece = 0;
    for (const auto& columns : pieces_of(own_columns(), wide().panel_depth)) {
      const auto buffer = piece_buffer(piece++);
      const auto stride = columns.size() * act_;
      std::vector<Range> parts;
      std::vector<Matrix> from;
      for (std::uint32_t block = 0; block < blocks(); ++block)
        if (const auto shared = overlap(columns_of(block), columns); !shared.empty()) {
          parts.push_back(shared);
          from.push_back(part_of(block, shared));
        }
      for (std::size_t i = 0; i < parts.size(); ++i) {
        auto v = vector(
            FR_VECTOR_DEQUANTIZE, parts[i].size(), from[i],
            {buffer + u32((parts[i].begin - columns.begin) * act_), stride, plan_.numerics.activation});
        set_b(v, {factors(), 4, FR_TYPE_F32});
        set_c(v, {weights + u32(parts[i].begin * 4), 0, FR_TYPE_F32});
        Sync sync;
        if (i == 0) sync.wait.push_back({norm_free, 1});
        if (i + 1 == parts.size()) sync.signal.push_back({result_made, 1});
        out_.add(FR_OP_VECTOR, v, sync, {all_rows()});
      }
      store_all(stores_of(normalised(), {first + columns.begin, first + columns.end}, buffer, stride),
                {{{result_made, 1}}, {{norm_free, 1}}}, {FR_PATCH(fr_copy, size1, rows, 1)});
    }
    post_to_team(normed_posted);
  }
};

}  // namespace forerun::models::emission
