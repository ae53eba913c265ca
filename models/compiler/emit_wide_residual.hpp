// SPDX-License-Identifier: Apache-2.0
/// Steps of many tokens: the residual stream and its norms. Private to emit.cpp.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "models/compiler/emit_wide_attention.hpp"

namespace forerun::models::emission {

class WideResidual : public WideAttention {
 public:
  using WideAttention::WideAttention;

 protected:
  void load_next_norm(std::uint64_t layers_on) {
    const auto block = plan_.constants.bytes;
    std::vector<Patch> patches;
    if (layers_on > 0) patches.push_back(FR_PATCH(fr_copy, global, layer, narrow(block)));
    out_.add(FR_OP_LOAD,
             run_of(memory_.constants[cluster_] + layers_on * block + plan_.constants.attention_norm,
                    wide().next_norm, model_.hidden * 4ull),
             {{}, {{layer_constants_full, 1}}}, patches);
  }

  /// The rows of this cluster's part: embedded (without `norm`), or with the sums of the team added; then
  /// normalised for the team.
  void normalise(const std::uint32_t* norm) {
    if (norm != nullptr) {
      const auto barrier = wait_for(static_cast<Semaphore>(sums_posted), wide().column_groups);
      out_.add(FR_OP_LOAD_NOP, barrier);
    }
    const auto weights = norm == &plan_.constants.ffn_norm ? wide().constants + *norm : wide().next_norm;
    normalise_run(norm != nullptr, weights, part0, count0, first0, false);
    normalise_run(norm != nullptr, weights, part1, count1, first1, true);
    post_to_team(normed_posted);
  }
  void normalise_run(bool adds, std::uint32_t weights, unsigned part, unsigned count, unsigned first,
                     bool second) {
    const auto at_once = wide().norm_rows, together = Wide::norm_sets * at_once;
    out_.scalar(FR_SCALAR_CEIL_DIV, scratch_register, count, none, together);
    out_.begin_loop(tile, 0, {FR_PATCH(fr_loop, count, scratch_register, 1)});
    for (std::uint32_t set = 0; set < Wide::norm_sets; ++set) {
      out_.scalar(FR_SCALAR_MUL, row, tile, none, together);
      out_.scalar(FR_SCALAR_ADD, row, row, none, set * at_once);
      out_.scalar(FR_SCALAR_SUB, row_count, count, row, 0);
      out_.scalar(FR_SCALAR_MAX, row_count, row_count, none, 0);
      out_.scalar(FR_SCALAR_MIN, row_count, row_count, none, at_once);
      out_.scalar(FR_SCALAR_ADD, row, row, part, 0);
      normalise_rows(adds, weights, first, second, set);
    }
    out_.end_loop();
  }
  /// `row_count` rows from `row` of a run on.
  void normalise_rows(bool adds, std::uint32_t weights, unsigned first, bool second, std::uint32_t set) {
    const auto row_bytes = std::uint64_t{model_.hidden} * 4,
               normed_bytes = std::uint64_t{model_.hidden} * act_;
    const auto stream = wide().panels + set * wide().norm_bytes,
               others = stream + u32(wide().norm_rows * row_bytes),
               result = others + u32(wide().norm_rows * row_bytes);
    const auto in_run = [&](std::size_t offset, std::size_t width, std::uint64_t stride) {
      std::vector<Patch> patches{{offset, width, row, narrow(stride)}};
      if (second) patches.push_back({offset, width, rows0, narrow(stride)});
      return patches;
    };
    const auto of_rows = [](std::vector<Patch> patches) {
      patches.push_back(FR_PATCH(fr_copy, size1, row_count, 1));
      return patches;
    };
    const Patch vector_rows = FR_PATCH(fr_vector, rows, row_count, 1);
    const Matrix residual{stream, row_bytes, FR_TYPE_F32};
    auto rows_copy = [&](std::uint64_t global, std::uint32_t local, std::uint64_t bytes,
                         std::uint64_t global_stride) {
      auto c = run_of(global, local, bytes);
      c.size1 = 0;
      c.local_stride1 = narrow(row_bytes);
      c.global_stride1 = static_cast<std::int64_t>(global_stride);
      return c;
    };
    Sync free{{{norm_free, 1}}, {}};
    // Each part of a run lies `skew` further on than the one before it, so that clusters, which begin at the
    // same time, begin at different ports.
    const auto team = std::uint64_t{wide().column_groups},
               parts_before = row_group() * 3 * team + (second ? team : 0) + column_group();
    const auto at = memory_.hidden_sum + base_row() * row_bytes + parts_before * wide().skew;
    Sync loaded{{{block_full, 1}}, {}};
    if (!adds) {
      fr_gather g{};
      g.table = memory_.embedding;
      g.indices = memory_.token_ids;
      g.table_stride = normed_bytes;
      g.limit = model_.vocabulary;
      g.bytes = u32(normed_bytes);
      g.local = others;
      g.local_stride = narrow(normed_bytes);
      free.signal.push_back({block_full, 1});
      out_.add(FR_OP_GATHER, g, free,
               {FR_PATCH(fr_gather, indices, position, 4), FR_PATCH(fr_gather, indices, first, 4),
                FR_PATCH(fr_gather, indices, row, 4), FR_PATCH(fr_gather, count, row_count, 1)});
      out_.add(FR_OP_VECTOR,
               vector(FR_VECTOR_COPY, model_.hidden, activations(others, model_.hidden), residual),
               std::exchange(loaded, {}), {vector_rows});
      if (model_.embedding_scale != 1) {
        auto v = vector(FR_VECTOR_AFFINE, model_.hidden, residual, residual);
        v.arg0 = bits(model_.embedding_scale);
        out_.add(FR_OP_VECTOR, v, {}, {vector_rows});
      }
    } else {
      std::vector<std::uint32_t> members;
      for (std::uint32_t g = 0; g < wide().column_groups; ++g)
        if (g != column_group()) members.push_back(g);
      if (members.empty()) free.signal.push_back({block_full, 1});
      out_.add(FR_OP_LOAD, rows_copy(at, stream, row_bytes, row_bytes), free,
               of_rows(in_run(offsetof(fr_copy, global), 8, row_bytes)));
      for (const auto g : members) {
        const auto columns = group_hidden(g);
        out_.add(FR_OP_LOAD,
                 rows_copy(chip::address_map::scratchpad(teammate(g)) + wide().sums,
                           others + u32(columns.begin * 4), columns.size() * 4, columns.size() * 4),
                 g == members.back() ? Sync{{}, {{block_full, 1}}} : Sync{},
                 of_rows(in_run(offsetof(fr_copy, global), 8, columns.size() * 4)));
      }
      for (std::uint32_t g = 0; g < wide().column_groups; ++g) {
        const auto columns = group_hidden(g);
        const bool own = g == column_group();
        const Matrix part{residual.at + u32(columns.begin * 4), residual.stride, FR_TYPE_F32};
        auto v = vector(FR_VECTOR_ADD, columns.size(), part, part);
        std::vector<Patch> patches;
        if (own) patches = in_run(offsetof(fr_vector, b), 4, columns.size() * 4);
        set_b(v, own ? Matrix{wide().sums, columns.size() * 4, FR_TYPE_F32}
                     : Matrix{others + u32(columns.begin * 4), row_bytes, FR_TYPE_F32});
        patches.push_back(vector_rows);
        out_.add(FR_OP_VECTOR, v, std::exchange(loaded, {}), patches);
      }
    }
    const Matrix normed{others, row_bytes, FR_TYPE_F32};
    auto v = vector(FR_VECTOR_RMSNORM, model_.hidden, residual, normed);
    v.arg0 = bits(model_.norm_eps);
    set_b(v, {weights, 0, FR_TYPE_F32});
    out_.add(FR_OP_VECTOR, v, {}, {vector_rows});
    // Panel by panel, so that the rows of each are one piece of memory.
    for (std::uint64_t p = 0; p < panels_of(normalised()); ++p) {
      const auto column = p * wide().panel_depth,
                 columns = std::min<std::uint64_t>(wide().panel_depth, model_.hidden - column);
      const auto to = result + u32(p * wide().norm_rows * panel_row());
      out_.add(FR_OP_VECTOR,
               vector(FR_VECTOR_COPY, columns, {others + u32(column * 4), row_bytes, FR_TYPE_F32},
                      {to, panel_row(), plan_.numerics.activation}),
               {{}, {{result_made, 1}}}, {vector_rows});
      auto c = run_of(rows_of_group(normalised()) + p * panel_pitch(), to, columns * act_);
      c.size1 = 0;
      c.local_stride1 = narrow(panel_row());
      c.global_stride1 = static_cast<std::int64_t>(panel_row());
      out_.add(FR_OP_STORE, c, {{{result_made, 1}}, {}},
               of_rows(in_run(offsetof(fr_copy, global), 8, panel_row())));
    }
    out_.add(FR_OP_STORE, rows_copy(at, stream, row_bytes, row_bytes), {{}, {{norm_free, 1}}},
             of_rows(in_run(offsetof(fr_copy, global), 8, row_bytes)));
  }

  Operand hidden_layer() const { return {memory_.swiglu, model_.ffn, hidden_posted}; }
  Operand normalised() const { return {memory_.ffn_sum, model_.hidden, normed_posted}; }
};

}  // namespace forerun::models::emission
