// SPDX-License-Identifier: Apache-2.0
#include "platform/replay/tile_beats.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "ip/tensor/tile_timing.hpp"

namespace forerun::replay {
namespace {

std::uint16_t element(const std::vector<std::uint8_t>& matrix, std::uint64_t index, unsigned bytes) {
  std::uint16_t value = 0;
  std::memcpy(&value, &matrix[index * bytes], bytes);
  return value;
}

}  // namespace

void TileShape::check() const {
  if (format > 2) throw std::invalid_argument("the format of a tile is 0 (int8), 1 (bf16) or 2 (fp16)");
  if (rows < 1 || rows > 512 || columns < 1 || columns > 512)
    throw std::invalid_argument("a tile has 1 to 512 rows and columns");
}

bool TileShape::takes(const ip::record::Product& product) const {
  return product.format == format && (product.k <= rows || product.m <= depth);
}

const char* format_name(unsigned format) {
  static constexpr const char* names[] = {"int8", "bf16", "fp16"};
  return names[format];
}

TileBeats::TileBeats(const ip::record::Product& p, const TileShape& shape) {
  const auto bytes = p.element_bytes();
  for (std::uint32_t column = 0; column < p.n; column += shape.columns) {
    const auto width = std::min(shape.columns, p.n - column);
    for (std::uint32_t first = 0; first < p.k; first += shape.rows) {
      const auto height = std::min(shape.rows, p.k - first);
      for (std::uint32_t r = 0; r < height; ++r) {
        auto& beat = weights.emplace_back();
        beat.lanes.resize(shape.columns);
        for (std::uint32_t c = 0; c < width; ++c)
          beat.lanes[c] = element(p.b, std::uint64_t{first + r} * p.n + column + c, bytes);
        beat.last = r + 1 == height;
      }
      for (std::uint32_t i = 0; i < p.m; ++i) {
        auto& beat = activations.emplace_back();
        beat.lanes.resize(shape.rows);
        beat.sums.resize(shape.columns);
        for (std::uint32_t r = 0; r < height; ++r)
          beat.lanes[r] = element(p.a, std::uint64_t{i} * p.k + first + r, bytes);
        beat.start = first > 0 ? 1u : p.before.empty() ? 0u : 2u;
        if (beat.start == 2)
          std::copy_n(p.before.begin() + static_cast<std::ptrdiff_t>(std::uint64_t{i} * p.n + column), width,
                      beat.sums.begin());
        beat.emit = first + shape.rows >= p.k;
        beat.last = i + 1 == p.m;
      }
    }
    for (std::uint32_t i = 0; i < p.m; ++i) {
      auto& beat = results.emplace_back();
      beat.lanes.resize(shape.columns);
      std::copy_n(p.after.begin() + static_cast<std::ptrdiff_t>(std::uint64_t{i} * p.n + column), width,
                  beat.lanes.begin());
      beat.used = width;
      beat.last = i + 1 == p.m;
      beat.row = i;
      beat.column = column;
    }
  }
  const auto waves = ip::tile_waves(shape.rows, shape.columns, p.m, p.n, p.k);
  cycles = ip::schedule_tile(shape.rows, shape.columns, waves).cycles();
}

}  // namespace forerun::replay
