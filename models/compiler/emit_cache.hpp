// SPDX-License-Identifier: Apache-2.0
/// Loads and stores of cached keys and values. Private to emit.cpp.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "models/compiler/emit_commands.hpp"

namespace forerun::models::emission {

class CacheEmitter : public CommandEmitter {
 public:
  using CommandEmitter::CommandEmitter;

 protected:
  enum class Kind : std::uint64_t { keys, values };

  bool scaled() const { return plan_.numerics.cache_scales; }
  bool lies_near() const { return plan_.cache.near; }
  bool paged() const { return plan_.cache.page != 0; }
  /// Attention goes over a part of the context only.
  bool in_parts() const { return plan_.cache.parts > 1; }
  /// The number of this cluster's part.
  std::uint32_t part() const { return cluster_ % plan_.cache.parts; }
  /// Earlier positions that this cluster attends to.
  unsigned past() const { return in_parts() ? +own_past : first_position(); }

  /// Of the layer and the chunk's sequence; pages are found by themselves.
  void find_cache() {
    out_.scalar(FR_SCALAR_MUL, cache_offset, layer, none, static_cast<std::int64_t>(plan_.kv_layer_bytes()));
    if (paged()) return;
    out_.scalar(FR_SCALAR_MUL, scratch_register, chunk_sequence, none,
                static_cast<std::int64_t>(plan_.kv_sequence_bytes()));
    out_.scalar(FR_SCALAR_ADD, cache_offset, cache_offset, scratch_register, 0);
  }
  /// Rows of the cache to their scales.
  void set_scale_offset() {
    if (!scaled()) return;
    out_.scalar(FR_SCALAR_DIV, scale_offset, cache_offset, none,
                static_cast<std::int64_t>(plan_.cache_row_bytes()));
    out_.scalar(FR_SCALAR_MUL, scale_offset, scale_offset, none, 4);
  }
  /// Of the positions before a chunk those of the own part, and their tiles.
  void find_past() {
    if (!in_parts()) return;
    const auto round = static_cast<std::int64_t>(plan_.cache.round_rows()), cycle = round * plan_.cache.parts;
    out_.scalar(FR_SCALAR_DIV, own_past, first_position(), none, cycle);
    out_.scalar(FR_SCALAR_MUL, own_past, own_past, none, round);
    out_.scalar(FR_SCALAR_MOD, scratch_register, first_position(), none, cycle);
    out_.scalar(FR_SCALAR_SUB, scratch_register, scratch_register, none, part() * round);
    out_.scalar(FR_SCALAR_MAX, scratch_register, scratch_register, none, 0);
    out_.scalar(FR_SCALAR_MIN, scratch_register, scratch_register, none, round);
    out_.scalar(FR_SCALAR_ADD, own_past, own_past, scratch_register, 0);
    out_.scalar(FR_SCALAR_CEIL_DIV, tiles, own_past, none, plan_.cache_tile);
  }

