// SPDX-License-Identifier: Apache-2.0
/// Attention: heads from the projection, the cache, scores and weighted values. Private to emit.cpp.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "models/compiler/emit_team.hpp"

namespace forerun::models::emission {

class AttentionEmitter : public TeamEmitter {
 public:
  using TeamEmitter::TeamEmitter;

 protected:
  /// A layer with a window needs the tiles of the cache that hold positions of the window, the others all.
  void choose_window() {
    const auto& windows = model_.windows;
    const auto positions_of = [this](std::uint32_t w) { return std::int64_t{w == 0 ? plan_.context : w}; };
    const auto even = positions_of(windows.front()), odd = positions_of(windows[windows.size() > 1 ? 1 : 0]);
    out_.scalar(FR_SCALAR_AND, window, layer, none, 1);
    out_.scalar(FR_SCALAR_MUL, window, window, none, odd - even);
    out_.scalar(FR_SCALAR_ADD, window, window, none, even);
  }
  void begin_window() {
    if (!has_windows()) return;
    choose_window();
    out_.scalar(FR_SCALAR_SUB, first_cached, first_position(), window, -1);
    out_.scalar(FR_SCALAR_MAX, first_cached, first_cached, none, 0);
    out_.scalar(FR_SCALAR_DIV, first_cached, first_cached, none, plan_.cache_tile);
    out_.scalar(FR_SCALAR_CEIL_DIV, tiles, first_position(), none, plan_.cache_tile);
    out_.scalar(FR_SCALAR_SUB, tiles, tiles, first_cached, 0);
    out_.scalar(FR_SCALAR_MIN, has_past, tiles, none, 1);
    out_.scalar(FR_SCALAR_MUL, first_cached, first_cached, none, plan_.cache_tile);
  }
  /// Query and key heads in the projection's result, each normalised.
  void head_norm() {
    const auto from = projected();
    const auto queries = attended_heads().size(), heads = queries + share_.kv_heads.size();
    for (std::uint64_t h = 0; h < heads; ++h) {
      const Matrix head{from.at + u32(h * model_.head_dim * 4), from.stride, FR_TYPE_F32};
      auto v = vector(FR_VECTOR_RMSNORM, model_.head_dim, head, head);
      v.arg0 = bits(model_.norm_eps);
      const bool query = h < queries;
      set_b(v,
            {s_.constants + (query ? plan_.constants.query_norm : plan_.constants.key_norm), 0, FR_TYPE_F32});
      link(FR_OP_VECTOR, v, {}, {rows_patch(tokens), FR_PATCH(fr_vector, b, constants_now, 1)});
    }
  }

