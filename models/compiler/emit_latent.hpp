// SPDX-License-Identifier: Apache-2.0
/// Latent attention of DeepSeek V2 and V3, in the absorbed form. Private to emit.cpp.
#pragma once

#include <utility>
#include <vector>

#include "models/compiler/emit_experts.hpp"

namespace forerun::models::emission {

/// The cache holds for each position the compressed vector and the rotated part of the key. Queries go
/// through the matrix that would make keys of the compressed vector, what attention gives goes through that
/// which would make values: so all heads share one key/value head, whose values are the first columns of its
/// keys.
class LatentEmitter : public ExpertEmitter {
 public:
  using ExpertEmitter::ExpertEmitter;

 protected:
  /// The row for the cache, and own queries.
  void latent_query_key_value() {
    const auto& l = model_.latent;
    const auto width = plan_.latent_width();
    project(tiles_.latent, normed(), model_.hidden, share_.latent.size(), tokens, 0, false);
    const auto all =
        exchange(latent_posted, product(share_.latent.size()), share_.latent, width, s_.latent_parts,
                 memory_.latent, contributors(&Share::latent), FR_ENGINE_VECTOR);
    const auto from = [&](std::uint64_t column) {
      return Matrix{all.at + u32(column * 4), all.stride, all.type};
    };
    const auto rows = activations(s_.latent_rows, model_.head_dim);
    latent_norm(l.kv_rank, from(l.q_rank), rows, plan_.constants.kv_down_norm);
    rotate(from(std::uint64_t{l.q_rank} + l.kv_rank),
           {rows.at + u32(l.kv_rank * act_), rows.stride, rows.type});
    auto input = normed();
    if (l.q_rank != 0) {
      input = activations(s_.latent_input, l.q_rank);
      latent_norm(l.q_rank, from(0), input, plan_.constants.q_down_norm);
    }
    project(tiles_.query_key_value, input, l.q_rank != 0 ? l.q_rank : model_.hidden, share_.query_columns,
            tokens, 0, false);
  }

  /// Own queries, rotated and in the terms of the cache: [tokens][head][head_dim].
  void absorb_queries() {
    const auto& l = model_.latent;
    if (share_.heads.empty()) return;
    const auto made = product(share_.query_columns),
               plain = activations(s_.latent_queries, share_.query_columns), to = absorbed();
    link(FR_OP_VECTOR, vector(FR_VECTOR_COPY, share_.query_columns, made, plain), {}, {rows_patch(tokens)});
    const std::uint64_t query = std::uint64_t{l.plain_dim} + l.rotary_dim;
    const Matrix result{s_.latent_product, l.kv_rank * 4ull, FR_TYPE_F32};
    for (std::uint64_t h = 0; h < share_.heads.size(); ++h) {
      const auto head = h * model_.head_dim * act_;
      rotate({made.at + u32((h * query + l.plain_dim) * 4), made.stride, made.type},
             {to.at + u32(head + l.kv_rank * act_), to.stride, to.type});
      multiply_head(tiles_.absorb, {plain.at + u32(h * query * act_), plain.stride, plain.type}, result);
      link(FR_OP_VECTOR, vector(FR_VECTOR_COPY, l.kv_rank, result, {to.at + u32(head), to.stride, to.type}),
           {}, {rows_patch(tokens)});
    }
  }

  /// Queries and the row for the cache, of a chunk: by heads.
  void place_heads() override {
    if (!model_.is_latent()) return ExpertEmitter::place_heads();
    if (share_.heads.empty()) return;
    const auto place = [&](const Matrix& from, std::uint32_t to, std::uint64_t rows_before,
                           const Sync& sync) {
      const auto d = activations(to, model_.head_dim);
      std::vector<Patch> patches{rows_patch(chunk_rows())};
      if (rows_before > 0)
        patches.push_back(FR_PATCH(fr_vector, d, chunk_rows(), narrow(rows_before * d.stride)));
      if (many()) patches.push_back(at_row(offsetof(fr_vector, a), from.stride));
      link(FR_OP_VECTOR, vector(FR_VECTOR_COPY, model_.head_dim, from, d), sync, patches);
    };
    const auto queries = absorbed();
    for (std::uint64_t h = 0; h < share_.heads.size(); ++h)
      place({queries.at + u32(h * model_.head_dim * act_), queries.stride, queries.type}, s_.queries, h, {});
    const bool stores = !share_.stored_kv_heads.empty();
    place(activations(s_.latent_rows, model_.head_dim), s_.keys, 0,
          stores ? Sync{{{values_stored, 1}}, {{values_made, 1}}} : Sync{});
  }

  /// From what attention gave of the compressed vectors to values, in the slice.
  void expand_values() {
    if (share_.heads.empty()) return;
    const auto from = absorbed();
    const auto columns = share_.heads.size() * model_.value_dim;
    const auto result = product(columns);
    for (std::uint64_t h = 0; h < share_.heads.size(); ++h)
      multiply_head(tiles_.expand, {from.at + u32(h * model_.head_dim * act_), from.stride, from.type},
                    {result.at + u32(h * model_.value_dim * 4), result.stride, result.type});
    link(FR_OP_VECTOR, vector(FR_VECTOR_COPY, columns, result, activations(s_.slice, columns)), {},
         {rows_patch(tokens)});
  }

 private:
  void latent_norm(std::uint64_t columns, const Matrix& from, const Matrix& to, std::uint32_t weights) {
    auto v = vector(FR_VECTOR_RMSNORM, columns, from, to);
    v.arg0 = bits(model_.norm_eps);
    set_b(v, {s_.constants + weights, 0, FR_TYPE_F32});
    link(FR_OP_VECTOR, v, {}, {rows_patch(tokens), FR_PATCH(fr_vector, b, constants_now, 1)});
  }
  void rotate(const Matrix& from, const Matrix& to) {
    const auto rotated = plan_.rotated();
    auto v = vector(FR_VECTOR_ROPE, rotated, from, to);
    v.arg0 = rotated;
    v.flags = model_.rotary.interleaved ? FR_VECTOR_FLAG_INTERLEAVED : 0;
    set_b(v, {s_.cosines, rotated * 2ull, FR_TYPE_F32});
    set_c(v, {s_.sines, rotated * 2ull, FR_TYPE_F32});
    link(FR_OP_VECTOR, v, {}, {rows_patch(tokens)});
  }
  void multiply_head(const std::vector<WeightTile>& tiles, const Matrix& a, const Matrix& result) {
    for (const auto& tile_range : tiles) {
      load_weights(plan_.tile_bytes(tile_range));
      multiply_tile(tile_range, a, result, tokens);
    }
  }
};

}  // namespace forerun::models::emission
