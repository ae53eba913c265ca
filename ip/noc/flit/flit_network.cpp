// SPDX-License-Identifier: Apache-2.0
#include "ip/noc/flit/flit_network.hpp"

#include <algorithm>
#include <tuple>

namespace forerun::ip::noc {
namespace {
constexpr std::uint32_t head_bit = std::uint32_t{1} << 31, tail_bit = std::uint32_t{1} << 30;
constexpr std::uint32_t packet_bits = tail_bit - 1;
constexpr std::uint32_t failed = none;
constexpr std::uint32_t out_of_sight = none - 1;  // nobody to blame

/// Steps from a round-robin pointer to an index.
std::uint32_t steps(std::uint32_t index, std::uint32_t pointer, std::uint32_t size) {
  return index >= pointer ? index - pointer : index + size - pointer;
}
/// The first cycle of a rhythm at or after `from`.
std::int64_t next_try(std::int64_t tried, std::int64_t rhythm, std::int64_t from) {
  return tried >= from ? tried : tried + (from - tried + rhythm - 1) / rhythm * rhythm;
}
std::uint32_t after(std::uint32_t index, std::uint32_t size) { return index + 1 == size ? 0 : index + 1; }
/// The smallest key wins: class, then round robin.
std::uint64_t rank(std::uint8_t priority, std::uint32_t distance) {
  return static_cast<std::uint64_t>(255 - priority) << 32 | distance;
}
std::uint32_t lowest(std::uint32_t bits) { return static_cast<std::uint32_t>(std::countr_zero(bits)); }
std::uint32_t lowest(std::uint64_t bits) { return static_cast<std::uint32_t>(std::countr_zero(bits)); }
}  // namespace

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
  turn_.resize(endpoints.size());
  waiting_.resize(endpoints.size());
  held_.resize(endpoints.size() * parameters_.virtual_networks);
  partial_.assign(channel_.size(), none);
  wheel_.resize(std::bit_ceil(longest + 2));
  wheel_mask_ = wheel_.size() - 1;
  counters_.resize(links.size());
}

// ---------------------------------------------------------------------------------------------------------------------
// In and out

void FlitNetwork::append(std::uint32_t& first, std::uint32_t& last, std::uint32_t packet) {
  std::uint32_t node = free_nodes_;
  if (node == none) {
    node = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back();
  } else {
    free_nodes_ = nodes_[node].next;
  }
  nodes_[node] = {packet, none};
  (first == none ? first : nodes_[last].next) = node;
  last = node;
}

std::uint32_t FlitNetwork::take_first(std::uint32_t& first, std::uint32_t& last) {
  const auto node = first, packet = nodes_[node].packet;
  first = nodes_[node].next;
  if (first == none) last = none;
  nodes_[node].next = free_nodes_;
  free_nodes_ = node;
  return packet;
}

void FlitNetwork::inject(Packet& packet) {
  std::uint32_t slot;
  if (free_packets_.empty()) {
    slot = static_cast<std::uint32_t>(packets_.size());
    packets_.emplace_back();
  } else {
    slot = free_packets_.back();
    free_packets_.pop_back();
  }
  packet.slot = slot;
  packet.drawn = routes_.draw(drawn_++);
  // With one virtual network requests and responses share it.
  const auto network =
      std::min<std::uint8_t>(packet.network, static_cast<std::uint8_t>(parameters_.virtual_networks - 1));
  const auto priority =
      std::min<std::uint8_t>(packet.priority, static_cast<std::uint8_t>(parameters_.priorities - 1));
  auto& info = packets_[slot];
  info = {};
  info.packet = &packet;
  info.flits = packet.flits;
  info.source = packet.source, info.destination = packet.destination;
  info.drawn = packet.drawn;
  info.network = network, info.priority = priority;
  auto& source = sources_[packet.source * sources_of_endpoint_ + network * parameters_.priorities + priority];
  append(source.first, source.last, slot);
  ++source.packets, ++waiting_[packet.source], ++inside_;
  if (packet.born <= last_ + 1)
    activate_endpoint(packet.source);
  else
    wakes_.emplace(packet.born, packet.source);
}

