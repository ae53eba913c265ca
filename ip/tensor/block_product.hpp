// SPDX-License-Identifier: Apache-2.0
/// The inner loops of matmul(): small tiles of outputs held in the host's vector registers.
///
/// Vectors run over outputs, never over k, so each output sees its own k in ascending order whatever the
/// host's width.
#pragma once

#include <cstdint>

namespace forerun::ip {

inline constexpr unsigned panel_width = 16;  ///< columns of B that are packed together
inline constexpr unsigned tile_height = 4;   ///< rows of A that are packed together

/// sums[r * stride + j] = fma(a[k * height + r], b[k][j], sums[...]) for k = 0, 1, .. k_count - 1.
/// A is packed as [k][height], height 1 .. tile_height; B as `panels` panels of [k][panel_width],
/// `panel_stride` floats apart. `panels` is 1, or up to panels_at_once(height): more of them keep the adders
/// busy when there are few rows.
void multiply_tile(unsigned height, unsigned panels, const float* a, const float* b,
                   std::uint64_t panel_stride, std::uint64_t k_count, float* sums, std::uint64_t stride);
constexpr unsigned panels_at_once(std::uint64_t height) { return height == 1 ? 4 : height == 2 ? 2 : 1; }

/// to[i] += from[i] for whole numbers below 2^31 in size, wrapping.
void add_whole(const float* from, std::uint32_t* to, std::uint64_t count);

/// out[i] = out[i] + (sums[i] * (row_scale * scales[i])): each step rounded to binary32, but the product of
/// the scales kept exact if `exact` (which needs them to be powers of two).
void add_scaled(const float* sums, float row_scale, const float* scales, bool exact, float* out,
                std::uint64_t count);
/// The same for wrapped int32 sums, rounded to binary32 first.
void add_scaled(const std::uint32_t* sums, float row_scale, const float* scales, bool exact, float* out,
                std::uint64_t count);

}  // namespace forerun::ip
