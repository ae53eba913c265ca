// SPDX-License-Identifier: Apache-2.0
#include "models/compiler/emit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>
#include <utility>

#include "firmware/abi/program.h"
#include "firmware/abi/registers.h"
#include "ip/base/numbers.hpp"
#include "models/compiler/stream.hpp"
#include "platform/chip/address_map.hpp"

namespace forerun::models {
namespace {

/// Run-time parameters, then the stream's own registers.
enum Register : unsigned {
  position = FR_PARAMETER_POSITION,
  tokens = FR_PARAMETER_TOKENS,
  logit_rows = FR_PARAMETER_LOGIT_ROWS,
  sample = FR_PARAMETER_SAMPLE,
  temperature = FR_PARAMETER_TEMPERATURE,
  seed_low = FR_PARAMETER_SEED_LOW,
  seed_high = FR_PARAMETER_SEED_HIGH,
  layer = FR_PARAMETERS,
  cache_offset,    ///< of the layer's keys and values
  tile,            ///< counter of cache tiles
  tile_positions,  ///< positions in this tile
  carry,           ///< 1 when a product adds to what earlier tiles gave
  tiles,           ///< tiles that hold earlier positions
  load_slot,       ///< byte offset in the ring of the next load
  use_slot,        ///< byte offset in the ring of the next use
  weight_offset,   ///< of the next tile of weights
  constants_now,   ///< offset of the layer's block of constants in the scratchpad
  window,          ///< of the layer, where layers have different ones
  first_cached,    ///< position at which the first tile of the cache that is needed begins
  last_layer,  ///< 1 in the last layer
  head_row,    ///< first row for which logits are made
  has_past,    ///< 1 when the cache holds earlier positions
  scratch_register
};
constexpr unsigned none = 255;

enum Semaphore : std::uint8_t {
  chain,  ///< to each engine its own: chain + FR_ENGINE_*
  ring_free = chain + FR_ENGINE_COUNT,
  ring_full,
  constants_free,
  constants_full,
  values_made,  ///< this step's keys and values are there to be stored
  values_stored,
  attention_posted,
  attention_output_posted,
  swiglu_posted,
  down_posted,
  logits_posted
};

std::uint32_t bits(double value) { return std::bit_cast<std::uint32_t>(static_cast<float>(value)); }
std::int32_t narrow(std::uint64_t value) { return static_cast<std::int32_t>(value); }
std::uint32_t u32(std::uint64_t value) { return static_cast<std::uint32_t>(value); }

unsigned engine_of(unsigned opcode) {
  return opcode >= FR_OP_VECTOR   ? FR_ENGINE_VECTOR
         : opcode >= FR_OP_MATMUL ? FR_ENGINE_TENSOR
         : opcode >= FR_OP_STORE  ? FR_ENGINE_STORE
                                  : FR_ENGINE_LOAD;
}

unsigned nop_of(unsigned engine) {
  switch (engine) {
    case FR_ENGINE_TENSOR:
      return FR_OP_TENSOR_NOP;
    case FR_ENGINE_VECTOR:
      return FR_OP_VECTOR_NOP;
    case FR_ENGINE_STORE:
      return FR_OP_STORE_NOP;
    default:
      return FR_OP_LOAD_NOP;
  }
}

/// A matrix in the scratchpad.
struct Matrix {
  std::uint32_t at;
  std::uint64_t stride;
  unsigned type;
};

class Emitter {
 public:
  Emitter(const Plan& plan, const Graph& graph, std::uint32_t cluster)
      : plan_(plan),
        graph_(graph),
        model_(plan.model),
        s_(plan.scratch),
        memory_(plan.memory),
        share_(plan.shares[cluster]),
        tiles_(plan.projections[cluster]),
        cluster_(cluster),
        act_(plan.activation_bytes()),
        queries_(std::uint64_t{model_.heads} * model_.head_dim) {}

  std::vector<unsigned char> run() {
    begin();
    out_.begin_loop(layer, model_.layers);
    begin_layer();
    for (const auto& op : layer_operators()) emit(op);
    hoist_next_layer();
    exchange_down();
    hand_over(FR_ENGINE_VECTOR);
    out_.end_loop();
    for (const auto& op : graph_.epilogue) emit(op);
    end();
    return out_.bytes();
  }

 private:
  // The chain

  /// Adds a command that follows the last one of the chain.
  template <typename T>
  void link(unsigned opcode, const T& command, Sync sync = {}, const std::vector<Patch>& patches = {}) {
    join(opcode, sync);
    last_ = out_.add(opcode, command, sync, patches);
  }
  void link_nop(unsigned engine) {
    Sync sync;
    const auto opcode = nop_of(engine);
    join(opcode, sync);
    last_ = out_.add(opcode, sync);
  }
  void join(unsigned opcode, Sync& sync) {
    const auto engine = engine_of(opcode);
    const bool first = engine_ == FR_ENGINE_COMMAND;
    if (!handed_over_ && engine == engine_) return;
    if (!handed_over_ && !first) out_.add_signal(last_, {link_to(engine), 1});
    if (handed_over_ || !first) sync.wait.push_back({link_to(engine), 1});
    handed_over_ = false;
    engine_ = engine;
  }
  static std::uint8_t link_to(unsigned engine) { return static_cast<std::uint8_t>(chain + engine); }
  /// The next command of the chain will be of this engine, and waits even if the last one was too: at both
  /// ends of a loop's body.
  void hand_over(unsigned engine) {
    out_.add_signal(last_, {link_to(engine), 1});
    handed_over_ = true;
  }

