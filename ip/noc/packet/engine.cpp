// SPDX-License-Identifier: Apache-2.0
#include "ip/noc/packet/engine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace forerun::ip::noc {
namespace {

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

template <class Visit>
void each(std::uint64_t bits, Visit&& visit) {
  for (; bits != 0; bits &= bits - 1) visit(static_cast<unsigned>(std::countr_zero(bits)));
}

unsigned most_ports(const Graph& graph) {
  std::size_t most = 1;
  for (const auto& router : graph.routers())
    most = std::max({most, router.inputs.size(), router.outputs.size()});
  return static_cast<unsigned>(most);
}

}  // namespace

template <class Matching, class Channels>
PacketEngine<Matching, Channels>::PacketEngine(const Graph& graph, PacketTurns turns)
    : graph_(graph),
      route_(graph),
      router_count_(static_cast<std::uint32_t>(graph.routers().size())),
      ports_(most_ports(graph)),
      shift_(static_cast<std::uint32_t>(std::bit_width(graph.parameters().total_vcs() - 1))),
      channels_(ports_ << shift_),
      vcs_(graph.parameters().total_vcs()),
      classes_(graph.parameters().priorities),
      all_classes_(classes_ + (graph.parameters().speculative ? 1 : 0)),
      networks_(graph.parameters().virtual_networks),
      words_((channels_ + 63) / 64),
      port_words_((ports_ + 63) / 64),
      depth_(std::min(graph.parameters().buffer_flits, 0xffffu)),
      routing_delay_(graph.parameters().routing_delay),
      vc_delay_(graph.parameters().vc_alloc_delay),
      sw_delay_(graph.parameters().sw_alloc_delay),
      ahead_(graph.parameters().router_latency() - routing_delay_ - graph.parameters().switch_delay - 1),
      turns_(turns),
      cut_through_(graph.parameters().switching == Switching::virtual_cut_through),
      speculative_(graph.parameters().speculative),
      matching_(router_count_, all_classes_, ports_) {
  if (ports_ > Matching::max_ports || channels_ >= nobody || router_count_ > nobody)
    throw std::invalid_argument(fmt::format(
        "noc: {} routers with {} ports of {} virtual channels are too many", router_count_, ports_, vcs_));
  const auto& p = graph.parameters();
  const auto endpoints = static_cast<std::uint32_t>(graph.endpoints().size());
  const auto all = static_cast<Channels>((std::uint64_t{1} << vcs_) - 1);
  const std::size_t slots = std::size_t{router_count_} * channels_;
  inject_outputs_ = static_cast<std::uint32_t>(slots);
  plain_ = all_classes_ == 1 && sw_delay_ == 1;
  passes_ = plain_ && vc_delay_ == 1 && routing_delay_ == 0 && turns_.alone > 1;
  asking_.resize(std::size_t{router_count_} * all_classes_ * ports_ * ports_);
  turn_.resize(std::size_t{router_count_} * ports_);
  inputs_.resize(slots);
  queues_.resize(slots);
  outputs_.resize(slots + (std::size_t{endpoints} << shift_),
                  Output{static_cast<std::uint16_t>(depth_), nobody});
  ports_of_.resize(std::size_t{router_count_} * ports_);
  free_.resize(std::size_t{router_count_} * ports_, all);
  waiting_.resize(std::size_t{router_count_} * ports_ * words_);
  grants_.resize(slots);
  accepts_.resize(slots);
  bidding_.resize(std::size_t{router_count_} * port_words_);
  stuck_.resize(bidding_.size());
  active_.resize((router_count_ + 63) / 64);
  allocating_.resize(active_.size());
  sending_.resize((endpoints + 63) / 64);
  sources_.resize(std::size_t{endpoints} * networks_ * classes_);
  senders_.resize(endpoints);
  sinks_.resize(std::size_t{endpoints} * networks_);
  for (std::uint32_t e = 0; e < endpoints; ++e)
    for (std::uint32_t n = 0; n < networks_; ++n)
      sinks_[std::size_t{e} * networks_ + n].delay =
          graph.links()[graph.endpoints()[e].eject].latency + 1 + p.credit_delay;
  for (std::uint32_t v = 0; v < vcs_; ++v) network_of_.push_back(v / (vcs_ / networks_));
  untaken_.resize(std::size_t{endpoints} << shift_);
  granted_.resize(channels_);
  traffic_.resize(graph.links().size());
  counters_.resize(graph.links().size());
  stalls_.resize(graph.links().size());

  std::uint32_t longest = std::max({routing_delay_ + 1, vc_delay_ + sw_delay_, 8u});
  for (const auto& link : graph.links()) {
    paces_.emplace_back(link.interval);
    longest = std::max(longest, link.interval / 1024 + 1);
  }
  for (std::uint32_t r = 0; r < router_count_; ++r) {
    const auto& ports = graph.routers()[r];
    for (std::uint32_t i = 0; i < ports.inputs.size(); ++i) {
      const auto& link = graph.links()[ports.inputs[i]];
      auto& port = ports_of_[std::size_t{r} * ports_ + i];
      const bool inject = link.kind == Link::Kind::inject;
      port.credits_to = inject ? inject_outputs_ + (link.endpoint << shift_)
                               : link.from * channels_ + (link.from_port << shift_);
      port.credit_delay = static_cast<std::uint16_t>(link.latency + 1 + (inject ? 0 : p.credit_delay));
      longest = std::max(longest, std::uint32_t{port.credit_delay});
      if (inject)
        senders_[link.endpoint] = {ports.inputs[i],
                                   link.to << 16 | link.to_port << shift_,
                                   link.latency + 1,
                                   link.interval > 1024,
                                   all,
                                   0,
                                   0,
                                   {}};
    }
    for (std::uint32_t o = 0; o < ports.outputs.size(); ++o) {
      const auto& link = graph.links()[ports.outputs[o]];
      auto& port = ports_of_[std::size_t{r} * ports_ + o];
      port.link_out = ports.outputs[o];
      port.ejects = link.kind == Link::Kind::eject;
      port.paced = link.interval > 1024;
      port.flits_to = port.ejects ? link.endpoint : link.to << 16 | link.to_port << shift_;
      port.flit_delay = static_cast<std::uint16_t>(p.switch_delay + link.latency + 1);
      longest = std::max({longest, std::uint32_t{port.flit_delay}, link.latency + 1 + p.credit_delay});
    }
  }
  ring_ = std::bit_ceil(std::size_t{longest} + 2);
  calendar_.resize(ring_--);

  const bool grid = p.topology == Topology::mesh || p.topology == Topology::concentrated_mesh ||
                    p.topology == Topology::crossbar;
  by_table_ = grid && p.routing == Routing::dimension_order && ports_ <= 256 &&
              std::size_t{router_count_} * endpoints <= (1u << 24);
  if (by_table_) {
    table_.resize(std::size_t{router_count_} * endpoints);
    Candidates ways;
    for (std::uint32_t r = 0; r < router_count_; ++r)
      for (std::uint32_t e = 0; e < endpoints; ++e) {
        route_.route(r, e, e, 0, 0, ways);
        table_[std::size_t{r} * endpoints + e] =
            static_cast<std::uint8_t>(graph.links()[ways[0].link].from_port);
      }
  }
}

