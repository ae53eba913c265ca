// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/emit.hpp"

#include <fmt/format.h>

#include "models/compiler/emit_latent.hpp"

namespace forerun::models {
namespace {

using namespace emission;

class Emitter : public LatentEmitter {
 public:
  using LatentEmitter::LatentEmitter;

  std::vector<unsigned char> run() {
    if (!plan_.wide) {
      few_tokens();
    } else {
      // One of two loops of one round: steps of few tokens, or of many.
      out_.scalar(FR_SCALAR_LESS, scratch_register, tokens, none, std::int64_t{plan_.max_tokens} + 1);
      out_.begin_loop(chunk, 0, {FR_PATCH(fr_loop, count, scratch_register, 1)});
      few_tokens();
      out_.end_loop();
      out_.scalar(FR_SCALAR_LESS, scratch_register, none, tokens, -std::int64_t{plan_.max_tokens});
      out_.begin_loop(chunk, 0, {FR_PATCH(fr_loop, count, scratch_register, 1)});
      many_tokens();
      out_.end_loop();
    }
    out_.add(FR_OP_END);
    return out_.bytes();
  }

 private:
  void few_tokens() {
    begin();
    // Layers before those with experts are another loop; the last kind is the one that may be repeated.
    const auto dense = model_.experts.count == 0 ? 0 : std::min(model_.experts.first_layer, model_.layers);
    if (dense == 0 || dense == model_.layers) {
      out_.begin_loop(layer, 0, {FR_PATCH(fr_loop, count, layers, 1)});
      one_layer(graph_.kinds.front());
    } else {
      out_.scalar(FR_SCALAR_MIN, scratch_register, layers, none, dense);
      out_.begin_loop(layer, 0, {FR_PATCH(fr_loop, count, scratch_register, 1)});
      one_layer(graph_.kinds.front());
      out_.begin_loop(run_layer, -std::int64_t{dense}, {FR_PATCH(fr_loop, count, layers, 1)});
      out_.scalar(FR_SCALAR_ADD, layer, run_layer, none, dense);
      one_layer(graph_.kinds.back());
    }
    for (const auto& op : graph_.epilogue) emit(op);
    end();
  }
  void one_layer(const LayerKind& kind) {
    begin_layer();
    for (const auto& op : kind.operators) emit(op, kind.operators.front());
    exchange_down(kind.has(OperatorKind::experts) ? mixed() : product(share_.hidden.size()));
    hand_over(FR_ENGINE_VECTOR);
    out_.end_loop();
  }
  void many_tokens() {
    engine_ = FR_ENGINE_COMMAND;
    handed_over_ = false;
    wide_layers();
    out_.add(FR_OP_LOAD_NOP, {{}, {{ring_free, static_cast<std::uint8_t>(s_.slots)}}});
    out_.scalar(FR_SCALAR_SUB, head_row, tokens, logit_rows, 0);
    tag_ = u32(graph_.prologue.size() + layer_operators().size() + 1);
    for (std::size_t i = 1; i < graph_.epilogue.size(); ++i) emit(graph_.epilogue[i]);
    out_.set_tag(tag_ - 1);
    out_.add(FR_OP_LOAD_NOP, {{{ring_free, static_cast<std::uint8_t>(s_.slots)}}, {}});
  }

  // Before, around and after the layers

