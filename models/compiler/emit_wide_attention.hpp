// SPDX-License-Identifier: Apache-2.0
/// Steps of many tokens: attention. Private to emit.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "models/compiler/emit_wide_panels.hpp"

namespace forerun::models::emission {

/// FlashAttention (Dao et al. 2022): keys and values come tile by tile, two of each in turn, and go past all
/// rows of a unit, whose largest scores, sums of exponentials and weighted values are kept meanwhile. A unit
/// is some rows of a run with all own heads of one key/value head; it is multiplied piece by piece, some rows
/// of one head each, of which two are under way, so that arrays and lanes work at the same time.
class WideAttention : public WidePanels {
 public:
  using WidePanels::WidePanels;

 protected:
  Range group_heads_of(Range Share::*heads) const {
    return {(plan_.share(first_owner()).*heads).begin,
            (plan_.share(first_owner() + wide().row_groups - 1).*heads).end};
  }
  Operand attended() const {
    const auto depth = std::uint64_t{wide().panel_depth};
    return {memory_.attention, queries_, heads_posted, depth % model_.head_dim == 0 ? model_.head_dim : depth,
            numerics().block_scales};
  }
  /// Where the queries of a head are kept: [rows][head_dim], by row group and head.
  std::uint64_t query_rows(std::uint64_t head) const {
    return memory_.queries + (row_group() * std::uint64_t{model_.heads} + head) *
                                 (std::uint64_t{wide().rows()} * model_.head_dim * act_ + wide().skew);
  }

  void wide_attention() {
    out_.add(FR_OP_LOAD_NOP, wait_for(static_cast<Semaphore>(cache_posted), wide().row_groups));
    const auto units = units_of_group();
    if (comes_plain(attended())) begin_peaks(plain_peaks());
    find_then(&units.front());
    load_queries(units.front(), 0);
    begin_tiles(units.front());
    for (std::size_t i = 0; i < units.size(); ++i) attend(units, i);
    // What was made ready for a tile that does not come.
    out_.add(FR_OP_VECTOR_NOP, {{{scores_full, 1}}, {{scores_free, 1}, {keys_free, 1}}});
    out_.add(FR_OP_VECTOR_NOP, {{{values_full, 1}}, {{values_free, 1}}});
    post_operand(attended());
  }

 private:
  enum AttentionRegister : unsigned {
    is_later = tile_positions,  ///< 1: not the unit's first tile
    is_last = weight_offset,    ///< 1: its last one
    unit_rows = constants_now,
    tile_slot = row_count + 1,  ///< offset of the tile's buffer
    unit_at = carry,            ///< position of the unit's first row, from the first of the tile on
    // The unit behind:
    then_rows = other_past,
    then_at = first_cached,  ///< as `unit_at`, of its first tile
    then_from = head_row,    ///< the first position of that
    // The tile behind, of this unit or that one:
    next_from = load_slot,
    next_at = tiles,
    next_rows = chunk_sequence,  ///< of the first piece
    // Rows of a piece, and the positions that the last one sees of the tile; in turns.
    rows_even = has_past,
    seen_even = chunk_position,
    rows_odd = chunk_tokens,
    seen_odd = chunk_row
  };
  static_assert(+tile_slot < +cache_scales_offset && +cache_scales_offset < +FR_REGISTERS);

