// SPDX-License-Identifier: Apache-2.0
// The closed form of the tensor engine against a systolic array simulated register by register.
#include "ip/tensor/tensor_core.hpp"

#include <gtest/gtest.h>

#include "ip/base/numbers.hpp"
#include "ip/scratchpad/scratchpad.hpp"

using namespace forerun;
using namespace forerun::ip;

namespace {

/// A weight-stationary array, clocked: row i of A enters array row r at cycle i + r and moves right, partial
/// sums move down. Returns the cycle after the last result leaves the last row, counted from the first input,
/// for m rows of A.
unsigned simulate_array(unsigned rows, unsigned columns, unsigned m) {
  struct Cell {
    bool valid = false;
    unsigned token = 0;
  };
  std::vector<std::vector<Cell>> right(rows, std::vector<Cell>(columns));
  unsigned left = m * columns, cycle = 0;
  while (left > 0) {
    auto next = right;
    for (unsigned r = 0; r < rows; ++r)
      for (unsigned c = 0; c < columns; ++c) {
        if (c > 0) {
          next[r][c] = right[r][c - 1];
        } else {
          const bool enters = cycle >= r && cycle - r < m;
          next[r][c] = {enters, cycle - r};
        }
        if (r + 1 == rows && next[r][c].valid) --left;  // this register holds a finished sum after this edge
      }
    right = next;
    ++cycle;
  }
  return cycle;
}

TEST(TensorCore, OneWaveIsLoadPlusWhatTheClockedArrayTakes) {
  for (const unsigned rows : {4u, 8u, 16u})
    for (const unsigned columns : {4u, 16u})
      for (const unsigned m : {1u, 5u, 40u}) {
        TensorParameters p;
        p.rows = rows, p.columns = columns, p.arrays = 1;
        // one more cycle reads the last sums out of the array
        EXPECT_EQ(TensorCore::ideal_cycles(p, m, columns, rows), rows + simulate_array(rows, columns, m) + 1);
      }
}

TEST(TensorCore, CellsThatAddUpSeveralProductsAreAnArrayOfFewerRows) {
  TensorParameters cells, products;
  cells.rows = 8, cells.columns = 16, cells.arrays = 2;
  products = cells;
  products.rows = 32, products.dot = 4;
  for (const unsigned m : {1u, 7u, 40u})
    for (const unsigned k : {1u, 8u, 9u, 20u})
      EXPECT_EQ(TensorCore::ideal_cycles(products, m, 50, 4 * k), TensorCore::ideal_cycles(cells, m, 50, k));
  EXPECT_EQ(TensorCore::ideal_cycles(products, 1, 50, 29), TensorCore::ideal_cycles(products, 1, 50, 32))
      << "a row of cells is loaded in a cycle, whole or not";
}

struct TensorBench : sc_core::sc_module {
  Scratchpad scratchpad;
  TensorCore tensor;
  Semaphores semaphores;
  Turns turns{"turns"};
  std::int64_t ended = -1;
  TensorBench(const sc_core::sc_module_name& name, const TensorParameters& p, unsigned banks)
      : sc_module(name),
        scratchpad(
            "scratchpad",
            [&] {
              ScratchpadParameters s;
              s.banks = banks;
              s.clock = p.clock;
              return s;
            }(),
            1),
        tensor("tensor", p, 4 << 20) {
    tensor.local.bind(scratchpad.port[0]);
    tensor.connect(
        semaphores, turns, [this] { ended = now_picoseconds(); }, [](const Command&, LocalFault) { FAIL(); });
  }
  /// MX x MX, B as columns.
  void multiply_scaled(unsigned type, unsigned m, unsigned n, unsigned k) {
    fr_matmul_scaled c{};
    c.header = {FR_OP_MATMUL_SCALED, 11, 0, 0, 0, {{255, 0}, {255, 0}}, {{255, 0}, {255, 0}}};
    c.b = 1 << 20, c.c = 2 << 20, c.a_scale = 3 << 20, c.b_scale = 3 << 20 | 1 << 18;
    c.m = m, c.n = n, c.k = k, c.group = 32;
    c.a_type = c.b_type = static_cast<std::uint8_t>(type);
    c.flags = FR_MATMUL_B_TRANSPOSED;
    c.a_scale_type = c.b_scale_type = FR_TYPE_E8M0, c.b_zero_type = FR_NO_TYPE;
    c.a_stride = c.b_stride = static_cast<std::int32_t>(row_bytes(type, k));
    c.a_scale_stride = c.b_scale_stride = static_cast<std::int32_t>(k / 32);
    c.c_stride = static_cast<std::int32_t>(n * 4);
    Command command{};
    std::memcpy(command.bytes, &c, sizeof c);
    tensor.push(command);
  }
  void multiply(unsigned m, unsigned n, unsigned k) {
    fr_matmul c{};
    c.header = {FR_OP_MATMUL, 7, 0, 0, 0, {{255, 0}, {255, 0}}, {{255, 0}, {255, 0}}};
    c.b = 1 << 20, c.c = 2 << 20;
    c.m = m, c.n = n, c.k = k;
    c.a_stride = static_cast<std::int32_t>(k * 4);
    c.b_stride = c.c_stride = static_cast<std::int32_t>(n * 4);
    Command command{};
    std::memcpy(command.bytes, &c, sizeof c);
    tensor.push(command);
  }
};

TEST(TensorCore, TakesTheIdealCyclesWhenOperandsComeInTime) {
  TensorParameters p;
  p.rows = p.columns = 16, p.arrays = 2, p.clock = {1e9};
  TensorBench bench("bench", p, 1024);
  bench.multiply(64, 96, 80);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(bench.ended / 1000, static_cast<std::int64_t>(TensorCore::ideal_cycles(p, 64, 96, 80)));
  const double rate = 2.0 * 64 * 96 * 80 / (static_cast<double>(bench.ended) * 1e-12);
  EXPECT_LT(rate, bench.tensor.peak_operations());
}

TEST(TensorCore, ASlowScratchpadHoldsItUp) {
  TensorParameters p;
  p.rows = p.columns = 16, p.arrays = 2, p.clock = {1e9};
  TensorBench bench("bench", p, 1);
  bench.multiply(1, 96, 80);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_GE(bench.ended / 1000, 80 * 96 * 4 / 16) << "all of B through one bank of 16 bytes a cycle";
  EXPECT_GT(bench.tensor.operand_time.value(), 0u);
}

TEST(TensorCore, NarrowElementsTakeTheSameCyclesAndLessTraffic) {
  TensorParameters p;
  p.rows = p.columns = 16, p.arrays = 2, p.clock = {1e9};
  TensorBench fast("fast", p, 1024), slow8("slow8", p, 1), slow4("slow4", p, 1);
  fast.multiply_scaled(FR_TYPE_F4E2M1, 64, 96, 96);
  slow8.multiply_scaled(FR_TYPE_F8E4M3, 1, 96, 96);
  slow4.multiply_scaled(FR_TYPE_F4E2M1, 1, 96, 96);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(fast.ended / 1000, static_cast<std::int64_t>(TensorCore::ideal_cycles(p, 64, 96, 96)));
  const auto bytes = [](const TensorBench& bench) {
    return bench.scratchpad.bytes_read.value() + bench.scratchpad.bytes_written.value();
  };
  // Each of 6 k-tiles of 16 lies within one block, and each of 3 waves of columns takes A's row and scale
  // again.
  const std::uint64_t scales = 6 * (96 + 3), elements = 96 * 96 + 3 * 96, results = 96 * 4;
  EXPECT_EQ(bytes(slow8), elements + scales + results);
  EXPECT_EQ(bytes(slow4), elements / 2 + scales + results);
  EXPECT_LT(slow4.ended, slow8.ended);
}

}  // namespace
