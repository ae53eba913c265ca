// SPDX-License-Identifier: Apache-2.0
#include "ip/tensor/matmul.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "ip/base/local_range.hpp"
#include "ip/base/numbers.hpp"

namespace forerun::ip {
namespace {

// The host's widest vectors are chosen at load time; every variant gives the same bits, since fma is exact by definition.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define FORERUN_HOST_VECTORS __attribute__((target_clones("arch=skylake-avx512", "arch=haswell", "default")))
#else
#define FORERUN_HOST_VECTORS
#endif

constexpr std::uint64_t columns_at_once = 64;
constexpr std::uint64_t rows_at_once = 4;

/// acc[r][j] = fma(a[r][k], b[k][j], acc[r][j]) over k for four rows and 64 columns.
FORERUN_HOST_VECTORS void accumulate(const float* a, std::uint64_t a_stride, const float* b, std::uint64_t k_count,
                                     float* acc) {
  float local[rows_at_once * columns_at_once];
  std::memcpy(local, acc, sizeof local);
  for (std::uint64_t k = 0; k < k_count; ++k) {
    const float* row = b + k * columns_at_once;
    for (std::uint64_t r = 0; r < rows_at_once; ++r) {
      const float x = a[r * a_stride + k];
      for (std::uint64_t j = 0; j < columns_at_once; ++j)
        local[r * columns_at_once + j] = __builtin_fmaf(x, row[j], local[r * columns_at_once + j]);
    }
  }
  std::memcpy(acc, local, sizeof local);
}

/// The same for one row.
FORERUN_HOST_VECTORS void accumulate_row(const float* a, const float* b, std::uint64_t k_count, float* acc) {
  float local[columns_at_once];
  std::memcpy(local, acc, sizeof local);
  for (std::uint64_t k = 0; k < k_count; ++k) {
    const float x = a[k];
    const float* row = b + k * columns_at_once;
    for (std::uint64_t j = 0; j < columns_at_once; ++j) local[j] = __builtin_fmaf(x, row[j], local[j]);
  }
  std::memcpy(acc, local, sizeof local);
}

const unsigned char* row_of(std::span<unsigned char> memory, std::uint32_t address, std::int32_t stride, std::uint64_t row) {
  return memory.data() + static_cast<std::int64_t>(address) + static_cast<std::int64_t>(row) * stride;
}

/// 64 columns of B from `first` on as [k][64] binary32, zero beyond n.
void pack(const fr_matmul& command, std::span<unsigned char> memory, std::uint64_t first, std::uint64_t width,
          std::vector<float>& packed, std::vector<float>& line) {
  const unsigned bytes = element_bytes(command.b_type);
  packed.assign(std::uint64_t{command.k} * columns_at_once, 0.0F);
  if ((command.flags & FR_MATMUL_B_TRANSPOSED) == 0) {
    for (std::uint64_t k = 0; k < command.k; ++k)
      read_row(command.b_type, row_of(memory, command.b, command.b_stride, k) + first * bytes,
               packed.data() + k * columns_at_once, width);
    return;
  }
  line.resize(command.k);
  for (std::uint64_t j = 0; j < width; ++j) {
    read_row(command.b_type, row_of(memory, command.b, command.b_stride, first + j), line.data(), command.k);
    for (std::uint64_t k = 0; k < command.k; ++k) packed[k * columns_at_once + j] = line[k];
  }
}

void matmul_float(const fr_matmul& command, std::span<unsigned char> memory) {
  thread_local std::vector<float> a, packed, line, acc;
  const std::uint64_t rows = (std::uint64_t{command.m} + rows_at_once - 1) / rows_at_once * rows_at_once;
  a.assign(rows * command.k, 0.0F);
  acc.resize(rows_at_once * columns_at_once);
  for (std::uint64_t m = 0; m < command.m; ++m)
    read_row(command.a_type, row_of(memory, command.a, command.a_stride, m), a.data() + m * command.k, command.k);
  const unsigned c_bytes = element_bytes(command.c_type);
  const bool carry = (command.flags & FR_MATMUL_ACCUMULATE) != 0;
  for (std::uint64_t first = 0; first < command.n; first += columns_at_once) {
    const auto width = std::min<std::uint64_t>(columns_at_once, command.n - first);
    pack(command, memory, first, width, packed, line);
    for (std::uint64_t m = 0; m < command.m; m += rows_at_once) {
      const auto height = std::min<std::uint64_t>(rows_at_once, command.m - m);
      std::fill(acc.begin(), acc.end(), 0.0F);
      const auto c_row = [&](std::uint64_t r) {
        return const_cast<unsigned char*>(row_of(memory, command.c, command.c_stride, m + r)) + first * c_bytes;
      };
      if (carry)
        for (std::uint64_t r = 0; r < height; ++r) std::memcpy(&acc[r * columns_at_once], c_row(r), width * 4);
      if (height == 1)
        accumulate_row(a.data() + m * command.k, packed.data(), command.k, acc.data());
      else
        accumulate(a.data() + m * command.k, command.k, packed.data(), command.k, acc.data());
      for (std::uint64_t r = 0; r < height; ++r)
        write_row(command.c_type, &acc[r * columns_at_once], c_row(r), width);
    }
  }
}

void matmul_integer(const fr_matmul& command, std::span<unsigned char> memory) {
  thread_local std::vector<std::uint32_t> acc;
  const bool carry = (command.flags & FR_MATMUL_ACCUMULATE) != 0;
  const bool transposed = (command.flags & FR_MATMUL_B_TRANSPOSED) != 0;
  acc.resize(command.n);
  for (std::uint64_t m = 0; m < command.m; ++m) {
    auto* c = const_cast<unsigned char*>(row_of(memory, command.c, command.c_stride, m));
    const auto* a = reinterpret_cast<const std::int8_t*>(row_of(memory, command.a, command.a_stride, m));
    std::fill(acc.begin(), acc.end(), 0u);
    if (carry) std::memcpy(acc.data(), c, std::uint64_t{command.n} * 4);
    if (transposed) {
      for (std::uint64_t n = 0; n < command.n; ++n) {
        const auto* b = reinterpret_cast<const std::int8_t*>(row_of(memory, command.b, command.b_stride, n));
        std::uint32_t sum = 0;
        for (std::uint64_t k = 0; k < command.k; ++k) sum += static_cast<std::uint32_t>(a[k] * b[k]);
        acc[n] += sum;
      }
    } else {
      for (std::uint64_t k = 0; k < command.k; ++k) {
        const auto* b = reinterpret_cast<const std::int8_t*>(row_of(memory, command.b, command.b_stride, k));
        for (std::uint64_t n = 0; n < command.n; ++n) acc[n] += static_cast<std::uint32_t>(a[k] * b[n]);
      }
    }
    std::memcpy(c, acc.data(), std::uint64_t{command.n} * 4);
  }
}

}  // namespace

std::optional<LocalFault> check_matmul(const fr_matmul& command, std::uint64_t memory_bytes) {
  const auto bad = [](std::uint64_t value) { return LocalFault{FR_ERROR_COMMAND, value}; };
  const bool integer = command.a_type == FR_TYPE_I8;
  if (!is_float_type(command.a_type) && !integer) return bad(command.a_type);
  if (command.b_type != FR_TYPE_I8 && (integer || !is_float_type(command.b_type))) return bad(command.b_type);
  if (integer ? command.c_type != FR_TYPE_I32 : !is_float_type(command.c_type)) return bad(command.c_type);
  if ((command.flags & ~(FR_MATMUL_B_TRANSPOSED | FR_MATMUL_ACCUMULATE)) != 0) return bad(command.flags);
  if ((command.flags & FR_MATMUL_ACCUMULATE) != 0 && element_bytes(command.c_type) != 4) return bad(command.c_type);
  if (command.m == 0 || command.n == 0) return std::nullopt;
  const bool transposed = (command.flags & FR_MATMUL_B_TRANSPOSED) != 0;
  const std::uint64_t b_rows = transposed ? command.n : command.k, b_cols = transposed ? command.k : command.n;
  if (const auto fault = check_rows(command.a, command.m, std::uint64_t{command.k} * element_bytes(command.a_type),
                                    command.a_stride, memory_bytes))
    return fault;
  if (const auto fault = check_rows(command.b, b_rows, b_cols * element_bytes(command.b_type), command.b_stride, memory_bytes))
    return fault;
  return check_rows(command.c, command.m, std::uint64_t{command.n} * element_bytes(command.c_type), command.c_stride,
                    memory_bytes);
}

void matmul(const fr_matmul& command, std::span<unsigned char> memory) {
  if (command.m == 0 || command.n == 0) return;
  if (command.a_type == FR_TYPE_I8)
    matmul_integer(command, memory);
  else
    matmul_float(command, memory);
}

}  // namespace forerun::ip
