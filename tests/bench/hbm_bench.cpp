// SPDX-License-Identifier: Apache-2.0
/// How fast the HBM model runs: channels saturated through their TLM sockets, one port a channel's worth of
/// requests.
#include <benchmark/benchmark.h>

#include <fmt/format.h>

#include <array>
#include <memory>
#include <random>
#include <vector>

#include "ip/hbm/hbm_stack.hpp"
#include "tests/bench/traffic.hpp"

using namespace forerun;

namespace {

ip::hbm::Parameters stack_of(unsigned channels) {
  ip::hbm::Parameters p;
  p.channels = channels;
  p.ports = channels;
  using F = ip::hbm::Field;
  p.address = ip::hbm::plain_masks(
      p, std::array{F::pseudo_channel, F::bank_group, F::bank, F::rank, F::column, F::row, F::channel});
  return p;
}

/// A stack of which each channel has a port and a stream of its own.
struct Bench : sc_core::sc_module {
  Bench(const sc_core::sc_module_name& name, unsigned channels, std::uint32_t length, bool random)
      : sc_module(name), store(stack_of(channels).capacity()), stack("stack", stack_of(channels), store) {
    for (unsigned c = 0; c < channels; ++c) {
      const auto pieces = store.size() / channels / length, first = pieces * c;
      streams.push_back(std::make_unique<bench::Traffic>(
          fmt::format("traffic{}", c).c_str(), 64, length,
          [random, pieces, length, first, position = std::uint64_t{0},
           generator = std::mt19937_64{c + 1}]() mutable {
            return (first + (random ? generator() % pieces : position++ % pieces)) * length;
          }));
      streams.back()->socket.bind(stack.port[c]);
    }
  }
  std::uint64_t completed() const {
    std::uint64_t sum = 0;
    for (const auto& stream : streams) sum += stream->completed;
    return sum;
  }
  ip::SparseMemory store;
  ip::HbmStack stack;
  std::vector<std::unique_ptr<bench::Traffic>> streams;
};

// SystemC elaborates once a process: one kind of traffic a run, chosen on the command line.
std::uint32_t length = 32;
bool random_order = false;
unsigned channels = 1;

void requests(benchmark::State& state) {
  static Bench bench("bench", channels, length, random_order);
  const auto before = bench.completed();
  for (auto _ : state) sc_core::sc_start(20, sc_core::SC_US);
  state.counters["requests/s"] =
      benchmark::Counter(static_cast<double>(bench.completed() - before), benchmark::Counter::kIsRate);
  state.counters["bytes/s"] = benchmark::Counter(static_cast<double>(bench.completed() - before) * length,
                                                 benchmark::Counter::kIsRate, benchmark::Counter::kIs1024);
}

}  // namespace

/// Usage: hbm_bench [BENCHMARK OPTIONS] [linear|random] [BYTES] [CHANNELS]
int sc_main(int argc, char* argv[]) {
  benchmark::Initialize(&argc, argv);
  if (argc > 1) random_order = std::string(argv[1]) == "random";
  if (argc > 2) length = static_cast<std::uint32_t>(std::stoul(argv[2]));
  if (argc > 3) channels = static_cast<unsigned>(std::stoul(argv[3]));
  const auto name = "hbm/" + std::string(random_order ? "random/" : "linear/") + std::to_string(length) +
                    (channels > 1 ? "/" + std::to_string(channels) : "");
  benchmark::RegisterBenchmark(name.c_str(), requests)->Unit(benchmark::kMillisecond);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