// ----------------------------------------------------------------------------------------------------------------
// time

template <class Matching, class Channels>
std::int64_t PacketEngine<Matching, Channels>::next_cycle() const {
  for (const auto* bits : {&active_, &allocating_, &sending_})
    for (const auto word : *bits)
      if (word != 0) return done_ + 1;
  for (std::size_t i = 1; i <= ring_ + 1; ++i)
    if (const auto cycle = done_ + static_cast<std::int64_t>(i);
        !calendar_[static_cast<std::size_t>(cycle) & ring_].empty())
      return wakes_.empty() ? cycle : std::min(cycle, wakes_.top().cycle);
  return wakes_.empty() ? never : wakes_.top().cycle;
}

template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::run(std::int64_t now, std::vector<NetworkEvent>& events) {
  for (std::int64_t cycle; (cycle = next_cycle()) <= now;) {
    step(cycle, events);
    done_ = cycle;
  }
  done_ = std::max(done_, now);
}

template <class Matching, class Channels>
std::int64_t PacketEngine<Matching, Channels>::advance(std::int64_t now, std::vector<NetworkEvent>& events) {
  run(now, events);
  if (!early_.empty()) {
    events.insert(events.end(), early_.begin(), early_.end());
    early_.clear();
  }
  return next_cycle();
}

// -------------------------------------------------------------------------------------------------------------
// channels

template <class Matching, class Channels>
std::uint32_t PacketEngine<Matching, Channels>::new_flight() {
  if (free_flight_ == none) {
    flights_.emplace_back();
    return static_cast<std::uint32_t>(flights_.size() - 1);
  }
  const auto flight = free_flight_;
  free_flight_ = flights_[flight].next;
  return flight;
}

template <class Matching, class Channels>
std::uint32_t PacketEngine<Matching, Channels>::new_place(std::uint32_t flight) {
  if (free_place_ == none) {
    places_.push_back({flight, none});
    return static_cast<std::uint32_t>(places_.size() - 1);
  }
  const auto place = free_place_;
  free_place_ = places_[place].next;
  places_[place] = {flight, none};
  return place;
}

/// A sender's channel has credits again, or (cut-through) more of them.
template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::credited(std::uint32_t output, bool empty, std::int64_t now) {
  if (output >= inject_outputs_) {
    set(sending_, (output - inject_outputs_) >> shift_);
    return;
  }
  const auto router = output / channels_, channel = output % channels_;
  const auto holder = outputs_[output].holder;
  const auto port = std::size_t{router} * ports_ + (channel >> shift_);
  if (holder == nobody) {
    if (!cut_through_) return;
    bool bids = false;
    for (unsigned i = 0; i < words_; ++i) bids |= waiting_[port * words_ + i] != 0;
    if (!bids) return;
    bidding_[router * port_words_ + (channel >> shift_) / 64] |= std::uint64_t{1}
                                                                 << ((channel >> shift_) % 64);
    set(allocating_, router);
    return;
  }
  const auto& in = inputs_[std::size_t{router} * channels_ + holder];
  if (!empty || in.count == 0 || in.left == 0 || in.state < State::ready) return;
  auto& s = stalls_[ports_of_[port].link_out];
  if (s.channels > 0 && --s.channels == 0 && !s.heads) stalled_no_more(ports_of_[port].link_out, now);
  ask(router, holder, in.cls);
}

template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::arrive(const Head& head, std::int64_t now) {
  const auto router = head.to >> 16, channel = head.to & 0xffff;
  const auto index = std::size_t{router} * channels_ + channel;
  const auto place = new_place(head.flight);
  auto& q = queues_[index];
  inputs_[index].count = static_cast<std::uint16_t>(inputs_[index].count + head.flits);
  if (inputs_[index].front == none) {
    inputs_[index].front = q.back = place;
    if (!passes_ || !pass(router, channel, head.flits, now)) come_to_front(router, channel, now, false);
  } else {
    places_[q.back].next = place;
    q.back = place;
  }
}

/// The front packet's head is next in its buffer: at once, or after the tail that leaves in this cycle.
template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::come_to_front(std::uint32_t router, std::uint32_t channel,
                                                     std::int64_t now, bool after_tail) {
  const auto index = std::size_t{router} * channels_ + channel;
  const auto& f = flights_[places_[inputs_[index].front].flight];
  inputs_[index].left = f.flits;
  inputs_[index].cls = static_cast<std::uint8_t>(f.cls + (speculative_ ? 1 : 0));
  if (routing_delay_ > 0)
    at(now + routing_delay_ + (after_tail ? 1 : 0)).routed.push_back(router << 16 | channel);
  else
    bid(router, channel, now + (after_tail ? 1 : 0));
}

/// The output port that a packet takes, and the channels of it.
template <class Matching, class Channels>
inline unsigned PacketEngine<Matching, Channels>::find_way(std::uint32_t router, const Flight& f,
                                                           Channels& wanted) const {
  if (by_table_) {
    wanted = static_cast<Channels>(route_.inject_vcs(f.network));
    return table_[std::size_t{router} * senders_.size() + f.destination];
  }
  Candidates ways;
  const auto count = route_.route(router, f.source, f.destination, f.network, f.drawn, ways);
  unsigned chosen = 0;
  if (count > 1) {
    std::uint32_t room[2] = {};
    for (unsigned i = 0; i < 2; ++i) {
      const auto base = std::size_t{router} * channels_ + (graph_.links()[ways[i].link].from_port << shift_);
      each(ways[i].vcs, [&](unsigned v) { room[i] += outputs_[base + v].credits; });
    }
    chosen = room[1] > room[0] ? 1 : 0;
  }
  wanted = static_cast<Channels>(ways[chosen].vcs);
  return graph_.links()[ways[chosen].link].from_port;
}

