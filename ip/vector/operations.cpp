// SPDX-License-Identifier: Apache-2.0
#include "ip/vector/operations.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include "ip/base/local_range.hpp"
#include "ip/base/numbers.hpp"
#include "ip/base/numbers/groups.hpp"
#include "ip/base/numbers/microscaling.hpp"
#include "ip/vector/elementary.hpp"
#include "ip/vector/philox.hpp"
#include "ip/vector/selection.hpp"

namespace forerun::ip {
namespace {

/// One row of a command: its sources as binary32 and the place for its results.
struct Row {
  const fr_vector& command;
  std::uint32_t index;
  const float *a, *b, *c;
  float* d;
  std::uint32_t cols;
  /// QUANTIZE, QUANTIZE_MX: the scales of the row's groups. ONLINE_SOFTMAX: the row's state, as `b` and `c` get
  /// it.
  float* others = nullptr;
};

float arg_float(std::uint32_t bits) { return std::bit_cast<float>(bits); }

template <auto Function>
void unary(Row& row) {
  for (std::uint32_t i = 0; i < row.cols; ++i) row.d[i] = Function(row.a[i]);
}
template <auto Function>
void binary(Row& row) {
  for (std::uint32_t i = 0; i < row.cols; ++i) row.d[i] = Function(row.a[i], row.b[i]);
}

/// x sigmoid(y)
float gated(float x, float y) {
  const float e = exponential(-std::fabs(y));
  return (y >= 0 ? x : x * e) / (1 + e);
}
float silu(float x) { return gated(x, x); }
float gelu(float x) { return 0.5F * x * (1 + error_function(x * 0.70710678F)); }
/// x/2 (1 + tanh(u)) = x sigmoid(2 u)
float gelu_tanh(float x) { return gated(x, 1.5957691F * (x + 0.044715F * x * x * x)); }
float maximum(float a, float b) { return std::isnan(a) || a > b ? a : b; }
float minimum(float a, float b) { return std::isnan(a) || a < b ? a : b; }

/// The sum of f(i) for first <= i < end in the order that the ABI gives.
template <typename F>
float sum_over(std::uint32_t first, std::uint32_t end, F f) {
  constexpr std::uint32_t n = FR_VECTOR_PARTIAL_SUMS;
  float sums[n] = {};
  for (std::uint32_t begin = first; begin < end;) {
    const std::uint32_t stop = std::min(end, (begin / n + 1) * n);
    for (std::uint32_t i = begin; i < stop; ++i) sums[i % n] += f(i);
    begin = stop;
  }
  for (std::uint32_t width = n / 2; width > 0; width /= 2)
    for (std::uint32_t i = 0; i < width; ++i) sums[i] += sums[i + width];
  return sums[0];
}
float sum_of(const Row& row) {
  return sum_over(0, row.cols, [&](std::uint32_t i) { return row.a[i]; });
}
float squares_of(const Row& row) {
  return sum_over(0, row.cols, [&](std::uint32_t i) { return row.a[i] * row.a[i]; });
}
std::uint32_t largest(const Row& row) {
  std::uint32_t best = 0;
  for (std::uint32_t i = 0; i < row.cols; ++i) {
    if (std::isnan(row.a[i])) return i;
    if (row.a[i] > row.a[best]) best = i;
  }
  return best;
}

void softmax(Row& row) {
  const auto& c = row.command;
  const bool all = c.arg0 == 0 && c.arg1 == 0;
  const std::uint64_t wanted =
      all ? row.cols : std::uint64_t{c.arg0} + (c.arg1 != 0 ? row.index % c.arg1 : 0);
  const auto valid = static_cast<std::uint32_t>(std::min<std::uint64_t>(row.cols, wanted));
  const std::uint32_t first = c.arg3 != 0 && valid > c.arg3 ? valid - c.arg3 : 0;
  const float scale = c.arg2 == 0 ? 1.0F : arg_float(c.arg2);
  float top = -INFINITY;
  std::fill(row.d, row.d + first, 0.0F);
  for (std::uint32_t i = first; i < valid; ++i) top = maximum(row.a[i] * scale, top);
  for (std::uint32_t i = first; i < valid; ++i) row.d[i] = exponential(row.a[i] * scale - top);
  const float inverse = 1 / sum_over(first, valid, [&](std::uint32_t i) { return row.d[i]; });
  for (std::uint32_t i = first; i < valid; ++i) row.d[i] *= inverse;
  std::fill(row.d + valid, row.d + row.cols, 0.0F);
}

/// SOFTMAX of a row of which this is one tile, up to the division by the sum (Milakov and Gimelshein 2018; Dao
/// et al. 2022).
void online_softmax(Row& row) {
  const auto& c = row.command;
  const bool begins = (c.flags & FR_VECTOR_FLAG_FIRST) != 0;
  const auto cols = std::int64_t{row.cols};
  const std::int64_t seen = c.arg0 == 0 && c.arg1 == 0
                                ? cols
                                : static_cast<std::int32_t>(c.arg0) +
                                      std::int64_t{c.arg1 != 0 ? row.index % c.arg1 : 0};
  const auto end = static_cast<std::uint32_t>(std::clamp<std::int64_t>(seen, 0, cols));
  const auto first = c.arg3 == 0
                         ? 0u
                         : static_cast<std::uint32_t>(std::clamp<std::int64_t>(seen - c.arg3, 0, end));
  const float scale = c.arg2 == 0 ? 1.0F : arg_float(c.arg2);
  const float before = begins ? -INFINITY : *row.b, sum = begins ? 0.0F : *row.c;
  float top = before;
  for (std::uint32_t i = first; i < end; ++i) top = maximum(row.a[i] * scale, top);
  std::fill(row.d, row.d + row.cols, 0.0F);
  row.others[0] = top, row.others[1] = 1, row.others[2] = sum;
  if (first == end || top == -INFINITY) return;
  for (std::uint32_t i = first; i < end; ++i) row.d[i] = exponential(row.a[i] * scale - top);
  row.others[1] = exponential(before - top);
  row.others[2] = sum * row.others[1] + sum_over(first, end, [&](std::uint32_t i) { return row.d[i]; });
}

void log_softmax(Row& row) {
  float top = -INFINITY;
  for (std::uint32_t i = 0; i < row.cols; ++i) top = maximum(row.a[i], top);
  const float log_sum =
      logarithm(sum_over(0, row.cols, [&](std::uint32_t i) { return exponential(row.a[i] - top); }));
  for (std::uint32_t i = 0; i < row.cols; ++i) row.d[i] = row.a[i] - top - log_sum;
}

void rmsnorm(Row& row) {
  const float mean = squares_of(row) / static_cast<float>(row.cols);
  const float scale = 1 / std::sqrt(mean + arg_float(row.command.arg0));
  for (std::uint32_t i = 0; i < row.cols; ++i) row.d[i] = row.a[i] * scale * row.b[i];
}

void layernorm(Row& row) {
  const float mean = sum_of(row) / static_cast<float>(row.cols);
  const float sum =
      sum_over(0, row.cols, [&](std::uint32_t i) { return (row.a[i] - mean) * (row.a[i] - mean); });
  const float scale = 1 / std::sqrt(sum / static_cast<float>(row.cols) + arg_float(row.command.arg0));
  for (std::uint32_t i = 0; i < row.cols; ++i) row.d[i] = (row.a[i] - mean) * scale * row.b[i] + row.c[i];
}

void rope(Row& row) {
  const std::uint32_t width = row.command.arg0, half = width / 2;
  const bool neighbours = (row.command.flags & FR_VECTOR_FLAG_INTERLEAVED) != 0;
  for (std::uint32_t head = 0; head < row.cols; head += width) {
    for (std::uint32_t i = 0; i < half; ++i) {
      const std::uint32_t p = head + (neighbours ? 2 * i : i), q = head + (neighbours ? 2 * i + 1 : i + half);
      const float x = row.a[p], y = row.a[q];
      row.d[p] = x * row.b[i] - y * row.c[i];
      row.d[q] = x * row.c[i] + y * row.b[i];
    }
  }
}

/// Columns that share a scale: QUANTIZE, QUANTIZE_MX, DEQUANTIZE_GROUPS.
std::uint32_t group_of(const fr_vector& c) {
  if (c.op == FR_VECTOR_QUANTIZE_MX) return mx_block;
  return c.arg0 == 0 ? std::max(c.cols, 1u) : c.arg0;
}
std::uint32_t groups_of(const fr_vector& c) {
  const std::uint64_t group = group_of(c);
  return static_cast<std::uint32_t>((c.cols + group - 1) / group);
}

/// QUANTIZE: what a group's largest magnitude becomes; 0 if the type cannot be quantised to.
float quantize_top(unsigned type) {
  switch (type) {
    case FR_TYPE_I8:
      return 127;
    case FR_TYPE_I4:
      return 7;
    case FR_TYPE_F8E4M3:
      return 448;
    case FR_TYPE_F8E5M2:
      return 57344;
    default:
      return 0;
  }
}

/// Calls `f(group, first column, its columns)` for each group of a row.
template <typename F>
void for_groups(const Row& row, F f) {
  const std::uint32_t width = group_of(row.command);
  for (std::uint32_t group = 0, first = 0; first < row.cols; ++group) {
    const auto count = std::min(width, row.cols - first);
    f(group, first, std::span(row.a + first, count));
    first += count;
  }
}

void quantize(Row& row) {
  const float top = quantize_top(row.command.d_type);
  for_groups(row, [&](std::uint32_t group, std::uint32_t first, std::span<const float> values) {
    const auto by = symmetric_scale(values, top, row.command.c_type);
    row.others[group] = by.scale;
    for (std::size_t i = 0; i < values.size(); ++i) row.d[first + i] = to_steps(values[i], by);
  });
}

void quantize_mx(Row& row) {
  for_groups(row, [&](std::uint32_t group, std::uint32_t first, std::span<const float> values) {
    const auto scale = mx_scale(row.command.d_type, values);
    row.others[group] = from_e8m0(scale);
    mx_divide(scale, values, row.d + first);
  });
}

void dequantize_groups(Row& row) {
  const bool zeros = (row.command.flags & FR_VECTOR_FLAG_ZERO_POINTS) != 0;
  for_groups(row, [&](std::uint32_t group, std::uint32_t first, std::span<const float> values) {
    const float scale = row.b[group], zero = zeros ? row.c[group] : 0.0F;
    for (std::size_t i = 0; i < values.size(); ++i)
      row.d[first + i] = (zeros ? values[i] - zero : values[i]) * scale;
  });
}

void gumbel(Row& row) {
  const auto& c = row.command;
  for (std::uint32_t i = 0; i < row.cols; ++i) {
    const auto element = static_cast<std::uint32_t>(std::uint64_t{row.index} * row.cols + i);
    const auto bits = philox4x32_10({c.arg2, element, 0, 0}, {c.arg0, c.arg1})[0];
    const double u = (static_cast<double>(bits) + 0.5) * 0x1p-32;
    const auto g = static_cast<float>(-logarithm(-logarithm(u)));
    row.d[i] = row.a[i] + arg_float(c.arg3) * g;
  }
}

enum class Shape { E, R, N, T };

/// How an operation is carried out and what it costs.
struct Operation {
  unsigned code;
  unsigned sources;
  Shape shape;
  void (*run)(Row&);
  unsigned passes, special;
};

const std::array operations = {
    Operation{FR_VECTOR_COPY, 1, Shape::E, unary<[](float a) { return a; }>, 1, 0},
    Operation{FR_VECTOR_ADD, 2, Shape::E, binary<[](float a, float b) { return a + b; }>, 1, 0},
    Operation{FR_VECTOR_SUB, 2, Shape::E, binary<[](float a, float b) { return a - b; }>, 1, 0},
    Operation{FR_VECTOR_MUL, 2, Shape::E, binary<[](float a, float b) { return a * b; }>, 1, 0},
    Operation{FR_VECTOR_DIV, 2, Shape::E, binary<[](float a, float b) { return a / b; }>, 1, 1},
    Operation{FR_VECTOR_MAX, 2, Shape::E, binary<maximum>, 1, 0},
    Operation{FR_VECTOR_MIN, 2, Shape::E, binary<minimum>, 1, 0},
    Operation{FR_VECTOR_FMA, 3, Shape::E,
              [](Row& row) {
                for (std::uint32_t i = 0; i < row.cols; ++i) row.d[i] = __builtin_fmaf(row.a[i], row.b[i], row.c[i]);
              },
              1, 0},
    Operation{FR_VECTOR_AFFINE, 1, Shape::E,
              [](Row& row) {
                const float scale = arg_float(row.command.arg0), shift = arg_float(row.command.arg1);
                for (std::uint32_t i = 0; i < row.cols; ++i) row.d[i] = row.a[i] * scale + shift;
              },
              1, 0},
    Operation{FR_VECTOR_CLIP, 1, Shape::E,
              [](Row& row) {
                const float low = arg_float(row.command.arg0), high = arg_float(row.command.arg1);
                for (std::uint32_t i = 0; i < row.cols; ++i) row.d[i] = minimum(maximum(row.a[i], low), high);
              },
              1, 0},
    Operation{FR_VECTOR_FILL, 0, Shape::E,
              [](Row& row) { std::fill_n(row.d, row.cols, arg_float(row.command.arg0)); }, 1, 0},
    Operation{FR_VECTOR_NEG, 1, Shape::E, unary<[](float a) { return -a; }>, 1, 0},
    Operation{FR_VECTOR_ABS, 1, Shape::E, unary<[](float a) { return std::fabs(a); }>, 1, 0},
    Operation{FR_VECTOR_EXP, 1, Shape::E, unary<[](float a) { return exponential(a); }>, 1, 1},
    Operation{FR_VECTOR_LOG, 1, Shape::E, unary<[](float a) { return logarithm(a); }>, 1, 1},
    Operation{FR_VECTOR_SQRT, 1, Shape::E, unary<[](float a) { return std::sqrt(a); }>, 1, 1},
    Operation{FR_VECTOR_RSQRT, 1, Shape::E, unary<[](float a) { return 1 / std::sqrt(a); }>, 1, 1},
    Operation{FR_VECTOR_RECIPROCAL, 1, Shape::E, unary<[](float a) { return 1 / a; }>, 1, 1},
    Operation{FR_VECTOR_TANH, 1, Shape::E, unary<hyperbolic_tangent>, 1, 1},
    Operation{FR_VECTOR_ERF, 1, Shape::E, unary<error_function>, 1, 1},
    Operation{FR_VECTOR_SIGMOID, 1, Shape::E, unary<sigmoid>, 1, 1},
    Operation{FR_VECTOR_RELU, 1, Shape::E, unary<[](float a) { return maximum(a, 0); }>, 1, 0},
    Operation{FR_VECTOR_SILU, 1, Shape::E, unary<silu>, 1, 1},
    Operation{FR_VECTOR_GELU, 1, Shape::E, unary<gelu>, 2, 1},
    Operation{FR_VECTOR_GELU_TANH, 1, Shape::E, unary<gelu_tanh>, 1, 1},
    Operation{FR_VECTOR_SWIGLU, 2, Shape::E, binary<[](float a, float b) { return silu(a) * b; }>, 2, 1},
    Operation{FR_VECTOR_SUM, 1, Shape::R, [](Row& row) { *row.d = sum_of(row); }, 1, 0},
    Operation{FR_VECTOR_MEAN, 1, Shape::R, [](Row& row) { *row.d = sum_of(row) / static_cast<float>(row.cols); }, 1, 0},
    Operation{FR_VECTOR_ROW_MAX, 1, Shape::R,
              [](Row& row) {
                float top = row.a[0];
                for (std::uint32_t i = 1; i < row.cols; ++i) top = maximum(row.a[i], top);
                *row.d = top;
              },
              1, 0},
    Operation{FR_VECTOR_ROW_MIN, 1, Shape::R,
              [](Row& row) {
                float low = row.a[0];
                for (std::uint32_t i = 1; i < row.cols; ++i) low = minimum(row.a[i], low);
                *row.d = low;
              },
              1, 0},
    Operation{FR_VECTOR_SUM_SQUARES, 1, Shape::R, [](Row& row) { *row.d = squares_of(row); }, 1, 0},
    Operation{FR_VECTOR_ARGMAX, 1, Shape::R, nullptr, 1, 0},
    Operation{FR_VECTOR_SOFTMAX, 1, Shape::N, softmax, 3, 1},
    Operation{FR_VECTOR_ONLINE_SOFTMAX, 3, Shape::N, online_softmax, 2, 1},
    Operation{FR_VECTOR_TOP_K, 2, Shape::N,
              [](Row& r) { keep_largest({r.b, r.cols}, {r.a, r.cols}, r.command.arg0, arg_float(r.command.arg1), r.d); },
              1, 0},
    Operation{FR_VECTOR_INDICES, 1, Shape::N, nullptr, 2, 0},
    Operation{FR_VECTOR_LOG_SOFTMAX, 1, Shape::N, log_softmax, 3, 1},
    Operation{FR_VECTOR_RMSNORM, 2, Shape::N, rmsnorm, 2, 0},
    Operation{FR_VECTOR_LAYERNORM, 3, Shape::N, layernorm, 3, 0},
    Operation{FR_VECTOR_ROPE, 3, Shape::N, rope, 2, 0},
    Operation{FR_VECTOR_QUANTIZE, 1, Shape::N, quantize, 2, 1},
    Operation{FR_VECTOR_QUANTIZE_STATIC, 1, Shape::E,
              [](Row& row) {
                const float scale = arg_float(row.command.arg0);
                const auto zero = static_cast<float>(static_cast<std::int32_t>(row.command.arg1));
                for (std::uint32_t i = 0; i < row.cols; ++i) row.d[i] = round_even(row.a[i] / scale) + zero;
              },
              1, 1},
    Operation{FR_VECTOR_DEQUANTIZE, 3, Shape::E,
              [](Row& row) {
                for (std::uint32_t i = 0; i < row.cols; ++i) row.d[i] = row.a[i] * row.b[i] * row.c[i];
              },
              1, 0},
    Operation{FR_VECTOR_QUANTIZE_MX, 1, Shape::N, quantize_mx, 2, 0},
    Operation{FR_VECTOR_DEQUANTIZE_GROUPS, 2, Shape::E, dequantize_groups, 1, 0},
    Operation{FR_VECTOR_TRANSPOSE, 1, Shape::T, nullptr, 1, 0},
    Operation{FR_VECTOR_CONCAT_COUNT, 0, Shape::E, nullptr, 1, 0},
    Operation{FR_VECTOR_GUMBEL, 1, Shape::E, gumbel, 2, 1},
};

const Operation* find(unsigned code) {
  static const auto table = [] {
    std::array<const Operation*, 256> t{};
    for (const auto& operation : operations) t[operation.code] = &operation;
    return t;
  }();
  return table[code & 0xff];
}

bool b_is_scalar(const fr_vector& c) {
  return (c.flags & FR_VECTOR_FLAG_B_SCALAR) != 0 || c.op == FR_VECTOR_DEQUANTIZE ||
         c.op == FR_VECTOR_ONLINE_SOFTMAX;
}
bool c_is_scalar(const fr_vector& c) {
  return (c.flags & FR_VECTOR_FLAG_C_SCALAR) != 0 || c.op == FR_VECTOR_ONLINE_SOFTMAX;
}

/// What a row gives beside its results in d.
std::vector<VectorSource> other_results(const fr_vector& c) {
  switch (c.op) {
    case FR_VECTOR_QUANTIZE:
      return {{c.c, c.c_stride, c.c_type, groups_of(c)}};
    case FR_VECTOR_QUANTIZE_MX:
      return {{c.c, c.c_stride, FR_TYPE_E8M0, groups_of(c)}};
    case FR_VECTOR_ONLINE_SOFTMAX:
      return {{c.b, c.b_stride, c.b_type, 2}, {c.c, c.c_stride, c.c_type, 1}};
    default:
      return {};
  }
}
unsigned sources_of(const Operation& operation, const fr_vector& c) {
  if (c.op == FR_VECTOR_ONLINE_SOFTMAX && (c.flags & FR_VECTOR_FLAG_FIRST) != 0) return 1;
  const bool zeros = c.op == FR_VECTOR_DEQUANTIZE_GROUPS && (c.flags & FR_VECTOR_FLAG_ZERO_POINTS) != 0;
  return operation.sources + (zeros ? 1 : 0);
}

VectorSource source_a(const fr_vector& c) { return {c.a, c.a_stride, c.a_type, c.cols}; }
VectorSource source_b(const fr_vector& c) {
  const std::uint32_t cols = c.op == FR_VECTOR_ROPE                ? c.arg0 / 2
                             : c.op == FR_VECTOR_DEQUANTIZE_GROUPS ? groups_of(c)
                             : b_is_scalar(c)                      ? 1
                                                                   : c.cols;
  return {c.b, c.b_stride, c.b_type, cols};
}
VectorSource source_c(const fr_vector& c) {
  const std::uint32_t cols = c.op == FR_VECTOR_ROPE                ? c.arg0 / 2
                             : c.op == FR_VECTOR_DEQUANTIZE_GROUPS ? groups_of(c)
                             : c_is_scalar(c)                      ? 1
                                                                   : c.cols;
  return {c.c, c.c_stride, c.c_type, cols};
}

/// The destination as rows: TRANSPOSE writes cols rows of rows elements, a reduction one element a row.
void destination(const fr_vector& c, const Operation& operation, std::uint64_t& rows, std::uint64_t& cols) {
  rows = operation.shape == Shape::T ? c.cols : c.rows;
  cols = operation.shape == Shape::T ? c.rows : operation.shape == Shape::R ? 1 : c.cols;
}

void fetch(const VectorSource& source, std::uint32_t row, std::uint32_t cols, std::span<unsigned char> memory,
           float* to) {
  const auto* from =
      memory.data() + static_cast<std::int64_t>(source.address) + std::int64_t{row} * source.stride;
  read_row(source.type, from, to, source.cols);
  if (source.cols == 1) std::fill(to + 1, to + cols, *to);
}

Overflow overflow_of(const fr_vector& c) {
  return (c.flags & FR_VECTOR_FLAG_OVERFLOW) != 0 ? Overflow::special : Overflow::saturate;
}

void transpose(const fr_vector& c, std::span<unsigned char> memory) {
  thread_local std::vector<float> all, column;
  all.resize(std::uint64_t{c.rows} * c.cols);
  column.resize(c.rows);
  for (std::uint32_t r = 0; r < c.rows; ++r)
    fetch(source_a(c), r, c.cols, memory, &all[std::uint64_t{r} * c.cols]);
  for (std::uint32_t i = 0; i < c.cols; ++i) {
    for (std::uint32_t r = 0; r < c.rows; ++r) column[r] = all[std::uint64_t{r} * c.cols + i];
    write_row(c.d_type, column.data(), memory.data() + c.d + std::int64_t{i} * c.d_stride, c.rows,
              overflow_of(c));
  }
}

/// CONCAT_COUNT; integers of 32 bits are not rounded through binary32.
void count_up(const fr_vector& c, std::uint32_t row, float* line, unsigned char* to) {
  const std::uint32_t first = c.arg0 + row * c.cols;
  if (element_bytes(c.d_type) == 4 && !is_float_type(c.d_type)) {
    for (std::uint32_t i = 0; i < c.cols; ++i) {
      const std::uint32_t value = first + i;
      std::memcpy(to + std::uint64_t{i} * 4, &value, 4);
    }
    return;
  }
  for (std::uint32_t i = 0; i < c.cols; ++i) line[i] = static_cast<float>(first + i);
  write_row(c.d_type, line, to, c.cols, overflow_of(c));
}

}  // namespace

std::vector<VectorSource> vector_sources(const fr_vector& command) {
  const auto* operation = find(command.op);
  if (operation == nullptr) return {};
  std::vector<VectorSource> sources{source_a(command), source_b(command), source_c(command)};
  sources.resize(sources_of(*operation, command));
  return sources;
}

std::vector<VectorSource> vector_results(const fr_vector& command, std::uint64_t& rows) {
  const auto* operation = find(command.op);
  rows = 0;
  if (operation == nullptr || command.rows == 0 || command.cols == 0) return {};
  std::uint64_t cols = 0;
  destination(command, *operation, rows, cols);
  std::vector<VectorSource> results{
      {command.d, command.d_stride, command.d_type, static_cast<std::uint32_t>(cols)}};
  for (const auto& other : other_results(command)) results.push_back(other);
  return results;
}

bool vector_reduces(unsigned op) {
  const auto* operation = find(op);
  return operation != nullptr && operation->shape == Shape::R;
}

namespace {

/// The flags that mean something for a command.
unsigned flags_of(const Operation& operation, const fr_vector& c) {
  unsigned flags = c.d_type == FR_TYPE_F8E4M3 || c.d_type == FR_TYPE_F8E5M2 ? FR_VECTOR_FLAG_OVERFLOW : 0;
  switch (c.op) {
    case FR_VECTOR_ROPE:
      return flags | FR_VECTOR_FLAG_INTERLEAVED;
    case FR_VECTOR_DEQUANTIZE_GROUPS:
      return flags | FR_VECTOR_FLAG_ZERO_POINTS;
    case FR_VECTOR_ONLINE_SOFTMAX:
      return flags | FR_VECTOR_FLAG_FIRST;
    default:
      if (operation.sources > 1) flags |= FR_VECTOR_FLAG_B_SCALAR;
      if (operation.sources > 2) flags |= FR_VECTOR_FLAG_C_SCALAR;
      return flags;
  }
}

}  // namespace

std::optional<LocalFault> check_vector(const fr_vector& command, std::uint64_t memory_bytes) {
  const auto bad = [](std::uint64_t value) { return LocalFault{FR_ERROR_COMMAND, value}; };
  const auto* operation = find(command.op);
  if (operation == nullptr) return bad(command.op);
  for (const unsigned type : {command.a_type, command.b_type, command.c_type, command.d_type})
    if (type >= FR_TYPE_COUNT) return bad(type);
  if ((command.flags & ~flags_of(*operation, command)) != 0) return bad(command.flags);
  if (command.reserved != 0) return bad(command.reserved);
  if (command.op == FR_VECTOR_ROPE &&
      (command.arg0 == 0 || command.arg0 % 2 != 0 || command.cols % command.arg0 != 0))
    return bad(command.arg0);
  if (command.op == FR_VECTOR_QUANTIZE && quantize_top(command.d_type) == 0) return bad(command.d_type);
  if (command.op == FR_VECTOR_QUANTIZE && !is_float_type(command.c_type)) return bad(command.c_type);
  if (command.op == FR_VECTOR_QUANTIZE_MX && !is_mx_element(command.d_type)) return bad(command.d_type);
  if (command.op == FR_VECTOR_DEQUANTIZE_GROUPS && command.arg0 == 0) return bad(command.arg0);
  if (command.op == FR_VECTOR_ONLINE_SOFTMAX)
    for (const unsigned type : {command.b_type, command.c_type})
      if (type != FR_TYPE_F32) return bad(type);
  if ((command.op == FR_VECTOR_ARGMAX || command.op == FR_VECTOR_INDICES) && command.d_type != FR_TYPE_U32) return bad(command.d_type);
  if (command.rows == 0 || command.cols == 0) return std::nullopt;
  for (const auto& s : vector_sources(command)) {
    if (const auto fault =
            check_rows(s.address, command.rows, row_bytes(s.type, s.cols), s.stride, memory_bytes))
      return fault;
  }
  std::uint64_t rows = 0;
  for (const auto& r : vector_results(command, rows))
    if (const auto fault = check_rows(r.address, rows, row_bytes(r.type, r.cols), r.stride, memory_bytes))
      return fault;
  return std::nullopt;
}

void vector_operation(const fr_vector& command, std::span<unsigned char> memory) {
  const auto& operation = *find(command.op);
  if (command.rows == 0 || command.cols == 0) return;
  if (operation.shape == Shape::T) return transpose(command, memory);
  const unsigned sources = sources_of(operation, command);
  thread_local std::vector<float> buffer;
  const std::uint64_t width = std::max(command.cols, 3u);
  buffer.resize(width * 5);
  float *a = buffer.data(), *b = a + width, *c = b + width, *d = c + width, *others = d + width;
  const auto other = other_results(command);
  for (std::uint32_t r = 0; r < command.rows; ++r) {
    if (sources > 0) fetch(source_a(command), r, command.cols, memory, a);
    if (sources > 1) fetch(source_b(command), r, command.cols, memory, b);
    if (sources > 2) fetch(source_c(command), r, command.cols, memory, c);
    Row row{command, r, a, b, c, d, command.cols, others};
    auto* to = memory.data() + static_cast<std::int64_t>(command.d) + std::int64_t{r} * command.d_stride;
    if (command.op == FR_VECTOR_ARGMAX) {
      const std::uint32_t index = command.arg0 + largest(row);
      std::memcpy(to, &index, 4);
    } else if (command.op == FR_VECTOR_CONCAT_COUNT) {
      count_up(command, r, d, to);
    } else if (command.op == FR_VECTOR_INDICES) {
      list_columns({a, command.cols}, command.arg0, to);
    } else {
      operation.run(row);
      write_row(command.d_type, d, to, operation.shape == Shape::R ? 1 : command.cols, overflow_of(command));
      const float* from = others;
      for (const auto& o : other) {
        write_row(o.type, from, memory.data() + std::int64_t{o.address} + std::int64_t{r} * o.stride, o.cols);
        from += o.cols;
      }
    }
  }
}

VectorCost vector_cost(const fr_vector& command) {
  const auto* operation = find(command.op);
  if (operation == nullptr) return {};
  const bool special_last =
      operation->special > 0 && (operation->passes == 1 || command.op == FR_VECTOR_QUANTIZE ||
                                 command.op == FR_VECTOR_ONLINE_SOFTMAX);
  // TOP_K takes the largest of what is left, one value in each pass, and then writes.
  const unsigned found = command.op == FR_VECTOR_TOP_K ? std::min(command.arg0, command.cols) : 0;
  return {command.rows, command.cols, operation->passes + found, operation->special, special_last};
}

VectorTraffic vector_traffic(const fr_vector& command) {
  const auto* operation = find(command.op);
  if (operation == nullptr || command.rows == 0 || command.cols == 0) return {};
  VectorTraffic traffic;
  for (const auto& source : vector_sources(command)) {
    const auto row = row_bytes(source.type, source.cols);
    traffic.read += source.stride == 0 ? row : row * command.rows;  // a repeated row is read once
  }
  std::uint64_t rows = 0;
  for (const auto& result : vector_results(command, rows))
    traffic.written += rows * row_bytes(result.type, result.cols);
  return traffic;
}

}  // namespace forerun::ip
