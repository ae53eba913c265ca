// SPDX-License-Identifier: Apache-2.0
#include "ip/hbm/controller.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace forerun::ip::hbm {

Controller::Controller(const Parameters& parameters, bool collapse)
    : Channel(parameters),
      together_(parameters.refresh_order == RefreshOrder::together),
      competing_(parameters.queues != Queues::read_write || parameters.write_high_percent == 0 ||
                 parameters.scheduler == Scheduler::fcfs),
      ordered_(parameters.scheduler == Scheduler::fcfs || parameters.starvation_cycles > 0),
      may_run_(collapse && parameters.scheduler != Scheduler::fcfs && parameters.starvation_cycles == 0 &&
               parameters.queues != Queues::per_bank && parameters.page_policy == PagePolicy::open &&
               parameters.separate_buses && !parameters.refresh_management),
      may_sleep_(parameters.power_down_cycles > 0 || parameters.self_refresh_cycles > 0),
      write_high_(parameters.write_high_percent * parameters.queue_depth / 100),
      write_low_((parameters.write_low_percent * parameters.queue_depth + 99) / 100),
      order_(128),
      slots_(order_.places()),
      banks_(timing_.bank.size()),
      bank_mask_(static_cast<unsigned>(std::bit_ceil(banks_.size()) - 1)),
      alike_(parameters.refresh == Refresh::per_bank ? 0 : timing_.banks_per_rank() - 1),
      run_(parameters.pseudo_channels),
      pseudos_(parameters.pseudo_channels),
      banks_per_pseudo_(static_cast<unsigned>(timing_.bank.size()) / parameters.pseudo_channels),
      data_free_(parameters.pseudo_channels),
      last_kind_(parameters.pseudo_channels) {
  if (parameters.pseudo_channels < 1 || parameters.pseudo_channels > max_pseudo_channels)
    throw std::invalid_argument("a channel has 1 to 8 pseudo-channels");
  if (!std::has_single_bit(banks_per_pseudo_) || banks_per_pseudo_ > 64)
    throw std::invalid_argument("the banks of a pseudo-channel are a power of two, at most 64");
  for (auto& pseudo : pseudos_)
    for (auto* kinds : {&pseudo.hits, &pseudo.others})
      for (auto& set : *kinds) set.reset(order_.places());
  if (may_run_) interludes_ = std::make_shared<InterludeCache>();
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
  if (offered <= clock_ && none_before() && room(burst.write)) {
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
  for (; next < block.end && offered <= clock_ && none_before(); ++next) {
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
  // Each tick frees at most one entry for a column command, and one for an ACT if that does. Bursts for
  // another queue than the first's may find room there, and enter together with the last before them.
  if (parameters_.queues == Queues::per_bank) return next_;
  const bool apart = parameters_.queues == Queues::read_write && !competing_;
  Tick others = -1;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (apart && waiting_[i].write != waiting_.front().write) break;
    others += waiting_[i].end - waiting_[i].next;
    if (waiting_[i].report) break;
  }
  if (const auto& of = interlude_.of) {  // what has been foreseen
    const auto number = interlude_.entered + static_cast<std::size_t>(others);
    if (number < of->entered.size()) return std::max(next_, interlude_.view.base + of->entered[number]);
    return interlude_.view.base + of->length + static_cast<Tick>(number - of->entered.size()) / 2;
  }
  if (!parameters_.opened_leaves_queue) return next_ + others;
  // a block that has begun to enter a stream goes on one burst after the other
  const auto in_stream = streaming_ && front_checked_
                             ? std::min<Tick>(others, waiting_.front().end - waiting_.front().next - 1)
                             : 0;
  return next_ + in_stream * step_ + (others - in_stream) / 2;
}

Tick Controller::soonest_entry(unsigned bursts, bool write) const {
  const bool apart = parameters_.queues == Queues::read_write && !competing_;
  if (!apart || (!waiting_.empty() && waiting_.front().offered > clock_)) return clock_ + 1;
  const auto free = parameters_.queue_depth - entries_[write];
  // the first of them may enter and be served at once
  const auto first = waiting_.empty() && free > 0 ? std::min(next_, clock_ + front_end_) : next_;
  Tick freed = waiting_.empty() ? Tick{bursts} - free - 1 : -1;  // entries, before the last of them
  for (std::size_t i = 0; i < waiting_.size() && waiting_[i].write == waiting_.front().write; ++i)
    freed += waiting_[i].end - waiting_[i].next;
  return first + std::max<Tick>(freed, 0) / 2;
}

void Controller::place(const Burst& burst, Tick offered, Tick visible) {
  if (order_.full()) renew_places();
  const auto age = order_.next_age();
  const auto i = static_cast<Index>(order_.push());
  slots_[static_cast<std::size_t>(i)] = {.age = age,
                                         .offered = offered,
                                         .visible = visible,
                                         .owner = burst.owner,
                                         .row = burst.row,
                                         .bank = static_cast<std::uint16_t>(burst.bank),
                                         .write = burst.write,
                                         .check = burst.check};
  ++used_;
  ++banks_[burst.bank].admitted;
  arriving_.push_back(i);
  next_ = std::min(next_, visible);
}

void Controller::enter(const Burst& burst, Tick offered, Tick admitted) {
  begin_work(offered);
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

/// The scheduler sees a burst.
void Controller::show(Index i, Tick t) {
  if (sleeping_) wake(t);
  auto& pseudo = pseudo_of(slots_[static_cast<std::size_t>(i)].bank);
  if (link(i))
    try_column(pseudo, t);
  else
    try_row(pseudo, t);
}

/// Puts a burst among those that the scheduler sees. True if its row is open.
bool Controller::link(Index i) {
  auto& slot = slots_[static_cast<std::size_t>(i)];
  const unsigned b = slot.bank;
  auto& bank = banks_[b];
  auto& queue = bank.kind[slot.write];
  slot.previous = queue.tail;
  (queue.tail == none ? queue.head : slots_[static_cast<std::size_t>(queue.tail)].next) = i;
  queue.tail = i;
  ++seen_[slot.write];
  ++bank.waiting;
  auto& pseudo = pseudo_of(b);
  ++pseudo.waiting;
  ++depth_;
  visible_sum_ += slot.visible;
  const auto place = static_cast<std::uint32_t>(i);
  if (timing_.bank[b].row == slot.row) {
    pseudo.hits[slot.write].insert(place);
    ++pseudo.hit_count;
    pseudo.closing &= ~bit(b);
    return true;
  }
  pseudo.others[slot.write].insert(place);
  count_other(pseudo, slot, 1);
  return false;
}

/// A burst that a row was opened for frees its queue entry.
void Controller::take_out(Index i) {
  auto& slot = slots_[static_cast<std::size_t>(i)];
  unlink(i);
  --entries_[slot.write], --seen_[slot.write], --banks_[slot.bank].admitted;
  slot.opened = true;
  pseudo_of(slot.bank).opened |= bit(slot.bank);
}

void Controller::unlink(Index i) {
  auto& slot = slots_[static_cast<std::size_t>(i)];
  auto& queue = banks_[slot.bank].kind[slot.write];
  (slot.previous == none ? queue.head : slots_[static_cast<std::size_t>(slot.previous)].next) = slot.next;
  (slot.next == none ? queue.tail : slots_[static_cast<std::size_t>(slot.next)].previous) = slot.previous;
  slot.previous = slot.next = none;
  auto& pseudo = pseudo_of(slot.bank);
  const auto place = static_cast<std::uint32_t>(i);
  if (auto& hits = pseudo.hits[slot.write]; hits.contains(place)) {
    hits.erase(place);
    --pseudo.hit_count;
  } else {
    pseudo.others[slot.write].erase(place);
    count_other(pseudo, slot, -1);
  }
}

inline void Controller::count_other(PseudoChannel& pseudo, const Slot& slot, int change) {
  auto& others = banks_[slot.bank].kind[slot.write].others;
  others += static_cast<unsigned>(change);
  pseudo.other_count += static_cast<unsigned>(change);
  auto& banks = pseudo.other_banks[slot.write];
  banks = others > 0 ? banks | bit(slot.bank) : banks & ~bit(slot.bank);
}

/// Notes whether a burst in the queues wants the open row.
void Controller::classify(Index i, bool hit) {
  const auto& slot = slots_[static_cast<std::size_t>(i)];
  auto& pseudo = pseudo_of(slot.bank);
  auto &hits = pseudo.hits[slot.write], &others = pseudo.others[slot.write];
  const auto place = static_cast<std::uint32_t>(i);
  if (hits.contains(place) == hit) return;
  (hit ? others : hits).erase(place);
  (hit ? hits : others).insert(place);
  pseudo.hit_count += hit ? 1u : ~0u;
  count_other(pseudo, slot, hit ? -1 : 1);
}

/// The row of a bank has changed.
void Controller::sort_bank(unsigned b) {
  const auto row = timing_.bank[b].row;
  auto& open = pseudo_of(b).open;
  open = row != TimingState::closed ? open | bit(b) : open & ~bit(b);
  for (const auto& queue : banks_[b].kind)
    for (auto i = queue.head; i != none; i = slots_[static_cast<std::size_t>(i)].next)
      classify(i, slots_[static_cast<std::size_t>(i)].row == row);
}

void Controller::try_all(Tick t) {
  column_next_ = row_next_ = t;
  for (auto& pseudo : pseudos_) pseudo.hit_next = pseudo.opened_next = pseudo.other_next = t;
}

/// The circle of entries is full of holes, or of entries: those that are left get new places.
void Controller::renew_places() {
  const auto before = order_.places(), after = used_ * 2 > before ? before * 2 : before;
  moved_.assign(before, none);
  spare_.clear();
  order_.for_each([&](std::uint32_t at) {
    moved_[at] = static_cast<Index>(spare_.size());
    spare_.push_back(slots_[at]);
  });
  const auto move = [&](Index& i) {
    if (i != none) i = moved_[static_cast<std::size_t>(i)];
  };
  for (auto& pseudo : pseudos_)
    for (auto* kinds : {&pseudo.hits, &pseudo.others})
      for (auto& set : *kinds) {
        spare_set_.reset(after);
        order_.find([&](std::size_t w) { return set.word(w); },
                    [&](std::uint32_t at) {
                      spare_set_.insert(static_cast<std::uint32_t>(moved_[at]));
                      return false;
                    });
        std::swap(set, spare_set_);
      }
  for (auto& bank : banks_) {
    for (auto& queue : bank.kind) move(queue.head), move(queue.tail);
    move(bank.opened_for);
  }
  for (std::size_t i = 0; i < arriving_.size(); ++i) move(arriving_[i]);
  order_.reset(after);
  for (auto& slot : spare_) {
    move(slot.previous), move(slot.next);
    slot.age = order_.next_age();
    order_.push();
  }
  spare_.resize(after);
  std::swap(slots_, spare_);
}

// Time

void Controller::advance(Tick limit) {
  while (next_ <= limit) {
    if (interlude_.of)
      tell_interlude(limit);
    else if (running_)
      run(limit);
    else if (may_run_ && next_ >= run_again_ && may_begin_run() && is_run(next_))
      begin_run();
    else if (!may_foresee() || !begin_interlude())
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
  if (ordered_ && !order_.empty()) {
    const auto& slot = slots_[order_.oldest()];
    const auto starves = slot.visible + Tick{parameters_.starvation_cycles} * timing_.delay.per_cycle;
    if (starves > t) next_ = std::min(next_, starves);
  }
  next_ = std::max(next_, t + 1);
  if (used_ == 0 && jobs_.empty()) sleeping_ = true;
}

}  // namespace forerun::ip::hbm