/// A head whose ports nobody else wants, and that finds a channel with room, will win the switch in the next
/// cycle: all that follows from it is settled at once. Returns false if it has to bid.
template <class Matching, class Channels>
bool PacketEngine<Matching, Channels>::pass(std::uint32_t router, std::uint32_t channel, std::uint32_t flits,
                                            std::int64_t now) {
  if (flits > 7) return false;
  const auto slots = std::size_t{router} * channels_;
  const auto mask = (1u << shift_) - 1;
  const auto place = inputs_[slots + channel].front;
  const auto flight = places_[place].flight;
  const auto& f = flights_[flight];
  Channels wanted;
  const auto out = find_way(router, f, wanted);
  const auto* const ports = &ports_of_[std::size_t{router} * ports_];
  const auto& to = ports[out];
  const auto& from = ports[channel >> shift_];
  if (to.paced || (bidding_[router * port_words_ + out / 64] >> (out % 64) & 1) != 0) return false;
  auto& free = free_[std::size_t{router} * ports_ + out];
  auto* const outputs = &outputs_[slots + (out << shift_)];
  auto v = vcs_;
  const auto pointer = accepts_[slots + channel];
  for (auto open = static_cast<std::uint32_t>(free & wanted); open != 0;) {
    const auto next = first_from(open, pointer & mask);
    if (outputs[next].credits >= flits && room_for(outputs[next], f.flits)) {
      v = next;
      break;
    }
    open &= ~(1u << next);
  }
  if (v == vcs_ || !matching_.reserve(router, channel >> shift_, out, flits, 1, now)) return false;
  accepts_[slots + channel] = static_cast<std::uint16_t>(v + 1);
  free = static_cast<Channels>(free & ~(Channels{1} << v));
  outputs[v].holder = static_cast<std::uint16_t>(channel);
  outputs[v].credits = static_cast<std::uint16_t>(outputs[v].credits - flits);
  auto& in = inputs_[slots + channel];
  in.count = static_cast<std::uint16_t>(in.count - flits);
  in.left = f.flits - flits;
  in.out = static_cast<std::uint16_t>(out << shift_ | v);
  in.port = static_cast<std::uint16_t>(out);
  in.cls = 0;
  in.state = State::moving;
  traffic_[to.link_out].flits += flits;
  ++traffic_[to.link_out].packets;
  if (bin_ > 0) record_flits(to.link_out, now + 1, flits);
  at(now + 1 + from.credit_delay).credits.push_back({from.credits_to + (channel & mask), flits});
  auto& later = at(now + 1 + to.flit_delay);
  if (to.ejects && in.left == 0) announce(flight, now + 1 + to.flit_delay + flits - 1);
  if (to.ejects)
    later.landings.push_back(
        {static_cast<std::uint32_t>(slots + in.out), to.flits_to, in.left == 0 ? flight : none, flits});
  else
    later.heads.push_back({to.flits_to + v, flight, flits});
  if (in.left == 0) at(now + flits).tails.push_back(router << 16 | channel);
  return true;
}

/// Flits that follow their head when nobody else wants their ports: they go on in the cycle of their arrival.
template <class Matching, class Channels>
bool PacketEngine<Matching, Channels>::follow(std::uint32_t router, std::uint32_t channel,
                                              std::uint32_t flits, std::int64_t now) {
  const auto slots = std::size_t{router} * channels_;
  const auto mask = (1u << shift_) - 1;
  auto& in = inputs_[slots + channel];
  auto& output = outputs_[slots + in.out];
  const auto* const ports = &ports_of_[std::size_t{router} * ports_];
  const auto &from = ports[channel >> shift_], &to = ports[in.port];
  if (output.credits < flits || to.paced || in.state != State::moving) return false;
  if (!matching_.reserve(router, channel >> shift_, in.port, flits, 0, now)) return false;
  output.credits = static_cast<std::uint16_t>(output.credits - flits);
  in.count = static_cast<std::uint16_t>(in.count - flits);
  in.left -= flits;
  traffic_[to.link_out].flits += flits;
  if (bin_ > 0) record_flits(to.link_out, now, flits);
  at(now + from.credit_delay).credits.push_back({from.credits_to + (channel & mask), flits});
  if (to.ejects && in.left == 0) announce(places_[in.front].flight, now + to.flit_delay + flits - 1);
  auto& later = at(now + to.flit_delay);
  if (to.ejects)
    later.landings.push_back({static_cast<std::uint32_t>(slots + in.out), to.flits_to,
                              in.left == 0 ? places_[in.front].flight : none, flits});
  else
    later.bodies.push_back({to.flits_to + (in.out & mask), flits});
  if (in.left == 0) at(now + flits - 1).tails.push_back(router << 16 | channel);
  return true;
}

/// Finds the way and bids for a channel of it from cycle `now`.
template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::bid(std::uint32_t router, std::uint32_t channel, std::int64_t now) {
  const auto index = std::size_t{router} * channels_ + channel;
  auto& in = inputs_[index];
  auto& q = queues_[index];
  const auto& f = flights_[places_[in.front].flight];
  in.port = static_cast<std::uint16_t>(find_way(router, f, q.wanted));
  in.state = State::bidding;
  q.due = now + ahead_;
  waiting_[(std::size_t{router} * ports_ + in.port) * words_ + channel / 64] |= std::uint64_t{1}
                                                                                << (channel % 64);
  bidding_[router * port_words_ + in.port / 64] |= std::uint64_t{1} << (in.port % 64);
  set(allocating_, router);
}

/// One iteration of iSLIP between the heads that bid for a port and its free channels.
template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::allocate(std::uint32_t router, unsigned port, std::int64_t now) {
  const auto slots = std::size_t{router} * channels_;
  const auto port_index = std::size_t{router} * ports_ + port;
  auto* waiting = &waiting_[port_index * words_];
  const auto base = port << shift_;
  winners_.clear();
  auto& bidding = bidding_[router * port_words_ + port / 64];
  auto& stuck_ports = stuck_[router * port_words_ + port / 64];
  const auto port_bit = std::uint64_t{1} << (port % 64);
  if (words_ == 1 &&
      (waiting[0] & (waiting[0] - 1)) == 0) {  // one bidder, or none: it gets what it likes best
    if (waiting[0] == 0) {
      bidding &= ~port_bit;
      return;
    }
    const auto in = static_cast<std::uint32_t>(std::countr_zero(waiting[0]));
    auto offered = static_cast<Channels>(free_[port_index] & queues_[slots + in].wanted);
    if (cut_through_)
      each(offered, [&](unsigned v) {
        if (!room_for(outputs_[slots + base + v], inputs_[slots + in].left))
          offered = static_cast<Channels>(offered & ~(Channels{1} << v));
      });
    if (offered != 0 && vc_delay_ == 1 && (stuck_ports & port_bit) == 0) {
      const auto pointer = accepts_[slots + in];
      const auto v = first_from(offered, pointer <= base || pointer >= base + vcs_ ? 0 : pointer - base);
      grants_[slots + base + v] = static_cast<std::uint16_t>(in + 1 == channels_ ? 0 : in + 1);
      accepts_[slots + in] = static_cast<std::uint16_t>(base + v + 1);
      take(router, in, v, now);
      bidding &= ~port_bit;
      return;
    }
    granted_[in] = offered;
    if (offered != 0) winners_.push_back(in);
  } else {
    each(free_[port_index], [&](unsigned v) {
      const auto& output = outputs_[slots + base + v];
      auto best = none;
      round_from(waiting, words_, grants_[slots + base + v], [&](unsigned in) {
        if ((queues_[slots + in].wanted >> v & 1) == 0 || !room_for(output, inputs_[slots + in].left))
          return false;
        if (best == none || inputs_[slots + in].cls > inputs_[slots + best].cls) best = in;
        return classes_ == 1;
      });
      if (best == none) return;
      if (granted_[best] == 0) winners_.push_back(best);
      granted_[best] = static_cast<Channels>(granted_[best] | Channels{1} << v);
    });
  }
  for (const auto in : winners_) {
    const auto pointer = accepts_[slots + in];
    const auto v = first_from(granted_[in], pointer <= base || pointer >= base + vcs_ ? 0 : pointer - base);
    granted_[in] = 0;
    grants_[slots + base + v] = static_cast<std::uint16_t>(in + 1 == channels_ ? 0 : in + 1);
    accepts_[slots + in] = static_cast<std::uint16_t>(base + v + 1);
    if (vc_delay_ == 1) {
      take(router, in, v, now);
    } else {
      waiting[in / 64] &= ~(std::uint64_t{1} << (in % 64));
      at(now + vc_delay_ - 1).bids.push_back({router << 16 | in, v});
    }
  }
  bool left = false;
  for (unsigned w = 0; w < words_; ++w) {
    if (vc_delay_ > 1 && !winners_.empty()) {
      each(waiting[w], [&](unsigned b) {
        at(now + vc_delay_ - 1).bids.push_back({router << 16 | (w * 64 + b), none});
      });
      waiting[w] = 0;
    }
    left |= waiting[w] != 0;
  }
  const bool stuck = left && (winners_.empty() || free_[port_index] == 0);
  if (stuck != ((stuck_ports & port_bit) != 0)) {
    stuck_ports ^= port_bit;
    const auto link = ports_of_[port_index].link_out;
    auto& s = stalls_[link];
    const bool before = stalls(s);
    s.heads = stuck;
    if (stuck && !before) stall(link, now, bin_ > 0 ? wanted_behind(router, base) : none);
    if (before && !stalls(s)) stalled_no_more(link, now);
  }
  if (!left || winners_.empty() || free_[port_index] == 0) bidding &= ~port_bit;
}