void FlitNetwork::send_from(std::uint32_t endpoint, std::vector<NetworkEvent>& events) {
  const auto link = graph_.endpoints()[endpoint].inject;
  auto& pace = paces_[link];
  if (ports_[link].slow && pace.next(last_) > last_) return;  // stays active
  const auto networks = parameters_.virtual_networks, priorities = parameters_.priorities;
  for (unsigned priority = priorities; priority-- > 0;)
    for (unsigned i = 0; i < networks; ++i) {
      const auto network = (turn_[endpoint] + i) % networks;
      if (!send_from(endpoint, network * priorities + priority, events)) continue;
      turn_[endpoint] = network + 1;
      if (ports_[link].slow) pace.take(last_);
      if (waiting_[endpoint] > 0) return;
      active_endpoints_[endpoint >> 6] &= ~(std::uint64_t{1} << (endpoint & 63));
      return;
    }
  // Nothing can go until a credit comes back or another packet is born.
  active_endpoints_[endpoint >> 6] &= ~(std::uint64_t{1} << (endpoint & 63));
}

bool FlitNetwork::send_from(std::uint32_t endpoint, std::uint32_t index, std::vector<NetworkEvent>& events) {
  auto& source = sources_[endpoint * sources_of_endpoint_ + index];
  if (source.first == none) return false;
  const auto slot = nodes_[source.first].packet;
  const auto& info = packets_[slot];
  const auto link = graph_.endpoints()[endpoint].inject;
  auto& port = ports_[link];
  if (source.sent == 0) {
    if (info.packet->born > last_) {
      wakes_.emplace(info.packet->born, endpoint);
      return false;
    }
    if (source.channel == none) {
      const auto count = parameters_.virtual_channels, start = info.network * count;
      const auto need =
          parameters_.switching == Switching::wormhole ? 1 : std::min(info.flits, parameters_.buffer_flits);
      for (unsigned i = 1; i <= count; ++i) {
        const auto vc =
            source.last_channel == none ? start + i - 1 : start + (source.last_channel - start + i) % count;
        if ((port.free >> vc & 1) == 0 || outgoing_[link * channels_ + vc].credits < need) continue;
        source.channel = source.last_channel = vc;
        break;
      }
      if (source.channel == none) return false;
      port.free &= ~(std::uint32_t{1} << source.channel);
    }
  }
  const auto channel = link * channels_ + source.channel;
  auto& out = outgoing_[channel];
  if (out.credits == 0) return false;
  --out.credits;
  ++counters_[link].flits;
  if (bin_cycles_ != 0) ++bin(link, last_).flits;
  auto bits = slot;
  if (source.sent == 0) {
    bits |= head_bit;
    ++counters_[link].packets;
    counters_[link].waited_cycles += static_cast<std::uint64_t>(last_ - info.packet->born);
    if (bin_cycles_ != 0) count_waiting(link, info.packet->born, last_);
  }
  if (++source.sent == info.flits) {
    bits |= tail_bit;
    port.free |= std::uint32_t{1} << source.channel;
    source.channel = none, source.sent = 0;
    take_first(source.first, source.last);
    --source.packets, --waiting_[endpoint];
    events.push_back({last_, NetworkEvent::What::injected, info.packet});
  }
  at(last_ + 1 + port.latency).arrivals.push_back({channel, bits});
  return true;
}

void FlitNetwork::eject(std::uint32_t channel, std::uint32_t slot, bool tail) {
  auto& info = packets_[slot];
  const auto link = channel / channels_;
  auto& held = held_[info.destination * parameters_.virtual_networks + info.network];
  partial_[channel] = tail ? none : slot;
  info.channel = channel;
  if (held == 0 || info.released)
    at(last_ + 1 + ports_[link].latency + parameters_.credit_delay).credits.push_back(channel);
  else
    ++info.withheld;
  if (!tail) return;
  if (info.released) return forget(slot);
  held += info.flits;
  info.arrived = true;
}

