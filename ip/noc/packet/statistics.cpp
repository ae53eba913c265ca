// SPDX-License-Identifier: Apache-2.0
/// Counters of links in the packet model, and their records over time.
#include "ip/noc/packet/engine.hpp"

namespace forerun::ip::noc {

template <class Matching, bool plain>
const LinkTraffic& PacketEngine<Matching, plain>::traffic(std::uint32_t link) const {
  const auto& l = graph_.links()[link];
  return l.kind == Link::Kind::inject ? senders_[l.endpoint].traffic
                                      : port(l.from << row_ | l.from_port << shift_).traffic;
}

/// A link stands still from a cycle on, because of what is behind one of its channels.
template <class Matching, bool plain>
void PacketEngine<Matching, plain>::stall(std::uint32_t link, std::int64_t from, std::uint32_t output) {
  auto& s = stalls_[link];
  s.since = from;
  s.flits = traffic(link).flits;
  s.behind = bin_ > 0 ? wanted_behind(output) : none;
}

/// Counts what a link has stood still up to now.
template <class Matching, bool plain>
void PacketEngine<Matching, plain>::settle(std::uint32_t link, std::int64_t now) const {
  auto& s = stalls_[link];
  const auto flits = traffic(link).flits;
  const auto moved = static_cast<std::int64_t>(flits - s.flits);
  if (const auto idle = now - s.since - moved; idle > 0) {
    counters_[link].blocked_cycles += static_cast<std::uint64_t>(idle);
    if (bin_ > 0) blames_[std::uint64_t{link} << 32 | s.behind] += static_cast<std::uint64_t>(idle);
  }
  s.since = now;
  s.flits = flits;
}

/// The link that the packet at the front of the buffer behind an output channel wants.
template <class Matching, bool plain>
std::uint32_t PacketEngine<Matching, plain>::wanted_behind(std::uint32_t output) const {
  const auto& to = port(output);
  if (to.ejects) return none;
  const auto& in = inputs_[to.flits_to + channel_of(output)];
  return in.state == State::idle ? none : link_of(out_of(to.flits_to + channel_of(output), in));
}

template <class Matching, bool plain>
const LinkCounters& PacketEngine<Matching, plain>::counters(std::uint32_t link) const {
  if (stalls(stalls_[link])) settle(link, std::max(stalls_[link].since, done_ + 1));
  const auto& counted = traffic(link);
  counters_[link].flits = counted.flits;
  counters_[link].packets = counted.packets;
  counters_[link].waited_cycles = waited_[link];
  return counters_[link];
}

template <class Matching, bool plain>
void PacketEngine<Matching, plain>::reset_counters() {
  std::fill(counters_.begin(), counters_.end(), LinkCounters{});
  for (auto& port : ports_) port.traffic = {};
  std::fill(waited_.begin(), waited_.end(), 0);
  for (auto& sender : senders_) sender.traffic = {};
  for (auto& s : stalls_) s.since = done_ + 1, s.flits = 0;
  blames_.clear();
}

template <class Matching, bool plain>
void PacketEngine<Matching, plain>::record(std::int64_t bin_cycles) {
  bin_ = bin_cycles;
  recorded_from_ = done_ + 1;
  bins_.assign(bin_ > 0 ? counters_.size() : 0, {});
}

template <class Matching, bool plain>
LinkBin& PacketEngine<Matching, plain>::bin_at(std::uint32_t link, std::int64_t cycle) {
  const auto i = static_cast<std::size_t>(std::max<std::int64_t>(cycle - recorded_from_, 0) / bin_);
  if (bins_[link].size() <= i) bins_[link].resize(i + 1);
  return bins_[link][i];
}

template <class Matching, bool plain>
void PacketEngine<Matching, plain>::record_flits(std::uint32_t link, std::int64_t now, std::uint32_t flits) {
  bin_at(link, now).flits += flits;
}

template <class Matching, bool plain>
void PacketEngine<Matching, plain>::record_wait(std::uint32_t link, std::int64_t from, std::int64_t to) {
  for (from = std::max(from, recorded_from_); from < to;) {
    const auto end = std::min(to, recorded_from_ + ((from - recorded_from_) / bin_ + 1) * bin_);
    bin_at(link, from).waiting += static_cast<std::uint32_t>(end - from);
    from = end;
  }
}

template <class Matching, bool plain>
std::vector<LinkBin> PacketEngine<Matching, plain>::bins(std::uint32_t link) const {
  return bin_ > 0 ? bins_[link] : std::vector<LinkBin>{};
}

template <class Matching, bool plain>
std::vector<Blame> PacketEngine<Matching, plain>::blames() const {
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

template class PacketEngine<ByteMatching<true>, true>;
template class PacketEngine<ByteMatching<false>, false>;
template class PacketEngine<WordMatching, false>;

}  // namespace forerun::ip::noc