  void begin() {
    tag_ = 0;
    out_.set_tag(tag_);
    out_.add(FR_OP_LOAD_NOP, {{}, {{ring_free, static_cast<std::uint8_t>(s_.slots)}, {constants_free, 1}}});
    if (!share_.stored_kv_heads.empty()) out_.add(FR_OP_LOAD_NOP, {{}, {{values_stored, 1}}});
    out_.scalar(FR_SCALAR_MIN, has_past, position, none, 1);
    out_.scalar(FR_SCALAR_CEIL_DIV, tiles, position, none, plan_.cache_tile);
    if (!many()) out_.scalar(FR_SCALAR_SUB, head_row, tokens, logit_rows, 0);
    for (const auto& op : graph_.prologue) emit(op);
    hand_over(FR_ENGINE_VECTOR);
  }
  void begin_layer() {
    out_.scalar(FR_SCALAR_MUL, cache_offset, layer, none, static_cast<std::int64_t>(plan_.kv_layer_bytes()));
    out_.scalar(FR_SCALAR_AND, constants_now, layer, none, 1);
    out_.scalar(FR_SCALAR_MUL, constants_now, constants_now, none, plan_.constants.bytes);
    set_scale_offset();
    if (!many()) begin_window();
  }
  void load_next_constants() {
    out_.add(FR_OP_LOAD,
             run_of(memory_.constants[cluster_] + plan_.constants.bytes, s_.constants + plan_.constants.bytes,
                    plan_.constants.bytes),
             {{{constants_free, 1}}, {{constants_full, 1}}},
             {FR_PATCH(fr_copy, global, layer, static_cast<std::int32_t>(plan_.constants.bytes)),
              FR_PATCH(fr_copy, local, constants_now, -1)});
  }
  void end() {
    out_.set_tag(tag_ - 1);
    out_.add(FR_OP_LOAD_NOP, {{{ring_free, static_cast<std::uint8_t>(s_.slots)}, {constants_free, 1}}, {}});
    if (!share_.stored_kv_heads.empty()) out_.add(FR_OP_LOAD_NOP, {{{values_stored, 1}}, {}});
  }

  // Operators

  const std::vector<Operator>& layer_operators() const { return graph_.kinds.front().operators; }
  void emit(const Operator& op) { emit(op, op); }
  /// `first` of the layer.
  void emit(const Operator& op, const Operator& first) {
    out_.set_tag(tag_);
    switch (op.kind) {
      case OperatorKind::embed:
        embed();
        break;
      case OperatorKind::scale_embedding:
        scale_embedding();
        break;
      case OperatorKind::add_positions:
        add_positions();
        break;
      case OperatorKind::rms_norm:
      case OperatorKind::layer_norm:
        norm(op, &op == &first);
        break;
      case OperatorKind::query_key_value:
        project(tiles_.query_key_value, normed(), model_.hidden, share_.qkv_columns(), tokens,
                s_.constants + plan_.constants.query_key_value, true,
                bias_of(op, plan_.constants.query_key_value_bias));
        if (in_parts()) exchange_heads();
        break;
      case OperatorKind::latent_query_key_value:
        latent_query_key_value();
        break;
      case OperatorKind::head_norm:
        head_norm();
        break;
      case OperatorKind::rotary:  // of several sequences, a part of attention
        if (model_.is_latent())
          absorb_queries();
        else if (!many() && !in_parts())
          place_heads();
        break;
      case OperatorKind::attention:
        if ((plan_.rotated() == 0 || model_.is_latent()) && !many() && !in_parts()) place_heads();
        attention();
        if (model_.is_latent()) expand_values();
        break;
      case OperatorKind::attention_output: {
        const auto all =
            exchange(attention_posted, activations(s_.slice, share_.attended.size()), share_.attended,
                     queries_, s_.inputs, memory_.attention, contributors(&Share::attended), multiplier());
        if (!many() && !in_parts()) store_cache();
        load_next_constants();
        project(tiles_.attention_output, all, queries_, share_.hidden.size(), tokens,
                s_.constants + plan_.constants.attention_output, true,
                bias_of(op, plan_.constants.attention_output_bias));
        add_to_residual(
            exchange(attention_output_posted, product(share_.hidden.size()), share_.hidden, model_.hidden,
                     s_.sums, memory_.hidden_sum, contributors(&Share::hidden), FR_ENGINE_VECTOR),
            plan_.constants.post_attention_norm);
        break;
      }
      case OperatorKind::post_norm:  // before the sum is added to the residual stream
        break;
      case OperatorKind::gate_up:
      case OperatorKind::up:
        project(tiles_.gate_up, normed(), model_.hidden, plan_.up_columns(share_), tokens,
                s_.constants + plan_.constants.gate_up, true, bias_of(op, plan_.constants.gate_up_bias));
        break;
      case OperatorKind::activate:
        activate(share_.ffn);
        break;
      case OperatorKind::down: {
        const auto all =
            exchange(swiglu_posted, activations(s_.slice, share_.ffn.size()), share_.ffn, model_.ffn,
                     s_.inputs, memory_.swiglu, contributors(&Share::ffn), multiplier());
        project(tiles_.down, all, model_.ffn, share_.hidden.size(), tokens,
                s_.constants + plan_.constants.down, true, bias_of(op, plan_.constants.down_bias));
        return;  // its exchange ends the layer
      }
      case OperatorKind::route:
        route();
        break;
      case OperatorKind::experts:
        experts();
        return;  // its exchange ends the layer
      case OperatorKind::classifier:
        classifier();
        break;
      case OperatorKind::choose:
        choose();
        break;
      default:  // refused by check_supported
        throw CompileError(fmt::format("no commands for {}", op.name));
    }
    ++tag_;
  }