void FlitNetwork::forget(std::uint32_t slot) {
  packets_[slot] = {};
  free_packets_.push_back(slot);
}

std::int64_t FlitNetwork::release(Packet& packet, std::int64_t now) {
  if (now > last_ + 1) last_ = now - 1;
  const auto slot = packet.slot;
  auto& info = packets_[slot];
  const auto link = graph_.endpoints()[info.destination].eject;
  const auto when = std::max(now, last_) + 1 + ports_[link].latency + parameters_.credit_delay;
  const auto give_back = [&](std::uint32_t other) {
    for (auto& n = packets_[other].withheld; n > 0; --n) at(when).credits.push_back(packets_[other].channel);
  };
  --inside_;
  packet.slot = none;
  give_back(slot);
  if (!info.arrived) {  // its tail arrives in the cycle `now`, which is not done yet
    info.released = true;
    info.packet = nullptr;
    return next_cycle();
  }
  auto& held = held_[info.destination * parameters_.virtual_networks + info.network];
  held -= info.flits;
  if (held == 0) {  // what is under way may come in again
    const auto first = link * channels_ + info.network * parameters_.virtual_channels;
    for (auto channel = first; channel < first + parameters_.virtual_channels; ++channel)
      if (partial_[channel] != none) give_back(partial_[channel]);
  }
  forget(slot);
  return next_cycle();
}

// ---------------------------------------------------------------------------------------------------------------------
// Time

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

// ---------------------------------------------------------------------------------------------------------------------
// A router in a cycle: requests and grants from the state before it, then what follows from them

void FlitNetwork::set_allocating(std::uint32_t index) {
  const auto link = index / channels_;
  auto& port = ports_[link];
  const auto& router = routers_[port.router];
  port.allocating |= std::uint32_t{1} << (index - link * channels_);
  allocating_[router.first_word + port.to_port / 64] |= std::uint64_t{1} << (port.to_port & 63);
  activate_router(port.router);
}

void FlitNetwork::set_switching(std::uint32_t index) {
  const auto link = index / channels_;
  auto& port = ports_[link];
  const auto& router = routers_[port.router];
  port.switching |= std::uint32_t{1} << (index - link * channels_);
  switching_[router.first_word + port.to_port / 64] |= std::uint64_t{1} << (port.to_port & 63);
  activate_router(port.router);
}

bool FlitNetwork::has_work(const Router& router) const {
  for (std::uint32_t word = router.first_word; word < router.first_word + router.words; ++word)
    if ((allocating_[word] | switching_[word]) != 0) return true;
  return !router.allocations.empty() || !router.switches.empty();
}

/// A packet for which no channel is open takes no part until one may be.
void FlitNetwork::sleep(Router& router, std::uint32_t index) {
  auto& port = ports_[index / channels_];
  const auto bit = std::uint32_t{1} << (index % channels_);
  port.allocating &= ~bit;
  if ((port.switching & bit) != 0) {
    port.switching &= ~bit;
    if (port.switching == 0)
      switching_[router.first_word + port.to_port / 64] &= ~(std::uint64_t{1} << (port.to_port & 63));
  }
  router.sleepers.push_back(index);
}

void FlitNetwork::wake_sleepers(Router& router, std::int64_t from) {
  for (const auto index : router.sleepers) {
    const auto next = next_try(channel_[index].tried, parameters_.vc_alloc_delay, from);
    if (next == from)
      set_allocating(index);
    else
      postpone(router.allocations, next - 1, index);
    if (parameters_.speculative) set_switching(index);
  }
  router.sleepers.clear();
}

/// Notes a try that fails at `time`.
void FlitNetwork::postpone(std::vector<Pending>& pending, std::int64_t time, std::uint32_t index) {
  const auto later = [](std::int64_t t, const Pending& p) { return t < p.time; };
  pending.insert(std::upper_bound(pending.begin(), pending.end(), time, later), {time, index, failed});
  activate_router(ports_[index / channels_].router);
}

