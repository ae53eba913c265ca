// SPDX-License-Identifier: Apache-2.0
#include "ip/vector/vector_timing.hpp"

#include <algorithm>

namespace forerun::ip {

std::uint64_t vector_cycles(const VectorShape& shape, const VectorCost& cost) {
  if (cost.elements() == 0) return 1;
  const auto row_beats = (cost.cols + shape.lanes - 1) / shape.lanes;
  const auto rows_held = std::max<std::uint64_t>(1, shape.buffer_beats / row_beats);
  const auto groups = cost.passes == 1 ? 1 : (cost.rows + rows_held - 1) / rows_held;
  return groups * cost.passes * shape.latency +
         cost.rows * row_beats * (cost.passes + std::uint64_t{cost.special} * (shape.special_factor - 1));
}

std::vector<std::uint64_t> vector_result_cycles(const VectorShape& shape, const VectorCost& cost,
                                                bool reduces) {
  std::vector<std::uint64_t> cycles;
  const auto row_beats = (cost.cols + shape.lanes - 1) / shape.lanes;
  const auto rows_held =
      cost.passes == 1 ? cost.rows : std::max<std::uint64_t>(1, shape.buffer_beats / row_beats);
  const unsigned last_special = cost.special_last ? 1 : 0;
  const std::uint64_t last_factor = cost.special_last ? shape.special_factor : 1;
  std::uint64_t now = 0;
  for (std::uint64_t row = 0; row < cost.rows; row += rows_held) {
    const auto beats = std::min(rows_held, cost.rows - row) * row_beats;
    now += (cost.passes - 1) * (shape.latency + beats) +
           (cost.special - last_special) * (shape.special_factor - 1) * beats;
    for (std::uint64_t beat = 1; beat <= beats; ++beat)
      if (!reduces || beat % row_beats == 0) cycles.push_back(now + beat * last_factor - 1 + shape.latency);
    now += beats * last_factor + shape.latency;
  }
  return cycles;
}

}  // namespace forerun::ip
