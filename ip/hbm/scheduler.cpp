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
  if (order_.empty()) return none;
  const auto i = static_cast<Index>(order_.oldest());
  const auto& slot = slots_[static_cast<std::size_t>(i)];
  if (slot.visible > t) return none;
  if (parameters_.scheduler == Scheduler::fcfs) return i;
  return t - slot.visible >= Tick{parameters_.starvation_cycles} * timing_.delay.per_cycle ? i : none;
}

/// The oldest burst of a bank, of one kind, that wants the open row.
Controller::Index Controller::first_hit(unsigned b, bool write) const {
  const auto row = timing_.bank[b].row;
  auto i = banks_[b].kind[write].head;
  while (i != none && slots_[static_cast<std::size_t>(i)].row != row)
    i = slots_[static_cast<std::size_t>(i)].next;
  return i;
}

/// The hit of a bank that comes first.
Controller::Index Controller::hit_of(unsigned b) const {
  if (!competing_) return first_hit(b, writing_);
  const auto read = first_hit(b, false), write = first_hit(b, true);
  if (read == none || write == none) return read == none ? write : read;
  if (parameters_.scheduler == Scheduler::fr_fcfs_grouped) return last_was_write_ ? write : read;
  return slots_[static_cast<std::size_t>(read)].age < slots_[static_cast<std::size_t>(write)].age ? read
                                                                                                  : write;
}

Controller::Choice Controller::choose_column(Tick t, Index single) {
  Choice best;
  if (const auto bus = rising(std::max(std::max(column_bus_, floor_), t)); bus > t) {
    column_next_ = bus;
    return best;
  }
  const auto* const slots = slots_.data();
  // a row that closes with its first burst is for the burst that it was opened for
  const auto kept = [&](const PseudoChannel& pseudo) {
    return parameters_.page_policy == PagePolicy::closed ? pseudo.held | pseudo.opened : pseudo.held;
  };
  for (auto& pseudo : pseudos_) {
    if (pseudo.opened == 0 || pseudo.opened_next > t) continue;
    auto later = never;
    const auto first = static_cast<unsigned>(&pseudo - pseudos_.data()) * banks_per_pseudo_;
    for_each_bit(pseudo.opened, [&](unsigned n) {
      const auto i = banks_[first + n].opened_for;
      if (const auto when = timing_.column_ready(first + n, slots[i].write); when > t)
        later = std::min(later, when);
      else if (later = t; slots[i].age < best.age)
        best = {i, first + n, slots[i].age, Choice::column, 0};
    });
    pseudo.opened_next = later;
  }
  if (!best && single != none) {
    const auto& slot = slots[single];
    auto later = never;
    if (!channel_blocked() && !slot.opened && timing_.bank[slot.bank].row == slot.row &&
        (kept(pseudo_of(slot.bank)) & bit(slot.bank)) == 0) {
      later = timing_.column_ready(slot.bank, slot.write);
      if (later <= t) best = {single, slot.bank, slot.age, Choice::column, 0};
    }
    column_next_ =
        best ? t + timing_.delay.column_bus : rising(std::max(std::min(later, next_opened()), t + 1));
    return best;
  }
  if (!best && !channel_blocked())
    for (auto& pseudo : pseudos_) {
      if (pseudo.hit_count == 0 || pseudo.hit_next > t) continue;
      if (const auto when = timing_.pseudo_column(static_cast<unsigned>(&pseudo - pseudos_.data()));
          when > t) {
        pseudo.hit_next = when;
        continue;
      }
      const auto keeps = kept(pseudo);
      auto later = never;
      const auto visit = [&](std::uint32_t at) {
        const auto& slot = slots[at];
        const unsigned b = slot.bank;
        if ((keeps & bit(b)) != 0 || (competing_ && hit_of(b) != static_cast<Index>(at))) return false;
        if (const auto when = timing_.column_ready(b, slot.write); when > t) {
          later = std::min(later, when);
          return false;
        }
        later = t;
        if (slot.age < best.age) best = {static_cast<Index>(at), b, slot.age, Choice::column, 0};
        return true;
      };
      if (competing_)
        order_.find([&](std::size_t w) { return pseudo.hits[0].word(w) | pseudo.hits[1].word(w); }, visit);
      else
        order_.find([&, &hits = pseudo.hits[writing_]](std::size_t w) { return hits.word(w); }, visit);
      pseudo.hit_next = later;
    }
  column_next_ = best ? t + timing_.delay.column_bus : rising(std::max(next_column(), t + 1));
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
      if ((pseudo_of(b).opened & bit(b)) != 0) return never;
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
  const auto& pseudo = pseudo_of(slot.bank);
  const bool open = (pseudo.open & bit(slot.bank)) != 0;
  return !slot.opened && timing_.bank[slot.bank].row != slot.row && (pseudo.held & bit(slot.bank)) == 0 &&
         (!open || (pseudo.opened & bit(slot.bank)) == 0);
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
  const auto consider = [&](Tick when, Choice::Kind kind, Index slot, unsigned b, std::uint64_t age,
                            std::uint32_t job) {
    if (when <= t && !whole && kind != Choice::precharge) when = t + 1;
    if (when > t) {
      later = std::min(later, when);
      return;
    }
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
    for (auto& pseudo : pseudos_) {
      if (pseudo.other_count > 0 && pseudo.other_next <= t) look_for_row(pseudo, t, best);
      if (pseudo.other_count > 0) later = std::min(later, pseudo.other_next);
    }
  }
  if (!channel_blocked())
    for (std::size_t p = 0; p < pseudos_.size(); ++p)
      for_each_bit(pseudos_[p].closing & ~pseudos_[p].held, [&](unsigned n) {
        const auto b = static_cast<unsigned>(p) * banks_per_pseudo_ + n;
        consider(std::max(banks_[b].idle_close, timing_.precharge_ready(b)), Choice::precharge, none, b,
                 ~std::uint64_t{0} - 1, 0);
      });
  row_next_ = best ? t + (best.kind == Choice::activate ? timing_.delay.act_bus : 1) : std::max(later, t + 1);
  return best;
}

