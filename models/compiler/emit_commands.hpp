// SPDX-License-Identifier: Apache-2.0
/// What the commands of all operators are made from: the chain of commands, the ring of loads, projections
/// and exchanges between clusters. Private to emit.cpp.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "firmware/abi/program.h"
#include "firmware/abi/registers.h"
#include "ip/base/numbers.hpp"
#include "models/compiler/plan.hpp"
#include "models/compiler/stream.hpp"
#include "models/graph/graph.hpp"
#include "platform/chip/address_map.hpp"

namespace forerun::models::emission {

/// Run-time parameters, then the stream's own registers.
enum Register : unsigned {
  position = FR_PARAMETER_POSITION,
  tokens = FR_PARAMETER_TOKENS,
  logit_rows = FR_PARAMETER_LOGIT_ROWS,
  sample = FR_PARAMETER_SAMPLE,
  temperature = FR_PARAMETER_TEMPERATURE,
  seed_low = FR_PARAMETER_SEED_LOW,
  seed_high = FR_PARAMETER_SEED_HIGH,
  layers = FR_PARAMETER_LAYERS,
  chunks = FR_PARAMETER_CHUNKS,
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
  other_past,      ///< the same of the other run of rows, in steps of many tokens
  head_row,        ///< first row for which logits are made
  has_past,        ///< 1 when the cache holds earlier positions
  scratch_register,
  chunk,  ///< counter of chunks, in programs of several sequences; then what is in its fr_chunk:
  chunk_position,
  chunk_tokens,
  chunk_row,
  chunk_sequence,
  run_layer,         ///< counter of the layers of the second kind, where there are two
  experts_at,        ///< offset of the weights of the layer's first expert
  experts_listed,    ///< of the step, at most
  experts_together,  ///< in a round, at most
  round,             ///< counter
  round_first,       ///< in the list
  round_experts,
  round_rows,
  round_buffer,  ///< offset of the buffer for what clusters put together
  list_offset,   ///< of the drawn experts
  expert_nth,    ///< counter in a round
  // Those of attention serve again:
  expert = tile,                ///< number of the expert
  expert_row = tile_positions,  ///< first of its rows in the round
  choice = tile,                ///< counter of the rows after which an id is chosen
  choice_count = tiles,
  choice_rows = carry,         ///< rows with logits up to this one
  choice_end = tile_positions  ///< position behind it
};
/// The same as `cache_offset` for scales; steps of many tokens have another register for it.
constexpr unsigned scale_offset = other_past;
/// Earlier positions of the own part of the context; experts are chosen behind attention.
constexpr unsigned own_past = round;
static_assert(+expert_nth < +FR_REGISTERS);
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
  logits_posted,
  router_posted,
  latent_posted,
  shared_posted,
  experts_chosen,  ///< their list is there
  // Of clusters that share the positions of a key/value head; steps of many tokens are without:
  team_posted,
  parts_posted
};

inline std::uint32_t bits(double value) { return std::bit_cast<std::uint32_t>(static_cast<float>(value)); }
inline std::int32_t narrow(std::uint64_t value) { return static_cast<std::int32_t>(value); }
inline std::uint32_t u32(std::uint64_t value) { return static_cast<std::uint32_t>(value); }

inline unsigned engine_of(unsigned opcode) {
  return opcode >= FR_OP_ALL_GATHER ? FR_ENGINE_COLLECTIVE
         : opcode >= FR_OP_VECTOR   ? FR_ENGINE_VECTOR
         : opcode >= FR_OP_MATMUL   ? FR_ENGINE_TENSOR
         : opcode >= FR_OP_STORE    ? FR_ENGINE_STORE
                                    : FR_ENGINE_LOAD;
}

