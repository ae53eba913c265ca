// SPDX-License-Identifier: Apache-2.0
#include "ip/noc/packet/engine.hpp"

#include "ip/noc/packet/channels.hpp"
#include "ip/noc/packet/crossing.hpp"
#include "ip/noc/packet/ends.hpp"

namespace forerun::ip::noc {

template <class Matching, bool plain>
std::int64_t PacketEngine<Matching, plain>::next_cycle() const {
  for (const auto* bits : {&active_, &allocating_, &sending_})
    for (const auto word : *bits)
      if (word != 0) return done_ + 1;
  const auto later = wakes_.empty() ? never : wakes_.top().cycle;
  for (std::size_t i = 1; i <= ring_ + 1; ++i)
    if (const auto cycle = done_ + static_cast<std::int64_t>(i);
        calendar_[static_cast<std::size_t>(cycle) & ring_] != nullptr)
      return std::min(cycle, later);
  return later;
}

template <class Matching, bool plain>
Cycle* PacketEngine<Matching, plain>::new_cycle() {
  if (spare_.empty()) {
    cycles_.push_back(std::make_unique<Cycle>());
    return cycles_.back().get();
  }
  auto* const cycle = spare_.back();
  spare_.pop_back();
  return cycle;
}

template <class Matching, bool plain>
std::int64_t PacketEngine<Matching, plain>::run(std::int64_t now, std::vector<NetworkEvent>& events) {
  auto cycle = next_cycle();
  for (; cycle <= now; cycle = next_cycle()) {
    step(cycle, events);
    done_ = cycle;
  }
  done_ = std::max(done_, now);
  return cycle;
}

template <class Matching, bool plain>
std::int64_t PacketEngine<Matching, plain>::advance(std::int64_t now, std::vector<NetworkEvent>& events) {
  const auto next = run(now, events);
  if (!early_.empty()) {
    events.insert(events.end(), early_.begin(), early_.end());
    early_.clear();
  }
  return next;
}

// The parts of a cycle are functions of their own, not inlined: each is a loop that needs all registers.

template <class Matching, bool plain>
[[gnu::noinline]] void PacketEngine<Matching, plain>::take_credits(Cycle& cycle, std::int64_t now) {
  auto* const outputs = outputs_.data();
  for (const auto& c : cycle.credits) {
    auto& credits = outputs[c.output].credits;
    const bool empty = credits == 0;
    credits = static_cast<std::uint16_t>(credits + c.flits);
    if (empty || cuts_through()) credited(c.output, empty, now);
  }
  cycle.credits.clear();
}

template <class Matching, bool plain>
[[gnu::noinline]] void PacketEngine<Matching, plain>::take_bodies(Cycle& cycle, std::int64_t now) {
  for (const auto& b : cycle.bodies) {
    auto& in = inputs_[b.to];
    const bool empty = in.count == 0;
    in.count = static_cast<std::uint16_t>(in.count + b.flits);
    if (empty && in.left > 0 && in.state >= State::ready && !(passes_ && follow(b.to, in, b.flits, now)))
      activate(b.to, now);
  }
  cycle.bodies.clear();
}

template <class Matching, bool plain>
[[gnu::noinline]] void PacketEngine<Matching, plain>::take_heads(Cycle& cycle, std::int64_t now) {
  for (const auto& head : cycle.heads) arrive(head, now);
  cycle.heads.clear();
}

template <class Matching, bool plain>
[[gnu::noinline]] void PacketEngine<Matching, plain>::take_landings(Cycle& cycle, std::int64_t now) {
  for (const auto& landing : cycle.landings) land(landing, now);
  cycle.landings.clear();
  for (const auto& landing : cycle.tails_landing) deliver(landing, now);
  cycle.tails_landing.clear();
}

template <class Matching, bool plain>
[[gnu::noinline]] void PacketEngine<Matching, plain>::finish_all(Cycle& cycle, std::int64_t now) {
  for (const auto id : cycle.tails) finish(id, now);
  cycle.tails.clear();
}

/// What arrives in few networks only, and endpoints that wake up.
template <class Matching, bool plain>
void PacketEngine<Matching, plain>::take_others(Cycle& cycle, std::int64_t now) {
  for (const auto id : cycle.routed) {
    auto& in = inputs_[id];
    bid(id, in, find_way(router_of(id), flights_[in.front], in.wanted), now);
  }
  cycle.routed.clear();
  for (const auto out : cycle.paced) {
    matching_.enable(router_of(out), port_of(out), true);
    set(active_, router_of(out));
  }
  cycle.paced.clear();
  for (const auto endpoint : cycle.wakes) set(sending_, endpoint);
  cycle.wakes.clear();
  for (; !wakes_.empty() && wakes_.top().cycle <= now; wakes_.pop()) set(sending_, wakes_.top().endpoint);
}

template <class Matching, bool plain>
void PacketEngine<Matching, plain>::step(std::int64_t now, std::vector<NetworkEvent>& events) {
  auto& cycle = at(now);
  if (!cycle.credits.empty()) take_credits(cycle, now);
  if (!cycle.bodies.empty()) take_bodies(cycle, now);
  if (!cycle.heads.empty()) take_heads(cycle, now);
  if (!cycle.landings.empty() || !cycle.tails_landing.empty()) take_landings(cycle, now);
  take_others(cycle, now);

  // Channel allocation, on what is free as the cycle begins.
  fresh_.clear();
  allocate_all(now);
  if constexpr (!plain) {
    for (const auto& result : cycle.bids) settle_bid(result);
    cycle.bids.clear();
    leading_.clear();
    if (speculative_ && !fresh_.empty()) bid_ahead(now);
  }

  // Switch allocation.
  switch_all(now);
  if constexpr (!plain) {
    for (const auto id : cycle.moves) move(id, 1, false, now);
    cycle.moves.clear();
  }
  if (!cycle.tails.empty()) finish_all(cycle, now);
  for (const auto id : fresh_) activate(id, now);
  if constexpr (!plain)
    for (const auto id : leading_) fall_back(id, now);

  // Endpoints: channels that a tail leaves in this cycle are free in the next.
  for (std::size_t w = 0; w < sending_.size(); ++w)
    each(sending_[w], [&](unsigned b) {
      if (!send(static_cast<std::uint32_t>(w * 64 + b), now)) sending_[w] &= ~(std::uint64_t{1} << b);
    });
  for (const auto& departure : cycle.departures) depart(departure, now, events);
  cycle.departures.clear();
  calendar_[static_cast<std::size_t>(now) & ring_] = nullptr;
  spare_.push_back(&cycle);
}

template class PacketEngine<ByteMatching<true>, true>;
template class PacketEngine<ByteMatching<false>, false>;
template class PacketEngine<WordMatching, false>;

}  // namespace forerun::ip::noc
