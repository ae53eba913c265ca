// SPDX-License-Identifier: Apache-2.0
/// Clusters of a device that share a key/value head and its positions: what they exchange. Private to
/// emit.cpp.
#pragma once

#include <utility>
#include <vector>

#include "models/compiler/emit_cache.hpp"

namespace forerun::models::emission {

/// A layer's other exchanges, of all clusters, keep a cluster from writing where another one still reads what
/// came in the layer before.
class TeamEmitter : public CacheEmitter {
 public:
  using CacheEmitter::CacheEmitter;

 protected:
  std::uint32_t first_in_team() const { return cluster_ - part(); }
  /// Queries, keys and values of the team as they come from the projection.
  Matrix team_rows() const {
    return {s_.team_rows, (plan_.group() + 2ull) * model_.head_dim * 4, FR_TYPE_F32};
  }
  /// Query heads that this cluster attends with.
  Range attended_heads() const {
    const std::uint64_t group = plan_.group(), first = share_.kv_heads.begin * group;
    return in_parts() ? Range{first, first + group} : share_.heads;
  }

  /// Own columns of the projection to all of the team.
  void exchange_heads() {
    const auto own = product(share_.qkv_columns()), all = team_rows();
    const auto parts = plan_.cache.parts;
    const auto put = [&](std::uint64_t first, std::uint64_t columns, std::uint64_t to, const Sync& sync) {
      auto c = run_of(chip::address_map::scratchpad(first_in_team()) + all.at + to * 4,
                      own.at + u32(first * 4), columns * 4);
      c.size1 = 0;
      c.local_stride1 = narrow(own.stride);
      c.global_stride1 = static_cast<std::int64_t>(all.stride);
      c.size2 = parts;
      c.global_stride2 = static_cast<std::int64_t>(chip::address_map::scratchpad_stride);
      link(FR_OP_STORE, c, sync, {FR_PATCH(fr_copy, size1, tokens, 1)});
    };
    const auto cached = share_.keys.size() + share_.values.size();
    put(0, share_.query_columns, part() * share_.query_columns, {});
    put(share_.query_columns, cached, parts * share_.query_columns + part() * cached,
        {{}, {{team_posted, 1}}});
    post(team_posted, first_in_team(), parts, part());
    link_when(FR_ENGINE_VECTOR, team_posted, parts);
  }

  /// Queries, keys and values as they are projected.
  Matrix projected() const { return in_parts() ? team_rows() : product(share_.qkv_columns()); }
  /// What soft-max multiplies scores by.
  double scale_of_scores() const { return model_.score_cap > 0 ? model_.score_cap : model_.score_scale; }

  void attend_in_parts() {
    place_team_heads();
    if (many()) {
      for_chunks(FR_ENGINE_VECTOR, [this] {
        find_cache();
        store_near();
        attend_part();
      });
      out_.add(FR_OP_STORE_NOP, {{}, {{values_stored, 1}}});
    } else {
      attend_part();
      store_near();
      out_.add(FR_OP_STORE_NOP, {{}, {{values_stored, 1}}});
    }
    combine_parts();
  }

 private:
  static constexpr float least_score = -1e30F;

  // What comes of a part: rows [token][query head] of weighted values, the largest score and the largest
  // probability.

  std::uint64_t team_heads() const { return plan_.group(); }
  Matrix of_part(std::uint32_t column = 0) const {
    return {s_.weighted + column, plan_.part_row_bytes(), FR_TYPE_F32};
  }
  std::uint32_t largest_score() const { return model_.head_dim * 4; }
  std::uint32_t largest_probability() const { return model_.head_dim * 4 + 4; }
  /// The keys and values of this step's tokens are with the first part of the context.
  bool has_new_tokens() const { return part() == 0; }
  Patch rows_of_heads(unsigned rows) const { return FR_PATCH(fr_vector, rows, rows, narrow(team_heads())); }
  /// Moves an operand to a chunk's rows.
  std::vector<Patch> at_chunk(std::vector<Patch> patches, std::size_t offset, std::uint64_t row) const {
    if (many()) patches.push_back({offset, sizeof(fr_vector::a), chunk_row, narrow(row)});
    return patches;
  }