  /// The engine of a projection's first command.
  unsigned multiplier() const { return plan_.numerics.quantises() ? FR_ENGINE_VECTOR : FR_ENGINE_TENSOR; }

  void embed() {
    out_.add(FR_OP_LOAD, run_of(memory_.constants[cluster_], s_.constants, plan_.constants.bytes),
             {{}, {{constants_full, 1}}});
    if (many())
      for_chunks(FR_ENGINE_LOAD, [this] { load_tokens(); });
    else
      load_tokens();
    link(FR_OP_VECTOR, vector(FR_VECTOR_COPY, model_.hidden, activations(s_.sums, model_.hidden), residual()),
         {}, {rows_patch(tokens)});
    if (model_.positions == Positions::alibi) count_distances();
  }

  /// Rows of the embedding and of the rotation tables, of one chunk.
  void load_tokens() {
    fr_gather g{};
    const auto row = std::uint64_t{model_.hidden} * act_;
    g.table = memory_.embedding;
    g.indices = memory_.token_ids;
    g.table_stride = row;
    g.limit = model_.vocabulary;
    g.bytes = u32(row);
    g.local = s_.sums;
    g.local_stride = narrow(row);
    std::vector<Patch> patches{FR_PATCH(fr_gather, indices, first_position(), 4),
                               FR_PATCH(fr_gather, count, chunk_rows(), 1)};
    if (many()) {
      patches.push_back(FR_PATCH(fr_gather, indices, chunk_sequence, narrow((plan_.context + 1ull) * 4)));
      patches.push_back(FR_PATCH(fr_gather, local, chunk_row, narrow(row)));
    }
    link(FR_OP_GATHER, g, {}, patches);
    if (plan_.rotated() == 0) return;
    load_rows(memory_.cosines, s_.cosines, plan_.rotated() * 2ull);
    load_rows(memory_.sines, s_.sines, plan_.rotated() * 2ull);
  }
  /// Of a table by position, the rows of one chunk.
  void load_rows(std::uint64_t table, std::uint32_t to, std::uint64_t row) {
    std::vector<Patch> patches{FR_PATCH(fr_copy, global, first_position(), narrow(row)),
                               FR_PATCH(fr_copy, bytes, chunk_rows(), narrow(row))};
    if (many()) patches.push_back(FR_PATCH(fr_copy, local, chunk_row, narrow(row)));
    link(FR_OP_LOAD, run_of(table, to, 0), {}, patches);
  }

  void scale_embedding() {
    auto v = vector(FR_VECTOR_AFFINE, model_.hidden, residual(), residual());
    v.arg0 = bits(model_.embedding_scale);
    link(FR_OP_VECTOR, v, {}, {rows_patch(tokens)});
  }
  void add_positions() {
    const auto row = std::uint64_t{model_.hidden} * act_;
    const auto load = [&] { load_rows(memory_.positions + model_.position_offset * row, s_.sums, row); };
    if (many())
      for_chunks(FR_ENGINE_LOAD, load);
    else
      load();
    auto v = vector(FR_VECTOR_ADD, model_.hidden, residual(), residual());
    set_b(v, activations(s_.sums, model_.hidden));
    link(FR_OP_VECTOR, v, {}, {rows_patch(tokens)});
  }