  bool has_windows() const {
    return std::any_of(model_.windows.begin(), model_.windows.end(), [](auto w) { return w != 0; });
  }
  /// Probabilities times the scales of the values that they weigh, from the first position on.
  fr_vector scale_probabilities(std::uint32_t scales) const {
    const Matrix probabilities{s_.scores, s_.score_stride, plan_.numerics.activation};
    auto v = vector(FR_VECTOR_MUL, 0, probabilities, probabilities);
    set_b(v, {scales, 0, FR_TYPE_F32});
    return v;
  }
  void link_product(const fr_matmul_scaled& m, const Sync& sync, const std::vector<Patch>& patches) {
    if (m.group != 0)
      link(FR_OP_MATMUL_SCALED, m, sync, patches);
    else
      link(FR_OP_MATMUL, unscaled(m), sync, patches);
  }
  /// `product` with each tile of the cache in turn as B. Scales of its rows (group) belong to the product,
  /// others to the probabilities.
  void over_cache(Kind kind, std::uint64_t scales, std::uint64_t g, fr_matmul_scaled product,
                  std::int32_t rows, std::vector<Patch> patches) {
    const auto row = plan_.cache_row_bytes();
    const bool by_vector = scaled() && product.group == 0;
    link_nop(by_vector ? FR_ENGINE_VECTOR : FR_ENGINE_TENSOR);
    if (by_vector) hand_over(FR_ENGINE_VECTOR);
    out_.begin_loop(tile, 0, {FR_PATCH(fr_loop, count, tiles, 1)});
    out_.scalar(FR_SCALAR_MUL, scratch_register, tile, none, plan_.cache_tile);
    if (has_windows()) out_.scalar(FR_SCALAR_ADD, scratch_register, scratch_register, first_cached, 0);
    out_.scalar(FR_SCALAR_SUB, tile_positions, past(), scratch_register, 0);
    out_.scalar(FR_SCALAR_MIN, tile_positions, tile_positions, none, plan_.cache_tile);
    out_.scalar(FR_SCALAR_MIN, carry, tile, none, 1);
    const auto scales_at = s_.ring + u32(plan_.cache_tile * row);
    Sync full{{{ring_full, 1}}, {}};
    const auto head = g - plan_.kv_heads.begin;
    if (scaled()) {  // they come first: the load of the tile takes the slot and moves on
      out_.add(FR_OP_LOAD, run_of(scales + head * plan_.kv_head_scale_bytes(), scales_at, 0),
               {{{ring_free, 1}}, {{ring_full, 1}}},
               {FR_PATCH(fr_copy, global, scale_offset, 1), FR_PATCH(fr_copy, global, scratch_register, 4),
                FR_PATCH(fr_copy, bytes, tile_positions, 4), FR_PATCH(fr_copy, local, load_slot, 1)});
    }
    const auto loads = load_tile(kind, lies_near() ? g - share_.kv_heads.begin : head, !scaled());
    full.wait.front().count = static_cast<std::uint8_t>(loads + (scaled() ? 1 : 0));
    if (by_vector)
      link(FR_OP_VECTOR, scale_probabilities(scales_at), std::exchange(full, {}),
           {FR_PATCH(fr_vector, rows, chunk_rows(), rows), FR_PATCH(fr_vector, cols, tile_positions, 1),
            FR_PATCH(fr_vector, a, scratch_register, narrow(act_)),
            FR_PATCH(fr_vector, d, scratch_register, narrow(act_)), FR_PATCH(fr_vector, b, use_slot, 1)});
    product.b = s_.ring;
    product.b_scale = scales_at;
    patches.push_back(FR_PATCH(fr_matmul, m, chunk_rows(), rows));
    patches.push_back(FR_PATCH(fr_matmul, b, use_slot, 1));
    if (product.group != 0) patches.push_back(FR_PATCH(fr_matmul_scaled, b_scale, use_slot, 1));
    full.signal.push_back({ring_free, 1});
    link_product(product, full, patches);
    if (by_vector) hand_over(FR_ENGINE_VECTOR);
    advance(use_slot);
    out_.end_loop();
    if (by_vector) link_nop(FR_ENGINE_VECTOR);
  }

  /// `tile_positions` rows from the one in `scratch_register` on into the next slot. Returns how often that
  /// signals that the ring is full.
  std::uint8_t load_tile(Kind kind, std::uint64_t head, bool takes) {
    const auto row = plan_.cache_row_bytes();
    if (lies_near()) return load_near_tile(kind, head, row);
    ring_load(
        run_of((kind == Kind::keys ? memory_.keys : memory_.values) + head * plan_.kv_head_bytes(), s_.ring,
               0),
        {FR_PATCH(fr_copy, global, cache_offset, 1), FR_PATCH(fr_copy, global, scratch_register, narrow(row)),
         FR_PATCH(fr_copy, bytes, tile_positions, narrow(row))},
        takes);
    return 1;
  }

  void store_cache() {
    const auto stored = share_.stored_kv_heads;
    if (stored.empty()) return;
    if (lies_near()) {
      out_.add(FR_OP_STORE_NOP, {{{values_made, 1}}, {}});
      store_near();
      out_.add(FR_OP_STORE_NOP, {{}, {{values_stored, 1}}});
      return;
    }
    const auto store = [&](std::uint32_t from, std::uint64_t to, std::uint64_t row, std::uint64_t head,
                           unsigned offset, const Sync& sync) {
      const auto first = stored.begin - share_.kv_heads.begin;
      auto c = run_of(to + (stored.begin - plan_.kv_heads.begin) * head,
                      from + u32(first * plan_.max_chunk * row), 0);
      c.size1 = u32(stored.size());
      c.local_stride1 = narrow(plan_.max_chunk * row);
      c.global_stride1 = static_cast<std::int64_t>(head);
      out_.add(
          FR_OP_STORE, c, sync,
          {FR_PATCH(fr_copy, bytes, chunk_rows(), narrow(row)),
           FR_PATCH(fr_copy, global, first_position(), narrow(row)), FR_PATCH(fr_copy, global, offset, 1)});
    };
    const auto row = plan_.cache_row_bytes();
    const bool values = !model_.is_latent();  // else they are a part of the keys
    store(
        s_.keys, memory_.keys, row, plan_.kv_head_bytes(), cache_offset,
        {{{values_made, 1}}, values ? decltype(Sync::signal){} : decltype(Sync::signal){{values_stored, 1}}});
    if (scaled()) {
      store(s_.key_scales, memory_.key_scales, 4, plan_.kv_head_scale_bytes(), scale_offset, {});
      store(s_.value_scales, memory_.value_scales, 4, plan_.kv_head_scale_bytes(), scale_offset, {});
    }
    if (values)
      store(s_.values, memory_.values, row, plan_.kv_head_bytes(), cache_offset, {{}, {{values_stored, 1}}});
  }

