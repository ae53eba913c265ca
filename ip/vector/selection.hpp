// SPDX-License-Identifier: Apache-2.0
/// Which columns of a row stand out: TOP_K and INDICES.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <span>
#include <vector>

namespace forerun::ip {

/// to[i] = from[i] where by[i] is among the `count` largest, the first of equals, else `other`. NaN counts as
/// largest. All spans have the same size.
inline void keep_largest(std::span<const float> by, std::span<const float> from, std::uint32_t count,
                         float other, float* to) {
  const auto before = [&by](std::uint32_t i, std::uint32_t k) {
    const float x = by[i], y = by[k];
    if (std::isnan(x) != std::isnan(y)) return std::isnan(x);
    return x != y && !std::isnan(x) ? x > y : i < k;
  };
  std::vector<std::uint32_t> order(by.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto kept = order.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(count, order.size()));
  std::nth_element(order.begin(), kept, order.end(), before);
  std::fill_n(to, from.size(), other);
  for (auto i = order.begin(); i != kept; ++i) to[*i] = from[*i];
}

/// The columns that are not 0 in ascending order, then `pad` up to as many as the row has, as 32 bits at
/// `to`.
inline void list_columns(std::span<const float> row, std::uint32_t pad, unsigned char* to) {
  std::vector<std::uint32_t> listed;
  for (std::uint32_t i = 0; i < row.size(); ++i)
    if (row[i] != 0) listed.push_back(i);
  listed.resize(row.size(), pad);
  std::memcpy(to, listed.data(), listed.size() * sizeof(std::uint32_t));
}

}  // namespace forerun::ip
