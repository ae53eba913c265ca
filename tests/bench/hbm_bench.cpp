// SPDX-License-Identifier: Apache-2.0
/// How fast the HBM model runs: one channel saturated through its TLM socket.
#include <benchmark/benchmark.h>

#include <random>

#include "ip/hbm/hbm_stack.hpp"
#include "tests/bench/traffic.hpp"

using namespace forerun;

namespace {

ip::hbm::Parameters one_channel() {
  ip::hbm::Parameters p;
  p.channels = 1;
  p.ports = 1;
  return p;
}

/// A stack of one channel under one kind of traffic.
struct Bench : sc_core::sc_module {
  Bench(const sc_core::sc_module_name& name, std::uint32_t length, bool random)
      : sc_module(name),
        store(one_channel().capacity()),
        stack("stack", one_channel(), store),
        traffic("traffic", 64, length, [this, length, random] {
          const auto pieces = store.size() / length;
          return (random ? generator() % pieces : position++ % pieces) * length;
        }) {
    traffic.socket.bind(stack.port[0]);
  }
  std::mt19937_64 generator{1};
  std::uint64_t position = 0;
  ip::SparseMemory store;
  ip::HbmStack stack;
  bench::Traffic traffic;
};

// SystemC elaborates once a process: one kind of traffic a run, chosen on the command line.
std::uint32_t length = 32;
bool random_order = false;

void requests(benchmark::State& state) {
  static Bench bench("bench", length, random_order);
  const auto before = bench.traffic.completed;
  for (auto _ : state) sc_core::sc_start(100, sc_core::SC_US);
  state.counters["requests/s"] =
      benchmark::Counter(static_cast<double>(bench.traffic.completed - before), benchmark::Counter::kIsRate);
  state.counters["bytes/s"] =
      benchmark::Counter(static_cast<double>(bench.traffic.completed - before) * length,
                         benchmark::Counter::kIsRate, benchmark::Counter::kIs1024);
}

}  // namespace

/// Usage: hbm_bench [BENCHMARK OPTIONS] [linear|random] [BYTES]
int sc_main(int argc, char* argv[]) {
  benchmark::Initialize(&argc, argv);
  if (argc > 1) random_order = std::string(argv[1]) == "random";
  if (argc > 2) length = static_cast<std::uint32_t>(std::stoul(argv[2]));
  const auto name = "hbm/" + std::string(random_order ? "random/" : "linear/") + std::to_string(length);
  benchmark::RegisterBenchmark(name.c_str(), requests)->Unit(benchmark::kMillisecond);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
