// SPDX-License-Identifier: Apache-2.0
#include "ip/tensor/matmul.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "ip/base/local_range.hpp"
#include "ip/base/numbers.hpp"
#include "ip/base/numbers/microscaling.hpp"
#include "ip/tensor/block_product.hpp"

namespace forerun::ip {
namespace {

constexpr std::uint64_t columns_at_once = 64, panels = columns_at_once / panel_width;
/// k that are multiplied before the next tile's turn: a panel of B then stays in the host's first cache. Sums
/// of so many products of integers (up to 2^7 * 255 each) are below 2^24 and so exact in binary32.
constexpr std::uint64_t k_at_once = 256;
constexpr std::uint64_t k_per_chunk = 128;  ///< k that a transposed B is turned by at once; a multiple of 8

bool is_integer(unsigned type) { return type == FR_TYPE_I8 || type == FR_TYPE_I4; }
bool is_scale(unsigned type) { return is_float_type(type) || type == FR_TYPE_F8E4M3 || type == FR_TYPE_E8M0; }
bool is_operand(unsigned type) { return is_float_type(type) || is_integer(type) || is_mx_element(type); }
bool go_together(unsigned a, unsigned b) {
  return is_float_type(a) || (is_integer(a) ? is_integer(b) : is_mx_element(b));
}

std::uint64_t groups_of(const fr_matmul_scaled& c) {
  return c.group == 0 ? 0 : (std::uint64_t{c.k} + c.group - 1) / c.group;
}

unsigned char* row_of(std::span<unsigned char> memory, std::uint32_t address, std::int32_t stride,
                      std::uint64_t row) {
  return memory.data() + static_cast<std::int64_t>(address) + static_cast<std::int64_t>(row) * stride;
}

/// Something stored as B is: rows of n, or, transposed, n rows; `rows` along k.
struct Stored {
  unsigned type;
  std::uint32_t address;
  std::int32_t stride;
  std::uint64_t rows;
};

/// One command at work: its operands packed for multiply_tile, columns_at_once columns at a time.
class Product {
 public:
  void run(const fr_matmul_scaled& command, std::span<unsigned char> memory);

 private:
  void pack_a();
  void pack_b();
  /// `width_` columns from `first_` on as binary32: to[row * row_stride + panel * panel_stride + column in
  /// panel].
  void read_columns(const Stored& from, float* to, std::uint64_t row_stride, std::uint64_t panel_stride);
  void begin_outputs();
  void multiply(std::uint64_t from, std::uint64_t to);
  void multiply_tile_at(std::uint64_t row, std::uint64_t panel, unsigned side_by_side, std::uint64_t from,
                        std::uint64_t to);
  void end_outputs();

