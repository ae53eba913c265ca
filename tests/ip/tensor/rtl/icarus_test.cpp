// SPDX-License-Identifier: Apache-2.0
// The tile in a second simulator, Icarus Verilog, against the models: Verilator's mistakes would not be found
// by Verilator.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/ip/tensor/rtl/product.hpp"

using namespace forerun;
using namespace forerun::rtl;

namespace {

struct Shape {
  unsigned format, rows, columns;
};
class Icarus : public testing::TestWithParam<Shape> {};

int run(const std::string& command) { return std::system(command.c_str()); }

/// Hexadecimal digits, the lane of the highest number first.
template <typename T>
std::string lanes(const std::vector<T>& values, unsigned bits) {
  std::string text;
  for (auto value = values.rbegin(); value != values.rend(); ++value)
    text += fmt::format("{:0{}x}", std::uint64_t{*value} & ((std::uint64_t{1} << bits) - 1), bits / 4);
  return text;
}

std::uint32_t at(const std::vector<std::uint32_t>& stalls, std::size_t beat) {
  return beat < stalls.size() ? stalls[beat] : 0;
}

TEST_P(Icarus, EqualsTheModelsInEveryCycleAndBit) {
  const auto& shape = GetParam();
  const auto folder =
      std::filesystem::temp_directory_path() /
      fmt::format("forerun_icarus_{}_{}_{}x{}", ::getpid(), shape.format, shape.rows, shape.columns);
  std::filesystem::create_directories(folder);
  const std::string rtl = FORERUN_SOURCE_DIR "/ip/tensor/rtl/",
                    bench = FORERUN_SOURCE_DIR "/tests/ip/tensor/rtl/icarus_bench.sv";
  ASSERT_EQ(run(fmt::format("{} -g2012 -Wall -o {}/bench -s icarus_bench -Picarus_bench.FORMAT={} "
                            "-Picarus_bench.R={} -Picarus_bench.C={} "
                            "{}tensor_arithmetic.sv {}tensor_cell.sv {}tensor_delay.sv "
                            "{}tensor_accumulators.sv {}tensor_tile.sv {} > {}/log 2>&1",
                            IVERILOG, folder.string(), shape.format, shape.rows, shape.columns, rtl, rtl, rtl,
                            rtl, rtl, bench, folder.string())),
            0);
  const unsigned width = shape.format == 0 ? 8 : 16;
  std::mt19937 random(shape.format + 1);
  for (unsigned setting = 0; setting < 4; ++setting) {
    const auto product = Product::random(random, shape.format, setting == 1 ? 2 : 9, 2 * shape.columns - 1,
                                         3 * shape.rows - 1, setting % 2 == 0, setting > 1);
    const auto beats = beats_of(product, shape.rows, shape.columns, random);
    const auto stalls = Stalls::random(random, setting, 200);
    const auto model = ip::schedule_tile(
        shape.rows, shape.columns, ip::tile_waves(shape.rows, shape.columns, product.m, product.n, product.k),
        stalls.view());
    {
      std::ofstream weights(folder / "weights"), activations(folder / "activations"),
          results(folder / "results");
      for (std::size_t i = 0; i < beats.weights.size(); ++i)
        weights << fmt::format("{:08x}{:02x}", at(stalls.weights, i), beats.weights[i].last ? 1 : 0)
                << lanes(beats.weights[i].lanes, width) << "\n";
      for (std::size_t i = 0; i < beats.activations.size(); ++i) {
        const auto& beat = beats.activations[i];
        activations << fmt::format("{:08x}{:02x}", at(stalls.activations, i),
                                   (beat.last ? 1u : 0u) | (beat.emit ? 2u : 0u) | beat.start << 2)
                    << lanes(beat.sums, 32) << lanes(beat.lanes, width) << "\n";
      }
      for (std::size_t i = 0; i < model.results.size(); ++i)
        results << fmt::format("{:08x}\n", at(stalls.results, i));
    }
    const auto dir = folder.string();
    ASSERT_EQ(run(fmt::format("vvp -n {}/bench +weights={}/weights +activations={}/activations "
                              "+results={}/results +weight_beats={} "
                              "+activation_beats={} +result_beats={} +cycles={} > {}/out",
                              dir, dir, dir, dir, beats.weights.size(), beats.activations.size(),
                              model.results.size(), model.cycles() + shape.rows, dir)),
              0);
    ip::TileSchedule schedule;
    std::ifstream out(folder / "out");
    const auto expected = product.expected();
    bool idle = false;
    for (std::string line; std::getline(out, line);) {
      std::istringstream words(line);
      std::string kind, data;
      std::uint64_t cycle = 0;
      words >> kind >> cycle >> data;
      if (kind == "w") schedule.weights.push_back(cycle);
      if (kind == "a") schedule.activations.push_back(cycle);
      if (kind == "idle") idle = cycle == 1;
      if (kind != "c") continue;
      const auto row = static_cast<std::uint32_t>(schedule.results.size());
      schedule.results.push_back(cycle);
      ASSERT_EQ(data.size(), shape.columns * 8);
      for (std::uint32_t c = 0, first = row / product.m * shape.columns;
           c < shape.columns && first + c < product.n; ++c)
        ASSERT_EQ(data.substr((shape.columns - 1 - c) * 8, 8),
                  fmt::format("{:08x}", expected[std::uint64_t{row % product.m} * product.n + first + c]))
            << "setting " << setting << " result " << row << " column " << c;
    }
    EXPECT_EQ(schedule.weights, model.weights) << "setting " << setting;
    EXPECT_EQ(schedule.activations, model.activations) << "setting " << setting;
    EXPECT_EQ(schedule.results, model.results) << "setting " << setting;
    EXPECT_TRUE(idle);
  }
  std::ifstream log(folder / "log");
  const std::string warnings{std::istreambuf_iterator<char>(log), {}};
  EXPECT_EQ(warnings, "");
  if (!HasFailure()) std::filesystem::remove_all(folder);
}

std::string shape_name(const testing::TestParamInfo<Shape>& info) {
  static const char* const names[] = {"int8", "bf16", "fp16"};
  return fmt::format("{}_{}x{}", names[info.param.format], info.param.rows, info.param.columns);
}
INSTANTIATE_TEST_SUITE_P(Tiles, Icarus,
                         testing::Values(Shape{0, 4, 4}, Shape{0, 8, 8}, Shape{0, 3, 5}, Shape{0, 1, 4},
                                         Shape{1, 4, 4}, Shape{1, 5, 3}, Shape{2, 4, 4}, Shape{2, 2, 6}),
                         shape_name);

}  // namespace