  // The ring

  void advance(Register slot) {
    out_.scalar(FR_SCALAR_ADD, slot, slot, none, s_.slot_bytes);
    out_.scalar(FR_SCALAR_MOD, slot, slot, none, std::int64_t{s_.slots} * s_.slot_bytes);
  }
  fr_copy run_of(std::uint64_t global, std::uint32_t local, std::uint64_t bytes) const {
    fr_copy c{};
    c.global = global;
    c.local = local;
    c.bytes = u32(bytes);
    c.size1 = c.size2 = c.size3 = 1;
    return c;
  }
  void ring_load(const fr_copy& copy, std::vector<Patch> patches) {
    patches.push_back(FR_PATCH(fr_copy, local, load_slot, 1));
    out_.add(FR_OP_LOAD, copy, {{{ring_free, 1}}, {{ring_full, 1}}}, patches);
    advance(load_slot);
  }
  void load_weights(std::uint64_t bytes) {
    ring_load(run_of(memory_.weights[cluster_], s_.ring, bytes),
              {FR_PATCH(fr_copy, global, weight_offset, 1)});
    out_.scalar(FR_SCALAR_ADD, weight_offset, weight_offset, none, static_cast<std::int64_t>(bytes));
  }
  /// Loads tiles of the next projection before commands that may wait for other clusters.
  void hoist(const std::vector<WeightTile>& tiles) {
    issued_ = std::min<std::size_t>(tiles.size(), s_.slots);
    for (std::size_t i = 0; i < issued_; ++i) load_weights(plan_.tile_bytes(tiles[i]));
  }
  std::size_t carried_over() const {
    return std::min({tiles_.query_key_value.size(), tiles_.classifier.size(), std::size_t{s_.slots}});
  }
  /// At the end of a layer come the first tiles of the next layer, or in the last layer those of the
  /// classifier.
  void hoist_next_layer() {
    for (std::size_t i = 0; i < carried_over(); ++i) {
      const auto next = plan_.tile_bytes(tiles_.query_key_value[i]),
                 head = plan_.tile_bytes(tiles_.classifier[i]);
      const auto more = static_cast<std::int64_t>(head) - static_cast<std::int64_t>(next);
      ring_load(run_of(memory_.weights[cluster_], s_.ring, next),
                {FR_PATCH(fr_copy, global, weight_offset, 1),
                 FR_PATCH(fr_copy, bytes, last_layer, static_cast<std::int32_t>(more))});
      out_.scalar(FR_SCALAR_MUL, scratch_register, last_layer, none, more);
      out_.scalar(FR_SCALAR_ADD, weight_offset, weight_offset, scratch_register,
                  static_cast<std::int64_t>(next));
    }
    issued_ = carried_over();
  }

  // Building blocks

  fr_vector vector(unsigned op, std::uint64_t cols, const Matrix& a, const Matrix& d) const {
    fr_vector v{};
    v.op = static_cast<std::uint8_t>(op);
    v.cols = u32(cols);
    v.a = a.at, v.a_type = static_cast<std::uint8_t>(a.type), v.a_stride = narrow(a.stride);
    v.d = d.at, v.d_type = static_cast<std::uint8_t>(d.type), v.d_stride = narrow(d.stride);
    return v;
  }
  static void set_b(fr_vector& v, const Matrix& b) {
    v.b = b.at, v.b_type = static_cast<std::uint8_t>(b.type), v.b_stride = narrow(b.stride);
  }
  static void set_c(fr_vector& v, const Matrix& c) {
    v.c = c.at, v.c_type = static_cast<std::uint8_t>(c.type), v.c_stride = narrow(c.stride);
  }
  Matrix residual() const { return {s_.residual, model_.hidden * 4ull, FR_TYPE_F32}; }
  Matrix normed() const {
    return {s_.normed, std::uint64_t{model_.hidden} * ip::element_bytes(plan_.numerics.normed()),
            plan_.numerics.normed()};
  }
  Matrix product(std::uint64_t columns) const { return {s_.product, columns * 4, FR_TYPE_F32}; }
  Matrix activations(std::uint32_t at, std::uint64_t columns) const {
    return {at, columns * act_, plan_.numerics.activation};
  }
  bool alone() const { return plan_.clusters == 1; }
  Patch rows_patch(unsigned rows) const { return FR_PATCH(fr_vector, rows, rows, 1); }

