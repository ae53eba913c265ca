// SPDX-License-Identifier: Apache-2.0
// What the network tells about its links and about packets that wait.
#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "ip/noc/noc.hpp"

namespace forerun::ip {

std::vector<Noc::LinkReport> Noc::links() {
  catch_up();
  std::vector<LinkReport> reports;
  const auto elapsed = static_cast<std::uint64_t>(now_picoseconds() - reset_at_);
  for (std::uint32_t i = 0; i < graph_.links().size(); ++i) {
    const auto& link = graph_.links()[i];
    const auto counted = network_ ? network_->counters(i) : noc::LinkCounters{};
    const auto ps = [&](std::uint64_t cycles) {
      return cycles * static_cast<std::uint64_t>(clock_.period_ps());
    };
    const auto busy = std::min(elapsed, ps(counted.flits) * link.interval / 1024);
    reports.push_back({link.name, counted.flits, busy, std::min(elapsed - busy, ps(counted.blocked_cycles)),
                       counted.packets, ps(counted.waited_cycles)});
  }
  return reports;
}

double Noc::link_bandwidth() const {
  return static_cast<double>(parameters_.link_width.count) * 1e12 / static_cast<double>(clock_.period_ps());
}

std::string Noc::describe_stall() {
  if (carrier_ != nullptr) return carrier_->describe_stall();
  catch_up();
  std::string text;
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    const auto& e = endpoints_[i];
    const auto name = [&](std::uint32_t id) { return graph_.endpoints()[id].name; };
    std::size_t behind = 0;
    for (const auto* t = e.arrived.first; t != nullptr; t = t->next) ++behind;
    if (e.requesting != nullptr)
      text += fmt::format("{} has not taken a request from {}; {} more behind it\n",
                          name(static_cast<std::uint32_t>(i)), name(e.requesting->source), behind);
    else if (e.responding)
      text += fmt::format("{} has not taken a response; {} more behind it\n",
                          name(static_cast<std::uint32_t>(i)), behind);
  }
  for (const auto* t = waiting_.first; t != nullptr; t = t->next)
    text += fmt::format("a multicast from {} to address {:#x} waits for room in units\n",
                        graph_.endpoints()[t->source].name, t->address);
  for (const auto& [key, meeting] : meetings_) {
    const auto& [tree, node, address] = key;
    text += fmt::format("a sum at {} waits for {} of {} contributions to address {:#x}\n",
                        graph_.routers()[tree->nodes[node].router].name,
                        meeting.waiting.size() - meeting.present, meeting.waiting.size(), address);
  }
  if (network_) text += noc::describe_waits(graph_, network_->waits(), 50);
  return text;
}

void Noc::record(Time bin) {
  bin_cycles_ = bin.picoseconds > 0 ? std::max<std::int64_t>(clock_.ps_to_cycles(bin.picoseconds), 1) : 0;
  if (!network_) throw std::logic_error("a network records from the end of elaboration on");
  catch_up();
  network_->record(bin_cycles_);
}

std::vector<Noc::LinkTimeline> Noc::timelines() {
  catch_up();
  std::vector<LinkTimeline> all;
  for (std::uint32_t i = 0; network_ && i < graph_.links().size(); ++i)
    if (auto bins = network_->bins(i); !bins.empty())
      all.push_back({graph_.links()[i].name, std::move(bins)});
  return all;
}

std::vector<Noc::Blocked> Noc::blocked() {
  catch_up();
  std::vector<Blocked> all;
  if (!network_) return all;
  for (const auto& blame : network_->blames())
    all.push_back({graph_.links()[blame.link].name,
                   blame.behind == none ? "its endpoint" : graph_.links()[blame.behind].name,
                   blame.cycles * static_cast<std::uint64_t>(clock_.period_ps())});
  return all;
}

}  // namespace forerun::ip
