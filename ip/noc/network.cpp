// SPDX-License-Identifier: Apache-2.0
#include "ip/noc/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "ip/noc/routing.hpp"

namespace forerun::ip::noc {

std::int64_t zero_load_cycles(const Graph& graph, std::uint32_t source, std::uint32_t destination,
                              std::uint32_t flits) {
  const auto& p = graph.parameters();
  const auto &from = graph.links()[graph.endpoints()[source].inject],
             &to = graph.links()[graph.endpoints()[destination].eject];
  const std::int64_t routers = RouteFunction(graph).routers_between(source, destination);
  const auto head =
      1 + from.latency + routers * p.router_latency() + (routers - 1) * p.link_latency + to.latency;
  // Flits follow at the pace of the slowest: the switch allocator of a virtual channel, or the endpoints'
  // links.
  FlitPace in(from.interval), out(to.interval);
  std::int64_t entered = 0, left = 0;
  for (std::uint32_t i = 0; i < flits; ++i) {
    if (i > 0) entered = in.next(entered + 1);
    left = out.next(std::max(entered, i == 0 ? 0 : left + p.sw_alloc_delay));
    in.take(entered), out.take(left);
  }
  return head + left;
}

std::string describe_waits(const Graph& graph, const std::vector<Wait>& waits, std::size_t limit) {
  const auto name = [&](const Packet& packet) {
    const auto& e = graph.endpoints();
    return fmt::format("{} {}->{} of {} flits", packet.network == 0 ? "request" : "response",
                       e[packet.source].name, e[packet.destination].name, packet.flits);
  };
  std::string text;
  std::size_t lines = 0;
  std::unordered_map<const Packet*, const Wait*> of;
  for (const auto& wait : waits) {
    of.emplace(wait.packet, &wait);
    if (lines++ >= limit) continue;
    const auto& links = graph.links();
    const auto place =
        links[wait.at].kind == Link::Kind::inject && wait.wants == wait.at ? "in its source queue" : "behind";
    text += fmt::format("{} waits {} {}", name(*wait.packet), place, links[wait.at].name);
    text += wait.wants == none ? std::string(" for its endpoint to take it")
                               : fmt::format(" for {}", links[wait.wants].name);
    if (wait.holder != nullptr) text += fmt::format(", held by {}", name(*wait.holder));
    text += '\n';
  }
  if (lines > limit) text += fmt::format("and {} more\n", lines - limit);
  // Each packet waits for at most one other: follow the chain from each until it meets itself or one seen
  // before.
  std::unordered_map<const Packet*, std::size_t> seen;
  for (std::size_t start = 0; start < waits.size(); ++start) {
    const auto* at = &waits[start];
    std::vector<const Packet*> chain;
    while (at != nullptr && seen.emplace(at->packet, start).second) {
      chain.push_back(at->packet);
      const auto next = of.find(at->holder);
      at = next == of.end() ? nullptr : next->second;
    }
    if (at == nullptr || seen[at->packet] != start) continue;
    text += "cyclic wait:\n";
    for (auto i = std::find(chain.begin(), chain.end(), at->packet); i != chain.end(); ++i)
      text += fmt::format("  {} waits for\n", name(**i));
    text += fmt::format("  {}\n", name(*at->packet));
  }
  return text;
}

}  // namespace forerun::ip::noc