  /// `product` = a x weights for `rows` rows (a register); a and the result begin at row 0.
  void project(const std::vector<WeightTile>& tiles, Matrix a, std::uint64_t inputs, std::uint64_t columns,
               unsigned rows, std::uint32_t scales, bool scales_by_layer,
               std::optional<std::uint32_t> bias = std::nullopt) {
    if (columns == 0) return;
    const auto result = product(columns);
    if (plan_.numerics.integer) {
      auto q = vector(FR_VECTOR_QUANTIZE, inputs, a, {s_.quantised, inputs, FR_TYPE_I8});
      set_c(q, {s_.row_scales, 4, FR_TYPE_F32});
      link(FR_OP_VECTOR, q, {}, {rows_patch(rows)});
      a = {s_.quantised, inputs, FR_TYPE_I8};
    }
    for (std::size_t i = 0; i < tiles.size(); ++i) {
      if (i >= issued_) load_weights(plan_.tile_bytes(tiles[i]));
      multiply_tile(tiles[i], a, result, rows);
    }
    issued_ = 0;
    if (plan_.numerics.integer) {
      auto d = vector(FR_VECTOR_DEQUANTIZE, columns, {result.at, result.stride, FR_TYPE_I32}, result);
      set_b(d, {s_.row_scales, 4, FR_TYPE_F32});
      set_c(d, {scales, 0, FR_TYPE_F32});
      std::vector<Patch> patches{rows_patch(rows)};
      if (scales_by_layer) patches.push_back(FR_PATCH(fr_vector, c, constants_now, 1));
      link(FR_OP_VECTOR, d, {}, patches);
    }
    if (bias) {
      auto v = vector(FR_VECTOR_ADD, columns, result, result);
      set_b(v, {s_.constants + *bias, 0, FR_TYPE_F32});
      link(FR_OP_VECTOR, v, {}, {rows_patch(rows), FR_PATCH(fr_vector, b, constants_now, 1)});
    }
  }
  static std::optional<std::uint32_t> bias_of(const Operator& op, std::uint32_t at) {
    return op.bias ? std::optional(at) : std::nullopt;
  }
  void multiply_tile(const WeightTile& tile_range, const Matrix& a, const Matrix& result, unsigned rows) {
    fr_matmul m{};
    m.a = a.at + u32(tile_range.k.begin * ip::element_bytes(a.type));
    m.a_stride = narrow(a.stride);
    m.a_type = static_cast<std::uint8_t>(a.type);
    m.b = s_.ring;
    m.b_stride = narrow(tile_range.n.size() * plan_.weight_bytes());
    m.b_type = static_cast<std::uint8_t>(plan_.numerics.weight);
    m.c = result.at + u32(tile_range.n.begin * 4);
    m.c_stride = narrow(result.stride);
    m.c_type = plan_.numerics.integer ? FR_TYPE_I32 : FR_TYPE_F32;
    m.n = u32(tile_range.n.size());
    m.k = u32(tile_range.k.size());
    m.flags = tile_range.first_k() ? 0 : FR_MATMUL_ACCUMULATE;
    link(FR_OP_MATMUL, m, {{{ring_full, 1}}, {{ring_free, 1}}},
         {FR_PATCH(fr_matmul, b, use_slot, 1), FR_PATCH(fr_matmul, m, rows, 1)});
    advance(use_slot);
  }

  /// Own columns to the exchange buffer, the other clusters' columns back. `own` holds this cluster's
  /// columns, [tokens][share]; `buffer` all of them, [tokens][width]. Alone, nothing moves and the result is
  /// `own`.
  Matrix exchange(Semaphore posted, const Matrix& own, Range columns, std::uint64_t width,
                  std::uint64_t buffer, unsigned contributors, const std::vector<WeightTile>* next) {
    if (alone()) {
      if (next != nullptr) hoist(*next);
      return own;
    }
    const auto element = ip::element_bytes(own.type);
    if (!columns.empty()) {
      auto store = run_of(buffer + columns.begin * element, own.at, columns.size() * element);
      store.size1 = 0;
      store.local_stride1 = narrow(own.stride);
      store.global_stride1 = static_cast<std::int64_t>(width * element);
      link(FR_OP_STORE, store, {{}, {{posted, 1}}}, {FR_PATCH(fr_copy, size1, tokens, 1)});
      post(posted, 0, plan_.clusters, cluster_);
    }
    if (next != nullptr) hoist(*next);
    auto load = run_of(buffer, s_.gathered, 0);
    link(FR_OP_LOAD, load, wait_for(posted, contributors),
         {FR_PATCH(fr_copy, bytes, tokens, narrow(width * element))});
    return {s_.gathered, width * element, own.type};
  }
  void post(Semaphore posted, std::uint32_t first, std::uint32_t count, std::uint32_t skip) {
    fr_post p{};
    p.address = chip::address_map::cluster_registers(first) + FR_CLUSTER_POST;
    p.stride = chip::address_map::cluster_stride;
    p.count = count;
    p.skip = skip;
    p.semaphore = posted;
    p.amount = 1;
    out_.add(FR_OP_POST, p);
  }
  /// A wait for many posts: all but the last 255 by commands of their own, for a count has eight bits.
  Sync wait_for(Semaphore posted, unsigned count) {
    for (; count > 255; count -= 255) out_.add(FR_OP_LOAD_NOP, {{{posted, 255}}, {}});
    return {{{posted, static_cast<std::uint8_t>(count)}}, {}};
  }
  unsigned contributors(Range Share::*dimension) const {
    return static_cast<unsigned>(
        std::count_if(plan_.shares.begin(), plan_.shares.end(),
                      [dimension](const Share& s) { return !(s.*dimension).empty(); }));
  }
  /// After the norm at `post_norm` among the constants, where the model has one.
  void add_to_residual(const Matrix& sum, std::uint32_t post_norm, Sync sync = {}) {
    if (model_.post_norms) {
      auto n = vector(FR_VECTOR_RMSNORM, model_.hidden, sum, sum);
      n.arg0 = bits(model_.norm_eps);
      set_b(n, {s_.constants + post_norm, 0, FR_TYPE_F32});
      link(FR_OP_VECTOR, n, {}, {rows_patch(tokens), FR_PATCH(fr_vector, b, constants_now, 1)});
    }
    auto v = vector(FR_VECTOR_ADD, model_.hidden, residual(), residual());
    set_b(v, sum);
    link(FR_OP_VECTOR, v, std::move(sync), {rows_patch(tokens)});
  }