void FlitNetwork::step(std::uint32_t number) {
  auto& router = routers_[number];
  got_.clear(), going_.clear(), fresh_.clear();
  allocate_channels(router);
  allocate_switch(router);
  for (const auto& [index, out] : got_) take_channel(index, out);
  for (const auto index : going_) send(index);
  for (const auto index : fresh_) set_switching(index);
  if (!has_work(router)) active_routers_[number >> 6] &= ~(std::uint64_t{1} << (number & 63));
}

bool FlitNetwork::room(std::uint32_t out, const Channel& channel) const {
  const auto credits = outgoing_[out].credits;
  if (parameters_.switching == Switching::wormhole) return true;  // a channel without credits may be taken
  return credits >= std::min(packets_[channel.front].flits, parameters_.buffer_flits);
}

/// Channels of a link that a packet may take now.
std::uint32_t FlitNetwork::open_channels(std::uint32_t link, const Channel& channel) const {
  auto open = ports_[link].free & channel.allowed;
  if (parameters_.switching == Switching::wormhole) return open;
  for (auto bits = open; bits != 0; bits &= bits - 1)
    if (!room(link * channels_ + lowest(bits), channel)) open &= ~(bits & -bits);
  return open;
}

/// Of two ways that with more credits in channels that can be had.
std::uint32_t FlitNetwork::best_link(const Channel& channel) const {
  if (channel.other_link == none) return channel.out_link;
  const auto credits = [&](std::uint32_t link) {
    std::uint32_t sum = 0;
    for (auto bits = open_channels(link, channel); bits != 0; bits &= bits - 1)
      sum += outgoing_[link * channels_ + lowest(bits)].credits + 1;
    return sum;
  };
  return credits(channel.other_link) > credits(channel.out_link) ? channel.other_link : channel.out_link;
}

void FlitNetwork::allocate_channels(Router& router) {
  ++stamp_;
  touched_.clear();
  const bool one_cycle = parameters_.vc_alloc_delay == 1;
  for (std::uint32_t word = 0; word < router.words; ++word)
    for (auto inputs = allocating_[router.first_word + word]; inputs != 0; inputs &= inputs - 1) {
      const auto position = word * 64 + lowest(inputs);
      const auto link = input_links_[router.first_input + position];
      for (auto bits = ports_[link].allocating; bits != 0; bits &= bits - 1) {
        const auto index = link * channels_ + lowest(bits);
        auto& channel = channel_[index];
        channel.won = false;
        channel.tried = last_;
        if (!request_channels(index, channel, router, position)) {
          sleep(router, index);
          continue;
        }
        if (!one_cycle) router.allocations.push_back({last_ + parameters_.vc_alloc_delay - 1, index, failed});
      }
      if (!one_cycle) ports_[link].allocating = 0;
      if (ports_[link].allocating == 0) allocating_[router.first_word + word] &= ~(inputs & -inputs);
    }

  // Each channel out has granted the best request; each packet accepts the first grant after its last.
  for (const auto out : touched_) {
    auto& channel = channel_[outgoing_[out].granted];
    const auto size = router.outputs * channels_;
    const auto distance = [&](std::uint32_t o) {
      return steps(ports_[o / channels_].from_port * channels_ + o % channels_, channel.accept_pointer, size);
    };
    if (!channel.won || distance(out) < distance(channel.out)) channel.out = out;
    channel.won = true;
  }
  for (const auto out : touched_) {
    const auto index = outgoing_[out].granted;
    auto& channel = channel_[index];
    if (channel.out != out) continue;
    const auto link = index / channels_;
    outgoing_[out].grant_pointer =
        after(ports_[link].to_port * channels_ + index % channels_, router.inputs * channels_);
    channel.accept_pointer =
        after(ports_[out / channels_].from_port * channels_ + out % channels_, router.outputs * channels_);
    if (one_cycle) {
      got_.emplace_back(index, out);
    } else {
      for (auto i = router.allocations.rbegin(); i != router.allocations.rend(); ++i)
        if (i->channel == index) {
          i->result = out;
          break;
        }
      channel.won = false, channel.out = none;
    }
  }
  if (one_cycle) return;
  auto& pending = router.allocations;
  std::size_t due = 0;
  for (; due < pending.size() && pending[due].time <= last_; ++due) {
    const auto [time, index, out] = pending[due];
    auto& channel = channel_[index];
    channel.out = none;
    if (out != failed && (ports_[out / channels_].free >> (out % channels_) & 1) != 0 && room(out, channel))
      got_.emplace_back(index, out);
    else
      got_.emplace_back(index, failed);
  }
  pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(due));
}

