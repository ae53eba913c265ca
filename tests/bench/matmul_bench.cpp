// SPDX-License-Identifier: Apache-2.0
/// How fast the host computes what a MATMUL command computes, on one core, beside OpenBLAS's product in
/// binary32.
#include <benchmark/benchmark.h>
#include <cblas.h>

#include <cstring>
#include <random>

#include "ip/base/numbers.hpp"
#include "ip/tensor/matmul.hpp"

extern "C" void openblas_set_num_threads(int threads);

using namespace forerun::ip;

namespace {

enum Scales { none, groups_of_128, mx };

struct Operands {
  Operands(unsigned a_type, unsigned b_type, Scales scales, unsigned m, unsigned n, unsigned k,
           bool transposed) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    const auto matrix = [&](unsigned type, std::uint64_t rows, std::uint64_t cols, float deviation) {
      const auto at = static_cast<std::uint32_t>(memory.size());
      memory.resize(memory.size() + rows * row_bytes(type, cols));
      std::vector<float> row(cols);
      for (std::uint64_t r = 0; r < rows; ++r) {
        for (auto& value : row) value = deviation * normal(random);
        write_row(type, row.data(), memory.data() + at + r * row_bytes(type, cols), cols);
      }
      return at;
    };
    const auto stride = [](unsigned type, std::uint64_t cols) {
      return static_cast<std::int32_t>(row_bytes(type, cols));
    };
    const bool integer = a_type == FR_TYPE_I8;
    command.m = m, command.n = n, command.k = k;
    command.a_type = static_cast<std::uint8_t>(a_type), command.b_type = static_cast<std::uint8_t>(b_type);
    command.c_type = integer && scales == none ? FR_TYPE_I32 : FR_TYPE_F32;
    command.flags = transposed ? FR_MATMUL_B_TRANSPOSED : 0;
    command.a_scale_type = command.b_scale_type = command.b_zero_type = FR_NO_TYPE;
    const unsigned b_rows = transposed ? n : k, b_cols = transposed ? k : n;
    command.a = matrix(a_type, m, k, integer ? 40.0F : 1.0F), command.a_stride = stride(a_type, k);
    command.b = matrix(b_type, b_rows, b_cols, element_bits(b_type) == 4 ? 3.0F : integer ? 40.0F : 1.0F);
    command.b_stride = stride(b_type, b_cols);
    command.c = matrix(FR_TYPE_F32, m, n, 0.0F), command.c_stride = stride(FR_TYPE_F32, n);
    if (scales == none) return;
    const unsigned type = scales == mx ? FR_TYPE_E8M0 : FR_TYPE_F16;
    command.group = scales == mx ? 32 : 128;
    const auto groups = k / command.group;
    command.b_scale_type = static_cast<std::uint8_t>(type);
    command.b_scale = matrix(type, transposed ? n : groups, transposed ? groups : n, 1.0F);
    command.b_scale_stride = stride(type, transposed ? groups : n);
    if (scales != mx) return;
    command.a_scale_type = command.b_scale_type;
    command.a_scale = matrix(type, m, groups, 1.0F), command.a_scale_stride = stride(type, groups);
  }
  fr_matmul_scaled command{};
  std::vector<unsigned char> memory;
};

void rate(benchmark::State& state, std::uint64_t m, std::uint64_t n, std::uint64_t k) {
  const auto operations = 2.0 * static_cast<double>(m * n * k) * static_cast<double>(state.iterations());
  state.counters["FLOP/s"] = benchmark::Counter(operations, benchmark::Counter::kIsRate);
}

void ours(benchmark::State& state, unsigned a_type, unsigned b_type, Scales scales, unsigned m,
          bool transposed) {
  constexpr unsigned n = 1024, k = 1024;
  Operands operands(a_type, b_type, scales, m, n, k, transposed);
  fr_matmul plain;
  std::memcpy(&plain, &operands.command, sizeof plain);
  for (auto _ : state)
    if (scales == none)
      matmul(plain, operands.memory);
    else
      matmul(operands.command, operands.memory);
  rate(state, m, n, k);
}

void openblas(benchmark::State& state, unsigned m) {
  constexpr unsigned n = 1024, k = 1024;
  openblas_set_num_threads(1);
  std::vector<float> a(std::size_t{m} * k, 1.5F), b(std::size_t{n} * k, 0.25F), c(std::size_t{m} * n);
  for (auto _ : state) {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, static_cast<int>(m), n, k, 1, a.data(), k,
                b.data(), n, 0, c.data(), n);
    benchmark::DoNotOptimize(c.data());
  }
  rate(state, m, n, k);
}

#define FORERUN_CASE(NAME, A, B, SCALES, M, TRANSPOSED)                          \
  BENCHMARK_CAPTURE(ours, NAME, FR_TYPE_##A, FR_TYPE_##B, SCALES, M, TRANSPOSED) \
      ->Name("matmul/" #NAME "/" #M "x1024x1024")                                \
      ->Unit(benchmark::kMillisecond)
BENCHMARK_CAPTURE(openblas, large, 256)->Name("openblas/fp32/256x1024x1024")->Unit(benchmark::kMillisecond);
FORERUN_CASE(fp32, F32, F32, none, 256, false);
FORERUN_CASE(bf16, BF16, BF16, none, 256, false);
FORERUN_CASE(bf16_transposed, BF16, BF16, none, 256, true);
FORERUN_CASE(fp16, F16, F16, none, 256, false);
FORERUN_CASE(int8, I8, I8, none, 256, false);
FORERUN_CASE(int8_transposed, I8, I8, none, 256, true);
FORERUN_CASE(fp8_e4m3, F8E4M3, F8E4M3, none, 256, false);
FORERUN_CASE(bf16_int4_groups, BF16, I4, groups_of_128, 256, false);
FORERUN_CASE(int8_int4_groups, I8, I4, groups_of_128, 256, false);
FORERUN_CASE(mxfp8, F8E4M3, F8E4M3, mx, 256, true);
FORERUN_CASE(mxfp4, F4E2M1, F4E2M1, mx, 256, true);
BENCHMARK_CAPTURE(openblas, one, 1)->Name("openblas/fp32/1x1024x1024")->Unit(benchmark::kMillisecond);
FORERUN_CASE(bf16, BF16, BF16, none, 1, false);
FORERUN_CASE(bf16_transposed, BF16, BF16, none, 1, true);
FORERUN_CASE(int8, I8, I8, none, 1, false);

}  // namespace

BENCHMARK_MAIN();