  // Before, around and after the layers

  void begin() {
    tag_ = 0;
    out_.set_tag(tag_);
    out_.add(FR_OP_LOAD_NOP, {{}, {{ring_free, static_cast<std::uint8_t>(s_.slots)}, {constants_free, 1}}});
    if (!share_.stored_kv_heads.empty()) out_.add(FR_OP_LOAD_NOP, {{}, {{values_stored, 1}}});
    out_.scalar(FR_SCALAR_MIN, has_past, position, none, 1);
    out_.scalar(FR_SCALAR_CEIL_DIV, tiles, position, none, plan_.cache_tile);
    out_.scalar(FR_SCALAR_SUB, head_row, tokens, logit_rows, 0);
    for (const auto& op : graph_.prologue) emit(op);
    issued_ = 0;
    for (std::size_t i = 0; i < carried_over(); ++i)
      load_weights(plan_.tile_bytes(tiles_.query_key_value[i]));
    issued_ = carried_over();
    hand_over(FR_ENGINE_VECTOR);
  }
  void begin_layer() {
    tag_ = u32(graph_.prologue.size());
    out_.scalar(FR_SCALAR_MUL, cache_offset, layer, none, static_cast<std::int64_t>(plan_.kv_layer_bytes()));
    out_.scalar(FR_SCALAR_EQUAL, last_layer, layer, none, std::int64_t{model_.layers} - 1);
    out_.scalar(FR_SCALAR_AND, constants_now, layer, none, 1);
    out_.scalar(FR_SCALAR_MUL, constants_now, constants_now, none, plan_.constants.bytes);
    begin_window();
  }
  /// A layer with a window needs the tiles of the cache that hold positions of the window, the others all.
  void begin_window() {
    if (!has_windows()) return;
    const auto& windows = model_.windows;
    const auto positions_of = [this](std::uint32_t w) { return std::int64_t{w == 0 ? plan_.context : w}; };
    const auto even = positions_of(windows.front()), odd = positions_of(windows[windows.size() > 1 ? 1 : 0]);
    out_.scalar(FR_SCALAR_AND, window, layer, none, 1);
    out_.scalar(FR_SCALAR_MUL, window, window, none, odd - even);
    out_.scalar(FR_SCALAR_ADD, window, window, none, even);
    out_.scalar(FR_SCALAR_SUB, first_cached, position, window, -1);
    out_.scalar(FR_SCALAR_MAX, first_cached, first_cached, none, 0);
    out_.scalar(FR_SCALAR_DIV, first_cached, first_cached, none, plan_.cache_tile);
    out_.scalar(FR_SCALAR_CEIL_DIV, tiles, position, none, plan_.cache_tile);
    out_.scalar(FR_SCALAR_SUB, tiles, tiles, first_cached, 0);
    out_.scalar(FR_SCALAR_MIN, has_past, tiles, none, 1);
    out_.scalar(FR_SCALAR_MUL, first_cached, first_cached, none, plan_.cache_tile);
  }
  bool has_windows() const {
    return std::any_of(model_.windows.begin(), model_.windows.end(), [](auto w) { return w != 0; });
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
    out_.add(FR_OP_END);
  }

  // Operators

