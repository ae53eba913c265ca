// SPDX-License-Identifier: Apache-2.0
/// How fast the CPU model runs: a CoreMark-like mix inside SystemC.
#include <benchmark/benchmark.h>

#include "machine.hpp"

using forerun::ip::test::Machine;

namespace {

// SystemC elaborates once: the program is short, and the CPU is reset for each iteration.
std::int64_t quantum_us = 10;

void mix(benchmark::State& state) {
  auto parameters = Machine::defaults();
  parameters.quantum = {quantum_us * 1'000'000};
  static Machine machine("machine", parameters);
  machine.finisher.on_write = [&](std::uint64_t, std::uint64_t, sc_core::sc_time&) { sc_core::sc_pause(); };
  machine.load(WORKLOAD);
  std::uint64_t instructions = 0;
  for (auto _ : state) {
    const auto before = machine.cpu.instructions.value();
    machine.reset.set(true);
    machine.reset.set(false);
    sc_core::sc_start();
    instructions += machine.cpu.instructions.value() - before;
  }
  state.counters["MIPS"] =
      benchmark::Counter(static_cast<double>(instructions) / 1e6, benchmark::Counter::kIsRate);
  state.counters["simulated_MIPS"] = 1000.0 * static_cast<double>(machine.cpu.instructions.value()) /
                                     static_cast<double>(machine.cpu.cycles.value());
}
BENCHMARK(mix)->Unit(benchmark::kMillisecond);

}  // namespace

int sc_main(int argc, char* argv[]) {
  benchmark::Initialize(&argc, argv);
  if (argc > 1) quantum_us = std::stoll(argv[1]);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