template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::take(std::uint32_t router, std::uint32_t channel, unsigned out_channel,
                                            std::int64_t) {
  const auto slots = std::size_t{router} * channels_;
  auto& in = inputs_[slots + channel];
  const auto port_index = std::size_t{router} * ports_ + in.port;
  const auto out = std::uint32_t{in.port} << shift_ | out_channel;
  in.out = static_cast<std::uint16_t>(out);
  in.state = State::ready;
  outputs_[slots + out].holder = static_cast<std::uint16_t>(channel);
  free_[port_index] = static_cast<Channels>(free_[port_index] & ~(Channels{1} << out_channel));
  waiting_[port_index * words_ + channel / 64] &= ~(std::uint64_t{1} << (channel % 64));
  fresh_.push_back(router << 16 | channel);
}

// ---------------------------------------------------------------------------------------------------------------
// switch

template <class Matching, class Channels>
inline void PacketEngine<Matching, Channels>::ask(std::uint32_t router, std::uint32_t channel, unsigned cls) {
  const auto& in = inputs_[std::size_t{router} * channels_ + channel];
  const auto port = channel >> shift_;
  auto& asked = asking(router, cls, port, in.port);
  asked = static_cast<Channels>(asked | Channels{1} << (channel & ((1u << shift_) - 1)));
  matching_.request(router, cls, port, in.port);
  set(active_, router);
}

/// A packet has a channel and a flit: it asks for the switch, or waits for credits.
template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::activate(std::uint32_t in, std::int64_t now) {
  const auto router = in >> 16, channel = in & 0xffff;
  const auto& input = inputs_[std::size_t{router} * channels_ + channel];
  if (input.count == 0) return;
  if (outputs_[std::size_t{router} * channels_ + input.out].credits > 0) {
    ask(router, channel, input.cls);
  } else {
    const auto link = ports_of_[std::size_t{router} * ports_ + input.port].link_out;
    if (!stalls(stalls_[link])) stall(link, now, bin_ > 0 ? wanted_behind(router, input.out) : none);
    ++stalls_[link].channels;
  }
}

/// Of the bids for the switch that ran along with those for channels, one of each new holder of a channel
/// becomes valid: the last that has begun and not ended. They are a class of their own, below all others.
template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::bid_ahead(std::int64_t now) {
  std::size_t kept = 0;
  for (const auto f : fresh_) {
    const auto index = std::size_t{f >> 16} * channels_ + (f & 0xffff);
    const auto& in = inputs_[index];
    const auto first = queues_[index].due - ahead_;
    const auto begin = first + (now - first) / sw_delay_ * sw_delay_;
    const bool ended = begin + sw_delay_ <= now + 1 && (vc_delay_ > 1 || sw_delay_ > 1);
    if (ended || in.count == 0 || outputs_[std::size_t{f >> 16} * channels_ + in.out].credits == 0) {
      fresh_[kept++] = f;
      continue;
    }
    queues_[index].early = static_cast<std::uint16_t>(now - begin);
    queues_[index].leading = true;
    ask(f >> 16, f & 0xffff, 0);
    leading_.push_back(f);
  }
  fresh_.resize(kept);
}

/// A speculative bid that won nothing asks again as any other.
template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::fall_back(std::uint32_t f, std::int64_t now) {
  const auto router = f >> 16, channel = f & 0xffff;
  auto& q = queues_[std::size_t{router} * channels_ + channel];
  if (!q.leading) return;
  q.leading = false;
  q.early = 0;
  const auto port = channel >> shift_,
             out = std::uint32_t{inputs_[std::size_t{router} * channels_ + channel].port};
  auto& asked = asking(router, 0, port, out);
  asked = static_cast<Channels>(asked & ~(Channels{1} << (channel & ((1u << shift_) - 1))));
  matching_.withdraw(router, 0, port, out, asked == 0);
  activate(f, now);
}

/// A flit goes out at cycle `when`: a link slower than one flit a cycle is off until its next can be granted.
template <class Matching, class Channels>
inline void PacketEngine<Matching, Channels>::pace(std::uint32_t router, unsigned out, std::int64_t when,
                                                   unsigned ahead, std::int64_t now) {
  const auto& port = ports_of_[std::size_t{router} * ports_ + out];
  if (!port.paced) return;
  auto& p = paces_[port.link_out];
  p.take(when);
  if (const auto next = p.next(when + 1) - ahead; next > now + 1) {
    matching_.enable(router, out, false);
    at(next).paced.push_back(router << 16 | out);
  }
}

