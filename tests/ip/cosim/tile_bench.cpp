// SPDX-License-Identifier: Apache-2.0
/// What it costs to hook a Verilated block into the chip: a tensor tile, int8 16x16, on products of
/// 128x64x64, in a plain loop and as the arrays of TensorCore; and in the plain loop with so many clocks in
/// each activation of a SystemC process.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>

#include "ip/base/method.hpp"
#include "ip/scratchpad/scratchpad.hpp"
#include "ip/tensor/tensor_core.hpp"
#include "ip/tensor/tile_timing.hpp"
#include "platform/rtl/tensor.hpp"
#include "tests/ip/cosim/rtl/bare_tile.hpp"

using namespace forerun;
using ip::cosim::bare_columns, ip::cosim::bare_rows, ip::cosim::TileInputs;

namespace {

constexpr std::uint32_t m = 128, n = 64, k = 64;

std::vector<unsigned char> operands() {
  std::vector<unsigned char> bytes(m * k + k * n);
  std::mt19937 random(1);
  for (auto& byte : bytes) byte = static_cast<unsigned char>(random());
  return bytes;
}

/// The product as the tile's inputs in each cycle.
std::vector<TileInputs> stimulus() {
  const auto bytes = operands();
  const auto waves = ip::tile_waves(bare_rows, bare_columns, m, n, k);
  const auto schedule = ip::schedule_tile(bare_rows, bare_columns, waves);
  std::vector<TileInputs> cycles(schedule.cycles());
  constexpr unsigned k_tiles = k / bare_rows;
  for (std::size_t i = 0; i < schedule.weights.size(); ++i) {
    auto& in = cycles[schedule.weights[i]];
    const auto wave = i / bare_rows, row = wave % k_tiles * bare_rows + i % bare_rows;
    in.w_valid = true;
    in.w_last = i % bare_rows + 1 == bare_rows;
    std::memcpy(in.w_data.data(), &bytes[m * k + row * n + wave / k_tiles * bare_columns], bare_columns);
  }
  for (std::size_t i = 0; i < schedule.activations.size(); ++i) {
    auto& in = cycles[schedule.activations[i]];
    const auto wave = i / m, row = i % m, k_tile = wave % k_tiles;
    in.a_valid = true;
    in.a_last = row + 1 == m;
    in.a_start = k_tile > 0 ? 1 : 0;
    in.a_emit = k_tile + 1 == k_tiles;
    std::memcpy(in.a_data.data(), &bytes[row * k + k_tile * bare_rows], bare_rows);
  }
  return cycles;
}

void rate(benchmark::State& state, double cycles) {
  state.counters["cycles/s"] = benchmark::Counter(cycles, benchmark::Counter::kIsRate);
}

void bare_loop(benchmark::State& state) {
  const auto cycles = stimulus();
  const auto tile = ip::cosim::make_bare_tile();
  tile->reset();
  for (auto _ : state) benchmark::DoNotOptimize(tile->run(cycles.data(), cycles.size()));
  rate(state, static_cast<double>(cycles.size()) * static_cast<double>(state.iterations()));
}
BENCHMARK(bare_loop)->Unit(benchmark::kMillisecond);

chip::Chip chip_with_the_tile() {
  chip::Chip c;
  c.clusters.tensor = {
      .model = chip::TensorModel::rtl, .rows = bare_rows, .columns = bare_columns, .arrays = 1};
  return c;
}

/// The same loop on the model that is loaded at run time.
void shared_object(benchmark::State& state) {
  const auto cycles = stimulus();
  rtl::TileLibrary library(chip_with_the_tile());
  const auto tile = library.make(0, "");
  auto& p = tile->pins;
  *p.c_ready = 1;
  std::uint32_t sum = 0;
  const auto clock = [&] {
    for (const bool level : {false, true}) {
      *p.clock = level ? 1 : 0;
      p.evaluate(p.model);
    }
  };
  for (const bool level : {false, false, true}) {
    *p.reset = level ? 1 : 0;
    clock();
  }
  for (auto _ : state)
    for (const auto& in : cycles) {
      *p.w_valid = in.w_valid, *p.w_last = in.w_last, *p.a_valid = in.a_valid, *p.a_last = in.a_last;
      *p.a_start = in.a_start, *p.a_emit = in.a_emit;
      std::memcpy(p.w_data, in.w_data.data(), sizeof in.w_data);
      std::memcpy(p.a_data, in.a_data.data(), sizeof in.a_data);
      clock();
      if (*p.c_valid != 0) sum += *p.c_data;
    }
  benchmark::DoNotOptimize(sum);
  rate(state, static_cast<double>(cycles.size()) * static_cast<double>(state.iterations()));
}
BENCHMARK(shared_object)->Unit(benchmark::kMillisecond);

/// The bare tile on a clock of SystemC, one or more cycles in each activation.
struct Clocked : sc_core::sc_module {
  explicit Clocked(const sc_core::sc_module_name& name) : sc_module(name) {
    tile->reset();
    ip::add_method("tick", {&next}, [this] {
      const auto count = std::min(batch, cycles.size() - position);
      tile->run(&cycles[position], count);
      position += count;
      if (position < cycles.size()) next.notify(sc_core::sc_time(static_cast<double>(count), sc_core::SC_NS));
    });
  }
  std::unique_ptr<ip::cosim::BareTile> tile = ip::cosim::make_bare_tile();
  std::vector<TileInputs> cycles = stimulus();
  std::size_t batch = 1, position = 0;
  sc_core::sc_event next;
};

/// TensorCore with the tile as its arrays, loaded as `forerun run` does.
struct Hooked : sc_core::sc_module {
  explicit Hooked(const sc_core::sc_module_name& name) : sc_module(name) {
    tensor.local.bind(scratchpad.port[0]);
    tensor.connect(
        semaphores, turns, [] {}, [](const ip::Command&, ip::LocalFault) {});
    tensor.use(std::make_unique<ip::RtlArrays>(parameters(),
                                               [this](unsigned format) { return library.make(format, ""); }));
  }
  static ip::TensorParameters parameters() {
    ip::TensorParameters p;
    p.rows = bare_rows, p.columns = bare_columns, p.arrays = 1, p.clock = Frequency{1e9};
    return p;
  }
  static ip::ScratchpadParameters local() {  // which never keeps the arrays waiting
    ip::ScratchpadParameters p;
    p.size = Bytes{1 << 20}, p.banks = 1024, p.bank_width = Bytes{256}, p.latency = 0,
    p.clock = Frequency{1e12};
    return p;
  }
  void load() {
    auto bytes = operands();
    tlm::tlm_generic_payload payload;
    payload.set_write();
    payload.set_address(0);
    payload.set_data_ptr(bytes.data());
    payload.set_data_length(static_cast<unsigned>(bytes.size()));
    tensor.local->transport_dbg(payload);
  }
  ip::Command command() const {
    fr_matmul c{};
    c.header = {FR_OP_MATMUL, sizeof c / 8, 0, 0, 0, {{255, 0}, {255, 0}}, {{255, 0}, {255, 0}}};
    c.b = m * k, c.c = m * k + k * n;
    c.a_stride = k, c.b_stride = n, c.c_stride = n * 4;
    c.m = m, c.n = n, c.k = k;
    c.a_type = c.b_type = FR_TYPE_I8, c.c_type = FR_TYPE_I32;
    ip::Command result{};
    std::memcpy(result.bytes, &c, sizeof c);
    return result;
  }
  rtl::TileLibrary library{chip_with_the_tile()};
  ip::Scratchpad scratchpad{"scratchpad", local(), 1};
  ip::TensorCore tensor{"tensor", parameters(), 1 << 20};
  ip::Semaphores semaphores;
  ip::Turns turns{"turns"};
};

/// SystemC elaborates once a process.
struct Bench : sc_core::sc_module {
  explicit Bench(const sc_core::sc_module_name& name) : sc_module(name) {}
  Clocked clocked{"clocked"};
  Hooked hooked{"hooked"};
};
Bench& bench() {
  static Bench one("bench");
  static const bool loaded = (sc_core::sc_start(sc_core::SC_ZERO_TIME), one.hooked.load(), true);
  (void)loaded;
  return one;
}

void clocks_per_activation(benchmark::State& state) {
  auto& clocked = bench().clocked;
  clocked.batch = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    clocked.position = 0;
    clocked.next.notify(sc_core::SC_ZERO_TIME);
    sc_core::sc_start(1, sc_core::SC_MS);
  }
  rate(state, static_cast<double>(clocked.cycles.size()) * static_cast<double>(state.iterations()));
}
BENCHMARK(clocks_per_activation)->Arg(1)->Arg(4)->Arg(16)->Arg(128)->Unit(benchmark::kMillisecond);

void hooked(benchmark::State& state) {
  auto& tensor = bench().hooked.tensor;
  const auto command = bench().hooked.command();
  const auto cycles = [&] { return static_cast<double>(tensor.arrays()->statistics().cycles); };
  const auto before = cycles();
  for (auto _ : state) {
    tensor.push(command);
    sc_core::sc_start(1, sc_core::SC_MS);
  }
  rate(state, cycles() - before);
}
BENCHMARK(hooked)->Unit(benchmark::kMillisecond);

}  // namespace

int sc_main(int argc, char* argv[]) {
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
