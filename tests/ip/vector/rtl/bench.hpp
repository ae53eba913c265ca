// SPDX-License-Identifier: Apache-2.0
/// Random VECTOR commands on the vector engine of RTL and on the models.
#pragma once

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "ip/base/numbers.hpp"
#include "ip/vector/operations.hpp"
#include "ip/vector/rtl_lanes.hpp"
#include "ip/vector/vector_timing.hpp"

namespace forerun::ip {

inline constexpr std::uint32_t at_a = 0, at_b = 0x10000, at_c = 0x20000, at_d = 0x30000,
                               memory_bytes = 0x60000;

/// Elements of types that the engine has, ordinary and special ones.
class Stimulus {
 public:
  explicit Stimulus(unsigned seed) : random_(seed) {}

  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  float value(bool positive = false) {
    const unsigned kind = below(40);
    if (kind == 0) return NAN;
    if (kind == 1) return positive || below(2) == 0 ? INFINITY : -INFINITY;
    if (kind == 2) return positive || below(2) == 0 ? 0.0F : -0.0F;
    if (kind < 6) {  // anything
      const auto bits = static_cast<std::uint32_t>(random_());
      const auto any = std::bit_cast<float>(positive ? bits & 0x7fffffff : bits);
      return std::isnan(any) ? NAN : any;  // its payload does not matter
    }
    const float near = std::uniform_real_distribution<float>(positive ? 0.0F : -4.0F, 4.0F)(random_);
    return kind < 12 ? std::round(near) : kind < 16 ? near * 30 : near;
  }
  template <std::size_t N>
  std::uint8_t one_of(const unsigned (&list)[N]) {
    return static_cast<std::uint8_t>(list[below(N)]);
  }
  void fill(std::vector<unsigned char>& memory, std::uint32_t at, unsigned type, std::uint32_t count,
            bool positive) {
    std::vector<float> values(count);
    for (auto& v : values) v = value(positive);
    write_row(type, values.data(), memory.data() + at, count);
  }
  /// A command of an operation with its operands in memory, which check_vector() accepts.
  fr_vector command(unsigned op, unsigned lanes, std::vector<unsigned char>& memory) {
    static constexpr unsigned floats[] = {FR_TYPE_F32, FR_TYPE_F32, FR_TYPE_F16, FR_TYPE_BF16};
    static constexpr unsigned all[] = {FR_TYPE_F32, FR_TYPE_F16, FR_TYPE_BF16,
                                       FR_TYPE_I8,  FR_TYPE_I32, FR_TYPE_U32};
    fr_vector c{};
    c.op = static_cast<std::uint8_t>(op);
    c.a_type = one_of(all), c.b_type = one_of(floats), c.c_type = one_of(floats), c.d_type = one_of(all);
    if (below(4) != 0) c.a_type = one_of(floats);
    c.rows = 1 + below(9);
    c.cols = 1 + below(below(4) == 0 ? 200 : 3 * lanes);
    c.a = at_a, c.b = at_b, c.c = at_c, c.d = at_d;
    c.arg0 = std::bit_cast<std::uint32_t>(value()), c.arg1 = std::bit_cast<std::uint32_t>(value());
    const auto sources = vector_sources(c).size();
    if (below(3) == 0 && sources > 1) c.flags |= FR_VECTOR_FLAG_B_SCALAR;
    if (below(3) == 0 && sources > 2) c.flags |= FR_VECTOR_FLAG_C_SCALAR;
    special(c);
    const auto stride = [&](unsigned type, std::uint32_t cols) {
      return static_cast<std::int32_t>(row_bytes(type, cols) + 4 * below(3));
    };
    c.a_stride = stride(c.a_type, c.cols);
    c.b_stride = below(3) == 0 ? 0 : stride(c.b_type, c.cols);
    c.c_stride = op != FR_VECTOR_QUANTIZE && below(3) == 0 ? 0 : stride(c.c_type, c.cols);
    c.d_stride = stride(c.d_type, c.cols);
    if (below(5) == 0 && c.a_type == c.d_type) c.d = c.a, c.d_stride = c.a_stride;  // in place
    const bool positive = op == FR_VECTOR_SQRT || op == FR_VECTOR_RSQRT || op == FR_VECTOR_SUM_SQUARES;
    fill(memory, at_a, c.a_type, 0x2000, positive);
    fill(memory, at_b, c.b_type, 0x2000, false);
    fill(memory, at_c, c.c_type, 0x2000, false);
    return c;
  }

 private:
  void special(fr_vector& c) {
    switch (c.op) {
      case FR_VECTOR_ROPE:
        c.arg0 = 2 * (1 + below(12)), c.cols = c.arg0 * (1 + below(5));
        c.flags = below(2) == 0 ? FR_VECTOR_FLAG_INTERLEAVED : 0;
        break;
      case FR_VECTOR_SOFTMAX:
        c.arg0 = below(2) * below(c.cols + 2), c.arg1 = below(3) == 0 ? 0 : below(5),
        c.arg3 = below(3) == 0 ? below(9) : 0;
        c.arg2 = below(2) == 0 ? 0 : std::bit_cast<std::uint32_t>(0.125F);
        break;
      case FR_VECTOR_RMSNORM:
      case FR_VECTOR_LAYERNORM:
        c.arg0 = std::bit_cast<std::uint32_t>(1e-5F);
        break;
      case FR_VECTOR_QUANTIZE:
        c.d_type = FR_TYPE_I8, c.arg0 = below(2) == 0 ? 0 : c.cols + below(3);
        break;
      case FR_VECTOR_ARGMAX:
        c.d_type = FR_TYPE_U32, c.arg0 = below(1000);
        break;
      case FR_VECTOR_CONCAT_COUNT:
        c.arg0 = below(2) == 0 ? below(100) : ~std::uint32_t{0} - below(20000);
        break;
      default:
        break;
    }
  }
  std::mt19937 random_;
};

}  // namespace forerun::ip
