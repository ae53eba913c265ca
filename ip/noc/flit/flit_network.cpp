// SPDX-License-Identifier: Apache-2.0
#include "ip/noc/flit/flit_network.hpp"

#include <algorithm>
#include <tuple>

#include "ip/noc/flit/flit_helpers.hpp"

namespace forerun::ip::noc {

std::unique_ptr<Network> make_flit_network(const Graph& graph) {
  return std::make_unique<FlitNetwork>(graph);
}

FlitNetwork::FlitNetwork(const Graph& graph)
    : graph_(graph),
      parameters_(graph.parameters()),
      routes_(graph),
      channels_(parameters_.total_vcs()),
      shortest_(parameters_.router_latency() - parameters_.switch_delay),
      sources_of_endpoint_(parameters_.virtual_networks * parameters_.priorities) {
  const auto& links = graph.links();
  const auto& endpoints = graph.endpoints();
  channel_.resize(links.size() * channels_);
  outgoing_.resize(links.size() * channels_);
  for (auto& o : outgoing_) o.credits = parameters_.buffer_flits;
  ports_.resize(links.size());
  std::size_t longest = parameters_.routing_delay;
  for (std::size_t i = 0; i < links.size(); ++i) {
    auto& port = ports_[i];
    const auto& link = links[i];
    port.router = link.to, port.to_port = link.to_port, port.from_port = link.from_port,
    port.latency = link.latency;
    port.free = (channels_ == 32 ? ~std::uint32_t{0} : (std::uint32_t{1} << channels_) - 1);
    port.slow = link.interval != 1024;
    port.eject = link.kind == Link::Kind::eject, port.inject = link.kind == Link::Kind::inject;
    paces_.emplace_back(link.interval);
    longest = std::max<std::size_t>(
        longest, link.latency + 1 + std::max(parameters_.switch_delay, parameters_.credit_delay));
  }
  for (const auto& ports : graph.routers()) {
    Router router;
    router.inputs = static_cast<std::uint32_t>(ports.inputs.size());
    router.outputs = static_cast<std::uint32_t>(ports.outputs.size());
    router.first_input = static_cast<std::uint32_t>(input_links_.size());
    input_links_.insert(input_links_.end(), ports.inputs.begin(), ports.inputs.end());
    router.words = (router.inputs + 63) / 64;
    router.first_word = static_cast<std::uint32_t>(allocating_.size());
    allocating_.resize(allocating_.size() + router.words);
    routers_.push_back(std::move(router));
  }
  switching_.resize(allocating_.size());
  active_routers_.resize((routers_.size() + 63) / 64);
  active_endpoints_.resize((endpoints.size() + 63) / 64);
  sources_.resize(endpoints.size() * sources_of_endpoint_);
  drawn_.resize(endpoints.size());
  turn_.resize(endpoints.size());
  waiting_.resize(endpoints.size());
  held_.resize(endpoints.size() * parameters_.virtual_networks);
  partial_.assign(channel_.size(), none);
  wheel_.resize(std::bit_ceil(longest + 2));
  wheel_mask_ = wheel_.size() - 1;
  counters_.resize(links.size());
}

std::int64_t FlitNetwork::next_cycle() const {
  for (const auto word : active_routers_)
    if (word != 0) return last_ + 1;
  for (const auto word : active_endpoints_)
    if (word != 0) return last_ + 1;
  auto next = never;
  if (scheduled_ > 0)
    for (next = last_ + 1; wheel_[static_cast<std::size_t>(next) & wheel_mask_].empty();) ++next;
  if (!wakes_.empty()) next = std::min(next, std::max(wakes_.top().first, last_ + 1));
  return next;
}

std::int64_t FlitNetwork::advance(std::int64_t now, std::vector<NetworkEvent>& events) {
  auto next = next_cycle();
  for (; next <= now; next = next_cycle()) cycle(next, events);
  last_ = std::max(last_, now);
  return std::max(next, last_ + 1);
}

void FlitNetwork::cycle(std::int64_t now, std::vector<NetworkEvent>& events) {
  last_ = now;
  events_ = &events;
  auto& bucket = wheel_[static_cast<std::size_t>(now) & wheel_mask_];
  scheduled_ -= bucket.arrivals.size() + bucket.credits.size() + bucket.routed.size();
  for (const auto channel : bucket.credits) credit(channel);
  bucket.credits.clear();
  for (const auto channel : bucket.routed) start_allocating(channel);
  bucket.routed.clear();
  for (std::size_t i = 0; i < bucket.arrivals.size(); ++i) arrive(bucket.arrivals[i]);
  bucket.arrivals.clear();
  for (; !wakes_.empty() && wakes_.top().first <= now; wakes_.pop()) activate_endpoint(wakes_.top().second);
  for (std::uint32_t word = 0; word < active_endpoints_.size(); ++word)
    for (auto bits = active_endpoints_[word]; bits != 0; bits &= bits - 1)
      send_from(word * 64 + lowest(bits), events);
  for (std::uint32_t word = 0; word < active_routers_.size(); ++word)
    for (auto bits = active_routers_[word]; bits != 0; bits &= bits - 1) step(word * 64 + lowest(bits));
}

void FlitNetwork::arrive(const Arrival& arrival) {
  const auto slot = arrival.packet & packet_bits;
  const auto link = arrival.channel / channels_;
  if (ports_[link].eject) return eject(arrival.channel, slot, (arrival.packet & tail_bit) != 0);
  auto& channel = channel_[arrival.channel];
  ++channel.occupancy;
  if ((arrival.packet & head_bit) != 0) {
    if (channel.state == State::idle)
      come_to_front(arrival.channel, slot, last_);
    else
      append(channel.first, channel.last, slot);
  } else if (channel.state == State::active && channel.occupancy == 1) {
    set_switching(arrival.channel);
  }
}

void FlitNetwork::credit(std::uint32_t index) {
  auto& out = outgoing_[index];
  const auto link = index / channels_;
  const auto& port = ports_[link];
  ++out.credits;
  if (port.inject) {
    if (waiting_[graph_.links()[link].endpoint] > 0) activate_endpoint(graph_.links()[link].endpoint);
    return;
  }
  if (out.owner == none) {
    if (parameters_.switching == Switching::virtual_cut_through)
      wake_sleepers(routers_[graph_.links()[link].from], last_);
    return;
  }
  auto& channel = channel_[out.owner];
  if (channel.state != State::active || channel.out != index || !channel.blocked) return;
  unblock(channel);
  // It asks again in the rhythm in which it would have asked all the time.
  const auto next = next_try(channel.tried, parameters_.sw_alloc_delay, last_);
  if (next == last_)
    set_switching(out.owner);
  else
    postpone(routers_[ports_[out.owner / channels_].router].switches, next - 1, out.owner);
}

/// The head of a packet is the next flit of a channel, and may be worked on from cycle `from`.
void FlitNetwork::come_to_front(std::uint32_t index, std::uint32_t slot, std::int64_t from) {
  auto& channel = channel_[index];
  const auto& info = packets_[slot];
  channel.front = slot;
  channel.sent = 0;
  channel.priority = info.priority;
  channel.since = from;
  Candidates ways;
  const auto count = routes_.route(ports_[index / channels_].router, info.source, info.destination,
                                   info.network, info.drawn, ways);
  channel.out_link = ways[0].link;
  channel.allowed = ways[0].vcs;
  channel.other_link = count > 1 ? ways[1].link : none;
  if (parameters_.routing_delay == 0) return start_allocating(index);
  channel.state = State::routing;
  at(from + parameters_.routing_delay).routed.push_back(index);
}

void FlitNetwork::start_allocating(std::uint32_t index) {
  channel_[index].state = State::allocating;
  set_allocating(index);
  if (parameters_.speculative) set_switching(index);
}

}  // namespace forerun::ip::noc