  struct AttentionUnit {
    std::uint64_t kv;
    Range heads;
    bool second;         ///< of the two runs
    std::uint32_t from;  ///< row of the run
  };
  struct Piece {
    std::size_t number;
    std::uint32_t from;                 ///< row of the unit
    std::optional<std::uint64_t> head;  ///< of the unit; none: there is nothing to do
    bool same_rows = false;             ///< as those of the piece before
  };
  const AttentionTiles& cut() const { return wide().attention; }
  std::vector<AttentionUnit> units_of_group() const {
    std::vector<AttentionUnit> units;
    const auto kv = group_heads_of(&Share::kv_heads);
    for (auto g = kv.begin; g < kv.end; ++g)
      for (const bool second : {false, true})
        for (std::uint32_t from = 0; from < wide().half; from += cut().unit_rows)
          units.push_back({g, own_heads(g), second, from});
    return units;
  }
  /// An even number, so that the two buffers of scores take turns over tiles and units.
  std::vector<Piece> pieces_of(const AttentionUnit& unit) const {
    std::vector<Piece> pieces;
    for (std::uint32_t from = 0; from < cut().unit_rows; from += cut().piece_rows)
      for (std::uint64_t h = 0; h < unit.heads.size(); ++h) pieces.push_back({pieces.size(), from, h, h > 0});
    if (pieces.size() % 2 != 0) pieces.push_back({pieces.size(), pieces.back().from, std::nullopt, true});
    return pieces;
  }
  /// Query heads of this column group that share a key/value head.
  Range own_heads(std::uint64_t kv) const {
    const auto heads = group_heads_of(&Share::heads);
    return {std::max(heads.begin, kv * group()), std::min(heads.end, (kv + 1) * group())};
  }
  std::uint64_t head_bytes() const { return std::uint64_t{model_.head_dim} * act_; }
  std::uint8_t type() const { return static_cast<std::uint8_t>(plan_.numerics.activation); }
  std::uint8_t cache_type() const { return static_cast<std::uint8_t>(plan_.numerics.cache); }
  std::uint32_t queries_of_unit(std::size_t number) const {
    return cut().queries + u32(number % 2) * cut().query_bytes;
  }
  Matrix scores_of(const Piece& p) const {
    return {cut().scores + u32(p.number % 2) * cut().score_bytes, cut().score_stride, FR_TYPE_F32};
  }
  Matrix output_of(const Piece& p) const {
    return {cut().outputs + u32(p.number) * cut().output_bytes, model_.head_dim * 4ull, FR_TYPE_F32};
  }
  Matrix state_of(const Piece& p) const {
    return {cut().states + u32(p.number) * cut().piece_rows * 8, 8, FR_TYPE_F32};
  }
  Matrix sums_of(const Piece& p) const {
    return {cut().sums + u32(p.number) * cut().piece_rows * 4, 4, FR_TYPE_F32};
  }
  bool is_odd(const Piece& p) const { return p.from / cut().piece_rows % 2 != 0; }
  unsigned rows_of(const Piece& p) const { return is_odd(p) ? rows_odd : rows_even; }
  unsigned seen_of(const Piece& p) const { return is_odd(p) ? seen_odd : seen_even; }

