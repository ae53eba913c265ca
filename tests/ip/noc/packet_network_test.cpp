// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include <memory>
#include <random>

#include "ip/noc/network.hpp"
#include "ip/noc/packet/engine.hpp"
#include "tests/support/one_way_traffic.hpp"

using namespace forerun;
using namespace forerun::ip;
using namespace forerun::ip::noc;
using namespace forerun::tests;

namespace {

/// The reference's network: 8x8 mesh, XY, 4 virtual channels of 8 flits, wormhole.
NocParameters reference() {
  NocParameters p;
  p.columns = p.rows = 8;
  p.virtual_networks = 1;
  p.virtual_channels = 4;
  p.buffer_flits = 8;
  p.switching = Switching::wormhole;
  return p;
}

NocParameters changed(void (*change)(NocParameters&)) {
  auto p = reference();
  p.columns = p.rows = 4;
  change(p);
  return p;
}

/// Networks of all kinds, small.
std::vector<NocParameters> all_kinds() {
  return {
      changed([](NocParameters&) {}),
      changed([](NocParameters& p) { p.topology = Topology::torus, p.columns = 5; }),
      changed([](NocParameters& p) { p.topology = Topology::ring, p.rows = 2; }),
      changed([](NocParameters& p) { p.topology = Topology::concentrated_mesh, p.columns = p.rows = 6; }),
      changed([](NocParameters& p) { p.topology = Topology::fat_tree; }),
      changed([](NocParameters& p) { p.topology = Topology::crossbar, p.columns = 17; }),
      changed([](NocParameters& p) { p.routing = Routing::o1turn; }),
      changed([](NocParameters& p) { p.routing = Routing::west_first; }),
      changed([](NocParameters& p) { p.switching = Switching::virtual_cut_through; }),
      changed([](NocParameters& p) { p.virtual_networks = 2, p.virtual_channels = 1; }),
      changed([](NocParameters& p) { p.virtual_networks = 2, p.virtual_channels = 5, p.priorities = 3; }),
      changed([](NocParameters& p) { p.speculative = true; }),
      changed([](NocParameters& p) {
        p.speculative = true, p.vc_alloc_delay = 2, p.sw_alloc_delay = 3, p.buffer_flits = 16;
      }),
      changed([](NocParameters& p) { p.routing_delay = 1, p.vc_alloc_delay = 2, p.buffer_flits = 16; }),
      changed([](NocParameters& p) { p.sw_alloc_delay = 2, p.switch_delay = 2, p.buffer_flits = 16; }),
      changed([](NocParameters& p) {
        p.link_latency = 3, p.inject_latency = 2, p.eject_latency = 4, p.buffer_flits = 16;
      }),
      changed([](NocParameters& p) { p.endpoint_width = Bytes{48}; }),
      changed([](NocParameters& p) { p.endpoint_width = Bytes{16}, p.topology = Topology::torus; }),
  };
}

Graph graph_of(const NocParameters& p) {
  Graph graph(p);
  for (unsigned y = 0; y < p.rows; ++y)
    for (unsigned x = 0; x < p.columns; ++x)
      graph.add_endpoint("e" + std::to_string(y * p.columns + x), x, y);
  return graph;
}

/// Advances until nothing moves; releases what arrives at once if `take`.
struct Driver {
  explicit Driver(Network& network_, bool take_ = true) : network(network_), take(take_) {}
  void until(std::int64_t end) {
    auto next = network.advance(now, events);
    for (;;) {
      std::stable_sort(events.begin() + static_cast<std::ptrdiff_t>(seen), events.end(),
                       [](const auto& a, const auto& b) { return a.cycle < b.cycle; });
      for (; seen < events.size() && events[seen].cycle <= now; ++seen)
        if (take && events[seen].what == NetworkEvent::What::delivered)
          next = std::min(next, network.release(*events[seen].packet, now));
      if (seen < events.size()) next = std::min(next, events[seen].cycle);
      if (next > end) break;
      now = std::max(now, next);
      next = network.advance(now, events);
    }
  }
  Network& network;
  bool take;
  std::int64_t now = 0;
  std::size_t seen = 0;
  std::vector<NetworkEvent> events;
};

std::int64_t delivered(const std::vector<NetworkEvent>& events, const Packet& packet) {
  for (const auto& e : events)
    if (e.what == NetworkEvent::What::delivered && e.packet == &packet) return e.cycle;
  return -1;
}

TEST(PacketNetwork, ZeroLoadLatencyIsTheClosedForm) {
  for (const auto& p : all_kinds()) {
    const auto graph = graph_of(p);
    const auto network = make_packet_network(graph);
    Driver run(*network);
    std::mt19937 random(1);
    const auto endpoints = static_cast<std::uint32_t>(graph.endpoints().size());
    for (int i = 0; i < 40; ++i) {
      Packet packet;
      packet.source = static_cast<std::uint32_t>(random() % endpoints);
      packet.destination = static_cast<std::uint32_t>(random() % endpoints);
      packet.flits = 1 + static_cast<std::uint32_t>(random() % 8);
      packet.network = static_cast<std::uint8_t>(random() % p.virtual_networks);
      packet.born = run.now + 1 + static_cast<std::int64_t>(random() % 50);
      network->inject(packet);
      run.until(Network::never - 1);
      ASSERT_EQ(delivered(run.events, packet) - packet.born,
                zero_load_cycles(graph, packet.source, packet.destination, packet.flits))
          << "topology " << static_cast<int>(p.topology) << ", " << packet.source << " to "
          << packet.destination << ", " << packet.flits << " flits";
      EXPECT_EQ(network->packets_inside(), 0u);
      run.events.clear();
      run.seen = 0;
    }
  }
}

/// Everybody sends to everybody as fast as possible, then it must empty.
std::vector<std::int64_t> overload(const NocParameters& p, std::uint32_t longest) {
  const auto graph = graph_of(p);
  const auto network = make_packet_network(graph);
  const auto endpoints = static_cast<std::uint32_t>(graph.endpoints().size());
  std::mt19937 random(7);
  std::vector<std::unique_ptr<Packet>> packets;
  std::uint64_t flits = 0;
  for (std::uint32_t i = 0; i < endpoints * 60; ++i) {
    packets.push_back(std::make_unique<Packet>());
    auto& packet = *packets.back();
    packet.source = i % endpoints;
    packet.destination = static_cast<std::uint32_t>(random() % endpoints);
    packet.flits = 1 + static_cast<std::uint32_t>(random()) % longest;
    packet.network = static_cast<std::uint8_t>(random() % p.virtual_networks);
    packet.priority = static_cast<std::uint8_t>(random() % p.priorities);
    flits += packet.flits;
    network->inject(packet);
  }
  Driver run(*network);
  run.until(Network::never - 1);
  EXPECT_EQ(network->packets_inside(), 0u) << describe_waits(graph, network->waits(), 20);
  std::vector<std::int64_t> result;
  std::int64_t last = 0;
  for (const auto& e : run.events) {
    EXPECT_GE(e.cycle, last) << "events are in order";
    last = e.cycle;
  }
  for (const auto& packet : packets) {
    result.push_back(delivered(run.events, *packet));
    EXPECT_GE(result.back(), zero_load_cycles(graph, packet->source, packet->destination, packet->flits));
  }
  std::uint64_t in = 0, out = 0;
  for (std::uint32_t l = 0; l < graph.links().size(); ++l) {
    if (graph.links()[l].kind == Link::Kind::inject) in += network->counters(l).flits;
    if (graph.links()[l].kind == Link::Kind::eject) out += network->counters(l).flits;
    EXPECT_LE(network->counters(l).flits, static_cast<std::uint64_t>(last) + 1) << "a flit a cycle";
    EXPECT_LE(network->counters(l).blocked_cycles + network->counters(l).flits,
              static_cast<std::uint64_t>(last) + 2);
  }
  EXPECT_EQ(in, flits);
  EXPECT_EQ(out, flits);
  return result;
}

TEST(PacketNetwork, OverloadNeitherLosesNorLocks) {
  for (const auto& p : all_kinds()) overload(p, 9);
}

TEST(PacketNetwork, OverloadWithTheSmallestBuffersNeitherLosesNorLocks) {
  for (auto p : all_kinds()) {
    p.buffer_flits = 1;
    overload(p, 4);
  }
}

TEST(PacketNetwork, EqualRunsAreEqual) {
  for (const auto& p : all_kinds()) EXPECT_EQ(overload(p, 6), overload(p, 6));
}

TEST(PacketNetwork, TurnsOfOneFlitChangeNothingButTheOrderWithinOneCycle) {
  // A single stream through one link: turns cannot matter.
  const auto graph = graph_of(changed([](NocParameters&) {}));
  for (const PacketTurns turns : {PacketTurns{1, 1}, PacketTurns{8, 2}, PacketTurns{3, 3}}) {
    const auto network = make_packet_network(graph, turns);
    std::vector<Packet> packets(20);
    for (auto& packet : packets) {
      packet.source = 1, packet.destination = 2, packet.flits = 7;
      network->inject(packet);
    }
    Driver run(*network);
    run.until(Network::never - 1);
    EXPECT_EQ(delivered(run.events, packets.back()), zero_load_cycles(graph, 1, 2, 7) + 19 * 7)
        << turns.alone;
  }
}

TEST(PacketNetwork, HeldRequestsDoNotBlockResponses) {
  const auto graph = graph_of(
      changed([](NocParameters& p) { p.virtual_networks = 2, p.virtual_channels = 1, p.buffer_flits = 4; }));
  const auto network = make_packet_network(graph);
  std::vector<std::unique_ptr<Packet>> packets;
  for (unsigned i = 0; i < 200; ++i) {
    packets.push_back(std::make_unique<Packet>());
    packets.back()->source = i % 16, packets.back()->destination = 5, packets.back()->flits = 3;
    network->inject(*packets.back());
  }
  Driver run(*network, false);
  run.until(100000);
  const auto held = network->packets_inside();
  EXPECT_EQ(held, 200u);
  EXPECT_GT(network->waits().size(), 100u) << "requests wait for their endpoint";
  const auto text = describe_waits(graph, network->waits(), 500);
  EXPECT_THAT(text, testing::HasSubstr("for its endpoint to take it"));
  Packet response;
  response.source = 4, response.destination = 5, response.flits = 3, response.network = 1,
  response.born = 200000;
  network->inject(response);
  run.until(300000);
  EXPECT_EQ(delivered(run.events, response) - response.born, zero_load_cycles(graph, 4, 5, 3));
  // Taking the first lets the others go on.
  run.take = true;
  run.seen = 0;
  run.until(Network::never - 1);
  EXPECT_EQ(network->packets_inside(), 0u);
}

TEST(PacketNetwork, AHeldEndpointIsNamedAndBlamed) {
  const auto graph = graph_of(changed([](NocParameters& p) { p.virtual_channels = 1, p.buffer_flits = 4; }));
  const auto network = make_packet_network(graph);
  network->record(100);
  std::vector<Packet> packets(40);
  for (auto& packet : packets) {
    packet.source = 0, packet.destination = 3, packet.flits = 4;
    network->inject(packet);
  }
  Driver run(*network, false);
  run.until(1000);
  EXPECT_EQ(network->advance(1000, run.events), Network::never) << "a stalled network has no events";
  const auto eject = graph.endpoints()[3].eject, before = graph.neighbour(2, 0);
  const auto blames = network->blames();
  const auto blame = [&](std::uint32_t link, std::uint32_t behind) {
    for (const auto& b : blames)
      if (b.link == link && b.behind == behind) return b.cycles;
    return std::uint64_t{0};
  };
  EXPECT_GT(blame(eject, none), 900u);
  EXPECT_GT(blame(before, eject), 900u);
  EXPECT_GT(network->counters(before).blocked_cycles, 900u);
  EXPECT_EQ(network->counters(graph.neighbour(3, 1)).flits, 0u);
  bool named = false;
  for (const auto& wait : network->waits()) named |= wait.wants == eject && wait.holder != nullptr;
  EXPECT_TRUE(named);
}

TEST(PacketNetwork, RecordedBinsSumToTheCounters) {
  const auto graph = graph_of(reference());
  const auto network = make_packet_network(graph);
  network->record(64);
  OneWayTraffic traffic;
  traffic.flits = 0.3, traffic.packet_flits = 5, traffic.warm_up = 500, traffic.measure = 1000;
  run_one_way(graph, *network, traffic);
  for (std::uint32_t link = 0; link < graph.links().size(); ++link) {
    std::uint64_t flits = 0, waiting = 0;
    for (const auto& bin : network->bins(link)) flits += bin.flits, waiting += bin.waiting;
    EXPECT_EQ(flits, network->counters(link).flits);
    EXPECT_EQ(waiting, network->counters(link).waited_cycles);
  }
}

TEST(PacketNetwork, HigherClassesGoFirst) {
  auto p = reference();
  p.priorities = 2;
  const auto graph = graph_of(p);
  // Mean latencies of the two classes at 0.33 flits.
  const auto latencies = [&](Network& network) {
    std::mt19937 random(3);
    std::vector<std::unique_ptr<Packet>> packets;
    for (std::int64_t cycle = 0; cycle < 4000; ++cycle)
      for (std::uint32_t source = 0; source < 64; ++source)
        if (random() % 1000 < 66) {
          packets.push_back(std::make_unique<Packet>());
          auto& packet = *packets.back();
          packet.source = source, packet.destination = static_cast<std::uint32_t>(random() % 64);
          packet.flits = 5, packet.born = cycle, packet.priority = random() % 8 == 0 ? 1 : 0;
          network.inject(packet);
        }
    Driver run(network);
    run.until(Network::never - 1);
    double sum[2] = {}, count[2] = {};
    for (const auto& e : run.events)
      if (e.what == NetworkEvent::What::delivered) {
        sum[e.packet->priority] += static_cast<double>(e.cycle - e.packet->born);
        ++count[e.packet->priority];
      }
    return std::pair{sum[0] / count[0], sum[1] / count[1]};
  };
  const auto [low, high] = latencies(*make_packet_network(graph));
  const auto [exact_low, exact_high] = latencies(*make_flit_network(graph));
  EXPECT_GT(low, high + 5);
  EXPECT_NEAR(high / exact_high, 1, 0.05);
  EXPECT_NEAR(low / exact_low, 1, 0.05);
}

OneWayResult measured(Network& network, const Graph& graph, double flits, unsigned length,
                      TrafficPattern pattern = TrafficPattern::uniform) {
  OneWayTraffic traffic;
  traffic.pattern = pattern;
  traffic.flits = flits;
  traffic.packet_flits = length;
  traffic.warm_up = 4000;
  traffic.measure = 12000;
  traffic.patience = 1000;
  return run_one_way(graph, network, traffic);
}

// BookSim 2, mesh8x8_vc4: 8x8 mesh, XY, uniform random, 4 channels of 8 flits, islip, source queues included.
struct Row {
  unsigned length;
  double offered, latency;
};
constexpr Row booksim[] = {{1, 0.05, 27.034}, {1, 0.1, 27.237},  {1, 0.2, 27.844}, {1, 0.3, 29.564},
                           {1, 0.34, 30.987}, {5, 0.05, 31.898}, {5, 0.1, 32.865}, {5, 0.2, 36.447},
                           {5, 0.3, 44.746},  {5, 0.34, 52.535}};

TEST(PacketNetwork, LatencyIsThatOfBookSim) {
  const auto p = reference();
  const auto graph = graph_of(p);
  for (const auto& row : booksim) {
    const auto network = make_packet_network(graph);
    const auto result = measured(*network, graph, row.offered, row.length);
    EXPECT_NEAR(result.latency / row.latency, 1, 0.05) << row.length << " flits at " << row.offered;
  }
}

TEST(PacketNetwork, SaturationIsThatOfBookSim) {
  const auto p = reference();
  const auto graph = graph_of(p);
  for (const auto& [length, saturation] : {std::pair{1u, 0.4207}, std::pair{5u, 0.4031}}) {
    const auto network = make_packet_network(graph);
    EXPECT_NEAR(measured(*network, graph, 0.46, length).accepted / saturation, 1, 0.05) << length;
  }
}

/// Networks that the reference does not cover, against the flit model.
TEST(PacketNetwork, AgreesWithTheFlitModelElsewhere) {
  struct Case {
    const char* name;
    NocParameters p;
    double flits;
    unsigned length;
    TrafficPattern pattern = TrafficPattern::uniform;
  };
  const auto with = [](void (*change)(NocParameters&)) {
    auto p = reference();
    change(p);
    return p;
  };
  const Case cases[] = {
      {"2 channels", with([](NocParameters& p) { p.virtual_channels = 2; }), 0.24, 5},
      {"8 channels of 4", with([](NocParameters& p) { p.virtual_channels = 8, p.buffer_flits = 4; }), 0.3, 5},
      {"deep router",
       with([](NocParameters& p) { p.routing_delay = 1, p.vc_alloc_delay = 2, p.switch_delay = 2; }), 0.28,
       5},
      {"long links", with([](NocParameters& p) { p.link_latency = 3; }), 0.25, 3},
      {"speculative", with([](NocParameters& p) { p.speculative = true; }), 0.3, 5},
      {"torus", with([](NocParameters& p) { p.topology = Topology::torus; }), 0.35, 5},
      {"transpose", reference(), 0.13, 5, TrafficPattern::transpose},
      {"tornado", reference(), 0.2, 5, TrafficPattern::tornado},
      {"complement", reference(), 0.18, 5, TrafficPattern::bit_complement},
      {"cut-through", with([](NocParameters& p) { p.switching = Switching::virtual_cut_through; }), 0.25, 5},
      {"two networks", with([](NocParameters& p) { p.virtual_networks = 2, p.virtual_channels = 2; }), 0.3,
       5},
      {"long packets", with([](NocParameters& p) { p.buffer_flits = 16; }), 0.25, 17},
  };
  for (const auto& c : cases) {
    const auto graph = graph_of(c.p);
    const auto packet = make_packet_network(graph), flit = make_flit_network(graph);
    const auto ours = measured(*packet, graph, c.flits, c.length, c.pattern);
    const auto exact = measured(*flit, graph, c.flits, c.length, c.pattern);
    EXPECT_NEAR(ours.latency / exact.latency, 1, 0.05) << c.name;
    RecordProperty(std::string(c.name), std::to_string(ours.latency / exact.latency));
  }
}

}  // namespace
