// SPDX-License-Identifier: Apache-2.0
/// The packet model from the request for the switch to what arrives at the next router. Part of engine.cpp.
#pragma once

#include "ip/noc/packet/engine.hpp"

namespace forerun::ip::noc {

template <class Matching, bool plain>
[[gnu::always_inline]] inline void PacketEngine<Matching, plain>::ask(std::uint32_t id, const In& in,
                                                                      unsigned cls) {
  matching_.ask(router_of(id), cls, port_of(id), channel_of(id), port_of(in.out));
  set(active_, router_of(id));
}

/// A packet has a channel and a flit: it asks for the switch, or waits for credits.
template <class Matching, bool plain>
[[gnu::always_inline]] inline void PacketEngine<Matching, plain>::activate(std::uint32_t id,
                                                                           std::int64_t now) {
  const auto& in = inputs_[id];
  if (in.count == 0) return;
  const auto out = out_of(id, in);
  if (outputs_[out].credits > 0) return ask(id, in, class_of(id));
  starve(out, now);
}

/// A packet has flits but no credit from now on.
template <class Matching, bool plain>
void PacketEngine<Matching, plain>::starve(std::uint32_t output, std::int64_t from) {
  const auto link = link_of(output);
  if (!stalls(stalls_[link])) stall(link, from, output);
  ++stalls_[link].channels;
}

/// Of the bids for the switch that ran along with those for channels, one of each new holder of a channel
/// becomes valid: the last that has begun and not ended. They are a class of their own, below all others.
template <class Matching, bool plain>
void PacketEngine<Matching, plain>::bid_ahead(std::int64_t now) {
  fresh_.remove_if([&](std::uint32_t id) {
    const auto& in = inputs_[id];
    const auto first = due(in, now) - ahead_;
    const auto begin = first + (now - first) / sw_delay_ * sw_delay_;
    const bool ended = begin + sw_delay_ <= now + 1 && (vc_delay_ > 1 || sw_delay_ > 1);
    if (ended || in.count == 0 || outputs_[out_of(id, in)].credits == 0) return false;
    bidders_[id].early = static_cast<std::uint16_t>(now - begin);
    bidders_[id].leading = true;
    ask(id, in, 0);
    leading_.push_back(id);
    return true;
  });
}

/// A speculative bid that won nothing asks again as any other.
template <class Matching, bool plain>
void PacketEngine<Matching, plain>::fall_back(std::uint32_t id, std::int64_t now) {
  auto& bidder = bidders_[id];
  if (!bidder.leading) return;
  bidder.leading = false;
  bidder.early = 0;
  matching_.withdraw(router_of(id), 0, port_of(id), channel_of(id), port_of(inputs_[id].out));
  activate(id, now);
}

/// A flit goes out at cycle `when`: a link slower than one flit a cycle is off until its next can be granted.
template <class Matching, bool plain>
void PacketEngine<Matching, plain>::pace(std::uint32_t out, std::int64_t when, unsigned ahead,
                                         std::int64_t now) {
  auto& p = paces_[link_of(out)];
  p.take(when);
  if (const auto next = p.next(when + 1) - ahead; next > now + 1) {
    matching_.enable(router_of(out), port_of(out), false);
    at(next).paced.push(out);
  }
}

/// What follows from flits of the front packet that have been taken from its counts and leave from cycle
/// `when` on.
template <class Matching, bool plain>
[[gnu::always_inline]] inline void PacketEngine<Matching, plain>::send_on(std::uint32_t id, const In& in,
                                                                          std::uint32_t out,
                                                                          std::uint32_t flits, bool head,
                                                                          std::int64_t when) {
  const auto& from = port(id);
  auto& to = port(out);
  const bool tail = in.left == 0;
  to.traffic.flits += flits;
  if (bin_ > 0) [[unlikely]]
    record_flits(link_of(out), when, flits);
  at(when + from.credit_delay).credits.push({from.credits_to + channel_of(id), flits});
  auto& later = at(when + to.flit_delay);
  if (to.ejects) {
    if (tail) announce(in.front, when + to.flit_delay + flits - 1);
    later.landings.push({out, to.flits_to, tail ? in.front : none, flits});
  } else if (head) {
    later.heads.push({to.flits_to + channel_of(out), in.front, flits});
  } else {
    later.bodies.push({to.flits_to + channel_of(out), flits});
  }
  if (tail) at(when + flits - 1).tails.push(id);
}

/// Flits go through the switch, at most so many. `asking`: the packet still asks for it, in its class.
template <class Matching, bool plain>
[[gnu::always_inline]] inline void PacketEngine<Matching, plain>::move(std::uint32_t id, std::uint32_t most,
                                                                       bool asking, std::int64_t now) {
  auto& in = inputs_[id];
  const auto out = out_of(id, in);
  auto& output = outputs_[out];
  const auto router = router_of(id), from_port = port_of(id), to_port = port_of(in.out);
  const auto flits = std::min({std::uint32_t{in.count}, std::uint32_t{output.credits}, in.left, most});
  const auto left = in.left - flits, count = in.count - flits, credits = output.credits - flits;
  in.left = left;
  in.count = static_cast<std::uint16_t>(count);
  output.credits = static_cast<std::uint16_t>(credits);
  matching_.occupy(router, from_port, to_port, flits);
  const bool head = in.state == State::ready;
  in.state = State::moving;
  port(out).traffic.packets += head;
  if (head) {
    const auto due = this->due(in, now);
    waited_[link_of(out)] += static_cast<std::uint64_t>(std::max<std::int64_t>(now - due, 0));
    if (bin_ > 0) [[unlikely]]
      record_wait(link_of(out), due, now);
  }
  send_on(id, in, out, flits, head, now);
  if (paces(port(out)) && (plain || sw_delay_ == 1)) pace(out, now, 0, now);
  const bool again = count != 0 && credits != 0 && left != 0;
  if (again && !asking) ask(id, in, class_of(id));
  if (!again && asking) matching_.withdraw(router, class_of(id), from_port, channel_of(id), to_port);
  if (credits == 0 && count > 0 && left > 0) [[unlikely]]
    starve(out, now + flits);
}

template <class Matching, bool plain>
[[gnu::always_inline]] inline void PacketEngine<Matching, plain>::grant(std::uint32_t router,
                                                                        const Match& match,
                                                                        std::int64_t now) {
  const auto [in, out, cls] = match;
  const auto v = matching_.take_turn(router, cls, in, out);
  const auto id = router << row_ | in << shift_ | v;
  const auto to = router << row_ | out << shift_;
  auto most = matching_.alone(router, cls, in, out) ? turns_.alone : turns_.contended;
  if (paces(port(to))) most = 1;
  if constexpr (plain) return move(id, most, true, now);
  const bool leads = speculative_ && cls == 0;
  if (!leads && sw_delay_ == 1) return move(id, most, true, now);
  auto& q = bidders_[id];
  matching_.withdraw(router, cls, in, v, out);
  const auto when = now + sw_delay_ - 1 - q.early;
  q.early = 0;
  q.leading = false;
  if (sw_delay_ == 1) return move(id, most, false, now);
  if (paces(port(to))) pace(to, when, sw_delay_ - 1, now);
  at(when).moves.push(id);
}

template <class Matching, bool plain>
[[gnu::noinline]] void PacketEngine<Matching, plain>::grant_all(std::uint32_t router, std::int64_t now) {
  for (const auto& match : matching_.match(router, now)) grant(router, match, now);
}

/// Matches the ports of all routers in which somebody asks.
template <class Matching, bool plain>
[[gnu::noinline]] void PacketEngine<Matching, plain>::switch_all(std::int64_t now) {
  for (std::size_t w = 0; w < active_.size(); ++w) {
    std::uint64_t stay = 0;
    for (auto bits = active_[w]; bits != 0; bits &= bits - 1) {
      const auto b = static_cast<unsigned>(std::countr_zero(bits));
      const auto router = static_cast<std::uint32_t>(w * 64 + b);
      if (const auto only = matching_.match_only(router, now); only.count == 1) [[likely]]
        grant(router, only.match, now);
      else if (only.count > 1)
        grant_all(router, now);
      stay |= std::uint64_t{matching_.any(router)} << b;
    }
    active_[w] = stay;
  }
}

/// A tail has left: its channel is free, the next packet comes to the front.
template <class Matching, bool plain>
[[gnu::always_inline]] inline void PacketEngine<Matching, plain>::finish(std::uint32_t id, std::int64_t now) {
  auto& in = inputs_[id];
  const auto out = out_of(id, in);
  auto& to = port(out);
  outputs_[out].holder = Out::nobody;
  to.free = static_cast<Channels>(to.free | mask(channel_of(out)));
  bids_for(out);
  in.state = State::idle;
  if (!in.queued) {
    in.front = none;
    return;
  }
  auto& behind = behind_[id];
  const auto place = behind.first;
  auto& next = places_[place];
  in.front = next.flight;
  behind.first = next.next;
  in.queued = next.next != none;
  next.next = free_place_;
  free_place_ = place;
  come_to_front(id, in, now, true);
}

}  // namespace forerun::ip::noc
