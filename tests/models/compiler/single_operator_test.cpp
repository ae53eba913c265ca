// SPDX-License-Identifier: Apache-2.0
// That single operators tell right results from wrong ones. What chips make of them:
// tests/platform/cli/operator_test.cpp.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "ip/base/numbers.hpp"
#include "models/compiler/all_reduce.hpp"
#include "models/compiler/gemm.hpp"
#include "models/compiler/row_operator.hpp"
#include "platform/chip/address_map.hpp"

using namespace forerun;
using models::RowShape;

namespace {

std::vector<float> numbers(const models::Segment& segment) {
  std::vector<float> values(segment.bytes.size() / 4);
  ip::read_row(FR_TYPE_F32, segment.bytes.data(), values.data(), values.size());
  return values;
}

std::vector<std::uint8_t> bytes_of(const std::vector<float>& values) {
  std::vector<std::uint8_t> bytes(values.size() * 4);
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// The result is right; each element, changed a little, is not.
void try_result(const models::SingleOperator& work, std::vector<float> result) {
  EXPECT_TRUE(work.verify(bytes_of(result)).right);
  for (const auto i : {std::size_t{0}, result.size() / 2, result.size() - 1}) {
    auto wrong = result;
    wrong[i] += 1e-4F + std::abs(wrong[i]) * 1e-4F;
    EXPECT_FALSE(work.verify(bytes_of(wrong)).right) << i;
    wrong[i] = NAN;
    EXPECT_FALSE(work.verify(bytes_of(wrong)).right) << i;
  }
}

constexpr std::uint64_t rows = 5, columns = 37;

template <typename F>
void try_rows(RowShape::Kind kind, F f) {
  const chip::Chip chip;
  const models::RowOperator work({kind, rows, columns}, chip, chip::Format::f32);
  const auto program = work.program(true);
  const auto input = numbers(program.segments[0]);
  ASSERT_EQ(input.size(), rows * columns);
  const auto weights = program.segments.size() > 1 ? numbers(program.segments[1]) : std::vector<float>();
  std::vector<float> result;
  for (std::uint64_t r = 0; r < rows; ++r) f(input.data() + r * columns, weights, result);
  try_result(work, result);
}

}  // namespace

TEST(SingleOperator, KnowsSoftMax) {
  try_rows(RowShape::Kind::softmax, [](const float* x, const auto&, std::vector<float>& out) {
    long double sum = 0;
    for (std::uint64_t i = 0; i < columns; ++i) sum += expl(x[i]);
    for (std::uint64_t i = 0; i < columns; ++i) out.push_back(static_cast<float>(expl(x[i]) / sum));
  });
}

TEST(SingleOperator, KnowsLayerNorm) {
  try_rows(RowShape::Kind::layernorm, [](const float* x, const auto& weights, std::vector<float>& out) {
    ASSERT_EQ(weights.size(), 2 * columns);
    long double sum = 0, squares = 0;
    for (std::uint64_t i = 0; i < columns; ++i) sum += x[i], squares += static_cast<long double>(x[i]) * x[i];
    const auto mean = sum / columns, variance = squares / columns - mean * mean;
    for (std::uint64_t i = 0; i < columns; ++i)
      out.push_back(
          static_cast<float>((x[i] - mean) / sqrtl(variance + 1e-5L) * weights[i] + weights[columns + i]));
  });
}

TEST(SingleOperator, KnowsGelu) {
  try_rows(RowShape::Kind::gelu, [](const float* x, const auto&, std::vector<float>& out) {
    for (std::uint64_t i = 0; i < columns; ++i)
      out.push_back(static_cast<float>(x[i] * erfcl(-x[i] / sqrtl(2)) / 2));
  });
}

TEST(SingleOperator, KnowsSumsOfDevices) {
  chip::Chip chip;
  chip.devices = 3;
  const models::AllReduce work(1200, chip);
  std::vector<float> sums(300);
  for (std::uint32_t d = 0; d < 3; ++d) {
    const auto input = numbers(work.program(true, d).segments[0]);
    ASSERT_GE(input.size(), sums.size());
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += input[i];
  }
  try_result(work, sums);
}

TEST(SingleOperator, KnowsProducts) {
  const chip::Chip chip;
  const models::Gemm work({6, 10, 16, 1}, chip, chip::Format::f32);
  const auto program = work.program(true);
  const auto a = numbers(program.segments[0]), b = numbers(program.segments[1]);
  std::vector<float> c;
  for (std::size_t m = 0; m < 6; ++m)
    for (std::size_t n = 0; n < 16; ++n) {
      double sum = 0;  // exact: operands are small multiples of 1/8 and 1/4
      for (std::size_t k = 0; k < 10; ++k) sum += double{a[m * 10 + k]} * double{b[k * 16 + n]};
      c.push_back(static_cast<float>(sum));
    }
  try_result(work, c);
}

TEST(SingleOperator, SendsAToAllClustersWhereMemoryIsTheLimit) {
  chip::Chip chip;
  const models::GemmShape shape{512, 4096, 4096, 1};
  const auto shared = [&](const models::GemmShape& s) {
    return models::Gemm(s, chip, chip::Format::bf16).plan().shared;
  };
  EXPECT_FALSE(shared(shape)) << "no window";
  chip.noc.multicast = {{"others", {1, 2}}, {"everyone", {}}};
  EXPECT_TRUE(shared(shape));
  EXPECT_FALSE(shared({512, 4096, 4096, 16})) << "each product is made by one cluster";
  EXPECT_FALSE(shared({1, 4096, 4096, 1})) << "next to no A";
  chip.clusters.tensor.rows = chip.clusters.tensor.columns = 16;
  EXPECT_FALSE(shared(shape)) << "the arrays are the limit";
}

/// The window must have just the clusters that work, which are the first ones.
TEST(SingleOperator, TakesTheWindowOfItsClustersOnly) {
  chip::Chip chip;
  chip.noc.multicast = {{"six", {0, 1, 2, 3, 4, 5}}, {"others", {1, 2, 3, 4, 5, 6, 7}}, {"everyone", {}}};
  EXPECT_FALSE(models::window_of_all(chip, 7)) << "six, seven others, or all 16";
  EXPECT_FALSE(models::window_of_all(chip, 1));
  EXPECT_EQ(models::window_of_all(chip, 16)->scratchpads, chip::address_map::multicast(2));
  const models::GemmShape of_six{512, 4096, 96, 1}, of_seven{512, 4096, 112, 1};
  chip.hbm.stacks = chip.hbm.channels = chip.hbm.ports = 1;  // memory is the limit
  EXPECT_TRUE(models::Gemm(of_six, chip, chip::Format::bf16).plan().shared);
  EXPECT_FALSE(models::Gemm(of_seven, chip, chip::Format::bf16).plan().shared);
  chip.noc.multicast.push_back({"seven", {0, 1, 2, 3, 4, 5, 6}});
  EXPECT_EQ(models::window_of_all(chip, 7)->registers, chip::address_map::multicast_registers(3));
  EXPECT_TRUE(models::Gemm(of_seven, chip, chip::Format::bf16).plan().shared);
}

TEST(SingleOperator, KeepsBWhereSeveralProductsAreMade) {
  chip::Chip chip;
  chip.clusters.tensor.columns = 64, chip.clusters.tensor.arrays = 4;
  EXPECT_FALSE(models::Gemm({512, 4096, 4096, 1}, chip, chip::Format::bf16).plan().resident);
  const auto narrow = models::Gemm({2048, 512, 64, 64}, chip, chip::Format::bf16).plan();
  EXPECT_TRUE(narrow.resident);
  EXPECT_TRUE(narrow.swapped);
  const auto wide = models::Gemm({2048, 64, 512, 64}, chip, chip::Format::bf16).plan();
  EXPECT_TRUE(wide.resident);
  EXPECT_FALSE(wide.swapped);
  EXPECT_FALSE(models::Gemm({2048, 512, 64, 64}, chip, chip::Format::i8).plan().swapped);
}
