// SPDX-License-Identifier: Apache-2.0
/// Steps of many tokens: the operators of a layer. Private to emit.cpp.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>
#include <vector>

#include "models/compiler/emit_wide_residual.hpp"

namespace forerun::models::emission {

class WideLayers : public WideResidual {
 public:
  using WideResidual::WideResidual;

 protected:
  /// From the tokens to the last one's normalised row, which is the first of `normed` then.
  void wide_layers() {
    begin_wide();
    tag(OperatorKind::embed);
    load_next_norm(0);
    out_.add(FR_OP_VECTOR_NOP, {{{layer_constants_full, 1}}, {}});
    embed();
    out_.begin_loop(layer, 0, {FR_PATCH(fr_loop, count, layers, 1)});
    wide_layer();
    out_.end_loop();
    end_wide();
  }

 private:
  void tag(OperatorKind kind) {
    std::uint32_t number = 0;
    for (const auto* list : {&graph_.prologue, &graph_.kinds.front().operators, &graph_.epilogue})
      for (const auto& op : *list) {
        if (op.kind == kind) return out_.set_tag(number);
        ++number;
      }
  }

  void begin_wide() {
    const auto groups = std::int64_t{wide().row_groups};
    const auto clamp = [this](unsigned reg, unsigned most) {
      out_.scalar(FR_SCALAR_MAX, reg, reg, none, 0);
      out_.scalar(FR_SCALAR_MIN, reg, reg, most, 0);
    };
    out_.scalar(FR_SCALAR_CEIL_DIV, half, tokens, none, 2 * groups);
    out_.scalar(FR_SCALAR_MUL, first0, half, none, row_group());
    out_.scalar(FR_SCALAR_MUL, first1, half, none, 2 * groups - 1 - row_group());
    for (const auto& [run_rows, first] : {std::pair{+rows0, +first0}, std::pair{+rows1, +first1}}) {
      out_.scalar(FR_SCALAR_SUB, run_rows, tokens, first, 0);
      clamp(run_rows, half);
    }
    out_.scalar(FR_SCALAR_ADD, rows, rows0, rows1, 0);
    out_.scalar(FR_SCALAR_CEIL_DIV, part_rows, rows, none, Wide::panel_parts);
    settle(false);
  }
  /// Gives the tokens of what is free in the beginning, and takes them in the end.
  void settle(bool take) {
    std::vector<fr_semaphore_use> uses;
    const auto add = [&](WideSemaphore semaphore, std::uint32_t count) {
      uses.push_back({static_cast<std::uint8_t>(semaphore), static_cast<std::uint8_t>(count)});
    };
    add(slot_free, wide().slots);
    if (begins_team()) add(panel_free, Wide::panel_count);
    if (!ends_team()) add(panel_room, Wide::panel_count);
    add(block_free, wide().block_count);
    add(queries_free, 2);
    add(norm_free, 2);
    if (numerics().token_scales) add(operand_free, Wide::panel_count);
    add(stream_free, 1);
    for (const auto semaphore : {keys_free, values_free, scores_free}) uses.push_back({semaphore, 2});
    if (uses.size() % 2 != 0) uses.push_back({FR_NO_SEMAPHORE, 0});
    for (std::size_t i = 0; i < uses.size(); i += 2)
      out_.add(FR_OP_LOAD_NOP, take ? Sync{{uses[i], uses[i + 1]}, {}} : Sync{{}, {uses[i], uses[i + 1]}});
  }