bool FlitNetwork::request_channels(std::uint32_t index, Channel& channel, const Router& router,
                                   std::uint32_t position) {
  const auto link = best_link(channel);
  const auto open = open_channels(link, channel);
  if (open == 0) {
    if (!channel.blocked) block(channel, link, link * channels_ + lowest(channel.allowed));
    return false;
  }
  if (channel.blocked) unblock(channel);
  const auto input = position * channels_ + index % channels_, size = router.inputs * channels_;
  for (auto bits = open; bits != 0; bits &= bits - 1) {
    const auto out = link * channels_ + lowest(bits);
    auto& o = outgoing_[out];
    const auto key = rank(channel.priority, steps(input, o.grant_pointer, size));
    if (o.stamp != stamp_) {
      o.stamp = stamp_;
      touched_.push_back(out);
    } else if (key >= o.key) {
      continue;
    }
    o.key = key;
    o.granted = index;
  }
  return true;
}
void FlitNetwork::take_channel(std::uint32_t index, std::uint32_t out) {
  if (out == failed) return set_allocating(index);
  auto& channel = channel_[index];
  channel.out = out;
  channel.out_link = out / channels_;
  channel.state = State::active;
  channel.won = false;
  outgoing_[out].owner = index;
  ports_[out / channels_].free &= ~(std::uint32_t{1} << (out % channels_));
  const auto link = index / channels_;
  auto& port = ports_[link];
  port.allocating &= ~(std::uint32_t{1} << (index % channels_));
  if (port.allocating == 0)
    allocating_[routers_[port.router].first_word + port.to_port / 64] &=
        ~(std::uint64_t{1} << (port.to_port & 63));
  if (!parameters_.speculative) fresh_.push_back(index);
}

void FlitNetwork::allocate_switch(Router& router) {
  touched_.clear(), touched_inputs_.clear();
  const bool one_cycle = parameters_.sw_alloc_delay == 1;
  const auto begin = switch_stamp_ = ++stamp_;
  for (std::uint32_t word = 0; word < router.words; ++word)
    for (auto inputs = switching_[router.first_word + word]; inputs != 0; inputs &= inputs - 1) {
      const auto position = lowest(inputs);
      const auto link = input_links_[router.first_input + word * 64 + position];
      auto& port = ports_[link];
      request_switch(router, port, link);
      if (!one_cycle) {
        for (auto bits = port.switching & ~deferred_; bits != 0; bits &= bits - 1)
          router.switches.push_back(
              {last_ + parameters_.sw_alloc_delay - 1, link * channels_ + lowest(bits), failed});
        port.switching &= deferred_;
      }
      if (port.switching == 0) switching_[router.first_word + word] &= ~(std::uint64_t{1} << position);
    }

  for (const auto out_link : touched_) {
    auto& output = ports_[out_link];
    const auto link = output.granted / channels_;
    auto& input = ports_[link];
    const auto key = rank(channel_[output.granted].priority,
                          steps(output.from_port, input.accept_pointer, router.outputs));
    if (input.accept_stamp < begin) {
      input.accept_stamp = begin;
      touched_inputs_.push_back(link);
    } else if (key >= input.accept_key) {
      continue;
    }
    input.accept_key = key;
    input.accepted = out_link;
  }
  for (const auto link : touched_inputs_) {
    auto& input = ports_[link];
    auto& output = ports_[input.accepted];
    const auto index = output.granted;
    output.grant_pointer = after(input.to_port, router.inputs);
    input.accept_pointer = after(output.from_port, router.outputs);
    input.channel_pointer = after(index % channels_, channels_);
    if (!one_cycle) {
      for (auto i = router.switches.rbegin(); i != router.switches.rend(); ++i)
        if (i->channel == index) {
          i->result = input.accepted;
          break;
        }
      continue;
    }
    const auto& channel = channel_[index];
    // A speculative grant holds if the packet gets a channel of that output, with a credit, in this very
    // cycle.
    if (channel.state == State::active ||
        (channel.won && channel.out / channels_ == input.accepted && outgoing_[channel.out].credits > 0))
      going_.push_back(index);
  }
  if (one_cycle) return;
  auto& pending = router.switches;
  std::size_t due = 0;
  for (; due < pending.size() && pending[due].time <= last_; ++due) {
    const auto [time, index, out_link] = pending[due];
    const auto& channel = channel_[index];
    if (out_link != failed && channel.state == State::active && channel.out / channels_ == out_link &&
        outgoing_[channel.out].credits > 0 &&
        (!ports_[out_link].slow || paces_[out_link].next(last_) <= last_))
      going_.push_back(index);
    else
      fresh_.push_back(index);
  }
  pending.erase(pending.begin(), pending.begin() + static_cast<std::ptrdiff_t>(due));
}

