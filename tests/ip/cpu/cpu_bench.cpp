// SPDX-License-Identifier: Apache-2.0
/// How fast the CPU model runs inside SystemC: `cpu_bench [Google Benchmark's options] [quantum in us]`.
#include <benchmark/benchmark.h>

#include "machine.hpp"

using forerun::ip::test::Machine;

namespace {

std::int64_t quantum_us = 10;

/// SystemC elaborates once a process: all programs run on one machine.
Machine& the_machine() {
  static Machine machine("machine", [] {
    auto parameters = Machine::defaults();
    parameters.quantum = {quantum_us * 1'000'000};
    return parameters;
  }());
  machine.finisher.on_write = [](std::uint64_t, std::uint64_t, sc_core::sc_time&) { sc_core::sc_pause(); };
  return machine;
}

void run(benchmark::State& state, const char* program) {
  auto& machine = the_machine();
  machine.load(std::string(CPU_PROGRAMS) + "/" + program + ".elf");
  std::uint64_t instructions = 0;
  const auto accesses = machine.cpu.bus_accesses.value();
  for (auto _ : state) {
    const auto before = machine.cpu.instructions.value();
    machine.reset.set(true);
    machine.reset.set(false);
    sc_core::sc_start();
    instructions += machine.cpu.instructions.value() - before;
  }
  const auto rate = [](std::uint64_t count) {
    return benchmark::Counter(static_cast<double>(count) / 1e6, benchmark::Counter::kIsRate);
  };
  state.counters["MIPS"] = rate(instructions);
  state.counters["bus_accesses"] = rate(machine.cpu.bus_accesses.value() - accesses);  // millions a second
}

BENCHMARK_CAPTURE(run, mix, "workload_long")
    ->Unit(benchmark::kMillisecond);  // list, matrix, state machine, CRC
BENCHMARK_CAPTURE(run, floating, "floating")->Unit(benchmark::kMillisecond);  // matrix product of doubles
BENCHMARK_CAPTURE(run, device, "device")->Unit(benchmark::kMillisecond);  // reads of a register through a bus

}  // namespace

int sc_main(int argc, char* argv[]) {
  benchmark::Initialize(&argc, argv);
  if (argc > 1) quantum_us = std::stoll(argv[1]);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
