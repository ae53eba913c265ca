// SPDX-License-Identifier: Apache-2.0
/// Construction of the packet model from a graph, and the choice of its kind.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "ip/noc/packet/engine.hpp"

namespace forerun::ip::noc {
namespace {

unsigned most_ports(const Graph& graph) {
  std::size_t most = 1;
  for (const auto& router : graph.routers())
    most = std::max({most, router.inputs.size(), router.outputs.size()});
  return static_cast<unsigned>(most);
}

std::uint32_t bits_for(std::uint32_t count) { return static_cast<std::uint32_t>(std::bit_width(count - 1)); }

/// The output port depends on router and destination alone, and a table of it is not too large.
bool has_table(const Graph& graph) {
  const auto& p = graph.parameters();
  const bool grid = p.topology == Topology::mesh || p.topology == Topology::concentrated_mesh ||
                    p.topology == Topology::crossbar;
  return grid && p.routing == Routing::dimension_order && most_ports(graph) <= 256 &&
         graph.routers().size() * graph.endpoints().size() <= (1u << 24);
}

/// All that is decided for a packet at a router without load is decided in one cycle.
bool decides_at_once(const NocParameters& p) {
  return p.priorities == 1 && !p.speculative && p.vc_alloc_delay == 1 && p.sw_alloc_delay == 1 &&
         p.routing_delay == 0;
}

bool is_plain(const Graph& graph) {
  const auto& p = graph.parameters();
  return decides_at_once(p) && p.switching == Switching::wormhole && has_table(graph) &&
         std::all_of(graph.links().begin(), graph.links().end(),
                     [](const Link& l) { return l.interval <= 1024; });
}

}  // namespace

template <class Matching, bool plain>
PacketEngine<Matching, plain>::PacketEngine(const Graph& graph, PacketTurns turns)
    : graph_(graph),
      route_(graph),
      router_count_(static_cast<std::uint32_t>(graph.routers().size())),
      endpoints_(static_cast<std::uint32_t>(graph.endpoints().size())),
      shift_(bits_for(graph.parameters().total_vcs())),
      row_(bits_for(most_ports(graph)) + shift_),
      vcs_(graph.parameters().total_vcs()),
      classes_(graph.parameters().priorities),
      networks_(graph.parameters().virtual_networks),
      words_(((1u << row_) + 63) / 64),
      port_words_(((1u << (row_ - shift_)) + 63) / 64),
      depth_(std::min(graph.parameters().buffer_flits, 0xffffu)),
      routing_delay_(graph.parameters().routing_delay),
      vc_delay_(graph.parameters().vc_alloc_delay),
      sw_delay_(graph.parameters().sw_alloc_delay),
      ahead_(graph.parameters().router_latency() - routing_delay_ - graph.parameters().switch_delay - 1),
      turns_(turns),
      cut_through_(graph.parameters().switching == Switching::virtual_cut_through),
      speculative_(graph.parameters().speculative),
      passes_(decides_at_once(graph.parameters()) && turns.alone > 1),
      matching_(router_count_, classes_ + (speculative_ ? 1 : 0), most_ports(graph)) {
  const auto& p = graph.parameters();
  const auto slots = std::uint64_t{router_count_} << row_, ends = std::uint64_t{endpoints_} << shift_;
  if (most_ports(graph) > Matching::max_ports || vcs_ > Matching::max_channels || slots + ends >= none)
    throw std::invalid_argument(
        fmt::format("noc: {} routers with {} ports of {} virtual channels are too many", router_count_,
                    most_ports(graph), vcs_));
  const auto all = static_cast<Channels>((std::uint64_t{1} << vcs_) - 1);
  for (std::uint32_t n = 0; n < networks_; ++n) channels_of_[n] = static_cast<Channels>(route_.inject_vcs(n));
  inject_outputs_ = static_cast<std::uint32_t>(slots);
  inputs_.resize(slots);
  outputs_.resize(slots + ends);
  for (auto& output : outputs_) output.credits = static_cast<std::uint16_t>(depth_);
  behind_.resize(slots);
  if (!plain) bidders_.resize(slots);
  ports_.resize(slots >> shift_);
  links_.resize(ports_.size(), none);
  for (auto& port : ports_) port.free = all;
  waiting_.resize(ports_.size() * words_);
  bidding_.resize(std::size_t{router_count_} * port_words_);
  stuck_.resize(bidding_.size());
  active_.resize((router_count_ + 63) / 64);
  allocating_.resize(active_.size());
  sending_.resize((endpoints_ + 63) / 64);
  sources_.resize(std::size_t{endpoints_} * networks_ * classes_);
  senders_.resize(endpoints_);
  sinks_.resize(std::size_t{endpoints_} * networks_);
  for (std::uint32_t e = 0; e < endpoints_; ++e)
    for (std::uint32_t n = 0; n < networks_; ++n)
      sinks_[std::size_t{e} * networks_ + n].delay =
          graph.links()[graph.endpoints()[e].eject].latency + 1 + p.credit_delay;
  for (std::uint32_t v = 0; v < vcs_; ++v) network_of_.push_back(v / (vcs_ / networks_));
  untaken_.resize(ends);
  granted_.resize(std::size_t{1} << row_);
  counters_.resize(graph.links().size());
  waited_.resize(graph.links().size());
  stalls_.resize(graph.links().size());

  std::uint32_t longest = std::max({routing_delay_ + 1, vc_delay_ + sw_delay_, 8u});
  for (const auto& link : graph.links()) {
    paces_.emplace_back(link.interval);
    longest = std::max(longest, link.interval / 1024 + 1);
  }
  const auto id = [&](std::uint32_t router, std::uint32_t port) { return router << row_ | port << shift_; };
  for (std::uint32_t r = 0; r < router_count_; ++r) {
    const auto& ports = graph.routers()[r];
    for (std::uint32_t i = 0; i < ports.inputs.size(); ++i) {
      const auto& link = graph.links()[ports.inputs[i]];
      auto& from = port(id(r, i));
      const bool inject = link.kind == Link::Kind::inject;
      from.credits_to = inject ? inject_outputs_ + (link.endpoint << shift_) : id(link.from, link.from_port);
      from.credit_delay = static_cast<std::uint16_t>(link.latency + 1 + (inject ? 0 : p.credit_delay));
      longest = std::max(longest, std::uint32_t{from.credit_delay});
      if (!inject) continue;
      auto& sender = senders_[link.endpoint];
      sender.link = ports.inputs[i];
      sender.to = id(r, i);
      sender.delay = link.latency + 1;
      sender.paced = link.interval > 1024;
      sender.free = all;
    }
    for (std::uint32_t o = 0; o < ports.outputs.size(); ++o) {
      const auto& link = graph.links()[ports.outputs[o]];
      auto& to = port(id(r, o));
      links_[id(r, o) >> shift_] = ports.outputs[o];
      to.ejects = link.kind == Link::Kind::eject;
      to.paced = link.interval > 1024;
      to.flits_to = to.ejects ? link.endpoint : id(link.to, link.to_port);
      to.flit_delay = static_cast<std::uint16_t>(p.switch_delay + link.latency + 1);
      longest = std::max({longest, std::uint32_t{to.flit_delay}, link.latency + 1 + p.credit_delay});
    }
  }
  ring_ = std::bit_ceil(std::size_t{longest} + 2);
  calendar_.resize(ring_--);

  by_table_ = has_table(graph);
  if (!by_table_) return;
  table_.resize(std::size_t{router_count_} * endpoints_);
  Candidates ways;
  for (std::uint32_t r = 0; r < router_count_; ++r)
    for (std::uint32_t e = 0; e < endpoints_; ++e) {
      route_.route(r, e, e, 0, 0, ways);
      table_[std::size_t{r} * endpoints_ + e] =
          static_cast<std::uint8_t>(graph.links()[ways[0].link].from_port);
    }
}

template class PacketEngine<ByteMatching<true>, true>;
template class PacketEngine<ByteMatching<false>, false>;
template class PacketEngine<WordMatching, false>;

std::unique_ptr<Network> make_packet_network(const Graph& graph, PacketTurns turns) {
  using Byte = ByteMatching<true>;
  const auto& p = graph.parameters();
  if (most_ports(graph) > Byte::max_ports || p.total_vcs() > Byte::max_channels)
    return std::make_unique<PacketEngine<WordMatching, false>>(graph, turns);
  if (is_plain(graph)) return std::make_unique<PacketEngine<Byte, true>>(graph, turns);
  return std::make_unique<PacketEngine<ByteMatching<false>, false>>(graph, turns);
}

std::unique_ptr<Network> make_packet_network(const Graph& graph) {
  return make_packet_network(graph, PacketTurns{});
}

}  // namespace forerun::ip::noc