  /// Of all tokens: queries [token][head], key and value, rotated.
  void place_team_heads() {
    const auto from = team_rows();
    const std::uint64_t width = model_.head_dim, heads = team_heads(), rotated = plan_.rotated();
    const auto queries = activations(s_.queries, heads * width);
    const auto place = [&](std::uint64_t column, std::uint64_t count, const Matrix& to, Sync sync) {
      const auto part_of = [&](unsigned op, std::uint64_t first, std::uint64_t columns) {
        return vector(op, columns, {from.at + u32((column + first) * 4), from.stride, from.type},
                      {to.at + u32(ip::row_bytes(to.type, first)), to.stride, to.type});
      };
      const auto rotate = [&](std::uint64_t first, std::uint64_t columns) {
        auto v = part_of(FR_VECTOR_ROPE, first, columns);
        v.arg0 = u32(rotated);
        v.flags = model_.rotary.interleaved ? FR_VECTOR_FLAG_INTERLEAVED : 0;
        set_b(v, {s_.cosines, rotated * 2, FR_TYPE_F32});
        set_c(v, {s_.sines, rotated * 2, FR_TYPE_F32});
        link(FR_OP_VECTOR, v, std::exchange(sync, {}), {rows_patch(tokens)});
      };
      if (rotated == width) return rotate(0, count * width);
      for (std::uint64_t h = 0; h < count; ++h) {
        if (rotated > 0) rotate(h * width, rotated);
        link(FR_OP_VECTOR, part_of(FR_VECTOR_COPY, h * width + rotated, width - rotated),
             std::exchange(sync, {}), {rows_patch(tokens)});
      }
    };
    const auto row = plan_.cache_row_bytes();
    const Matrix key{s_.keys, row, plan_.numerics.cache}, value{s_.values, row, plan_.numerics.cache};
    place(0, heads, queries, {});
    place(heads * width, 1, key, {{{values_stored, 1}}, {}});
    link(FR_OP_VECTOR,
         vector(FR_VECTOR_COPY, width, {from.at + u32((heads + 1) * width * 4), from.stride, from.type},
                value),
         {{}, {{values_made, 1}}}, {rows_patch(tokens)});
    out_.add(FR_OP_STORE_NOP, {{{values_made, 1}}, {}});
    link(FR_OP_VECTOR, vector(FR_VECTOR_FILL, width, of_part(), of_part()), {}, {rows_of_heads(tokens)});
  }

  /// All query heads of the team, stacked as rows [token][head].
  void attend_part() {
    const auto heads = static_cast<std::int32_t>(team_heads());
    const auto g = share_.kv_heads.begin;
    const auto type = static_cast<std::uint8_t>(plan_.numerics.activation),
               cache_type = static_cast<std::uint8_t>(plan_.numerics.cache);
    const auto row = plan_.cache_row_bytes();
    const Matrix scores{s_.scores, s_.score_stride, FR_TYPE_F32};
    find_past();
    if (!has_new_tokens()) {  // one score that does not count, if there are no positions yet
      auto fill = vector(FR_VECTOR_FILL, 1, scores, scores);
      fill.arg0 = bits(least_score);
      link(FR_OP_VECTOR, fill, {}, {rows_of_heads(chunk_rows())});
    } else {
      link_nop(FR_ENGINE_VECTOR);
    }
    auto qk = without_scales();  // scores = queries x keys^T
    qk.a = s_.queries, qk.a_stride = narrow(model_.head_dim * act_), qk.a_type = type;
    qk.b_stride = narrow(row), qk.b_type = cache_type;
    qk.c = scores.at, qk.c_stride = narrow(scores.stride), qk.c_type = FR_TYPE_F32;
    qk.k = model_.head_dim;
    qk.flags = FR_MATMUL_B_TRANSPOSED;
    const auto from_queries = at_chunk({}, offsetof(fr_matmul, a), team_heads() * model_.head_dim * act_);
    auto patches = from_queries;
    patches.push_back(FR_PATCH(fr_matmul, n, tile_positions, 1));
    patches.push_back(FR_PATCH(fr_matmul, c, scratch_register, 4));
    over_cache(Kind::keys, 0, g, qk, heads, patches);
    if (has_new_tokens()) {
      qk.b = s_.keys;
      patches = at_chunk(from_queries, offsetof(fr_matmul, b), row);
      patches.insert(patches.end(),
                     {FR_PATCH(fr_matmul, m, chunk_rows(), heads), FR_PATCH(fr_matmul, n, chunk_rows(), 1),
                      FR_PATCH(fr_matmul, c, past(), 4)});
      link_product(qk, {}, patches);
    } else {
      link_nop(FR_ENGINE_TENSOR);
    }
    make_probabilities(scores);
    auto pv = without_scales();  // weighted = probabilities x values
    pv.a = scores.at, pv.a_stride = narrow(scores.stride), pv.a_type = type;
    pv.b_stride = narrow(row), pv.b_type = cache_type;
    pv.c = s_.weighted, pv.c_stride = narrow(plan_.part_row_bytes()), pv.c_type = FR_TYPE_F32;
    pv.n = model_.head_dim;
    pv.flags = FR_MATMUL_ACCUMULATE;
    const auto to_part = at_chunk({}, offsetof(fr_matmul, c), team_heads() * plan_.part_row_bytes());
    patches = to_part;
    patches.push_back(FR_PATCH(fr_matmul, k, tile_positions, 1));
    patches.push_back(FR_PATCH(fr_matmul, a, scratch_register, narrow(act_)));
    over_cache(Kind::values, 0, g, pv, heads, patches);
    if (has_new_tokens()) {
      pv.b = s_.values;
      patches = at_chunk(to_part, offsetof(fr_matmul, b), row);
      patches.insert(patches.end(),
                     {FR_PATCH(fr_matmul, m, chunk_rows(), heads), FR_PATCH(fr_matmul, k, chunk_rows(), 1),
                      FR_PATCH(fr_matmul, a, past(), narrow(act_))});
      link_product(pv, {}, patches);
    } else {
      link_nop(FR_ENGINE_TENSOR);
    }
  }