/// Flits go through the switch, at most so many.
template <class Matching, class Channels>
template <bool plain>
[[gnu::always_inline]] inline void PacketEngine<Matching, Channels>::move(std::uint32_t router,
                                                                          std::uint32_t channel,
                                                                          std::uint32_t most, Channels& asked,
                                                                          std::int64_t now) {
  const auto slots = std::size_t{router} * channels_;
  const auto mask = (1u << shift_) - 1;
  const auto port = channel >> shift_;
  auto& in = inputs_[slots + channel];
  auto& output = outputs_[slots + in.out];
  const auto* const ports = &ports_of_[std::size_t{router} * ports_];
  const auto &from = ports[port], &to = ports[in.port];
  const auto flits =
      std::min(std::min(std::uint32_t{in.count}, std::uint32_t{output.credits}), std::min(in.left, most));
  const auto left = in.left - flits, count = in.count - flits, credits = output.credits - flits;
  in.count = static_cast<std::uint16_t>(count);
  in.left = left;
  output.credits = static_cast<std::uint16_t>(credits);
  traffic_[to.link_out].flits += flits;
  at(now + from.credit_delay).credits.push_back({from.credits_to + (channel & mask), flits});
  if (flits > 1) matching_.occupy(router, port, in.port, flits);
  auto& later = at(now + to.flit_delay);
  const bool head = in.state == State::ready;
  if (head) {
    in.state = State::moving;
    ++traffic_[to.link_out].packets;
    const auto due = queues_[slots + channel].due;
    if (now > due) counters_[to.link_out].waited_cycles += static_cast<std::uint64_t>(now - due);
    if (bin_ > 0) record_wait(to.link_out, due, now);
  }
  if (to.ejects && left == 0) announce(places_[in.front].flight, now + to.flit_delay + flits - 1);
  if (to.ejects)
    later.landings.push_back({static_cast<std::uint32_t>(slots + in.out), to.flits_to,
                              left == 0 ? places_[in.front].flight : none, flits});
  else if (head)
    later.heads.push_back({to.flits_to + (in.out & mask), places_[in.front].flight, flits});
  else
    later.bodies.push_back({to.flits_to + (in.out & mask), flits});
  if (bin_ > 0) record_flits(to.link_out, now, flits);
  if (to.paced && (plain || sw_delay_ == 1)) pace(router, in.port, now, 0, now);
  const bool again = count > 0 && credits > 0 && left > 0;
  if (plain || sw_delay_ == 1) {
    if (!again) {
      asked = static_cast<Channels>(asked & ~(Channels{1} << (channel & mask)));
      matching_.withdraw(router, plain ? 0 : in.cls, port, in.port, asked == 0);
    } else if (!plain) {
      ask(router, channel, in.cls);
    }
  } else if (again) {
    ask(router, channel, in.cls);
  }
  if (left == 0) {
    if (flits == 1)
      tails_.push_back(router << 16 | channel);
    else
      at(now + flits - 1).tails.push_back(router << 16 | channel);
  } else if (credits == 0 && count > 0) {
    if (!stalls(stalls_[to.link_out]))
      stall(to.link_out, now + flits, bin_ > 0 ? wanted_behind(router, in.out) : none);
    ++stalls_[to.link_out].channels;
  }
}

template <class Matching, class Channels>
template <bool plain>
[[gnu::always_inline]] inline void PacketEngine<Matching, Channels>::grant(std::uint32_t router, unsigned in,
                                                                           unsigned out, unsigned cls,
                                                                           std::int64_t now) {
  auto& asked = asking(router, plain ? 0 : cls, in, out);
  auto& turn = turn_[std::size_t{router} * ports_ + in];
  const auto v = first_from(asked, turn);
  turn = static_cast<std::uint16_t>(v + 1 == vcs_ ? 0 : v + 1);
  const auto channel = in << shift_ | v;
  auto most = turns_.contended;
  if ((asked & (asked - 1)) == 0 && matching_.alone(router, in, out)) most = turns_.alone;
  if (ports_of_[std::size_t{router} * ports_ + out].paced) most = 1;
  if constexpr (plain) {
    move<true>(router, channel, most, asked, now);
    return;
  }
  auto& q = queues_[std::size_t{router} * channels_ + channel];
  const bool leads = speculative_ && cls == 0;
  if (leads || sw_delay_ > 1) {
    asked = static_cast<Channels>(asked & ~(Channels{1} << v));
    matching_.withdraw(router, cls, in, out, asked == 0);
  }
  const auto when = now + sw_delay_ - 1 - q.early;
  q.early = 0;
  q.leading = false;
  if (sw_delay_ == 1) {
    move<false>(router, channel, most,
                asking(router, inputs_[std::size_t{router} * channels_ + channel].cls, in, out), now);
  } else {
    pace(router, out, when, sw_delay_ - 1, now);
    at(when).moves.push_back(router << 16 | channel);
  }
}

/// Matches the ports of a router. Returns whether anybody asks still.
template <class Matching, class Channels>
template <bool plain>
[[gnu::always_inline]] inline bool PacketEngine<Matching, Channels>::visit(std::uint32_t router,
                                                                           std::int64_t now) {
  matching_.template match<plain>(
      router, now, [&](unsigned in, unsigned out, unsigned cls) { grant<plain>(router, in, out, cls, now); });
  return matching_.any(router);
}

template <class Matching, class Channels>
template <bool plain>
void PacketEngine<Matching, Channels>::switch_all(std::int64_t now) {
  for (std::size_t w = 0; w < active_.size(); ++w) {
    std::uint64_t stay = 0;
    for (auto bits = active_[w]; bits != 0; bits &= bits - 1) {
      const auto b = static_cast<unsigned>(std::countr_zero(bits));
      stay |= std::uint64_t{visit<plain>(static_cast<std::uint32_t>(w * 64 + b), now)} << b;
    }
    active_[w] = stay;
  }
}

/// A tail has left: its channel is free, the next packet comes to the front.
template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::finish(std::uint32_t router, std::uint32_t channel, std::int64_t now) {
  const auto slots = std::size_t{router} * channels_;
  auto& in = inputs_[slots + channel];
  outputs_[slots + in.out].holder = nobody;
  const auto port = std::size_t{router} * ports_ + in.port;
  free_[port] = static_cast<Channels>(free_[port] | Channels{1} << (in.out & ((1u << shift_) - 1)));
  for (unsigned w = 0; w < words_; ++w)
    if (waiting_[port * words_ + w] != 0) {
      bidding_[router * port_words_ + in.port / 64] |= std::uint64_t{1} << (in.port % 64);
      set(allocating_, router);
    }
  const auto place = in.front;
  in.front = places_[place].next;
  places_[place].next = free_place_;
  free_place_ = place;
  in.state = State::idle;
  if (in.front != none) come_to_front(router, channel, now, true);
}

// ----------------------------------------------------------------------------------------------------------------
// cycle

