// SPDX-License-Identifier: Apache-2.0
/// Steps of many tokens: operands of projections in memory and in the scratchpad, and how they are quantised.
/// Private to emit.cpp.
#pragma once

#include <optional>
#include <vector>

#include "models/compiler/emit_wide.hpp"

namespace forerun::models::emission {

/// Operands with one scale for each block of inputs are stored as projections read them. Those with one scale
/// for each token need the largest magnitude of the whole row, of which a cluster has a part. Normalised rows
/// are in the clusters' scratchpads when they have told each other the largest magnitudes, together with sums
/// of squares, and are stored quantised. Attention's result and the gated hidden layer are in memory by then,
/// as activations: each cluster quantises a panel when it has come.
class WideOperands : public WideEmitter {
 public:
  using WideEmitter::WideEmitter;

 protected:
  /// An operand in memory, there when the team has posted: [row group][panel][strip][rows][columns of a
  /// strip], behind the strips of a panel in the same way the scales of its blocks, if it has such. A panel
  /// comes in one piece, and what a cluster makes at a time, columns of one strip, is stored in one piece.
  struct Operand {
    std::uint64_t at, width;
    WideSemaphore posted;
    std::uint64_t strip;     ///< columns, which divide panel_depth
    bool quantised = false;  ///< as projections read it; else as activations are
  };
  /// Rows of results in the scratchpad, with those of their scales.
  struct Rows {
    std::uint32_t at;
    std::uint64_t stride;
    std::uint32_t scales = 0;
    std::uint64_t scale_stride = 0;
  };
  /// A copy to memory, and the bytes from a row to the next there.
  struct RowStore {
    fr_copy copy;
    std::uint64_t row;
  };

  const Numerics& numerics() const { return plan_.numerics; }
  unsigned type_of(const Operand& operand) const {
    return operand.quantised ? numerics().operand : numerics().activation;
  }
  bool has_blocks(const Operand& operand) const { return operand.quantised && numerics().block_scales; }
  /// Each cluster quantises what comes of it.
  bool comes_plain(const Operand& operand) const { return numerics().quantises() && !operand.quantised; }
  std::uint64_t element_bytes(const Operand& operand, std::uint64_t columns) const {
    return ip::row_bytes(type_of(operand), columns);
  }
  std::uint64_t scale_bytes_of(const Operand& operand, std::uint64_t columns) const {
    return has_blocks(operand) ? columns / numerics().group : 0;
  }
  /// Of a row of a panel in the scratchpad: elements, then scales.
  std::uint64_t panel_row(const Operand& operand) const {
    return element_bytes(operand, wide().panel_depth) + scale_bytes_of(operand, wide().panel_depth);
  }
  std::uint64_t panels_of(const Operand& operand) const { return wide().panels_of(operand.width); }
  /// Bytes between panels in memory.
  std::uint64_t panel_pitch(const Operand& operand) const {
    return wide().panel_rows() * panel_row(operand) + wide().skew;
  }
  std::uint64_t group_pitch(const Operand& operand) const { return wide().group_pitch(operand.width, act_); }
  std::uint64_t rows_of_group(const Operand& operand) const {
    return operand.at + row_group() * group_pitch(operand);
  }
  /// From a panel to a strip's elements, and to its scales.
  std::uint64_t strip_at(const Operand& operand, std::uint64_t strip) const {
    return strip * wide().panel_rows() * element_bytes(operand, operand.strip);
  }
  std::uint64_t strip_scales_at(const Operand& operand, std::uint64_t strip) const {
    return wide().panel_rows() *
           (element_bytes(operand, wide().panel_depth) + strip * scale_bytes_of(operand, operand.strip));
  }
  /// Copies that store columns of some rows: one for each strip that they reach into, the rows patched in.
  std::vector<RowStore> stores_of(const Operand& operand, Range columns, const Rows& from) const {
    std::vector<RowStore> stores;
    const auto depth = std::uint64_t{wide().panel_depth}, strip = operand.strip;
    const auto add = [&](std::uint64_t to, std::uint32_t local, std::uint64_t bytes, std::uint64_t stride,
                         std::uint64_t row) {
      auto c = run_of(to, local, bytes);
      c.size1 = 0;
      c.local_stride1 = narrow(stride);
      c.global_stride1 = static_cast<std::int64_t>(row);
      stores.push_back({c, row});
    };
    for (auto k = columns.begin; k < columns.end;) {
      const auto end = std::min(columns.end, (k / strip + 1) * strip);
      const auto panel = rows_of_group(operand) + k / depth * panel_pitch(operand);
      const auto number = k % depth / strip, before = k - columns.begin;
      add(panel + strip_at(operand, number) + element_bytes(operand, k % strip),
          from.at + u32(element_bytes(operand, before)), element_bytes(operand, end - k), from.stride,
          element_bytes(operand, strip));
      if (has_blocks(operand))
        add(panel + strip_scales_at(operand, number) + scale_bytes_of(operand, k % strip),
            from.scales + u32(scale_bytes_of(operand, before)), scale_bytes_of(operand, end - k),
            from.scale_stride, scale_bytes_of(operand, strip));
      k = end;
    }
    return stores;
  }
  /// Adds these, the first with the waits and the last with the signals of `sync`.
  void store_all(const std::vector<RowStore>& stores, const Sync& sync, const std::vector<Patch>& patches,
                 bool second = false) {
    for (const auto& s : stores) {
      Sync use;
      if (&s == &stores.front()) use.wait = sync.wait;
      if (&s == &stores.back()) use.signal = sync.signal;
      auto all = patches;
      if (second) all.push_back(FR_PATCH(fr_copy, global, rows0, narrow(s.row)));
      out_.add(FR_OP_STORE, s.copy, use, all);
    }
  }

