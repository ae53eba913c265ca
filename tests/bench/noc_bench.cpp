// SPDX-License-Identifier: Apache-2.0
/// How fast the network models run on a mesh of 8 x 8 routers: through sockets, an initiator and a target at
/// each router, reads of 256 bytes to random targets; and by themselves, one-way packets of five flits at an
/// offered load, as BookSim does.
#include <benchmark/benchmark.h>

#include <random>

#include "ip/noc/noc.hpp"
#include "ip/noc/synthetic.hpp"
#include "tests/bench/traffic.hpp"

using namespace forerun;

namespace {

constexpr unsigned side = 8;
constexpr std::uint64_t range = 1 << 16;

/// Answers at once.
struct Target : sc_core::sc_module {
  explicit Target(const sc_core::sc_module_name& name) : sc_module(name) {
    socket.register_nb_transport_fw(this, &Target::nb_transport_fw);
  }
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time&) {
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    phase = tlm::BEGIN_RESP;
    return tlm::TLM_UPDATED;
  }
  tlm_utils::simple_target_socket<Target> socket{"socket"};
};

struct Bench : sc_core::sc_module {
  Bench(const sc_core::sc_module_name& name, ip::noc::Model model)
      : sc_module(name), noc("noc", [model] {
          ip::NocParameters p;
          p.model = model;
          p.columns = p.rows = side;
          p.virtual_channels = 2;
          return p;
        }()) {
    for (unsigned i = 0; i < side * side; ++i) {
      const auto number = std::to_string(i);
      auto& target = noc.add_target("t" + number, i % side, i / side);
      targets.push_back(std::make_unique<Target>(("target" + number).c_str()));
      target.bind(targets.back()->socket);
      noc.map(i * range, range, target);
      traffic.push_back(std::make_unique<bench::Traffic>(
          ("traffic" + number).c_str(), 2, 256, [this] { return generator() % (side * side) * range; }));
      traffic.back()->socket.bind(noc.add_initiator("i" + number, i % side, i / side));
    }
  }
  std::mt19937_64 generator{1};
  ip::Noc noc;
  std::vector<std::unique_ptr<Target>> targets;
  std::vector<std::unique_ptr<bench::Traffic>> traffic;
};

benchmark::Counter rate(std::uint64_t n) { return {static_cast<double>(n), benchmark::Counter::kIsRate}; }

/// SystemC elaborates once: both networks stand from the start, and initiators begin at their turn.
struct Benches {
  Bench packet{"packet", ip::noc::Model::packet}, flit{"flit", ip::noc::Model::flit};
};
Benches& benches() {
  static Benches all;
  return all;
}

void sockets(benchmark::State& state, Bench& bench, Bench& other) {
  for (auto& traffic : bench.traffic) traffic->run(true);
  for (auto& traffic : other.traffic) traffic->run(false);
  sc_core::sc_start(10, sc_core::SC_US);
  const auto before = bench.noc.packets.value(), flits = bench.noc.flits.value();
  for (auto _ : state) sc_core::sc_start(10, sc_core::SC_US);
  state.counters["packets/s"] = rate(bench.noc.packets.value() - before);
  state.counters["flits/s"] = rate(bench.noc.flits.value() - flits);
}
void packet_sockets(benchmark::State& state) { sockets(state, benches().packet, benches().flit); }
void flit_sockets(benchmark::State& state) { sockets(state, benches().flit, benches().packet); }
BENCHMARK(packet_sockets)->Name("noc/sockets/packet")->Unit(benchmark::kMillisecond);
BENCHMARK(flit_sockets)->Name("noc/sockets/flit")->Unit(benchmark::kMillisecond);

/// Argument: offered load in hundredths of a flit a node a cycle.
void one_way(benchmark::State& state, ip::noc::Model model) {
  ip::NocParameters p;
  p.columns = p.rows = side;
  p.virtual_networks = 1, p.virtual_channels = 4, p.buffer_flits = 8;
  ip::noc::Graph graph(p);
  for (unsigned i = 0; i < side * side; ++i) graph.add_endpoint(std::to_string(i), i % side, i / side);
  ip::noc::SyntheticTraffic traffic;
  traffic.flits = static_cast<double>(state.range(0)) / 100, traffic.packet_flits = 5;
  std::uint64_t packets = 0, cycles = 0;
  for (auto _ : state) {
    const auto network =
        model == ip::noc::Model::flit ? make_flit_network(graph) : make_packet_network(graph);
    const auto result = run_synthetic(graph, *network, traffic);
    packets += result.packets, cycles += static_cast<std::uint64_t>(result.cycles);
  }
  state.counters["packets/s"] = rate(packets);
  state.counters["cycles/s"] = rate(cycles);
}
BENCHMARK_CAPTURE(one_way, packet, ip::noc::Model::packet)
    ->Arg(1)
    ->Arg(30)
    ->Name("noc/one_way/packet")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(one_way, flit, ip::noc::Model::flit)
    ->Arg(1)
    ->Arg(30)
    ->Name("noc/one_way/flit")
    ->Unit(benchmark::kMillisecond);

}  // namespace

int sc_main(int argc, char* argv[]) {
  benchmark::Initialize(&argc, argv);
  benches();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
