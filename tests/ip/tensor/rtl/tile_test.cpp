// SPDX-License-Identifier: Apache-2.0
// Verilated tiles against the models: the cycle in which every beat is taken, and every bit of the results.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iostream>
#include <map>

#include "ip/scratchpad/scratchpad.hpp"
#include "ip/tensor/tensor_core.hpp"
#include "tests/ip/tensor/rtl/play.hpp"

using namespace forerun;
using namespace forerun::rtl;

namespace {

constexpr unsigned shapes_of_a_tile = 300;
constexpr unsigned stall_settings = 4;  // none, and three with stalls

std::vector<std::string> names() {
  std::vector<std::string> list;
  for (const auto& [name, make] : tiles())
    if (name.find("planted") == std::string::npos) list.push_back(name);
  return list;
}

std::uint32_t between(std::mt19937& random, std::uint32_t low, std::uint32_t high) {
  return low + static_cast<std::uint32_t>(random() % (high - low + 1));
}

/// Shapes with ragged edges, several k-tiles and n-tiles, few rows (which wait for sums and weights) and
/// many.
Product random_product(std::mt19937& random, const Tile& tile, unsigned number) {
  const auto m = number % 3 == 0   ? between(random, 1, 3)
                 : number % 3 == 1 ? between(random, 1, tile.rows + 2)
                                   : between(random, 1, 40);
  const auto n = between(random, 1, 2 * tile.columns + 1);
  auto k = between(random, 1, 3 * tile.rows + 1);
  if (number % 4 == 0) k = std::max(tile.rows, k / tile.rows * tile.rows);
  return Product::random(random, tile.format, m, n, k, random() % 3 == 0, number % 2 == 1);
}

class TensorTile : public testing::TestWithParam<std::string> {};

TEST_P(TensorTile, EqualsTheModelsInEveryCycleAndBit) {
  const auto tile = tiles().at(GetParam())();
  std::mt19937 random(tile->rows * 100 + tile->columns * 10 + tile->format);
  reset(*tile);
  unsigned runs = 0;
  std::uint64_t cycles = 0;
  for (unsigned number = 0; number < shapes_of_a_tile; ++number) {
    const auto product = random_product(random, *tile, number);
    for (unsigned setting = 0; setting < stall_settings; ++setting) {
      const auto stalls = Stalls::random(random, setting, 400);
      const auto difference = first_difference(*tile, product, stalls, random);
      ASSERT_EQ(difference, "") << product.m << "x" << product.n << "x" << product.k << " stall setting "
                                << setting;
      const auto waves = ip::tile_waves(tile->rows, tile->columns, product.m, product.n, product.k);
      const auto schedule = ip::schedule_tile(tile->rows, tile->columns, waves, stalls.view());
      cycles += schedule.cycles();
      ++runs;
      if (setting == 0) {
        ip::TensorParameters parameters;
        parameters.rows = tile->rows, parameters.columns = tile->columns, parameters.arrays = 1;
        EXPECT_EQ(schedule.cycles(),
                  ip::TensorCore::ideal_cycles(parameters, product.m, product.n, product.k));
      }
    }
  }
  std::cout << GetParam() << ": " << shapes_of_a_tile << " shapes, " << runs << " runs, " << cycles
            << " cycles, no difference\n";
}

TEST_P(TensorTile, OffersNothingAfterReset) {
  const auto tile = tiles().at(GetParam())();
  tile->weights(true, false, {});
  tile->activations(true, false, 0, true, {}, {});
  reset(*tile);
  tile->settle();
  EXPECT_FALSE(tile->results_valid());
  EXPECT_TRUE(tile->idle());
  EXPECT_TRUE(tile->weights_ready());
  EXPECT_FALSE(tile->activations_ready()) << "without weights";
}

INSTANTIATE_TEST_SUITE_P(Verilated, TensorTile, testing::ValuesIn(names()),
                         [](const auto& p) { return p.param; });

/// The rows of docs/fidelity/tensor.md, measured.
TEST(TensorTilePage, HasTheCyclesOfEachShape) {
  struct Shape {
    std::uint32_t m, n, k;
  };
  std::ifstream file(FORERUN_SOURCE_DIR "/docs/fidelity/tensor.md");
  const std::string page{std::istreambuf_iterator<char>(file), {}};
  std::mt19937 random(5);
  std::string missing;
  for (const auto* name : {"int8_16x16", "int8_4x16", "bf16_8x8", "bf16_32x32", "fp16_4x4", "fp16_32x32"}) {
    const auto tile = tiles().at(name)();
    reset(*tile);
    ip::TensorParameters parameters;
    parameters.rows = tile->rows, parameters.columns = tile->columns, parameters.arrays = 1;
    for (const auto& [m, n, k] :
         {Shape{1, 64, 64}, {1, 40, 50}, {8, 64, 64}, {16, 48, 128}, {40, 32, 32}, {40, 33, 17}}) {
      const auto product = Product::random(random, tile->format, m, n, k, false, true);
      const auto model = ip::TensorCore::ideal_cycles(parameters, m, n, k);
      const auto played = play(*tile, beats_of(product, tile->rows, tile->columns, random), {}, model + 100);
      const auto expected = product.expected();
      std::uint64_t different = 0;
      for (std::uint32_t row = 0; row < played.results.size(); ++row)
        for (std::uint32_t c = 0, first = row / m * tile->columns; c < tile->columns && first + c < n; ++c)
          different += played.results[row][c] != expected[std::uint64_t{row % m} * n + first + c] ? 1 : 0;
      const auto line =
          fmt::format("| {} | {}x{}x{} | {} | {} | {} of {} |\n", std::string(name).replace(4, 1, " "), m, n,
                      k, model, played.schedule.cycles(), different, std::uint64_t{m} * n);
      if (page.find(line) == std::string::npos) missing += line;
    }
  }
  EXPECT_EQ(missing, "");
}

/// The SystemC model executes the command that the tile does.
struct Core : sc_core::sc_module {
  ip::Scratchpad scratchpad;
  ip::TensorCore tensor;
  ip::Semaphores semaphores;
  ip::Turns turns{"turns"};
  std::int64_t ended = -1;

