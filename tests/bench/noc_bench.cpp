// SPDX-License-Identifier: Apache-2.0
/// How fast the network models run through their sockets: posted packets of one length from every node of a
/// mesh of 8 x 8 routers to random nodes at an offered load, 4 channels of 8 flits, as `forerun validate noc`
/// compares them with BookSim.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "ip/noc/noc.hpp"
#include "ip/traffic/traffic_generator.hpp"
#include "ip/traffic/traffic_sink.hpp"

using namespace forerun;

namespace {

constexpr unsigned side = 8;
constexpr std::uint64_t range = 1 << 16;

// SystemC elaborates once a process: one kind of traffic a run, chosen on the command line.
ip::noc::Model model = ip::noc::Model::packet;
unsigned packet_flits = 5;
double load = 0.3;  // flits a node and cycle

ip::NocParameters parameters() {
  ip::NocParameters p;
  p.model = model;
  p.clock = {1e9};
  p.columns = p.rows = side;
  p.virtual_channels = 4;
  p.buffer_flits = 8;
  return p;
}

struct Bench : sc_core::sc_module {
  explicit Bench(const sc_core::sc_module_name& name) : sc_module(name) {
    ip::TrafficParameters p;
    p.pattern = ip::TrafficPattern::uniform;
    p.arrivals = ip::TrafficArrivals::bernoulli;
    p.clock = parameters().clock;
    p.rate = load / packet_flits;
    p.reads = 0;
    p.posted = true;
    p.signal = packet_flits == 1;
    p.request = {std::max(packet_flits - 1, 1u) * parameters().link_width.count};
    p.columns = side;
    for (unsigned i = 0; i < side * side; ++i) p.targets.push_back(i * range);
    for (unsigned i = 0; i < side * side; ++i) {
      sinks.push_back(std::make_unique<ip::TrafficSink>(fmt::format("sink{}", i).c_str()));
      auto& target = noc.add_target(fmt::format("sink{}", i), i % side, i / side);
      target.bind(sinks.back()->socket);
      noc.map(i * range, range, target);
      p.self = i;
      p.seed = i + 1;
      sources.push_back(std::make_unique<ip::TrafficGenerator>(fmt::format("source{}", i).c_str(), p));
      sources.back()->socket.bind(noc.add_initiator(fmt::format("source{}", i), i % side, i / side));
    }
  }
  ip::Noc noc{"noc", parameters()};
  std::vector<std::unique_ptr<ip::TrafficSink>> sinks;
  std::vector<std::unique_ptr<ip::TrafficGenerator>> sources;
};

void one_way(benchmark::State& state) {
  static Bench bench("bench");
  sc_core::sc_start(2, sc_core::SC_US);  // until queues have their usual length
  const auto packets = bench.noc.packets.value(), latency = bench.noc.latency_sum.value();
  for (auto _ : state) sc_core::sc_start(20, sc_core::SC_US);
  const auto moved = static_cast<double>(bench.noc.packets.value() - packets);
  state.counters["packets/s"] = benchmark::Counter(moved, benchmark::Counter::kIsRate);
  state.counters["flits/s"] = benchmark::Counter(moved * packet_flits, benchmark::Counter::kIsRate);
  state.counters["latency_cycles"] =
      static_cast<double>(bench.noc.latency_sum.value() - latency) / 1000 / std::max(moved, 1.0);
}

}  // namespace

/// Usage: noc_bench [BENCHMARK OPTIONS] [packet|flit] [FLITS] [LOAD in %]
int sc_main(int argc, char* argv[]) {
  benchmark::Initialize(&argc, argv);
  if (argc > 1) model = std::string(argv[1]) == "flit" ? ip::noc::Model::flit : ip::noc::Model::packet;
  if (argc > 2) packet_flits = static_cast<unsigned>(std::stoul(argv[2]));
  if (argc > 3) load = std::stod(argv[3]) / 100;
  const auto name = fmt::format("noc/{}/{}_flits/load_{:g}%",
                                model == ip::noc::Model::flit ? "flit" : "packet", packet_flits, load * 100);
  benchmark::RegisterBenchmark(name.c_str(), one_way)->Unit(benchmark::kMillisecond);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
