// SPDX-License-Identifier: Apache-2.0
/// Clusters that have query heads of one key/value head and share its positions: what they exchange. Private to
/// emit.cpp.
#pragma once

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
    put(share_.query_columns, cached, parts * share_.query_columns + part() * cached, {{}, {{team_posted, 1}}});
    post(team_posted, first_in_team(), parts, part());
    link_when(FR_ENGINE_VECTOR, team_posted, parts);
  }

  // What comes of a part: rows of weighted values, the largest score and the largest probability.

  std::uint32_t row_of_part() const { return u32(plan_.part_row_bytes()); }
  std::uint32_t largest_score() const { return model_.head_dim * 4; }
  std::uint32_t largest_probability() const { return model_.head_dim * 4 + 4; }
  /// Moves an operand in `weighted` to the chunk's rows.
  Patch at_part_rows(std::size_t offset) const {
    return {offset, sizeof(fr_vector::a), chunk_row, narrow(plan_.group() * plan_.part_row_bytes())};
  }
  std::vector<Patch> with_part_rows(std::vector<Patch> patches, std::size_t offset) const {
    if (many()) patches.push_back(at_part_rows(offset));
    return patches;
  }
  std::uint64_t own_heads() const { return share_.heads.size(); }

  /// A chunk's rows to the clusters whose query heads they are of: [token][own head].
  void send_part() {
    const std::uint64_t row = row_of_part(), own = own_heads() * row;
    link_nop(FR_ENGINE_TENSOR, {{}, {{part_made, 1}}});
    auto c = run_of(chip::address_map::scratchpad(first_in_team()) + s_.parts + part() * plan_.max_tokens * own,
                    s_.weighted, plan_.part_row_bytes());
    c.size1 = 0;
    c.local_stride1 = narrow(row), c.global_stride1 = static_cast<std::int64_t>(own);
    c.size2 = u32(own_heads());
    c.global_stride2 = static_cast<std::int64_t>(row);
    c.size3 = plan_.cache.parts;
    c.global_stride3 = static_cast<std::int64_t>(chip::address_map::scratchpad_stride);
    std::vector<Patch> patches{FR_PATCH(fr_copy, size1, chunk_rows(), 1),
                               FR_PATCH(fr_copy, local_stride2, chunk_rows(), narrow(row)),
                               FR_PATCH(fr_copy, local_stride3, chunk_rows(), narrow(own))};
    if (many()) {
      patches.push_back(FR_PATCH(fr_copy, global, chunk_row, narrow(own)));
      patches.push_back(FR_PATCH(fr_copy, local, chunk_row, narrow(plan_.group() * row)));
    }
    out_.add(FR_OP_STORE, c, {{{part_made, 1}}, {}}, patches);
  }

  /// Own heads' parts, each weighed by its part of all exponentials, to `slice`. `scale` is that of scores.
  void combine_parts(double scale) {
    const auto parts = plan_.cache.parts;
    const auto row = plan_.part_row_bytes(), own = own_heads();
    out_.add(FR_OP_STORE_NOP, {{}, {{parts_posted, 1}}});
    post(parts_posted, first_in_team(), parts, part());
    link_when(FR_ENGINE_VECTOR, parts_posted, parts);
    const std::vector<Patch> all_rows{FR_PATCH(fr_vector, rows, tokens, narrow(own))};
    const auto part_at = [&](std::uint32_t i, std::uint32_t column) {
      return Matrix{s_.parts + u32(i * plan_.max_tokens * own * row) + column, row, FR_TYPE_F32};
    };
    const Matrix scores{s_.part_columns, parts * 4ull, FR_TYPE_F32};
    const Matrix sums{scores.at + u32(plan_.max_tokens * own * parts * 4), scores.stride, FR_TYPE_F32};
    const auto column = [](Matrix m, std::uint32_t i) { return m.at += i * 4, m; };
    for (std::uint32_t i = 0; i < parts; ++i) {
      link(FR_OP_VECTOR, vector(FR_VECTOR_COPY, 1, part_at(i, largest_score()), column(scores, i)), {}, all_rows);
      link(FR_OP_VECTOR, vector(FR_VECTOR_COPY, 1, part_at(i, largest_probability()), column(sums, i)), {},
           all_rows);
    }
    // The largest probability is one by the sum of exponentials less the largest score.
    link(FR_OP_VECTOR, vector(FR_VECTOR_LOG, parts, sums, sums), {}, all_rows);
    auto v = vector(FR_VECTOR_AFFINE, parts, scores, scores);
    v.arg0 = bits(scale);
    link(FR_OP_VECTOR, v, {}, all_rows);
    v = vector(FR_VECTOR_SUB, parts, scores, scores);
    set_b(v, sums);
    link(FR_OP_VECTOR, v, {}, all_rows);
    link(FR_OP_VECTOR, vector(FR_VECTOR_SOFTMAX, parts, scores, scores), {}, all_rows);
    const Matrix sum{s_.part_sums, model_.head_dim * 4ull, FR_TYPE_F32};
    const Matrix result{s_.slice, model_.head_dim * act_, plan_.numerics.activation};
    for (std::uint32_t i = 0; i < parts; ++i) {
      v = vector(i == 0 ? FR_VECTOR_MUL : FR_VECTOR_FMA, model_.head_dim, part_at(i, 0),
                 i + 1 == parts ? result : sum);
      set_b(v, column(scores, i));
      v.flags = FR_VECTOR_FLAG_B_SCALAR;
      if (i > 0) set_c(v, sum);
      link(FR_OP_VECTOR, v, {}, all_rows);
    }
  }
};

}  // namespace forerun::models::emission