template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::step(std::int64_t now, std::vector<NetworkEvent>& events) {
  auto& cycle = at(now);
  for (const auto& c : cycle.credits) {
    auto& credits = outputs_[c.output].credits;
    const bool empty = credits == 0;
    credits = static_cast<std::uint16_t>(credits + c.flits);
    if (empty || cut_through_) credited(c.output, empty, now);
  }
  cycle.credits.clear();
  for (const auto& b : cycle.bodies) {
    auto& in = inputs_[std::size_t{b.to >> 16} * channels_ + (b.to & 0xffff)];
    const bool empty = in.count == 0;
    in.count = static_cast<std::uint16_t>(in.count + b.flits);
    if (empty && in.left > 0 && in.state >= State::ready &&
        (!passes_ || !follow(b.to >> 16, b.to & 0xffff, b.flits, now)))
      activate(b.to, now);
  }
  cycle.bodies.clear();
  for (const auto& head : cycle.heads) arrive(head, now);
  cycle.heads.clear();
  for (const auto& landing : cycle.landings) land(landing, now);
  cycle.landings.clear();
  for (const auto& landing : cycle.tails_landing) deliver(landing, now);
  cycle.tails_landing.clear();
  if (!cycle.routed.empty()) {
    for (const auto in : cycle.routed) bid(in >> 16, in & 0xffff, now);
    cycle.routed.clear();
  }
  if (!cycle.paced.empty()) {
    for (const auto out : cycle.paced) {
      matching_.enable(out >> 16, out & 0xffff, true);
      set(active_, out >> 16);
    }
    cycle.paced.clear();
  }
  if (!cycle.wakes.empty()) {
    for (const auto endpoint : cycle.wakes) set(sending_, endpoint);
    cycle.wakes.clear();
  }
  for (; !wakes_.empty() && wakes_.top().cycle <= now; wakes_.pop()) set(sending_, wakes_.top().endpoint);

  // Channel allocation, on what is free as the cycle begins.
  fresh_.clear();
  for (std::size_t w = 0; w < allocating_.size(); ++w)
    each(allocating_[w], [&](unsigned b) {
      const auto router = static_cast<std::uint32_t>(w * 64 + b);
      std::uint64_t again = 0;
      for (std::uint32_t i = 0; i < port_words_; ++i) {
        each(bidding_[router * port_words_ + i], [&](unsigned o) { allocate(router, i * 64 + o, now); });
        again |= bidding_[router * port_words_ + i];
      }
      if (again == 0) allocating_[w] &= ~(std::uint64_t{1} << b);
    });
  if (!cycle.bids.empty()) {
    for (const auto& result : cycle.bids) {
      const auto router = result.in >> 16, channel = result.in & 0xffff;
      const auto& in = inputs_[std::size_t{router} * channels_ + channel];
      const auto flits = in.left;
      const auto port = std::size_t{router} * ports_ + in.port;
      if (result.channel != none && (free_[port] >> result.channel & 1) != 0 &&
          room_for(
              outputs_[std::size_t{router} * channels_ + (std::uint32_t{in.port} << shift_ | result.channel)],
              flits)) {
        take(router, channel, result.channel, now);
      } else {
        waiting_[port * words_ + channel / 64] |= std::uint64_t{1} << (channel % 64);
        bidding_[router * port_words_ + in.port / 64] |= std::uint64_t{1} << (in.port % 64);
        set(allocating_, router);
      }
    }
    cycle.bids.clear();
  }
  leading_.clear();
  if (speculative_) bid_ahead(now);

  // Switch allocation.
  tails_.clear();
  if (plain_)
    switch_all<true>(now);
  else
    switch_all<false>(now);
  if (!cycle.moves.empty()) {
    for (const auto in : cycle.moves) {
      const auto& input = inputs_[std::size_t{in >> 16} * channels_ + (in & 0xffff)];
      move<false>(in >> 16, in & 0xffff, 1, asking(in >> 16, input.cls, (in & 0xffff) >> shift_, input.port),
                  now);
    }
    cycle.moves.clear();
  }
  for (const auto in : tails_) finish(in >> 16, in & 0xffff, now);
  for (const auto in : cycle.tails) finish(in >> 16, in & 0xffff, now);
  cycle.tails.clear();
  for (const auto in : fresh_) activate(in, now);
  for (const auto in : leading_) fall_back(in, now);

  // Endpoints: channels that a tail leaves in this cycle are free in the next.
  for (std::size_t w = 0; w < sending_.size(); ++w)
    each(sending_[w], [&](unsigned b) {
      if (!send(static_cast<std::uint32_t>(w * 64 + b), now)) sending_[w] &= ~(std::uint64_t{1} << b);
    });
  for (const auto& departure : cycle.departures) depart(departure, now, events);
  cycle.departures.clear();
}

// ------------------------------------------------------------------------------------------------------------
// endpoints

template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::inject(Packet& packet) {
  const auto flight = new_flight();
  packet.slot = flight;
  // With one virtual network requests and responses share it.
  const auto network = static_cast<std::uint8_t>(std::min<std::uint32_t>(packet.network, networks_ - 1));
  packet.drawn = route_.draw(drawn_[network]++);
  flights_[flight] = {&packet,
                      packet.source,
                      packet.destination,
                      packet.flits,
                      packet.drawn,
                      none,
                      0,
                      network,
                      static_cast<std::uint8_t>(std::min<std::uint32_t>(packet.priority, classes_ - 1)),
                      false};
  auto& source =
      sources_[(std::size_t{packet.source} * networks_ + network) * classes_ + flights_[flight].cls];
  const bool first = source.head == none;
  (first ? source.head : flights_[source.tail].next) = flight;
  source.tail = flight;
  ++inside_;
  if (!first) return;
  if (packet.born <= done_ + 1)
    set(sending_, packet.source);
  else
    wakes_.push({packet.born, packet.source});
}

/// A tail has left its source queue.
template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::depart(const Departure& departure, std::int64_t now,
                                              std::vector<NetworkEvent>& events) {
  auto& free = senders_[departure.endpoint].free;
  free = static_cast<Channels>(free | Channels{1} << departure.channel);
  events.push_back({now, NetworkEvent::What::injected, flights_[departure.flight].packet});
}

