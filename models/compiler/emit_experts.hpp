// SPDX-License-Identifier: Apache-2.0
/// Feed-forward layers: dense ones' activation, and mixtures of experts. Private to emit.cpp.
#pragma once

#include <limits>
#include <utility>
#include <vector>

#include "models/compiler/emit_wide_layers.hpp"

namespace forerun::models::emission {

/// Every cluster makes a part of the router's scores; they put them together, and each chooses for itself.
/// The experts that some token of the step takes are listed in the scratchpad, from where the command
/// processor reads them: only their weights are loaded. An expert goes over all rows of the step; rows that
/// do not take it weigh it with 0.
class ExpertEmitter : public WideLayers {
 public:
  using WideLayers::WideLayers;

 protected:
  /// From the product to the slice: `columns` of act(gate) * up.
  void activate(const Range& columns, const std::vector<Patch>& at = {}) {
    const auto n = columns.size();
    if (n == 0) return;
    const auto from = product(plan_.up_columns(columns)), to = activations(s_.slice, n);
    const auto function = function_of(model_.activation);
    auto patches = at;
    patches.push_back(rows_patch(tokens));
    if (!model_.gated) {
      link(FR_OP_VECTOR, vector(function, n, from, to), {}, patches);
      return;
    }
    if (function != FR_VECTOR_SILU)
      link(FR_OP_VECTOR, vector(function, n, from, from), {}, {rows_patch(tokens)});
    auto v = vector(function == FR_VECTOR_SILU ? FR_VECTOR_SWIGLU : FR_VECTOR_MUL, n, from, to);
    set_b(v, {from.at + u32(n * 4), from.stride, FR_TYPE_F32});
    link(FR_OP_VECTOR, v, {}, patches);
  }

  /// Scores of all experts, and the list of those that are taken.
  void route() {
    const auto& e = model_.experts;
    project(tiles_.router, normed(), model_.hidden, share_.experts.size(), tokens, 0, false);
    const auto all =
        exchange(router_posted, product(share_.experts.size()), share_.experts, e.count, s_.router_scores,
                 memory_.router, contributors(&Share::experts), FR_ENGINE_VECTOR);
    const auto scores = by_expert(s_.router_scores), choice = by_expert(s_.expert_choice);
    each_row(vector(e.sigmoid ? FR_VECTOR_SIGMOID : FR_VECTOR_SOFTMAX, e.count, all, scores));
    auto by = scores;
    if (e.corrected) {
      auto v = vector(FR_VECTOR_ADD, e.count, by, choice);
      set_b(v, {s_.constants + plan_.constants.router_correction, 0, FR_TYPE_F32});
      each_row(v, {FR_PATCH(fr_vector, b, constants_now, 1)});
      by = choice;
    }
    if (e.groups > 1) {
      keep_groups(by.at);
      by = choice;
    }
    auto taken = vector(FR_VECTOR_TOP_K, e.count, scores, choice);
    set_b(taken, by);
    taken.arg0 = e.used;
    each_row(taken);
    if (e.normalised) {
      const Matrix sums{s_.expert_sums, 4, FR_TYPE_F32};
      each_row(vector(FR_VECTOR_SUM, e.count, choice, sums));
      auto v = vector(FR_VECTOR_DIV, e.count, choice, choice);
      v.flags = FR_VECTOR_FLAG_B_SCALAR;
      set_b(v, sums);
      each_row(v);
    }
    if (e.scale != 1) {
      auto v = vector(FR_VECTOR_AFFINE, e.count, choice, choice);
      v.arg0 = bits(e.scale);
      each_row(v);
    }
    list_experts(choice);
  }