  Core(const sc_core::sc_module_name& name, const ip::TensorParameters& parameters,
       const ip::ScratchpadParameters& local)
      : sc_module(name), scratchpad("scratchpad", local, 1), tensor("tensor", parameters, 4 << 20) {
    tensor.local.bind(scratchpad.port[0]);
    tensor.connect(
        semaphores, turns, [this] { ended = ip::now_picoseconds(); },
        [](const ip::Command&, ip::LocalFault) { FAIL(); });
  }
  /// Delivers any operand within the shortest wave.
  static ip::ScratchpadParameters wide() {
    ip::ScratchpadParameters p;
    p.banks = 1024, p.bank_width = Bytes{256}, p.latency = 0, p.clock = Frequency{1e12};
    return p;
  }
  void access(tlm::tlm_command command, std::vector<unsigned char>& bytes) {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(0);
    payload.set_data_ptr(bytes.data());
    payload.set_data_length(static_cast<unsigned>(bytes.size()));
    payload.set_streaming_width(static_cast<unsigned>(bytes.size()));
    ASSERT_EQ(tensor.local->transport_dbg(payload), bytes.size());
  }
};

TEST(TensorTileAndCore, TheSystemCModelEndsInTheSameCycleWithTheSameBits) {
  std::map<std::pair<unsigned, unsigned>, std::unique_ptr<Core>> cores;
  std::vector<std::unique_ptr<Tile>> all;
  for (const auto& name : names()) {
    const auto& tile = all.emplace_back(tiles().at(name)());
    ip::TensorParameters parameters;
    parameters.rows = tile->rows, parameters.columns = tile->columns, parameters.arrays = 1,
    parameters.clock = Frequency{1e9};
    auto& core = cores[{tile->rows, tile->columns}];
    if (!core) core = std::make_unique<Core>(sc_core::sc_gen_unique_name("core"), parameters, Core::wide());
  }
  std::mt19937 random(7);
  unsigned shapes = 0;
  for (const auto& tile : all) {
    auto& core = *cores.at({tile->rows, tile->columns});
    reset(*tile);
    for (unsigned number = 0; number < 6; ++number) {
      const auto product = random_product(random, *tile, number);
      auto memory = product.memory();
      core.access(tlm::TLM_WRITE_COMMAND, memory);
      const auto matmul = product.command();
      ip::Command command{};
      std::memcpy(command.bytes, &matmul, sizeof matmul);
      const auto begin = ip::now_picoseconds();
      core.tensor.push(command);
      sc_core::sc_start(100, sc_core::SC_US);
      core.access(tlm::TLM_READ_COMMAND, memory);

      const auto cycles = (core.ended - begin) / 1000;
      const auto played = play(*tile, beats_of(product, tile->rows, tile->columns, random), {},
                               static_cast<std::uint64_t>(cycles));
      ASSERT_FALSE(played.schedule.results.empty());
      EXPECT_EQ(static_cast<std::int64_t>(played.schedule.cycles()), cycles)
          << product.m << "x" << product.n << "x" << product.k;
      EXPECT_TRUE(played.quiet);
      const auto values = product.result_in(memory);
      for (std::uint32_t row = 0; row < played.results.size(); ++row)
        for (std::uint32_t c = 0, first = row / product.m * tile->columns;
             c < tile->columns && first + c < product.n; ++c)
          ASSERT_EQ(played.results[row][c], values[std::uint64_t{row % product.m} * product.n + first + c]);
      ++shapes;
    }
  }
  EXPECT_GE(shapes, 6u * 10);
}

/// Waits for operands as TensorCore models them, whole waves, are stalls that the tile takes in the same
/// cycles.
TEST(TensorTileAndCore, OperandWaitsAreStallsOfTheTile) {
  struct Case {
    std::unique_ptr<Tile> tile;
    std::unique_ptr<Core> core;
  };
  std::vector<Case> cases;
  for (const auto* name : {"int8_8x8", "bf16_4x4"}) {
    auto tile = tiles().at(name)();
    ip::TensorParameters parameters;
    parameters.rows = tile->rows, parameters.columns = tile->columns, parameters.arrays = 1,
    parameters.clock = Frequency{1e9};
    ip::ScratchpadParameters slow;
    slow.banks = 1, slow.bank_width = Bytes{4}, slow.latency = 3, slow.clock = parameters.clock;
    cases.push_back(
        {std::move(tile), std::make_unique<Core>(sc_core::sc_gen_unique_name("slow"), parameters, slow)});
  }
  std::mt19937 random(11);
  for (auto& [tile, core] : cases) {
    reset(*tile);
    for (unsigned number = 0; number < 8; ++number) {
      const auto product = random_product(random, *tile, number);
      const auto waves = ip::tile_waves(tile->rows, tile->columns, product.m, product.n, product.k);
      auto memory = product.memory();
      core->access(tlm::TLM_WRITE_COMMAND, memory);
      const auto matmul = product.command();
      ip::Command command{};
      std::memcpy(command.bytes, &matmul, sizeof matmul);
      core->ended = -1;
      const auto begin = ip::now_picoseconds();
      const auto before = core->tensor.waves.value();
      std::vector<std::uint64_t> begins;
      core->tensor.push(command);
      for (std::uint64_t cycle = 0; core->ended < 0; ++cycle) {
        sc_core::sc_start(500, sc_core::SC_PS);  // to the middle of the cycle
        while (begins.size() < core->tensor.waves.value() - before) begins.push_back(cycle);
        sc_core::sc_start(500, sc_core::SC_PS);
        ASSERT_LT(cycle, 1000000u);
      }
      ASSERT_EQ(begins.size(), waves.size());

      // Offer the first activations of each wave when the core begins it; take the last result when the core
      // ends.
      Stalls stalls;
      stalls.activations.assign(waves.size() * product.m, 0);
      auto free = waves[0].weights + std::uint64_t{product.m};
      for (std::size_t wave = 1; wave < waves.size(); ++wave) {
        ASSERT_GE(begins[wave], free);
        stalls.activations[wave * product.m] = static_cast<std::uint32_t>(begins[wave] - free);
        free = begins[wave] + product.m;
      }
      auto model = ip::schedule_tile(tile->rows, tile->columns, waves, stalls.view());
      const auto cycles = static_cast<std::uint64_t>(core->ended - begin) / 1000;
      ASSERT_GE(cycles, model.cycles());
      stalls.results.assign(model.results.size(), 0);
      stalls.results.back() = static_cast<std::uint32_t>(cycles - model.cycles());
      model = ip::schedule_tile(tile->rows, tile->columns, waves, stalls.view());
      EXPECT_EQ(model.cycles(), cycles);
      for (std::size_t wave = 1; wave < waves.size(); ++wave)
        EXPECT_EQ(model.activations[wave * product.m], begins[wave]);
      EXPECT_EQ(first_difference(*tile, product, stalls, random), "");
      core->access(tlm::TLM_READ_COMMAND, memory);
      EXPECT_EQ(product.result_in(memory), product.expected());
    }
    EXPECT_GT(core->tensor.operand_time.value(), 0u);
  }
}

}  // namespace
