// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "ip/record/reader.hpp"
#include "platform/replay/bench.hpp"
#include "platform/replay/bench_folder.hpp"
#include "replay_benches.inc"

namespace forerun::replay {
namespace {

/// A mask of the first `used` of `count` bits below a flag, as binary digits in groups of four.
std::string flag_and_mask(bool flag, unsigned used, unsigned count) {
  std::string digits;
  for (unsigned low = 0; low <= count; low += 4) {
    unsigned digit = 0;
    for (unsigned bit = low; bit < low + 4; ++bit)
      digit |= (bit < used || (bit == count && flag) ? 1u : 0u) << (bit - low);
    digits.insert(0, fmt::format("{:x}", digit));
  }
  return digits;
}

}  // namespace

Summary write_tile_bench(const std::string& folder, const std::string& recording, const TileBlock& block) {
  const auto& shape = block.shape;
  shape.check();
  ip::record::Reader reader(recording);
  BenchFolder made(folder, block);
  if (!block.wrapper.empty()) made.source("unit.sv", block.wrapper);
  auto products = made.text("products.txt"), weights = made.text("weights.txt"),
       activations = made.text("activations.txt"), results = made.text("results.txt");
  ip::record::Product product;
  std::uint64_t count = 0, left_out = 0;
  std::uint32_t depth = 1;
  while (count < block.most && reader.next(product)) {
    if (!shape.takes(product)) {
      ++left_out;
      continue;
    }
    const TileBeats beats(product, shape);
    products << fmt::format("{} {} {} {} {} {} {} {}\n", reader.count() - 1, product.m, product.n, product.k,
                            beats.weights.size(), beats.activations.size(), beats.results.size(),
                            beats.cycles);
    for (const auto& beat : beats.weights)
      weights << (beat.last ? "1" : "0") << lane_digits(beat.lanes, shape.lane_bits()) << "\n";
    for (const auto& beat : beats.activations)
      activations << fmt::format("{:x}", (beat.last ? 1u : 0u) | (beat.emit ? 2u : 0u) | beat.start << 2)
                  << lane_digits(beat.sums, 32) << lane_digits(beat.lanes, shape.lane_bits()) << "\n";
    for (const auto& beat : beats.results)
      results << flag_and_mask(beat.last, beat.used, shape.columns) << lane_digits(beat.lanes, 32) << "\n";
    depth = std::max(depth, product.m);
    ++count;
  }
  BenchFolder::finish(products, "products.txt");
  BenchFolder::finish(weights, "weights.txt");
  BenchFolder::finish(activations, "activations.txt");
  BenchFolder::finish(results, "results.txt");
  const std::map<std::string, std::string> values{
      {"TOP", block.top},
      {"PARAMETERS", block.wrapper.empty() ? "#(.FORMAT(FORMAT), .R(R), .C(C), .DEPTH(DEPTH)) " : ""},
      {"TIMED", shape.own_timing ? "0" : "1"},
      {"LAST", shape.last ? "1" : "0"},
      {"KEPT", std::to_string(std::min(shape.depth, 1u << 30))},
      {"MOST", block.most == Block().most ? "0" : std::to_string(block.most)},
      {"FORMAT", std::to_string(shape.format)},
      {"ROWS", std::to_string(shape.rows)},
      {"COLUMNS", std::to_string(shape.columns)},
      {"DEPTH", std::to_string(depth)},
      {"RECORDING", std::filesystem::absolute(recording).string()}};
  made.bench("replay_tb.sv", tile_tb, values);
  made.bench("replay_dpi_tb.sv", tile_dpi_tb, values);
  made.scripts();
  return fmt::format(
      "{} products in {} for a tile of {} x {}{}", count, format_name(shape.format), shape.rows,
      shape.columns,
      left_out > 0 ? fmt::format("; {} left out, in other formats or with more sums than it keeps", left_out)
                   : "");
}

}  // namespace forerun::replay
