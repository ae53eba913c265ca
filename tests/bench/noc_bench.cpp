// SPDX-License-Identifier: Apache-2.0
/// How fast the mesh model runs: 8 x 8 routers, an initiator and a target at each, reads of 256 bytes to
/// random targets.
#include <benchmark/benchmark.h>

#include <random>

#include "ip/noc/noc.hpp"
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
  explicit Bench(const sc_core::sc_module_name& name)
      : sc_module(name), noc("noc", [] {
          ip::NocParameters p;
          p.columns = p.rows = side;
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

void packets(benchmark::State& state) {
  static Bench bench("bench");
  const auto before = bench.noc.packets.value(), flits = bench.noc.flits.value();
  for (auto _ : state) sc_core::sc_start(10, sc_core::SC_US);
  const auto count = [](std::uint64_t n) {
    return benchmark::Counter(static_cast<double>(n), benchmark::Counter::kIsRate);
  };
  state.counters["packets/s"] = count(bench.noc.packets.value() - before);
  state.counters["flits/s"] = count(bench.noc.flits.value() - flits);
}
BENCHMARK(packets)->Name("noc/mesh8x8")->Unit(benchmark::kMillisecond);

}  // namespace

int sc_main(int argc, char* argv[]) {
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
