// SPDX-License-Identifier: Apache-2.0
#include "ip/hbm/controller.hpp"

#include <algorithm>

namespace forerun::ip::hbm {
namespace {
/// A burst that has waited so many cycles is served even if that closes a row others would hit.
constexpr std::int64_t starvation_cycles = 4000;
}  // namespace

Controller::Controller(const Parameters& parameters)
    : parameters_(parameters), t_(parameters.timings), banks_(parameters.bank_groups * parameters.banks_per_group) {
  queue_.reserve(parameters.queue_depth);
  next_refresh_ = t_.tREFI;
}

void Controller::admit(std::int64_t now) {
  while (!waiting_.empty() && queue_.size() < parameters_.queue_depth && waiting_.front().arrival <= now) {
    queue_.push_back(waiting_.front());
    waiting_.pop_front();
  }
}

void Controller::refresh(std::int64_t now) {
  if (parameters_.refresh == Refresh::none) return;
  while (next_refresh_ <= now) {
    std::int64_t start = next_refresh_;
    for (const auto& bank : banks_) {
      if (bank.row >= 0) start = std::max(start, bank.precharge_ready + t_.tRP);
      start = std::max(start, bank.act_ready);
    }
    for (auto& bank : banks_) {
      bank.row = -1;
      bank.act_ready = start + t_.tRFC;
    }
    ++statistics_.refreshes;
    next_refresh_ += t_.tREFI;
  }
}

std::int64_t Controller::column_time(const Burst& burst) const {
  const auto& bank = banks_[burst.at.bank];
  auto when = std::max(burst.write ? bank.column_write_ready : bank.column_read_ready, column_bus_);
  const auto after = [&](std::int64_t last, unsigned group, std::int64_t same, std::int64_t other) {
    when = std::max(when, last + (group == burst.at.bank_group ? same : other));
  };
  if (burst.write) {
    after(last_write_, last_write_group_, t_.tCCDL, t_.tCCDS);
    when = std::max(when, last_read_ + t_.tRTW);
  } else {
    after(last_read_, last_read_group_, t_.tCCDL, t_.tCCDS);
    const std::int64_t written = t_.WL + t_.nBL;
    after(last_write_, last_write_group_, written + t_.tWTRL, written + t_.tWTRS);
  }
  return when;
}

std::int64_t Controller::soonest_column() const {
  const auto gap = std::min(t_.tCCDS, t_.tCCDL);
  const auto read = std::max(last_read_ + gap, last_write_ + t_.WL + t_.nBL + std::min(t_.tWTRS, t_.tWTRL));
  const auto write = std::max(last_write_ + gap, last_read_ + t_.tRTW);
  return std::max(column_bus_, std::min(read, write));
}

std::int64_t Controller::activate_time(const Burst& burst) const {
  auto when = std::max({banks_[burst.at.bank].act_ready, row_bus_, act_window_[act_next_] + t_.tFAW});
  return std::max(when, last_act_ + (last_act_group_ == burst.at.bank_group ? t_.tRRDL : t_.tRRDS));
}

Controller::Choice Controller::choose(std::int64_t now) const {
  Choice best;
  const bool in_order = parameters_.scheduler == Scheduler::fcfs;
  const bool starving = !queue_.empty() && now - queue_.front().arrival > starvation_cycles;
  std::uint64_t seen = 0;      // banks for which an older burst decides the row commands
  std::uint64_t hit_banks = 0; // banks whose open row some burst wants
  bool all_hit = true;
  for (const auto& burst : queue_) {
    if (banks_[burst.at.bank].row == burst.at.row)
      hit_banks |= std::uint64_t{1} << burst.at.bank;
    else
      all_hit = false;
  }
  const auto soonest = all_hit ? std::max(now, soonest_column()) : now;  // with no row command to come before it
  for (std::size_t i = 0; i < queue_.size(); ++i) {
    const auto& burst = queue_[i];
    const auto& bank = banks_[burst.at.bank];
    const auto bit = std::uint64_t{1} << burst.at.bank;
    Choice candidate{i, Kind::column, never};
    if (bank.row == burst.at.row) {
      if (starving && i != 0 && burst.at.bank == queue_.front().at.bank && bank.row != queue_.front().at.row) continue;
      candidate.when = column_time(burst);
    } else {
      if ((seen & bit) != 0) continue;
      if (bank.row < 0) {
        candidate.kind = Kind::activate;
        candidate.when = activate_time(burst);
      } else {
        if ((hit_banks & bit) != 0 && !(starving && i == 0)) continue;
        candidate.kind = Kind::precharge;
        candidate.when = std::max(bank.precharge_ready, row_bus_);
      }
      seen |= bit;
    }
    candidate.when = std::max(candidate.when, now);
    const bool better = candidate.when < best.when ||
                        (candidate.when == best.when && candidate.kind == Kind::column && best.kind != Kind::column);
    if (better) best = candidate;
    if (in_order || (best.kind == Kind::column && best.when <= soonest)) break;
  }
  return best;
}

void Controller::issue(const Choice& choice, std::vector<Completion>& completions) {
  auto& burst = queue_[choice.index];
  auto& bank = banks_[burst.at.bank];
  const auto when = choice.when;
  switch (choice.kind) {
    case Kind::precharge:
      bank.row = -1;
      bank.act_ready = std::max(bank.act_ready, when + t_.tRP);
      row_bus_ = when + 1;
      if (!burst.missed) ++statistics_.conflicts;
      burst.missed = true;
      break;
    case Kind::activate:
      bank.row = burst.at.row;
      bank.column_read_ready = when + t_.tRCDRD;
      bank.column_write_ready = when + t_.tRCDWR;
      bank.precharge_ready = when + t_.tRAS;
      bank.act_ready = when + t_.tRAS + t_.tRP;
      row_bus_ = when + t_.act_cycles;
      last_act_ = when;
      last_act_group_ = burst.at.bank_group;
      act_window_[act_next_] = when;
      act_next_ = (act_next_ + 1) % 4;
      if (!burst.missed) ++statistics_.misses;
      burst.missed = true;
      break;
    case Kind::column: {
      column_bus_ = when + 1;
      (burst.write ? last_write_ : last_read_) = when;
      (burst.write ? last_write_group_ : last_read_group_) = burst.at.bank_group;
      const std::int64_t end = when + (burst.write ? t_.WL : t_.RL) + t_.nBL;
      bank.precharge_ready = std::max(bank.precharge_ready, burst.write ? end + t_.tWR : when + t_.tRTP);
      if (parameters_.page_policy == PagePolicy::closed &&
          std::none_of(queue_.begin(), queue_.end(), [&](const Burst& other) {
            return &other != &burst && other.at.bank == burst.at.bank && other.at.row == burst.at.row;
          })) {
        bank.row = -1;
        bank.act_ready = std::max(bank.act_ready, bank.precharge_ready + t_.tRP);
      }
      ++(burst.write ? statistics_.writes : statistics_.reads);
      if (!burst.missed) ++statistics_.hits;
      statistics_.data_cycles += t_.nBL;
      completions.push_back({burst.owner, end + 1});
      queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(choice.index));
      break;
    }
  }
}