  void embedding_norm() {
    const std::uint64_t row = model_.hidden * 4ull;
    link(FR_OP_LOAD, run_of(memory_.embedding_norm, s_.embedding_norm, 2 * row));
    const bool layer_norm = model_.norm == NormKind::layer;
    auto v =
        vector(layer_norm ? FR_VECTOR_LAYERNORM : FR_VECTOR_RMSNORM, model_.hidden, residual(), residual());
    v.arg0 = bits(model_.norm_eps);
    set_b(v, {s_.embedding_norm, 0, FR_TYPE_F32});
    if (layer_norm) set_c(v, {s_.embedding_norm + u32(row), 0, FR_TYPE_F32});
    link(FR_OP_VECTOR, v, {}, {rows_patch(tokens)});
  }

  void norm(const Operator& op, bool first) {
    if (model_.embedding_norm && &op == &graph_.prologue.back()) return embedding_norm();
    const bool final = &op == &graph_.epilogue.front();
    const bool layer_norm = op.kind == OperatorKind::layer_norm;
    auto v =
        vector(layer_norm ? FR_VECTOR_LAYERNORM : FR_VECTOR_RMSNORM, model_.hidden, residual(), normed());
    v.arg0 = bits(model_.norm_eps);
    const auto block = s_.constants + (final ? model_.layers % 2 * plan_.constants.bytes : 0);
    const auto& at = plan_.constants;
    if (layer_norm)
      set_c(v, {block + (final || first ? at.attention_norm_bias : at.ffn_norm_bias), 0, FR_TYPE_F32});
    set_b(v, {block + (final || first ? plan_.constants.attention_norm : plan_.constants.ffn_norm), 0,
              FR_TYPE_F32});
    std::vector<Patch> patches;
    if (final && many()) return last_rows_norm(v);
    patches.push_back(rows_patch(final ? logit_rows : tokens));
    if (final)
      patches.push_back(FR_PATCH(fr_vector, a, head_row, narrow(residual().stride)));
    else
      patches.push_back(FR_PATCH(fr_vector, b, constants_now, 1));
    if (layer_norm && !final) patches.push_back(FR_PATCH(fr_vector, c, constants_now, 1));
    Sync sync;
    if (final || first) sync.wait.push_back({constants_full, 1});
    link(FR_OP_VECTOR, v, sync, patches);
  }

  /// Of each chunk the last row, one below the other.
  void last_rows_norm(fr_vector v) {
    v.rows = 1;
    v.a -= u32(residual().stride);
    for_chunks(FR_ENGINE_VECTOR,
               [&] {
                 link(FR_OP_VECTOR, v, {},
                      {at_row(offsetof(fr_vector, a), residual().stride),
                       FR_PATCH(fr_vector, a, chunk_tokens, narrow(residual().stride)),
                       FR_PATCH(fr_vector, d, chunk, narrow(normed().stride))});
               },
               {{{constants_full, 1}}, {}});
  }

  void exchange_down(const Matrix& own) {
    out_.set_tag(tag_);
    add_to_residual(exchange(down_posted, own, share_.hidden, model_.hidden, s_.sums, memory_.ffn_sum,
                             contributors(&Share::hidden), FR_ENGINE_VECTOR),
                    plan_.constants.post_ffn_norm, {{}, {{constants_free, 1}}});
    ++tag_;
  }