  /// What the layer adds to the residual stream, in `mixed`.
  void experts() {
    const auto& e = model_.experts;
    const auto hidden = share_.hidden.size();
    out_.scalar(FR_SCALAR_MUL, experts_listed, tokens, none, e.used);
    out_.scalar(FR_SCALAR_MIN, experts_listed, experts_listed, none, e.count);
    out_.scalar(FR_SCALAR_ADD, experts_together, none, none, static_cast<std::int64_t>(plan_.expert_rows()));
    out_.scalar(FR_SCALAR_DIV, experts_together, experts_together, tokens, 0);
    if (e.shared_ffn != 0) {
      shared_expert();
      link(FR_OP_VECTOR, vector(FR_VECTOR_COPY, hidden, product(hidden), mixed()), {}, {rows_patch(tokens)});
    } else {
      link(FR_OP_VECTOR, vector(FR_VECTOR_FILL, hidden, mixed(), mixed()), {}, {rows_patch(tokens)});
    }
    out_.scalar(FR_SCALAR_ADD, experts_at, weight_offset, none, 0);
    await_list();
    link_nop(FR_ENGINE_TENSOR);
    hand_over(FR_ENGINE_TENSOR);
    out_.scalar(FR_SCALAR_CEIL_DIV, scratch_register, experts_listed, experts_together, 0);
    out_.begin_loop(round, 0, {FR_PATCH(fr_loop, count, scratch_register, 1)});
    one_round();
    out_.end_loop();
    link_nop(FR_ENGINE_TENSOR);
    out_.scalar(FR_SCALAR_ADD, weight_offset, experts_at, none,
                static_cast<std::int64_t>(e.count * expert_bytes()));
  }
  Matrix mixed() const { return {s_.mixed, share_.hidden.size() * 4, FR_TYPE_F32}; }

 private:
  Matrix by_expert(std::uint32_t at) const { return {at, model_.experts.count * 4ull, FR_TYPE_F32}; }
  void each_row(const fr_vector& v, std::vector<Patch> patches = {}) {
    patches.push_back(rows_patch(tokens));
    link(FR_OP_VECTOR, v, {}, patches);
  }
  /// Experts of other groups than the best become -infinity: from the scores at `from` to expert_choice.
  void keep_groups(std::uint32_t from) {
    const auto& e = model_.experts;
    const auto size = e.count / e.groups;
    const auto all_groups = std::int64_t{e.groups};
    const auto each_group = [&](const fr_vector& v) {
      link(FR_OP_VECTOR, v, {},
           {FR_PATCH(fr_vector, rows, tokens, narrow(static_cast<std::uint64_t>(all_groups)))});
    };
    const std::uint64_t table = plan_.max_tokens * 4ull * e.groups;
    const Matrix experts{from, size * 4ull, FR_TYPE_F32}, kept{s_.expert_choice, size * 4ull, FR_TYPE_F32};
    const Matrix best{s_.group_choice, 4, FR_TYPE_F32}, zero{u32(s_.group_choice + table), 4, FR_TYPE_F32},
        mask{u32(s_.group_choice + 2 * table), 4, FR_TYPE_F32};
    if (e.group_by_two) {
      const Matrix two{s_.expert_weights, size * 4ull, FR_TYPE_F32};
      auto v = vector(FR_VECTOR_TOP_K, size, experts, two);
      set_b(v, experts);
      v.arg0 = 2;
      each_group(v);
      each_group(vector(FR_VECTOR_SUM, size, two, best));
    } else {
      each_group(vector(FR_VECTOR_ROW_MAX, size, experts, best));
    }
    const auto by_group = [&](const Matrix& m) { return Matrix{m.at, e.groups * 4ull, FR_TYPE_F32}; };
    each_row(vector(FR_VECTOR_FILL, e.groups, by_group(zero), by_group(zero)));
    auto v = vector(FR_VECTOR_TOP_K, e.groups, by_group(zero), by_group(mask));
    set_b(v, by_group(best));
    v.arg0 = e.groups_used;
    v.arg1 = bits(-std::numeric_limits<double>::infinity());
    each_row(v);
    auto add = vector(FR_VECTOR_ADD, size, experts, kept);
    add.flags = FR_VECTOR_FLAG_B_SCALAR;
    set_b(add, mask);
    each_group(add);
  }
  /// From the weights of all experts by token to those by expert, and the experts with one.
  void list_experts(const Matrix& weights) {
    const auto& e = model_.experts;
    each_row(vector(FR_VECTOR_TRANSPOSE, e.count, weights, weights_of_experts()));
    auto top = vector(FR_VECTOR_ROW_MAX, 0, weights_of_experts(), {s_.expert_sums, 4, FR_TYPE_F32});
    top.rows = e.count;
    link(FR_OP_VECTOR, top, {}, {FR_PATCH(fr_vector, cols, tokens, 1)});
    auto list = vector(FR_VECTOR_INDICES, e.count, {s_.expert_sums, 0, FR_TYPE_F32},
                       {s_.expert_list, 0, FR_TYPE_U32});
    list.rows = 1;
    list.arg0 = e.count;
    link(FR_OP_VECTOR, list, {{}, {{experts_chosen, 1}}});
  }
  Matrix weights_of_experts() const { return {s_.expert_weights, plan_.max_tokens * 4ull, FR_TYPE_F32}; }

