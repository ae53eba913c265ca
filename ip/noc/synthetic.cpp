// SPDX-License-Identifier: Apache-2.0
#include "ip/noc/synthetic.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <random>

namespace forerun::ip::noc {
namespace {

class Driver {
 public:
  Driver(const Graph& graph, Network& network, const SyntheticTraffic& traffic)
      : graph_(graph),
        network_(network),
        traffic_(traffic),
        random_(traffic.seed),
        nodes_(static_cast<std::uint32_t>(graph.endpoints().size())),
        turn_(nodes_) {
    for (std::uint32_t node = 0; node < nodes_; ++node) turn_[node] = node;
    // Births of each node are drawn ahead: geometric distances are Bernoulli trials.
    rate_ = traffic.flits / traffic.packet_flits;
    births_.resize(nodes_);
    for (auto& birth : births_) birth = distance() - 1;
  }

  SyntheticResult run() {
    const auto end = traffic_.warm_up + traffic_.measure;
    std::int64_t now = 0, called = 0;
    for (; now < end || (open_ > 0 && now < end + traffic_.patience); ++now) {
      for (std::uint32_t node = 0; node < nodes_; ++node)
        if (births_[node] == now) {
          start(node, now);
          births_[node] += distance();
          called = now;
        }
      if (called > now) continue;
      events_.clear();
      called = network_.advance(now, events_);
      for (const auto& event : events_) handle(event, now);
      if (!late_.empty()) called = std::min(called, settle(now));
    }
    result_.cycles = now;
    result_.complete = open_ == 0;
    const auto n = static_cast<double>(std::max<std::uint64_t>(result_.packets, 1));
    result_.latency = sum_ / n;
    result_.network_latency = network_sum_ / n;
    result_.accepted = static_cast<double>(accepted_) / static_cast<double>(traffic_.measure) / nodes_;
    return result_;
  }

 private:
  struct Flying : Packet {
    std::int64_t tail_left = 0;
  };

  std::int64_t distance() {
    if (rate_ >= 1) return 1;
    if (rate_ <= 0) return Network::never;
    const auto u = static_cast<double>((random_() >> 11) + 1) * 0x1p-53;
    return 1 + static_cast<std::int64_t>(std::floor(std::log(u) / std::log1p(-rate_)));
  }

  std::uint32_t destination(std::uint32_t node) {
    const auto columns = graph_.parameters().columns, rows = nodes_ / columns;
    const auto x = node % columns, y = node / columns;
    const auto any = [&] { return static_cast<std::uint32_t>((random_() >> 32) * nodes_ >> 32); };
    switch (traffic_.pattern) {
      case Pattern::tornado:
        return (y + (rows + 1) / 2 - 1) % rows * columns + (x + (columns + 1) / 2 - 1) % columns;
      case Pattern::transpose:
        return x * columns + y;
      case Pattern::bit_complement:
        return nodes_ - 1 - node;
      case Pattern::neighbour:
        return (y + 1) % rows * columns + (x + 1) % columns;
      case Pattern::hotspot:
        return (random_() & 1) != 0 ? 0 : any();
      case Pattern::all_to_all:
        return turn_[node] = (turn_[node] + 1) % nodes_;
      default:
        return any();
    }
  }

  void start(std::uint32_t node, std::int64_t now) {
    if (free_.empty()) {
      packets_.emplace_back();
      free_.push_back(&packets_.back());
    }
    auto& packet = *free_.back();
    free_.pop_back();
    packet.source = node;
    packet.destination = destination(node);
    packet.flits = traffic_.packet_flits;
    packet.born = now;
    if (measured(packet)) ++open_;
    network_.inject(packet);
  }

  bool measured(const Packet& packet) const {
    return packet.born >= traffic_.warm_up && packet.born < traffic_.warm_up + traffic_.measure;
  }

  void handle(const NetworkEvent& event, std::int64_t now) {
    auto& packet = static_cast<Flying&>(*event.packet);
    if (event.what == NetworkEvent::What::injected) {
      packet.tail_left = event.cycle;
      return;
    }
    if (event.cycle >= traffic_.warm_up && event.cycle < traffic_.warm_up + traffic_.measure)
      accepted_ += packet.flits;
    if (measured(packet)) {
      --open_;
      const auto latency = event.cycle - packet.born;
      sum_ += static_cast<double>(latency);
      network_sum_ += static_cast<double>(event.cycle - packet.tail_left + packet.flits - 1);
      result_.least = result_.packets == 0 ? latency : std::min(result_.least, latency);
      result_.most = std::max(result_.most, latency);
      ++result_.packets;
    }
    late_.push_back({event.cycle, &packet});
    std::push_heap(late_.begin(), late_.end(), later);
    (void)now;
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
  using Late = std::pair<std::int64_t, Flying*>;
  static bool later(const Late& a, const Late& b) { return a.first > b.first; }

  const Graph& graph_;
  Network& network_;
  const SyntheticTraffic traffic_;
  std::mt19937_64 random_;
  std::uint32_t nodes_;
  double rate_ = 0;
  std::vector<std::uint32_t> turn_;
  std::vector<std::int64_t> births_;
  std::deque<Flying> packets_;
  std::vector<Flying*> free_;
  std::vector<NetworkEvent> events_;
  std::vector<Late> late_;
  SyntheticResult result_;
  std::uint64_t open_ = 0, accepted_ = 0;
  double sum_ = 0, network_sum_ = 0;
};

}  // namespace

SyntheticResult run_synthetic(const Graph& graph, Network& network, const SyntheticTraffic& traffic) {
  return Driver(graph, network, traffic).run();
}

}  // namespace forerun::ip::noc
