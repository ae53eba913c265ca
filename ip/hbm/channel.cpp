// SPDX-License-Identifier: Apache-2.0
#include "ip/hbm/channel.hpp"

#include <algorithm>

namespace forerun::ip::hbm {

Channel::Channel(const Parameters& parameters)
    : parameters_(parameters),
      timing_(parameters),
      front_end_(std::max<Tick>(1, Tick{parameters.front_end} * timing_.delay.per_cycle)),
      least_latency_(std::min(timing_.delay.read_done, timing_.delay.write_done)),
      plan_(parameters, timing_) {}

SeriesBin& Channel::bin(Tick t) {
  const auto index = static_cast<std::size_t>((t - cleared_) / bin_ticks_);
  if (index >= series_.size()) series_.resize(index + 1);
  return series_[index];
}

void Channel::count(Limit limit, Tick from, Tick until) {
  limit_ticks_[static_cast<std::size_t>(limit)] += until - from;
  if (bin_ticks_ == 0) return;
  while (from < until) {
    const auto end = std::min(until, ((from - cleared_) / bin_ticks_ + 1) * bin_ticks_ + cleared_);
    bin(from).limit_cycles[static_cast<std::size_t>(limit)] +=
        static_cast<double>(end - from) / static_cast<double>(timing_.delay.per_cycle);
    from = end;
  }
}

void Channel::add_energy(ChannelStatistics& s) const {
  const auto& e = parameters_.energies;
  const auto seconds = [&](double cycles) {
    return std::max(0.0, cycles) / parameters_.clock.hertz * parameters_.pseudo_channels;
  };
  s.joules = static_cast<double>(s.activates) * e.activate + static_cast<double>(s.reads) * e.read +
             static_cast<double>(s.writes) * e.write + static_cast<double>(s.refreshes) * e.refresh +
             static_cast<double>(s.bank_refreshes + s.managements) * e.refresh_bank +
             seconds(s.cycles - s.power_down_cycles - s.self_refresh_cycles) * e.standby +
             seconds(s.power_down_cycles) * e.power_down + seconds(s.self_refresh_cycles) * e.self_refresh;
}

}  // namespace forerun::ip::hbm
