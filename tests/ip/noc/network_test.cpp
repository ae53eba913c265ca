// SPDX-License-Identifier: Apache-2.0
/// What holds for both network models, on every topology and routing, without sockets.
#include "ip/noc/network.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>

#include "ip/noc/routing.hpp"
#include "tests/support/one_way_traffic.hpp"

using namespace forerun;
using namespace forerun::ip;
using namespace forerun::ip::noc;
using namespace forerun::tests;

namespace {

struct Shape {
  const char* name;
  void (*set)(NocParameters&);
};
const Shape shapes[] = {
    {"mesh", [](NocParameters&) {}},
    {"line", [](NocParameters& p) { p.columns = 7, p.rows = 1; }},
    {"o1turn", [](NocParameters& p) { p.routing = Routing::o1turn; }},
    {"west_first", [](NocParameters& p) { p.routing = Routing::west_first; }},
    {"torus", [](NocParameters& p) { p.topology = Topology::torus; }},
    {"torus4x4", [](NocParameters& p) { p.topology = Topology::torus, p.columns = p.rows = 4; }},
    {"torus2x3", [](NocParameters& p) { p.topology = Topology::torus, p.columns = 2, p.rows = 3; }},
    {"ring", [](NocParameters& p) { p.topology = Topology::ring; }},
    {"concentrated_mesh", [](NocParameters& p) { p.topology = Topology::concentrated_mesh; }},
    {"fat_tree", [](NocParameters& p) { p.topology = Topology::fat_tree, p.fat_tree_radix = 2; }},
    {"crossbar", [](NocParameters& p) { p.topology = Topology::crossbar; }},
};

NocParameters small() {
  NocParameters p;
  p.columns = 5, p.rows = 4;
  p.virtual_channels = 2;
  p.buffer_flits = 16;
  return p;
}

Graph nodes(const NocParameters& p) {
  Graph graph(p);
  for (unsigned y = 0; y < p.rows; ++y)
    for (unsigned x = 0; x < p.columns; ++x)
      graph.add_endpoint("node" + std::to_string(y * p.columns + x), x, y);
  return graph;
}

std::unique_ptr<Network> make(Model model, const Graph& graph) {
  return model == Model::flit ? make_flit_network(graph) : make_packet_network(graph);
}

class Networks : public testing::TestWithParam<std::tuple<Model, std::size_t>> {
 protected:
  Model model() const { return std::get<0>(GetParam()); }
  NocParameters parameters() const {
    auto p = small();
    shapes[std::get<1>(GetParam())].set(p);
    return p;
  }
};
std::string name_of(const testing::TestParamInfo<Networks::ParamType>& info) {
  return std::string(std::get<0>(info.param) == Model::flit ? "flit_" : "packet_") +
         shapes[std::get<1>(info.param)].name;
}
INSTANTIATE_TEST_SUITE_P(All, Networks,
                         testing::Combine(testing::Values(Model::packet, Model::flit),
                                          testing::Range(std::size_t{0}, std::size(shapes))),
                         name_of);

/// Sends one packet through an idle network; the cycles that it took.
std::int64_t alone(Network& network, Packet& packet) {
  std::vector<NetworkEvent> events, more;
  network.inject(packet);
  for (auto at = packet.born; at < Network::never; at = network.advance(at, events))
    for (const auto& event : events)
      if (event.what == NetworkEvent::What::delivered) {
        network.advance(event.cycle - 1, more);
        network.release(packet, event.cycle);
        for (auto then = event.cycle; then < Network::never;) then = network.advance(then, more);
        return event.cycle - packet.born;
      }
  return -1;
}

TEST_P(Networks, TakeTheClosedFormWithoutLoad) {
  std::mt19937 generator(1);
  const auto random = [&] { return static_cast<std::uint32_t>(generator()); };
  for (unsigned variant = 0; variant < 12; ++variant) {
    auto p = parameters();
    if (variant == 1) p.routing_delay = 2;
    if (variant == 2) p.vc_alloc_delay = 2;
    if (variant == 3) p.sw_alloc_delay = 2;
    if (variant == 4) p.switch_delay = 3, p.link_latency = 2;
    if (variant == 5) p.speculative = true;
    if (variant == 6) p.speculative = true, p.vc_alloc_delay = 1, p.sw_alloc_delay = 2;
    if (variant == 7) p.inject_latency = 3, p.eject_latency = 2;
    if (variant == 8)
      p.switching = Switching::virtual_cut_through, p.virtual_networks = 1, p.virtual_channels = 4;
    if (variant == 9) p.endpoint_width = Bytes{48};
    if (variant == 10) p.endpoint_width = Bytes{16};
    if (variant == 11)
      p.endpoint_width = Bytes{24}, p.sw_alloc_delay = 2, p.link_latency = 4, p.buffer_flits = 40;
    const auto graph = nodes(p);
    const auto network = make(model(), graph);
    std::int64_t now = 0;
    for (int i = 0; i < 60; ++i) {
      Packet packet;
      const auto count = static_cast<unsigned>(graph.endpoints().size());
      packet.source = random() % count, packet.destination = random() % count;
      packet.flits = 1 + random() % 12;
      packet.network = static_cast<std::uint8_t>(random() % p.virtual_networks);
      packet.born = now;
      ASSERT_EQ(alone(*network, packet),
                zero_load_cycles(graph, packet.source, packet.destination, packet.flits))
          << "variant " << variant << ", " << packet.source << " -> " << packet.destination << ", "
          << packet.flits << " flits";
      now += 1000;
    }
    EXPECT_EQ(network->packets_inside(), 0u);
  }
}

/// Every node asks for `count` answers; a node takes a request only when its last answer has left.
struct Dialogue {
  struct Message : Packet {
    bool answer = false;
  };
  Dialogue(const Graph& graph_, Network& network_, unsigned count, unsigned seed, std::uint32_t longest = 20)
      : graph(graph_), network(network_), busy(graph.endpoints().size()), asked(busy.size()) {
    std::mt19937 generator(seed);
    const auto random = [&] { return static_cast<std::uint32_t>(generator()); };
    const auto n = static_cast<unsigned>(busy.size());
    for (unsigned i = 0; i < count; ++i)
      for (unsigned node = 0; node < n; ++node) {
        auto& m = messages.emplace_back();
        m.source = node, m.destination = random() % n;
        m.flits = 1 + random() % longest;
        m.born = 0;
        network.inject(m);
      }
  }
  void release(Message& m) { next = std::min(next, network.release(m, now)); }
  void take(std::uint32_t node) {
    if (busy[node] || asked[node].empty()) return;
    auto& request = *asked[node].front();
    asked[node].pop_front();
    release(request);
    auto& m = messages.emplace_back();
    m.source = node, m.destination = request.source;
    m.flits = 21 - request.flits;
    m.network = 1;
    m.born = now;
    m.answer = true;
    busy[node] = true;
    network.inject(m);
    next = std::min(next, now);
  }
  /// Until nothing moves; the cycle of the last event.
  std::int64_t run() {
    std::vector<NetworkEvent> events;
    std::multimap<std::int64_t, NetworkEvent> later;
    for (now = 0; now < 1'000'000;) {
      events.clear();
      next = network.advance(now, events);
      for (const auto& e : events) later.emplace(std::max(e.cycle, now), e);
      while (!later.empty() && later.begin()->first <= now) {
        const auto event = later.begin()->second;
        later.erase(later.begin());
        auto& m = static_cast<Message&>(*event.packet);
        last = now;
        checksum = checksum * 31 + static_cast<std::uint64_t>(event.cycle) * 7 + m.source;
        if (event.what == NetworkEvent::What::injected) {
          if (!m.answer) continue;
          busy[m.source] = false;
          take(m.source);
        } else if (m.answer) {
          ++answers;
          release(m);
        } else {
          asked[m.destination].push_back(&m);
          take(m.destination);
        }
      }
      if (!later.empty()) next = std::min(next, later.begin()->first);
      if (next >= Network::never) return last;
      now = std::max(next, now + 1);
    }
    return -1;
  }
  const Graph& graph;
  Network& network;
  std::deque<Message> messages;
  std::vector<bool> busy;
  std::vector<std::deque<Message*>> asked;
  std::int64_t now = 0, next = 0, last = 0;
  std::uint64_t answers = 0, checksum = 0;
};

TEST_P(Networks, AnswerEveryRequestUnderOverloadAndRepeatExactly) {
  for (const auto switching : {Switching::wormhole, Switching::virtual_cut_through})
    for (const unsigned buffer : {1u, 4u}) {
      auto p = parameters();
      p.switching = switching;
      p.buffer_flits = buffer;
      const auto graph = nodes(p);
      std::uint64_t checksum = 0;
      for (int again = 0; again < 2; ++again) {
        const auto network = make(model(), graph);
        Dialogue dialogue(graph, *network, 30, 3);
        EXPECT_GT(dialogue.run(), 0);
        ASSERT_EQ(dialogue.answers, 30 * graph.endpoints().size())
            << describe_waits(graph, network->waits(), 10);
        EXPECT_EQ(network->packets_inside(), 0u);
        EXPECT_TRUE(network->waits().empty());
        if (again == 1) {
          EXPECT_EQ(dialogue.checksum, checksum);
        }
        checksum = dialogue.checksum;
      }
    }
}

TEST_P(Networks, CountEachFlitOnEveryLinkOfItsWay) {
  const auto graph = nodes(parameters());
  const auto network = make(model(), graph);
  Dialogue dialogue(graph, *network, 20, 5);
  dialogue.run();
  std::uint64_t in = 0, out = 0, between = 0, expected = 0, expected_between = 0;
  for (std::uint32_t i = 0; i < graph.links().size(); ++i) {
    const auto flits = network->counters(i).flits;
    const auto kind = graph.links()[i].kind;
    (kind == Link::Kind::inject ? in : kind == Link::Kind::eject ? out : between) += flits;
  }
  const RouteFunction routes(graph);
  for (const auto& m : dialogue.messages) {
    expected += m.flits;
    expected_between += m.flits * (routes.routers_between(m.source, m.destination) - 1);
  }
  EXPECT_EQ(in, expected);
  EXPECT_EQ(out, expected);
  EXPECT_EQ(between, expected_between) << "all routes are minimal";
}

class Models : public testing::TestWithParam<Model> {};
std::string model_name(const testing::TestParamInfo<Model>& which) {
  return which.param == Model::flit ? "flit" : "packet";
}
INSTANTIATE_TEST_SUITE_P(Both, Models, testing::Values(Model::packet, Model::flit), model_name);

TEST_P(Models, NameWhatAStalledNetworkWaitsFor) {
  auto p = small();
  p.buffer_flits = 2;
  const auto graph = nodes(p);
  const auto network = make(GetParam(), graph);
  std::deque<Packet> packets;
  for (unsigned i = 0; i < 10; ++i)
    for (std::uint32_t source = 0; source < 5; ++source) {
      auto& packet = packets.emplace_back();
      packet.source = source, packet.destination = 19, packet.flits = 4;
      network->inject(packet);
    }
  std::vector<NetworkEvent> events;
  std::int64_t now = 0;
  while (now < 100'000) {
    const auto next = network->advance(now, events);
    if (next >= Network::never) break;
    now = std::max(next, now + 1);
  }
  ASSERT_LT(now, 100'000) << "nothing is released, so nothing moves at last";
  const auto waits = network->waits();
  ASSERT_FALSE(waits.empty());
  const auto text = describe_waits(graph, waits, 100);
  EXPECT_NE(text.find("(4,3)->node19"), std::string::npos) << text;
  EXPECT_EQ(text.find("cyclic"), std::string::npos) << text;
}

TEST_P(Models, NameCyclesOfPacketsThatWaitForOneAnother) {
  // A request's endpoint answers on the only virtual network before it takes the request: full of requests,
  // nothing moves.
  auto p = small();
  p.columns = 2, p.rows = 1;
  p.virtual_networks = 1, p.virtual_channels = 1, p.buffer_flits = 1;
  const auto graph = nodes(p);
  Packet a, b, c;
  a.source = 0, a.destination = 1;
  b = a;
  const std::vector<Wait> waits = {{&a, 0, 1, &b}, {&b, 1, 0, &c}, {&c, 0, 0, &b}};
  const auto text = describe_waits(graph, waits, 10);
  EXPECT_NE(text.find("cyclic wait"), std::string::npos) << text;
}

TEST_P(Models, LetHigherClassesPass) {
  auto p = small();
  p.priorities = 2;
  const auto graph = nodes(p);
  const auto network = make(GetParam(), graph);
  std::deque<Packet> packets;
  std::mt19937 random(1);
  for (unsigned i = 0; i < 40; ++i)
    for (std::uint32_t source = 0; source < 19; ++source) {
      auto& packet = packets.emplace_back();
      packet.source = source, packet.destination = 19, packet.flits = 4;
      packet.priority = static_cast<std::uint8_t>(random() % 10 == 0);
      network->inject(packet);
    }
  std::vector<NetworkEvent> events;
  double sum[2] = {}, count[2] = {};
  std::size_t seen = 0;
  for (std::int64_t now = 0; now < 100'000;) {
    auto next = network->advance(now, events);
    std::stable_sort(events.begin() + static_cast<std::ptrdiff_t>(seen), events.end(),
                     [](const auto& a, const auto& b) { return a.cycle < b.cycle; });
    for (; seen < events.size() && events[seen].cycle <= now; ++seen)
      if (events[seen].what == NetworkEvent::What::delivered) {
        auto& packet = *events[seen].packet;
        sum[packet.priority] += static_cast<double>(events[seen].cycle), ++count[packet.priority];
        next = std::min(next, network->release(packet, now));
      }
    if (seen < events.size()) next = std::min(next, events[seen].cycle);
    if (next >= Network::never) break;
    now = std::max(next, now + 1);
  }
  ASSERT_EQ(count[0] + count[1], static_cast<double>(packets.size()));
  EXPECT_LT(sum[1] / count[1], 0.4 * sum[0] / count[0]);
}

TEST_P(Models, RecordLinksOverTimeAndWhoBlockedWhom) {
  auto p = small();
  p.columns = 4, p.rows = 1;
  const auto graph = nodes(p);
  const auto plain = make(GetParam(), graph), recorded = make(GetParam(), graph);
  recorded->record(100);
  OneWayTraffic traffic;
  traffic.pattern = TrafficPattern::hotspot;
  traffic.flits = 0.9, traffic.packet_flits = 5;
  traffic.warm_up = 0, traffic.measure = 2000;
  const auto a = run_one_way(graph, *plain, traffic), b = run_one_way(graph, *recorded, traffic);
  EXPECT_EQ(a.latency, b.latency) << "recording changes nothing";
  EXPECT_TRUE(plain->bins(0).empty());
  EXPECT_TRUE(plain->blames().empty());
  std::uint64_t waited = 0;
  for (std::uint32_t i = 0; i < graph.links().size(); ++i) {
    std::uint64_t flits = 0, waiting = 0;
    for (const auto& bin : recorded->bins(i)) {
      flits += bin.flits, waiting += bin.waiting;
      EXPECT_LE(bin.flits, 105u) << "the flits of a packet may be counted where the first of them moves";
    }
    EXPECT_EQ(flits, recorded->counters(i).flits);
    EXPECT_EQ(waiting, recorded->counters(i).waited_cycles);
    EXPECT_EQ(flits, plain->counters(i).flits);
    waited += waiting;
  }
  EXPECT_GT(waited, 0u);
  const auto blames = recorded->blames();
  ASSERT_FALSE(blames.empty());
  bool named = false;
  for (const auto& blame : blames)
    named = named || (graph.links()[blame.link].name == "(2,0)->(1,0)" && blame.behind != none &&
                      graph.links()[blame.behind].name == "(1,0)->(0,0)");
  EXPECT_TRUE(named) << "packets behind the hot spot's neighbour wait for the link to it";
}

TEST(NocParameters, AreChecked) {
  const auto refuses = [](void (*set)(NocParameters&)) {
    NocParameters p;
    set(p);
    EXPECT_THROW(Graph{p}, std::invalid_argument);
  };
  refuses([](auto& p) { p.columns = 65; });
  refuses([](auto& p) { p.buffer_flits = 0; });
  refuses([](auto& p) { p.topology = Topology::ring; });
  refuses([](auto& p) { p.routing = Routing::o1turn; });
  refuses(
      [](auto& p) { p.topology = Topology::torus, p.virtual_channels = 2, p.routing = Routing::west_first; });
  refuses([](auto& p) { p.sw_alloc_delay = 0; });
}

TEST(NocGraph, ReachesAnySizeTo64By64) {
  for (const auto& shape : shapes) {
    auto p = small();
    shape.set(p);
    p.columns = p.rows = 64;
    if (p.topology == Topology::crossbar) p.columns = p.rows = 16;
    const auto graph = nodes(p);
    const auto network = make_flit_network(graph);
    const auto last = static_cast<std::uint32_t>(graph.endpoints().size() - 1);
    Packet packet;
    packet.source = 0, packet.destination = last, packet.flits = 3;
    EXPECT_EQ(alone(*network, packet), zero_load_cycles(graph, 0, last, 3)) << shape.name;
  }
}

}  // namespace