  /// In the place of scores, with what is kept of these. New tokens one by one, for each sees one more.
  void make_probabilities(const Matrix& scores) {
    const Matrix probabilities{scores.at, scores.stride, plan_.numerics.activation};
    const bool by_token = has_new_tokens();
    const auto part_rows = team_heads() * plan_.part_row_bytes();
    const auto score_rows = narrow(team_heads() * scores.stride);
    if (by_token) {
      link_nop(FR_ENGINE_VECTOR);
      out_.begin_loop(tile, 0, {FR_PATCH(fr_loop, count, chunk_rows(), 1)});
      out_.scalar(FR_SCALAR_ADD, scratch_register, past(), tile, 1);  // scores that count
    } else {
      out_.scalar(FR_SCALAR_MAX, scratch_register, past(), none, 1);
    }
    enum class Columns { count, all, there };  // that count; of all tokens; that there are positions for
    const auto put = [&](unsigned op, const Matrix& a, const Matrix& d, bool to_part, Columns columns,
                         std::uint32_t factor = 0) {
      auto v = vector(op, 0, a, d);
      const bool all = by_token && columns == Columns::all;
      const bool counts = !all && (by_token || columns != Columns::there);
      std::vector<Patch> patches{FR_PATCH(fr_vector, cols, counts ? +scratch_register : past(), 1)};
      if (all) patches.push_back(FR_PATCH(fr_vector, cols, chunk_rows(), 1));
      if (by_token)
        v.rows = u32(team_heads());
      else
        patches.push_back(rows_of_heads(chunk_rows()));
      if (by_token) {
        patches.push_back(FR_PATCH(fr_vector, a, tile, score_rows));
        patches.push_back(FR_PATCH(fr_vector, d, tile, to_part ? narrow(part_rows) : score_rows));
      }
      if (to_part) patches = at_chunk(std::move(patches), offsetof(fr_vector, d), part_rows);
      if (op == FR_VECTOR_SOFTMAX && all) patches.push_back(FR_PATCH(fr_vector, arg0, scratch_register, 1));
      (op == FR_VECTOR_SOFTMAX ? v.arg2 : v.arg0) = factor;
      link(FR_OP_VECTOR, v, {}, patches);
    };
    if (model_.score_cap > 0) {
      put(FR_VECTOR_AFFINE, scores, scores, false, Columns::there,
          bits(model_.score_scale / model_.score_cap));
      put(FR_VECTOR_TANH, scores, scores, false, Columns::there);
    }
    put(FR_VECTOR_ROW_MAX, scores, of_part(largest_score()), true, Columns::count);
    // Probabilities of the tokens that are not seen are 0.
    put(FR_VECTOR_SOFTMAX, scores, scores, false, Columns::all, bits(scale_of_scores()));
    put(FR_VECTOR_ROW_MAX, scores, of_part(largest_probability()), true, Columns::count);
    if (probabilities.type != FR_TYPE_F32) put(FR_VECTOR_COPY, scores, probabilities, false, Columns::all);
    if (!by_token) return;
    out_.end_loop();
    link_nop(FR_ENGINE_VECTOR);
  }