  const std::vector<Operator>& layer_operators() const { return graph_.kinds.front().operators; }
  void emit(const Operator& op) {
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
        norm(op);
        break;
      case OperatorKind::query_key_value:
        project(tiles_.query_key_value, normed(), model_.hidden, share_.qkv_columns(), tokens,
                s_.constants + plan_.constants.query_key_value, true, bias_of(op, plan_.constants.query_key_value_bias));
        break;
      case OperatorKind::head_norm:
        head_norm();
        break;
      case OperatorKind::rotary:
        place_heads();
        break;
      case OperatorKind::attention:
        if (plan_.rotated() == 0) place_heads();
        attention();
        break;
      case OperatorKind::attention_output: {
        const auto all =
            exchange(attention_posted, activations(s_.slice, share_.query_columns), columns_of(share_.heads),
                     queries_, memory_.attention, contributors(&Share::heads), &tiles_.attention_output);
        store_cache();
        load_next_constants();
        project(tiles_.attention_output, all, queries_, share_.hidden.size(), tokens,
                s_.constants + plan_.constants.attention_output, true,
                bias_of(op, plan_.constants.attention_output_bias));
        add_to_residual(exchange(attention_output_posted, product(share_.hidden.size()), share_.hidden,
                                 model_.hidden, memory_.hidden_sum, contributors(&Share::hidden),
                                 &tiles_.gate_up),
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
        activate();
        break;
      case OperatorKind::down: {
        const auto all = exchange(swiglu_posted, activations(s_.slice, share_.ffn.size()), share_.ffn,
                                  model_.ffn, memory_.swiglu, contributors(&Share::ffn), &tiles_.down);
        project(tiles_.down, all, model_.ffn, share_.hidden.size(), tokens,
                s_.constants + plan_.constants.down, true, bias_of(op, plan_.constants.down_bias));
        return;  // its exchange follows the loads for the next layer
      }
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
  Range columns_of(Range heads) const { return {heads.begin * model_.head_dim, heads.end * model_.head_dim}; }

  void embed() {
    out_.add(FR_OP_LOAD, run_of(memory_.constants[cluster_], s_.constants, plan_.constants.bytes),
             {{}, {{constants_full, 1}}});
    fr_gather g{};
    const auto row = std::uint64_t{model_.hidden} * act_;
    g.table = memory_.embedding;
    g.indices = memory_.token_ids;
    g.table_stride = row;
    g.limit = model_.vocabulary;
    g.bytes = u32(row);
    g.local = s_.gathered;
    g.local_stride = narrow(row);
    link(FR_OP_GATHER, g, {},
         {FR_PATCH(fr_gather, indices, position, 4), FR_PATCH(fr_gather, count, tokens, 1)});
    const auto row_bytes = narrow(plan_.rotated() * 2ull);
    for (const auto& [from, to] :
         {std::pair{memory_.cosines, s_.cosines}, std::pair{memory_.sines, s_.sines}})
      if (row_bytes != 0) link(FR_OP_LOAD, run_of(from, to, 0), {},
           {FR_PATCH(fr_copy, global, position, row_bytes), FR_PATCH(fr_copy, bytes, tokens, row_bytes)});
    link(FR_OP_VECTOR,
         vector(FR_VECTOR_COPY, model_.hidden, activations(s_.gathered, model_.hidden), residual()), {},
         {rows_patch(tokens)});
  }

  void scale_embedding() {
    auto v = vector(FR_VECTOR_AFFINE, model_.hidden, residual(), residual());
    v.arg0 = bits(model_.embedding_scale);
    link(FR_OP_VECTOR, v, {}, {rows_patch(tokens)});
  }
  void add_positions() {
    const auto row = std::uint64_t{model_.hidden} * act_;
    link(FR_OP_LOAD, run_of(memory_.positions + model_.position_offset * row, s_.gathered, 0), {},
         {FR_PATCH(fr_copy, global, position, narrow(row)), FR_PATCH(fr_copy, bytes, tokens, narrow(row))});
    auto v = vector(FR_VECTOR_ADD, model_.hidden, residual(), residual());
    set_b(v, activations(s_.gathered, model_.hidden));
    link(FR_OP_VECTOR, v, {}, {rows_patch(tokens)});
  }

  void norm(const Operator& op) {
    const bool final = &op == &graph_.epilogue.front(), first = &op == &layer_operators().front();
    const bool layer_norm = op.kind == OperatorKind::layer_norm;
    auto v = vector(layer_norm ? FR_VECTOR_LAYERNORM : FR_VECTOR_RMSNORM, model_.hidden, residual(), normed());
    v.arg0 = bits(model_.norm_eps);
    const auto block = s_.constants + (final ? model_.layers % 2 * plan_.constants.bytes : 0);
    const auto& at = plan_.constants;
    if (layer_norm)
      set_c(v, {block + (final || first ? at.attention_norm_bias : at.ffn_norm_bias), 0, FR_TYPE_F32});
    set_b(v, {block + (final || first ? plan_.constants.attention_norm : plan_.constants.ffn_norm), 0,
              FR_TYPE_F32});
    std::vector<Patch> patches{rows_patch(final ? logit_rows : tokens)};
    if (final)
      patches.push_back(FR_PATCH(fr_vector, a, head_row, narrow(residual().stride)));
    else
      patches.push_back(FR_PATCH(fr_vector, b, constants_now, 1));
    if (layer_norm && !final) patches.push_back(FR_PATCH(fr_vector, c, constants_now, 1));
    Sync sync;
    if (final || first) sync.wait.push_back({constants_full, 1});
    link(FR_OP_VECTOR, v, sync, patches);
  }

  /// Own query and key heads in the projection's result, each normalised.
  void head_norm() {
    const auto from = product(share_.qkv_columns());
    const auto heads = share_.heads.size() + share_.kv_heads.size();
    for (std::uint64_t h = 0; h < heads; ++h) {
      const Matrix head{from.at + u32(h * model_.head_dim * 4), from.stride, FR_TYPE_F32};
      auto v = vector(FR_VECTOR_RMSNORM, model_.head_dim, head, head);
      v.arg0 = bits(model_.norm_eps);
      const bool query = h < share_.heads.size();
      set_b(v, {s_.constants + (query ? plan_.constants.query_norm : plan_.constants.key_norm), 0, FR_TYPE_F32});
      link(FR_OP_VECTOR, v, {}, {rows_patch(tokens), FR_PATCH(fr_vector, b, constants_now, 1)});
    }
  }

  /// From the projection's result to queries, keys and values by heads; the rotated part of each is rotated.
  void place_heads() {
    if (share_.heads.empty()) return;
    const auto from = product(share_.qkv_columns());
    const auto head_bytes = std::uint64_t{model_.head_dim} * act_;
    const auto rotated = plan_.rotated();
    const auto rotate = [&](std::uint64_t column, std::uint32_t to, std::uint64_t rows_before, Sync sync) {
      std::vector<Patch> patches{rows_patch(tokens)};
      if (rows_before > 0)
        patches.push_back(FR_PATCH(fr_vector, d, tokens, narrow(rows_before * head_bytes)));
      const auto part = [&](unsigned op, std::uint64_t first, std::uint64_t cols) {
        auto d = activations(to, model_.head_dim);
        d.at += u32(first * act_);
        return vector(op, cols, {from.at + u32((column + first) * 4), from.stride, FR_TYPE_F32}, d);
      };
      if (rotated > 0) {
        auto v = part(FR_VECTOR_ROPE, 0, rotated);
        v.arg0 = rotated;
        v.flags = model_.rotary.interleaved ? FR_VECTOR_FLAG_INTERLEAVED : 0;
        set_b(v, {s_.cosines, rotated * 2ull, FR_TYPE_F32});
        set_c(v, {s_.sines, rotated * 2ull, FR_TYPE_F32});
        link(FR_OP_VECTOR, v, std::exchange(sync, {}), patches);
      }
      if (rotated < model_.head_dim)
        link(FR_OP_VECTOR, part(FR_VECTOR_COPY, rotated, model_.head_dim - rotated), sync, patches);
    };
    for (auto h = share_.heads.begin; h < share_.heads.end; ++h)
      rotate((h - share_.heads.begin) * model_.head_dim, queries_of(h / group()),
             h - group_heads(h / group()).begin, {});
    const bool stores = !share_.stored_kv_heads.empty();
    for (auto g = share_.kv_heads.begin; g < share_.kv_heads.end; ++g)
      rotate(share_.query_columns + (g - share_.kv_heads.begin) * model_.head_dim, s_.keys + local_kv(g), 0,
             stores && g == share_.kv_heads.begin ? Sync{{{values_stored, 1}}, {}} : Sync{});
    for (auto g = share_.kv_heads.begin; g < share_.kv_heads.end; ++g) {
      const auto column =
          share_.query_columns + share_.key_columns + (g - share_.kv_heads.begin) * model_.head_dim;
      const bool last = g + 1 == share_.kv_heads.end;
      link(FR_OP_VECTOR,
           vector(FR_VECTOR_COPY, model_.head_dim, {from.at + u32(column * 4), from.stride, FR_TYPE_F32},
                  activations(s_.values + local_kv(g), model_.head_dim)),
           stores && last ? Sync{{}, {{values_made, 1}}} : Sync{}, {rows_patch(tokens)});
    }
  }
  std::uint64_t group() const { return model_.heads / model_.kv_heads; }
  /// Own query heads that share a key/value head.
  Range group_heads(std::uint64_t g) const {
    return {std::max(share_.heads.begin, g * group()), std::min(share_.heads.end, (g + 1) * group())};
  }
  std::uint32_t queries_of(std::uint64_t g) const {
    return s_.queries +
           u32((group_heads(g).begin - share_.heads.begin) * plan_.max_tokens * model_.head_dim * act_);
  }
  std::uint32_t local_kv(std::uint64_t g) const {
    return u32((g - share_.kv_heads.begin) * plan_.max_tokens * model_.head_dim * act_);
  }

  void store_cache() {
    const auto stored = share_.stored_kv_heads;
    if (stored.empty()) return;
    const auto row = std::uint64_t{model_.head_dim} * act_;
    const auto store = [&](std::uint32_t from, std::uint64_t to, const Sync& sync) {
      auto c = run_of(to + stored.begin * plan_.kv_head_bytes(), from + local_kv(stored.begin), 0);
      c.size1 = u32(stored.size());
      c.local_stride1 = narrow(plan_.max_tokens * row);
      c.global_stride1 = static_cast<std::int64_t>(plan_.kv_head_bytes());
      out_.add(
          FR_OP_STORE, c, sync,
          {FR_PATCH(fr_copy, bytes, tokens, narrow(row)), FR_PATCH(fr_copy, global, position, narrow(row)),
           FR_PATCH(fr_copy, global, cache_offset, 1)});
    };
    store(s_.keys, memory_.keys, {{{values_made, 1}}, {}});
    store(s_.values, memory_.values, {{}, {{values_stored, 1}}});
  }

  void attention() {
    for (auto g = share_.kv_heads.begin; g < share_.kv_heads.end; ++g) attend(g);
  }
  /// All own query heads of one key/value head, stacked as rows [head][token].
  void attend(std::uint64_t g) {
    const auto heads = group_heads(g);
    const auto head_bytes = std::uint64_t{model_.head_dim} * act_;
    const auto rows = static_cast<std::int32_t>(heads.size());
    const auto type = static_cast<std::uint8_t>(plan_.numerics.activation);
    const Matrix scores{s_.scores, s_.score_stride, FR_TYPE_F32};

    fr_matmul qk{};  // scores = queries x keys^T
    qk.a = queries_of(g), qk.a_stride = narrow(head_bytes), qk.a_type = type;
    qk.b_stride = narrow(head_bytes), qk.b_type = type;
    qk.c = scores.at, qk.c_stride = narrow(scores.stride), qk.c_type = FR_TYPE_F32;
    qk.k = model_.head_dim;
    qk.flags = FR_MATMUL_B_TRANSPOSED;
    over_cache(memory_.keys, g, qk, rows,
               {FR_PATCH(fr_matmul, n, tile_positions, 1),
                FR_PATCH(fr_matmul, c, scratch_register, 4)});
    qk.b = s_.keys + local_kv(g);
    link(FR_OP_MATMUL, qk, {},
         {FR_PATCH(fr_matmul, m, tokens, rows), FR_PATCH(fr_matmul, n, tokens, 1),
          FR_PATCH(fr_matmul, c, position, 4)});

    const std::vector<Patch> all_scores{FR_PATCH(fr_vector, rows, tokens, rows),
                                        FR_PATCH(fr_vector, cols, position, 1),
                                        FR_PATCH(fr_vector, cols, tokens, 1)};
    const double cap = model_.score_cap;
    if (cap > 0) {
      auto scaled = vector(FR_VECTOR_AFFINE, 0, scores, scores);
      scaled.arg0 = bits(model_.score_scale / cap);
      link(FR_OP_VECTOR, scaled, {}, all_scores);
      link(FR_OP_VECTOR, vector(FR_VECTOR_TANH, 0, scores, scores), {}, all_scores);
    }
    auto v = vector(FR_VECTOR_SOFTMAX, 0, scores, {scores.at, scores.stride, type});
    v.arg0 = 1;
    v.arg2 = bits(cap > 0 ? cap : model_.score_scale);
    auto patches = all_scores;
    patches.push_back(FR_PATCH(fr_vector, arg0, position, 1));
    patches.push_back(FR_PATCH(fr_vector, arg1, tokens, 1));
    if (has_windows()) patches.push_back(FR_PATCH(fr_vector, arg3, window, 1));
    link(FR_OP_VECTOR, v, {}, patches);

    fr_matmul pv{};  // weighted = probabilities x values
    pv.a = scores.at, pv.a_stride = narrow(scores.stride), pv.a_type = type;
    pv.b_stride = narrow(head_bytes), pv.b_type = type;
    pv.c = s_.weighted, pv.c_stride = narrow(model_.head_dim * 4ull), pv.c_type = FR_TYPE_F32;
    pv.n = model_.head_dim;
    over_cache(memory_.values, g, pv, rows,
               {FR_PATCH(fr_matmul, k, tile_positions, 1),
                FR_PATCH(fr_matmul, a, scratch_register, narrow(act_)),
                FR_PATCH(fr_matmul, flags, carry, FR_MATMUL_ACCUMULATE)});
    pv.b = s_.values + local_kv(g);
    link(FR_OP_MATMUL, pv, {},
         {FR_PATCH(fr_matmul, m, tokens, rows), FR_PATCH(fr_matmul, k, tokens, 1),
          FR_PATCH(fr_matmul, a, position, static_cast<std::int32_t>(act_)),
          FR_PATCH(fr_matmul, flags, has_past, FR_MATMUL_ACCUMULATE)});

    const auto all = activations(s_.slice, share_.query_columns);
    for (auto h = heads.begin; h < heads.end; ++h) {
      const Matrix from{s_.weighted, model_.head_dim * 4ull, FR_TYPE_F32};
      link(FR_OP_VECTOR,
           vector(FR_VECTOR_COPY, model_.head_dim, from,
                  {all.at + u32((h - share_.heads.begin) * head_bytes), all.stride, all.type}),
           {}, {rows_patch(tokens), FR_PATCH(fr_vector, a, tokens, narrow((h - heads.begin) * from.stride))});
    }
  }
  /// `product` with each tile of the cache in turn as B.
  void over_cache(std::uint64_t cache, std::uint64_t g, fr_matmul product, std::int32_t rows,
                  std::vector<Patch> patches) {
    const auto row = std::uint64_t{model_.head_dim} * act_;
    link_nop(FR_ENGINE_TENSOR);
    out_.begin_loop(tile, 0, {FR_PATCH(fr_loop, count, tiles, 1)});
    out_.scalar(FR_SCALAR_MUL, scratch_register, tile, none, plan_.cache_tile);
    if (has_windows()) out_.scalar(FR_SCALAR_ADD, scratch_register, scratch_register, first_cached, 0);
    out_.scalar(FR_SCALAR_SUB, tile_positions, position, scratch_register, 0);
    out_.scalar(FR_SCALAR_MIN, tile_positions, tile_positions, none, plan_.cache_tile);
    out_.scalar(FR_SCALAR_MIN, carry, tile, none, 1);
    ring_load(
        run_of(cache + g * plan_.kv_head_bytes(), s_.ring, 0),
        {FR_PATCH(fr_copy, global, cache_offset, 1), FR_PATCH(fr_copy, global, scratch_register, narrow(row)),
         FR_PATCH(fr_copy, bytes, tile_positions, narrow(row))});
    product.b = s_.ring;
    patches.push_back(FR_PATCH(fr_matmul, m, tokens, rows));
    patches.push_back(FR_PATCH(fr_matmul, b, use_slot, 1));
    link(FR_OP_MATMUL, product, {{{ring_full, 1}}, {{ring_free, 1}}}, patches);
    advance(use_slot);
    out_.end_loop();
  }

  static unsigned function_of(Activation activation) {
    switch (activation) {
      case Activation::gelu:
        return FR_VECTOR_GELU;
      case Activation::gelu_tanh:
        return FR_VECTOR_GELU_TANH;
      case Activation::relu:
        return FR_VECTOR_RELU;
      default:
        return FR_VECTOR_SILU;
    }
  }
  void activate() {
    const auto n = share_.ffn.size();
    if (n == 0) return;
    const auto from = product(plan_.up_columns(share_)), to = activations(s_.slice, n);
    const Matrix second{from.at + u32(n * 4), from.stride, FR_TYPE_F32};
    const auto function = function_of(model_.activation);
    if (!model_.gated) {
      link(FR_OP_VECTOR, vector(function, n, from, to), {}, {rows_patch(tokens)});
      return;
    }
    if (function != FR_VECTOR_SILU) link(FR_OP_VECTOR, vector(function, n, from, from), {}, {rows_patch(tokens)});
    auto v = vector(function == FR_VECTOR_SILU ? FR_VECTOR_SWIGLU : FR_VECTOR_MUL, n, from, to);
    set_b(v, second);
    link(FR_OP_VECTOR, v, {}, {rows_patch(tokens)});
  }
  void exchange_down() {
    out_.set_tag(tag_);
    const auto loaded = issued_;
    add_to_residual(exchange(down_posted, product(share_.hidden.size()), share_.hidden, model_.hidden,
                             memory_.ffn_sum, contributors(&Share::hidden), nullptr),
                    plan_.constants.post_ffn_norm, {{}, {{constants_free, 1}}});
    issued_ = loaded;
    ++tag_;
  }

  void classifier() {
    const auto columns = share_.vocabulary;
    const auto row = std::int64_t{model_.vocabulary} * 4;
    if (!columns.empty()) {
      // The last layer's buffers are free: the output scales lie where it kept its block of constants.
      if (plan_.numerics.integer)
        link(FR_OP_LOAD, run_of(memory_.head_scales[cluster_], head_scales(), columns.size() * 4));
      project(tiles_.classifier, normed(), model_.hidden, columns.size(), logit_rows, head_scales(), false);
      const auto own = product(columns.size());
      cap(own, columns.size(), model_.logit_cap);
      auto store = run_of(memory_.logits + columns.begin * 4, own.at, columns.size() * 4);
      store.size1 = 0;
      store.local_stride1 = narrow(own.stride);
      store.global_stride1 = row;
      link(FR_OP_STORE, store, cluster_ == 0 && !alone() ? Sync{{}, {{logits_posted, 1}}} : Sync{},
           {FR_PATCH(fr_copy, size1, logit_rows, 1),
            FR_PATCH(fr_copy, global, position, static_cast<std::int32_t>(row)),
            FR_PATCH(fr_copy, global, head_row, static_cast<std::int32_t>(row))});
      if (cluster_ != 0) post(logits_posted, 0, 1, 0xffffffff);
    }
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
    const auto row = std::uint64_t{model_.vocabulary} * 4;
    const Matrix last{s_.last_row, row, FR_TYPE_F32};
    if (alone()) {
      link(FR_OP_VECTOR,
           with_rows(
               vector(FR_VECTOR_COPY, model_.vocabulary, {product(1).at - u32(row), row, FR_TYPE_F32}, last),
               1),
           {}, {FR_PATCH(fr_vector, a, logit_rows, narrow(row))});
    } else {
      const auto scale = narrow(row);
      link(FR_OP_LOAD, run_of(memory_.logits - row, s_.last_row, row),
           wait_for(logits_posted, contributors(&Share::vocabulary)),
           {FR_PATCH(fr_copy, global, position, scale), FR_PATCH(fr_copy, global, tokens, scale)});
      link_nop(FR_ENGINE_VECTOR);
    }
    auto gumbel = with_rows(vector(FR_VECTOR_GUMBEL, model_.vocabulary, last, last), 1);
    gumbel.arg2 = 0xffffffff;  // position of the row: position + tokens - 1
    out_.begin_loop(scratch_register, 0, {FR_PATCH(fr_loop, count, sample, 1)});
    link(FR_OP_VECTOR, gumbel, {},
         {FR_PATCH(fr_vector, arg0, seed_low, 1), FR_PATCH(fr_vector, arg1, seed_high, 1),
          FR_PATCH(fr_vector, arg2, position, 1), FR_PATCH(fr_vector, arg2, tokens, 1),
          FR_PATCH(fr_vector, arg3, temperature, 1)});
    out_.end_loop();
    link(FR_OP_VECTOR,
         with_rows(vector(FR_VECTOR_ARGMAX, model_.vocabulary, last, {s_.choice, 4, FR_TYPE_U32}), 1));
    link(FR_OP_STORE, run_of(memory_.next_ids - 4, s_.choice, 4), {},
         {FR_PATCH(fr_copy, global, position, 4), FR_PATCH(fr_copy, global, tokens, 4)});
  }
  static fr_vector with_rows(fr_vector v, std::uint32_t rows) {
    v.rows = rows;
    return v;
  }

  const Plan& plan_;
  const Graph& graph_;
  const ModelConfig& model_;
  const Scratch& s_;
  const Memory& memory_;
  const Share& share_;
  const Projections& tiles_;
  std::uint32_t cluster_;
  std::uint64_t act_, queries_;
  StreamBuilder out_;
  unsigned engine_ = FR_ENGINE_COMMAND;  // of the chain's last command; COMMAND before the first
  std::size_t last_ = 0;
  bool handed_over_ = false;
  std::size_t issued_ = 0;  // tiles of the next projection that are already on their way
  std::uint32_t tag_ = 0;
};

}  // namespace

std::vector<unsigned char> emit_stream(const Plan& plan, const Graph& graph, std::uint32_t cluster) {
  return Emitter(plan, graph, cluster).run();
}

std::vector<std::string> tag_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const auto& op : graph.prologue) names.push_back(op.name);
  for (const auto& op : graph.kinds.front().operators) names.push_back("layers." + op.name);
  for (const auto& op : graph.epilogue) names.push_back(op.name);
  return names;
}

}  // namespace forerun::models
