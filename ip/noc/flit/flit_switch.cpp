// SPDX-License-Identifier: Apache-2.0
// Switch allocation in a router of the flit model, and flits that leave it.
#include "ip/noc/flit/flit_network.hpp"

#include <algorithm>
#include <tuple>

#include "ip/noc/flit/flit_helpers.hpp"

namespace forerun::ip::noc {

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

}  // namespace forerun::ip::noc
