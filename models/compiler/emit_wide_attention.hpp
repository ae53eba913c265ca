// SPDX-License-Identifier: Apache-2.0
/// Steps of many tokens: attention. Private to emit.cpp.
#pragma once

#include <array>
#include <vector>

#include "models/compiler/emit_wide_panels.hpp"

namespace forerun::models::emission {

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
    return {memory_.attention, queries_, heads_posted,
            depth % model_.head_dim == 0 ? model_.head_dim : depth};
  }
  /// Where the queries of a head are kept: [rows][head_dim], by row group and head.
  std::uint64_t query_rows(std::uint64_t head) const {
    return memory_.queries + (row_group() * std::uint64_t{model_.heads} + head) *
                                 (std::uint64_t{wide().rows()} * model_.head_dim * act_ + wide().skew);
  }

  /// All own heads, one key/value head after the other, with the whole of its keys and values in the
  /// scratchpad. Some rows of one head are a piece: scores, soft-max and weighted values of neighbouring
  /// pieces overlap.
  void wide_attention() {
    const auto kv = group_heads_of(&Share::kv_heads);
    out_.add(FR_OP_LOAD_NOP, wait_for(static_cast<Semaphore>(cache_posted), wide().row_groups));
    std::vector<Piece> pieces;
    for (auto g = kv.begin; g < kv.end; ++g) {
      const auto heads = own_heads(g);
      for (const bool second : {false, true})
        for (std::uint32_t from = 0; from < wide().half; from += wide().score_rows)
          for (auto h = heads.begin; h < heads.end; ++h) {
            Piece p{g, h, second, from};
            p.begins_part = h == heads.begin;
            p.begins_run = p.begins_part && from == 0;
            p.ends_run = h + 1 == heads.end && from + wide().score_rows >= wide().half;
            p.begins_head = p.begins_run && !second;
            p.ends_head = p.ends_run && second;
            pieces.push_back(p);
          }
    }
    std::size_t parts = 0;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      auto& p = pieces[i];
      if (p.begins_head) load_cache(p.kv, memory_.keys, wide().keys, keys_free, keys_full);
      if (p.begins_run) load_queries(p);
      if (p.begins_head) load_cache(p.kv, memory_.values, wide().values, values_free, values_full);
      if (p.begins_part) find_part(p, parts++);
      p.registers = (parts - 1) % 2;
      make_scores(p, i);
      if (i > 0) weigh_values(pieces[i - 1], i - 1);
    }
    weigh_values(pieces.back(), pieces.size() - 1);
    post_to_team(heads_posted);
  }

 private:
  struct Piece {
    std::uint64_t kv, head;
    bool second;                                  ///< of the two runs
    std::uint32_t from;                           ///< row of the run
    bool begins_head = false, ends_head = false;  ///< first and last of the key/value head
    bool begins_run = false, ends_run = false;    ///< of the key/value head with one of the runs
    bool begins_part = false;                     ///< of those with the same rows
    std::size_t registers = 0;
  };
  /// Rows of a piece, and the positions that its last row sees; in turns, because two pieces are under way.
  static constexpr std::array<std::pair<unsigned, unsigned>, 2> part_registers{
      std::pair<unsigned, unsigned>{tiles, first_cached}, {has_past, other_past}};
  unsigned piece_rows(const Piece& p) const { return part_registers[p.registers].first; }
  unsigned piece_positions(const Piece& p) const { return part_registers[p.registers].second; }

  /// Query heads of this column group that share a key/value head.
  Range own_heads(std::uint64_t kv) const {
    const auto heads = group_heads_of(&Share::heads);
    return {std::max(heads.begin, kv * group()), std::min(heads.end, (kv + 1) * group())};
  }
  std::uint64_t head_bytes() const { return std::uint64_t{model_.head_dim} * act_; }
  Matrix scores_of(std::size_t i) const {
    return {wide().scores + u32(i % 2) * wide().score_rows * wide().score_stride, wide().score_stride,
            FR_TYPE_F32};
  }

  void load_cache(std::uint64_t kv, std::uint64_t cache, std::uint32_t to, WideSemaphore free,
                  WideSemaphore full) {
    out_.add(
        FR_OP_LOAD, run_of(cache + (kv - plan_.kv_heads.begin) * plan_.kv_head_bytes(), to, 0),
        {{{free, 1}}, {{full, 1}}},
        {FR_PATCH(fr_copy, global, cache_offset, 1), FR_PATCH(fr_copy, bytes, seen, narrow(head_bytes()))});
  }
  /// One run's queries of the heads that share a key/value head.
  void load_queries(const Piece& p) {
    const auto heads = own_heads(p.kv);
    auto c = run_of(query_rows(heads.begin), wide().queries + (p.second ? wide().query_bytes : 0), 0);
    c.size1 = u32(heads.size());
    c.local_stride1 = narrow(wide().half * head_bytes());
    c.global_stride1 = static_cast<std::int64_t>(wide().rows() * head_bytes() + wide().skew);
    std::vector<Patch> patches{FR_PATCH(fr_copy, bytes, p.second ? +rows1 : +rows0, narrow(head_bytes()))};
    if (p.second) patches.push_back(FR_PATCH(fr_copy, global, rows0, narrow(head_bytes())));
    out_.add(FR_OP_LOAD, c, {{{queries_free, 1}}, {{queries_full, 1}}}, patches);
  }
  void find_part(const Piece& p, std::size_t number) {
    const auto [count, positions] = part_registers[number % 2];
    out_.scalar(FR_SCALAR_SUB, count, p.second ? +rows1 : +rows0, none, p.from);
    out_.scalar(FR_SCALAR_MAX, count, count, none, 0);
    out_.scalar(FR_SCALAR_MIN, count, count, none, wide().score_rows);
    out_.scalar(FR_SCALAR_ADD, positions, position, p.second ? +first1 : +first0, p.from);
    out_.scalar(FR_SCALAR_ADD, positions, positions, count, 0);
    // A piece without rows is not to reach beyond the context.
    out_.scalar(FR_SCALAR_MIN, positions, positions, none, plan_.context);
  }

  void make_scores(const Piece& p, std::size_t i) {
    const auto type = static_cast<std::uint8_t>(plan_.numerics.activation);
    const auto scores = scores_of(i);
    if (p.begins_head) out_.add(FR_OP_TENSOR_NOP, {{{keys_full, 1}}, {}});
    fr_matmul qk{};  // scores = queries x keys^T
    qk.a = wide().queries + (p.second ? wide().query_bytes : 0) +
           u32(((p.head - own_heads(p.kv).begin) * wide().half + p.from) * head_bytes());
    qk.a_stride = narrow(head_bytes()), qk.a_type = type;
    qk.b = wide().keys, qk.b_stride = narrow(head_bytes()), qk.b_type = type;
    qk.c = scores.at, qk.c_stride = narrow(scores.stride), qk.c_type = FR_TYPE_F32;
    qk.k = model_.head_dim;
    qk.flags = FR_MATMUL_B_TRANSPOSED;
    Sync sync{{{scores_free, 1}}, {{scores_full, 1}}};
    if (p.begins_run) sync.wait.push_back({queries_full, 1});
    if (p.ends_run) sync.signal.push_back({queries_free, 1});
    out_.add(FR_OP_MATMUL, qk, sync,
             {FR_PATCH(fr_matmul, m, piece_rows(p), 1), FR_PATCH(fr_matmul, n, piece_positions(p), 1)});
    if (p.ends_head) out_.add(FR_OP_TENSOR_NOP, {{}, {{keys_free, 1}}});

    const std::vector<Patch> all_scores{FR_PATCH(fr_vector, rows, piece_rows(p), 1),
                                        FR_PATCH(fr_vector, cols, piece_positions(p), 1)};
    Sync full{{{scores_full, 1}}, {}};
    const double cap = model_.score_cap;
    if (cap > 0) {
      auto scaled = vector(FR_VECTOR_AFFINE, 0, scores, scores);
      scaled.arg0 = bits(model_.score_scale / cap);
      out_.add(FR_OP_VECTOR, scaled, std::exchange(full, {}), all_scores);
      out_.add(FR_OP_VECTOR, vector(FR_VECTOR_TANH, 0, scores, scores), {}, all_scores);
    }
    auto v = vector(FR_VECTOR_SOFTMAX, 0, scores, {scores.at, scores.stride, plan_.numerics.activation});
    v.arg0 = 1;  // of the first row: all positions but those of the rows behind it
    v.arg1 = wide().score_rows;
    v.arg2 = bits(cap > 0 ? cap : model_.score_scale);
    auto patches = all_scores;
    patches.push_back(FR_PATCH(fr_vector, arg0, piece_positions(p), 1));
    patches.push_back(FR_PATCH(fr_vector, arg0, piece_rows(p), -1));
    if (has_windows()) patches.push_back(FR_PATCH(fr_vector, arg3, window, 1));
    full.signal.push_back({weights_full, 1});
    out_.add(FR_OP_VECTOR, v, full, patches);
  }

  void weigh_values(const Piece& p, std::size_t i) {
    const auto type = static_cast<std::uint8_t>(plan_.numerics.activation);
    const auto scores = scores_of(i);
    if (p.begins_head) out_.add(FR_OP_TENSOR_NOP, {{{values_full, 1}}, {}});
    fr_matmul pv{};
    pv.a = scores.at, pv.a_stride = narrow(scores.stride), pv.a_type = type;
    pv.b = wide().values, pv.b_stride = narrow(head_bytes()), pv.b_type = type;
    pv.c = wide().outputs + u32(i % 2) * wide().output_bytes, pv.c_stride = narrow(head_bytes()),
    pv.c_type = type;
    pv.n = model_.head_dim;
    out_.add(FR_OP_MATMUL, pv, {{{weights_full, 1}, {output_free, 1}}, {{output_full, 1}, {scores_free, 1}}},
             {FR_PATCH(fr_matmul, m, piece_rows(p), 1), FR_PATCH(fr_matmul, k, piece_positions(p), 1)});
    if (p.ends_head) out_.add(FR_OP_TENSOR_NOP, {{}, {{values_free, 1}}});
    auto copies =
        stores_of(attended(), {p.head * model_.head_dim, (p.head + 1) * model_.head_dim}, pv.c, head_bytes());
    for (auto& c : copies) c.global += p.from * strip_row(attended());
    std::vector<Patch> patches{FR_PATCH(fr_copy, size1, piece_rows(p), 1)};
    if (p.second) patches.push_back(FR_PATCH(fr_copy, global, rows0, narrow(strip_row(attended()))));
    store_all(copies, {{{output_full, 1}}, {{output_free, 1}}}, patches);
  }
};

}  // namespace forerun::models::emission
