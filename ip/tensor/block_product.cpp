// SPDX-License-Identifier: Apache-2.0
#include "ip/tensor/block_product.hpp"

#include <cstring>

namespace forerun::ip {
namespace {

// The host's widest vectors are chosen at load time; every variant gives the same bits, since fma is exact by
// definition.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define FORERUN_HOST_VECTORS __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FORERUN_HOST_VECTORS
#endif

template <unsigned rows, unsigned panels>
[[gnu::always_inline]] inline void multiply(const float* a, const float* b, std::uint64_t panel_stride,
                                            std::uint64_t k_count, float* sums, std::uint64_t stride) {
  constexpr unsigned width = panels * panel_width;
  float local[rows][width];
  for (unsigned r = 0; r < rows; ++r) std::memcpy(local[r], sums + r * stride, sizeof local[r]);
  for (std::uint64_t k = 0; k < k_count; ++k) {
#pragma GCC unroll 4
    for (unsigned r = 0; r < rows; ++r) {
      const float x = a[k * rows + r];
#pragma GCC unroll 4
      for (unsigned p = 0; p < panels; ++p) {
        const float* row = b + p * panel_stride + k * panel_width;
        float* to = local[r] + p * panel_width;
        for (unsigned j = 0; j < panel_width; ++j) to[j] = __builtin_fmaf(x, row[j], to[j]);
      }
    }
  }
  for (unsigned r = 0; r < rows; ++r) std::memcpy(sums + r * stride, local[r], sizeof local[r]);
}

float as_float(float sum) { return sum; }
float as_float(std::uint32_t sum) { return static_cast<float>(static_cast<std::int32_t>(sum)); }

template <typename Sum>
[[gnu::always_inline]] inline void scale_and_add(const Sum* sums, float row_scale, const float* scales,
                                                 bool exact, float* out, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    // Products of two binary32 are exact in binary64, and so are all products with powers of two here.
    const double both = static_cast<double>(row_scale) * static_cast<double>(scales[i]);
    const double scale = exact ? both : static_cast<double>(static_cast<float>(both));
    out[i] += static_cast<float>(static_cast<double>(as_float(sums[i])) * scale);
  }
}

}  // namespace

FORERUN_HOST_VECTORS void multiply_tile(unsigned height, unsigned panels, const float* a, const float* b,
                                        std::uint64_t panel_stride, std::uint64_t k_count, float* sums,
                                        std::uint64_t stride) {
  switch (height * 8 + panels) {
    case 8 + 1:
      return multiply<1, 1>(a, b, panel_stride, k_count, sums, stride);
    case 8 + 2:
      return multiply<1, 2>(a, b, panel_stride, k_count, sums, stride);
    case 8 + 3:
      return multiply<1, 3>(a, b, panel_stride, k_count, sums, stride);
    case 8 + 4:
      return multiply<1, 4>(a, b, panel_stride, k_count, sums, stride);
    case 16 + 1:
      return multiply<2, 1>(a, b, panel_stride, k_count, sums, stride);
    case 16 + 2:
      return multiply<2, 2>(a, b, panel_stride, k_count, sums, stride);
    case 24 + 1:
      return multiply<3, 1>(a, b, panel_stride, k_count, sums, stride);
    default:
      return multiply<4, 1>(a, b, panel_stride, k_count, sums, stride);
  }
}

FORERUN_HOST_VECTORS void add_whole(const float* from, std::uint32_t* to, std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i)
    to[i] += static_cast<std::uint32_t>(static_cast<std::int32_t>(from[i]));
}

FORERUN_HOST_VECTORS void add_scaled(const float* sums, float row_scale, const float* scales, bool exact,
                                     float* out, std::uint64_t count) {
  scale_and_add(sums, row_scale, scales, exact, out, count);
}

FORERUN_HOST_VECTORS void add_scaled(const std::uint32_t* sums, float row_scale, const float* scales,
                                     bool exact, float* out, std::uint64_t count) {
  scale_and_add(sums, row_scale, scales, exact, out, count);
}

}  // namespace forerun::ip