/// The requests of one input port: at most one for each output, from the channel whose turn it is; packets
/// that have a channel go before speculative ones.
void FlitNetwork::request_switch(const Router& router, Port& input, std::uint32_t link) {
  const auto request = ++stamp_;
  deferred_ = 0;
  const auto lower = (std::uint32_t{1} << input.channel_pointer) - 1;
  const auto first = link * channels_;
  const auto go = [&](std::uint32_t bits, unsigned priority, bool speculative) {
    for (; bits != 0; bits &= bits - 1) {
      const auto index = first + lowest(bits);
      auto& channel = channel_[index];
      if (channel.priority != priority) continue;
      if (speculative) {
        if (channel.state != State::allocating) continue;
        const auto out_link = best_link(channel);
        bool credit = false;
        for (auto open = open_channels(out_link, channel); open != 0; open &= open - 1)
          credit = credit || outgoing_[out_link * channels_ + lowest(open)].credits > 0;
        if (credit && ports_[out_link].request_stamp != request) {
          ports_[out_link].request_stamp = request;
          request_output(index, channel, router, input, out_link);
        }
        continue;
      }
      if (channel.state != State::active) continue;
      if (outgoing_[channel.out].credits == 0) {
        if (!channel.blocked) block(channel, channel.out_link, channel.out);
        channel.tried = last_;
        input.switching &= ~(std::uint32_t{1} << (index - first));
        continue;
      }
      auto& output = ports_[channel.out_link];
      if (output.request_stamp == request) continue;
      const auto goes = last_ + parameters_.sw_alloc_delay - 1;
      if (output.slow && paces_[channel.out_link].next(goes) > goes) {
        deferred_ |= std::uint32_t{1} << (index - first);  // asks again in the next cycle
        continue;
      }
      output.request_stamp = request;
      request_output(index, channel, router, input, channel.out_link);
    }
  };
  const auto bits = input.switching;
  for (unsigned speculative = 0; speculative <= (parameters_.speculative ? 1u : 0u); ++speculative)
    for (unsigned priority = parameters_.priorities; priority-- > 0;) {
      go(bits & ~lower, priority, speculative != 0);
      go(bits & lower, priority, speculative != 0);
    }
}

void FlitNetwork::request_output(std::uint32_t index, const Channel& channel, const Router& router,
                                 const Port& input, std::uint32_t out_link) {
  auto& output = ports_[out_link];
  const auto key = rank(channel.priority, steps(input.to_port, output.grant_pointer, router.inputs));
  if (output.grant_stamp != switch_stamp_) {
    output.grant_stamp = switch_stamp_;
    touched_.push_back(out_link);
  } else if (key >= output.grant_key) {
    return;
  }
  output.grant_key = key;
  output.granted = index;
}