  void wide_layer() {
    out_.scalar(FR_SCALAR_MUL, cache_offset, layer, none, static_cast<std::int64_t>(plan_.kv_layer_bytes()));
    if (scaled()) {
      out_.scalar(FR_SCALAR_DIV, cache_scales_offset, cache_offset, none,
                  static_cast<std::int64_t>(plan_.cache_row_bytes()));
      out_.scalar(FR_SCALAR_MUL, cache_scales_offset, cache_scales_offset, none, 4);
    }
    if (has_windows()) choose_window();
    // The one command of the vector engine with the first operator's tag: where a layer begins.
    out_.set_tag(u32(graph_.prologue.size()));
    out_.add(FR_OP_VECTOR_NOP);
    tag(OperatorKind::query_key_value);
    query_key_value();
    tag(OperatorKind::attention);
    wide_attention();
    tag(OperatorKind::attention_output);
    const auto& at = plan_.constants;
    project_sums(&Projections::attention_output, attended(),
                 {{own_norm(at.ffn_norm), own_norm(at.ffn_norm_bias)},
                  if_there(model_.output_bias, at.attention_output_bias),
                  if_there(model_.post_norms, own_norm(at.post_attention_norm))});
    tag(model_.gated ? OperatorKind::gate_up : OperatorKind::up);
    gate_up();
    tag(OperatorKind::down);
    project_sums(&Projections::down, hidden_layer(),
                 {next_norm(), if_there(model_.ffn_bias, at.down_bias),
                  if_there(model_.post_norms, own_norm(at.post_ffn_norm))});
  }
  /// Of the layer's constants for all hidden columns, those of the group.
  std::uint32_t own_norm(std::uint32_t offset) const {
    return wide().constants + offset + u32(group_hidden(column_group()).begin * 4);
  }
  static std::optional<std::uint32_t> if_there(bool there, std::uint32_t at) {
    return there ? std::optional(at) : std::nullopt;
  }

  // Queries, keys and values