  /// Begins while the experts are being chosen.
  void shared_expert() {
    const auto& e = model_.experts;
    project(tiles_.shared_gate_up, normed(), model_.hidden, plan_.up_columns(share_.shared_ffn), tokens, 0,
            false);
    activate(share_.shared_ffn);
    const auto second = u32(plan_.expert_round_bytes());  // the first round comes into the other buffer
    const auto all = exchange(shared_posted, activations(s_.slice, share_.shared_ffn.size()),
                              share_.shared_ffn, e.shared_ffn, s_.inputs + second, memory_.swiglu + second,
                              contributors(&Share::shared_ffn), FR_ENGINE_TENSOR);
    project(tiles_.shared_down, all, e.shared_ffn, share_.hidden.size(), tokens, 0, false);
  }

  std::uint64_t tile_bytes(const std::vector<WeightTile>& tiles) const {
    std::uint64_t bytes = 0;
    for (const auto& tile : tiles) bytes += lane_.advance(plan_.tile_bytes(tile));
    return bytes;
  }
  std::uint64_t expert_bytes() const {
    return tile_bytes(tiles_.expert_gate_up) + tile_bytes(tiles_.expert_down);
  }

  /// Nothing is read from the list before it is there.
  void await_list() {
    if (plan_.draws_experts) {
      out_.scalar(FR_SCALAR_ADD, list_offset, layer, position, 0);
      out_.scalar(FR_SCALAR_AND, list_offset, list_offset, none, Plan::expert_draws - 1);
      out_.scalar(FR_SCALAR_MUL, expert, tokens, none, Plan::expert_draws);
      out_.scalar(FR_SCALAR_ADD, list_offset, list_offset, expert, -std::int64_t{Plan::expert_draws});
      out_.scalar(FR_SCALAR_MUL, list_offset, list_offset, none,
                  static_cast<std::int64_t>(plan_.expert_list_bytes()));
    }
    fr_read read{};
    read.address = list_address();
    read.rd = expert;
    read.count = 1;
    out_.add(FR_OP_READ, read, {{{experts_chosen, 1}}, {}});
  }
  std::uint64_t list_address() const {
    return plan_.draws_experts ? memory_.drawn_experts
                               : chip::address_map::scratchpad(cluster_) + s_.expert_list;
  }
  /// Of the list the entry round_first + expert_nth, two in a word; what follows is left out where the list
  /// has ended.
  void begin_expert() {
    out_.scalar(FR_SCALAR_ADD, expert, round_first, expert_nth, 0);
    out_.scalar(FR_SCALAR_SHR, scratch_register, expert, none, 1);
    out_.scalar(FR_SCALAR_AND, expert_row, expert, none, 1);
    fr_read read{};
    read.address = list_address();
    read.rd = expert;
    read.count = 1;
    std::vector<Patch> patches{FR_PATCH(fr_read, address, scratch_register, 8)};
    if (plan_.draws_experts) patches.push_back(FR_PATCH(fr_read, address, list_offset, 1));
    out_.add(FR_OP_READ, read, {}, patches);
    out_.scalar(FR_SCALAR_MUL, expert_row, expert_row, none, 32);
    out_.scalar(FR_SCALAR_SHR, expert, expert, expert_row, 0);
    out_.scalar(FR_SCALAR_AND, expert, expert, none, 0xffff'ffff);
    out_.scalar(FR_SCALAR_MUL, expert_row, expert_nth, tokens, 0);
    out_.scalar(FR_SCALAR_LESS, scratch_register, expert, none, model_.experts.count);
    out_.begin_loop(carry, 0, {FR_PATCH(fr_loop, count, scratch_register, 1)});
    out_.scalar(FR_SCALAR_MUL, weight_offset, expert, none, static_cast<std::int64_t>(expert_bytes()));
    out_.scalar(FR_SCALAR_ADD, weight_offset, weight_offset, experts_at, 0);
  }
  /// What `body` adds for each expert of the round; it begins with a command of the tensor cores.
  template <typename Body>
  void for_experts(const Body& body) {
    out_.begin_loop(expert_nth, 0, {FR_PATCH(fr_loop, count, round_experts, 1)});
    begin_expert();
    body();
    hand_over(FR_ENGINE_TENSOR);
    out_.end_loop();
    out_.end_loop();
  }

  /// The hidden layers of some experts, which the clusters then put together, and what comes of them.
  void one_round() {
    const auto& e = model_.experts;
    out_.scalar(FR_SCALAR_MUL, round_first, round, experts_together, 0);
    out_.scalar(FR_SCALAR_SUB, round_experts, experts_listed, round_first, 0);
    out_.scalar(FR_SCALAR_MIN, round_experts, round_experts, experts_together, 0);
    out_.scalar(FR_SCALAR_MUL, round_rows, round_experts, tokens, 0);
    out_.scalar(FR_SCALAR_AND, round_buffer, round, none, 1);
    out_.scalar(FR_SCALAR_MUL, round_buffer, round_buffer, none,
                static_cast<std::int64_t>(plan_.expert_round_bytes()));
    const auto own = activations(s_.slice, share_.expert_ffn.size());
    if (!share_.expert_ffn.empty())
      for_experts([&] {
        project(tiles_.expert_gate_up, normed(), model_.hidden, plan_.up_columns(share_.expert_ffn), tokens,
                0, false);
        activate(share_.expert_ffn, {FR_PATCH(fr_vector, d, expert_row, narrow(own.stride))});
      });
    link_nop(FR_ENGINE_TENSOR);
    // No other exchange is between two rounds: clusters without columns post, too.
    const auto all =
        exchange(swiglu_posted, own, share_.expert_ffn, e.ffn, s_.inputs, memory_.swiglu,
                 static_cast<unsigned>(plan_.shares.size()), FR_ENGINE_TENSOR, round_rows, round_buffer);
    link_nop(FR_ENGINE_TENSOR);
    hand_over(FR_ENGINE_TENSOR);
    for_experts([&] {
      out_.scalar(FR_SCALAR_ADD, weight_offset, weight_offset, none,
                  static_cast<std::int64_t>(tile_bytes(tiles_.expert_gate_up)));
      std::vector<Patch> rows_of_expert{FR_PATCH(fr_matmul, a, expert_row, narrow(all.stride))};
      if (!alone()) rows_of_expert.push_back(FR_PATCH(fr_matmul, a, round_buffer, 1));
      const auto hidden = share_.hidden.size();
      project(tiles_.expert_down, all, e.ffn, hidden, tokens, 0, false, {}, rows_of_expert);
      auto v = vector(FR_VECTOR_FMA, hidden, product(hidden), mixed());
      v.flags = FR_VECTOR_FLAG_B_SCALAR;
      set_b(v, {s_.expert_weights, 4, FR_TYPE_F32});
      set_c(v, mixed());
      link(FR_OP_VECTOR, v, {},
           {rows_patch(tokens), FR_PATCH(fr_vector, b, expert, narrow(weights_of_experts().stride))});
    });
  }
};

}  // namespace forerun::models::emission
