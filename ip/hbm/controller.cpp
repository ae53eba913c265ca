// SPDX-License-Identifier: Apache-2.0
#include "ip/hbm/controller.hpp"

#include <algorithm>
#include <stdexcept>

namespace forerun::ip::hbm {

Controller::Controller(const Parameters& parameters, bool collapse)
    : parameters_(parameters),
      timing_(parameters),
      together_(parameters.refresh_order == RefreshOrder::together),
      competing_(parameters.queues != Queues::read_write || parameters.write_high_percent == 0 ||
                 parameters.scheduler == Scheduler::fcfs),
      ordered_(parameters.scheduler == Scheduler::fcfs || parameters.starvation_cycles > 0),
      may_run_(collapse && parameters.scheduler != Scheduler::fcfs && parameters.starvation_cycles == 0 &&
               parameters.queues != Queues::per_bank && parameters.page_policy == PagePolicy::open &&
               parameters.separate_buses && !parameters.refresh_management),
      front_end_(std::max<Tick>(1, Tick{parameters.front_end} * timing_.delay.per_cycle)),
      least_latency_(std::min(timing_.delay.read_done, timing_.delay.write_done)),
      banks_(timing_.bank.size()),
      run_(parameters.pseudo_channels),
      per_pseudo_(parameters.pseudo_channels),
      plan_(parameters, timing_),
      data_free_(parameters.pseudo_channels),
      last_kind_(parameters.pseudo_channels) {
  if (banks_.size() > BankSet::capacity) throw std::invalid_argument("a channel has more than 256 banks");
  next_ = plan_.next();
}

// Queues

bool Controller::room(const Burst& burst) const {
  const auto depth = parameters_.queue_depth;
  switch (parameters_.queues) {
    case Queues::shared:
      return entries_[0] + entries_[1] < depth;
    case Queues::per_bank:  // the front end looks at the queue that its last burst went to
      return !any_admitted_ || banks_[last_bank_].admitted < depth;
    case Queues::read_write:
      return competing_ ? entries_[0] < depth && entries_[1] < depth : entries_[burst.write] < depth;
  }
  return false;
}

bool Controller::has_room(unsigned bursts, bool write) const {
  const auto more = static_cast<unsigned>(waiting_.size()) + bursts;
  const bool own = parameters_.queues == Queues::read_write && !competing_ && waiting_.empty();
  return (own ? entries_[write] : entries_[0] + entries_[1]) + more <= parameters_.queue_depth;
}

void Controller::offer(const Burst& burst, Tick offered) {
  if (offered <= clock_ && waiting_.empty() && room(burst)) {
    const auto admitted = std::max(offered, clock_);
    if (running_ && !in_run(burst)) end_run(clock_ + 1);
    if (!running_) return enter(burst, offered, admitted);
    queue_in_run({burst, offered}, admitted);
    next_ = std::min(next_, admitted + front_end_);
    return;
  }
  waiting_.push_back({burst, offered});
  for (auto i = waiting_.size() - 1; i > 0 && waiting_[i - 1].offered > offered; --i)
    std::swap(waiting_[i], waiting_[i - 1]);
  if (offered > clock_) next_ = std::min(next_, offered);
}

bool Controller::report_last(std::uint32_t owner) {
  for (auto i = waiting_.size(); i-- > 0;)
    if (waiting_[i].burst.owner == owner) return waiting_[i].burst.report = true;
  return false;
}

Tick Controller::next_report() const {
  if (waiting_.front().offered > clock_) return std::min(next_, waiting_.front().offered);
  // each tick frees at most one entry for a column command, and one for an ACT if that does
  std::size_t others = 0;
  while (others + 1 < waiting_.size() && !waiting_[others].burst.report) ++others;
  return next_ + static_cast<Tick>(parameters_.opened_leaves_queue && !running_ ? others / 2 : others);
}

void Controller::place(const Burst& burst, Tick offered, Tick visible) {
  if (free_.empty()) {
    free_.push_back(static_cast<Index>(slots_.size()));
    slots_.emplace_back();
  }
  const auto i = free_.back();
  free_.pop_back();
  auto& slot = slots_[static_cast<std::size_t>(i)];
  slot.age = ++age_;
  slot.offered = offered;
  slot.visible = visible;
  slot.owner = burst.owner;
  slot.row = burst.row;
  slot.previous = slot.next = slot.older = slot.younger = none;
  slot.bank = static_cast<std::uint16_t>(burst.bank);
  slot.write = burst.write;
  slot.check = burst.check;
  slot.opened = false;
  slot.need = Need::nothing;
  slot.older = youngest_;
  (youngest_ == none ? oldest_ : slots_[static_cast<std::size_t>(youngest_)].younger) = i;
  youngest_ = i;
  ++used_;
  ++banks_[burst.bank].admitted;
  arriving_.push_back(i);
  next_ = std::min(next_, slot.visible);
}

void Controller::enter(const Burst& burst, Tick offered, Tick admitted) {
  place(burst, offered, admitted + front_end_);
  ++entries_[burst.write];
  last_bank_ = burst.bank;
  any_admitted_ = true;
  if (admitted > offered) front_blocked_ = admitted;
  if (burst.report) admissions.push_back(burst.owner);
}

void Controller::admit(Tick t) {
  while (!waiting_.empty() && waiting_.front().offered <= t && room(waiting_.front().burst)) {
    const auto first = waiting_.front();
    waiting_.pop_front();
    enter(first.burst, first.offered, t);
  }
}

void Controller::show(Index i, Tick t) {
  auto& slot = slots_[static_cast<std::size_t>(i)];
  const unsigned b = slot.bank;
  if (sleeping_) wake(t);
  auto& bank = banks_[b];
  auto& queue = bank.kind[slot.write];
  slot.previous = queue.tail;
  (queue.tail == none ? queue.head : slots_[static_cast<std::size_t>(queue.tail)].next) = i;
  queue.tail = i;
  ++seen_[slot.write];
  ++bank.waiting;
  ++per_pseudo_[timing_.bank[b].pseudo_channel];
  if (timing_.bank[b].row == slot.row) {
    if (queue.hit == none) queue.hit = i, hits_[slot.write].insert(b);
    closing_.erase(b);
    column_next_ = t;
  } else {
    if (queue.other == none) queue.other = i, others_[slot.write].insert(b);
    row_next_ = t;
  }
  ++depth_;
  visible_sum_ += static_cast<double>(slot.visible);
}

void Controller::unlink(Index i) {
  auto& slot = slots_[static_cast<std::size_t>(i)];
  auto& queue = banks_[slot.bank].kind[slot.write];
  const auto row = timing_.bank[slot.bank].row;
  const auto search = [&](bool hit) {
    auto next = slot.next;
    while (next != none && (slots_[static_cast<std::size_t>(next)].row == row) != hit)
      next = slots_[static_cast<std::size_t>(next)].next;
    return next;
  };
  if (queue.hit == i) queue.hit = search(true);
  if (queue.other == i) queue.other = search(false);
  (slot.previous == none ? queue.head : slots_[static_cast<std::size_t>(slot.previous)].next) = slot.next;
  (slot.next == none ? queue.tail : slots_[static_cast<std::size_t>(slot.next)].previous) = slot.previous;
  slot.previous = slot.next = none;
  hits_[slot.write].assign(slot.bank, queue.hit != none);
  others_[slot.write].assign(slot.bank, queue.other != none);
}

void Controller::sort_bank(unsigned b) {
  const auto row = timing_.bank[b].row;
  for (std::size_t kind = 0; kind < 2; ++kind) {
    auto& queue = banks_[b].kind[kind];
    queue.hit = queue.other = none;
    if (row == TimingState::closed) {
      queue.other = queue.head;
    } else {
      for (auto i = queue.head; i != none && (queue.hit == none || queue.other == none);
           i = slots_[static_cast<std::size_t>(i)].next)
        if (auto& first = slots_[static_cast<std::size_t>(i)].row == row ? queue.hit : queue.other;
            first == none)
          first = i;
    }
    hits_[kind].assign(b, queue.hit != none);
    others_[kind].assign(b, queue.other != none);
  }
}

// Choice

bool Controller::mode_turns() const {
  if (competing_ || channel_blocked()) return false;
  const auto depth = parameters_.queue_depth;
  const bool reads = seen_[0] > 0;
  if (!writing_) return seen_[1] * 100 > parameters_.write_high_percent * depth || !reads;
  return seen_[1] * 100 < parameters_.write_low_percent * depth && reads;
}

void Controller::update_mode() {
  if (!mode_turns()) return;
  writing_ = !writing_;
  column_next_ = row_next_ = 0;
}

/// The only burst that may be served, if the scheduler or its age says so.
Controller::Index Controller::only(Tick t) const {
  if (oldest_ == none) return none;
  const auto& slot = slots_[static_cast<std::size_t>(oldest_)];
  if (slot.visible > t) return none;
  if (parameters_.scheduler == Scheduler::fcfs) return oldest_;
  return t - slot.visible >= Tick{parameters_.starvation_cycles} * timing_.delay.per_cycle ? oldest_ : none;
}

Controller::Index Controller::hit_of(unsigned b) const {
  const auto& kind = banks_[b].kind;
  if (!competing_) return kind[writing_].hit;
  const auto read = kind[0].hit, write = kind[1].hit;
  if (read == none || write == none) return read == none ? write : read;
  if (parameters_.scheduler == Scheduler::fr_fcfs_grouped) return last_was_write_ ? write : read;
  return slots_[static_cast<std::size_t>(read)].age < slots_[static_cast<std::size_t>(write)].age ? read
                                                                                                  : write;
}

Controller::Index Controller::other_of(unsigned b) const {
  const auto& kind = banks_[b].kind;
  if (!competing_) return kind[writing_].other;
  const auto read = kind[0].other, write = kind[1].other;
  if (read == none || write == none) return read == none ? write : read;
  return slots_[static_cast<std::size_t>(read)].age < slots_[static_cast<std::size_t>(write)].age ? read
                                                                                                  : write;
}

/// In a stream the oldest burst is nearly always the one: looks at the first few before all banks are
/// searched.
Controller::Index Controller::oldest_hit_ready(Tick t, const BankSet& held) const {
  auto i = oldest_;
  for (unsigned looks = 0; i != none && looks < 4; ++looks) {
    const auto& slot = slots_[static_cast<std::size_t>(i)];
    const unsigned b = slot.bank;
    if (slot.visible > t) return none;
    if (!slot.opened && (competing_ || slot.write == writing_) && timing_.bank[b].row == slot.row &&
        !held.contains(b) && hit_of(b) == i &&
        rising(std::max({timing_.column_ready(b, slot.write), column_bus_, floor_})) <= t)
      return i;
    i = slot.younger;
  }
  return none;
}

Controller::Choice Controller::choose_column(Tick t, Index single) {
  Choice best;
  Tick later = never;
  unsigned ready = 0;
  const auto consider = [&](Index i, unsigned b) {
    const auto& slot = slots_[static_cast<std::size_t>(i)];
    const auto when = rising(std::max({timing_.column_ready(b, slot.write), column_bus_, floor_}));
    if (when > t) {
      later = std::min(later, when);
      return;
    }
    ++ready;
    if (slot.age < best.age) best = {i, b, slot.age, t, Choice::column, 0};
  };
  if (!opened_.empty()) opened_.for_each([&](unsigned b) { consider(banks_[b].opened_for, b); });
  if (best) {
    const bool alone = ready == 1 && hits_[0].empty() && hits_[1].empty();
    column_next_ = t + timing_.delay.column_bus;
    if (alone) column_next_ = std::max(column_next_, later);
    return best;
  }
  if (!channel_blocked()) {
    // a row that closes with its first burst is for the burst that it was opened for
    const auto held = parameters_.page_policy == PagePolicy::closed ? held_ | opened_ : held_;
    if (single != none) {
      const auto& slot = slots_[static_cast<std::size_t>(single)];
      if (!slot.opened && !held.contains(slot.bank) && timing_.bank[slot.bank].row == slot.row)
        consider(single, slot.bank);
    } else if (const auto i = oldest_hit_ready(t, held); i != none) {
      column_next_ = t + timing_.delay.column_bus;
      return {i,
              slots_[static_cast<std::size_t>(i)].bank,
              slots_[static_cast<std::size_t>(i)].age,
              t,
              Choice::column,
              0};
    } else {
      const auto set = (competing_ ? hits_[0] | hits_[1] : hits_[writing_]) - held;
      set.for_each([&](unsigned b) { consider(hit_of(b), b); });
    }
  }
  column_next_ =
      ready > 1 ? t + timing_.delay.column_bus : std::max(later, best ? t + timing_.delay.column_bus : t + 1);
  return best;
}

bool Controller::may_close(unsigned b, Index wanting) const {
  const auto& bank = banks_[b];
  if (const auto i = bank.opened_for; i != none)  // it keeps its row unless it waits for the other mode
    if (const auto& slot = slots_[static_cast<std::size_t>(i)];
        slot.opened || competing_ || slot.write == writing_)
      return false;
  if (parameters_.keep_open == KeepOpen::none || wanting == none) return true;
  const auto hit = hit_of(b);
  if (hit == none) return true;
  return parameters_.keep_open == KeepOpen::older &&
         slots_[static_cast<std::size_t>(wanting)].age < slots_[static_cast<std::size_t>(hit)].age;
}

Tick Controller::job_ready(const RefreshJob& job, bool& closes) const {
  closes = false;
  Tick ready = 0, refresh = 0;
  for (unsigned b = job.first; b < job.end; ++b) {
    if (timing_.bank[b].row != TimingState::closed) {
      if (opened_.contains(b)) return never;
      closes = true;
      ready = std::max(ready, timing_.precharge_ready(b));
    }
    refresh = std::max(refresh, timing_.bank[b].act + timing_.delay.to_refresh);
  }
  if (closes) return ready;
  if (job.kind != RefreshJob::Kind::all_bank)
    refresh = std::max(refresh, timing_.window[timing_.bank[job.first].window].refresh_bank);
  return rising(refresh);
}

Controller::Choice Controller::choose_row(Tick t, Index single) {
  Choice best;
  Tick later = never;
  unsigned ready = 0;
  const bool first_over = parameters_.row_order == RowOrder::first_over;
  const auto consider = [&](Tick when, Choice choice, Tick length) {
    when = std::max({when, row_bus_, floor_});
    if (choice.kind != Choice::precharge) when = rising(when);
    if (when > t) {
      later = std::min(later, when);
      if (!first_over || when >= never) return;
    } else {
      when = t;
      ++ready;
    }
    choice.over = first_over ? when + length : t;
    if (choice.over < best.over || (choice.over == best.over && choice.age < best.age)) best = choice;
  };
  const auto jobs = together_ ? std::min<std::size_t>(1, jobs_.size()) : jobs_.size();
  for (std::size_t j = 0; j < jobs; ++j) {
    bool closes = false;
    const auto when = job_ready(jobs_[j], closes);
    // a PRE of a job may go in any half cycle, as other PREs
    consider(when, {none, jobs_[j].first, 0, never, closes ? Choice::precharge : Choice::refresh, j + 1}, 1);
  }
  if (!channel_blocked()) {
    const auto want = [&](Index i, unsigned b, bool alone) {
      const auto& bank = timing_.bank[b];
      const auto age = slots_[static_cast<std::size_t>(i)].age;
      if (bank.row == TimingState::closed)
        consider(timing_.act_ready(b), {i, b, age, never, Choice::activate, 0}, timing_.delay.act_bus);
      else if (alone ? !opened_.contains(b) : may_close(b, i))
        consider(timing_.precharge_ready(b), {i, b, age, never, Choice::precharge, 0}, 1);
    };
    if (single != none) {
      const auto& slot = slots_[static_cast<std::size_t>(single)];
      if (!slot.opened && !held_.contains(slot.bank) && timing_.bank[slot.bank].row != slot.row)
        want(single, slot.bank, true);
    } else {
      const auto set = (competing_ ? others_[0] | others_[1] : others_[writing_]) - held_;
      if (first_over) {
        set.for_each([&](unsigned b) { want(other_of(b), b, false); });
      } else {  // most banks are not allowed anything yet: see that first
        set.for_each([&](unsigned b) {
          const auto& bank = timing_.bank[b];
          const auto& window = timing_.window[bank.window];
          const auto when =
              bank.row == TimingState::closed
                  ? std::max({bank.act, window.act, window.acts[window.oldest] + timing_.delay.faw})
                  : bank.precharge;
          if (std::max(when, row_bus_) > t)
            later = std::min(later, when);
          else
            want(other_of(b), b, false);
        });
      }
    }
    if (!closing_.empty())
      (closing_ - held_).for_each([&](unsigned b) {
        consider(std::max(banks_[b].idle_close, timing_.precharge_ready(b)),
                 {none, b, ~std::uint64_t{0} - 1, never, Choice::precharge, 0}, 1);
      });
  }
  if (best && first_over && ready > 0 &&
      best.over - (best.kind == Choice::activate ? timing_.delay.act_bus : 1) > t) {
    row_next_ = t + 1;  // it waits for a command that will be over as soon and is older
    return {};
  }
  if (ready == 0) best = {};
  const auto busy = best.kind == Choice::activate ? timing_.delay.act_bus : 1;
  row_next_ = ready > 1 ? t + busy : std::max(later, t + (best ? busy : 1));
  return best;
}

// Commands

void Controller::send_column(const Choice& choice, Tick t) {
  const auto i = choice.slot;
  auto& slot = slots_[static_cast<std::size_t>(i)];
  const unsigned b = choice.bank;
  auto& bank = banks_[b];
  const auto& d = timing_.delay;
  const unsigned pseudo = timing_.bank[b].pseudo_channel;
  if (t > data_free_[pseudo]) explain(slot, pseudo, data_free_[pseudo], t);
  data_free_[pseudo] = std::max(data_free_[pseudo], t) + d.burst;
  count(Limit::data, data_free_[pseudo] - d.burst, data_free_[pseudo]);
  last_kind_[pseudo] = slot.write;
  timing_.column_sent(b, slot.write, t);
  column_bus_ = t + d.column_bus;
  if (!parameters_.separate_buses) row_bus_ = column_bus_;
  completions.push_back({slot.owner, t + (slot.write ? d.write_done : d.read_done)});
  if (last_was_write_ != slot.write && parameters_.scheduler == Scheduler::fr_fcfs_grouped)
    column_next_ = column_bus_;
  last_was_write_ = slot.write;
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
    opened_.erase(b);
  }
  if (bank.opened_for == i) bank.opened_for = none;
  (slot.older == none ? oldest_ : slots_[static_cast<std::size_t>(slot.older)].younger) = slot.younger;
  (slot.younger == none ? youngest_ : slots_[static_cast<std::size_t>(slot.younger)].older) = slot.older;
  if (ordered_) {
    row_next_ = t;
    column_next_ = column_bus_;
  }
  --bank.waiting, --per_pseudo_[pseudo], --used_;
  free_.push_back(i);
  --depth_;
  visible_sum_ -= static_cast<double>(slot.visible);
  leave(slot.visible, t);