  /// Of the owners in a column group, the one that computes the keys (the first that has the head), and the
  /// one that computes the values (the last).
  std::uint32_t owner_of(std::uint32_t group, std::uint64_t kv_head, bool keys) const {
    std::uint32_t owner = 0;
    for (std::uint32_t i = 0; i < wide().row_groups; ++i) {
      const auto candidate = group * wide().row_groups + i;
      const auto heads = plan_.share(candidate).kv_heads;
      if (kv_head < heads.begin || kv_head >= heads.end) continue;
      owner = candidate;
      if (keys) break;
    }
    return owner;
  }
  struct Head {
    enum Kind { query, key, value } kind;
    std::uint64_t number, column;  ///< of the model; in the owner's projection
  };
  std::vector<Head> heads_in(std::uint32_t owner, Range columns) const {
    const auto& share = plan_.share(owner);
    std::vector<Head> heads;
    const auto add = [&](Head::Kind kind, std::uint64_t number, std::uint64_t column) {
      if (column >= columns.begin && column < columns.end) heads.push_back({kind, number, column});
    };
    for (auto h = share.heads.begin; h < share.heads.end; ++h)
      add(Head::query, h, (h - share.heads.begin) * model_.head_dim);
    for (auto g = share.kv_heads.begin; g < share.kv_heads.end; ++g) {
      const auto column = share.query_columns + (g - share.kv_heads.begin) * model_.head_dim;
      if (owner_of(owner / wide().row_groups, g, true) == owner) add(Head::key, g, column);
      if (owner_of(owner / wide().row_groups, g, false) == owner)
        add(Head::value, g, column + share.key_columns);
    }
    return heads;
  }
  /// Block by block over the owners, so that neighbours' blocks can be loaded together.
  std::vector<Work> head_works(std::uint32_t group) const {
    std::vector<std::vector<Block>> blocks;
    std::size_t most = 0;
    const auto first = group * wide().row_groups;
    for (std::uint32_t i = 0; i < wide().row_groups; ++i) {
      blocks.emplace_back();
      for (const auto& block : blocks_of(plan_.tiles(first + i).query_key_value))
        if (!heads_in(first + i, block.n).empty()) blocks.back().push_back(block);
      most = std::max(most, blocks.back().size());
    }
    std::vector<Work> works;
    for (std::size_t b = 0; b < most; ++b)
      for (std::uint32_t i = 0; i < wide().row_groups; ++i)
        if (b < blocks[i].size())
          works.push_back({{{first + i, &plan_.tiles(first + i).query_key_value, 0, blocks[i][b]}}});
    return works;
  }
  void query_key_value() {
    project_blocks([this](std::uint32_t group) { return head_works(group); }, wide().head_blocks,
                   normalised(),
                   [this](const Work& work, const std::vector<int>& held, std::size_t, Free& free) {
                     place_wide_heads(work.columns.front(), held.front());
                     free.by_store.push_back(held.front());
                   },
                   [this] {
                     load_constants();
                     load_angles(memory_.cosines, wide().cosines);
                     load_angles(memory_.sines, wide().sines);
                     load_next_norm(1);
                     out_.add(FR_OP_VECTOR_NOP, {{{layer_constants_full, 1}}, {}});
                   });
    post_to_chain(cache_posted);
  }
  void load_constants() {
    const auto bytes = plan_.constants.bytes, own = plan_.constants.own_bytes();
    const std::vector<Patch> of_layer{FR_PATCH(fr_copy, global, layer, narrow(bytes))};
    out_.add(FR_OP_LOAD, run_of(memory_.constants[cluster_], wide().constants, plan_.constants.own), {},
             of_layer);
    if (own == 0) return;
    for (std::uint32_t i = 0; i < wide().row_groups; ++i)
      out_.add(FR_OP_LOAD,
               run_of(memory_.constants[first_owner() + i] + plan_.constants.own,
                      wide().own_constants + i * own, own),
               i + 1 == wide().row_groups ? Sync{{}, {{scales_full, 1}}} : Sync{}, of_layer);
    out_.add(FR_OP_TENSOR_NOP, {{{scales_full, 1}}, {}});
  }
  void load_angles(std::uint64_t table, std::uint32_t to) {
    const auto angles = plan_.rotated() * 2ull;
    if (angles == 0) return;
    for (const bool second : {false, true}) {
      std::vector<Patch> patches{FR_PATCH(fr_copy, global, position, narrow(angles)),
                                 FR_PATCH(fr_copy, global, second ? +first1 : +first0, narrow(angles)),
                                 FR_PATCH(fr_copy, bytes, second ? +rows1 : +rows0, narrow(angles))};
      if (second) patches.push_back(FR_PATCH(fr_copy, local, rows0, narrow(angles)));
      out_.add(FR_OP_LOAD, run_of(table, to, 0), {}, patches);
    }
  }
  /// Of the rows of a block's nth head, in a cache of integers.
  std::uint32_t cache_scales_of(int block, std::uint64_t nth) const {
    const auto heads = wide().block_bytes / (wide().rows() * model_.head_dim * 4);
    return wide().cache_scales + u32((static_cast<std::uint64_t>(block) * heads + nth) * wide().rows() * 4);
  }
  unsigned type_of_head(Head::Kind kind) const {
    return kind == Head::query ? numerics().activation : numerics().cache;
  }
  /// The heads of a block become queries, keys and values, in its place, and are stored.
  void place_wide_heads(const Columns& source, int number) {
    const auto& columns = source.block.n;
    const auto block = block_at(number, columns.size());
    const auto heads = heads_in(source.owner, columns);
    const auto rotated = plan_.rotated();
    Sync made{{{block_full, 1}}, {}};
    if (model_.qkv_bias)
      add_bias(block, source, plan_.constants.query_key_value_bias, std::exchange(made, {}));
    std::vector<Matrix> results;
    for (const auto& head : heads) {
      const Matrix from{block.at + u32((head.column - columns.begin) * 4), block.stride, FR_TYPE_F32};
      const bool rotates = head.kind != Head::value && rotated > 0,
                 whole = !rotates || rotated == model_.head_dim;
      // A head alone in its block moves together, row by row, so that it is stored in one piece.
      const auto type = type_of_head(head.kind);
      const Matrix to{from.at,
                      heads.size() == 1 && whole ? ip::row_bytes(type, model_.head_dim) : block.stride, type};
      if (model_.qk_norm && head.kind != Head::value) {
        auto v = vector(FR_VECTOR_RMSNORM, model_.head_dim, from, from);
        v.arg0 = bits(model_.norm_eps);
        set_b(v, {wide().constants +
                      (head.kind == Head::query ? plan_.constants.query_norm : plan_.constants.key_norm),
                  0, FR_TYPE_F32});
        out_.add(FR_OP_VECTOR, v, std::exchange(made, {}), {all_rows()});
      }
      const bool quantised = scaled() && head.kind != Head::query;
      const auto& placed = quantised ? from : to;
      const auto part = [&](unsigned op, std::uint64_t first, std::uint64_t cols) {
        return vector(op, cols, {from.at + u32(first * 4), from.stride, FR_TYPE_F32},
                      {placed.at + u32(ip::row_bytes(placed.type, first)), placed.stride, placed.type});
      };
      const bool last = &head == &heads.back();
      const auto sync_of = [&](bool ends) {
        auto sync = std::exchange(made, {});
        if (last && ends) sync.signal.push_back({result_made, 1});
        return sync;
      };
      if (rotates) {
        auto v = part(FR_VECTOR_ROPE, 0, rotated);
        v.arg0 = rotated;
        v.flags = model_.rotary.interleaved ? FR_VECTOR_FLAG_INTERLEAVED : 0;
        set_b(v, {wide().cosines, rotated * 2ull, FR_TYPE_F32});
        set_c(v, {wide().sines, rotated * 2ull, FR_TYPE_F32});
        out_.add(FR_OP_VECTOR, v, sync_of(whole && !quantised), {all_rows()});
      }
      const std::uint64_t plain = rotates ? rotated : 0;
      if (quantised) {
        auto v = vector(FR_VECTOR_QUANTIZE, model_.head_dim, from, to);
        set_c(v, {cache_scales_of(number, results.size()), 4, FR_TYPE_F32});
        out_.add(FR_OP_VECTOR, v, sync_of(true), {all_rows()});
      } else if (plain < model_.head_dim)
        out_.add(FR_OP_VECTOR, part(FR_VECTOR_COPY, plain, model_.head_dim - plain), sync_of(true),
                 {all_rows()});
      results.push_back(to);
    }
    Sync stored{{{result_made, 1}}, {}};
    for (std::size_t i = 0; i < heads.size(); ++i) {
      const bool last = i + 1 == heads.size();
      const auto ends = [&, last](Sync sync, bool last_copy) {
        if (last && last_copy) sync.signal.push_back({block_stored, 1});
        return sync;
      };
      const auto head_bytes = ip::row_bytes(results[i].type, model_.head_dim);
      auto c = run_of(0, results[i].at, head_bytes);
      c.size1 = 0;
      c.local_stride1 = narrow(results[i].stride);
      c.global_stride1 = static_cast<std::int64_t>(head_bytes);
      if (heads[i].kind == Head::query) {
        c.global = query_rows(heads[i].number);
        out_.add(FR_OP_STORE, c, ends(std::exchange(stored, {}), true), {FR_PATCH(fr_copy, size1, rows, 1)});
        continue;
      }
      const bool key = heads[i].kind == Head::key;
      const auto nth = heads[i].number - plan_.kv_heads.begin;
      c.global = (key ? memory_.keys : memory_.values) + nth * plan_.kv_head_bytes();
      for (const bool second : {false, true}) {
        if (scaled()) {
          std::vector<Patch> patches{FR_PATCH(fr_copy, global, cache_scales_offset, 1),
                                     FR_PATCH(fr_copy, global, position, 4),
                                     FR_PATCH(fr_copy, global, second ? +first1 : +first0, 4),
                                     FR_PATCH(fr_copy, bytes, second ? +rows1 : +rows0, 4)};
          if (second) patches.push_back(FR_PATCH(fr_copy, local, rows0, 4));
          out_.add(
              FR_OP_STORE,
              run_of((key ? memory_.key_scales : memory_.value_scales) + nth * plan_.kv_head_scale_bytes(),
                     cache_scales_of(number, i), 0),
              std::exchange(stored, {}), patches);
        }
        std::vector<Patch> patches{FR_PATCH(fr_copy, global, cache_offset, 1),
                                   FR_PATCH(fr_copy, global, position, narrow(head_bytes)),
                                   FR_PATCH(fr_copy, global, second ? +first1 : +first0, narrow(head_bytes)),
                                   FR_PATCH(fr_copy, size1, second ? +rows1 : +rows0, 1)};
        if (second) patches.push_back(FR_PATCH(fr_copy, local, rows0, narrow(results[i].stride)));
        out_.add(FR_OP_STORE, c, ends(std::exchange(stored, {}), second), patches);
      }
    }
  }
  /// To the sums of a block, the bias at `offset` among the constants.
  void add_bias(const Matrix& sums, const Columns& columns, std::uint32_t offset, const Sync& sync) {
    const auto& n = columns.block.n;
    auto v = vector(FR_VECTOR_ADD, n.size(), sums, sums);
    set_b(v, own_constant(columns.owner, offset, n.begin));
    out_.add(FR_OP_VECTOR, v, sync, {all_rows()});
  }
  // Feed-forward