/// The next flit of a channel has won the switch.
void FlitNetwork::send(std::uint32_t index) {
  auto& channel = channel_[index];
  const auto slot = channel.front, out = channel.out, out_link = channel.out_link;
  const auto& info = packets_[slot];
  auto& outgoing = outgoing_[out];
  auto& output = ports_[out_link];
  const auto link = index / channels_;
  auto& input = ports_[link];
  --outgoing.credits;
  --channel.occupancy;
  auto& counters = counters_[out_link];
  ++counters.flits;
  if (output.blocked > 0) --counters.blocked_cycles;  // others wait, but the link is used
  if (output.slow) paces_[out_link].take(last_);
  if (bin_cycles_ != 0) ++bin(out_link, last_).flits;
  auto bits = slot;
  if (channel.sent == 0) {
    bits |= head_bit;
    ++counters.packets;
    const auto free_at = channel.since + parameters_.routing_delay + shortest_ - 1;
    if (last_ > free_at) {
      counters.waited_cycles += static_cast<std::uint64_t>(last_ - free_at);
      if (bin_cycles_ != 0) count_waiting(out_link, free_at, last_);
    }
  }
  const bool tail = ++channel.sent == info.flits;
  if (tail) bits |= tail_bit;
  const auto arrives = last_ + 1 + parameters_.switch_delay + output.latency;
  at(arrives).arrivals.push_back({out, bits});
  if (tail && output.eject) events_->push_back({arrives, NetworkEvent::What::delivered, info.packet});
  at(last_ + 1 + input.latency + (input.inject ? 0 : parameters_.credit_delay)).credits.push_back(index);
  if (!tail && channel.occupancy > 0) {
    if (parameters_.sw_alloc_delay > 1) fresh_.push_back(index);
    return;
  }
  input.switching &= ~(std::uint32_t{1} << (index % channels_));
  if (input.switching == 0)
    switching_[routers_[input.router].first_word + input.to_port / 64] &=
        ~(std::uint64_t{1} << (input.to_port & 63));
  if (!tail) return;
  output.free |= std::uint32_t{1} << (out % channels_);
  outgoing.owner = none;
  wake_sleepers(routers_[input.router], last_ + 1);
  channel.state = State::idle;
  channel.out = channel.front = none;
  if (channel.first != none) come_to_front(index, take_first(channel.first, channel.last), last_ + 1);
}

// ---------------------------------------------------------------------------------------------------------------------
// Says why

void FlitNetwork::block(Channel& channel, std::uint32_t link, std::uint32_t out) {
  channel.blocked = true;
  channel.blocked_on = link;
  channel.blocked_since = last_;
  if (ports_[link].blocked++ == 0) ports_[link].blocked_since = last_;
  channel.behind = out_of_sight;
  if (bin_cycles_ == 0) return;
  if (ports_[link].eject)
    channel.behind = none;
  else if (const auto& far = channel_[out]; far.state == State::active || far.state == State::allocating)
    channel.behind = far.out_link;
}

void FlitNetwork::unblock(Channel& channel) {
  const auto link = channel.blocked_on;
  channel.blocked = false;
  auto& port = ports_[link];
  if (--port.blocked == 0)
    counters_[link].blocked_cycles += static_cast<std::uint64_t>(last_ - port.blocked_since);
  if (bin_cycles_ != 0 && channel.behind != out_of_sight)
    blames_[std::uint64_t{link} << 32 | channel.behind] +=
        static_cast<std::uint64_t>(last_ - channel.blocked_since);
}

const LinkCounters& FlitNetwork::counters(std::uint32_t link) const {
  auto& port = ports_[link];
  if (port.blocked > 0) {
    counters_[link].blocked_cycles += static_cast<std::uint64_t>(last_ + 1 - port.blocked_since);
    port.blocked_since = last_ + 1;
  }
  return counters_[link];
}

void FlitNetwork::reset_counters() {
  std::fill(counters_.begin(), counters_.end(), LinkCounters{});
  for (auto& port : ports_) port.blocked_since = last_ + 1;
  for (auto& channel : channel_) channel.blocked_since = last_ + 1;
  blames_.clear();
}

