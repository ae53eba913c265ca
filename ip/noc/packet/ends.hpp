// SPDX-License-Identifier: Apache-2.0
/// The packet model at the endpoints: source queues and ejection buffers. Part of engine.cpp.
#pragma once

#include "ip/noc/packet/engine.hpp"

namespace forerun::ip::noc {

template <class Matching, bool plain>
void PacketEngine<Matching, plain>::inject(Packet& packet) {
  auto flight = free_flight_;
  if (flight == none) {
    flight = static_cast<std::uint32_t>(flights_.size());
    flights_.emplace_back();
  } else {
    free_flight_ = flights_[flight].next;
  }
  packet.slot = flight;
  // With one virtual network requests and responses share it.
  const auto network = static_cast<std::uint8_t>(std::min<std::uint32_t>(packet.network, networks_ - 1));
  const auto cls = static_cast<std::uint8_t>(std::min<std::uint32_t>(packet.priority, classes_ - 1));
  packet.drawn = packet.drawn_way ? route_.draw(packet.source, senders_[packet.source].drawn++) : 0;
  flights_[flight] = {&packet, packet.destination, packet.flits, none, 0, 0, network, cls, false, false};
  auto& source = sources_[(std::size_t{packet.source} * networks_ + network) * classes_ + cls];
  const bool first = source.head == none;
  (first ? source.head : flights_[source.tail].next) = flight;
  source.tail = flight;
  if (first && source.flight == none) ++senders_[packet.source].busy;
  ++inside_;
  if (!first) return;
  if (packet.born <= done_ + 1)
    set(sending_, packet.source);
  else if (packet.born - done_ < static_cast<std::int64_t>(ring_))
    at(packet.born).wakes.push(packet.source);
  else
    wakes_.push({packet.born, packet.source});
}

/// A tail has left its source queue.
template <class Matching, bool plain>
void PacketEngine<Matching, plain>::depart(const Departure& departure, std::int64_t now,
                                           std::vector<NetworkEvent>& events) {
  auto& free = senders_[departure.endpoint].free;
  free = static_cast<Channels>(free | mask(departure.channel));
  events.push_back({now, NetworkEvent::What::injected, flights_[departure.flight].packet});
}

/// The first packet of a source queue takes a channel of the link into the network, if there is one.
template <class Matching, bool plain>
bool PacketEngine<Matching, plain>::choose(Sender<Channels>& sender, Source& source, std::uint32_t network,
                                           const Out* outputs) {
  const auto& f = flights_[source.head];
  auto free = static_cast<std::uint32_t>(sender.free & channels_of_[network]);
  if (cuts_through())
    each(free, [&](unsigned v) {
      if (!room_for(outputs[v], f.flits)) free &= ~(1u << v);
    });
  if (free == 0) return false;
  const auto after = sender.last[network] + 1u;
  const auto v = first_from(free, after == vcs_ ? 0 : after);
  sender.last[network] = static_cast<std::uint8_t>(v);
  sender.free = static_cast<Channels>(sender.free & ~mask(v));
  source.flight = source.head;
  source.head = f.next;
  source.left = f.flits;
  source.channel = static_cast<std::uint8_t>(v);
  return true;
}

/// Flits from an endpoint into its router: the higher class first, then the virtual networks in turn. Returns
/// whether to come again in the next cycle.
template <class Matching, bool plain>
bool PacketEngine<Matching, plain>::send(std::uint32_t endpoint, std::int64_t now) {
  auto& sender = senders_[endpoint];
  if (const auto next = !plain && sender.paced ? std::max(paces_[sender.link].next(now), sender.busy_until)
                                               : sender.busy_until;
      next > now) {
    at(next).wakes.push(endpoint);
    return false;
  }
  auto* const outputs = &outputs_[inject_outputs_ + (endpoint << shift_)];
  std::int64_t later = never;
  for (auto cls = classes_; cls-- > 0;)
    for (std::uint32_t i = 0; i < networks_; ++i) {
      const auto network = sender.turn + i < networks_ ? sender.turn + i : sender.turn + i - networks_;
      auto& source = sources_[(std::size_t{endpoint} * networks_ + network) * classes_ + cls];
      if (source.flight == none) {
        if (source.head == none) continue;
        if (const auto born = flights_[source.head].packet->born; born > now) {
          later = std::min(later, born);
          continue;
        }
        if (!choose(sender, source, network, outputs)) continue;
      }
      auto& output = outputs[source.channel];
      if (output.credits == 0) continue;
      const auto& f = flights_[source.flight];
      const bool head = source.left == f.flits;
      const auto most = !plain && sender.paced ? 1u : sender.busy == 1 ? turns_.alone : turns_.contended;
      const auto flits = std::min({source.left, std::uint32_t{output.credits}, most});
      output.credits = static_cast<std::uint16_t>(output.credits - flits);
      source.left -= flits;
      sender.traffic.flits += flits;
      const auto to = sender.to + source.channel;
      if (head) {
        at(now + sender.delay).heads.push({to, source.flight, flits});
        ++sender.traffic.packets;
        const auto born = f.packet->born;
        if (now > born) waited_[sender.link] += static_cast<std::uint64_t>(now - born);
        if (bin_ > 0) [[unlikely]]
          record_wait(sender.link, born, now);
      } else {
        at(now + sender.delay).bodies.push({to, flits});
      }
      if (bin_ > 0) [[unlikely]]
        record_flits(sender.link, now, flits);
      if (!plain && sender.paced) paces_[sender.link].take(now);
      sender.busy_until = now + flits;
      sender.turn = network + 1 == networks_ ? 0 : network + 1;
      if (source.left == 0) {
        at(now + flits - 1).departures.push({endpoint, source.channel, source.flight});
        source.flight = none;
        if (source.head == none && --sender.busy == 0) return false;
      }
      if (flits == 1) return true;
      at(now + flits).wakes.push(endpoint);
      return false;
    }
  if (later == never) return false;
  if (later - now < static_cast<std::int64_t>(ring_))
    at(later).wakes.push(endpoint);
  else
    wakes_.push({later, endpoint});
  return false;
}

/// Flits arrive at their endpoint.
template <class Matching, bool plain>
[[gnu::always_inline]] inline void PacketEngine<Matching, plain>::land(const Landing& landing,
                                                                       std::int64_t now) {
  const auto channel = channel_of(landing.output);
  const auto& sink = sinks_[std::size_t{landing.endpoint} * networks_ + network_of_[channel]];
  if (sink.held == 0)
    at(now + sink.delay).credits.push({landing.output, landing.flits});
  else
    untaken_[(std::size_t{landing.endpoint} << shift_) + channel] += landing.flits;
  if (landing.flight == none) return;
  if (landing.flits == 1)
    deliver(landing, now);
  else
    at(now + landing.flits - 1).tails_landing.push(landing);
}

/// A tail has arrived.
template <class Matching, bool plain>
void PacketEngine<Matching, plain>::deliver(const Landing& landing, std::int64_t now) {
  auto& untaken = untaken_[(std::size_t{landing.endpoint} << shift_) + channel_of(landing.output)];
  auto& f = flights_[landing.flight];
  auto& sink = sinks_[std::size_t{landing.endpoint} * networks_ + f.network];
  if (f.released) {
    if (untaken > 0) at(now + sink.delay).credits.push({landing.output, untaken});
    free_flight(landing.flight);
  } else {
    f.delivered = true;
    f.untaken = untaken;
    f.next = landing.output;
    ++sink.held;
  }
  untaken = 0;
}

template <class Matching, bool plain>
std::int64_t PacketEngine<Matching, plain>::release(Packet& packet, std::int64_t now) {
  if (now > done_ + 1) run(now - 1, early_);
  auto& f = flights_[packet.slot];
  --inside_;
  f.packet = nullptr;
  if (!f.delivered) {  // its tail arrives in the cycle `now`, which is not done yet
    f.released = true;
    return early_.empty() ? next_cycle() : done_;
  }
  auto& sink = sinks_[std::size_t{f.destination} * networks_ + f.network];
  auto& returns = at(std::max(now, done_) + sink.delay).credits;
  if (f.untaken > 0) returns.push({f.next, f.untaken});
  if (--sink.held == 0) {
    const auto first = f.network * (vcs_ / networks_);
    auto* const untaken = &untaken_[std::size_t{f.destination} << shift_];
    const auto output = f.next - channel_of(f.next);
    for (auto v = first; v < first + vcs_ / networks_; ++v)
      if (untaken[v] > 0) {
        returns.push({output + v, untaken[v]});
        untaken[v] = 0;
      }
  }
  free_flight(packet.slot);
  return early_.empty() ? next_cycle() : done_;
}

}  // namespace forerun::ip::noc
