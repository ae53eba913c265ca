// SPDX-License-Identifier: Apache-2.0
#include "ip/tensor/tile_timing.hpp"

#include <limits>

namespace forerun::ip {
namespace {

constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

std::uint64_t stall(std::span<const std::uint32_t> stalls, std::uint64_t beat) {
  return beat < stalls.size() ? stalls[beat] : 0;
}

/// The tile stands still while a result is offered and not taken. Its own cycles are those in which it does
/// not.
class Standstills {
 public:
  explicit Standstills(std::span<const std::uint32_t> stalls) : stalls_(stalls) {}

  /// A result that will be offered in this cycle of the tile's own.
  void add(std::uint64_t own_cycle) { offered_.push_back(own_cycle); }

  /// What one stream of beats has seen of them; it only ever looks forward.
  struct Cursor {
    std::uint64_t next = 0, stood = 0;  ///< result, cycles stood still before it
  };
  /// The first cycle from `cycle` on in which the tile moves.
  std::uint64_t moving(Cursor& cursor, std::uint64_t cycle) const {
    while (cursor.next < offered_.size() && offered_[cursor.next] + cursor.stood <= cycle) {
      const auto length = stall(stalls_, cursor.next);
      cycle = std::max(cycle, offered_[cursor.next] + cursor.stood + length);
      cursor.stood += length;
      ++cursor.next;
    }
    return cycle;
  }
  /// The cycle in which each result is taken.
  std::vector<std::uint64_t> taken() const {
    std::vector<std::uint64_t> cycles;
    cycles.reserve(offered_.size());
    std::uint64_t stood = 0;
    for (const auto own_cycle : offered_) {
      stood += stall(stalls_, cycles.size());
      cycles.push_back(own_cycle + stood);
    }
    return cycles;
  }

 private:
  std::span<const std::uint32_t> stalls_;
  std::vector<std::uint64_t> offered_;
};

struct Stream {
  std::uint64_t wave = 0, row = 0;
  std::uint64_t earliest = 0;  ///< cycle in which the next beat can be taken, as far as known
  Standstills::Cursor cursor;
  std::vector<std::uint64_t>* taken;

  void take(std::uint64_t rows, std::span<const std::uint32_t> stalls) {
    taken->push_back(earliest);
    earliest += 1 + stall(stalls, taken->size());
    if (++row == rows) row = 0, ++wave;
  }
};

}  // namespace

std::vector<TileWave> tile_waves(unsigned rows, unsigned columns, std::uint32_t m, std::uint32_t n,
                                 std::uint32_t k) {
  std::vector<TileWave> waves;
  if (m == 0) return waves;
  for (std::uint64_t column = 0; column < n; column += columns)
    for (std::uint64_t first = 0; first < k; first += rows) {
      const auto weights = static_cast<std::uint32_t>(std::min<std::uint64_t>(rows, k - first));
      waves.push_back({weights, m, first > 0, first + rows >= k});
    }
  return waves;
}

TileSchedule schedule_tile(unsigned rows, unsigned columns, std::span<const TileWave> waves,
                           const TileStalls& stalls) {
  TileSchedule schedule;
  Standstills standstills(stalls.results);
  Stream weights{.earliest = stall(stalls.weights, 0), .cursor = {}, .taken = &schedule.weights};
  Stream activations{.earliest = stall(stalls.activations, 0), .cursor = {}, .taken = &schedule.activations};
  std::vector<std::uint64_t>
      kept;  // for each row of the accumulators: the tile's own cycle of the activations kept last
  while (activations.wave < waves.size()) {
    auto weights_at = never, activations_at = never;
    // The shadows are free for a tile from the cycle on in which the first activations of the wave before are
    // taken.
    if (weights.wave < waves.size() &&
        (weights.row > 0 || weights.wave == activations.wave + (activations.row > 0 ? 1 : 0)))
      weights_at = weights.earliest = standstills.moving(weights.cursor, weights.earliest);
    const auto& wave = waves[activations.wave];
    if (activations.row > 0 || weights.wave > activations.wave) {
      auto& cycle = activations.earliest;
      cycle = standstills.moving(activations.cursor, cycle);
      if (wave.continues && activations.row < kept.size()) {
        const auto sum = kept[activations.row] + rows;
        while (cycle - activations.cursor.stood < sum)
          cycle = standstills.moving(activations.cursor, sum + activations.cursor.stood);
      }
      activations_at = cycle;
    }
    if (weights_at < activations_at) {
      weights.take(waves[weights.wave].weights, stalls.weights);
      // Loaded after the last row; the first activations of the wave may wait for it.
      if (weights.row == 0 && activations.row == 0 && activations.wave + 1 == weights.wave)
        activations.earliest = std::max(activations.earliest, weights_at + 1);
    } else {
      const auto own_cycle = activations_at - activations.cursor.stood;
      if (activations.row == 0) weights.earliest = std::max(weights.earliest, activations_at);
      if (wave.emits) {
        standstills.add(own_cycle + rows + columns - 1);
      } else {
        if (kept.size() <= activations.row) kept.resize(activations.row + 1);
        kept[activations.row] = own_cycle;
      }
      const auto last_row = activations.row + 1 == wave.rows;
      activations.take(wave.rows, stalls.activations);
      if (last_row && weights.row == 0 && weights.wave == activations.wave + 1)
        activations.earliest = std::max(activations.earliest, schedule.weights.back() + 1);
    }
  }
  schedule.results = standstills.taken();
  return schedule;
}

}  // namespace forerun::ip