  void clamp(unsigned reg, std::int64_t most) {
    out_.scalar(FR_SCALAR_MAX, reg, reg, none, 0);
    out_.scalar(FR_SCALAR_MIN, reg, reg, none, most);
  }
  /// `to`, or in the unit's last tile `then`.
  void choose(unsigned to, unsigned then) {
    out_.scalar(FR_SCALAR_SUB, scratch_register, then, to, 0);
    out_.scalar(FR_SCALAR_MUL, scratch_register, scratch_register, is_last, 0);
    out_.scalar(FR_SCALAR_ADD, to, to, scratch_register, 0);
  }
  /// The registers of the unit behind; no unit is one without rows.
  void find_then(const AttentionUnit* unit) {
    if (unit == nullptr) {
      for (const auto reg : {then_rows, then_at, then_from}) out_.scalar(FR_SCALAR_ADD, reg, none, none, 0);
      return;
    }
    out_.scalar(FR_SCALAR_SUB, then_rows, unit->second ? +rows1 : +rows0, none, unit->from);
    clamp(then_rows, cut().unit_rows);
    out_.scalar(FR_SCALAR_ADD, then_at, position, unit->second ? +first1 : +first0, unit->from);
    out_.scalar(FR_SCALAR_ADD, then_from, none, none, 0);
    if (has_windows()) {
      out_.scalar(FR_SCALAR_SUB, then_from, then_at, window, -1);
      out_.scalar(FR_SCALAR_MAX, then_from, then_from, none, 0);
      out_.scalar(FR_SCALAR_DIV, then_from, then_from, none, cut().positions);
      out_.scalar(FR_SCALAR_MUL, then_from, then_from, none, cut().positions);
      out_.scalar(FR_SCALAR_SUB, then_at, then_at, then_from, 0);
    }
    out_.scalar(FR_SCALAR_MIN, scratch_register, then_rows, none, 1);
    out_.scalar(FR_SCALAR_MUL, then_at, then_at, scratch_register, 0);
  }
  /// Of the unit behind.
  void load_queries(const AttentionUnit& unit, std::size_t number) {
    auto c = run_of(query_rows(unit.heads.begin) + unit.from * head_bytes(), queries_of_unit(number), 0);
    c.size1 = u32(unit.heads.size());
    c.local_stride1 = narrow(cut().unit_rows * head_bytes());
    c.global_stride1 = static_cast<std::int64_t>(wide().rows() * head_bytes() + wide().skew);
    std::vector<Patch> patches{FR_PATCH(fr_copy, bytes, then_rows, narrow(head_bytes()))};
    if (unit.second) patches.push_back(FR_PATCH(fr_copy, global, rows0, narrow(head_bytes())));
    out_.add(FR_OP_LOAD, c, {{{queries_free, 1}}, {}}, patches);
  }
  /// The next tile of keys and values, of the unit itself or of the one behind, into the other buffer. The
  /// register of scratch has how many rows there are in all. Queries were loaded before it.
  void load_tile(const AttentionUnit& unit, const AttentionUnit* then) {
    out_.scalar(FR_SCALAR_MIN, next_rows, scratch_register, none, cut().piece_rows);
    out_.scalar(FR_SCALAR_ADD, scratch_register, scratch_register, next_at, 0);
    clamp(scratch_register, cut().positions);
    const auto load = [&](std::uint64_t from, std::uint64_t head, std::uint32_t to, unsigned offset,
                          std::uint64_t row, const Sync& sync) {
      std::vector<Patch> patches{
          FR_PATCH(fr_copy, global, offset, 1), FR_PATCH(fr_copy, global, next_from, narrow(row)),
          FR_PATCH(fr_copy, bytes, scratch_register, narrow(row)), FR_PATCH(fr_copy, local, tile_slot, -1)};
      if (then != nullptr && then->kv != unit.kv)
        patches.push_back(FR_PATCH(fr_copy, global, is_last, narrow((then->kv - unit.kv) * head)));
      out_.add(FR_OP_LOAD, run_of(from + (unit.kv - plan_.kv_heads.begin) * head, to + cut().tile_bytes, 0),
               sync, patches);
    };
    const auto row = plan_.cache_row_bytes(), head = plan_.kv_head_bytes();
    Sync keys{{{keys_free, 1}}, {{keys_full, 1}}}, values{{{values_free, 1}}, {{values_full, 1}}};
    if (scaled()) {  // those of values come before keys, because weights are multiplied with them
      const auto scale_head = plan_.kv_head_scale_bytes();
      load(memory_.value_scales, scale_head, cut().values + scales_in_tile(), cache_scales_offset, 4,
           {std::exchange(values.wait, {}), {}});
      load(memory_.key_scales, scale_head, cut().keys + scales_in_tile(), cache_scales_offset, 4,
           {std::exchange(keys.wait, {}), {}});
    }
    load(memory_.keys, head, cut().keys, cache_offset, row, keys);
    load(memory_.values, head, cut().values, cache_offset, row, values);
  }
  /// From a tile of keys or values to the scales of its positions.
  std::uint32_t scales_in_tile() const { return u32(cut().positions * plan_.cache_row_bytes()); }
  /// The first tile of all, and the scores of its first piece.
  void begin_tiles(const AttentionUnit& first) {
    out_.scalar(FR_SCALAR_ADD, unit_rows, then_rows, none, 0);
    out_.scalar(FR_SCALAR_ADD, next_at, then_at, none, 0);
    out_.scalar(FR_SCALAR_ADD, next_from, then_from, none, 0);
    out_.scalar(FR_SCALAR_ADD, tile_slot, none, none, cut().tile_bytes);
    out_.scalar(FR_SCALAR_ADD, scratch_register, then_rows, none, 0);
    load_tile(first, nullptr);
    score_next(0, false);
  }

