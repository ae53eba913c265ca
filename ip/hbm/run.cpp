// SPDX-License-Identifier: Apache-2.0
// Runs: while all bursts in the queues are hits of one kind, none needs a row command. If the oldest burst of
// a pseudo-channel may go as soon as the pseudo-channel itself allows a column command, no scheduler would
// choose a younger one there, and between the pseudo-channels the one that may go first, then the older, is
// served. So there is nothing to search. A run ends with the first burst that is no such hit, or when bank or
// group make the oldest wait longer than the pseudo-channel.
#include <algorithm>

#include "ip/hbm/controller.hpp"

namespace forerun::ip::hbm {

/// True if the queues may become a run and it may be worth the trouble.
bool Controller::is_run(Tick t) {
  if (!jobs_.empty() || plan_.owed() > 0 || bin_ticks_ > 0 || sleeping_ || used_ + waiting_bursts_ < 4 ||
      (entries_[0] > 0 && entries_[1] > 0))
    return false;
  run_again_ = t + run_pause;
  bool hits = true;
  order_.for_each([&](std::uint32_t at) {
    const auto& slot = slots_[at];
    hits = hits && slot.need == Need::nothing && timing_.bank[slot.bank].row == slot.row;
  });
  return hits;
}

/// Turns the queues into a run.
void Controller::begin_run() {
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
}

/// A burst takes a queue entry.
void Controller::queue_in_run(const Burst& burst, Tick offered, Tick admitted) {
  begin_work(offered);
  ++entries_[burst.write];
  ++queued_;
  if (admitted > offered) front_blocked_ = admitted;
  if (burst.report) admissions.push_back(burst.owner);
  run_[timing_.bank[burst.bank].pseudo_channel].push_back(
      {offered, admitted + front_end_, ++age_, burst.owner, static_cast<std::uint16_t>(burst.bank),
       burst.check});
}

void Controller::run(Tick limit) {
  struct Lane {  // a pseudo-channel
    Ring<Queued>* queue;
    Tick ready;         // when its oldest burst may go as far as the pseudo-channel is concerned
    Tick free;          // its data bus is accounted for up to here
    std::uint64_t age;  // of its oldest burst
  };
  if (streaming_ || (may_stream_ && next_ >= stream_again_ && begin_stream())) {
    if (stream(std::min(limit, plan_.next() - 1))) return;
    if (!running_) return;
  }
  enum class End { time, other_burst, bank_waits, nothing_left } end = End::time;
  const auto stop = std::min(limit, plan_.next() - 1);
  const auto& d = timing_.delay;
  const bool write = run_writes_;
  const auto done = write ? d.write_done : d.read_done;
  const auto depth = parameters_.queue_depth;
  // in a run all queue entries are of one kind
  const bool apart = parameters_.queues == Queues::read_write && !competing_;
  const unsigned pseudos = static_cast<unsigned>(run_.size());
  std::array<Lane, max_pseudo_channels> lanes;
  for (unsigned p = 0; p < pseudos; ++p) {
    auto& queue = run_[p];
    lanes[p] = {&queue, never, data_free_[p], 0};
    if (queue.empty()) continue;
    lanes[p].ready = rising(std::max(timing_.pseudo_column(p, write), queue.front().visible));
    lanes[p].age = queue.front().age;
  }
  auto sent = next_ - 1;  // ticks up to here are decided
  auto bus = rising(std::max(std::max(column_bus_, floor_), next_));
  auto entries = entries_[write], served = 0u, checks = 0u, entered = 0u;
  auto age = age_;
  auto waiting = waiting_bursts_;
  Tick seen = 0;             // ticks that the served were in sight
  Completion last{0, 0, 0};  // of the owner that is being served
  while (true) {
    // which pseudo-channel is served next, and when
    unsigned pseudo = 0;
    auto when = std::max(lanes[0].ready, bus);
    for (unsigned p = 1; p < pseudos; ++p) {
      const auto at = std::max(lanes[p].ready, bus);
      if (at < when || (at == when && at < never && lanes[p].age < lanes[pseudo].age)) when = at, pseudo = p;
    }
    if (may_sleep_ && when == never && waiting > 0 && waiting_.front().offered > sent) {
      end = End::nothing_left;  // in between, the DRAM may go to sleep
      break;
    }
    // those that find room before
    if (waiting > 0 && (entries < depth || apart)) {
      auto& w = waiting_.front();
      if (w.offered <= std::max(sent, std::min(when - 1, stop)) && (entries < depth || w.write != write)) {
        const auto place = w.high ^ block_[w.next];
        const unsigned b = place.unit() & bank_mask_;
        const auto& bank = timing_.bank[b];
        if (w.write != write || bank.row != static_cast<std::int64_t>(place.row())) {
          end = End::other_burst;
          break;
        }
        const auto admitted = std::max(sent, w.offered);
        if (entries == 0)
          for (unsigned p = 0; p < pseudos; ++p) wait_for_work(lanes[p].free, w.offered);
        auto& lane = lanes[bank.pseudo_channel];
        ++age;
        if (lane.ready == never) {
          lane.ready =
              rising(std::max(timing_.pseudo_column(bank.pseudo_channel, write), admitted + front_end_));
          lane.age = age;
        }
        lane.queue->push_back(
            {w.offered, admitted + front_end_, age, w.owner, static_cast<std::uint16_t>(b), w.check});
        ++entries, ++entered, --waiting;
        if (admitted > w.offered) front_blocked_ = admitted;
        if (++w.next == w.end) {
          if (w.report) admissions.push_back(w.owner);
          waiting_.pop_front();
        }
        continue;
      }
    }
    if (when > stop) {
      if (when == never && waiting == 0) end = End::nothing_left;
      break;
    }
    auto& lane = lanes[pseudo];
    auto& queue = *lane.queue;
    const auto& first = queue.front();
    const unsigned b = first.bank;
    if (timing_.column_ready(b, write) > when) {
      end = End::bank_waits;
      break;
    }
    if (when > lane.free) {
      Slot slot;
      slot.offered = first.offered, slot.visible = first.visible;
      slot.bank = first.bank, slot.write = write;
      explain(slot, pseudo, lane.free, when);
      lane.free = when;
    }
    lane.free += d.burst;
    last_kind_[pseudo] = write;
    timing_.column_sent(b, write, when);
    bus = when + d.column_bus;
    ++served;
    checks += first.check;
    seen += when - first.visible;
    if (last.owner != first.owner || last.bursts == 0) {
      if (last.bursts > 0) completions.push_back(last);
      last = {first.owner, 0, 0};
    }
    last.done = when + done;
    ++last.bursts;
    sent = when;
    queue.pop_front();
    --entries;
    lane.ready = never;
    if (!queue.empty()) {
      lane.ready = rising(std::max(timing_.pseudo_column(pseudo, write), queue.front().visible));
      lane.age = queue.front().age;
    }
  }
  entries_[write] = entries;
  queued_ += entered;
  queued_ -= served;
  waiting_bursts_ = waiting;
  age_ = age;
  for (unsigned p = 0; p < pseudos; ++p) data_free_[p] = lanes[p].free;
  if (served > 0) {
    completions.push_back(last);
    limit_ticks_[static_cast<std::size_t>(Limit::data)] += d.burst * served;
    (write ? counts_.writes : counts_.reads) += served;
    counts_.hits += served;
    counts_.check_bursts += checks;
    depth_ticks_ += seen;
    column_bus_ = bus;
    last_burst_ = last_command_ = clock_ = sent;
    last_was_write_ = write;
  }
  switch (end) {
    case End::other_burst:
      if (const auto offered = waiting_.front().offered; offered > sent) return end_run(offered);
      end_run(sent + 1);
      return admit(sent);
    case End::bank_waits:
      return end_run(sent + 1);
    case End::nothing_left:
      return end_run(never);
    case End::time:
      break;
  }
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
  if (streaming_) end_stream();
  running_ = false;
  writing_ = run_writes_ || queued_ == 0;
  try_all(resume);
  next_ = resume;
  for_each_queued([this](const Queued& w) {
    place(
        {w.owner, w.bank, static_cast<std::uint32_t>(timing_.bank[w.bank].row), run_writes_, w.check, false},
        w.offered, w.visible);
  });
  for (auto& queue : run_) queue.clear();
  queued_ = 0;
  next_ = std::max(resume, Tick{0});
  if (!waiting_.empty() && waiting_.front().offered > clock_)
    next_ = std::min(next_, waiting_.front().offered);
  if (resume == never) {
    next_ = plan_.next();
    if (!waiting_.empty()) next_ = std::min(next_, waiting_.front().offered);
    try_all(never);
    sleeping_ = used_ == 0;
  }
  run_again_ = std::max(run_again_, last_burst_ + run_pause);
}

}  // namespace forerun::ip::hbm
