// SPDX-License-Identifier: Apache-2.0
// Source queues and ejection buffers of the flit model.
#include "ip/noc/flit/flit_network.hpp"

#include <algorithm>
#include <tuple>

#include "ip/noc/flit/flit_helpers.hpp"

namespace forerun::ip::noc {

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
  packet.drawn = packet.drawn_way ? routes_.draw(packet.source, drawn_[packet.source]++) : 0;
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

}  // namespace forerun::ip::noc