  /// Strips are as wide as pieces of work, where those are alike.
  Operand hidden_layer() const {
    return {memory_.swiglu, model_.ffn, hidden_posted, strip_of_hidden(), numerics().block_scales};
  }
  std::uint64_t strip_of_hidden() const {
    const auto depth = std::uint64_t{wide().panel_depth};
    std::uint64_t strip = 0;
    for (std::uint32_t g = 0; g < wide().column_groups; ++g)
      for (const auto& work : gated_works(g)) {
        const auto begin = first_hidden(work.columns.front()),
                   width = work.columns.size() / work.step * work.columns.front().block.n.size();
        if (strip == 0) strip = width;
        if (width != strip || begin % strip != 0) return depth;
      }
    return depth % strip == 0 ? strip : depth;
  }
  std::uint64_t first_hidden(const Columns& gate) const {
    return plan_.share(gate.owner).ffn.begin + gate.block.n.begin;
  }
  /// Gates of a column group in the order of their columns.
  std::vector<Columns> gates_of(std::uint32_t group) const {
    std::vector<Columns> gates;
    for (std::uint32_t i = 0; i < wide().row_groups; ++i) {
      const auto owner = group * wide().row_groups + i;
      const auto& tiles = plan_.tiles(owner).gate_up;
      const auto blocks = blocks_of(tiles);
      for (std::size_t b = 0; b < blocks.size() / (model_.gated ? 2 : 1); ++b)
        gates.push_back({owner, &tiles, offset_of(owner, &Projections::gate_up), blocks[b]});
    }
    return gates;
  }
  bool are_neighbours(const Columns& a, const Columns& b) const {
    const auto begin = first_hidden(a), n = a.block.n.size(), depth = std::uint64_t{wide().panel_depth};
    return b.block.n.size() == n && begin + n == first_hidden(b) &&
           begin / depth == (begin + 2 * n - 1) / depth;
  }
  /// Gates with their ups. Two neighbours in one panel go together where their results have room in the place
  /// of the first gate, so that they are stored in longer pieces; in all column groups alike, because panels
  /// go from group to group, as many for each.
  std::vector<Work> gated_works(std::uint32_t group) const {
    const std::size_t step = model_.gated ? 2 : 1;
    const bool room = act_ == 2 && wide().block_count >= 2 * step * wide().together;
    std::vector<std::vector<Columns>> groups;
    for (std::uint32_t g = 0; g < wide().column_groups; ++g) groups.push_back(gates_of(g));
    const auto joins = [&](std::size_t i) {
      return room && std::all_of(groups.begin(), groups.end(), [&](const auto& gates) {
               return i + 1 < gates.size() && are_neighbours(gates[i], gates[i + 1]);
             });
    };
    const auto& gates = groups[group];
    std::vector<Work> works;
    for (std::size_t i = 0; i < gates.size();) {
      auto& work = works.emplace_back(Work{{}, step});
      for (auto count = joins(i) ? 2u : 1u; count > 0; --count, ++i) {
        const auto& gate = gates[i];
        work.columns.push_back(gate);
        if (!model_.gated) continue;
        const auto blocks = blocks_of(*gate.tiles);
        const auto number =
            std::find_if(blocks.begin(), blocks.end(),
                         [&](const Block& block) { return block.first == gate.block.first; }) -
            blocks.begin();
        work.columns.push_back({gate.owner, gate.tiles, gate.offset,
                                blocks[static_cast<std::size_t>(number) + blocks.size() / 2]});
      }
    }
    if (wide().together == 1) return works;
    // From two halves in turn, which are in the lanes of different clusters.
    std::vector<Work> mixed;
    const auto half = divide_up(works.size(), 2);
    for (std::size_t i = 0; i < half; ++i) {
      mixed.push_back(works[i]);
      if (half + i < works.size()) mixed.push_back(works[half + i]);
    }
    return mixed;
  }
  void gate_up() {
    if (comes_plain(hidden_layer())) begin_peaks(plain_peaks());
    project_blocks([this](std::uint32_t group) { return gated_works(group); }, wide().block_count,
                   normalised(),
                   [this](const Work& work, const std::vector<int>& blocks, std::size_t first, Free& free) {
                     activate_blocks(work, blocks, first, free);
                   });
    post_operand(hidden_layer());
  }
  /// The gate and its up from column `first` of a piece of work on; behind the last one all are stored.
  void activate_blocks(const Work& work, const std::vector<int>& blocks, std::size_t first, Free& free) {
    const auto n = work.columns[first].block.n.size();
    const auto operand = hidden_layer();
    const auto gate = block_at(blocks[first], n), home = block_at(blocks.front(), n);
    const auto count = work.columns.size() / work.step * n, before = first / work.step * n;
    const Rows results{home.at, home.stride, home.at + u32(element_bytes(operand, count)), home.stride};
    const Rows own{results.at + u32(element_bytes(operand, before)), home.stride,
                   results.scales + u32(scale_bytes_of(operand, before)), home.stride};
    const Matrix to = has_blocks(operand) ? gate : Matrix{own.at, own.stride, type_of(operand)};
    const auto function = function_of(model_.activation);
    const bool last = first + work.step == work.columns.size();
    Sync sync{{{block_full, 1}}, {}}, made;
    std::vector<int> used;
    if (first > 0) used.push_back(blocks[first]);
    if (model_.gated) used.push_back(blocks[first + 1]);
    free.by_vector.insert(free.by_vector.end(), used.begin(), used.end());
    if (!used.empty()) made.signal.push_back({block_free, static_cast<std::uint8_t>(used.size())});
    if (last) made.signal.push_back({result_made, 1});
    if (model_.ffn_bias)
      for (std::size_t i = 0; i < work.step; ++i)
        add_bias(block_at(blocks[first + i], n), work.columns[first + i], plan_.constants.gate_up_bias,
                 std::exchange(sync, {}));
    if (!numerics().quantises()) sync.signal = made.signal;
    if (!model_.gated) {
      out_.add(FR_OP_VECTOR, vector(function, n, gate, to), sync, {all_rows()});
    } else {
      if (function != FR_VECTOR_SILU)
        out_.add(FR_OP_VECTOR, vector(function, n, gate, gate), {std::exchange(sync.wait, {}), {}},
                 {all_rows()});
      auto v = vector(function == FR_VECTOR_SILU ? FR_VECTOR_SWIGLU : FR_VECTOR_MUL, n, gate, to);
      set_b(v, block_at(blocks[first + 1], n));
      out_.add(FR_OP_VECTOR, v, sync, {all_rows()});
    }
    if (has_blocks(operand)) {
      out_.add(FR_OP_VECTOR, in_blocks(gate, n, own), made, {all_rows()});
    } else if (comes_plain(operand)) {
      // In the place of what is used up: the up's block, the gate's, or behind the results in their rows.
      const auto junk = model_.gated ? block_at(blocks[first + 1], n)
                        : first > 0  ? gate
                                     : Matrix{to.at + u32(element_bytes(operand, n)), to.stride, FR_TYPE_F32};
      out_.add(FR_OP_VECTOR, peaks_of(to, n, junk), {}, {all_rows()});
      take_peaks(plain_peaks(), 0, rows, false, made);
    }
    if (!last) return;
    const auto begin = first_hidden(work.columns.front());
    store_all(stores_of(operand, {begin, begin + count}, results), {{{result_made, 1}}, {{block_stored, 1}}},
              {FR_PATCH(fr_copy, size1, rows, 1)});
    free.by_store.push_back(blocks.front());
  }