  // One scale for each token. Of rows, f32 [rows] each: the largest magnitude of own columns, of operands
  // that come plain and of normalised ones; of the columns of an operation; of each column group; the inverse
  // of all columns'; the scales; and these again for the groups of a tile, [rows][groups]. Magnitudes are
  // divided by what becomes the largest element.
  std::uint32_t peaks_at(std::uint32_t i) const { return wide().peaks + i * wide().rows() * 4; }
  std::uint32_t plain_peaks() const { return peaks_at(0); }
  std::uint32_t normalised_peaks() const { return peaks_at(1); }
  std::uint32_t some_peaks() const { return peaks_at(2); }
  std::uint32_t inverse_peaks() const { return peaks_at(3); }
  std::uint32_t token_scales() const { return peaks_at(4); }
  std::uint32_t peaks_of_group(std::uint32_t group, std::uint32_t own) const {
    return group == column_group() ? own : peaks_at(5 + group);
  }
  std::uint32_t group_scales() const { return peaks_at(5 + wide().column_groups); }

  /// Rows of `columns` in blocks with a scale each.
  fr_vector in_blocks(const Matrix& from, std::uint64_t columns, const Rows& to) const {
    auto v = vector(FR_VECTOR_QUANTIZE_MX, columns, from, {to.at, to.stride, numerics().operand});
    set_c(v, {to.scales, to.scale_stride, FR_TYPE_E8M0});
    return v;
  }
  /// One row of as many columns as there are rows.
  fr_vector over_rows(unsigned op, std::uint32_t from, std::uint32_t to) const {
    auto v = vector(op, 0, {from, 0, FR_TYPE_F32}, {to, 0, FR_TYPE_F32});
    v.rows = 1;
    return v;
  }
  static Patch all_columns() { return FR_PATCH(fr_vector, cols, rows, 1); }
  /// So small that no scale is 0.
  void begin_peaks(std::uint32_t peaks) {
    auto v = over_rows(FR_VECTOR_FILL, peaks, peaks);
    v.arg0 = bits(0x1p-100);
    out_.add(FR_OP_VECTOR, v, {}, {all_columns()});
  }
  /// Of `columns` of rows, which are not changed if `junk` is another place.
  fr_vector peaks_of(const Matrix& rows, std::uint64_t columns, const Matrix& junk) const {
    auto v = vector(FR_VECTOR_QUANTIZE, columns, rows, {junk.at, junk.stride, numerics().operand});
    set_c(v, {some_peaks(), 4, FR_TYPE_F32});
    return v;
  }
  /// Those of the last operation, of rows from `first` on.
  void take_peaks(std::uint32_t peaks, std::uint64_t first, unsigned count, bool second, const Sync& sync) {
    const auto at = peaks + u32(first * 4);
    auto v = over_rows(FR_VECTOR_MAX, at, at);
    set_b(v, {some_peaks(), 0, FR_TYPE_F32});
    std::vector<Patch> patches{FR_PATCH(fr_vector, cols, count, 1)};
    if (second)
      patches.insert(patches.end(), {FR_PATCH(fr_vector, a, rows0, 4), FR_PATCH(fr_vector, d, rows0, 4)});
    out_.add(FR_OP_VECTOR, v, sync, patches);
  }
  /// From the scratchpads of the team.
  void load_peaks(std::uint32_t own) {
    for (std::uint32_t g = 0; g < wide().column_groups; ++g)
      if (g != column_group())
        out_.add(FR_OP_LOAD,
                 run_of(chip::address_map::scratchpad(teammate(g)) + own, peaks_of_group(g, own), 0), {},
                 {FR_PATCH(fr_copy, bytes, rows, 4)});
  }
  /// The scales of rows, and their inverses but for `factors`, which rows are multiplied by.
  void find_scales(std::uint32_t own, std::optional<std::uint32_t> factors, Sync sync) {
    const auto all = token_scales();
    out_.add(FR_OP_VECTOR, over_rows(FR_VECTOR_COPY, peaks_of_group(0, own), all), std::exchange(sync, {}),
             {all_columns()});
    for (std::uint32_t g = 1; g < wide().column_groups; ++g) {
      auto v = over_rows(FR_VECTOR_MAX, all, all);
      set_b(v, {peaks_of_group(g, own), 0, FR_TYPE_F32});
      out_.add(FR_OP_VECTOR, v, {}, {all_columns()});
    }
    out_.add(FR_OP_VECTOR, over_rows(FR_VECTOR_RECIPROCAL, all, inverse_peaks()), {}, {all_columns()});
    if (factors) {
      auto v = over_rows(FR_VECTOR_MUL, all, all);
      set_b(v, {*factors, 0, FR_TYPE_F32});
      out_.add(FR_OP_VECTOR, v, {}, {all_columns()});
    }
    if (wide().scale_columns < 2) return;
    const Matrix groups{group_scales(), wide().scale_columns * 4ull, FR_TYPE_F32};
    out_.add(FR_OP_VECTOR, vector(FR_VECTOR_FILL, wide().scale_columns, groups, groups), {}, {all_rows()});
    auto v = vector(FR_VECTOR_MAX, wide().scale_columns, groups, groups);
    set_b(v, {all, 4, FR_TYPE_F32});
    v.flags = FR_VECTOR_FLAG_B_SCALAR;
    out_.add(FR_OP_VECTOR, v, {}, {all_rows()});
  }

