// SPDX-License-Identifier: Apache-2.0
#include "ip/hbm/controller.hpp"

#include <algorithm>
#include <bit>
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
      write_high_(parameters.write_high_percent * parameters.queue_depth / 100),
      write_low_((parameters.write_low_percent * parameters.queue_depth + 99) / 100),
      front_end_(std::max<Tick>(1, Tick{parameters.front_end} * timing_.delay.per_cycle)),
      least_latency_(std::min(timing_.delay.read_done, timing_.delay.write_done)),
      banks_(timing_.bank.size()),
      bank_mask_(static_cast<unsigned>(std::bit_ceil(banks_.size()) - 1)),
      run_(parameters.pseudo_channels),
      sets_(parameters.pseudo_channels),
      banks_per_pseudo_(static_cast<unsigned>(timing_.bank.size()) / parameters.pseudo_channels),
      per_pseudo_(parameters.pseudo_channels),
      plan_(parameters, timing_),
      data_free_(parameters.pseudo_channels),
      last_kind_(parameters.pseudo_channels) {
  if (parameters.pseudo_channels < 1 || parameters.pseudo_channels > max_pseudo_channels)
    throw std::invalid_argument("a channel has 1 to 8 pseudo-channels");
  if (!std::has_single_bit(banks_per_pseudo_) || banks_per_pseudo_ > 64)
    throw std::invalid_argument("the banks of a pseudo-channel are a power of two, at most 64");
  next_ = plan_.next();
}

// Queues

bool Controller::room(bool write) const {
  const auto depth = parameters_.queue_depth;
  switch (parameters_.queues) {
    case Queues::shared:
      return entries_[0] + entries_[1] < depth;
    case Queues::per_bank:  // the front end looks at the queue that its last burst went to
      return !any_admitted_ || banks_[last_bank_].admitted < depth;
    case Queues::read_write:
      return competing_ ? entries_[0] < depth && entries_[1] < depth : entries_[write] < depth;
  }
  return false;
}

bool Controller::has_room(unsigned bursts, bool write) const {
  const auto more = static_cast<unsigned>(waiting_bursts_) + bursts;
  const bool own = parameters_.queues == Queues::read_write && !competing_ && waiting_.empty();
  return (own ? entries_[write] : entries_[0] + entries_[1]) + more <= parameters_.queue_depth;
}

void Controller::offer(const Burst& burst, Tick offered) {
  if (offered <= clock_ && waiting_.empty() && room(burst.write)) {
    const auto admitted = std::max(offered, clock_);
    if (running_ && !in_run(burst)) end_run(clock_ + 1);
    if (!running_) return enter(burst, offered, admitted);
    queue_in_run(burst, offered, admitted);
    next_ = std::min(next_, admitted + front_end_);
    return;
  }
  const AddressMap::Place place{std::uint64_t{burst.row} << 32 | burst.bank};
  wait({place, offered, burst.owner, 0, 1, burst.write, burst.check, burst.report});
}

void Controller::offer(const BurstBlock& block, Tick offered) {
  auto next = block.first;
  for (; next < block.end && offered <= clock_ && waiting_.empty(); ++next) {
    if (!room(block.write)) break;
    const auto place = block.high ^ block_[next];
    offer(Burst{block.owner, place.unit() & bank_mask_, place.row(), block.write, false, false}, offered);
  }
  if (next < block.end) wait({block.high, offered, block.owner, next, block.end, block.write, false, false});
}

void Controller::wait(const Waiting& waiting) {
  waiting_bursts_ += static_cast<std::size_t>(waiting.end - waiting.next);
  waiting_.push_back(waiting);
  const auto offered = waiting.offered;
  for (auto i = waiting_.size() - 1; i > 0 && waiting_[i - 1].offered > offered; --i)
    std::swap(waiting_[i], waiting_[i - 1]);
  if (offered > clock_) next_ = std::min(next_, offered);
}

Burst Controller::first_waiting() const {
  const auto& w = waiting_.front();
  const auto place = w.high ^ block_[w.next];
  return {w.owner, place.unit() & bank_mask_, place.row(), w.write, w.check, w.report && w.next + 1 == w.end};
}

void Controller::pop_waiting() {
  --waiting_bursts_;
  if (++waiting_.front().next == waiting_.front().end) waiting_.pop_front();
}

bool Controller::report_last(std::uint32_t owner) {
  for (auto i = waiting_.size(); i-- > 0;)
    if (waiting_[i].owner == owner) return waiting_[i].report = true;
  return false;
}

Tick Controller::next_report() const {
  if (waiting_.front().offered > clock_) return std::min(next_, waiting_.front().offered);
  // each tick frees at most one entry for a column command, and one for an ACT if that does
  Tick others = -1;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    others += waiting_[i].end - waiting_[i].next;
    if (waiting_[i].report) break;
  }
  return next_ + (parameters_.opened_leaves_queue && !running_ ? others / 2 : others);
}

void Controller::place(const Burst& burst, Tick offered, Tick visible) {
  if (free_.empty()) {
    free_.push_back(static_cast<Index>(slots_.size()));
    slots_.emplace_back();
  }
  const auto i = free_.back();
  free_.pop_back();
  slots_[static_cast<std::size_t>(i)] = {.age = ++age_,
                                         .offered = offered,
                                         .visible = visible,
                                         .owner = burst.owner,
                                         .row = burst.row,
                                         .older = youngest_,
                                         .bank = static_cast<std::uint16_t>(burst.bank),
                                         .write = burst.write,
                                         .check = burst.check};
  (youngest_ == none ? oldest_ : slots_[static_cast<std::size_t>(youngest_)].younger) = i;
  youngest_ = i;
  ++used_;
  ++banks_[burst.bank].admitted;
  arriving_.push_back(i);
  next_ = std::min(next_, visible);
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
  while (!waiting_.empty() && waiting_.front().offered <= t) {
    if (!room(waiting_.front().write)) return;
    const auto burst = first_waiting();
    const auto offered = waiting_.front().offered;
    pop_waiting();
    enter(burst, offered, t);
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
  auto& set = sets(b);
  if (timing_.bank[b].row == slot.row) {
    if (queue.hit == none) queue.hit = i, set.hits[slot.write] |= bit(b);
    set.closing &= ~bit(b);
    column_next_ = t;
  } else {
    if (queue.other == none) queue.other = i, set.others[slot.write] |= bit(b);
    row_next_ = t;
  }
  ++depth_;
  visible_sum_ += slot.visible;
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
  auto& set = sets(slot.bank);
  if (queue.hit == none) set.hits[slot.write] &= ~bit(slot.bank);
  if (queue.other == none) set.others[slot.write] &= ~bit(slot.bank);
}

void Controller::sort_bank(unsigned b) {
  const auto row = timing_.bank[b].row;
  auto& set = sets(b);
  const auto assign = [bit = bit(b)](std::uint64_t& word, bool in) { word = in ? word | bit : word & ~bit; };
  assign(set.open, row != TimingState::closed);
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
    assign(set.hits[kind], queue.hit != none);
    assign(set.others[kind], queue.other != none);
  }
}

// Time

void Controller::advance(Tick limit) {
  while (next_ <= limit) {
    if (running_ || (may_run_ && next_ >= run_again_ && may_begin_run() && begin_run(next_)))
      run(limit);
    else
      tick(next_);
  }
  clock_ = std::max(clock_, limit);
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

}  // namespace forerun::ip::hbm
