// SPDX-License-Identifier: Apache-2.0
/// The packet model from the arrival of flits at a router to the channel of the next link. Part of
/// engine.cpp.
#pragma once

#include "ip/noc/packet/engine.hpp"

namespace forerun::ip::noc {

/// Calls `visit` for the set bits at or after `from`, then for those before it, until it returns true.
template <class Visit>
bool round_from(const std::uint64_t* bits, unsigned words, unsigned from, Visit&& visit) {
  const auto first = from / 64;
  const auto upper = ~std::uint64_t{0} << (from % 64);
  for (unsigned i = 0; i <= words; ++i) {
    const auto w = first + i < words ? first + i : first + i - words;
    auto here = bits[w];
    if (i == 0) here &= upper;
    if (i == words) here &= ~upper;
    for (; here != 0; here &= here - 1)
      if (visit(w * 64 + static_cast<unsigned>(std::countr_zero(here)))) return true;
  }
  return false;
}

/// A sender's channel has credits again, or (cut-through) more of them.
template <class Matching, bool plain>
void PacketEngine<Matching, plain>::credited(std::uint32_t output, bool empty, std::int64_t now) {
  if (output >= inject_outputs_) return set(sending_, (output - inject_outputs_) >> shift_);
  const auto holder = outputs_[output].holder;
  if (holder == Out::nobody) {
    if (cuts_through()) bids_for(output);
    return;
  }
  const auto id = output - local(output) + holder;
  const auto& in = inputs_[id];
  if (!empty || in.count == 0 || in.left == 0 || in.state < State::ready) return;
  const auto link = link_of(output);
  auto& s = stalls_[link];
  if (s.channels > 0 && --s.channels == 0 && !s.heads) settle(link, now);
  ask(id, in, class_of(id));
}

template <class Matching, bool plain>
[[gnu::always_inline]] inline void PacketEngine<Matching, plain>::arrive(const Head& head, std::int64_t now) {
  auto& in = inputs_[head.to];
  in.count = static_cast<std::uint16_t>(in.count + head.flits);
  if (in.front != none) {
    auto place = free_place_;
    if (place == none) {
      place = static_cast<std::uint32_t>(places_.size());
      places_.emplace_back();
    } else {
      free_place_ = places_[place].next;
    }
    places_[place] = {head.flight, none};
    auto& behind = behind_[head.to];
    (in.queued ? places_[behind.last].next : behind.first) = place;
    behind.last = place;
    in.queued = true;
    return;
  }
  in.front = head.flight;
  if (!passes_) return come_to_front(head.to, in, now, false);
  const auto& f = flights_[head.flight];
  const auto out = find_way(router_of(head.to), f, in.wanted);
  if (pass(head.to, in, out, head, f, now)) return;
  in.left = f.flits;
  bid(head.to, in, out, now);
}

/// The front packet's head is next in its buffer: at once, or after the tail that leaves in this cycle.
template <class Matching, bool plain>
void PacketEngine<Matching, plain>::come_to_front(std::uint32_t id, In& in, std::int64_t now,
                                                  bool after_tail) {
  const auto& f = flights_[in.front];
  in.left = f.flits;
  if (!plain) bidders_[id].cls = static_cast<std::uint8_t>(f.cls + (speculative_ ? 1 : 0));
  if (!plain && routing_delay_ > 0)
    at(now + routing_delay_ + (after_tail ? 1 : 0)).routed.push(id);
  else
    bid(id, in, find_way(router_of(id), f, in.wanted), now + (after_tail ? 1 : 0));
}

/// The output port that a packet takes, as its channel 0, and the channels of it.
template <class Matching, bool plain>
[[gnu::always_inline]] inline std::uint32_t PacketEngine<Matching, plain>::find_way(std::uint32_t router,
                                                                                    const Flight& f,
                                                                                    Channels& wanted) const {
  if (plain || by_table_) {
    wanted = channels_of_[f.network];
    return router << row_ | std::uint32_t{table_[std::size_t{router} * endpoints_ + f.destination]} << shift_;
  }
  Candidates ways;
  const auto count = route_.route(router, f.packet->source, f.destination, f.network, f.packet->drawn, ways);
  const auto out = [&](const Candidate& way) {
    return router << row_ | graph_.links()[way.link].from_port << shift_;
  };
  unsigned chosen = 0;
  if (count > 1) {
    std::uint32_t room[2] = {};
    for (unsigned i = 0; i < 2; ++i)
      each(ways[i].vcs, [&](unsigned v) { room[i] += outputs_[out(ways[i]) + v].credits; });
    chosen = room[1] > room[0] ? 1 : 0;
  }
  wanted = static_cast<Channels>(ways[chosen].vcs);
  return out(ways[chosen]);
}

/// A head whose ports nobody else wants, and that finds a channel with room, will win the switch in the next
/// cycle: all that follows from it is settled at once. Returns false if it has to bid.
template <class Matching, bool plain>
[[gnu::always_inline]] inline bool PacketEngine<Matching, plain>::pass(std::uint32_t id, In& in,
                                                                       std::uint32_t out, const Head& head,
                                                                       const Flight& f, std::int64_t now) {
  const auto flits = head.flits;
  const auto router = router_of(id), to_port = port_of(out);
  auto& to = port(out);
  if (flits > 7 || paces(to) || (bidding_[router * port_words_ + to_port / 64] >> (to_port % 64) & 1) != 0)
    return false;
  auto* const outputs = &outputs_[out];
  auto open = static_cast<std::uint32_t>(to.free & in.wanted);
  unsigned v = 0;
  for (;; open &= ~(1u << v)) {
    if (open == 0) return false;
    v = first_from(open, in.accept & ((1u << shift_) - 1));
    if (outputs[v].credits >= flits && room_for(outputs[v], f.flits)) break;
  }
  if (!matching_.reserve(router, port_of(id), to_port, flits, 1, now)) return false;
  in.accept = static_cast<Local>(v + 1);
  to.free = static_cast<Channels>(to.free & ~mask(v));
  outputs[v].holder = static_cast<Local>(local(id));
  outputs[v].credits = static_cast<std::uint16_t>(outputs[v].credits - flits);
  in.count = static_cast<std::uint16_t>(in.count - flits);
  in.left = f.flits - flits;
  in.out = static_cast<Local>(local(out) + v);
  in.state = State::moving;
  ++to.traffic.packets;
  send_on(id, in, out + v, flits, true, now + 1);
  return true;
}

/// Flits that follow their head when nobody else wants their ports: they go on in the cycle of their arrival.
template <class Matching, bool plain>
[[gnu::always_inline]] inline bool PacketEngine<Matching, plain>::follow(std::uint32_t id, In& in,
                                                                         std::uint32_t flits,
                                                                         std::int64_t now) {
  const auto out = out_of(id, in);
  auto& output = outputs_[out];
  if (output.credits < flits || in.state != State::moving || paces(port(out))) return false;
  if (!matching_.reserve(router_of(id), port_of(id), port_of(out), flits, 0, now)) return false;
  output.credits = static_cast<std::uint16_t>(output.credits - flits);
  in.count = static_cast<std::uint16_t>(in.count - flits);
  in.left -= flits;
  send_on(id, in, out, flits, false, now);
  return true;
}

/// Heads that bid for a port, if there are any, are looked at in the next allocation.
template <class Matching, bool plain>
[[gnu::always_inline]] inline void PacketEngine<Matching, plain>::bids_for(std::uint32_t out) {
  std::uint64_t any = 0;
  for (unsigned w = 0; w < words_; ++w) any |= waiting_[std::size_t{out >> shift_} * words_ + w];
  if (any == 0) return;
  const auto router = router_of(out), port = port_of(out);
  bidding_[router * port_words_ + port / 64] |= std::uint64_t{1} << (port % 64);
  set(allocating_, router);
}

/// The front packet, whose way leads to port `out`, bids for a channel of it from cycle `now`.
template <class Matching, bool plain>
[[gnu::always_inline]] inline void PacketEngine<Matching, plain>::bid(std::uint32_t id, In& in,
                                                                      std::uint32_t out, std::int64_t now) {
  in.out = static_cast<Local>(local(out));
  in.state = State::bidding;
  flights_[in.front].due = static_cast<std::uint32_t>(now + ahead_);
  waiting_[std::size_t{out >> shift_} * words_ + local(id) / 64] |= std::uint64_t{1} << (local(id) % 64);
  const auto router = router_of(out), port = port_of(out);
  bidding_[router * port_words_ + port / 64] |= std::uint64_t{1} << (port % 64);
  set(allocating_, router);
}

template <class Matching, bool plain>
[[gnu::always_inline]] inline void PacketEngine<Matching, plain>::take(std::uint32_t id, unsigned channel) {
  auto& in = inputs_[id];
  const auto out = out_of(id, in);
  auto& to = port(out);
  waiting_[std::size_t{out >> shift_} * words_ + local(id) / 64] &= ~(std::uint64_t{1} << (local(id) % 64));
  to.free = static_cast<Channels>(to.free & ~mask(channel));
  in.out = static_cast<Local>(in.out + channel);
  in.state = State::ready;
  outputs_[out + channel].holder = static_cast<Local>(local(id));
  fresh_.push(id);
}

/// The channel that a bidder likes best of those that were granted to it.
template <class Matching, bool plain>
[[gnu::always_inline]] inline unsigned PacketEngine<Matching, plain>::accept(std::uint32_t base,
                                                                             std::uint32_t id,
                                                                             Channels granted) {
  auto& in = inputs_[id];
  const auto start = local(base), pointer = std::uint32_t{in.accept};
  const auto v = first_from(granted, pointer <= start || pointer >= start + vcs_ ? 0 : pointer - start);
  outputs_[base + v].grant = static_cast<Local>(local(id + 1));
  in.accept = static_cast<Local>(start + v + 1);
  return v;
}

/// All grants of one iteration of iSLIP between the heads that bid for a port and its free channels.
template <class Matching, bool plain>
void PacketEngine<Matching, plain>::find_winners(std::uint32_t base) {
  const auto* const waiting = &waiting_[std::size_t{base >> shift_} * words_];
  const auto first = base - local(base);
  const auto* const inputs = &inputs_[first];
  each(port(base).free, [&](unsigned v) {
    const auto& output = outputs_[base + v];
    auto best = none;
    round_from(waiting, words_, output.grant, [&](unsigned in) {
      if ((inputs[in].wanted >> v & 1) == 0 || !room_for(output, inputs[in].left)) return false;
      if (best == none || class_of(first + in) > class_of(first + best)) best = in;
      return classes_ == 1;
    });
    if (best == none) return;
    if (granted_[best] == 0) winners_.push_back(best);
    granted_[best] = static_cast<Channels>(granted_[best] | mask(v));
  });
}

/// Heads that bid for a port get channels of it, or wait.
template <class Matching, bool plain>
void PacketEngine<Matching, plain>::allocate(std::uint32_t base, std::int64_t now) {
  const auto router = router_of(base), number = port_of(base);
  auto* const waiting = &waiting_[std::size_t{base >> shift_} * words_];
  const auto& to = port(base);
  auto& bidding = bidding_[router * port_words_ + number / 64];
  const auto port_bit = std::uint64_t{1} << (number % 64);
  const bool was_stuck = (stuck_[router * port_words_ + number / 64] & port_bit) != 0;
  const auto first = base - local(base);  // input channel 0
  winners_.clear();
  if (words_ == 1 && (waiting[0] & (waiting[0] - 1)) == 0) {  // one bidder, or none
    if (waiting[0] == 0) {
      bidding &= ~port_bit;
      return;
    }
    const auto in = static_cast<std::uint32_t>(std::countr_zero(waiting[0]));
    auto offered = static_cast<Channels>(to.free & inputs_[first + in].wanted);
    if (cuts_through())
      each(offered, [&](unsigned v) {
        if (!room_for(outputs_[base + v], inputs_[first + in].left))
          offered = static_cast<Channels>(offered & ~mask(v));
      });
    if (offered != 0 && (plain || vc_delay_ == 1) && !was_stuck) {
      take(first + in, accept(base, first + in, offered));
      bidding &= ~port_bit;
      return;
    }
    granted_[in] = offered;
    if (offered != 0) winners_.push_back(in);
  } else {
    find_winners(base);
  }
  for (const auto in : winners_) {
    const auto v = accept(base, first + in, granted_[in]);
    granted_[in] = 0;
    if (plain || vc_delay_ == 1) {
      take(first + in, v);
    } else {
      waiting[in / 64] &= ~(std::uint64_t{1} << (in % 64));
      at(now + vc_delay_ - 1).bids.push({first + in, v});
    }
  }
  bool left = false;
  for (unsigned w = 0; w < words_; ++w) {
    if (!plain && vc_delay_ > 1 && !winners_.empty()) {
      each(waiting[w], [&](unsigned b) { at(now + vc_delay_ - 1).bids.push({first + w * 64 + b, none}); });
      waiting[w] = 0;
    }
    left |= waiting[w] != 0;
  }
  const bool nothing = winners_.empty() || to.free == 0;
  if ((left && nothing) != was_stuck) note_stuck(base, !was_stuck, now);
  if (!left || nothing) bidding &= ~port_bit;
}

/// The heads that bid for a port begin or end to find no channel.
template <class Matching, bool plain>
void PacketEngine<Matching, plain>::note_stuck(std::uint32_t base, bool stuck, std::int64_t now) {
  const auto number = port_of(base);
  stuck_[router_of(base) * port_words_ + number / 64] ^= std::uint64_t{1} << (number % 64);
  const auto link = link_of(base);
  auto& s = stalls_[link];
  const bool before = stalls(s);
  s.heads = stuck;
  if (stuck && !before) stall(link, now, base);
  if (before && !stalls(s)) settle(link, now);
}

template <class Matching, bool plain>
[[gnu::always_inline]] inline void PacketEngine<Matching, plain>::allocate_all(std::int64_t now) {
  for (std::size_t w = 0; w < allocating_.size(); ++w)
    each(allocating_[w], [&](unsigned b) {
      const auto router = static_cast<std::uint32_t>(w * 64 + b);
      std::uint64_t again = 0;
      for (std::uint32_t i = 0; i < port_words_; ++i) {
        auto& bidding = bidding_[router * port_words_ + i];
        each(bidding, [&](unsigned o) { allocate(router << row_ | (i * 64 + o) << shift_, now); });
        again |= bidding;
      }
      if (again == 0) allocating_[w] &= ~(std::uint64_t{1} << b);
    });
}

/// The result of a bid that took more than one cycle: its channel may have gone meanwhile.
template <class Matching, bool plain>
void PacketEngine<Matching, plain>::settle_bid(const Bid& result) {
  const auto& in = inputs_[result.in];
  const auto out = out_of(result.in, in);
  if (result.channel != none && (port(out).free >> result.channel & 1) != 0 &&
      room_for(outputs_[out + result.channel], in.left))
    return take(result.in, result.channel);
  waiting_[std::size_t{out >> shift_} * words_ + local(result.in) / 64] |= std::uint64_t{1}
                                                                           << (local(result.in) % 64);
  bids_for(out);
}

}  // namespace forerun::ip::noc