  void attend(const std::vector<AttentionUnit>& units, std::size_t number) {
    const auto& unit = units[number];
    const auto* then = number + 1 < units.size() ? &units[number + 1] : nullptr;
    const auto pieces = pieces_of(unit);
    if (number > 0) out_.scalar(FR_SCALAR_ADD, unit_rows, then_rows, none, 0);
    find_then(then);
    if (then != nullptr) load_queries(*then, number + 1);
    out_.scalar(FR_SCALAR_ADD, scratch_register, next_at, unit_rows, 0);
    out_.scalar(FR_SCALAR_CEIL_DIV, scratch_register, scratch_register, none, cut().positions);
    out_.scalar(FR_SCALAR_MAX, scratch_register, scratch_register, none, 1);
    out_.begin_loop(tile, 0, {FR_PATCH(fr_loop, count, scratch_register, 1)});
    take_next(unit, then);
    find_rows(pieces.front());
    for (const auto& p : pieces) {
      if (p.number + 1 < pieces.size())
        make_scores(pieces[p.number + 1], number, p.number + 2 == pieces.size());
      else
        score_next(number, then != nullptr);
      make_weights(p);
      weigh_values(p, p.number + 1 == pieces.size());
    }
    out_.end_loop();
    finish(unit, number, pieces);
  }
  /// The next tile becomes the present one, and the one behind it is loaded.
  void take_next(const AttentionUnit& unit, const AttentionUnit* then) {
    out_.scalar(FR_SCALAR_ADD, unit_at, next_at, none, 0);
    out_.scalar(FR_SCALAR_SUB, tile_slot, none, tile_slot, -std::int64_t{cut().tile_bytes});
    out_.scalar(FR_SCALAR_MIN, is_later, tile, none, 1);
    out_.scalar(FR_SCALAR_ADD, scratch_register, unit_at, unit_rows, 0);
    out_.scalar(FR_SCALAR_LESS, is_last, scratch_register, none, std::int64_t{cut().positions} + 1);
    out_.scalar(FR_SCALAR_SUB, next_at, unit_at, none, cut().positions);
    choose(next_at, then_at);
    out_.scalar(FR_SCALAR_ADD, next_from, next_from, none, cut().positions);
    choose(next_from, then_from);
    out_.scalar(FR_SCALAR_SUB, scratch_register, then_rows, unit_rows, 0);
    out_.scalar(FR_SCALAR_MUL, scratch_register, scratch_register, is_last, 0);
    out_.scalar(FR_SCALAR_ADD, scratch_register, scratch_register, unit_rows, 0);
    load_tile(unit, then);
  }
  /// None, if they see nothing of the tile.
  void find_rows(const Piece& p) {
    const auto count = rows_of(p), positions = seen_of(p);
    count_rows(p);
    out_.scalar(FR_SCALAR_ADD, positions, unit_at, count, p.from);
    clamp(positions, cut().positions);
    out_.scalar(FR_SCALAR_MIN, scratch_register, positions, none, 1);
    out_.scalar(FR_SCALAR_MUL, count, count, scratch_register, 0);
  }
  void count_rows(const Piece& p) {
    out_.scalar(FR_SCALAR_SUB, rows_of(p), unit_rows, none, p.from);
    clamp(rows_of(p), cut().piece_rows);
  }