void FlitNetwork::record(std::int64_t bin_cycles) {
  bin_cycles_ = bin_cycles;
  recorded_from_ = last_ + 1;
  bins_.assign(bin_cycles > 0 ? ports_.size() : 0, {});
}

LinkBin& FlitNetwork::bin(std::uint32_t link, std::int64_t cycle) {
  auto& bins = bins_[link];
  const auto number =
      static_cast<std::size_t>(std::max<std::int64_t>(cycle - recorded_from_, 0) / bin_cycles_);
  if (number >= bins.size()) bins.resize(number + 1);
  return bins[number];
}

void FlitNetwork::count_waiting(std::uint32_t link, std::int64_t from, std::int64_t to) {
  for (auto at = std::max(from, recorded_from_); at < to;) {
    const auto end = std::min(to, recorded_from_ + ((at - recorded_from_) / bin_cycles_ + 1) * bin_cycles_);
    bin(link, at).waiting += static_cast<std::uint32_t>(end - at);
    at = end;
  }
}

std::vector<LinkBin> FlitNetwork::bins(std::uint32_t link) const {
  return bins_.empty() ? std::vector<LinkBin>{} : bins_[link];
}

std::vector<Blame> FlitNetwork::blames() const {
  std::vector<Blame> all;
  for (const auto& [key, cycles] : blames_)
    all.push_back({static_cast<std::uint32_t>(key >> 32), static_cast<std::uint32_t>(key), cycles});
  std::sort(all.begin(), all.end(), [](const Blame& a, const Blame& b) {
    return std::tie(b.cycles, a.link, a.behind) < std::tie(a.cycles, b.link, b.behind);
  });
  return all;
}

std::vector<Wait> FlitNetwork::waits() const {
  std::vector<Wait> all;
  const auto packet = [&](std::uint32_t slot) -> const Packet* {
    return slot == none ? nullptr : packets_[slot].packet;
  };
  // What stands in the far buffer of a channel, or else the packet that has got it and is still coming.
  const auto holder = [&](std::uint32_t out) -> const Packet* {
    if (ports_[out / channels_].eject) {
      const auto endpoint = graph_.links()[out / channels_].endpoint;
      const auto network = out % channels_ / parameters_.virtual_channels;
      for (const auto& info : packets_)  // delivered, but not taken
        if (info.arrived && info.destination == endpoint && info.network == network)
          return static_cast<const Packet*>(info.packet);
    } else if (channel_[out].front != none) {
      return packet(channel_[out].front);
    }
    const auto owner = outgoing_[out].owner;
    return owner == none ? nullptr : packet(channel_[owner].front);
  };
  // Flits that wait behind their own packet's head do not count: the head's wait is what holds them.
  const auto add = [&](const Packet* waiting, std::uint32_t at, std::uint32_t wants, const Packet* held_by) {
    if (waiting != held_by) all.push_back({waiting, at, wants, held_by});
  };
  for (std::uint32_t index = 0; index < channel_.size(); ++index) {
    const auto& channel = channel_[index];
    if (channel.front == none || channel.occupancy == 0) continue;
    const auto link = index / channels_;
    if (channel.state == State::active && outgoing_[channel.out].credits == 0)
      add(packet(channel.front), link, channel.out_link, holder(channel.out));
    else if (channel.state == State::allocating && open_channels(best_link(channel), channel) == 0) {
      const auto wants = best_link(channel);
      add(packet(channel.front), link, wants, holder(wants * channels_ + lowest(channel.allowed)));
    }
  }
  for (const auto& info : packets_)
    if (info.arrived) add(info.packet, graph_.endpoints()[info.destination].eject, none, nullptr);
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const auto& source = sources_[i];
    if (source.first == none) continue;
    const auto slot = nodes_[source.first].packet;
    const auto& info = packets_[slot];
    if (info.packet->born > last_) continue;
    const auto link = graph_.endpoints()[i / sources_of_endpoint_].inject;
    const auto channel =
        link * channels_ +
        (source.channel == none ? info.network * parameters_.virtual_channels : source.channel);
    add(info.packet, link, link, holder(channel));
  }
  return all;
}

}  // namespace forerun::ip::noc
