// SPDX-License-Identifier: Apache-2.0
#include "ip/hbm/controller.hpp"

#include <algorithm>

namespace forerun::ip::hbm {

void Controller::explain(const Slot& slot, unsigned pseudo, Tick from, Tick until) {
  const auto until_then = [&](Tick moment, Limit limit) {
    moment = std::min(moment, until);
    if (moment <= from) return;
    count(limit, from, moment);
    from = moment;
  };
  const auto& bank = banks_[slot.bank];
  until_then(std::min(slot.offered, front_blocked_), Limit::front_end);
  until_then(slot.offered, Limit::idle);
  until_then(slot.visible, Limit::front_end);
  if (floor_ > from && floor_begin_ < until) until_then(floor_, Limit::power);
  auto begin = bank.refresh_begin, end = bank.refresh_end;
  if (together_ && job_end_ > from && job_begin_ < until) {
    begin = end > from ? std::min(begin, job_begin_) : job_begin_;
    end = std::max(end, job_end_);
  }
  if (end > from && begin < until) {
    if (begin > from) until_then(begin, Limit::bank);
    until_then(end, Limit::refresh);
  }
  // What is left: the burst's waits for something that others had, the newest first; then the bank's own
  // time.
  const auto take = [&](Tick since, Tick to, Limit limit) {
    until_then(from + std::max<Tick>(0, to - std::max(since, slot.visible)), limit);
  };
  const auto& at = timing_.bank[slot.bank];
  const auto ready = timing_.column_ready(slot.bank, slot.write), row = at.column[slot.write];
  take(ready, until, Limit::order);
  take(row, ready, last_kind_[pseudo] != slot.write ? Limit::turnaround : Limit::ccd);
  if (slot.need != Need::nothing) {
    take(bank.act_allowed, bank.act_sent, Limit::row_bus);
    take(bank.act_bank_allowed, bank.act_allowed, Limit::activation);
  }
  if (slot.need == Need::precharge) take(bank.precharge_allowed, bank.precharge_sent, Limit::row_bus);
  until_then(until, Limit::bank);
}

/// Before the first burst after none nothing waited, whichever of those that follow it is served first.
void Controller::wait_for_work(Tick& free, Tick offered) {
  if (free >= offered) return;
  count(Limit::idle, free, offered);
  free = offered;
}

/// A burst is about to take a queue entry.
void Controller::begin_work(Tick offered) {
  if (used_ != 0 || queued_ != 0) return;
  for (auto& free : data_free_) wait_for_work(free, offered);
}

/// A burst has been in the scheduler's sight from `visible` to `t`.
void Controller::leave(Tick visible, Tick t) {
  depth_ticks_ += t - visible;
  if (bin_ticks_ == 0) return;
  for (auto from = std::max(visible, cleared_); from < t;) {
    const auto end = std::min(t, ((from - cleared_) / bin_ticks_ + 1) * bin_ticks_ + cleared_);
    bin(from).queue_cycles += static_cast<double>(end - from) / static_cast<double>(timing_.delay.per_cycle);
    from = end;
  }
}

/// Ticks that the bursts still in sight have been there.
Tick Controller::waited(Tick now) const {
  auto sum = Tick{depth_} * now - visible_sum_;
  for (const auto& queue : run_)
    for (std::size_t i = 0; i < queue.size(); ++i) sum += std::max<Tick>(0, now - queue[i].visible);
  for (std::size_t i = 0; i < arriving_.size(); ++i)
    sum += std::max<Tick>(0, now - slots_[static_cast<std::size_t>(arriving_[i])].visible);
  return streaming_ ? sum + waited_in_stream(now) : sum;
}

void Controller::record(Tick ticks) {
  leave_interlude();
  if (running_) end_run(clock_ + 1);
  bin_ticks_ = ticks;
  series_.clear();
}

void Controller::clear_statistics(Tick now) {
  leave_interlude();
  counts_ = {};
  limit_ticks_ = {};
  for (auto& free : data_free_) {
    free = std::max(free, now);
    limit_ticks_[static_cast<std::size_t>(Limit::data)] += free - now;
  }
  depth_ticks_ = -waited(now);
  power_down_ticks_ = self_refresh_ticks_ = 0;
  cleared_ = now;
  series_.clear();
}

ChannelStatistics Controller::statistics(Tick now) {
  leave_interlude();
  const auto per_cycle = static_cast<double>(timing_.delay.per_cycle);
  auto s = counts_;
  auto ticks = limit_ticks_;
  for (std::size_t p = 0; p < data_free_.size(); ++p) {
    const bool in_sight =
        pseudos_[p].waiting > 0 || (!run_[p].empty() && run_[p].front().visible <= now) || streaming_;
    if (data_free_[p] > now)
      ticks[static_cast<std::size_t>(Limit::data)] -= data_free_[p] - now;
    else
      ticks[static_cast<std::size_t>(in_sight ? (jobs_.empty() ? Limit::bank : Limit::refresh)
                                              : Limit::idle)] += now - data_free_[p];
  }
  for (std::size_t i = 0; i < limits; ++i) s.limit_cycles[i] = static_cast<double>(ticks[i]) / per_cycle;
  s.data_cycles = (s.reads + s.writes) * parameters_.timings.nBL;
  s.cycles = static_cast<double>(now - cleared_) / per_cycle;
  s.queue_cycles = static_cast<double>(depth_ticks_ + waited(now)) / per_cycle;
  auto down = power_down_ticks_, self = self_refresh_ticks_;
  if (sleeping_) {
    const auto entry = self_refresh_entry(), begin = power_down_entry();
    self += static_cast<double>(std::max<Tick>(0, now - std::max(entry, cleared_)));
    down += static_cast<double>(std::max<Tick>(0, std::min(now, entry) - std::max(begin, cleared_)));
  }
  s.power_down_cycles = down / per_cycle;
  s.self_refresh_cycles = self / per_cycle;
  add_energy(s);
  return s;
}

}  // namespace forerun::ip::hbm