  void classifier() {
    const auto columns = share_.vocabulary;
    const auto row = std::int64_t{model_.vocabulary} * 4;
    if (!columns.empty()) {
      // The last layer's buffers are free: the output scales lie where it kept its block of constants.
      if (plan_.numerics.output_scales)
        link(FR_OP_LOAD, run_of(memory_.head_scales[cluster_], head_scales(), columns.size() * 4));
      project(tiles_.classifier, normed(), model_.hidden, columns.size(), logit_rows, head_scales(), false);
      const auto own = product(columns.size());
      cap(own, columns.size(), model_.logit_cap);
      if (plan_.devices > 1) return gather_logits(own);
      auto store = run_of(memory_.logits + columns.begin * 4, own.at, columns.size() * 4);
      store.size1 = 0;
      store.local_stride1 = narrow(own.stride);
      store.global_stride1 = row;
      std::vector<Patch> patches{FR_PATCH(fr_copy, size1, logit_rows, 1)};
      if (plan_.keep_logits) {
        patches.push_back(FR_PATCH(fr_copy, global, position, static_cast<std::int32_t>(row)));
        patches.push_back(FR_PATCH(fr_copy, global, head_row, static_cast<std::int32_t>(row)));
      }
      link(FR_OP_STORE, store, cluster_ == 0 && !alone() ? Sync{{}, {{logits_posted, 1}}} : Sync{}, patches);
      if (cluster_ != 0) post(logits_posted, 0, 1, 0xffffffff);
    }
  }
  /// To the logits of every device, whose first cluster waits for them.
  void gather_logits(const Matrix& own) {
    const auto row = std::int32_t(model_.vocabulary * 4);
    auto c = all_gather(logits_posted, own, share_.vocabulary, model_.vocabulary, memory_.logits, 0);
    c.post_count = 1;
    std::vector<Patch> patches{FR_PATCH(fr_collective, rows, logit_rows, 1)};
    if (plan_.keep_logits) {
      patches.push_back(FR_PATCH(fr_collective, global, position, row));
      patches.push_back(FR_PATCH(fr_collective, global, head_row, row));
    }
    link(FR_OP_ALL_GATHER, c, {}, patches);
  }
  void cap(const Matrix& logits, std::uint64_t columns, double cap) {
    if (cap <= 0) return;
    auto v = vector(FR_VECTOR_AFFINE, columns, logits, logits);
    v.arg0 = bits(1 / cap);
    link(FR_OP_VECTOR, v, {}, {rows_patch(logit_rows)});
    link(FR_OP_VECTOR, vector(FR_VECTOR_TANH, columns, logits, logits), {}, {rows_patch(logit_rows)});
    v.arg0 = bits(cap);
    link(FR_OP_VECTOR, v, {}, {rows_patch(logit_rows)});
  }
  std::uint32_t head_scales() const { return s_.last_row; }

