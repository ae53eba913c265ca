// SPDX-License-Identifier: Apache-2.0
#include "tests/ip/tensor/rtl/play.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace forerun::rtl {
namespace {

std::uint32_t at(std::span<const std::uint32_t> stalls, std::size_t beat) {
  return beat < stalls.size() ? stalls[beat] : 0;
}

/// A beat is offered once its stall is over, and until it is taken.
struct Source {
  std::span<const std::uint32_t> stalls;
  std::size_t count, next = 0;
  std::uint32_t wait;
  Source(std::span<const std::uint32_t> s, std::size_t n) : stalls(s), count(n), wait(at(s, 0)) {}
  bool valid() const { return next < count && wait == 0; }
  void edge(bool taken) {
    if (taken)
      wait = at(stalls, ++next);
    else if (wait > 0)
      --wait;
  }
};

/// The first beat of a stream that is not taken when the model says, and the earlier of the two cycles.
struct Difference {
  std::uint64_t cycle = std::numeric_limits<std::uint64_t>::max();
  std::string text;
};

Difference difference(const char* stream, const std::vector<std::uint64_t>& model,
                      const std::vector<std::uint64_t>& rtl) {
  const auto [m, r] = std::mismatch(model.begin(), model.end(), rtl.begin(), rtl.end());
  Difference found;
  if (m != model.end()) found.cycle = *m;
  if (r != rtl.end()) found.cycle = std::min(found.cycle, *r);
  const auto cycle = [](const auto& list, auto at) {
    return at == list.end() ? std::string("never") : fmt::format("in cycle {}", *at);
  };
  if (m != model.end() || r != rtl.end())
    found.text = fmt::format("{} {}: taken {}, by the model {}", stream, m - model.begin(), cycle(rtl, r),
                             cycle(model, m));
  return found;
}

}  // namespace

void reset(Tile& tile) {
  tile.reset(true);
  tile.weights(false, false, {});
  tile.activations(false, false, 0, false, {}, {});
  tile.results_ready(false);
  for (int i = 0; i < 2; ++i) tile.settle(), tile.clock();
  tile.reset(false);
}

Played play(Tile& tile, const Beats& beats, const ip::TileStalls& stalls, std::uint64_t limit) {
  Played played;
  Source weights(stalls.weights, beats.weights.size()),
      activations(stalls.activations, beats.activations.size());
  std::uint32_t offered = 0;  // cycles that the present result has been offered
  for (std::uint64_t cycle = 0; cycle < limit; ++cycle) {
    const bool w = weights.valid(), a = activations.valid();
    if (w) {
      const auto& beat = beats.weights[weights.next];
      tile.weights(true, beat.last, beat.lanes);
    } else {
      tile.weights(false, false, {});
    }
    if (a) {
      const auto& beat = beats.activations[activations.next];
      tile.activations(true, beat.last, beat.start, beat.emit, beat.lanes, beat.sums);
    } else {
      tile.activations(false, false, 0, false, {}, {});
    }
    const bool take = offered >= at(stalls.results, played.schedule.results.size());
    tile.results_ready(take);
    tile.settle();
    const bool w_taken = w && tile.weights_ready(), a_taken = a && tile.activations_ready();
    if (w_taken) played.schedule.weights.push_back(cycle);
    if (a_taken) played.schedule.activations.push_back(cycle);
    if (tile.results_valid() && take) {
      played.schedule.results.push_back(cycle);
      played.lasts.push_back(tile.results_last());
      auto& row = played.results.emplace_back();
      for (unsigned c = 0; c < tile.columns; ++c) row.push_back(tile.result(c));
    }
    offered = tile.results_valid() && !take ? offered + 1 : 0;
    tile.clock();
    weights.edge(w_taken);
    activations.edge(a_taken);
  }
  tile.weights(false, false, {});
  tile.activations(false, false, 0, false, {}, {});
  tile.results_ready(true);
  for (unsigned i = 0; i < tile.rows + tile.columns; ++i) {
    tile.settle();
    if (tile.results_valid() || !tile.idle()) played.quiet = false;
    tile.clock();
  }
  return played;
}

std::string first_difference(Tile& tile, const Product& product, const Stalls& stalls,
                             std::mt19937& generator) {
  const auto waves = ip::tile_waves(tile.rows, tile.columns, product.m, product.n, product.k);
  const auto model = ip::schedule_tile(tile.rows, tile.columns, waves, stalls.view());
  const auto played =
      play(tile, beats_of(product, tile.rows, tile.columns, generator), stalls.view(), model.cycles());
  // Activations come first of what differs in the same cycle: the weights of the next wave follow them.
  auto first = difference("activations", model.activations, played.schedule.activations);
  for (auto& other : {difference("weights", model.weights, played.schedule.weights),
                      difference("result", model.results, played.schedule.results)})
    if (other.cycle < first.cycle) first = other;
  if (!first.text.empty()) return first.text;
  if (!played.quiet) return "the tile is not idle after the last result";
  const auto expected = product.expected();
  for (std::uint32_t row = 0; row < played.results.size(); ++row) {
    const auto m = row % product.m, column = row / product.m * tile.columns;
    if (played.lasts[row] != (m + 1 == product.m))
      return fmt::format("result {}: last is {}", row, !!played.lasts[row]);
    for (std::uint32_t c = 0; c < tile.columns && column + c < product.n; ++c) {
      const auto want = expected[std::uint64_t{m} * product.n + column + c], got = played.results[row][c];
      if (want != got)
        return fmt::format("C[{}][{}] in cycle {}: {:08x}, by the model {:08x}", m, column + c,
                           played.schedule.results[row], got, want);
    }
  }
  return {};
}

}  // namespace forerun::rtl
