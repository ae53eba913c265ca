// SPDX-License-Identifier: Apache-2.0
// Runs: while all bursts in the queues are hits of one kind, none needs a row command. If the oldest burst of
// a pseudo-channel may go as soon as the pseudo-channel itself allows a column command, no scheduler would
// choose a younger one there, and between the pseudo-channels the one that may go first, then the older, is
// served. So there is nothing to search. A run ends with the first burst that is no such hit, or when bank or
// group make the oldest wait longer than the pseudo-channel.
#include <algorithm>

#include "ip/hbm/controller.hpp"

namespace forerun::ip::hbm {

/// Turns the queues into a run, if they are one and it may be worth the trouble.
bool Controller::begin_run(Tick t) {
  if (!jobs_.empty() || plan_.owed() > 0 || bin_ticks_ > 0 || sleeping_ || used_ + waiting_bursts_ < 4 ||
      (entries_[0] > 0 && entries_[1] > 0))
    return false;
  run_again_ = t + 64;
  bool hits = true;
  order_.for_each([&](std::uint32_t at) {
    const auto& slot = slots_[at];
    hits = hits && slot.need == Need::nothing && timing_.bank[slot.bank].row == slot.row;
  });
  if (!hits) return false;
  run_writes_ = used_ > 0 ? slots_[order_.oldest()].write : waiting_.front().write;
  running_ = true;
  queued_ = used_;
  order_.for_each([&](std::uint32_t at) {
    const auto& slot = slots_[at];
    auto& pseudo = pseudo_of(slot.bank);
    run_[timing_.bank[slot.bank].pseudo_channel].push_back(
        {slot.offered, slot.visible, ++age_, slot.owner, slot.bank, slot.check});
    auto& bank = banks_[slot.bank];
    bank.kind = {};
    bank.opened_for = none;
    bank.waiting = bank.admitted = 0;
    pseudo.hits[slot.write].erase(at);
    pseudo.hit_count = pseudo.waiting = 0;
  });
  order_.clear();
  arriving_.clear();
  used_ = depth_ = 0;
  seen_ = {};
  visible_sum_ = 0;
  return true;
}

/// A burst takes a queue entry.
void Controller::queue_in_run(const Burst& burst, Tick offered, Tick admitted) {
  ++entries_[burst.write];
  ++queued_;
  if (admitted > offered) front_blocked_ = admitted;
  if (burst.report) admissions.push_back(burst.owner);
  run_[timing_.bank[burst.bank].pseudo_channel].push_back(
      {offered, admitted + front_end_, ++age_, burst.owner, static_cast<std::uint16_t>(burst.bank),
       burst.check});
}

/// Lets the first of those that wait in if it is a hit of the run; says in which pseudo-channel it is, else
/// -1.
inline int Controller::next_in_run(Tick admitted) {
  auto& w = waiting_.front();
  const auto place = w.high ^ block_[w.next];
  const unsigned b = place.unit() & bank_mask_;
  const auto& bank = timing_.bank[b];
  if (w.write != run_writes_ || bank.row != static_cast<std::int64_t>(place.row())) return -1;
  run_[bank.pseudo_channel].push_back(
      {w.offered, admitted + front_end_, ++age_, w.owner, static_cast<std::uint16_t>(b), w.check});
  ++queued_;
  --waiting_bursts_;
  if (admitted > w.offered) front_blocked_ = admitted;
  if (++w.next == w.end) {
    if (w.report) admissions.push_back(w.owner);
    waiting_.pop_front();
  }
  return bank.pseudo_channel;
}

void Controller::run(Tick limit) {
  const auto stop = std::min(limit, plan_.next() - 1);
  const auto& d = timing_.delay;
  const bool write = run_writes_;
  const auto done = write ? d.write_done : d.read_done;
  auto sent = next_ - 1;  // ticks up to here are decided
  unsigned served = 0, checks = 0;
  Tick seen = 0;  // ticks that the served were in sight
  auto& entries = entries_[write];
  const auto depth = parameters_.queue_depth;
  // in a run all queue entries are of one kind
  const bool apart = parameters_.queues == Queues::read_write && !competing_;
  const auto enters = [&](Tick t) {
    return waiting_bursts_ > 0 && waiting_.front().offered <= t &&
           (entries < depth || (apart && waiting_.front().write != write));
  };
  const auto account = [&] {
    limit_ticks_[static_cast<std::size_t>(Limit::data)] += d.burst * served;
    (write ? counts_.writes : counts_.reads) += served;
    counts_.hits += served;
    counts_.check_bursts += checks;
    depth_ticks_ += seen;
    if (served == 0) return;
    last_burst_ = last_command_ = clock_ = sent;
    last_was_write_ = write;
  };
  // per pseudo-channel: when its oldest burst may go as far as the pseudo-channel is concerned
  std::array<Tick, max_pseudo_channels> ready;
  const auto look = [&](std::size_t p) {
    ready[p] = run_[p].empty() ? never
                               : rising(std::max(timing_.pseudo_column(static_cast<unsigned>(p), write),
                                                 run_[p].front().visible));
  };
  const auto pseudos = run_.size();
  for (std::size_t p = 0; p < pseudos; ++p) look(p);
  while (true) {
    // which pseudo-channel is served next, and when
    const auto bus = rising(std::max(std::max(column_bus_, floor_), sent + 1));
    std::size_t pseudo = 0;
    auto when = std::max(ready[0], bus);
    for (std::size_t p = 1; p < pseudos; ++p) {
      const auto at = std::max(ready[p], bus);
      if (at < when || (at == when && at < never && run_[p].front().age < run_[pseudo].front().age))
        when = at, pseudo = p;
    }
    // those that find room before
    if (enters(std::min(when - 1, stop))) {
      const auto offered = waiting_.front().offered;
      const auto p = next_in_run(std::max(sent, offered));
      if (p < 0) {
        account();
        return end_run(std::max(sent + 1, offered));
      }
      ++entries;
      if (ready[static_cast<std::size_t>(p)] == never) look(static_cast<std::size_t>(p));
      continue;
    }
    if (when > stop) break;
    auto& queue = run_[pseudo];
    const auto& first = queue.front();
    const unsigned b = first.bank;
    if (timing_.column_ready(b, write) > when) {
      account();
      return end_run(sent + 1);
    }
    auto& free = data_free_[pseudo];
    if (when > free) {
      Slot slot;
      slot.offered = first.offered, slot.visible = first.visible;
      slot.bank = first.bank, slot.write = write;
      explain(slot, static_cast<unsigned>(pseudo), free, when);
      free = when;
    }
    free += d.burst;
    last_kind_[pseudo] = write;
    timing_.column_sent(b, write, when);
    column_bus_ = when + d.column_bus;
    ++served;
    checks += first.check;
    seen += when - first.visible;
    complete(first.owner, when + done);
    sent = when;
    queue.pop_front();
    --queued_;
    --entries;
    while (enters(when)) {
      const auto p = next_in_run(when);
      if (p < 0) {
        account();
        end_run(when + 1);
        return admit(when);
      }
      ++entries;
      if (ready[static_cast<std::size_t>(p)] == never) look(static_cast<std::size_t>(p));
    }
    look(pseudo);
    if (queued_ == 0 && waiting_bursts_ == 0) {
      account();
      return end_run(never);
    }
  }
  account();
  clock_ = std::max(clock_, stop);
  // the next column command, or the next offer that finds room
  next_ = plan_.next();
  for (const auto& queue : run_)
    if (!queue.empty())
      next_ = std::min(next_, std::max(std::max(column_bus_, queue.front().visible), stop + 1));
  if (!waiting_.empty() && waiting_.front().offered > stop) next_ = std::min(next_, waiting_.front().offered);
  next_ = std::max(next_, stop + 1);
  if (next_ >= plan_.next()) end_run(plan_.next());
}

/// Back to the queues; ticks before `resume` are decided.
void Controller::end_run(Tick resume) {
  running_ = false;
  writing_ = run_writes_ || queued_ == 0;
  try_all(resume);
  next_ = resume;
  while (queued_ > 0) {
    std::size_t oldest = 0;
    for (std::size_t p = 1; p < run_.size(); ++p)
      if (run_[oldest].empty() || (!run_[p].empty() && run_[p].front().age < run_[oldest].front().age))
        oldest = p;
    const auto w = run_[oldest].front();
    run_[oldest].pop_front();
    --queued_;
    place(
        {w.owner, w.bank, static_cast<std::uint32_t>(timing_.bank[w.bank].row), run_writes_, w.check, false},
        w.offered, w.visible);
  }
  next_ = std::max(resume, Tick{0});
  if (!waiting_.empty() && waiting_.front().offered > clock_)
    next_ = std::min(next_, waiting_.front().offered);
  if (resume == never) {
    next_ = plan_.next();
    try_all(never);
    sleeping_ = used_ == 0;
  }
  run_again_ = std::max(run_again_, last_burst_ + 64);
}

}  // namespace forerun::ip::hbm