  fr_matmul_scaled c_{};
  std::span<unsigned char> memory_;
  bool integer_ = false, transposed_ = false, carry_ = false, exact_ = false;
  std::uint64_t first_ = 0, width_ = 0, groups_ = 0;
  std::vector<float> a_;         ///< [tile of rows][k][row]
  std::vector<float> b_;         ///< [panel][k][column]
  std::vector<float> a_scales_;  ///< [row][group]
  std::vector<float> b_scales_;  ///< [group][column]
  std::vector<float> zeros_;     ///< [group][column]
  std::vector<float> line_;
  std::vector<float> out_, sums_;                      ///< [row][column]: outputs; sums of the present group
  std::vector<std::uint32_t> whole_out_, whole_sums_;  ///< the same of integers
};

void Product::pack_a() {
  a_.resize(std::uint64_t{c_.m} * c_.k);
  line_.resize(std::max<std::uint64_t>(c_.k, k_per_chunk));
  for (std::uint64_t m = 0; m < c_.m; ++m) {
    const auto tile = m / tile_height * tile_height;
    const auto height = std::min<std::uint64_t>(tile_height, c_.m - tile);
    read_row(c_.a_type, row_of(memory_, c_.a, c_.a_stride, m), line_.data(), c_.k);
    float* to = a_.data() + tile * c_.k + m - tile;
    for (std::uint64_t k = 0; k < c_.k; ++k) to[k * height] = line_[k];
  }
  a_scales_.assign(c_.m * groups_, 1.0F);
  if (present(c_.a_scale_type))
    for (std::uint64_t m = 0; m < c_.m; ++m)
      read_row(c_.a_scale_type, row_of(memory_, c_.a_scale, c_.a_scale_stride, m), &a_scales_[m * groups_],
               groups_);
}

void Product::read_columns(const Stored& from, float* to, std::uint64_t row_stride,
                           std::uint64_t panel_stride) {
  const unsigned bits = element_bits(from.type);
  if (!transposed_) {
    float row[columns_at_once];
    for (std::uint64_t k = 0; k < from.rows; ++k) {
      read_row(from.type, row_of(memory_, from.address, from.stride, k) + first_ * bits / 8, row, width_);
      for (std::uint64_t j = 0; j < width_; j += panel_width)
        std::copy_n(row + j, std::min<std::uint64_t>(panel_width, width_ - j),
                    to + k * row_stride + j / panel_width * panel_stride);
    }
    return;
  }
  float part[k_per_chunk];
  for (std::uint64_t k = 0; k < from.rows; k += k_per_chunk) {
    const auto count = std::min(k_per_chunk, from.rows - k);
    for (std::uint64_t j = 0; j < width_; ++j) {
      read_row(from.type, row_of(memory_, from.address, from.stride, first_ + j) + k * bits / 8, part, count);
      float* column = to + k * row_stride + j / panel_width * panel_stride + j % panel_width;
      for (std::uint64_t i = 0; i < count; ++i) column[i * row_stride] = part[i];
    }
  }
}

void Product::pack_b() {
  const std::uint64_t panel_stride = std::uint64_t{c_.k} * panel_width;
  b_.resize(panel_stride * panels);
  if (width_ < columns_at_once) std::fill(b_.begin(), b_.end(), 0.0F);
  read_columns({c_.b_type, c_.b, c_.b_stride, c_.k}, b_.data(), panel_width, panel_stride);
  b_scales_.assign(groups_ * columns_at_once, 1.0F);
  if (present(c_.b_scale_type))
    read_columns({c_.b_scale_type, c_.b_scale, c_.b_scale_stride, groups_}, b_scales_.data(), columns_at_once,
                 panel_width);
  if (!present(c_.b_zero_type)) return;
  zeros_.assign(groups_ * columns_at_once, 0.0F);
  read_columns({c_.b_zero_type, c_.b_zero, c_.b_zero_stride, groups_}, zeros_.data(), columns_at_once,
               panel_width);
  for (std::uint64_t p = 0; p < panels; ++p)
    for (std::uint64_t k = 0; k < c_.k; ++k) {
      float* to = b_.data() + p * panel_stride + k * panel_width;
      const float* zero = zeros_.data() + k / c_.group * columns_at_once + p * panel_width;
      for (unsigned j = 0; j < panel_width; ++j) to[j] -= zero[j];
    }
}

void Product::begin_outputs() {
  const std::uint64_t count = std::uint64_t{c_.m} * columns_at_once;
  const bool scaled = c_.group != 0, whole = integer_ && !scaled;
  if (integer_ && scaled) whole_sums_.resize(count);
  if (!integer_ && scaled) sums_.resize(count);
  if (whole) whole_out_.assign(count, 0);
  if (!whole) out_.assign(count, 0.0F);
  if (!carry_) return;
  for (std::uint64_t m = 0; m < c_.m; ++m) {
    const auto* from = row_of(memory_, c_.c, c_.c_stride, m) + first_ * 4;
    void* to = whole ? static_cast<void*>(&whole_out_[m * columns_at_once]) : &out_[m * columns_at_once];
    std::memcpy(to, from, width_ * 4);
  }
}

void Product::multiply(std::uint64_t from, std::uint64_t to) {
  const unsigned side_by_side = panels_at_once(c_.m);
  const std::uint64_t used = (width_ + panel_width - 1) / panel_width;
  for (std::uint64_t panel = 0; panel < used; panel += side_by_side)
    for (std::uint64_t row = 0; row < c_.m; row += tile_height)
      multiply_tile_at(row, panel, static_cast<unsigned>(std::min<std::uint64_t>(side_by_side, used - panel)),
                       from, to);
}

void Product::multiply_tile_at(std::uint64_t row, std::uint64_t panel, unsigned side_by_side,
                               std::uint64_t from, std::uint64_t to) {
  const auto height = static_cast<unsigned>(std::min<std::uint64_t>(tile_height, c_.m - row));
  const std::uint64_t panel_stride = std::uint64_t{c_.k} * panel_width, width = side_by_side * panel_width;
  const std::uint64_t at = row * columns_at_once + panel * panel_width;
  const float* a = a_.data() + row * c_.k + from * height;
  const float* b = b_.data() + panel * panel_stride + from * panel_width;
  const bool scaled = c_.group != 0, begins = scaled && from % c_.group == 0;
  const auto clear = [&](auto* sums, std::uint64_t stride) {
    for (unsigned r = 0; r < height; ++r) std::fill_n(sums + r * stride, width, 0);
  };
  if (integer_) {
    auto* sums = (scaled ? whole_sums_ : whole_out_).data() + at;
    if (begins) clear(sums, columns_at_once);
    float part[tile_height * columns_at_once];
    clear(part, width);
    multiply_tile(height, side_by_side, a, b, panel_stride, to - from, part, width);
    for (unsigned r = 0; r < height; ++r) add_whole(part + r * width, sums + r * columns_at_once, width);
  } else {
    auto* sums = (scaled ? sums_ : out_).data() + at;
    if (begins) clear(sums, columns_at_once);
    multiply_tile(height, side_by_side, a, b, panel_stride, to - from, sums, columns_at_once);
  }
  if (!scaled || (to != c_.k && to % c_.group != 0)) return;
  const auto group = from / c_.group;
  for (unsigned r = 0; r < height; ++r) {
    const float row_scale = a_scales_[(row + r) * groups_ + group];
    const float* scales = &b_scales_[group * columns_at_once + panel * panel_width];
    const auto here = at + r * columns_at_once;
    if (integer_)
      add_scaled(&whole_sums_[here], row_scale, scales, exact_, &out_[here], width);
    else
      add_scaled(&sums_[here], row_scale, scales, exact_, &out_[here], width);
  }
}

void Product::end_outputs() {
  const std::uint64_t offset = first_ * element_bytes(c_.c_type);
  for (std::uint64_t m = 0; m < c_.m; ++m) {
    auto* to = row_of(memory_, c_.c, c_.c_stride, m) + offset;
    if (c_.c_type == FR_TYPE_I32)
      std::memcpy(to, &whole_out_[m * columns_at_once], width_ * 4);
    else
      write_row(c_.c_type, &out_[m * columns_at_once], to, width_);
  }
}

void Product::run(const fr_matmul_scaled& command, std::span<unsigned char> memory) {
  c_ = command;
  memory_ = memory;
  integer_ = is_integer(c_.a_type);
  transposed_ = (c_.flags & FR_MATMUL_B_TRANSPOSED) != 0;
  carry_ = (c_.flags & FR_MATMUL_ACCUMULATE) != 0;
  exact_ = (c_.a_scale_type == FR_TYPE_E8M0 || !present(c_.a_scale_type)) &&
           (c_.b_scale_type == FR_TYPE_E8M0 || !present(c_.b_scale_type));
  groups_ = groups_of(c_);
  pack_a();
  for (first_ = 0; first_ < c_.n; first_ += columns_at_once) {
    width_ = std::min<std::uint64_t>(columns_at_once, c_.n - first_);
    pack_b();
    begin_outputs();
    for (std::uint64_t from = 0, to = 0; from < c_.k; from = to) {
      to = std::min<std::uint64_t>(c_.k, from + k_at_once);
      if (groups_ != 0) to = std::min<std::uint64_t>(to, (from / c_.group + 1) * c_.group);
      multiply(from, to);
    }
    end_outputs();
  }
}

}  // namespace

fr_matmul_scaled without_scales(const fr_matmul& command) {
  static_assert(offsetof(fr_matmul_scaled, a_scale) == sizeof(fr_matmul));
  fr_matmul_scaled scaled{};
  std::memcpy(&scaled, &command, sizeof command);  // its first fields
  scaled.a_scale_type = scaled.b_scale_type = scaled.b_zero_type = FR_NO_TYPE;
  return scaled;
}

namespace {

std::optional<LocalFault> bad(std::uint64_t value) { return LocalFault{FR_ERROR_COMMAND, value}; }

std::optional<LocalFault> check_scales(const fr_matmul_scaled& c) {
  if (!present(c.a_scale_type) && !present(c.b_scale_type)) return bad(c.b_scale_type);
  for (const auto type : {c.a_scale_type, c.b_scale_type})
    if (present(type) && !is_scale(type)) return bad(type);
  if (present(c.b_zero_type) && (!is_integer(c.b_zero_type) || !is_integer(c.b_type)))
    return bad(c.b_zero_type);
  const bool mx = c.a_scale_type == FR_TYPE_E8M0 || c.b_scale_type == FR_TYPE_E8M0;
  if (c.group == 0 || (mx && c.group != mx_block)) return bad(c.group);
  if (!is_float_type(c.c_type)) return bad(c.c_type);
  if (c.scale_reserved != 0) return bad(c.scale_reserved);
  return std::nullopt;
}

MatmulRows rows_of_b(const fr_matmul_scaled& c, unsigned type, std::uint32_t address, std::int32_t stride,
                     std::uint64_t along_k) {
  const bool transposed = (c.flags & FR_MATMUL_B_TRANSPOSED) != 0;
  const std::uint64_t rows = transposed ? c.n : along_k, columns = transposed ? along_k : c.n;
  return {address, rows, row_bytes(type, columns), stride};
}

std::optional<LocalFault> check_operands(const fr_matmul_scaled& c, bool scaled, std::uint64_t memory_bytes) {
  if (!is_operand(c.a_type)) return bad(c.a_type);
  if (!is_operand(c.b_type) || !go_together(c.a_type, c.b_type)) return bad(c.b_type);
  if (!scaled && (is_integer(c.a_type) ? c.c_type != FR_TYPE_I32 : !is_float_type(c.c_type)))
    return bad(c.c_type);
  if ((c.flags & ~(FR_MATMUL_B_TRANSPOSED | FR_MATMUL_ACCUMULATE)) != 0) return bad(c.flags);
  if ((c.flags & FR_MATMUL_ACCUMULATE) != 0 && element_bytes(c.c_type) != 4) return bad(c.c_type);
  if (c.m == 0 || c.n == 0) return std::nullopt;
  const auto check = [&](const MatmulRows& r) {
    return check_rows(r.address, r.rows, r.row_bytes, r.stride, memory_bytes);
  };
  for (const auto& source : matmul_sources(c))
    if (const auto fault = check(source)) return fault;
  return check(matmul_result(c));
}

void run(const fr_matmul_scaled& command, std::span<unsigned char> memory) {
  thread_local Product product;
  if (command.m > 0 && command.n > 0) product.run(command, memory);
}

}  // namespace

std::vector<MatmulRows> matmul_sources(const fr_matmul_scaled& c) {
  const auto groups = groups_of(c);
  std::vector<MatmulRows> sources{{c.a, c.m, row_bytes(c.a_type, c.k), c.a_stride},
                                  rows_of_b(c, c.b_type, c.b, c.b_stride, c.k)};
  if (present(c.a_scale_type))
    sources.push_back({c.a_scale, c.m, row_bytes(c.a_scale_type, groups), c.a_scale_stride});
  if (present(c.b_scale_type))
    sources.push_back(rows_of_b(c, c.b_scale_type, c.b_scale, c.b_scale_stride, groups));
  if (present(c.b_zero_type))
    sources.push_back(rows_of_b(c, c.b_zero_type, c.b_zero, c.b_zero_stride, groups));
  return sources;
}

MatmulRows matmul_result(const fr_matmul_scaled& c) {
  return {c.c, c.m, row_bytes(c.c_type, c.n), c.c_stride};
}

std::optional<LocalFault> check_matmul(const fr_matmul& command, std::uint64_t memory_bytes) {
  return check_operands(without_scales(command), false, memory_bytes);
}

std::optional<LocalFault> check_matmul(const fr_matmul_scaled& command, std::uint64_t memory_bytes) {
  if (const auto fault = check_scales(command)) return fault;
  return check_operands(command, true, memory_bytes);
}

void matmul(const fr_matmul& command, std::span<unsigned char> memory) {
  run(without_scales(command), memory);
}
void matmul(const fr_matmul_scaled& command, std::span<unsigned char> memory) { run(command, memory); }

}  // namespace forerun::ip
