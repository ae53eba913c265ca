// SPDX-License-Identifier: Apache-2.0
/// Which packets of the packet model wait, and for whom.
#include "ip/noc/packet/engine.hpp"

namespace forerun::ip::noc {

/// The packet at the front of a buffer.
template <class Matching, bool plain>
const Packet* PacketEngine<Matching, plain>::front_packet(std::uint32_t id) const {
  const auto front = inputs_[id].front;
  return front == none ? nullptr : flights_[front].packet;
}

/// Who stands in the way of packets that want a channel of a link or a credit of it.
template <class Matching, bool plain>
const Packet* PacketEngine<Matching, plain>::in_the_way(std::uint32_t output, std::uint32_t network) const {
  const auto& sender = outputs_[output];
  const auto holder = sender.holder == Out::nobody ? none : output - local(output) + sender.holder;
  if (holder != none && sender.credits > 0) return front_packet(holder);
  const auto& to = port(output);
  if (!to.ejects) {
    const auto* front = front_packet(to.flits_to + channel_of(output));
    return front != nullptr || holder == none ? front : front_packet(holder);
  }
  for (const auto& f : flights_)
    if (f.packet != nullptr && f.delivered && f.destination == to.flits_to && f.network == network)
      return f.packet;
  return holder == none ? nullptr : front_packet(holder);
}

/// The packets in the buffer of an input channel.
template <class Matching, bool plain>
void PacketEngine<Matching, plain>::wait_in(std::uint32_t id, std::vector<Wait>& result) const {
  const auto& in = inputs_[id];
  if (in.front == none) return;
  const auto router = router_of(id);
  const auto here = graph_.routers()[router].inputs[port_of(id)];
  const auto& front = flights_[in.front];
  if (in.state == State::bidding || in.state == State::ready) {
    const auto first = static_cast<unsigned>(std::countr_zero(in.wanted));
    const auto out = out_of(id, in);
    const auto* holder = in_the_way(in.state == State::ready ? out : out + first, front.network);
    result.push_back({front.packet, here, link_of(out), holder == front.packet ? nullptr : holder});
  }
  const auto* before = front.packet;
  for (auto place = in.queued ? behind_[id].first : none; place != none; place = places_[place].next) {
    const auto& f = flights_[places_[place].flight];
    Candidates ways;
    route_.route(router, f.packet->source, f.destination, f.network, f.packet->drawn, ways);
    result.push_back({f.packet, here, ways[0].link, before});
    before = f.packet;
  }
}

/// The packets in a source queue.
template <class Matching, bool plain>
void PacketEngine<Matching, plain>::wait_at_source(std::size_t source, std::vector<Wait>& result) const {
  const auto& s = sources_[source];
  const auto endpoint = static_cast<std::uint32_t>(source / classes_ / networks_);
  const auto& sender = senders_[endpoint];
  const auto link = sender.link;
  const Packet* before = s.flight == none ? nullptr : flights_[s.flight].packet;
  if (before != nullptr && s.left == flights_[s.flight].flits)  // it has a channel, but its head has not left
    result.push_back({before, link, link, front_packet(sender.to + s.channel)});
  else if (before == nullptr && s.head != none)
    before = front_packet(
        sender.to + static_cast<unsigned>(std::countr_zero(channels_of_[source / classes_ % networks_])));
  for (auto flight = s.head; flight != none; flight = flights_[flight].next) {
    if (flights_[flight].packet->born > done_) break;
    result.push_back({flights_[flight].packet, link, link, before});
    before = flights_[flight].packet;
  }
}

template <class Matching, bool plain>
std::vector<Wait> PacketEngine<Matching, plain>::waits() const {
  std::vector<Wait> result;
  for (const auto& f : flights_)
    if (f.packet != nullptr && f.delivered)
      result.push_back({f.packet, graph_.endpoints()[f.destination].eject, none, nullptr});
  for (std::uint32_t id = 0; id < inputs_.size(); ++id) wait_in(id, result);
  for (std::size_t source = 0; source < sources_.size(); ++source) wait_at_source(source, result);
  return result;
}

template class PacketEngine<ByteMatching<true>, true>;
template class PacketEngine<ByteMatching<false>, false>;
template class PacketEngine<WordMatching, false>;

}  // namespace forerun::ip::noc
