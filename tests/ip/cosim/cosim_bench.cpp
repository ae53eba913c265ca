// SPDX-License-Identifier: Apache-2.0
/// How many cycles a second bridges and checker allow on a Verilated 128-bit AXI memory that is never idle:
/// bursts of 16 beats, reads and writes in turn.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "ip/cosim/axi_checker.hpp"
#include "ip/cosim/axi_manager.hpp"
#include "ip/cosim/tlm_to_axi.hpp"
#include "tests/bench/traffic.hpp"
#include "tests/ip/cosim/rtl/models.hpp"

using namespace forerun;
using namespace forerun::ip::cosim;

namespace {

constexpr unsigned burst_bytes = 256;

/// A memory, a manager that keeps `initiators` bursts of an ID each under way, perhaps a checker: a plain
/// loop.
class Plain {
 public:
  Plain(unsigned initiators, bool checked)
      : checked_(checked), data_(initiators * burst_bytes), bursts_(initiators) {
    for (unsigned i = 0; i < initiators; ++i) {
      auto& burst = bursts_[i];
      burst.id = i;
      burst.address = i * 4096;
      burst.beats = 16;
      burst.size = 4;
      burst.length = burst_bytes;
      burst.data = &data_[i * burst_bytes];
      manager_.issue(burst);
    }
  }
  void step() {
    pins_.reset = cycle_ < 2;
    manager_.drive(pins_, cycle_);
    block_->settle();
    if (checked_) checker_.sample(pins_, cycle_);
    manager_.edge(pins_);
    block_->edge();
    ++cycle_;
    while (auto* burst = manager_.take_done()) {
      burst->write = !burst->write;
      manager_.issue(*burst);
    }
  }
  bool clean() const { return checker_.log().total() == 0; }

 private:
  bool checked_;
  AxiPins pins_{axi_memory_shape};
  AxiChecker checker_{axi_memory_shape};
  AxiManager manager_{axi_memory_shape};
  unsigned fault_ = 0;
  std::unique_ptr<RtlBlock> block_ = make_axi_memory(pins_, fault_);
  std::vector<unsigned char> data_;
  std::vector<AxiBurst> bursts_;
  std::uint64_t cycle_ = 0;
};

void rate(benchmark::State& state, double cycles) {
  state.counters["cycles/s"] = benchmark::Counter(cycles, benchmark::Counter::kIsRate);
}

void plain(benchmark::State& state) {
  Plain bench(static_cast<unsigned>(state.range(0)), state.range(1) != 0);
  constexpr unsigned cycles = 10'000;
  for (auto _ : state)
    for (unsigned i = 0; i < cycles; ++i) bench.step();
  if (!bench.clean()) state.SkipWithError("a rule was broken");
  rate(state, cycles * static_cast<double>(state.iterations()));
}
BENCHMARK(plain)
    ->ArgNames({"initiators", "checker"})
    ->Args({1, 0})
    ->Args({1, 1})
    ->Args({4, 0})
    ->Args({4, 1})
    ->Unit(benchmark::kMillisecond);

/// The model alone, its pins still.
void model_alone(benchmark::State& state) {
  AxiPins pins(axi_memory_shape);
  unsigned fault = 0;
  auto block = make_axi_memory(pins, fault);
  constexpr unsigned cycles = 10'000;
  for (auto _ : state) {
    for (unsigned i = 0; i < cycles; ++i) {
      block->settle();
      block->edge();
    }
  }
  rate(state, cycles * static_cast<double>(state.iterations()));
}
BENCHMARK(model_alone)->Unit(benchmark::kMillisecond);

/// An initiator's reads through a bridge, with a checker, in SystemC. All of one benchmark is on one clock.
struct Bridged : sc_core::sc_module {
  Bridged(const sc_core::sc_module_name& name, unsigned window)
      : sc_module(name),
        traffic("traffic", window, burst_bytes, [this] { return position_++ % 128 * burst_bytes; }) {
    clock.add(pins_);
    clock.add(*block_);
    clock.watch([this](std::uint64_t cycle) { checker_.sample(pins_, cycle); });
    traffic.socket.bind(bridge_.socket);
  }
  PinClock clock{"clock"};
  bench::Traffic traffic;

 private:
  AxiPins pins_{axi_memory_shape};
  AxiChecker checker_{axi_memory_shape};
  unsigned fault_ = 0;
  std::unique_ptr<RtlBlock> block_ = make_axi_memory(pins_, fault_);
  TlmToAxi bridge_{"bridge", clock, pins_, {.shape = axi_memory_shape}};
  std::uint64_t position_ = 0;
};

void bridged(benchmark::State& state) {
  // SystemC elaborates once a process: this is the only benchmark with it.
  static Bridged bench("bench", 4);
  const auto before = bench.clock.evaluated.value();
  const auto done = bench.traffic.completed;
  for (auto _ : state) sc_core::sc_start(10, sc_core::SC_US);
  rate(state, static_cast<double>(bench.clock.evaluated.value() - before));
  state.counters["bytes/cycle"] = static_cast<double>((bench.traffic.completed - done) * burst_bytes) /
                                  static_cast<double>(bench.clock.evaluated.value() - before);
}
BENCHMARK(bridged)->Unit(benchmark::kMillisecond);

}  // namespace

int sc_main(int argc, char* argv[]) {
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