  void choose() {
    if (cluster_ != 0) return;
    if (!alone()) link_when(FR_ENGINE_LOAD, logits_posted, contributors(&Share::vocabulary));
    const auto first = alone() ? FR_ENGINE_VECTOR : FR_ENGINE_LOAD;
    if (many())
      for_chunks(first, [&] { choose_one(first, {chunk, {chunk_position, chunk_tokens}}); });
    else if (plan_.choices == 1)
      choose_one(first, {logit_rows, {position, tokens}});
    else
      choose_several(first);
  }
  /// After each of the last rows, `plan_.choices` of them or as many as there are logits for.
  void choose_several(unsigned first) {
    out_.scalar(FR_SCALAR_MIN, choice_count, logit_rows, none, plan_.choices);
    repeat(first, choice, choice_count, [&] {
      out_.scalar(FR_SCALAR_SUB, choice_rows, logit_rows, choice_count, -1);
      out_.scalar(FR_SCALAR_ADD, choice_rows, choice_rows, choice, 0);
      out_.scalar(FR_SCALAR_ADD, choice_end, position, tokens, 0);
      out_.scalar(FR_SCALAR_SUB, choice_end, choice_end, logit_rows, 0);
      out_.scalar(FR_SCALAR_ADD, choice_end, choice_end, choice_rows, 0);
      choose_one(first, {choice_rows, {choice_end}});
    });
  }
  /// A row after which an id is chosen.
  struct ChosenRow {
    unsigned logits;                  ///< register: rows of logits up to it; of several chunks, before it
    std::vector<unsigned> positions;  ///< registers: their sum is the position behind it
  };
  static void add_positions_of(const ChosenRow& row, std::vector<Patch>& patches, std::size_t offset,
                               std::size_t width, std::int32_t scale) {
    for (const auto reg : row.positions) patches.push_back({offset, width, reg, scale});
  }
  /// In pieces where those of devices do not lie in their order.
  void load_logits_row(const ChosenRow& chosen) {
    const auto row = std::uint64_t{model_.vocabulary} * 4;
    std::vector<Patch> patches;
    if (!many() && plan_.keep_logits)
      add_positions_of(chosen, patches, offsetof(fr_copy, global), sizeof(fr_copy::global), narrow(row));
    else
      patches = {FR_PATCH(fr_copy, global, chosen.logits, narrow(row))};
    const auto pieces = plan_.symmetric ? plan_.devices : 1;
    for (std::uint32_t i = 0; i < pieces; ++i) {
      const auto across = (plan_.device + i) % plan_.columns,
                 down = (plan_.device / plan_.columns + i / plan_.columns) % (plan_.devices / plan_.columns);
      const auto member = pieces == 1 ? 0 : across % plan_.columns + down * plan_.columns;
      const auto bytes = row / pieces;
      link(FR_OP_LOAD,
           run_of(memory_.logits - (many() ? 0 : row) + i * bytes, s_.last_row + u32(member * bytes), bytes),
           {}, patches);
    }
  }
  void choose_one(unsigned first, const ChosenRow& chosen) {
    const auto row = std::uint64_t{model_.vocabulary} * 4;
    const Matrix last{s_.last_row, row, FR_TYPE_F32};
    if (first == FR_ENGINE_VECTOR) {
      const auto at = product(1).at - (many() ? 0 : u32(row));
      link(FR_OP_VECTOR,
           with_rows(vector(FR_VECTOR_COPY, model_.vocabulary, {at, row, FR_TYPE_F32}, last), 1), {},
           {FR_PATCH(fr_vector, a, chosen.logits, narrow(row))});
    } else {
      load_logits_row(chosen);
      link_nop(FR_ENGINE_VECTOR);
    }
    auto gumbel = with_rows(vector(FR_VECTOR_GUMBEL, model_.vocabulary, last, last), 1);
    gumbel.arg2 = 0xffffffff;  // the row's position, one less than what is behind it
    out_.begin_loop(scratch_register, 0, {FR_PATCH(fr_loop, count, sample, 1)});
    std::vector<Patch> noise{FR_PATCH(fr_vector, arg0, seed_low, 1), FR_PATCH(fr_vector, arg1, seed_high, 1)};
    add_positions_of(chosen, noise, offsetof(fr_vector, arg2), sizeof(fr_vector::arg2), 1);
    noise.push_back(FR_PATCH(fr_vector, arg3, temperature, 1));
    link(FR_OP_VECTOR, gumbel, {}, noise);
    out_.end_loop();
    link(FR_OP_VECTOR,
         with_rows(vector(FR_VECTOR_ARGMAX, model_.vocabulary, last, {s_.choice, 4, FR_TYPE_U32}), 1));
    std::vector<Patch> patches;
    add_positions_of(chosen, patches, offsetof(fr_copy, global), sizeof(fr_copy::global), 4);
    if (many()) patches.push_back(FR_PATCH(fr_copy, global, chunk_sequence, narrow(plan_.context * 4ull)));
    link(FR_OP_STORE, run_of(memory_.next_ids - 4, s_.choice, 4), {}, patches);
  }
  static fr_vector with_rows(fr_vector v, std::uint32_t rows) {
    v.rows = rows;
    return v;
  }
};

}  // namespace

std::vector<unsigned char> emit_stream(const Plan& plan, const Graph& graph, std::uint32_t cluster) {
  return Emitter(plan, graph, cluster).run();
}

std::vector<std::string> tag_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const auto& op : graph.prologue) names.push_back(op.name);
  const auto& last = graph.kinds.back();
  if (last.has(OperatorKind::experts) && !graph.kinds.front().has(OperatorKind::experts))
    for (const auto& op : graph.kinds.front().operators) names.push_back("first_layers." + op.name);
  for (const auto& op : last.operators) names.push_back("layers." + op.name);
  for (const auto& op : graph.epilogue) names.push_back(op.name);
  return names;
}

}  // namespace forerun::models