  void end_wide() {
    tag(OperatorKind::classifier);
    post_to(0, 1, plan_.clusters, rows_posted);
    out_.add(FR_OP_LOAD_NOP, wait_for(static_cast<Semaphore>(rows_posted), plan_.clusters));
    // Of the last norm, for which no projection waits; the next step would take them for those of its first.
    out_.add(FR_OP_LOAD_NOP, wait_for(static_cast<Semaphore>(normed_posted), wide().column_groups));
    settle(true);
    // The row of the step's last token among all: of run k, whose row group is k or what mirrors it.
    const auto groups = std::int64_t{wide().row_groups};
    enum : unsigned {
      last = first0,
      run = first1,
      group = rows0,
      below = rows1,
      local = rows,
      other = row_count
    };
    out_.scalar(FR_SCALAR_ADD, last, tokens, none, -1);
    out_.scalar(FR_SCALAR_DIV, run, last, half, 0);
    out_.scalar(FR_SCALAR_LESS, below, run, none, groups);
    out_.scalar(FR_SCALAR_SUB, group, none, run, 1 - 2 * groups);
    out_.scalar(FR_SCALAR_SUB, other, run, group, 0);
    out_.scalar(FR_SCALAR_MUL, other, other, below, 0);
    out_.scalar(FR_SCALAR_ADD, group, group, other, 0);
    out_.scalar(FR_SCALAR_MUL, local, run, half, 0);
    out_.scalar(FR_SCALAR_SUB, local, last, local, 0);
    out_.scalar(FR_SCALAR_EQUAL, other, below, none, 0);
    out_.scalar(FR_SCALAR_MUL, other, other, half, 0);
    out_.scalar(FR_SCALAR_ADD, local, local, other, 0);
    load_row(group, local);
    // As after the layers of a step of few tokens.
    for (const auto reg : {load_slot, use_slot}) out_.scalar(FR_SCALAR_MUL, reg, none, none, 0);
    out_.scalar(FR_SCALAR_MUL, weight_offset, layers, none,
                static_cast<std::int64_t>(layer_advance(cluster_)));
  }
  /// The normalised row of these registers, row group and row of that; changes both. Panels come full ones at
  /// once, then what is left.
  void load_row(unsigned group, unsigned local) {
    const auto operand = normalised();
    const std::uint64_t depth = wide().panel_depth, full = model_.hidden / depth,
                        rest = model_.hidden % depth;
    const bool quantised = operand.quantised;
    out_.scalar(FR_SCALAR_MUL, group, group, none, static_cast<std::int64_t>(group_pitch(operand)));
    const auto load = [&](std::uint64_t from, std::uint32_t to, std::uint64_t row, std::uint64_t last_row) {
      const Patch at_group = FR_PATCH(fr_copy, global, group, 1),
                  at_row = FR_PATCH(fr_copy, global, local, narrow(row));
      if (full > 0) {
        auto c = run_of(memory_.ffn_sum + from, to, row);
        c.size1 = u32(full);
        c.local_stride1 = narrow(row);
        c.global_stride1 = static_cast<std::int64_t>(panel_pitch(operand));
        link(FR_OP_LOAD, c, {}, {at_group, at_row});
      }
      if (rest > 0)
        link(FR_OP_LOAD,
             run_of(memory_.ffn_sum + full * panel_pitch(operand) + from, to + u32(full * row), last_row), {},
             {at_group, at_row});
    };
    const Matrix row{quantised ? s_.quantised : s_.normed, 0, type_of(operand)};
    load(0, row.at, element_bytes(operand, depth), element_bytes(operand, rest));
    if (!quantised) return;
    const bool has_group_scales = has_blocks(operand);
    if (has_group_scales)
      load(strip_scales_at(operand, 0), s_.row_scales, scale_bytes_of(operand, depth),
           scale_bytes_of(operand, rest));
    else
      link(FR_OP_LOAD, run_of(memory_.ffn_sum + panels_of(operand) * panel_pitch(operand), s_.row_scales, 4),
           {}, {FR_PATCH(fr_copy, global, group, 1), FR_PATCH(fr_copy, global, local, 4)});
    auto v =
        vector(has_group_scales ? FR_VECTOR_DEQUANTIZE_GROUPS : FR_VECTOR_MUL, model_.hidden, row, normed());
    v.rows = 1;
    v.arg0 = has_group_scales ? numerics().group : 0;
    v.flags = has_group_scales ? 0 : FR_VECTOR_FLAG_B_SCALAR;
    set_b(v, {s_.row_scales, 4, has_group_scales ? 0u + FR_TYPE_E8M0 : 0u + FR_TYPE_F32});
    link(FR_OP_VECTOR, v);
  }
};

}  // namespace forerun::models::emission