  /// Keys and values of all own heads, piece by piece; of the pieces those of the own part.
  void store_near() {
    constexpr unsigned first_piece = round_first, piece_count = round_experts, piece = round_rows,
                       from = expert_nth, rows = list_offset, piece_round = experts_listed,
                       piece_port = experts_together, page = round_buffer;
    const auto& cache = plan_.cache;
    const auto& lane = cache.lanes[cluster_];
    const auto row = plan_.cache_row_bytes();
    const auto piece_rows = static_cast<std::int64_t>(cache.piece_rows),
               width = static_cast<std::int64_t>(lane.width), parts = std::int64_t{cache.parts};
    out_.scalar(FR_SCALAR_DIV, first_piece, first_position(), none, piece_rows);
    out_.scalar(FR_SCALAR_ADD, piece_count, first_position(), chunk_rows(), -1);
    out_.scalar(FR_SCALAR_DIV, piece_count, piece_count, none, piece_rows);
    out_.scalar(FR_SCALAR_SUB, piece_count, piece_count, first_piece, -1);
    out_.begin_loop(tile, 0, {FR_PATCH(fr_loop, count, piece_count, 1)});
    out_.scalar(FR_SCALAR_ADD, piece, first_piece, tile, 0);
    out_.scalar(FR_SCALAR_MUL, from, piece, none, piece_rows);
    out_.scalar(FR_SCALAR_ADD, scratch_register, from, none, piece_rows);
    out_.scalar(FR_SCALAR_ADD, rows, first_position(), chunk_rows(), 0);
    out_.scalar(FR_SCALAR_MIN, rows, rows, scratch_register, 0);
    out_.scalar(FR_SCALAR_MAX, from, from, first_position(), 0);
    out_.scalar(FR_SCALAR_SUB, rows, rows, from, 0);
    if (in_parts()) {
      out_.scalar(FR_SCALAR_DIV, scratch_register, piece, none, width);
      out_.scalar(FR_SCALAR_MOD, scratch_register, scratch_register, none, parts);
      out_.scalar(FR_SCALAR_EQUAL, scratch_register, scratch_register, none, part());
      out_.scalar(FR_SCALAR_MUL, rows, rows, scratch_register, 0);
    }
    if (paged()) {
      const auto pieces = std::int64_t{cache.page} / piece_rows;
      out_.scalar(FR_SCALAR_DIV, page, piece, none, pieces);
      read_page(page, page);
      out_.scalar(FR_SCALAR_MOD, piece_round, piece, none, pieces);
      out_.scalar(FR_SCALAR_DIV, piece_round, piece_round, none, width * parts);
    } else {
      out_.scalar(FR_SCALAR_DIV, piece_round, piece, none, width * parts);
    }
    out_.scalar(FR_SCALAR_MOD, piece_port, piece, none, width);
    out_.scalar(FR_SCALAR_SUB, scratch_register, from, first_position(), 0);
    out_.scalar(FR_SCALAR_MOD, from, from, none, piece_rows);
    auto c = run_of(lane.base, s_.keys, 0);
    c.size1 = u32(share_.kv_heads.size());
    c.local_stride1 = narrow(plan_.max_chunk * row);
    c.global_stride1 = static_cast<std::int64_t>(2 * cache.head_bytes);
    c.size2 = 2;
    c.local_stride2 = static_cast<std::int32_t>(s_.values) - static_cast<std::int32_t>(s_.keys);
    c.global_stride2 = static_cast<std::int64_t>(cache.head_bytes);
    std::vector<Patch> patches{FR_PATCH(fr_copy, bytes, rows, narrow(row)),
                               FR_PATCH(fr_copy, global, cache_offset, 1),
                               FR_PATCH(fr_copy, global, piece_round, narrow(lane.stride)),
                               FR_PATCH(fr_copy, global, piece_port, narrow(lane.step)),
                               FR_PATCH(fr_copy, global, from, narrow(row)),
                               FR_PATCH(fr_copy, local, scratch_register, narrow(row))};
    if (paged()) patches.push_back(FR_PATCH(fr_copy, global, page, narrow(plan_.kv_sequence_bytes())));
    if (in_parts() && many()) patches.push_back(FR_PATCH(fr_copy, local, chunk_row, narrow(row)));
    out_.add(FR_OP_STORE, c, {}, patches);
    out_.end_loop();
  }

