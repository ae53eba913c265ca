// SPDX-License-Identifier: Apache-2.0
// A router in a cycle: requests and grants from the state before it, then what follows from them. Here: who
// works, and channel allocation.
#include "ip/noc/flit/flit_network.hpp"

#include <algorithm>
#include <tuple>

#include "ip/noc/flit/flit_helpers.hpp"

namespace forerun::ip::noc {

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

}  // namespace forerun::ip::noc