std::int64_t Controller::advance(std::int64_t now, std::vector<Completion>& completions) {
  for (;;) {
    if (clock_ < now && queue_.empty()) clock_ = waiting_.empty() ? now : std::min(now, std::max(clock_, waiting_.front().arrival));
    admit(std::max(clock_, std::int64_t{0}));
    if (queue_.empty()) {
      if (waiting_.empty()) return -1;
      if (waiting_.front().arrival > now) return waiting_.front().arrival;
      clock_ = waiting_.front().arrival;
      continue;
    }
    refresh(clock_);
    const auto choice = choose(clock_);
    const auto next_arrival =
        !waiting_.empty() && queue_.size() < parameters_.queue_depth ? waiting_.front().arrival : never;
    if (next_arrival < choice.when && next_arrival <= now) {  // a newcomer may have something better to do
      clock_ = std::max(clock_, next_arrival);
      continue;
    }
    if (parameters_.refresh != Refresh::none && next_refresh_ <= choice.when && next_refresh_ <= now) {
      clock_ = std::max(clock_, next_refresh_);
      refresh(clock_);
      continue;
    }
    if (choice.when > now) return std::min({choice.when, next_arrival, parameters_.refresh != Refresh::none ? next_refresh_ : never});
    issue(choice, completions);
    clock_ = choice.when;
  }
}

}  // namespace forerun::ip::hbm