 private:
  /// The number of the chunk's page whose place in its table `index` is, into `page`.
  void read_page(unsigned page, unsigned index) {
    fr_read read{};
    read.address = memory_.page_table;
    read.rd = page;
    read.count = 1;
    std::vector<Patch> patches{FR_PATCH(fr_read, address, index, sizeof(std::uint64_t))};
    if (many())
      patches.push_back(FR_PATCH(fr_read, address, chunk_sequence, narrow(plan_.page_table_bytes())));
    out_.add(FR_OP_READ, read, {}, patches);
  }
  /// Whole rounds of pieces, whole pieces of the last round, rows of the last piece.
  std::uint8_t load_near_tile(Kind kind, std::uint64_t head, std::uint64_t row) {
    // Registers of experts, which come behind attention.
    constexpr unsigned first_round = round_first, full_rounds = round_experts, full_pieces = round_rows,
                       last_rows = expert_nth;
    const auto& cache = plan_.cache;
    const auto& lane = cache.lanes[cluster_];
    const auto used = cache.piece_rows * row;  // of a piece
    const auto round = static_cast<std::int64_t>(cache.round_rows());
    const auto base = lane.base + (2 * head + static_cast<std::uint64_t>(kind)) * cache.head_bytes;
    std::vector<Patch> at{FR_PATCH(fr_copy, global, cache_offset, 1),
                          FR_PATCH(fr_copy, global, first_round, narrow(lane.stride)),
                          FR_PATCH(fr_copy, local, load_slot, 1)};
    if (paged()) {
      constexpr unsigned page = experts_listed;
      const auto own = std::int64_t{cache.page} / cache.parts;
      out_.scalar(FR_SCALAR_DIV, first_round, scratch_register, none, own);
      read_page(page, first_round);
      at.push_back(FR_PATCH(fr_copy, global, page, narrow(plan_.kv_sequence_bytes())));
      out_.scalar(FR_SCALAR_MOD, first_round, scratch_register, none, own);
      out_.scalar(FR_SCALAR_DIV, first_round, first_round, none, round);
    } else {
      out_.scalar(FR_SCALAR_DIV, first_round, scratch_register, none, round);
    }
    out_.scalar(FR_SCALAR_DIV, full_rounds, tile_positions, none, round);
    const auto load = [&](std::uint64_t bytes, std::vector<Patch> sizes, Sync sync) {
      auto c = run_of(base, s_.ring, bytes);
      c.local_stride1 = narrow(used);
      c.global_stride1 = static_cast<std::int64_t>(lane.step);
      c.local_stride2 = narrow(used * lane.width);
      c.global_stride2 = static_cast<std::int64_t>(lane.stride);
      for (const auto& patch : sizes)
        if (patch.offset == offsetof(fr_copy, size1))
          c.size1 = 0;
        else if (patch.offset == offsetof(fr_copy, size2))
          c.size2 = 0, c.size1 = u32(lane.width);
      sizes.insert(sizes.end(), at.begin(), at.end());
      out_.add(FR_OP_LOAD, c, sync, sizes);
    };
    const auto skip = [&](unsigned count, std::uint64_t global, std::uint64_t local) {
      at.push_back(FR_PATCH(fr_copy, global, count, narrow(global)));
      at.push_back(FR_PATCH(fr_copy, local, count, narrow(local)));
    };
    std::uint8_t loads = 2;
    load(used, {FR_PATCH(fr_copy, size2, full_rounds, 1)}, {{{ring_free, 1}}, {{ring_full, 1}}});
    skip(full_rounds, lane.stride, used * lane.width);
    if (lane.width > 1) {
      out_.scalar(FR_SCALAR_DIV, full_pieces, tile_positions, none,
                  static_cast<std::int64_t>(cache.piece_rows));
      out_.scalar(FR_SCALAR_MOD, full_pieces, full_pieces, none, static_cast<std::int64_t>(lane.width));
      load(used, {FR_PATCH(fr_copy, size1, full_pieces, 1)}, {{}, {{ring_full, 1}}});
      skip(full_pieces, lane.step, used);
      ++loads;
    }
    out_.scalar(FR_SCALAR_MOD, last_rows, tile_positions, none, static_cast<std::int64_t>(cache.piece_rows));
    load(0, {FR_PATCH(fr_copy, bytes, last_rows, narrow(row))}, {{}, {{ring_full, 1}}});
    advance(load_slot);
    return loads;
  }
};

}  // namespace forerun::models::emission