  const auto row_hits = [&] {
    return bank.kind[0].hit != none || bank.kind[1].hit != none || bank.opened_for != none;
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
    closing_.insert(b);
    row_next_ = std::min(row_next_, bank.idle_close);
  }
  for (const bool write : {false, true})  // the next hit of the bank was behind this one
    if (hits_[write].contains(b))
      column_next_ = std::min(column_next_, std::max(column_bus_, timing_.column_ready(b, write)));
  if (others_[0].contains(b) || others_[1].contains(b)) row_next_ = std::min(row_next_, t + 1);
  if (!jobs_.empty()) row_next_ = std::min(row_next_, t);
  if (parameters_.refresh_management && bank.activations >= parameters_.timings.RAAIMT && bank.waiting == 0)
    begin_job({RefreshJob::Kind::management, b, b + 1, t}, t);
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
    closing_.erase(b);
    if (choice.slot != none) slots_[static_cast<std::size_t>(choice.slot)].need = Need::precharge;
    sort_bank(b);
    row_next_ = std::min(row_next_, std::max(row_bus_, timing_.act_ready(b)));
    return;
  }
  auto& slot = slots_[static_cast<std::size_t>(choice.slot)];
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
    unlink(choice.slot);
    --entries_[slot.write], --seen_[slot.write], --bank.admitted;
    slot.opened = true;
    opened_.insert(b);
  }
  sort_bank(b);
  for (const bool write : {false, true})
    if (hits_[write].contains(b) || (slot.opened && slot.write == write))
      column_next_ = std::min(column_next_, timing_.bank[b].column[write]);
  row_next_ = std::min(row_next_, timing_.bank[b].precharge);
  if (mode_turns()) column_next_ = row_next_ = t + 1;
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
  for (unsigned b = job.first; b < job.end; ++b) held_.insert(b);
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
  if (sleeping_ && parameters_.self_refresh_cycles > 0 &&
      t > last_burst_ + Tick{parameters_.self_refresh_cycles} * timing_.delay.per_cycle)
    return plan_.restart(t);  // the DRAM refreshes itself
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
        closing_.erase(b);
        sort_bank(b);
      } else {
        timing_.bank[b].act = std::max(timing_.bank[b].act, t + timing_.delay.precharge_act);
      }
    if (timing_.delay.precharge_precharge > 0) timing_.precharge_sent(job.first, t);
    ++counts_.precharges;
    row_next_ = t + 1;
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
    held_.erase(b);
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
    for (unsigned b = other.first; b < other.end; ++b) held_.insert(b);
  if (jobs_.empty()) job_end_ = t;
  row_next_ = t + 1;
  column_next_ = std::min(column_next_, t + 1);
}

