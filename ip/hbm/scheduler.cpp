// SPDX-License-Identifier: Apache-2.0
// Which command goes next: bursts of open rows want column commands, others row commands. Banks are looked
// through a pseudo-channel at a time, and only where the pseudo-channel itself allows the command.
#include <algorithm>
#include <bit>

#include "ip/hbm/controller.hpp"

namespace forerun::ip::hbm {
namespace {

/// Calls visit(number of the bit) for each bit that is set.
template <typename Visit>
inline void for_each_bit(std::uint64_t word, Visit visit) {
  for (; word != 0; word &= word - 1) visit(static_cast<unsigned>(std::countr_zero(word)));
}

}  // namespace

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
inline Controller::Index Controller::oldest_hit_ready(Tick t) const {
  const auto* const slots = slots_.data();
  auto i = oldest_;
  for (unsigned looks = 0; i != none && looks < 3; ++looks) {
    const auto& slot = slots[i];
    if (slot.visible > t) return none;
    const unsigned b = slot.bank;
    if (timing_.bank[b].row == slot.row && timing_.column_ready(b, slot.write) <= t && !slot.opened &&
        (competing_ ? hit_of(b) == i : slot.write == writing_ && banks_[b].kind[slot.write].hit == i) &&
        !keeps(b))
      return i;
    i = slot.younger;
  }
  return none;
}

/// True if a hit of the bank has to wait for a refresh, or for the burst that a row was opened for where it
/// closes with that burst.
bool Controller::keeps(unsigned b) const {
  const auto& set = sets(b);
  return ((parameters_.page_policy == PagePolicy::closed ? set.held | set.opened : set.held) & bit(b)) != 0;
}

Controller::Choice Controller::choose_column(Tick t, Index single) {
  Choice best;
  if (const auto bus = rising(std::max(std::max(column_bus_, floor_), t)); bus > t) {
    column_next_ = bus;
    return best;
  }
  Tick later = never;
  const auto* const slots = slots_.data();
  const auto consider = [&](Index i, unsigned b) {
    const auto& slot = slots[i];
    if (slot.age >= best.age) return;
    if (const auto when = timing_.column_ready(b, slot.write); when > t)
      later = std::min(later, when);
    else
      best = {i, b, slot.age, Choice::column, 0};
  };
  const auto among = [&](std::size_t p, std::uint64_t banks, auto burst_of) {
    const auto when = timing_.pseudo_column(static_cast<unsigned>(p));
    if (when > t) {
      later = std::min(later, when);
      return;
    }
    const auto first = static_cast<unsigned>(p) * banks_per_pseudo_;
    for_each_bit(banks, [&](unsigned n) { consider(burst_of(first + n), first + n); });
  };
  const auto pseudos = sets_.size();
  for (std::size_t p = 0; p < pseudos; ++p)
    if (sets_[p].opened != 0) among(p, sets_[p].opened, [&](unsigned b) { return banks_[b].opened_for; });
  if (!best && !channel_blocked()) {
    if (single != none) {
      const auto& slot = slots[single];
      if (!slot.opened && timing_.bank[slot.bank].row == slot.row && !keeps(slot.bank))
        consider(single, slot.bank);
    } else if (const auto i = oldest_hit_ready(t); i != none) {
      best = {i, slots[i].bank, slots[i].age, Choice::column, 0};
    } else {
      const bool closes = parameters_.page_policy == PagePolicy::closed;
      for (std::size_t p = 0; p < pseudos; ++p) {
        const auto& set = sets_[p];
        const auto hits = (competing_ ? set.hits[0] | set.hits[1] : set.hits[writing_]) &
                          ~(closes ? set.held | set.opened : set.held);
        if (hits == 0) continue;
        if (competing_)
          among(p, hits, [&](unsigned b) { return hit_of(b); });
        else
          among(p, hits, [&, writing = writing_](unsigned b) { return banks_[b].kind[writing].hit; });
      }
    }
  }
  column_next_ = best ? t + timing_.delay.column_bus : rising(std::max(later, t + 1));
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
      if ((sets(b).opened & bit(b)) != 0) return never;
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

/// True if the burst that alone may be served wants a row command.
bool Controller::wants_row(Index single) const {
  const auto& slot = slots_[static_cast<std::size_t>(single)];
  const auto& set = sets(slot.bank);
  const bool open = (set.open & bit(slot.bank)) != 0;
  return !slot.opened && timing_.bank[slot.bank].row != slot.row && (set.held & bit(slot.bank)) == 0 &&
         (!open || (set.opened & bit(slot.bank)) == 0);
}

/// Banks of a pseudo-channel in which a burst that may be served waits for another row.
std::uint64_t Controller::waiting_others(std::size_t p) const {
  const auto& set = sets_[p];
  return (competing_ ? set.others[0] | set.others[1] : set.others[writing_]) & ~set.held;
}

/// RowOrder::oldest_ready.
Controller::Choice Controller::oldest_row_command(Tick t, Index single) {
  Choice best;
  if (const auto bus = std::max(row_bus_, floor_); bus > t) {
    row_next_ = bus;
    return best;
  }
  const bool whole = rising(t) == t;  // PRE may go in any half cycle, the others may not
  Tick later = never;
  unsigned ready = 0;
  const auto consider = [&](Tick when, Choice::Kind kind, Index slot, unsigned b, std::uint64_t age,
                            std::uint32_t job) {
    if (when <= t && !whole && kind != Choice::precharge) when = t + 1;
    if (when > t) {
      later = std::min(later, when);
      return;
    }
    ++ready;
    if (age < best.age) best = {slot, b, age, kind, job};
  };
  const auto jobs = together_ ? std::min<std::size_t>(1, jobs_.size()) : jobs_.size();
  for (std::uint32_t j = 0; j < jobs; ++j) {
    bool closes = false;
    const auto when = job_ready(jobs_[j], closes);
    consider(when, closes ? Choice::precharge : Choice::refresh, none, jobs_[j].first, 0, j + 1);
  }
  const auto want = [&](Index i, unsigned b) {
    const auto age = slots_[static_cast<std::size_t>(i)].age;
    if (timing_.bank[b].row == TimingState::closed)
      consider(timing_.act_ready(b), Choice::activate, i, b, age, 0);
    else
      consider(timing_.precharge_ready(b), Choice::precharge, i, b, age, 0);
  };
  if (!channel_blocked() && single != none) {
    if (wants_row(single)) want(single, slots_[static_cast<std::size_t>(single)].bank);
  } else if (!channel_blocked()) {
    for (std::size_t p = 0; p < sets_.size(); ++p) {
      const auto& set = sets_[p];
      const auto first = static_cast<unsigned>(p) * banks_per_pseudo_;
      const auto others = waiting_others(p);
      if (const auto closed = others & ~set.open; closed != 0) {
        if (const auto when = timing_.pseudo_activation(static_cast<unsigned>(p)); when > t || !whole)
          later = std::min(later, std::max(when, t + 1));
        else
          for_each_bit(closed, [&](unsigned n) {
            if (const auto allowed = timing_.act_ready(first + n); allowed > t)
              later = std::min(later, allowed);
            else
              want(other_of(first + n), first + n);
          });
      }
      for_each_bit(others & set.open, [&](unsigned n) {
        const auto b = first + n;
        if (const auto allowed = timing_.precharge_ready(b); allowed > t)
          later = std::min(later, allowed);
        else if (const auto i = other_of(b); may_close(b, i))
          want(i, b);
      });
    }
  }
  if (!channel_blocked())
    for (std::size_t p = 0; p < sets_.size(); ++p)
      for_each_bit(sets_[p].closing & ~sets_[p].held, [&](unsigned n) {
        const auto b = static_cast<unsigned>(p) * banks_per_pseudo_ + n;
        consider(std::max(banks_[b].idle_close, timing_.precharge_ready(b)), Choice::precharge, none, b,
                 ~std::uint64_t{0} - 1, 0);
      });
  const auto busy = best.kind == Choice::activate ? timing_.delay.act_bus : 1;
  row_next_ = ready > 1 ? t + busy : std::max(later, t + busy);
  return best;
}

/// RowOrder::first_over: commands that are not allowed yet count too.
Controller::Choice Controller::first_row_command(Tick t, Index single) {
  Choice best;
  Tick soonest = never, later = never;
  unsigned ready = 0;
  const auto consider = [&](Tick when, Choice::Kind kind, Index slot, unsigned b, std::uint64_t age,
                            std::uint32_t job) {
    when = std::max(when, std::max(row_bus_, floor_));
    if (kind != Choice::precharge) when = rising(when);
    if (when > t) {
      later = std::min(later, when);
      if (when >= never) return;
    } else {
      when = t;
      ++ready;
    }
    const auto over = when + (kind == Choice::activate ? timing_.delay.act_bus : 1);
    if (over < soonest || (over == soonest && age < best.age)) {
      best = {slot, b, age, kind, job};
      soonest = over;
    }
  };
  const auto want = [&](Index i, unsigned b) {
    const auto age = slots_[static_cast<std::size_t>(i)].age;
    if (timing_.bank[b].row == TimingState::closed)
      consider(timing_.act_ready(b), Choice::activate, i, b, age, 0);
    else
      consider(timing_.precharge_ready(b), Choice::precharge, i, b, age, 0);
  };
  const auto jobs = together_ ? std::min<std::size_t>(1, jobs_.size()) : jobs_.size();
  for (std::uint32_t j = 0; j < jobs; ++j) {
    bool closes = false;
    const auto when = job_ready(jobs_[j], closes);
    consider(when, closes ? Choice::precharge : Choice::refresh, none, jobs_[j].first, 0, j + 1);
  }
  if (!channel_blocked()) {
    if (single != none && wants_row(single)) want(single, slots_[static_cast<std::size_t>(single)].bank);
    for (std::size_t p = 0; p < sets_.size(); ++p) {
      const auto& set = sets_[p];
      const auto first = static_cast<unsigned>(p) * banks_per_pseudo_;
      if (single == none)
        for_each_bit(waiting_others(p), [&](unsigned n) {
          const auto b = first + n;
          const auto i = other_of(b);
          if ((set.open >> n & 1) == 0 || may_close(b, i)) want(i, b);
        });
      for_each_bit(set.closing & ~set.held, [&](unsigned n) {
        const auto b = first + n;
        consider(std::max(banks_[b].idle_close, timing_.precharge_ready(b)), Choice::precharge, none, b,
                 ~std::uint64_t{0} - 1, 0);
      });
    }
  }
  if (best && ready > 0 && soonest - (best.kind == Choice::activate ? timing_.delay.act_bus : 1) > t) {
    row_next_ = t + 1;  // it waits for a command that will be over as soon and is older
    return {};
  }
  if (ready == 0) best = {};
  const auto busy = best.kind == Choice::activate ? timing_.delay.act_bus : 1;
  row_next_ = ready > 1 ? t + busy : std::max(later, t + busy);
  return best;
}

}  // namespace forerun::ip::hbm