  /// To each cluster of the team what it puts together, [token][combined head]: of whole heads whole rows, of
  /// a part of one its columns and what is behind all.
  void send_parts() {
    const auto parts = plan_.cache.parts;
    const auto stride = chip::address_map::scratchpad_stride;
    const auto row = plan_.part_row_bytes(), heads = plan_.combined_heads(),
               combined = plan_.combined_row_bytes();
    const auto columns = plan_.combined_columns() * 4;
    const std::uint64_t of_a_head = parts * heads / team_heads();  // clusters, or one of several heads
    const auto put = [&](std::uint64_t from, std::uint64_t bytes, std::uint64_t apart, std::uint64_t to,
                         const Sync& sync) {
      auto c = run_of(chip::address_map::scratchpad(first_in_team()) + s_.parts +
                          part() * plan_.max_tokens * heads * combined + to,
                      s_.weighted + u32(from), bytes);
      c.size1 = 0;
      c.local_stride1 = narrow(team_heads() * row);
      c.global_stride1 = static_cast<std::int64_t>(heads * combined);
      c.size2 = u32(of_a_head);
      c.local_stride2 = narrow(apart);
      c.global_stride2 = static_cast<std::int64_t>(stride);
      c.size3 = u32(parts / of_a_head);
      c.local_stride3 = narrow(heads * row);
      c.global_stride3 = static_cast<std::int64_t>(of_a_head * stride);
      link(FR_OP_STORE, c, sync, {FR_PATCH(fr_copy, size1, tokens, 1)});
    };
    const Sync posted{{}, {{parts_posted, 1}}};
    if (of_a_head == 1) {
      put(0, heads * row, 0, 0, posted);
    } else {
      put(0, columns, columns, 0, {});
      put(largest_score(), Plan::part_sums_bytes, 0, columns, posted);
    }
    post(parts_posted, first_in_team(), parts, part());
  }

  /// What the team has sent, each part weighed by its part of all exponentials, to `slice`.
  void combine_parts() {
    const auto parts = plan_.cache.parts;
    const auto row = plan_.combined_row_bytes(), own = plan_.combined_heads(),
               columns = plan_.combined_columns();
    send_parts();
    link_when(FR_ENGINE_VECTOR, parts_posted, parts);
    const std::vector<Patch> all_rows{FR_PATCH(fr_vector, rows, tokens, narrow(own))};
    const auto part_at = [&](std::uint32_t i, std::uint32_t column) {
      return Matrix{s_.parts + u32(i * plan_.max_tokens * own * row) + column, row, FR_TYPE_F32};
    };
    const Matrix scores{s_.part_columns, parts * 4ull, FR_TYPE_F32};
    const Matrix sums{scores.at + u32(plan_.max_tokens * own * parts * 4), scores.stride, FR_TYPE_F32};
    const auto column = [](Matrix m, std::uint32_t i) { return m.at += i * 4, m; };
    for (std::uint32_t i = 0; i < parts; ++i) {
      const auto score = u32(columns * 4), probability = score + 4;
      link(FR_OP_VECTOR, vector(FR_VECTOR_COPY, 1, part_at(i, score), column(scores, i)), {}, all_rows);
      link(FR_OP_VECTOR, vector(FR_VECTOR_COPY, 1, part_at(i, probability), column(sums, i)), {}, all_rows);
    }
    // The largest probability is one by the sum of exponentials less the largest score.
    link(FR_OP_VECTOR, vector(FR_VECTOR_LOG, parts, sums, sums), {}, all_rows);
    auto v = vector(FR_VECTOR_AFFINE, parts, scores, scores);
    v.arg0 = bits(scale_of_scores());
    link(FR_OP_VECTOR, v, {}, all_rows);
    v = vector(FR_VECTOR_SUB, parts, scores, scores);
    set_b(v, sums);
    link(FR_OP_VECTOR, v, {}, all_rows);
    link(FR_OP_VECTOR, vector(FR_VECTOR_SOFTMAX, parts, scores, scores), {}, all_rows);
    const Matrix sum{s_.part_sums, columns * 4, FR_TYPE_F32};
    const Matrix result{s_.slice, columns * act_, plan_.numerics.activation};
    for (std::uint32_t i = 0; i < parts; ++i) {
      v = vector(i == 0 ? FR_VECTOR_MUL : FR_VECTOR_FMA, columns, part_at(i, 0),
                 i + 1 == parts ? result : sum);
      set_b(v, column(scores, i));
      v.flags = FR_VECTOR_FLAG_B_SCALAR;
      if (i > 0) set_c(v, sum);
      link(FR_OP_VECTOR, v, {}, all_rows);
    }
  }
};

}  // namespace forerun::models::emission