/// The oldest burst of a pseudo-channel whose bank may get a row command now, if it is older than `best`.
void Controller::look_for_row(PseudoChannel& pseudo, Tick t, Choice& best) {
  const auto number = static_cast<unsigned>(&pseudo - pseudos_.data());
  const auto first = number * banks_per_pseudo_;
  const auto banks =
      (competing_ ? pseudo.other_banks[0] | pseudo.other_banks[1] : pseudo.other_banks[writing_]) &
      ~pseudo.held;
  std::uint64_t ready = 0;
  auto later = never;
  const auto check = [&](unsigned n, Tick when) {
    if (when > t)
      later = std::min(later, when);
    else
      ready |= std::uint64_t{1} << n;
  };
  if (const auto closed = banks & ~pseudo.open; closed != 0) {
    const auto activation = rising(t) == t ? timing_.pseudo_activation(number) : rising(t);
    if (activation > t)
      later = activation;
    else
      for_each_bit(closed, [&](unsigned n) { check(n, timing_.bank_act_ready(first + n)); });
  }
  const auto precharge = timing_.rank_precharge(first);
  for_each_bit(banks & pseudo.open,
               [&](unsigned n) { check(n, std::max(precharge, timing_.bank[first + n].precharge)); });
  const auto* const slots = slots_.data();
  const auto visit = [&](std::uint32_t at) {
    const unsigned b = slots[at].bank;
    if ((ready & bit(b)) == 0) return false;
    if (slots[at].age > best.age) return later = t, true;
    const bool open = (pseudo.open & bit(b)) != 0;
    if (open && !may_close(b, static_cast<Index>(at))) {
      ready &= ~bit(b);
      return ready == 0;
    }
    later = t;
    best = {static_cast<Index>(at), b, slots[at].age, open ? Choice::precharge : Choice::activate, 0};
    return true;
  };
  if (ready != 0 && competing_)
    order_.find([&](std::size_t w) { return pseudo.others[0].word(w) | pseudo.others[1].word(w); }, visit);
  else if (ready != 0)
    order_.find([&, &others = pseudo.others[writing_]](std::size_t w) { return others.word(w); }, visit);
  pseudo.other_next = later;
}

/// RowOrder::first_over: commands that are not allowed yet count too.
Controller::Choice Controller::first_row_command(Tick t, Index single) {
  Choice best;
  Tick soonest = never, later = never;
  unsigned ready = 0;
  const auto consider = [&](Tick when, Choice::Kind kind, Index slot, unsigned b, std::uint64_t age,
                            std::uint32_t job) {
    when = std::max(std::max(when, t), std::max(row_bus_, floor_));
    if (kind != Choice::precharge) when = rising(when);
    if (when > t) {
      later = std::min(later, when);
      if (when >= never) return;
    } else {
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
    for (std::size_t p = 0; p < pseudos_.size(); ++p) {
      const auto& pseudo = pseudos_[p];
      const auto first = static_cast<unsigned>(p) * banks_per_pseudo_;
      std::uint64_t seen = pseudo.held;
      const auto visit = [&](std::uint32_t at) {
        const unsigned b = slots_[at].bank;
        if ((seen & bit(b)) != 0) return false;
        seen |= bit(b);
        if ((pseudo.open & bit(b)) == 0 || may_close(b, static_cast<Index>(at)))
          want(static_cast<Index>(at), b);
        return false;
      };
      if (single == none)
        order_.find(
            [&](std::size_t w) {
              return competing_ ? pseudo.others[0].word(w) | pseudo.others[1].word(w)
                                : pseudo.others[writing_].word(w);
            },
            visit);
      for_each_bit(pseudo.closing & ~pseudo.held, [&](unsigned n) {
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
