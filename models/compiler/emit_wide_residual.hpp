// SPDX-License-Identifier: Apache-2.0
/// Steps of many tokens: the projections that add to the residual stream, and its norms. Private to emit.cpp.
#pragma once

#include <algorithm>
#include <deque>
#include <optional>
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
  Operand normalised() const {
    return {memory_.ffn_sum, model_.hidden, normed_posted, wide().panel_depth, numerics().quantises()};
  }
  /// Where the scales of its rows are, if each has one: f32 [rows].
  std::uint64_t normalised_scales() const {
    return rows_of_group(normalised()) + panels_of(normalised()) * panel_pitch(normalised());
  }

  void load_next_norm(std::uint64_t layers_on) {
    const auto block = plan_.constants.bytes;
    std::vector<Patch> patches;
    if (layers_on > 0) patches.push_back(FR_PATCH(fr_copy, global, layer, narrow(block)));
    const auto load = [&](std::uint32_t offset, std::uint32_t to, const Sync& sync) {
      out_.add(FR_OP_LOAD,
               run_of(memory_.constants[cluster_] + layers_on * block + offset +
                          group_hidden(column_group()).begin * 4,
                      to, own_columns().size() * 4),
               sync, patches);
    };
    const auto norm = next_norm();
    if (is_layer_norm()) load(plan_.constants.attention_norm_bias, norm.bias, {});
    load(plan_.constants.attention_norm, norm.weights, {{}, {{layer_constants_full, 1}}});
  }

  /// A norm of the group's columns in the scratchpad.
  struct Norm {
    std::uint32_t weights;
    std::uint32_t bias = 0;  ///< of LayerNorm
  };
  Norm next_norm() const { return {wide().next_norm, wide().next_norm + u32(own_columns().size() * 4)}; }
  /// What is done to a projection's sums.
  struct Ending {
    Norm norm;                                  ///< of the new residual stream
    std::optional<std::uint32_t> bias;          ///< offset among the constants
    std::optional<std::uint32_t> post_weights;  ///< of the sums' own norm, in the scratchpad
  };

  /// The rows of the tokens' table, and their norm.
  void embed() {
    std::size_t piece = 0;
    if (numerics().token_scales) begin_peaks(normalised_peaks());
    for (const auto& columns : pieces_of(own_columns(), wide().panel_depth)) {
      const auto buffer = piece_buffer(piece++);
      gather_rows(columns, buffer);
      const bool has_positions = model_.positions == Positions::learned;
      const auto positions = piece_buffer(piece);
      if (has_positions) {
        load_positions(columns, positions);
        ++piece;
      }
      Sync loaded{{{block_full, 1}}, {}}, also_loaded = loaded;
      for (std::uint32_t block = 0; block < blocks(); ++block) {
        const auto shared = overlap(columns_of(block), columns);
        if (shared.empty()) continue;
        const auto before = u32((shared.begin - columns.begin) * act_);
        const Matrix from{buffer + before, columns.size() * act_, plan_.numerics.activation},
            to = part_of(block, shared);
        const bool ends = shared.end == columns.end;
        const bool scales = model_.embedding_scale != 1;
        const std::vector<fr_semaphore_use> free{{norm_free, 1}};
        auto sync = std::exchange(loaded, {});
        if (ends && !scales) sync.signal = free;
        out_.add(FR_OP_VECTOR, vector(FR_VECTOR_COPY, shared.size(), from, to), sync, {all_rows()});
        if (scales) {
          auto v = vector(FR_VECTOR_AFFINE, shared.size(), to, to);
          v.arg0 = bits(model_.embedding_scale);
          out_.add(FR_OP_VECTOR, v, ends ? Sync{{}, free} : Sync{}, {all_rows()});
        }
        if (!has_positions) continue;
        auto v = vector(FR_VECTOR_ADD, shared.size(), to, to);
        set_b(v, {positions + before, from.stride, from.type});
        sync = std::exchange(also_loaded, {});
        if (ends) sync.signal = free;
        out_.add(FR_OP_VECTOR, v, sync, {all_rows()});
      }
    }
    for (std::uint32_t block = 0; block < blocks(); ++block) keep(block, {}, next_norm());
    normalise(next_norm());
  }

  /// The products of `operand` are added to the residual stream, whose norm is the next operand.
  void project_sums(const std::vector<WeightTile> Projections::*projection, const Operand& operand,
                    const Ending& ending) {
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
    std::vector<std::size_t> products(panels);
    for (const auto& together : loads) products[together.front().panel] += together.size();
    // The stream is added part by part, in the turns between panels, because all of it at once is more than
    // memory gives without holding up others.
    const auto parts = std::uint64_t{blocks()} * wide().stream_parts;
    const auto turn_of = [&](std::uint64_t part) { return part * (panels - 1) / parts; };
    const auto due_in = [&](std::uint32_t block, std::uint64_t turn) {
      std::vector<std::uint32_t> due;
      if (ending.post_weights) return due;
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
    // A product later, so that loads of tiles are not held up by the present one. It has to come before the
    // vector engine waits for all products of the next panel, the first of which may wait for it.
    const unsigned later = *std::min_element(products.begin(), products.end()) > 1 ? 2 : 0;
    struct Due {
      std::uint32_t block;
      std::vector<std::uint32_t> parts;
      bool tells;
      unsigned products;
    };
    std::deque<Due> waiting;
    if (numerics().token_scales) begin_peaks(normalised_peaks());
    const auto add_due = [&](unsigned after) {
      for (auto& due : waiting) ++due.products;
      for (; !waiting.empty() && waiting.front().products >= after; waiting.pop_front())
        add_residual(waiting.front().block, waiting.front().parts, waiting.front().tells, ending.bias);
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
          add_due(last ? 0 : later);
          if (!ends(unit) || !last) return;
          if (ending.post_weights)
            measure(block_of(unit), FR_VECTOR_SUM_SQUARES, {{{block_full, 1}}, {}});
          else
            keep(block_of(unit), panels == 1 ? Sync{} : Sync{{{block_full, 1}}, {}}, ending.norm);
        });
    if (ending.post_weights) add_normalised(*ending.post_weights, ending.norm);
    normalise(ending.norm);
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
  /// Adds parts of the residual stream, and the bias, to the sums of a block, and tells the arrays when they
  /// may go on.
  void add_residual(std::uint32_t block, const std::vector<std::uint32_t>& parts, bool tells,
                    std::optional<std::uint32_t> bias, bool waits = true) {
    const auto sums = sums_of(block);
    for (const auto part : parts) {
      const auto first = part * part_of_rows();
      copy_residual(FR_OP_LOAD, block, first, part_of_rows(), wide().stream,
                    {{{stream_free, 1}}, {{stream_full, 1}}});
      const Matrix some{sums.at + u32(first * sums.stride), sums.stride, FR_TYPE_F32};
      auto v = vector(FR_VECTOR_ADD, columns_of(block).size(), some, some);
      set_b(v, {wide().stream, sums.stride, FR_TYPE_F32});
      Sync sync{{{stream_full, 1}}, {{stream_free, 1}}};
      if (waits && part == parts.front()) sync.wait.push_back({block_full, 1});
      const std::vector<Patch> there{FR_PATCH(fr_vector, rows, row_count, 1)};
      Sync added;
      if (part == parts.back() && tells) added.signal.push_back({block_added, 1});
      if (!bias) sync.signal.insert(sync.signal.end(), added.signal.begin(), added.signal.end());
      out_.add(FR_OP_VECTOR, v, sync, there);
      if (!bias) continue;
      auto b = vector(FR_VECTOR_ADD, columns_of(block).size(), some, some);
      set_b(b, own_constant(first_owner() + block, *bias, 0));
      out_.add(FR_OP_VECTOR, b, added, there);
    }
  }
  /// Stores a block of the new residual stream, adds up its squares, and finds the largest of what the norm
  /// with these weights makes of it, but for the factors of rows.
  void keep(std::uint32_t block, Sync made, const Norm& norm) {
    made.signal.push_back({result_made, 1});
    measure(block, is_layer_norm() ? FR_VECTOR_SUM : FR_VECTOR_SUM_SQUARES, made);
    copy_residual(FR_OP_STORE, block, 0, wide().rows(), sums_of(block).at, {{{result_made, 1}}, {}});
    if (!numerics().token_scales) return;
    for (const auto& columns : some_columns(columns_of(block))) {
      const auto some = temporary(columns.size());
      auto v = vector(FR_VECTOR_MUL, columns.size(), part_of(block, columns), some);
      set_b(v, {norm.weights + u32(columns.begin * 4), 0, FR_TYPE_F32});
      out_.add(FR_OP_VECTOR, v, {}, {all_rows()});
      out_.add(FR_OP_VECTOR, peaks_of(some, columns.size(), some), {}, {all_rows()});
      take_peaks(normalised_peaks(), 0, rows, false, {});
    }
  }
  /// What the sums of each row of a block, or their squares, add up to.
  void measure(std::uint32_t block, unsigned op, const Sync& sync) {
    out_.add(FR_OP_VECTOR,
             vector(op, columns_of(block).size(), sums_of(block),
                    {squares_of_blocks() + block * 4, blocks() * 4ull, FR_TYPE_F32}),
             sync, {all_rows()});
  }
  /// The norm of the sums is added to the residual stream. Only the whole row has one: nothing of this can
  /// begin while sums are made.
  void add_normalised(std::uint32_t weights, const Norm& next) {
    add_up(other_squares(), other_squares_posted, factors(),
           {squares_of_blocks(), blocks() * 4ull, FR_TYPE_F32}, blocks());
    find_factors();
    std::vector<std::uint32_t> parts;
    for (std::uint32_t i = 0; i < wide().stream_parts; ++i) parts.push_back(i);
    for (std::uint32_t block = 0; block < blocks(); ++block) {
      const auto sums = sums_of(block);
      auto v = vector(FR_VECTOR_DEQUANTIZE, columns_of(block).size(), sums, sums);
      set_b(v, {factors(), 4, FR_TYPE_F32});
      set_c(v, {weights + u32(columns_of(block).begin * 4), 0, FR_TYPE_F32});
      out_.add(FR_OP_VECTOR, v, {}, {all_rows()});
      add_residual(block, parts, false, std::nullopt, false);
      keep(block, {}, next);
    }
  }
  bool is_layer_norm() const { return model_.norm == NormKind::layer; }
  Matrix temporary(std::uint64_t columns) const { return {wide().temporary, columns * 4, FR_TYPE_F32}; }
  /// As many at a time as there is room for.
  std::vector<Range> some_columns(Range columns) const {
    std::vector<Range> all;
    for (auto k = columns.begin; k < columns.end; k += wide().temporary_columns)
      all.push_back({k, std::min<std::uint64_t>(columns.end, k + wide().temporary_columns)});
    return all;
  }

  // Sums of squares of rows, f32 [rows] each: of all own columns; of each column group's; the factor of the
  // norm; of each own block, [rows][blocks]; of own columns once more, where norms tell twice. LayerNorm: the
  // mean; sums of squares of pieces of blocks, [rows][pieces].
  std::uint32_t statistic(std::uint64_t i) const { return wide().statistics + u32(i * wide().rows() * 4); }
  std::uint32_t squares() const { return statistic(0); }
  std::uint32_t squares_of_group(std::uint32_t group, std::uint32_t own) const {
    return group == column_group() ? own : statistic(group + 1ull);
  }
  std::uint32_t factors() const { return statistic(wide().column_groups + 1ull); }
  std::uint32_t squares_of_blocks() const { return statistic(wide().column_groups + 2ull); }
  std::uint32_t other_squares() const { return statistic(wide().column_groups + 2ull + blocks()); }
  std::uint32_t means() const { return statistic(wide().column_groups + 3ull + blocks()); }
  std::uint32_t squares_of_pieces() const { return statistic(wide().column_groups + 4ull + blocks()); }

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

  /// Of the table of learned positions.
  void load_positions(Range columns, std::uint32_t to) {
    const auto row = std::uint64_t{model_.hidden} * act_;
    const auto pitch = narrow(columns.size() * act_);
    for (const bool second : {false, true}) {
      auto c = run_of(memory_.positions + model_.position_offset * row +
                          (group_hidden(column_group()).begin + columns.begin) * act_,
                      to, columns.size() * act_);
      c.size1 = 0;
      c.local_stride1 = pitch;
      c.global_stride1 = static_cast<std::int64_t>(row);
      Sync sync;
      if (!second) sync.wait.push_back({norm_free, 1});
      if (second) sync.signal.push_back({block_full, 1});
      std::vector<Patch> patches{FR_PATCH(fr_copy, global, position, narrow(row)),
                                 FR_PATCH(fr_copy, global, second ? +first1 : +first0, narrow(row)),
                                 FR_PATCH(fr_copy, size1, second ? +rows1 : +rows0, 1)};
      if (second) patches.push_back(FR_PATCH(fr_copy, local, rows0, pitch));
      out_.add(FR_OP_LOAD, c, sync, patches);
    }
  }

  /// Rows of `parts` columns to `own`, which the team is told, and those of the whole row to `to`.
  void add_up(std::uint32_t own, WideSemaphore posted, std::uint32_t to, const Matrix& parts,
              std::uint64_t count) {
    const auto groups = wide().column_groups;
    out_.add(FR_OP_VECTOR, vector(FR_VECTOR_SUM, count, parts, {own, 4, FR_TYPE_F32}),
             {{}, {{squares_made, 1}}}, {all_rows()});
    // At once, because a post of the store engine would wait for the residual stream.
    Sync made{{{squares_made, 1}}, {}};
    for (std::uint32_t g = 0; g < groups; ++g) post_at_once(teammate(g), posted, std::exchange(made, {}));
    out_.add(FR_OP_LOAD_NOP, wait_for(static_cast<Semaphore>(posted), groups));
    for (std::uint32_t g = 0; g < groups; ++g)
      if (g != column_group())
        out_.add(FR_OP_LOAD,
                 run_of(chip::address_map::scratchpad(teammate(g)) + own, squares_of_group(g, own), 0), {},
                 {FR_PATCH(fr_copy, bytes, rows, 4)});
    if (posted == squares_posted && numerics().token_scales) load_peaks(normalised_peaks());
    out_.add(FR_OP_LOAD_NOP, {{}, {{squares_full, 1}}});
    Sync full{{{squares_full, 1}}, {}};
    for (std::uint32_t g = groups > 1 ? 1 : 0; g < groups; ++g) {
      auto v = over_rows(g == 0 ? FR_VECTOR_COPY : FR_VECTOR_ADD, g < 2 ? squares_of_group(0, own) : to, to);
      if (g > 0) set_b(v, {squares_of_group(g, own), 0, FR_TYPE_F32});
      out_.add(FR_OP_VECTOR, v, std::exchange(full, {}), {all_columns()});
    }
  }
  /// Sums of rows become means.
  void average(std::uint32_t sums, double more) {
    auto mean = over_rows(FR_VECTOR_AFFINE, sums, sums);
    mean.arg0 = bits(1.0F / static_cast<float>(model_.hidden));
    mean.arg1 = bits(more);
    out_.add(FR_OP_VECTOR, mean, {}, {all_columns()});
  }
  /// Of sums of squares: 1 / sqrt(mean of squares + epsilon) of each row.
  void find_factors() {
    average(factors(), model_.norm_eps);
    out_.add(FR_OP_VECTOR, over_rows(FR_VECTOR_RSQRT, factors(), factors()), {}, {all_columns()});
  }
  /// Of own columns, less the mean of the row.
  void centre(const Matrix& from, std::uint64_t columns) {
    auto v = vector(FR_VECTOR_SUB, columns, from, temporary(columns));
    set_b(v, {means(), 4, FR_TYPE_F32});
    v.flags = FR_VECTOR_FLAG_B_SCALAR;
    out_.add(FR_OP_VECTOR, v, {}, {all_rows()});
  }
  /// The squares of LayerNorm need the mean of the whole row.
  void add_up_squares() {
    const Matrix of_blocks{squares_of_blocks(), blocks() * 4ull, FR_TYPE_F32};
    if (!is_layer_norm()) return add_up(squares(), squares_posted, factors(), of_blocks, blocks());
    add_up(other_squares(), other_squares_posted, means(), of_blocks, blocks());
    average(means(), 0);
    const Matrix pieces{squares_of_pieces(), wide().norm_pieces * 4ull, FR_TYPE_F32};
    std::uint32_t piece = 0;
    for (std::uint32_t block = 0; block < blocks(); ++block)
      for (const auto& columns : some_columns(columns_of(block))) {
        centre(part_of(block, columns), columns.size());
        out_.add(FR_OP_VECTOR,
                 vector(FR_VECTOR_SUM_SQUARES, columns.size(), temporary(columns.size()),
                        {pieces.at + piece++ * 4, pieces.stride, FR_TYPE_F32}),
                 {}, {all_rows()});
      }
    add_up(squares(), squares_posted, factors(), pieces, piece);
  }
  /// Of normalised rows, for those who read one of them alone, too.
  void find_normalised_scales() {
    find_scales(normalised_peaks(), factors(), {});
    if (column_group() != 0) return;
    out_.add(FR_OP_VECTOR_NOP, {{}, {{result_made, 1}}});
    out_.add(FR_OP_STORE, run_of(normalised_scales(), token_scales(), 0), {{{result_made, 1}}, {}},
             {FR_PATCH(fr_copy, bytes, rows, 4)});
  }
  /// Own columns, normalised, to memory. The place of the panels is free: all of the team have made their
  /// sums.
  void normalise(const Norm& norm) {
    add_up_squares();
    find_factors();
    if (numerics().token_scales) find_normalised_scales();
    const auto operand = normalised();
    const bool by_parts = has_blocks(operand) || is_layer_norm();
    const auto by = numerics().token_scales ? inverse_peaks() : factors();
    const auto first = group_hidden(column_group()).begin;
    std::size_t piece = 0;
    for (const auto& columns : pieces_of(own_columns(), wide().panel_depth)) {
      const auto buffer = piece_buffer(piece++);
      const auto stride = element_bytes(operand, columns.size()) + scale_bytes_of(operand, columns.size());
      const Rows results{buffer, stride, buffer + u32(element_bytes(operand, columns.size())), stride};
      std::vector<Range> parts;
      std::vector<Matrix> from;
      for (std::uint32_t block = 0; block < blocks(); ++block)
        if (const auto shared = overlap(columns_of(block), columns); !shared.empty())
          for (const auto& some : by_parts ? some_columns(shared) : std::vector{shared}) {
            parts.push_back(some);
            from.push_back(part_of(block, some));
          }
      for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto count = parts[i].size(), before = parts[i].begin - columns.begin;
        const Rows to{results.at + u32(element_bytes(operand, before)), stride,
                      results.scales + u32(scale_bytes_of(operand, before)), stride};
        const Matrix result{to.at, stride, type_of(operand)}, some = temporary(count);
        if (i == 0) out_.add(FR_OP_VECTOR_NOP, {{{norm_free, 1}}, {}});
        Sync ends;
        if (i + 1 == parts.size()) ends.signal.push_back({result_made, 1});
        if (is_layer_norm()) centre(from[i], count);
        auto v =
            vector(FR_VECTOR_DEQUANTIZE, count, is_layer_norm() ? some : from[i], by_parts ? some : result);
        set_b(v, {by, 4, FR_TYPE_F32});
        set_c(v, {norm.weights + u32(parts[i].begin * 4), 0, FR_TYPE_F32});
        out_.add(FR_OP_VECTOR, v, by_parts ? Sync{} : ends, {all_rows()});
        if (is_layer_norm()) {
          auto b = vector(FR_VECTOR_ADD, count, some, has_blocks(operand) ? some : result);
          set_b(b, {norm.bias + u32(parts[i].begin * 4), 0, FR_TYPE_F32});
          out_.add(FR_OP_VECTOR, b, has_blocks(operand) ? Sync{} : ends, {all_rows()});
        }
        if (has_blocks(operand)) out_.add(FR_OP_VECTOR, in_blocks(some, count, to), ends, {all_rows()});
      }
      store_all(stores_of(operand, {first + columns.begin, first + columns.end}, results),
                {{{result_made, 1}}, {{norm_free, 1}}}, {FR_PATCH(fr_copy, size1, rows, 1)});
    }
    post_to_team(normed_posted);
  }
};

}  // namespace forerun::models::emission
