// SPDX-License-Identifier: Apache-2.0
#include "tests/support/one_way_traffic.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <vector>

#include "ip/traffic/request_source.hpp"

namespace forerun::tests {
namespace {
using ip::noc::Network;
using ip::noc::NetworkEvent;
using ip::noc::Packet;

class Driver {
 public:
  Driver(const ip::noc::Graph& graph, Network& network, const OneWayTraffic& traffic)
      : network_(network), traffic_(traffic) {
    ip::TrafficParameters p;
    p.pattern = traffic.pattern;
    p.arrivals = ip::TrafficArrivals::bernoulli;
    p.clock = {1e12};  // a cycle a picosecond
    p.rate = traffic.flits / traffic.packet_flits;
    p.columns = graph.parameters().columns;
    p.hotspots = {0};
    for (std::uint32_t node = 0; node < graph.endpoints().size(); ++node) p.targets.push_back(node);
    for (std::uint32_t node = 0; node < graph.endpoints().size(); ++node) {
      p.self = node;
      p.seed = traffic.seed * 100'000 + node;
      sources_.push_back(ip::make_source(p));
      sources_.back()->next(next_.emplace_back());
    }
  }

  OneWayResult run() {
    const auto end = traffic_.warm_up + traffic_.measure;
    std::int64_t now = 0, called = 0;
    for (; now < end || (open_ > 0 && now < end + traffic_.patience); ++now) {
      for (std::uint32_t node = 0; node < next_.size(); ++node)
        if (next_[node].picoseconds == now) {
          start(node, now);
          sources_[node]->next(next_[node]);
          called = now;
        }
      if (called > now) continue;
      events_.clear();
      called = network_.advance(now, events_);
      for (const auto& event : events_) handle(event);
      if (!late_.empty()) called = std::min(called, settle(now));
    }
    result_.latency = sum_ / static_cast<double>(std::max<std::uint64_t>(result_.packets, 1));
    result_.accepted = static_cast<double>(accepted_) / static_cast<double>(traffic_.measure) /
                       static_cast<double>(next_.size());
    return result_;
  }

 private:
  void start(std::uint32_t node, std::int64_t now) {
    if (free_.empty()) free_.push_back(&packets_.emplace_back());
    auto& packet = *free_.back();
    free_.pop_back();
    packet.source = node;
    packet.destination = static_cast<std::uint32_t>(next_[node].address);
    packet.flits = traffic_.packet_flits;
    packet.born = now;
    if (measured(now)) ++open_;
    network_.inject(packet);
  }

  bool measured(std::int64_t cycle) const {
    return cycle >= traffic_.warm_up && cycle < traffic_.warm_up + traffic_.measure;
  }

  void handle(const NetworkEvent& event) {
    if (event.what == NetworkEvent::What::injected) return;
    auto& packet = *event.packet;
    if (measured(event.cycle)) accepted_ += packet.flits;
    if (measured(packet.born)) {
      --open_;
      ++result_.packets;
      sum_ += static_cast<double>(event.cycle - packet.born);
    }
    late_.push_back({event.cycle, &packet});
    std::push_heap(late_.begin(), late_.end(), later);
  }

  /// Releases what has arrived by now.
  std::int64_t settle(std::int64_t now) {
    auto next = Network::never;
    while (!late_.empty() && late_.front().first <= now) {
      auto* packet = late_.front().second;
      std::pop_heap(late_.begin(), late_.end(), later);
      late_.pop_back();
      next = std::min(next, network_.release(*packet, now));
      free_.push_back(packet);
    }
    return late_.empty() ? next : std::min(next, late_.front().first);
  }
  using Late = std::pair<std::int64_t, Packet*>;
  static constexpr auto later = [](const Late& a, const Late& b) { return a.first > b.first; };

  Network& network_;
  const OneWayTraffic traffic_;
  std::vector<std::unique_ptr<ip::RequestSource>> sources_;
  std::vector<ip::TrafficRequest> next_;  // of each node
  std::deque<Packet> packets_;
  std::vector<Packet*> free_;
  std::vector<NetworkEvent> events_;
  std::vector<Late> late_;
  OneWayResult result_;
  std::uint64_t open_ = 0, accepted_ = 0;
  double sum_ = 0;
};

}  // namespace

OneWayResult run_one_way(const ip::noc::Graph& graph, Network& network, const OneWayTraffic& traffic) {
  return Driver(graph, network, traffic).run();
}

}  // namespace forerun::tests
