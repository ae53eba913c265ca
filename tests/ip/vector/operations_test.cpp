// SPDX-License-Identifier: Apache-2.0
// Every operation against the host's mathematics in double precision.
#include "ip/vector/operations.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <random>

#include "firmware/abi/registers.h"
#include "ip/vector/elementary.hpp"
#include "ip/vector/philox.hpp"

using namespace forerun::ip;

namespace {

constexpr std::uint32_t rows = 3, cols = 10, at_a = 0, at_b = 4096, at_c = 8192, at_d = 12288;

struct Bench {
  std::vector<unsigned char> memory = std::vector<unsigned char>(16384);
  fr_vector command{};
  Bench(unsigned op, bool positive = false) {
    std::mt19937 random(op + 1);
    std::uniform_real_distribution<float> uniform(positive ? 0.1F : -4.0F, 4.0F);
    for (std::size_t i = 0; i < 3072; ++i) {
      const float value = uniform(random);
      std::memcpy(memory.data() + 4 * i, &value, 4);
    }
    command.op = static_cast<std::uint8_t>(op);
    command.rows = rows, command.cols = cols;
    command.a = at_a, command.b = at_b, command.c = at_c, command.d = at_d;
    command.a_stride = command.b_stride = command.c_stride = command.d_stride = cols * 4;
  }
  double at(std::uint32_t base, std::uint32_t row, std::uint32_t col) const {
    float value = 0;
    std::memcpy(&value, memory.data() + base + (row * cols + col) * 4, 4);
    return static_cast<double>(value);
  }
  void run() {
    ASSERT_FALSE(check_vector(command, memory.size()));
    vector_operation(command, memory);
  }
};

std::uint32_t bits(float value) { return std::bit_cast<std::uint32_t>(value); }

void expect_elements(unsigned op, const std::function<double(double, double, double)>& f,
                     bool positive = false) {
  Bench bench(op, positive);
  bench.run();
  for (std::uint32_t r = 0; r < rows; ++r)
    for (std::uint32_t i = 0; i < cols; ++i) {
      const double wanted = f(bench.at(at_a, r, i), bench.at(at_b, r, i), bench.at(at_c, r, i));
      EXPECT_NEAR(bench.at(at_d, r, i), wanted, 1e-6 * std::fabs(wanted) + 2e-7)
          << "operation " << op << " of " << bench.at(at_a, r, i);
    }
}

TEST(VectorOperations, ElementWise) {
  const double pi = std::acos(-1.0);
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  expect_elements(FR_VECTOR_COPY, [](double a, double, double) { return a; });
  expect_elements(FR_VECTOR_ADD, [](double a, double b, double) { return a + b; });
  expect_elements(FR_VECTOR_SUB, [](double a, double b, double) { return a - b; });
  expect_elements(FR_VECTOR_MUL, [](double a, double b, double) { return a * b; });
  expect_elements(
      FR_VECTOR_DIV, [](double a, double b, double) { return a / b; }, true);
  expect_elements(FR_VECTOR_MAX, [](double a, double b, double) { return std::max(a, b); });
  expect_elements(FR_VECTOR_MIN, [](double a, double b, double) { return std::min(a, b); });
  expect_elements(FR_VECTOR_FMA, [](double a, double b, double c) { return a * b + c; });
  expect_elements(FR_VECTOR_NEG, [](double a, double, double) { return -a; });
  expect_elements(FR_VECTOR_ABS, [](double a, double, double) { return std::fabs(a); });
  expect_elements(FR_VECTOR_EXP, [](double a, double, double) { return std::exp(a); });
  expect_elements(
      FR_VECTOR_LOG, [](double a, double, double) { return std::log(a); }, true);
  expect_elements(
      FR_VECTOR_SQRT, [](double a, double, double) { return std::sqrt(a); }, true);
  expect_elements(
      FR_VECTOR_RSQRT, [](double a, double, double) { return 1 / std::sqrt(a); }, true);
  expect_elements(
      FR_VECTOR_RECIPROCAL, [](double a, double, double) { return 1 / a; }, true);
  expect_elements(FR_VECTOR_TANH, [](double a, double, double) { return std::tanh(a); });
  expect_elements(FR_VECTOR_ERF, [](double a, double, double) { return std::erf(a); });
  expect_elements(FR_VECTOR_SIGMOID, [&](double a, double, double) { return sigmoid(a); });
  expect_elements(FR_VECTOR_RELU, [](double a, double, double) { return std::max(a, 0.0); });
  expect_elements(FR_VECTOR_SILU, [&](double a, double, double) { return a * sigmoid(a); });
  expect_elements(FR_VECTOR_GELU,
                  [](double a, double, double) { return a / 2 * (1 + std::erf(a / std::sqrt(2.0))); });
  expect_elements(FR_VECTOR_GELU_TANH, [&](double a, double, double) {
    return a / 2 * (1 + std::tanh(std::sqrt(2 / pi) * (a + 0.044715 * a * a * a)));
  });
  expect_elements(FR_VECTOR_SWIGLU, [&](double a, double b, double) { return a * sigmoid(a) * b; });
}

TEST(VectorOperations, CausalSoftmax) {
  Bench bench(FR_VECTOR_SOFTMAX);
  bench.command.arg0 = 4, bench.command.arg1 = 2, bench.command.arg2 = bits(0.5F);
  bench.run();
  for (std::uint32_t r = 0; r < rows; ++r) {
    const std::uint32_t valid = 4 + r % 2;
    double sum = 0;
    for (std::uint32_t i = 0; i < valid; ++i) sum += std::exp(0.5 * bench.at(at_a, r, i));
    for (std::uint32_t i = 0; i < cols; ++i)
      EXPECT_NEAR(bench.at(at_d, r, i), i < valid ? std::exp(0.5 * bench.at(at_a, r, i)) / sum : 0.0, 1e-6);
  }
}

/// Of equals the first; what is not kept becomes arg1.
TEST(VectorOperations, TopK) {
  Bench bench(FR_VECTOR_TOP_K);
  const float by[] = {1, 5, -2, 5, 3, 5, NAN, 0, 5, 1};
  for (std::uint32_t r = 0; r < rows; ++r) std::memcpy(bench.memory.data() + at_b + r * cols * 4, by, sizeof by);
  bench.command.arg0 = 4, bench.command.arg1 = bits(-7);
  bench.run();
  for (std::uint32_t r = 0; r < rows; ++r)
    for (std::uint32_t i = 0; i < cols; ++i) {
      const bool kept = i == 6 || i == 1 || i == 3 || i == 5;
      EXPECT_EQ(bench.at(at_d, r, i), kept ? bench.at(at_a, r, i) : -7) << i;
    }
  EXPECT_EQ(vector_cost(bench.command).passes, 5u);
  bench.command.arg0 = 100;
  bench.run();
  EXPECT_EQ(bench.at(at_d, 2, 9), bench.at(at_a, 2, 9));
}

TEST(VectorOperations, IndicesOfWhatIsNotZero) {
  Bench bench(FR_VECTOR_INDICES);
  const float values[] = {0, 5, -2, -0.0F, 3, 0, NAN, 0, 0, 1};
  std::memcpy(bench.memory.data() + at_a, values, sizeof values);
  bench.command.rows = 1, bench.command.d_type = FR_TYPE_U32, bench.command.arg0 = 99;
  bench.run();
  std::vector<std::uint32_t> listed(cols);
  std::memcpy(listed.data(), bench.memory.data() + at_d, sizeof(std::uint32_t) * cols);
  EXPECT_EQ(listed, (std::vector<std::uint32_t>{1, 2, 4, 6, 9, 99, 99, 99, 99, 99}));
  bench.command.d_type = FR_TYPE_F32;
  EXPECT_TRUE(check_vector(bench.command, bench.memory.size()));
}

TEST(VectorOperations, WindowedSoftmax) {
  Bench bench(FR_VECTOR_SOFTMAX);
  bench.command.arg0 = 4, bench.command.arg1 = 2, bench.command.arg3 = 3;
  bench.run();
  for (std::uint32_t r = 0; r < rows; ++r) {
    const std::uint32_t end = 4 + r % 2, begin = end - 3;
    double sum = 0;
    for (std::uint32_t i = begin; i < end; ++i) sum += std::exp(bench.at(at_a, r, i));
    for (std::uint32_t i = 0; i < cols; ++i)
      EXPECT_NEAR(bench.at(at_d, r, i), i >= begin && i < end ? std::exp(bench.at(at_a, r, i)) / sum : 0.0,
                  1e-6);
  }
}

TEST(VectorOperations, Norms) {
  Bench rms(FR_VECTOR_RMSNORM), layer(FR_VECTOR_LAYERNORM);
  for (auto* bench : {&rms, &layer}) {
    bench->command.b_stride = bench->command.c_stride = 0;
    bench->command.arg0 = bits(1e-5F);
    bench->run();
  }
  for (std::uint32_t r = 0; r < rows; ++r) {
    double squares = 0, mean = 0, variance = 0;
    for (std::uint32_t i = 0; i < cols; ++i)
      squares += rms.at(at_a, r, i) * rms.at(at_a, r, i) / cols, mean += layer.at(at_a, r, i) / cols;
    for (std::uint32_t i = 0; i < cols; ++i) variance += std::pow(layer.at(at_a, r, i) - mean, 2) / cols;
    for (std::uint32_t i = 0; i < cols; ++i) {
      EXPECT_NEAR(rms.at(at_d, r, i), rms.at(at_a, r, i) / std::sqrt(squares + 1e-5) * rms.at(at_b, 0, i),
                  2e-6);
      EXPECT_NEAR(layer.at(at_d, r, i),
                  (layer.at(at_a, r, i) - mean) / std::sqrt(variance + 1e-5) * layer.at(at_b, 0, i) +
                      layer.at(at_c, 0, i),
                  4e-6);
    }
  }
}

TEST(VectorOperations, RotatesPairsInBothConventions) {
  for (const bool neighbours : {false, true}) {
    Bench bench(FR_VECTOR_ROPE);
    bench.command.cols = 8, bench.command.arg0 = 4;
    bench.command.flags = neighbours ? FR_VECTOR_FLAG_INTERLEAVED : 0;
    bench.run();
    for (std::uint32_t r = 0; r < rows; ++r)
      for (std::uint32_t head = 0; head < 8; head += 4)
        for (std::uint32_t i = 0; i < 2; ++i) {
          const auto p = head + (neighbours ? 2 * i : i), q = head + (neighbours ? 2 * i + 1 : i + 2);
          const double x = bench.at(at_a, r, p), y = bench.at(at_a, r, q), c = bench.at(at_b, r, i),
                       s = bench.at(at_c, r, i);
          EXPECT_NEAR(bench.at(at_d, r, p), x * c - y * s, 1e-5);
          EXPECT_NEAR(bench.at(at_d, r, q), x * s + y * c, 1e-5);
        }
  }
}

TEST(VectorOperations, QuantizeThenDequantizeStaysWithinHalfAStep) {
  Bench bench(FR_VECTOR_QUANTIZE);
  bench.command.d_type = FR_TYPE_I8;
  bench.command.d_stride = cols;
  bench.command.c_stride = 4;
  bench.run();
  for (std::uint32_t r = 0; r < rows; ++r) {
    float scale = 0;
    std::memcpy(&scale, bench.memory.data() + at_c + r * 4, 4);
    double top = 0;
    for (std::uint32_t i = 0; i < cols; ++i) top = std::max(top, std::fabs(bench.at(at_a, r, i)));
    EXPECT_NEAR(static_cast<double>(scale), top / 127, 1e-7);
    for (std::uint32_t i = 0; i < cols; ++i) {
      const auto q = static_cast<std::int8_t>(bench.memory[at_d + r * cols + i]);
      EXPECT_NEAR(q * static_cast<double>(scale), bench.at(at_a, r, i), static_cast<double>(scale) * 0.501);
    }
  }
}

TEST(VectorOperations, ReductionsAndArgmax) {
  Bench sum(FR_VECTOR_SUM), top(FR_VECTOR_ARGMAX);
  sum.command.d_stride = top.command.d_stride = 4;
  top.command.d_type = FR_TYPE_U32;
  top.command.arg0 = 100;
  sum.run();
  top.run();
  for (std::uint32_t r = 0; r < rows; ++r) {
    double total = 0;
    std::uint32_t best = 0, got = 0;
    for (std::uint32_t i = 0; i < cols; ++i) {
      total += sum.at(at_a, r, i);
      if (top.at(at_a, r, i) > top.at(at_a, r, best)) best = i;
    }
    float value = 0;
    std::memcpy(&value, sum.memory.data() + at_d + 4 * r, 4);
    std::memcpy(&got, top.memory.data() + at_d + 4 * r, 4);
    EXPECT_NEAR(static_cast<double>(value), total, 1e-5);
    EXPECT_EQ(got, 100 + best);
  }
}

TEST(VectorOperations, GumbelNoiseHasTheRightMeanAndIsRepeatable) {
  std::vector<unsigned char> memory(1 << 20);
  fr_vector c{};
  c.op = FR_VECTOR_GUMBEL;
  c.rows = 100, c.cols = 1000;
  c.d = 1 << 19;
  c.d_stride = 4000;
  c.a_stride = 0;
  c.arg0 = 1, c.arg3 = bits(1.0F);
  ASSERT_FALSE(check_vector(c, memory.size()));
  vector_operation(c, memory);
  double sum = 0;
  for (std::uint32_t i = 0; i < 100000; ++i) {
    float g = 0;
    std::memcpy(&g, memory.data() + c.d + 4 * i, 4);
    sum += static_cast<double>(g);
  }
  EXPECT_NEAR(sum / 100000, 0.5772, 0.02) << "Euler's constant";
  const auto once = memory;
  vector_operation(c, memory);
  EXPECT_EQ(memory, once);
}

TEST(Elementary, ExponentialIsWithinAHundredthOfHalfAUnit) {
  double worst = 0;
  for (std::uint64_t i = 0; i < 1u << 21; ++i) {
    const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(i * 2053));
    if (std::isnan(x)) continue;
    const float got = exponential(x);
    const double exact = std::exp(static_cast<double>(x));
    if (exact > 0x1.ffffffp127) {
      EXPECT_EQ(got, INFINITY) << x;
      continue;
    }
    // A unit in the last place of the result; of subnormals 2^-149.
    const double unit = std::ldexp(1.0, std::max(std::ilogb(std::max(exact, 0x1p-149)), -126) - 23);
    worst = std::max(worst, std::fabs(static_cast<double>(got) - exact) / unit);
  }
  EXPECT_LT(worst, 0.51);
  EXPECT_EQ(exponential(0.0F), 1.0F);
  EXPECT_TRUE(std::isnan(exponential(NAN)));
}

TEST(Philox, KnownAnswers) {  // of the Random123 distribution
  EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}),
            (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t f = 0xffffffff;
  EXPECT_EQ(philox4x32_10({f, f, f, f}, {f, f}),
            (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
}

TEST(VectorCheck, RefusesWhatCannotBe) {
  Bench bench(0xee);
  EXPECT_EQ(check_vector(bench.command, 16384)->error, static_cast<unsigned>(FR_ERROR_COMMAND));
  bench.command.op = FR_VECTOR_ROPE;
  bench.command.arg0 = 3;
  EXPECT_EQ(check_vector(bench.command, 16384)->error, static_cast<unsigned>(FR_ERROR_COMMAND));
  bench.command.op = FR_VECTOR_ADD;
  bench.command.d = 16380;
  EXPECT_EQ(check_vector(bench.command, 16384)->error, static_cast<unsigned>(FR_ERROR_LOCAL_RANGE));
}

}  // namespace
