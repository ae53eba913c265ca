// SPDX-License-Identifier: Apache-2.0
// What a command does to the DRAM and to the queues; refresh and power.
#include "ip/hbm/controller.hpp"

#include <algorithm>
#include <bit>

namespace forerun::ip::hbm {

// Commands

void Controller::send_column(const Choice& choice, Tick t) {
  const auto i = choice.slot;
  auto& slot = slots_[static_cast<std::size_t>(i)];
  const unsigned b = choice.bank;
  auto& bank = banks_[b];
  const auto& d = timing_.delay;
  const unsigned pseudo = timing_.bank[b].pseudo_channel;
  auto& state = pseudos_[pseudo];
  if (t > data_free_[pseudo]) explain(slot, pseudo, data_free_[pseudo], t);
  data_free_[pseudo] = std::max(data_free_[pseudo], t) + d.burst;
  count(Limit::data, data_free_[pseudo] - d.burst, data_free_[pseudo]);
  last_kind_[pseudo] = slot.write;
  timing_.column_sent(b, slot.write, t);
  column_bus_ = t + d.column_bus;
  if (!parameters_.separate_buses) row_bus_ = column_bus_;
  complete(slot.owner, t + (slot.write ? d.write_done : d.read_done));
  if (last_was_write_ != slot.write) {
    last_was_write_ = slot.write;
    if (competing_) try_all(t);  // other hits come first now
  }
  last_burst_ = last_command_ = t;

  ++(slot.write ? counts_.writes : counts_.reads);
  counts_.check_bursts += slot.check;
  ++(slot.need == Need::nothing      ? counts_.hits
     : slot.need == Need::activation ? counts_.misses
                                     : counts_.conflicts);
  if (bin_ticks_ > 0) {
    auto& now = bin(t);
    ++(slot.write ? now.writes : now.reads);
    ++(slot.need == Need::nothing ? now.hits : slot.need == Need::activation ? now.misses : now.conflicts);
  }

  if (!slot.opened) {
    unlink(i);
    --entries_[slot.write], --seen_[slot.write], --bank.admitted;
  } else {
    state.opened &= ~bit(b);
  }
  if (bank.opened_for == i) bank.opened_for = none;
  order_.erase(static_cast<std::uint32_t>(i));
  --bank.waiting, --state.waiting, --used_;
  --depth_;
  visible_sum_ -= slot.visible;
  leave(slot.visible, t);

  const auto row_hits = [&] {
    return bank.opened_for != none || first_hit(b, false) != none || first_hit(b, true) != none;
  };
  if (parameters_.page_policy == PagePolicy::closed ||
      (parameters_.page_policy == PagePolicy::adaptive && parameters_.adaptive_idle_cycles == 0 &&
       !row_hits())) {
    timing_.closes_itself(b);
    bank.opened_for = none;
    bank.precharge_allowed = bank.precharge_sent = timing_.bank[b].precharge;
    sort_bank(b);
  } else if (parameters_.page_policy == PagePolicy::adaptive && !row_hits()) {
    bank.idle_close = t + Tick{parameters_.adaptive_idle_cycles} * d.per_cycle;
    state.closing |= bit(b);
    row_next_ = std::min(row_next_, bank.idle_close);
  }
  state.hit_next = timing_.pseudo_column(pseudo);
  state.opened_next = std::max(state.opened_next, state.hit_next);
  column_next_ = next_column();
  if (bank.kind[0].head != none || bank.kind[1].head != none)  // perhaps no hit keeps the row open any more
    try_row(state,
            std::max(t + 1, (state.open & bit(b)) != 0 ? timing_.precharge_ready(b) : timing_.bank[b].act));
  if (ordered_) {  // another may be the only one now, whatever the mode
    row_next_ = t;
    column_next_ = column_bus_;
  }
  if (!jobs_.empty()) row_next_ = std::min(row_next_, t);
  if (parameters_.refresh_management && bank.activations >= parameters_.timings.RAAIMT && bank.waiting == 0)
    begin_job({RefreshJob::Kind::management, b, b + 1, t}, t);
}

/// No burst goes before that a row was opened for.
Tick Controller::next_opened() const {
  auto next = never;
  for (const auto& pseudo : pseudos_)
    if (pseudo.opened != 0) next = std::min(next, pseudo.opened_next);
  return next;
}

/// No column command goes before.
Tick Controller::next_column() const {
  auto next = never;
  for (const auto& pseudo : pseudos_) {
    if (pseudo.hit_count > 0) next = std::min(next, pseudo.hit_next);
    if (pseudo.opened != 0) next = std::min(next, pseudo.opened_next);
  }
  return std::max(column_bus_, next);
}

void Controller::send_row(const Choice& choice, Tick t) {
  last_command_ = t;
  const auto& d = timing_.delay;
  row_bus_ = t + (choice.kind == Choice::activate ? d.act_bus : 1);
  if (!parameters_.separate_buses) column_bus_ = std::max(column_bus_, row_bus_);
  if (choice.job > 0) return send_job(choice.job - 1, t);
  const unsigned b = choice.bank;
  auto& bank = banks_[b];
  if (choice.kind == Choice::precharge) {
    bank.precharge_allowed = timing_.precharge_ready(b);
    bank.precharge_sent = t;
    timing_.precharged(b, t);
    ++counts_.precharges;
    pseudo_of(b).closing &= ~bit(b);
    if (choice.slot != none) slots_[static_cast<std::size_t>(choice.slot)].need = Need::precharge;
    sort_bank(b);
    try_row(pseudo_of(b), std::max(row_bus_, timing_.act_ready(b)));
    return;
  }
  auto& slot = slots_[static_cast<std::size_t>(choice.slot)];
  auto& pseudo = pseudo_of(b);
  const auto window = timing_.activation_window(b);
  bank.act_allowed = std::max(window, timing_.bank[b].act);
  bank.act_bank_allowed = timing_.bank[b].act;
  bank.act_sent = t;
  timing_.activated(b, slot.row, t);
  ++counts_.activates;
  ++bank.activations;
  if (slot.need == Need::nothing) slot.need = Need::activation;
  bank.opened_for = choice.slot;
  if (parameters_.opened_leaves_queue) {
    take_out(choice.slot);
    pseudo.opened_next = std::min(pseudo.opened_next, timing_.bank[b].column[slot.write]);
  }
  sort_bank(b);
  for (const bool write : {false, true})
    if (bank.kind[write].head != none || (slot.opened && slot.write == write))
      try_column(pseudo, timing_.bank[b].column[write]);
  try_row(pseudo, timing_.bank[b].precharge);
  if (mode_turns()) try_all(t + 1);
  if (parameters_.refresh_management && parameters_.timings.RAAMMT > 0 &&
      bank.activations >= parameters_.timings.RAAMMT)
    begin_job({RefreshJob::Kind::management, b, b + 1, t}, t);
}

// Refresh

void Controller::begin_job(const RefreshJob& job, Tick t) {
  for (const auto& other : jobs_)
    if (job.kind == RefreshJob::Kind::management && other.kind == job.kind && other.first == job.first)
      return;
  if (jobs_.empty()) job_begin_ = t;
  jobs_.push_back(job);
  for (unsigned b = job.first; b < job.end; ++b) pseudo_of(b).held |= bit(b);
  row_next_ = std::min(row_next_, t);
}

void Controller::release_owed(Tick t) {
  static thread_local std::vector<RefreshJob> paid;
  for (std::size_t s = 0; s < plan_.scopes.size(); ++s)
    while (plan_.scopes[s].owed > 0) {
      bool bursts = depth_ > 0;
      if (bursts && !together_) {
        unsigned waiting = 0;
        for (unsigned b = plan_.scopes[s].first; b < plan_.scopes[s].end; ++b) waiting += banks_[b].waiting;
        bursts = waiting > 0;
      }
      if (bursts && plan_.scopes[s].owed <= parameters_.refresh_postpone) break;
      if (sleeping_) wake(t);
      paid.clear();
      plan_.pay(s, t, paid);
      for (const auto& job : paid) begin_job(job, t);
    }
}

void Controller::refresh_due(Tick t) {
  if (sleeping_ && t > self_refresh_entry()) return plan_.restart(t);  // the DRAM refreshes itself
  plan_.fall_due(t);
}

void Controller::send_job(std::size_t index, Tick t) {
  const auto job = jobs_[index];
  bool closes = false;
  job_ready(job, closes);
  if (closes) {
    for (unsigned b = job.first; b < job.end; ++b)
      if (timing_.bank[b].row != TimingState::closed) {
        timing_.precharged(b, t);
        banks_[b].opened_for = none;
        pseudo_of(b).closing &= ~bit(b);
        sort_bank(b);
      } else {
        timing_.bank[b].act = std::max(timing_.bank[b].act, t + timing_.delay.precharge_act);
      }
    if (timing_.delay.precharge_precharge > 0) timing_.precharge_sent(job.first, t);
    ++counts_.precharges;
    try_all(t + 1);
    return;
  }
  const auto& d = timing_.delay;
  const auto length = job.kind == RefreshJob::Kind::all_bank ? d.refresh
                      : job.kind == RefreshJob::Kind::bank   ? d.refresh_bank
                                                             : d.manage;
  for (unsigned b = job.first; b < job.end; ++b) {
    auto& bank = banks_[b];
    timing_.bank[b].act = std::max(timing_.bank[b].act, t + length);
    bank.refresh_begin = job.begin;
    bank.refresh_end = t + length;
    bank.activations -= std::min(bank.activations, parameters_.timings.RAAIMT);
    pseudo_of(b).held &= ~bit(b);
  }
  if (job.kind != RefreshJob::Kind::all_bank) {
    auto& window = timing_.window[timing_.bank[job.first].window];
    window.act = std::max(window.act, t + d.refresh_other);
    window.refresh_bank = std::max(window.refresh_bank, t + d.refresh_refresh_bank);
  }
  ++(job.kind == RefreshJob::Kind::all_bank ? counts_.refreshes
     : job.kind == RefreshJob::Kind::bank   ? counts_.bank_refreshes
                                            : counts_.managements);
  if (bin_ticks_ > 0) ++bin(t).refreshes;
  jobs_.erase(jobs_.begin() + static_cast<std::ptrdiff_t>(index));
  for (const auto& other : jobs_)
    for (unsigned b = other.first; b < other.end; ++b) pseudo_of(b).held |= bit(b);
  if (jobs_.empty()) job_end_ = t;
  try_all(t + 1);
}

// Power

Tick Controller::power_down_entry() const {
  if (parameters_.power_down_cycles == 0 || closing()) return never;
  return last_command_ + Tick{parameters_.power_down_cycles} * timing_.delay.per_cycle;
}

Tick Controller::self_refresh_entry() const {
  if (parameters_.self_refresh_cycles == 0 || closing()) return never;
  const auto idle = Tick{parameters_.self_refresh_cycles} * timing_.delay.per_cycle;
  return std::max(last_burst_ + idle, last_command_);  // after a refresh that was under way
}

void Controller::wake(Tick t) {
  sleeping_ = false;
  const auto& d = timing_.delay;
  Tick asleep = t;  // end of power-down
  if (const auto entry = self_refresh_entry(); t > entry) {
    asleep = entry;
    const auto leave = std::max(t, entry + d.least_power_down);
    floor_ = leave + d.leave_self_refresh;
    floor_begin_ = t;
    self_refresh_ticks_ += static_cast<double>(leave - entry);
    ++counts_.self_refreshes;
    for (unsigned b = 0; b < banks_.size(); ++b) {
      timing_.bank[b].row = TimingState::closed;
      sort_bank(b);
    }
    plan_.restart(leave);
  }
  if (const auto entry = power_down_entry(); asleep > entry) {
    const auto leave = asleep < t ? asleep : std::max(t, entry + d.least_power_down);
    if (asleep == t) floor_ = std::max(floor_, leave + d.leave_power_down), floor_begin_ = t;
    power_down_ticks_ += static_cast<double>(leave - entry);
    ++counts_.power_downs;
  }
  try_all(t);
}

}  // namespace forerun::ip::hbm
