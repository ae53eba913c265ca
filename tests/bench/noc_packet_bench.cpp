// SPDX-License-Identifier: Apache-2.0
/// Speed of the packet model itself, without sockets: packets a CPU second, 8x8 mesh, uniform, 4 channels of
/// 8 flits, source queues included.
#include <benchmark/benchmark.h>

#include "ip/noc/network.hpp"
#include "ip/noc/synthetic.hpp"

namespace {
using namespace forerun;
using namespace forerun::ip;
using namespace forerun::ip::noc;

/// Arguments: offered load in hundredths of a flit a node a cycle, flits of a packet.
void uniform(benchmark::State& state) {
  NocParameters p;
  p.columns = p.rows = 8;
  p.virtual_networks = 1;
  p.virtual_channels = 4;
  p.buffer_flits = 8;
  p.switching = Switching::wormhole;
  Graph graph(p);
  for (unsigned i = 0; i < 64; ++i) graph.add_endpoint("e", i % 8, i / 8);
  std::uint64_t packets = 0;
  std::int64_t cycles = 0;
  double latency = 0;
  for (auto _ : state) {
    const auto network = make_packet_network(graph);
    SyntheticTraffic traffic;
    traffic.flits = static_cast<double>(state.range(0)) / 100;
    traffic.packet_flits = static_cast<unsigned>(state.range(1));
    traffic.warm_up = 1000;
    traffic.measure = 40000;
    const auto result = run_synthetic(graph, *network, traffic);
    packets += result.packets;
    cycles += traffic.measure;
    latency = result.latency;
  }
  state.counters["packets"] = benchmark::Counter(static_cast<double>(packets), benchmark::Counter::kIsRate);
  state.counters["cycles"] = benchmark::Counter(static_cast<double>(cycles), benchmark::Counter::kIsRate);
  state.counters["latency_cycles"] = latency;
}
BENCHMARK(uniform)->Args({1, 5})->Args({10, 5})->Args({30, 5})->Args({30, 1})->Args({30, 17})->Unit(
    benchmark::kMillisecond);

}  // namespace

// The SystemC library wants one.
extern "C" int sc_main(int, char**) { return 0; }

BENCHMARK_MAIN();