  /// What the arrays read of the present operand: panels `pitch` bytes apart.
  struct Form {
    std::uint32_t at = 0, pitch = 0;
    std::uint64_t row = 0;
    unsigned type = 0;
  };
  Form form_of(const Operand& operand) const {
    if (comes_plain(operand))
      return {wide().operands, wide().operand_bytes, ip::row_bytes(numerics().operand, wide().panel_depth),
              numerics().operand};
    return {wide().panels, wide().panel_bytes, panel_row(operand), type_of(operand)};
  }
  void multiply(const Unit& unit, const Form& a, Sync sync) {
    const auto& n = numerics();
    auto m = tile_product(unit.tile, slot_at(unit));
    const auto panel = a.at + u32(unit.panel % Wide::panel_count * a.pitch);
    const auto k = unit.tile.k.begin % wide().panel_depth;
    m.a = panel + u32(ip::row_bytes(a.type, k));
    m.a_stride = narrow(a.row);
    m.a_type = static_cast<std::uint8_t>(a.type);
    m.c = unit.sums.at, m.c_stride = narrow(unit.sums.stride), m.c_type = FR_TYPE_F32;
    // One scale for all groups of inputs, or for all inputs of the tile.
    if (m.group == 0 && (n.output_scales || n.token_scales)) m.group = m.k;
    if (n.output_scales) {
      m.b_scale = unit.scales;
      m.b_scale_type = FR_TYPE_F32;
    }
    if (n.block_scales) {
      m.a_scale = panel + u32(ip::row_bytes(a.type, wide().panel_depth) + k / n.group);
      m.a_scale_stride = narrow(a.row);
      m.a_scale_type = FR_TYPE_E8M0;
    } else if (n.token_scales) {
      const bool several = wide().scale_columns > 1;
      m.a_scale = several ? group_scales() : token_scales();
      m.a_scale_stride = narrow(several ? wide().scale_columns * 4ull : 4);
      m.a_scale_type = FR_TYPE_F32;
    }
    sync.wait.push_back({tile_full, 1});
    sync.signal.push_back({ends_chain() ? slot_free : tile_used, 1});
    const std::vector<Patch> patches{FR_PATCH(fr_matmul, m, rows, 1)};
    if (m.group != 0)
      out_.add(FR_OP_MATMUL_SCALED, m, sync, patches);
    else
      out_.add(FR_OP_MATMUL, unscaled(m), sync, patches);
    free_slot();
  }
};

}  // namespace forerun::models::emission