  /// From the projection's result to queries, keys and values by heads; the rotated part of each is rotated.
  virtual void place_heads() {
    if (share_.heads.empty()) return;
    const auto from = product(share_.qkv_columns());
    const auto head_bytes = std::uint64_t{model_.head_dim} * act_;
    const auto rotated = plan_.rotated();
    const auto rotate = [&](std::uint64_t column, const Matrix& to, std::uint64_t rows_before, Sync sync) {
      std::vector<Patch> patches{rows_patch(chunk_rows())};
      if (rows_before > 0)
        patches.push_back(FR_PATCH(fr_vector, d, chunk_rows(), narrow(rows_before * head_bytes)));
      if (many()) patches.push_back(at_row(offsetof(fr_vector, a), from.stride));
      const auto part = [&](unsigned op, std::uint64_t first, std::uint64_t cols) {
        auto d = to;
        d.at += u32(ip::row_bytes(d.type, first));
        return vector(op, cols, {from.at + u32((column + first) * 4), from.stride, FR_TYPE_F32}, d);
      };
      if (rotated > 0) {
        auto v = part(FR_VECTOR_ROPE, 0, rotated);
        v.arg0 = rotated;
        v.flags = model_.rotary.interleaved ? FR_VECTOR_FLAG_INTERLEAVED : 0;
        set_b(v, {s_.cosines, rotated * 2ull, FR_TYPE_F32});
        set_c(v, {s_.sines, rotated * 2ull, FR_TYPE_F32});
        auto with_angles = patches;
        if (many())
          for (const auto field : {offsetof(fr_vector, b), offsetof(fr_vector, c)})
            with_angles.push_back(at_row(field, rotated * 2ull));
        link(FR_OP_VECTOR, v, std::exchange(sync, {}), with_angles);
      }
      if (rotated < model_.head_dim)
        link(FR_OP_VECTOR, part(FR_VECTOR_COPY, rotated, model_.head_dim - rotated), sync, patches);
    };
    for (auto h = share_.heads.begin; h < share_.heads.end; ++h)
      rotate((h - share_.heads.begin) * model_.head_dim,
             activations(queries_of(h / group()), model_.head_dim), h - group_heads(h / group()).begin, {});
    const bool stores = !share_.stored_kv_heads.empty();
    for (auto g = share_.kv_heads.begin; g < share_.kv_heads.end; ++g) {
      const auto column = share_.query_columns + (g - share_.kv_heads.begin) * model_.head_dim;
      const Sync sync = stores && g == share_.kv_heads.begin ? Sync{{{values_stored, 1}}, {}} : Sync{};
      if (!scaled()) {
        rotate(column, cached(s_.keys + local_kv(g)), 0, sync);
        continue;
      }
      rotate(column, {from.at + u32(column * 4), from.stride, FR_TYPE_F32}, 0, sync);
      quantise_head(column, g, s_.keys, s_.key_scales, {});
    }
    for (auto g = share_.kv_heads.begin; g < share_.kv_heads.end; ++g) {
      const auto column =
          share_.query_columns + share_.key_columns + (g - share_.kv_heads.begin) * model_.head_dim;
      const bool last = g + 1 == share_.kv_heads.end;
      if (scaled()) {
        quantise_head(column, g, s_.values, s_.value_scales,
                      stores && last ? Sync{{}, {{values_made, 1}}} : Sync{});
        continue;
      }
      std::vector<Patch> patches{rows_patch(chunk_rows())};
      if (many()) patches.push_back(at_row(offsetof(fr_vector, a), from.stride));
      link(FR_OP_VECTOR,
           vector(FR_VECTOR_COPY, model_.head_dim, {from.at + u32(column * 4), from.stride, FR_TYPE_F32},
                  cached(s_.values + local_kv(g))),
           stores && last ? Sync{{}, {{values_made, 1}}} : Sync{}, patches);
    }
  }
  /// From the projection's result to integers with a scale for each position.
  void quantise_head(std::uint64_t column, std::uint64_t g, std::uint32_t to, std::uint32_t scales,
                     const Sync& sync) {
    const auto from = product(share_.qkv_columns());
    auto v = vector(FR_VECTOR_QUANTIZE, model_.head_dim,
                    {from.at + u32(column * 4), from.stride, FR_TYPE_F32}, cached(to + local_kv(g)));
    set_c(v, {scales + local_scale(g), 4, FR_TYPE_F32});
    std::vector<Patch> patches{rows_patch(chunk_rows())};
    if (many()) patches.push_back(at_row(offsetof(fr_vector, a), from.stride));
    link(FR_OP_VECTOR, v, sync, patches);
  }
  std::uint32_t local_scale(std::uint64_t g) const {
    return u32((g - share_.kv_heads.begin) * plan_.max_chunk * 4);
  }
  /// Rows of a head's keys or values, as they are in the cache.
  Matrix cached(std::uint32_t at) const { return {at, plan_.cache_row_bytes(), plan_.numerics.cache}; }
  /// Latent attention: queries, then what attention gives of the compressed vectors.
  Matrix absorbed() const { return activations(s_.absorbed, share_.heads.size() * model_.head_dim); }
  std::uint64_t group() const { return plan_.group(); }
  /// Own query heads that share a key/value head.
  Range group_heads(std::uint64_t g) const {
    return {std::max(share_.heads.begin, g * group()), std::min(share_.heads.end, (g + 1) * group())};
  }
  std::uint32_t queries_of(std::uint64_t g) const {
    return s_.queries +
           u32((group_heads(g).begin - share_.heads.begin) * plan_.max_chunk * model_.head_dim * act_);
  }
  std::uint32_t local_kv(std::uint64_t g) const {
    return u32((g - share_.kv_heads.begin) * plan_.max_chunk * plan_.cache_row_bytes());
  }

