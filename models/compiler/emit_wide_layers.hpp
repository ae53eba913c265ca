// SPDX-License-Identifier: Apache-2.0
/// Steps of many tokens: the operators of a layer. Private to emit.cpp.
#pragma once

#include <algorithm>
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
    add(stream_free, 1);
    for (const auto semaphore : {keys_free, values_free, scores_free}) uses.push_back({semaphore, 2});
    if (uses.size() % 2 != 0) uses.push_back({FR_NO_SEMAPHORE, 0});
    for (std::size_t i = 0; i < uses.size(); i += 2)
      out_.add(FR_OP_LOAD_NOP, take ? Sync{{uses[i], uses[i + 1]}, {}} : Sync{{}, {uses[i], uses[i + 1]}});
  }

  void wide_layer() {
    out_.scalar(FR_SCALAR_MUL, cache_offset, layer, none, static_cast<std::int64_t>(plan_.kv_layer_bytes()));
    if (has_windows()) choose_window();
    // The one command of the vector engine with the first operator's tag: where a layer begins.
    out_.set_tag(u32(graph_.prologue.size()));
    out_.add(FR_OP_VECTOR_NOP);
    tag(OperatorKind::query_key_value);
    query_key_value();
    tag(OperatorKind::attention);
    wide_attention();
    tag(OperatorKind::attention_output);
    project_sums(&Projections::attention_output, attended(),
                 wide().constants + plan_.constants.ffn_norm + u32(group_hidden(column_group()).begin * 4));
    tag(model_.gated ? OperatorKind::gate_up : OperatorKind::up);
    gate_up();
    tag(OperatorKind::down);
    project_sums(&Projections::down, hidden_layer(), wide().next_norm);
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
    project_blocks(
        [this](std::uint32_t group) { return head_works(group); }, wide().head_blocks, normalised(),
        [this](const Work& work, const std::vector<int>& held, std::size_t, Free& free) {
          place_wide_heads(work.columns.front(), held.front());
          free.by_store.push_back(held.front());
        },
        [this] {
          out_.add(FR_OP_LOAD, run_of(memory_.constants[cluster_], wide().constants, plan_.constants.bytes),
                   {}, {FR_PATCH(fr_copy, global, layer, narrow(plan_.constants.bytes))});
          load_angles(memory_.cosines, wide().cosines);
          load_angles(memory_.sines, wide().sines);
          load_next_norm(1);
          out_.add(FR_OP_VECTOR_NOP, {{{layer_constants_full, 1}}, {}});
        });
    post_to_chain(cache_posted);
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
  /// The heads of a block become queries, keys and values, in its place, and are stored.
  void place_wide_heads(const Columns& source, int number) {
    const auto& columns = source.block.n;
    const auto block = block_at(number, columns.size());
    const auto heads = heads_in(source.owner, columns);
    const auto rotated = plan_.rotated();
    const auto head_bytes = model_.head_dim * act_;
    Sync made{{{block_full, 1}}, {}};
    std::vector<Matrix> results;
    for (const auto& head : heads) {
      const Matrix from{block.at + u32((head.column - columns.begin) * 4), block.stride, FR_TYPE_F32};
      const bool rotates = head.kind != Head::value && rotated > 0,
                 whole = !rotates || rotated == model_.head_dim;
      // A head alone in its block moves together, row by row, so that it is stored in one piece.
      const Matrix to{from.at, heads.size() == 1 && whole ? head_bytes : block.stride,
                      plan_.numerics.activation};
      if (model_.qk_norm && head.kind != Head::value) {
        auto v = vector(FR_VECTOR_RMSNORM, model_.head_dim, from, from);
        v.arg0 = bits(model_.norm_eps);
        set_b(v, {wide().constants +
                      (head.kind == Head::query ? plan_.constants.query_norm : plan_.constants.key_norm),
                  0, FR_TYPE_F32});
        out_.add(FR_OP_VECTOR, v, std::exchange(made, {}), {all_rows()});
      }
      const auto part = [&](unsigned op, std::uint64_t first, std::uint64_t cols) {
        return vector(op, cols, {from.at + u32(first * 4), from.stride, FR_TYPE_F32},
                      {to.at + u32(first * act_), to.stride, to.type});
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
        out_.add(FR_OP_VECTOR, v, sync_of(whole), {all_rows()});
      }
      const std::uint64_t plain = rotates ? rotated : 0;
      if (plain < model_.head_dim)
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
      auto c = run_of(0, results[i].at, head_bytes);
      c.size1 = 0;
      c.local_stride1 = narrow(results[i].stride);
      c.global_stride1 = static_cast<std::int64_t>(head_bytes);
      if (heads[i].kind == Head::query) {
        c.global = query_rows(heads[i].number);
        out_.add(FR_OP_STORE, c, ends(std::exchange(stored, {}), true), {FR_PATCH(fr_copy, size1, rows, 1)});
        continue;
      }
      c.global = (heads[i].kind == Head::key ? memory_.keys : memory_.values) +
                 (heads[i].number - plan_.kv_heads.begin) * plan_.kv_head_bytes();
      for (const bool second : {false, true}) {
        std::vector<Patch> patches{FR_PATCH(fr_copy, global, cache_offset, 1),
                                   FR_PATCH(fr_copy, global, position, narrow(head_bytes)),
                                   FR_PATCH(fr_copy, global, second ? +first1 : +first0, narrow(head_bytes)),
                                   FR_PATCH(fr_copy, size1, second ? +rows1 : +rows0, 1)};
        if (second) patches.push_back(FR_PATCH(fr_copy, local, rows0, narrow(results[i].stride)));
        out_.add(FR_OP_STORE, c, ends(std::exchange(stored, {}), second), patches);
      }
    }
  }
  // Feed-forward

  /// Strips are as wide as pieces of work, where those are alike.
  Operand hidden_layer() const {
    const auto depth = std::uint64_t{wide().panel_depth};
    std::uint64_t strip = 0;
    for (std::uint32_t g = 0; g < wide().column_groups; ++g)
      for (const auto& work : gated_works(g)) {
        const auto begin = first_hidden(work.columns.front()),
                   width = work.columns.size() / work.step * work.columns.front().block.n.size();
        if (strip == 0) strip = width;
        if (width != strip || begin % strip != 0) return {memory_.swiglu, model_.ffn, hidden_posted, depth};
      }
    return {memory_.swiglu, model_.ffn, hidden_posted, depth % strip == 0 ? strip : depth};
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
    project_blocks([this](std::uint32_t group) { return gated_works(group); }, wide().block_count,
                   normalised(),
                   [this](const Work& work, const std::vector<int>& blocks, std::size_t first, Free& free) {
                     activate_blocks(work, blocks, first, free);
                   });
    post_to_team(hidden_posted);
  }
  /// The gate and its up from column `first` of a piece of work on; behind the last one all are stored.
  void activate_blocks(const Work& work, const std::vector<int>& blocks, std::size_t first, Free& free) {
    const auto n = work.columns[first].block.n.size();
    const auto gate = block_at(blocks[first], n), results = block_at(blocks.front(), n);
    const Matrix to{results.at + u32(first / work.step * n * act_), results.stride,
                    plan_.numerics.activation};
    const auto function = function_of(model_.activation);
    const bool last = first + work.step == work.columns.size();
    Sync sync{{{block_full, 1}}, {}}, made;
    std::vector<int> used;
    if (first > 0) used.push_back(blocks[first]);
    if (model_.gated) used.push_back(blocks[first + 1]);
    free.by_vector.insert(free.by_vector.end(), used.begin(), used.end());
    if (!used.empty()) made.signal.push_back({block_free, static_cast<std::uint8_t>(used.size())});
    if (last) made.signal.push_back({result_made, 1});
    if (!model_.gated) {
      sync.signal = made.signal;
      out_.add(FR_OP_VECTOR, vector(function, n, gate, to), sync, {all_rows()});
    } else {
      if (function != FR_VECTOR_SILU)
        out_.add(FR_OP_VECTOR, vector(function, n, gate, gate), std::exchange(sync, {}), {all_rows()});
      sync.signal = made.signal;
      auto v = vector(function == FR_VECTOR_SILU ? FR_VECTOR_SWIGLU : FR_VECTOR_MUL, n, gate, to);
      set_b(v, block_at(blocks[first + 1], n));
      out_.add(FR_OP_VECTOR, v, sync, {all_rows()});
    }
    if (!last) return;
    const auto begin = first_hidden(work.columns.front());
    store_all(stores_of(hidden_layer(), {begin, begin + work.columns.size() / work.step * n}, results.at,
                        results.stride),
              {{{result_made, 1}}, {{block_stored, 1}}}, {FR_PATCH(fr_copy, size1, rows, 1)});
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
    // Its panels, of the row group's: full ones at once, then what is left.
    out_.scalar(FR_SCALAR_MUL, group, group, none,
                static_cast<std::int64_t>(wide().group_pitch(model_.hidden, act_)));
    out_.scalar(FR_SCALAR_MUL, local, local, none, narrow(panel_row()));
    out_.scalar(FR_SCALAR_ADD, group, group, local, 0);
    const auto full = model_.hidden / wide().panel_depth, rest = model_.hidden % wide().panel_depth;
    if (full > 0) {
      auto c = run_of(memory_.ffn_sum, s_.normed, panel_row());
      c.size1 = u32(full);
      c.local_stride1 = narrow(panel_row());
      c.global_stride1 = static_cast<std::int64_t>(panel_pitch());
      link(FR_OP_LOAD, c, {}, {FR_PATCH(fr_copy, global, group, 1)});
    }
    if (rest > 0)
      link(FR_OP_LOAD,
           run_of(memory_.ffn_sum + full * panel_pitch(), s_.normed + u32(full * panel_row()), rest * act_),
           {}, {FR_PATCH(fr_copy, global, group, 1)});
    // As after the layers of a step of few tokens.
    for (const auto reg : {load_slot, use_slot}) out_.scalar(FR_SCALAR_MUL, reg, none, none, 0);
    out_.scalar(FR_SCALAR_MUL, weight_offset, layers, none,
                static_cast<std::int64_t>(layer_advance(cluster_)));
  }
};

}  // namespace forerun::models::emission