inline unsigned nop_of(unsigned engine) {
  switch (engine) {
    case FR_ENGINE_TENSOR:
      return FR_OP_TENSOR_NOP;
    case FR_ENGINE_VECTOR:
      return FR_OP_VECTOR_NOP;
    case FR_ENGINE_STORE:
      return FR_OP_STORE_NOP;
    case FR_ENGINE_COLLECTIVE:
      return FR_OP_COLLECTIVE_NOP;
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

/// Commands of one cluster, in the order in which they are added.
class CommandEmitter {
 public:
  CommandEmitter(const Plan& plan, const Graph& graph, std::uint32_t cluster)
      : plan_(plan),
        graph_(graph),
        model_(plan.model),
        s_(plan.scratch),
        memory_(plan.memory),
        share_(plan.share(cluster)),
        tiles_(plan.tiles(cluster)),
        lane_(plan.memory.lanes[cluster]),
        cluster_(cluster),
        act_(plan.activation_bytes()),
        queries_(plan.attended()) {}

 protected:
  // The chain

  /// Adds a command that follows the last one of the chain.
  template <typename T>
  void link(unsigned opcode, const T& command, Sync sync = {}, const std::vector<Patch>& patches = {}) {
    join(opcode, sync);
    last_ = out_.add(opcode, command, sync, patches);
  }
  void link_nop(unsigned engine, Sync sync = {}) {
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

  // Chunks: the tokens of one sequence in a step. A program of one sequence has one, in the parameters.

  bool many() const { return plan_.sequences > 1; }
  unsigned first_position() const { return many() ? +chunk_position : +position; }
  unsigned chunk_rows() const { return many() ? +chunk_tokens : +tokens; }
  /// What `body` adds, as often as the register `times` says; it begins with a command of `engine`. `sync` is
  /// before the first.
  template <typename Body>
  void repeat(unsigned engine, unsigned counter, unsigned times, const Body& body, Sync sync = {}) {
    link_nop(engine, std::move(sync));
    hand_over(engine);
    out_.begin_loop(counter, 0, {FR_PATCH(fr_loop, count, times, 1)});
    body();
    hand_over(engine);
    out_.end_loop();
    link_nop(engine);
  }
  /// The same for each chunk of a step.
  template <typename Body>
  void for_chunks(unsigned engine, const Body& body, Sync sync = {}) {
    fr_read read{};
    read.address = memory_.chunks;
    read.rd = chunk_position;
    read.count = sizeof(fr_chunk) / 8;
    const auto of_chunk = [&] {
      out_.add(FR_OP_READ, read, {}, {FR_PATCH(fr_read, address, chunk, sizeof(fr_chunk))});
      body();
    };
    repeat(engine, chunk, chunks, of_chunk, std::move(sync));
  }
  /// Moves an operand to the chunk's row of a matrix with this stride.
  static Patch at_row(std::size_t offset, std::uint64_t stride) {
    return {offset, sizeof(fr_vector::a), chunk_row, narrow(stride)};
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
  /// Into the next slot; unless a load before has taken it.
  void ring_load(const fr_copy& copy, std::vector<Patch> patches, bool takes = true) {
    patches.push_back(FR_PATCH(fr_copy, local, load_slot, 1));
    out_.add(FR_OP_LOAD, copy, takes ? Sync{{{ring_free, 1}}, {{ring_full, 1}}} : Sync{{}, {{ring_full, 1}}},
             patches);
    advance(load_slot);
  }
  /// The next tile of weights, whose parts the lane spreads over memory.
  fr_copy tile_copy(std::uint64_t bytes) const {
    auto c = run_of(lane_.base, s_.ring, lane_.part_bytes(bytes));
    c.size1 = u32(lane_.linear() ? 1 : lane_.width);
    c.local_stride1 = narrow(c.bytes);
    c.global_stride1 = static_cast<std::int64_t>(lane_.step);
    c.size2 = u32(lane_.rounds(bytes));
    c.local_stride2 = narrow(std::uint64_t{c.bytes} * c.size1);
    c.global_stride2 = static_cast<std::int64_t>(lane_.stride);
    return c;
  }
  void load_weights(std::uint64_t bytes) {
    ring_load(tile_copy(bytes), {FR_PATCH(fr_copy, global, weight_offset, 1)});
    out_.scalar(FR_SCALAR_ADD, weight_offset, weight_offset, none,
                static_cast<std::int64_t>(lane_.advance(bytes)));
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
  bool alone() const { return plan_.clusters == 1 && plan_.devices == 1; }
  Patch rows_patch(unsigned rows) const { return FR_PATCH(fr_vector, rows, rows, 1); }

  /// `product` = a x weights for `rows` rows (a register); a and the result begin at row 0.
  /// `at` moves `a`, where it is the operand as it is.
  void project(const std::vector<WeightTile>& tiles, const Matrix& a, std::uint64_t inputs,
               std::uint64_t columns, unsigned rows, std::uint32_t scales, bool scales_by_layer,
               std::optional<std::uint32_t> bias = std::nullopt, const std::vector<Patch>& at = {}) {
    if (columns == 0) return;
    const auto result = product(columns);
    const auto operand = as_operand(a, inputs, rows);
    for (const auto& tile_range : tiles) {
      load_weights(plan_.tile_bytes(tile_range));
      multiply_tile(tile_range, operand, result, rows, at, inputs);
    }
    scale_product(result, columns, rows, scales, scales_by_layer);
    if (bias) {
      auto v = vector(FR_VECTOR_ADD, columns, result, result);
      set_b(v, {s_.constants + *bias, 0, FR_TYPE_F32});
      link(FR_OP_VECTOR, v, {}, {rows_patch(rows), FR_PATCH(fr_vector, b, constants_now, 1)});
    }
  }
  /// Row by row in the format that projections read.
  Matrix as_operand(const Matrix& a, std::uint64_t inputs, unsigned rows) {
    const auto& n = plan_.numerics;
    if (!n.quantises()) return a;
    const Matrix to{s_.quantised, ip::row_bytes(n.operand, inputs), n.operand};
    auto q = vector(n.block_scales ? FR_VECTOR_QUANTIZE_MX : FR_VECTOR_QUANTIZE, inputs, a, to);
    const unsigned scales = n.block_scales ? FR_TYPE_E8M0 : FR_TYPE_F32;
    set_c(q, {s_.row_scales, operand_scale_bytes(inputs), scales});
    link(FR_OP_VECTOR, q, {}, {rows_patch(rows)});
    return to;
  }
  /// Of a row.
  std::uint64_t operand_scale_bytes(std::uint64_t inputs) const {
    return plan_.numerics.block_scales ? divide_up(inputs, plan_.numerics.group) : 4;
  }
  /// By the scales of tokens and outputs, where there are such.
  void scale_product(const Matrix& result, std::uint64_t columns, unsigned rows, std::uint32_t scales,
                     bool scales_by_layer) {
    const auto& n = plan_.numerics;
    if (!n.token_scales && !n.output_scales) return;
    const bool both = n.token_scales && n.output_scales;
    auto v = vector(both ? FR_VECTOR_DEQUANTIZE : FR_VECTOR_MUL, columns, {result.at, result.stride, n.sum()},
                    result);
    std::vector<Patch> patches{rows_patch(rows)};
    if (n.token_scales) set_b(v, {s_.row_scales, 4, FR_TYPE_F32});
    if (n.token_scales && !both) v.flags = FR_VECTOR_FLAG_B_SCALAR;
    if (n.output_scales) {
      const Matrix of_outputs{scales, 0, FR_TYPE_F32};
      if (both)
        set_c(v, of_outputs);
      else
        set_b(v, of_outputs);
      if (scales_by_layer)
        patches.push_back(both ? FR_PATCH(fr_vector, c, constants_now, 1)
                               : FR_PATCH(fr_vector, b, constants_now, 1));
    }
    link(FR_OP_VECTOR, v, {}, patches);
  }
  static std::optional<std::uint32_t> bias_of(const Operator& op, std::uint32_t at) {
    return op.bias ? std::optional(at) : std::nullopt;
  }
  /// Operands with scales of blocks have `inputs` columns in all.
  void multiply_tile(const WeightTile& tile_range, const Matrix& a, const Matrix& result, unsigned rows,
                     std::vector<Patch> patches = {}, std::uint64_t inputs = 0) {
    auto m = tile_product(tile_range, s_.ring);
    m.a = a.at + u32(ip::row_bytes(a.type, tile_range.k.begin));
    m.a_stride = narrow(a.stride);
    m.a_type = static_cast<std::uint8_t>(a.type);
    m.c = result.at + u32(tile_range.n.begin * 4);
    m.c_stride = narrow(result.stride);
    m.c_type = static_cast<std::uint8_t>(plan_.numerics.sum());
    if (plan_.numerics.block_scales) {
      m.a_scale = s_.row_scales + u32(tile_range.k.begin / m.group);
      m.a_scale_stride = narrow(operand_scale_bytes(inputs));
      m.a_scale_type = FR_TYPE_E8M0;
    }
    const Sync sync{{{ring_full, 1}}, {{ring_free, 1}}};
    patches.push_back(FR_PATCH(fr_matmul, b, use_slot, 1));
    patches.push_back(FR_PATCH(fr_matmul, m, rows, 1));
    if (m.b_scale_type != FR_NO_TYPE) patches.push_back(FR_PATCH(fr_matmul_scaled, b_scale, use_slot, 1));
    if (m.group != 0)
      link(FR_OP_MATMUL_SCALED, m, sync, patches);
    else
      link(FR_OP_MATMUL, unscaled(m), sync, patches);
    advance(use_slot);
  }
  /// What a tile of weights at `at` says of a product: all of B. Without scales `group` is 0.
  fr_matmul_scaled tile_product(const WeightTile& tile_range, std::uint32_t at) const {
    const auto& n = plan_.numerics;
    const auto format = plan_.tile_format();
    auto m = without_scales();
    m.b = at;
    m.b_stride = narrow(format.row_bytes(tile_range.n.size()));
    m.b_type = static_cast<std::uint8_t>(n.weight);
    m.n = u32(tile_range.n.size());
    m.k = u32(tile_range.k.size());
    m.flags = tile_range.first_k() ? 0 : FR_MATMUL_ACCUMULATE;
    if (n.scales_groups()) m.group = n.group;
    if (n.group_scale != FR_NO_TYPE) {
      m.b_scale = at + u32(format.scale_offset(tile_range.k.size(), tile_range.n.size()));
      m.b_scale_stride = narrow(tile_range.n.size() * format.scale_bytes);
      m.b_scale_type = static_cast<std::uint8_t>(n.group_scale);
    }
    return m;
  }
  static fr_matmul_scaled without_scales() {
    fr_matmul_scaled m{};
    m.a_scale_type = m.b_scale_type = m.b_zero_type = FR_NO_TYPE;
    return m;
  }
  /// The same product as a command without scales, whose fields are the first of those with.
  static fr_matmul unscaled(const fr_matmul_scaled& m) {
    fr_matmul plain{};
    std::memcpy(&plain, &m, sizeof plain);
    return plain;
  }

  /// Own columns to `to` in the scratchpads of all clusters, which get all columns: [tokens][width]. `own`
  /// holds this cluster's, [tokens][share]. What comes next in the chain is of `engine`. Between devices the
  /// columns go through `buffer` in their memories. Alone, nothing moves and the result is `own`. Another
  /// number of rows may be in a register, and another one may move `to` and `buffer`.
  Matrix exchange(Semaphore posted, const Matrix& own, Range columns, std::uint64_t width, std::uint32_t to,
                  std::uint64_t buffer, unsigned contributors, unsigned engine, unsigned row_count = tokens,
                  std::optional<unsigned> moved = std::nullopt) {
    if (alone()) return own;
    const auto element = ip::element_bytes(own.type);
    const Matrix all{to, width * element, own.type};
    if (plan_.devices > 1) {
      auto c = all_gather(posted, own, columns, width, buffer, contributors);
      c.read = buffer;
      c.result = to;
      c.result_stride = narrow(width * element);
      c.slots = plan_.symmetric ? plan_.devices : 0;
      c.slot_bytes = u32(width * element / std::max(1u, c.slots));
      std::vector<Patch> patches{FR_PATCH(fr_collective, rows, row_count, 1)};
      if (moved) {
        patches.push_back(FR_PATCH(fr_collective, global, *moved, 1));
        patches.push_back(FR_PATCH(fr_collective, read, *moved, 1));
        patches.push_back(FR_PATCH(fr_collective, result, *moved, 1));
      }
      link(FR_OP_ALL_GATHER, c, {}, patches);
      if (plan_.launches) link_nop(FR_ENGINE_LOAD);
      return all;
    }
    // A post by the window reaches this cluster too.
    const auto done = plan_.everyone ? Sync{} : Sync{{}, {{posted, 1}}};
    if (columns.empty()) {
      link_nop(FR_ENGINE_STORE,
               done);  // it posts nevertheless, for it says that it has used what was there before
    } else {
      auto store = run_of(to + columns.begin * element, own.at, columns.size() * element);
      store.size1 = 0;
      store.local_stride1 = narrow(own.stride);
      store.global_stride1 = static_cast<std::int64_t>(width * element);
      const auto put = [&](std::uint64_t window, std::uint32_t count, const Sync& sync) {
        auto c = store;
        c.global += window;
        c.size2 = count;
        c.global_stride2 = static_cast<std::int64_t>(chip::address_map::scratchpad_stride);
        std::vector<Patch> patches{FR_PATCH(fr_copy, size1, row_count, 1)};
        if (moved) patches.push_back(FR_PATCH(fr_copy, global, *moved, 1));
        link(FR_OP_STORE, c, sync, patches);
      };
      if (plan_.everyone) {
        put(plan_.everyone->scratchpads, 1, done);
      } else {  // each cluster begins with the one behind it, so that they do not all write to the same one
        const auto behind = plan_.clusters - cluster_ - 1;
        if (behind > 0) put(chip::address_map::scratchpad(cluster_ + 1), behind, {});
        put(chip::address_map::scratchpad(0), cluster_ + 1, done);
      }
    }
    post_all(posted);
    link_when(plan_.launches ? +FR_ENGINE_LOAD : engine, posted, plan_.clusters);
    if (plan_.launches) link_nop(engine);
    return all;
  }
  /// Of own columns between all devices, without what is to be read. A cluster without columns posts only
  /// where all clusters are `contributors`: then it says that it has used what was there before. Where all
  /// devices do the same, each puts its columns where they are as far from the receiver's as the devices are;
  /// otherwise in their place.
  fr_collective all_gather(Semaphore posted, const Matrix& own, Range columns, std::uint64_t width,
                           std::uint64_t buffer, unsigned contributors) const {
    const auto element = ip::element_bytes(own.type);
    const auto slot = plan_.symmetric ? width / plan_.devices : 0;
    fr_collective c{};
    c.global = buffer + (columns.begin - plan_.device * slot) * element;
    c.window = chip::address_map::devices;
    c.window_stride = chip::address_map::device_stride;
    c.row_stride = static_cast<std::int64_t>(width * element);
    c.slot_stride = static_cast<std::int64_t>(slot * element);
    c.post = chip::address_map::cluster_registers(0) + FR_CLUSTER_POST;
    c.post_stride = chip::address_map::cluster_stride;
    c.post_count = columns.empty() && contributors < plan_.shares.size() ? 0 : plan_.clusters;
    c.semaphore = posted;
    c.wait = contributors;
    c.members = plan_.devices;
    c.columns = plan_.columns;
    c.own = plan_.device;
    c.bytes = u32(columns.size() * element);
    c.source = own.at;
    c.source_stride = narrow(own.stride);
    return c;
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
  /// To all clusters that take part; to this one only by a window.
  void post_all(Semaphore posted) {
    if (!plan_.everyone) return post(posted, 0, plan_.clusters, cluster_);
    out_.add(FR_OP_POST, post_to(*plan_.everyone, posted));
  }
  /// Goes on with `engine` when so many have posted; a count has eight bits.
  void link_when(unsigned engine, Semaphore posted, unsigned count) {
    for (; count > 255; count -= 255) link_nop(engine, {{{posted, 255}}, {}});
    link_nop(engine, {{{posted, static_cast<std::uint8_t>(count)}}, {}});
  }
  /// A wait for many posts: all but the last 255 by loads of nothing.
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

  const Plan& plan_;
  const Graph& graph_;
  const ModelConfig& model_;
  const Scratch& s_;
  const Memory& memory_;
  const Share& share_;
  const Projections& tiles_;
  const Lane& lane_;
  std::uint32_t cluster_;
  std::uint64_t act_, queries_;
  StreamBuilder out_;
  unsigned engine_ = FR_ENGINE_COMMAND;  // of the chain's last command; COMMAND before the first
  std::size_t last_ = 0;
  bool handed_over_ = false;
  std::uint32_t tag_ = 0;
};

}  // namespace forerun::models::emission