  void attention() {
    if (share_.heads.empty()) return;
    if (in_parts()) return attend_in_parts();
    if (!many()) {
      for (auto g = share_.kv_heads.begin; g < share_.kv_heads.end; ++g) attend(g);
      return;
    }
    for_chunks(FR_ENGINE_VECTOR, [this] {
      find_cache();
      set_scale_offset();
      out_.scalar(FR_SCALAR_MIN, has_past, chunk_position, none, 1);
      out_.scalar(FR_SCALAR_CEIL_DIV, tiles, chunk_position, none, plan_.cache_tile);
      begin_window();
      place_heads();
      if (lies_near()) store_cache();
      for (auto g = share_.kv_heads.begin; g < share_.kv_heads.end; ++g) attend(g);
      if (!lies_near()) store_cache();
    });
  }
  /// All own query heads of one key/value head, stacked as rows [head][token].
  void attend(std::uint64_t g) {
    const auto heads = group_heads(g);
    const auto head_bytes = std::uint64_t{model_.head_dim} * act_;
    const auto rows = static_cast<std::int32_t>(heads.size());
    const auto type = static_cast<std::uint8_t>(plan_.numerics.activation),
               cache_type = static_cast<std::uint8_t>(plan_.numerics.cache);
    const Matrix scores{s_.scores, s_.score_stride, FR_TYPE_F32};

    auto qk = without_scales();  // scores = queries x keys^T
    qk.a = queries_of(g), qk.a_stride = narrow(head_bytes), qk.a_type = type;
    qk.b_stride = narrow(plan_.cache_row_bytes()), qk.b_type = cache_type;
    qk.c = scores.at, qk.c_stride = narrow(scores.stride), qk.c_type = FR_TYPE_F32;
    qk.k = model_.head_dim;
    qk.flags = FR_MATMUL_B_TRANSPOSED;
    if (scaled()) {
      qk.group = qk.k;
      qk.b_scale_type = FR_TYPE_F32, qk.b_scale_stride = 4;
    }
    over_cache(Kind::keys, memory_.key_scales, g, qk, rows,
               {FR_PATCH(fr_matmul, n, tile_positions, 1), FR_PATCH(fr_matmul, c, scratch_register, 4)});
    qk.b = s_.keys + local_kv(g);
    qk.b_scale = s_.key_scales + local_scale(g);
    link_product(qk, {},
                 {FR_PATCH(fr_matmul, m, chunk_rows(), rows), FR_PATCH(fr_matmul, n, chunk_rows(), 1),
                  FR_PATCH(fr_matmul, c, first_position(), 4)});

    const std::vector<Patch> all_scores{FR_PATCH(fr_vector, rows, chunk_rows(), rows),
                                        FR_PATCH(fr_vector, cols, first_position(), 1),
                                        FR_PATCH(fr_vector, cols, chunk_rows(), 1)};
    if (model_.positions == Positions::alibi)
      for (auto h = heads.begin; h < heads.end; ++h) add_distances(h, h - heads.begin);
    const double cap = model_.score_cap;
    if (cap > 0) {
      auto scaled = vector(FR_VECTOR_AFFINE, 0, scores, scores);
      scaled.arg0 = bits(model_.score_scale / cap);
      link(FR_OP_VECTOR, scaled, {}, all_scores);
      link(FR_OP_VECTOR, vector(FR_VECTOR_TANH, 0, scores, scores), {}, all_scores);
    }
    auto v = vector(FR_VECTOR_SOFTMAX, 0, scores, {scores.at, scores.stride, type});
    v.arg0 = 1;
    v.arg2 = bits(scale_of_scores());
    auto patches = all_scores;
    patches.push_back(FR_PATCH(fr_vector, arg0, first_position(), 1));
    patches.push_back(FR_PATCH(fr_vector, arg1, chunk_rows(), 1));
    if (has_windows()) patches.push_back(FR_PATCH(fr_vector, arg3, window, 1));
    link(FR_OP_VECTOR, v, {}, patches);

    auto pv = without_scales();  // weighted = probabilities x values
    pv.a = scores.at, pv.a_stride = narrow(scores.stride), pv.a_type = type;
    pv.b_stride = narrow(plan_.cache_row_bytes()), pv.b_type = cache_type;
    pv.c = s_.weighted, pv.c_stride = narrow(model_.head_dim * 4ull), pv.c_type = FR_TYPE_F32;
    pv.n = plan_.cached_value_dim();
    over_cache(
        Kind::values, memory_.value_scales, g, pv, rows,
        {FR_PATCH(fr_matmul, k, tile_positions, 1), FR_PATCH(fr_matmul, a, scratch_register, narrow(act_)),
         FR_PATCH(fr_matmul, flags, carry, FR_MATMUL_ACCUMULATE)});
    if (scaled()) {
      link(FR_OP_VECTOR, scale_probabilities(s_.value_scales + local_scale(g)), {},
           {FR_PATCH(fr_vector, rows, chunk_rows(), rows), FR_PATCH(fr_vector, cols, chunk_rows(), 1),
            FR_PATCH(fr_vector, a, first_position(), narrow(act_)),
            FR_PATCH(fr_vector, d, first_position(), narrow(act_))});
    }
    pv.b = s_.values + local_kv(g);
    link_product(pv, {},
                 {FR_PATCH(fr_matmul, m, chunk_rows(), rows), FR_PATCH(fr_matmul, k, chunk_rows(), 1),
                  FR_PATCH(fr_matmul, a, first_position(), static_cast<std::int32_t>(act_)),
                  FR_PATCH(fr_matmul, flags, has_past, FR_MATMUL_ACCUMULATE)});

    const auto all = model_.is_latent() ? absorbed() : activations(s_.slice, share_.query_columns);
    for (auto h = heads.begin; h < heads.end; ++h) {
      const Matrix from{s_.weighted, model_.head_dim * 4ull, FR_TYPE_F32};
      std::vector<Patch> to_slice{
          rows_patch(chunk_rows()),
          FR_PATCH(fr_vector, a, chunk_rows(), narrow((h - heads.begin) * from.stride))};
      if (many()) to_slice.push_back(at_row(offsetof(fr_vector, d), all.stride));
      link(FR_OP_VECTOR,
           vector(FR_VECTOR_COPY, plan_.cached_value_dim(), from,
                  {all.at + u32((h - share_.heads.begin) * head_bytes), all.stride, all.type}),
           {}, to_slice);
    }
  }
  /// ALiBi: how far the last position of the context is from each.
  void count_distances() {
    const Matrix distances{s_.distances, 0, FR_TYPE_F32};
    auto v = vector(FR_VECTOR_CONCAT_COUNT, plan_.context, distances, distances);
    v.rows = 1;
    link(FR_OP_VECTOR, v);
    v.op = FR_VECTOR_AFFINE;
    v.arg0 = bits(1);
    v.arg1 = bits(1.0 - plan_.context);
    link(FR_OP_VECTOR, v);
  }
  /// To the scores of query head `h`, stacked as the `nth`: its slope times the distance from the chunk's
  /// last position. From each row's own that differs by as much for all scores of the row, which soft-max
  /// does not see.
  void add_distances(std::uint64_t h, std::uint64_t nth) {
    const Matrix scores{s_.scores, s_.score_stride, FR_TYPE_F32};
    auto v = vector(FR_VECTOR_FMA, 0, {s_.distances + plan_.context * 4, 0, FR_TYPE_F32}, scores);
    v.flags = FR_VECTOR_FLAG_B_SCALAR;
    set_b(v, {s_.constants + plan_.constants.slopes + u32((h - share_.heads.begin) * 4), 0, FR_TYPE_F32});
    set_c(v, scores);
    std::vector<Patch> patches{rows_patch(chunk_rows()),
                               FR_PATCH(fr_vector, cols, first_position(), 1),
                               FR_PATCH(fr_vector, cols, chunk_rows(), 1),
                               FR_PATCH(fr_vector, a, first_position(), -4),
                               FR_PATCH(fr_vector, a, chunk_rows(), -4),
                               FR_PATCH(fr_vector, b, constants_now, 1)};
    for (const auto field : {offsetof(fr_vector, c), offsetof(fr_vector, d)})
      if (nth > 0)
        patches.push_back({field, sizeof(fr_vector::c), chunk_rows(), narrow(nth * scores.stride)});
    link(FR_OP_VECTOR, v, {}, patches);
  }
};

}  // namespace forerun::models::emission