// Power

void Controller::wake(Tick t) {
  sleeping_ = false;
  const auto& d = timing_.delay;
  Tick asleep = t;  // end of power-down
  if (parameters_.self_refresh_cycles > 0) {
    const auto entry = last_burst_ + Tick{parameters_.self_refresh_cycles} * d.per_cycle;
    if (t > entry && used_ > 0) {
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
  }
  if (parameters_.power_down_cycles > 0) {
    const auto entry = last_command_ + Tick{parameters_.power_down_cycles} * d.per_cycle;
    if (asleep > entry) {
      const auto leave = asleep < t ? asleep : std::max(t, entry + d.least_power_down);
      if (asleep == t) floor_ = std::max(floor_, leave + d.leave_power_down), floor_begin_ = t;
      power_down_ticks_ += static_cast<double>(leave - entry);
      ++counts_.power_downs;
    }
  }
  column_next_ = row_next_ = t;
}

// Time

void Controller::advance(Tick limit) {
  while (next_ <= limit) {
    if (running_ || (may_run_ && next_ >= run_again_ && begin_run(next_)))
      run(limit);
    else
      tick(next_);
  }
  clock_ = std::max(clock_, limit);
}

// Runs: while all bursts in the queues are hits of one kind, none needs a row command. If the oldest burst of
// a pseudo-channel may go as soon as the pseudo-channel itself allows a column command, no scheduler would
// choose a younger one there, and between the pseudo-channels the one that may go first, then the older, is
// served. So there is nothing to search. A run ends with the first burst that is no such hit, or when bank or
// group make the oldest wait longer than the pseudo-channel.

/// Turns the queues into a run, if they are one and it may be worth the trouble.
bool Controller::begin_run(Tick t) {
  if (!others_[0].empty() || !others_[1].empty() || !opened_.empty() || !jobs_.empty() || plan_.owed() > 0 ||
      bin_ticks_ > 0 || sleeping_ || used_ + waiting_.size() < 4 || (entries_[0] > 0 && entries_[1] > 0))
    return false;
  if (used_ == 0 && waiting_.empty()) return false;
  run_again_ = t + 64;
  for (auto i = oldest_; i != none; i = slots_[static_cast<std::size_t>(i)].younger) {
    const auto& slot = slots_[static_cast<std::size_t>(i)];
    if (slot.need != Need::nothing || timing_.bank[slot.bank].row != static_cast<std::int64_t>(slot.row))
      return false;
  }
  run_writes_ = used_ > 0 ? slots_[static_cast<std::size_t>(oldest_)].write : waiting_.front().burst.write;
  running_ = true;
  queued_ = used_;
  for (auto i = oldest_; i != none; i = slots_[static_cast<std::size_t>(i)].younger) {
    auto& slot = slots_[static_cast<std::size_t>(i)];
    run_[timing_.bank[slot.bank].pseudo_channel].push_back(
        {{slot.owner, slot.bank, slot.row, slot.write, slot.check, false},
         slot.offered,
         slot.visible,
         slot.age});
    auto& bank = banks_[slot.bank];
    bank.kind = {};
    bank.opened_for = none;
    bank.waiting = bank.admitted = 0;
    hits_[slot.write].erase(slot.bank);
    per_pseudo_[timing_.bank[slot.bank].pseudo_channel] = 0;
    free_.push_back(i);
  }
  while (!arriving_.empty()) arriving_.pop_front();
  oldest_ = youngest_ = none;
  used_ = depth_ = 0;
  seen_ = {};
  visible_sum_ = 0;
  return true;
}

/// A burst takes a queue entry.
void Controller::queue_in_run(Waiting w, Tick admitted) {
  w.visible = admitted + front_end_;
  w.age = ++age_;
  ++entries_[w.burst.write];
  ++queued_;
  if (admitted > w.offered) front_blocked_ = admitted;
  if (w.burst.report) admissions.push_back(w.burst.owner);
  run_[timing_.bank[w.burst.bank].pseudo_channel].push_back(w);
}

void Controller::run(Tick limit) {
  const auto stop = std::min(limit, plan_.next() - 1);
  const auto& d = timing_.delay;
  const bool write = run_writes_;
  const auto done = write ? d.write_done : d.read_done;
  Tick sent = next_ - 1;  // ticks up to here are decided
  while (true) {
    // which pseudo-channel is served next, and when
    Tick when = never;
    std::size_t pseudo = 0;
    const auto bus = std::max({column_bus_, floor_, sent + 1});
    for (std::size_t p = 0; p < run_.size(); ++p) {
      if (run_[p].empty()) continue;
      const auto& first = run_[p].front();
      const auto rank = timing_.ranks() * p;
      auto allowed = timing_.rank[rank].column[write];
      for (unsigned r = 1; r < timing_.ranks(); ++r)
        allowed = std::min(allowed, timing_.rank[rank + r].column[write]);
      const auto at = rising(std::max({bus, allowed, first.visible}));
      if (at < when || (at == when && first.age < run_[pseudo].front().age)) when = at, pseudo = p;
    }
    // those that find room before
    const auto until = std::min(when - 1, stop);
    if (!waiting_.empty() && waiting_.front().offered <= until && room(waiting_.front().burst)) {
      const auto next = waiting_.front();
      if (!in_run(next.burst)) return end_run(std::max(sent + 1, next.offered));
      waiting_.pop_front();
      queue_in_run(next, std::max(sent, next.offered));
      continue;
    }
    if (when > stop) break;
    const auto& first = run_[pseudo].front();
    const unsigned b = first.burst.bank;
    if (timing_.column_ready(b, write) > when) return end_run(sent + 1);
    auto& free = data_free_[pseudo];
    if (when > free) {
      Slot slot;
      slot.offered = first.offered, slot.visible = first.visible;
      slot.bank = static_cast<std::uint16_t>(b), slot.write = write;
      explain(slot, static_cast<unsigned>(pseudo), free, when);
      free = when;
    }
    free += d.burst;
    limit_ticks_[static_cast<std::size_t>(Limit::data)] += d.burst;
    last_kind_[pseudo] = write;
    timing_.column_sent(b, write, when);
    column_bus_ = when + d.column_bus;
    ++(write ? counts_.writes : counts_.reads);
    ++counts_.hits;
    counts_.check_bursts += first.burst.check;
    depth_ticks_ += static_cast<double>(when - first.visible);
    if (!completions.empty() && completions.back().owner == first.burst.owner &&
        completions.back().done < when + done) {
      completions.back().done = when + done;
      ++completions.back().bursts;
    } else {
      completions.push_back({first.burst.owner, when + done});
    }
    sent = clock_ = last_burst_ = last_command_ = when;
    last_was_write_ = write;
    run_[pseudo].pop_front();
    --queued_;
    --entries_[write];
    while (!waiting_.empty() && waiting_.front().offered <= when && room(waiting_.front().burst)) {
      if (!in_run(waiting_.front().burst)) {
        end_run(when + 1);
        return admit(when);
      }
      queue_in_run(waiting_.front(), when);
      waiting_.pop_front();
    }
    if (queued_ == 0 && waiting_.empty()) return end_run(never);
  }
  clock_ = std::max(clock_, stop);
  // the next column command, or the next offer that finds room
  next_ = plan_.next();
  for (std::size_t p = 0; p < run_.size(); ++p)
    if (!run_[p].empty()) next_ = std::min(next_, std::max({column_bus_, run_[p].front().visible, stop + 1}));
  if (!waiting_.empty() && waiting_.front().offered > stop) next_ = std::min(next_, waiting_.front().offered);
  next_ = std::max(next_, stop + 1);
  if (next_ >= plan_.next()) end_run(plan_.next());
}

/// Back to the queues; ticks before `resume` are decided.
void Controller::end_run(Tick resume) {
  running_ = false;
  last_was_write_ = run_writes_;
  writing_ = run_writes_ || queued_ == 0;
  next_ = column_next_ = row_next_ = resume;
  while (queued_ > 0) {
    std::size_t oldest = 0;
    for (std::size_t p = 1; p < run_.size(); ++p)
      if (run_[oldest].empty() || (!run_[p].empty() && run_[p].front().age < run_[oldest].front().age))
        oldest = p;
    const auto w = run_[oldest].front();
    run_[oldest].pop_front();
    --queued_;
    place(w.burst, w.offered, w.visible);
  }
  next_ = std::max(resume, Tick{0});
  if (!waiting_.empty() && waiting_.front().offered > clock_)
    next_ = std::min(next_, waiting_.front().offered);
  if (resume == never) {
    next_ = plan_.next();
    column_next_ = row_next_ = never;
    sleeping_ = used_ == 0;
  }
  run_again_ = std::max(run_again_, last_burst_ + 64);
}

void Controller::tick(Tick t) {
  clock_ = t;
  if (plan_.next() <= t) refresh_due(t);
  while (!arriving_.empty() && slots_[static_cast<std::size_t>(arriving_.front())].visible <= t) {
    const auto i = arriving_.front();
    arriving_.pop_front();
    show(i, t);
  }
  if (plan_.owed() > 0) release_owed(t);
  Index single = none;
  if (ordered_) {
    single = only(t);
    if (single != none) column_next_ = std::min(column_next_, t), row_next_ = std::min(row_next_, t);
  }
  update_mode();
  bool sent = false;
  if (parameters_.separate_buses) {
    if (column_next_ <= t)
      if (const auto choice = choose_column(t, single)) {
        send_column(choice, t);
        sent = true;
        update_mode();
        if (ordered_) single = only(t);
      }
    if (row_next_ <= t)
      if (const auto choice = choose_row(t, single)) send_row(choice, t);
  } else {
    Choice column, row;
    if (column_next_ <= t) column = choose_column(t, single);
    if (row_next_ <= t) row = choose_row(t, single);
    if (column && row && !slots_[static_cast<std::size_t>(column.slot)].opened && row.age < column.age)
      column = {};
    if (column) {
      if (row) row_next_ = column_bus_;
      send_column(column, t);
      sent = true;
      row_next_ = std::min(std::max(row_next_, t + 1), t + timing_.delay.column_bus);
    } else if (row) {
      column_next_ = std::min(column_next_, t + 1);
      send_row(row, t);
    }
  }
  if (!waiting_.empty()) admit(t);

  next_ = std::min(column_next_, row_next_);
  if (next_ < floor_) next_ = floor_;
  if (plan_.owed() > 0 && sent) next_ = t + 1;  // a scope may have nothing to do any more
  next_ = std::min(next_, plan_.next());
  if (!arriving_.empty())
    next_ = std::min(next_, slots_[static_cast<std::size_t>(arriving_.front())].visible);
  if (!waiting_.empty() && waiting_.front().offered > t) next_ = std::min(next_, waiting_.front().offered);
  if (ordered_ && oldest_ != none) {
    const auto& slot = slots_[static_cast<std::size_t>(oldest_)];
    const auto starves = slot.visible + Tick{parameters_.starvation_cycles} * timing_.delay.per_cycle;
    if (starves > t) next_ = std::min(next_, starves);
  }
  next_ = std::max(next_, t + 1);
  if (used_ == 0 && jobs_.empty()) sleeping_ = true;
}

// Statistics

SeriesBin& Controller::bin(Tick t) {
  const auto index = static_cast<std::size_t>((t - cleared_) / bin_ticks_);
  if (index >= series_.size()) series_.resize(index + 1);
  return series_[index];
}

void Controller::count(Limit limit, Tick from, Tick until) {
  limit_ticks_[static_cast<std::size_t>(limit)] += until - from;
  if (bin_ticks_ == 0) return;
  while (from < until) {
    const auto end = std::min(until, ((from - cleared_) / bin_ticks_ + 1) * bin_ticks_ + cleared_);
    bin(from).limit_cycles[static_cast<std::size_t>(limit)] +=
        static_cast<double>(end - from) / static_cast<double>(timing_.delay.per_cycle);
    from = end;
  }
}

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

/// A burst has been in the scheduler's sight from `visible` to `t`.
void Controller::leave(Tick visible, Tick t) {
  depth_ticks_ += static_cast<double>(t - visible);
  if (bin_ticks_ == 0) return;
  for (auto from = std::max(visible, cleared_); from < t;) {
    const auto end = std::min(t, ((from - cleared_) / bin_ticks_ + 1) * bin_ticks_ + cleared_);
    bin(from).queue_cycles += static_cast<double>(end - from) / static_cast<double>(timing_.delay.per_cycle);
    from = end;
  }
}

/// Ticks that the bursts still in sight have been there.
double Controller::waited(Tick now) const {
  auto sum = static_cast<double>(depth_) * static_cast<double>(now) - visible_sum_;
  for (const auto& queue : run_)
    for (std::size_t i = 0; i < queue.size(); ++i)
      sum += static_cast<double>(std::max<Tick>(0, now - queue[i].visible));
  return sum;
}

void Controller::record(Tick ticks) {
  if (running_) end_run(clock_ + 1);
  bin_ticks_ = ticks;
  series_.clear();
}

void Controller::clear_statistics(Tick now) {
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

ChannelStatistics Controller::statistics(Tick now) const {
  const auto per_cycle = static_cast<double>(timing_.delay.per_cycle);
  auto s = counts_;
  auto ticks = limit_ticks_;
  for (std::size_t p = 0; p < data_free_.size(); ++p) {
    if (data_free_[p] > now)
      ticks[static_cast<std::size_t>(Limit::data)] -= data_free_[p] - now;
    else
      ticks[static_cast<std::size_t>(per_pseudo_[p] > 0 || !run_[p].empty()
                                         ? (jobs_.empty() ? Limit::bank : Limit::refresh)
                                         : Limit::idle)] += now - data_free_[p];
  }
  for (std::size_t i = 0; i < limits; ++i) s.limit_cycles[i] = static_cast<double>(ticks[i]) / per_cycle;
  s.data_cycles = (s.reads + s.writes) * parameters_.timings.nBL;
  s.cycles = static_cast<double>(now - cleared_) / per_cycle;
  s.queue_cycles = (depth_ticks_ + waited(now)) / per_cycle;
  auto down = power_down_ticks_, self = self_refresh_ticks_;
  if (sleeping_) {
    const auto entry = parameters_.self_refresh_cycles > 0
                           ? last_burst_ + Tick{parameters_.self_refresh_cycles} * timing_.delay.per_cycle
                           : never;
    const auto begin = parameters_.power_down_cycles > 0
                           ? last_command_ + Tick{parameters_.power_down_cycles} * timing_.delay.per_cycle
                           : never;
    self += static_cast<double>(std::max<Tick>(0, now - std::max(entry, cleared_)));
    down += static_cast<double>(std::max<Tick>(0, std::min(now, entry) - std::max(begin, cleared_)));
  }
  s.power_down_cycles = down / per_cycle;
  s.self_refresh_cycles = self / per_cycle;
  const auto& e = parameters_.energies;
  const auto seconds = [&](double cycles) {
    return std::max(0.0, cycles) / parameters_.clock.hertz * parameters_.pseudo_channels;
  };
  s.joules = static_cast<double>(s.activates) * e.activate + static_cast<double>(s.reads) * e.read +
             static_cast<double>(s.writes) * e.write + static_cast<double>(s.refreshes) * e.refresh +
             static_cast<double>(s.bank_refreshes + s.managements) * e.refresh_bank +
             seconds(s.cycles - s.power_down_cycles - s.self_refresh_cycles) * e.standby +
             seconds(s.power_down_cycles) * e.power_down + seconds(s.self_refresh_cycles) * e.self_refresh;
  return s;
}

}  // namespace forerun::ip::hbm