/// Flits from an endpoint into its router: the higher class first, then the virtual networks in turn. Returns
/// whether to come again in the next cycle.
template <class Matching, class Channels>
bool PacketEngine<Matching, Channels>::send(std::uint32_t endpoint, std::int64_t now) {
  auto& sender = senders_[endpoint];
  if (const auto next =
          sender.paced ? std::max(paces_[sender.link].next(now), sender.busy_until) : sender.busy_until;
      next > now) {
    at(next).wakes.push_back(endpoint);
    return false;
  }
  const auto outputs = inject_outputs_ + (endpoint << shift_);
  std::int64_t later = never;
  for (auto cls = classes_; cls-- > 0;)
    for (std::uint32_t i = 0; i < networks_; ++i) {
      const auto network = sender.turn + i < networks_ ? sender.turn + i : sender.turn + i - networks_;
      auto& source = sources_[(std::size_t{endpoint} * networks_ + network) * classes_ + cls];
      bool head = false;
      if (source.flight == none) {
        if (source.head == none) continue;
        auto& f = flights_[source.head];
        if (f.packet->born > now) {
          later = std::min(later, f.packet->born);
          continue;
        }
        auto free = static_cast<std::uint32_t>(sender.free & route_.inject_vcs(network));
        if (cut_through_)
          each(free,
               [&](unsigned v) { free &= ~(std::uint32_t{!room_for(outputs_[outputs + v], f.flits)} << v); });
        if (free == 0) continue;
        const auto v = first_from(free, (sender.last[network] + 1u) % vcs_);
        sender.last[network] = static_cast<std::uint8_t>(v);
        sender.free = static_cast<Channels>(sender.free & ~(Channels{1} << v));
        source.flight = source.head;
        source.head = f.next;
        source.left = f.flits;
        source.channel = static_cast<std::uint8_t>(v);
      }
      auto& output = outputs_[outputs + source.channel];
      if (output.credits == 0) continue;
      const auto& f = flights_[source.flight];
      head = source.left == f.flits;
      const auto most = sender.paced ? 1u : networks_ * classes_ == 1 ? turns_.alone : turns_.contended;
      const auto flits = std::min(std::min(source.left, std::uint32_t{output.credits}), most);
      output.credits = static_cast<std::uint16_t>(output.credits - flits);
      source.left -= flits;
      traffic_[sender.link].flits += flits;
      const auto to = sender.to + source.channel;
      if (head) {
        at(now + sender.delay).heads.push_back({to, source.flight, flits});
        ++traffic_[sender.link].packets;
        if (now > f.packet->born)
          counters_[sender.link].waited_cycles += static_cast<std::uint64_t>(now - f.packet->born);
        if (bin_ > 0) record_wait(sender.link, f.packet->born, now);
      } else {
        at(now + sender.delay).bodies.push_back({to, flits});
      }
      if (bin_ > 0) record_flits(sender.link, now, flits);
      if (sender.paced) paces_[sender.link].take(now);
      sender.busy_until = now + flits;
      sender.turn = network + 1 == networks_ ? 0 : network + 1;
      if (source.left == 0) {
        at(now + flits - 1).departures.push_back({endpoint, source.channel, source.flight});
        source.flight = none;
      }
      if (flits == 1) return true;
      at(now + flits).wakes.push_back(endpoint);
      return false;
    }
  if (later != never) wakes_.push({later, endpoint});
  return false;
}

/// Flits arrive at their endpoint.
template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::land(const Landing& landing, std::int64_t now) {
  const auto channel = landing.output & ((1u << shift_) - 1);
  const auto& sink = sinks_[std::size_t{landing.endpoint} * networks_ + network_of_[channel]];
  if (sink.held == 0)
    at(now + sink.delay).credits.push_back({landing.output, landing.flits});
  else
    untaken_[(std::size_t{landing.endpoint} << shift_) + channel] += landing.flits;
  if (landing.flight == none) return;
  if (landing.flits == 1)
    deliver(landing, now);
  else
    at(now + landing.flits - 1).tails_landing.push_back(landing);
}

/// A tail has arrived.
template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::deliver(const Landing& landing, std::int64_t now) {
  const auto channel = landing.output & ((1u << shift_) - 1);
  auto& untaken = untaken_[(std::size_t{landing.endpoint} << shift_) + channel];
  auto& f = flights_[landing.flight];
  if (f.released) {
    if (untaken > 0)
      at(now + sinks_[std::size_t{landing.endpoint} * networks_ + f.network].delay)
          .credits.push_back({landing.output, untaken});
    untaken = 0;
    f.released = false;
    f.next = free_flight_;
    free_flight_ = landing.flight;
    return;
  }
  f.delivered = true;
  f.untaken = untaken;
  f.next = landing.output;  // where its credits go
  untaken = 0;
  ++sinks_[std::size_t{landing.endpoint} * networks_ + f.network].held;
}

template <class Matching, class Channels>
std::int64_t PacketEngine<Matching, Channels>::release(Packet& packet, std::int64_t now) {
  if (now > done_ + 1) run(now - 1, early_);
  const auto flight = packet.slot;
  auto& f = flights_[flight];
  if (!f.delivered) {  // its tail arrives in the cycle `now`, which is not done yet
    f.released = true;
    f.packet = nullptr;
    --inside_;
    return early_.empty() ? next_cycle() : done_;
  }
  auto& sink = sinks_[std::size_t{f.destination} * networks_ + f.network];
  auto& returns = at(std::max(now, done_) + sink.delay).credits;
  if (f.untaken > 0) returns.push_back({f.next, f.untaken});
  if (--sink.held == 0) {
    const auto first = f.network * (vcs_ / networks_);
    auto* const untaken = &untaken_[std::size_t{f.destination} << shift_];
    const auto output = f.next - (f.next & ((1u << shift_) - 1));
    for (auto v = first; v < first + vcs_ / networks_; ++v)
      if (untaken[v] > 0) {
        returns.push_back({output + v, untaken[v]});
        untaken[v] = 0;
      }
  }
  f.next = free_flight_;
  f.packet = nullptr;
  free_flight_ = flight;
  --inside_;
  return early_.empty() ? next_cycle() : done_;
}

// -----------------------------------------------------------------------------------------------------------
// statistics

template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::stall(std::uint32_t link, std::int64_t from, std::uint32_t behind) {
  auto& s = stalls_[link];
  s.since = from;
  s.flits = traffic_[link].flits;
  s.behind = behind;
}

template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::settle(std::uint32_t link, std::int64_t now) const {
  auto& s = stalls_[link];
  const auto moved = static_cast<std::int64_t>(traffic_[link].flits - s.flits);
  if (const auto idle = now - s.since - moved; idle > 0) {
    counters_[link].blocked_cycles += static_cast<std::uint64_t>(idle);
    if (bin_ > 0) blames_[std::uint64_t{link} << 32 | s.behind] += static_cast<std::uint64_t>(idle);
  }
  s.since = now;
  s.flits = traffic_[link].flits;
}

template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::stalled_no_more(std::uint32_t link, std::int64_t now) {
  settle(link, now);
}

/// The link that the packet at the front of the buffer behind an output channel wants.
template <class Matching, class Channels>
std::uint32_t PacketEngine<Matching, Channels>::wanted_behind(std::uint32_t router, unsigned out) const {
  const auto& port = ports_of_[std::size_t{router} * ports_ + (out >> shift_)];
  if (port.ejects) return none;
  const auto far = port.flits_to + (out & ((1u << shift_) - 1));
  const auto& in = inputs_[std::size_t{far >> 16} * channels_ + (far & 0xffff)];
  if (in.state == State::idle) return none;
  return ports_of_[std::size_t{far >> 16} * ports_ + in.port].link_out;
}

template <class Matching, class Channels>
const LinkCounters& PacketEngine<Matching, Channels>::counters(std::uint32_t link) const {
  if (stalls(stalls_[link])) settle(link, std::max(stalls_[link].since, done_ + 1));
  counters_[link].flits = traffic_[link].flits;
  counters_[link].packets = traffic_[link].packets;
  return counters_[link];
}

template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::reset_counters() {
  std::fill(counters_.begin(), counters_.end(), LinkCounters{});
  std::fill(traffic_.begin(), traffic_.end(), Traffic{});
  for (auto& s : stalls_) s.since = done_ + 1, s.flits = 0;
  blames_.clear();
}