  /// scores = queries x keys^T
  fr_matmul_scaled score_product(const Piece& p, std::size_t number) const {
    const auto scores = scores_of(p);
    auto qk = without_scales();
    qk.a = queries_of_unit(number) + u32((p.head.value_or(0) * cut().unit_rows + p.from) * head_bytes());
    qk.a_stride = narrow(head_bytes()), qk.a_type = type();
    qk.b = cut().keys, qk.b_stride = narrow(plan_.cache_row_bytes()), qk.b_type = cache_type();
    qk.c = scores.at, qk.c_stride = narrow(scores.stride), qk.c_type = FR_TYPE_F32;
    qk.k = model_.head_dim;
    qk.flags = FR_MATMUL_B_TRANSPOSED;
    if (scaled()) {
      qk.group = qk.k;
      qk.b_scale = qk.b + scales_in_tile();
      qk.b_scale_stride = 4, qk.b_scale_type = FR_TYPE_F32;
    }
    return qk;
  }
  void make_scores(const Piece& p, std::size_t number, bool ends_tile) {
    Sync sync{{{scores_free, 1}}, {{scores_full, 1}}};
    if (ends_tile) sync.signal.push_back({keys_free, 1});
    std::vector<Patch> patches{FR_PATCH(fr_matmul, b, tile_slot, 1)};
    if (scaled()) patches.push_back(FR_PATCH(fr_matmul_scaled, b_scale, tile_slot, 1));
    if (p.head) {
      if (!p.same_rows) find_rows(p);
      patches.push_back(FR_PATCH(fr_matmul, m, rows_of(p), 1));
      patches.push_back(FR_PATCH(fr_matmul, n, seen_of(p), 1));
    }
    add_product(score_product(p, number), sync, patches);
  }
  void add_product(const fr_matmul_scaled& m, const Sync& sync, const std::vector<Patch>& patches) {
    if (m.group != 0)
      out_.add(FR_OP_MATMUL_SCALED, m, sync, patches);
    else
      out_.add(FR_OP_MATMUL, unscaled(m), sync, patches);
  }
  /// Of the first piece of the next tile, which may be the first one of the unit behind.
  void score_next(std::size_t number, bool may_change) {
    out_.scalar(FR_SCALAR_ADD, scratch_register, next_at, next_rows, 0);
    clamp(scratch_register, cut().positions);
    auto qk = score_product({0, 0, 0}, number);
    qk.b += cut().tile_bytes;
    qk.b_scale += cut().tile_bytes;
    std::vector<Patch> patches{FR_PATCH(fr_matmul, b, tile_slot, -1), FR_PATCH(fr_matmul, m, next_rows, 1),
                               FR_PATCH(fr_matmul, n, scratch_register, 1)};
    if (may_change)
      patches.push_back(FR_PATCH(fr_matmul, a, is_last,
                                 static_cast<std::int32_t>(queries_of_unit(number + 1)) -
                                     static_cast<std::int32_t>(queries_of_unit(number))));
    if (scaled()) patches.push_back(FR_PATCH(fr_matmul_scaled, b_scale, tile_slot, -1));
    add_product(qk, {{{scores_free, 1}, {keys_full, 1}}, {{scores_full, 1}}}, patches);
  }
  /// Exponentials in the place of scores; what was weighted before is brought to their scale.
  void make_weights(const Piece& p) {
    if (!p.head) {
      out_.add(FR_OP_VECTOR_NOP, {{{scores_full, 1}}, {{weights_full, 1}}});
      return;
    }
    const auto scores = scores_of(p), state = state_of(p);
    const std::vector<Patch> all_scores{FR_PATCH(fr_vector, rows, rows_of(p), 1),
                                        FR_PATCH(fr_vector, cols, seen_of(p), 1)};
    Sync full{{{scores_full, 1}}, {}};
    const double cap = model_.score_cap;
    if (cap > 0) {
      auto less = vector(FR_VECTOR_AFFINE, 0, scores, scores);
      less.arg0 = bits(model_.score_scale / cap);
      out_.add(FR_OP_VECTOR, less, std::exchange(full, {}), all_scores);
      out_.add(FR_OP_VECTOR, vector(FR_VECTOR_TANH, 0, scores, scores), {}, all_scores);
    }
    auto v =
        vector(FR_VECTOR_ONLINE_SOFTMAX, 0, scores, {scores.at, scores.stride, plan_.numerics.activation});
    set_b(v, state);
    set_c(v, sums_of(p));
    v.flags = FR_VECTOR_FLAG_FIRST;
    v.arg0 = p.from + 1;
    v.arg1 = cut().piece_rows;
    v.arg2 = bits(cap > 0 ? cap : model_.score_scale);
    auto patches = all_scores;
    patches.push_back(FR_PATCH(fr_vector, arg0, unit_at, 1));
    patches.push_back(FR_PATCH(fr_vector, flags, is_later, -FR_VECTOR_FLAG_FIRST));
    if (has_windows()) patches.push_back(FR_PATCH(fr_vector, arg3, window, 1));
    const bool once = cut().positions >= plan_.context;
    const Sync made{{}, {{weights_full, 1}}};
    if (once && !scaled()) full.signal = made.signal;
    out_.add(FR_OP_VECTOR, v, full, patches);
    if (scaled()) {
      const Matrix weights{scores.at, scores.stride, plan_.numerics.activation};
      auto scale = vector(FR_VECTOR_MUL, 0, weights, weights);
      set_b(scale, {cut().values + scales_in_tile(), 0, FR_TYPE_F32});
      auto with_tile = all_scores;
      with_tile.push_back(FR_PATCH(fr_vector, b, tile_slot, 1));
      out_.add(FR_OP_VECTOR, scale, once ? made : Sync{}, with_tile);
    }
    if (once) return;
    const auto output = output_of(p);
    auto rescaled = vector(FR_VECTOR_MUL, 0, output, output);
    set_b(rescaled, {state.at + 4, state.stride, state.type});
    rescaled.flags = FR_VECTOR_FLAG_B_SCALAR;
    out_.add(FR_OP_VECTOR, rescaled, made,
             {FR_PATCH(fr_vector, rows, rows_of(p), 1),
              FR_PATCH(fr_vector, cols, is_later, narrow(model_.head_dim))});
  }
  void weigh_values(const Piece& p, bool ends_tile) {
    const auto scores = scores_of(p), output = output_of(p);
    fr_matmul pv{};
    pv.a = scores.at, pv.a_stride = narrow(scores.stride), pv.a_type = type();
    pv.b = cut().values, pv.b_stride = narrow(plan_.cache_row_bytes()), pv.b_type = cache_type();
    pv.c = output.at, pv.c_stride = narrow(output.stride), pv.c_type = FR_TYPE_F32;
    pv.n = model_.head_dim;
    Sync sync{{{weights_full, 1}}, {{scores_free, 1}}};
    if (p.number == 0) sync.wait.push_back({values_full, 1});
    if (ends_tile) sync.signal.push_back({values_free, 1});
    std::vector<Patch> patches{FR_PATCH(fr_matmul, b, tile_slot, 1),
                               FR_PATCH(fr_matmul, flags, is_later, FR_MATMUL_ACCUMULATE)};
    if (p.head) {
      patches.push_back(FR_PATCH(fr_matmul, m, rows_of(p), 1));
      patches.push_back(FR_PATCH(fr_matmul, k, seen_of(p), 1));
    }
    out_.add(FR_OP_MATMUL, pv, sync, patches);
  }
  /// Weighted values by the sums of weights, in the place of the unit's queries, to memory. All but the last
  /// two pieces are weighted when the last one's weights are made, because its scores came behind them.
  void finish(const AttentionUnit& unit, std::size_t number, const std::vector<Piece>& pieces) {
    out_.add(FR_OP_TENSOR_NOP, {{}, {{output_full, 1}}});
    const Matrix sums{cut().sums, 0, FR_TYPE_F32};
    auto inverse = vector(FR_VECTOR_RECIPROCAL, pieces.size() * cut().piece_rows, sums, sums);
    inverse.rows = 1;
    out_.add(FR_OP_VECTOR, inverse);
    for (const auto& p : pieces) {
      if (!p.head) continue;
      if (!p.same_rows) count_rows(p);
      const auto operand = attended();
      const Rows result{score_product(p, number).a, head_bytes(),
                        score_product(p, number).a + u32(element_bytes(operand, model_.head_dim)),
                        head_bytes()};
      const std::vector<Patch> all{FR_PATCH(fr_vector, rows, rows_of(p), 1)};
      const auto output = output_of(p);
      auto v = vector(FR_VECTOR_MUL, model_.head_dim, output,
                      has_blocks(operand) ? output : Matrix{result.at, result.stride, type_of(operand)});
      set_b(v, sums_of(p));
      v.flags = FR_VECTOR_FLAG_B_SCALAR;
      Sync first, made{{}, {{result_made, 1}}}, stored{{{result_made, 1}}, {}};
      if (p.number + 2 == pieces.size()) first.wait.push_back({output_full, 1});
      if (!numerics().quantises()) first.signal = made.signal;
      out_.add(FR_OP_VECTOR, v, first, all);
      if (has_blocks(operand)) {
        out_.add(FR_OP_VECTOR, in_blocks(output, model_.head_dim, result), made, all);
      } else if (comes_plain(operand)) {
        out_.add(FR_OP_VECTOR,
                 peaks_of({result.at, result.stride, type_of(operand)}, model_.head_dim, output), {}, all);
        take_peaks(plain_peaks(), unit.from + p.from, rows_of(p), unit.second, made);
      }
      const auto column = (unit.heads.begin + *p.head) * model_.head_dim;
      auto stores = stores_of(operand, {column, column + model_.head_dim}, result);
      for (auto& s : stores) s.copy.global += (unit.from + p.from) * s.row;
      const bool last = p.number + 1 == pieces.size() || !pieces[p.number + 1].head;
      if (last) stored.signal.push_back({queries_free, 1});
      store_all(stores, stored, {FR_PATCH(fr_copy, size1, rows_of(p), 1)}, unit.second);
    }
  }
};

}  // namespace forerun::models::emission
