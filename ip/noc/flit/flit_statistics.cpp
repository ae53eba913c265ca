// SPDX-License-Identifier: Apache-2.0
// What the flit model counts, records, and tells about packets that wait.
#include "ip/noc/flit/flit_network.hpp"

#include <algorithm>
#include <tuple>

#include "ip/noc/flit/flit_helpers.hpp"

namespace forerun::ip::noc {

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