template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::record(std::int64_t bin_cycles) {
  bin_ = bin_cycles;
  recorded_from_ = done_ + 1;
  bins_.assign(bin_ > 0 ? counters_.size() : 0, {});
}

template <class Matching, class Channels>
LinkBin& PacketEngine<Matching, Channels>::bin_at(std::uint32_t link, std::int64_t cycle) {
  const auto i = static_cast<std::size_t>(std::max<std::int64_t>(cycle - recorded_from_, 0) / bin_);
  if (bins_[link].size() <= i) bins_[link].resize(i + 1);
  return bins_[link][i];
}

template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::record_flits(std::uint32_t link, std::int64_t now,
                                                    std::uint32_t flits) {
  bin_at(link, now).flits += flits;
}

template <class Matching, class Channels>
void PacketEngine<Matching, Channels>::record_wait(std::uint32_t link, std::int64_t from, std::int64_t to) {
  for (from = std::max(from, recorded_from_); from < to;) {
    const auto end = std::min(to, recorded_from_ + ((from - recorded_from_) / bin_ + 1) * bin_);
    bin_at(link, from).waiting += static_cast<std::uint32_t>(end - from);
    from = end;
  }
}

template <class Matching, class Channels>
std::vector<LinkBin> PacketEngine<Matching, Channels>::bins(std::uint32_t link) const {
  return bin_ > 0 ? bins_[link] : std::vector<LinkBin>{};
}

template <class Matching, class Channels>
std::vector<Blame> PacketEngine<Matching, Channels>::blames() const {
  std::vector<Blame> result;
  for (std::uint32_t link = 0; link < stalls_.size(); ++link)
    if (stalls(stalls_[link])) settle(link, std::max(stalls_[link].since, done_ + 1));
  for (const auto& [key, cycles] : blames_)
    result.push_back({static_cast<std::uint32_t>(key >> 32), static_cast<std::uint32_t>(key), cycles});
  std::sort(result.begin(), result.end(), [](const Blame& a, const Blame& b) {
    if (a.cycles != b.cycles) return a.cycles > b.cycles;
    return a.link != b.link ? a.link < b.link : a.behind < b.behind;
  });
  return result;
}

/// The packet at the front of a far buffer.
template <class Matching, class Channels>
const Packet* PacketEngine<Matching, Channels>::front_packet(std::uint32_t far) const {
  const auto front = inputs_[std::size_t{far >> 16} * channels_ + (far & 0xffff)].front;
  return front == none ? nullptr : flights_[places_[front].flight].packet;
}

/// Who stands in the way of packets that want a channel of a link or a credit of it.
template <class Matching, class Channels>
const Packet* PacketEngine<Matching, Channels>::in_the_way(std::uint32_t router, unsigned out,
                                                           std::uint32_t network) const {
  const auto& output = outputs_[std::size_t{router} * channels_ + out];
  if (output.holder != nobody && output.credits > 0) return front_packet(router << 16 | output.holder);
  const auto& port = ports_of_[std::size_t{router} * ports_ + (out >> shift_)];
  if (!port.ejects) {
    const auto* front = front_packet(port.flits_to + (out & ((1u << shift_) - 1)));
    return front != nullptr || output.holder == nobody ? front : front_packet(router << 16 | output.holder);
  }
  for (const auto& f : flights_)
    if (f.packet != nullptr && f.delivered && f.destination == port.flits_to && f.network == network)
      return f.packet;
  return output.holder == nobody ? nullptr : front_packet(router << 16 | output.holder);
}

template <class Matching, class Channels>
std::vector<Wait> PacketEngine<Matching, Channels>::waits() const {
  std::vector<Wait> result;
  const auto mask = (1u << shift_) - 1;
  for (const auto& f : flights_)
    if (f.packet != nullptr && f.delivered)
      result.push_back({f.packet, graph_.endpoints()[f.destination].eject, none, nullptr});
  for (std::uint32_t router = 0; router < router_count_; ++router)
    for (std::uint32_t channel = 0; channel < channels_; ++channel) {
      const auto slots = std::size_t{router} * channels_;
      const auto& q = queues_[slots + channel];
      const auto& in = inputs_[slots + channel];
      if (in.front == none) continue;
      const auto here = graph_.routers()[router].inputs[channel >> shift_];
      const auto& front = flights_[places_[in.front].flight];
      if (in.state == State::bidding || in.state == State::ready) {
        const auto out = in.state == State::ready ? in.out
                                                  : static_cast<unsigned>(in.port) << shift_ |
                                                        static_cast<unsigned>(std::countr_zero(q.wanted));
        const auto* holder = in_the_way(router, out, front.network);
        result.push_back({front.packet, here, ports_of_[std::size_t{router} * ports_ + in.port].link_out,
                          holder == front.packet ? nullptr : holder});
      }
      const auto* before = front.packet;
      for (auto place = places_[in.front].next; place != none; place = places_[place].next) {
        const auto& f = flights_[places_[place].flight];
        Candidates ways;
        route_.route(router, f.source, f.destination, f.network, f.drawn, ways);
        result.push_back({f.packet, here, ways[0].link, before});
        before = f.packet;
      }
    }
  for (std::size_t i = 0; i < sources_.size(); ++i) {
    const auto& s = sources_[i];
    const auto endpoint = static_cast<std::uint32_t>(i / classes_ / networks_);
    const auto network = static_cast<std::uint32_t>(i / classes_ % networks_);
    const auto link = senders_[endpoint].link;
    const auto& to = graph_.links()[link];
    const Packet* before = s.flight == none ? nullptr : flights_[s.flight].packet;
    if (before != nullptr &&
        s.left == flights_[s.flight].flits)  // it has a channel, but not even its head has left
      result.push_back({before, link, link, front_packet(to.to << 16 | (to.to_port << shift_ | s.channel))});
    else if (before == nullptr && s.head != none)
      before = front_packet(to.to << 16 |
                            (to.to_port << shift_ |
                             (static_cast<unsigned>(std::countr_zero(route_.inject_vcs(network))) & mask)));
    for (auto flight = s.head; flight != none; flight = flights_[flight].next) {
      if (flights_[flight].packet->born > done_) break;
      result.push_back({flights_[flight].packet, link, link, before});
      before = flights_[flight].packet;
    }
  }
  return result;
}

template class PacketEngine<ByteMatching, std::uint16_t>;
template class PacketEngine<WordMatching, std::uint32_t>;

std::unique_ptr<Network> make_packet_network(const Graph& graph, PacketTurns turns) {
  if (most_ports(graph) <= ByteMatching::max_ports && graph.parameters().total_vcs() <= 8)
    return std::make_unique<PacketEngine<ByteMatching, std::uint16_t>>(graph, turns);
  return std::make_unique<PacketEngine<WordMatching, std::uint32_t>>(graph, turns);
}

std::unique_ptr<Network> make_packet_network(const Graph& graph) {
  return make_packet_network(graph, PacketTurns{});
}

}  // namespace forerun::ip::noc
