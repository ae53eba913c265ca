// SPDX-License-Identifier: Apache-2.0
#include "ip/hbm/row_controller.hpp"

#include <algorithm>
#include <bit>
#include <stdexcept>

namespace forerun::ip::hbm {

RowController::RowController(const Parameters& parameters)
    : Channel(parameters),
      shared_(parameters.queues == Queues::shared),
      competing_(parameters.queues != Queues::read_write || parameters.write_high_percent == 0),
      together_(parameters.refresh_order == RefreshOrder::together),
      write_high_(parameters.write_high_percent * parameters.queue_depth / 100),
      write_low_((parameters.write_low_percent * parameters.queue_depth + 99) / 100),
      lanes_(parameters.pseudo_channels) {
  const auto banks = static_cast<unsigned>(timing_.bank.size());
  if (parameters.page_policy != PagePolicy::open || parameters.scheduler != Scheduler::fr_fcfs ||
      parameters.refresh == Refresh::per_bank || parameters.refresh_management ||
      parameters.ecc == Ecc::in_line || parameters.power_down_cycles > 0 ||
      parameters.self_refresh_cycles > 0 || parameters.starvation_cycles > 0 ||
      parameters.queues == Queues::per_bank)
    throw std::invalid_argument("the row model does not have this policy");
  if (!std::has_single_bit(banks) || banks / parameters.pseudo_channels > 64)
    throw std::invalid_argument("the banks of a pseudo-channel are a power of two, at most 64");
  bank_mask_ = banks - 1;
  pseudo_shift_ = static_cast<unsigned>(std::countr_zero(banks / parameters.pseudo_channels));
  for (auto& entries : entries_) entries.free = entries.known = parameters.queue_depth;
  set_block({AddressMap::Place{}});
  find_next();
}

void RowController::set_block(std::vector<AddressMap::Place> places) {
  block_ = std::move(places);
  const auto& d = timing_.delay;
  orders_.assign(lanes_.size(), {});
  const auto least = std::max(d.ccd_s, d.column_bus);
  for (std::uint16_t n = 0; n < block_.size(); ++n) {
    const auto unit = block_[n].unit() & bank_mask_;
    for (auto& order : orders_) order.before.push_back(static_cast<std::uint16_t>(order.number.size()));
    auto& order = orders_[unit >> pseudo_shift_];
    auto time = order.number.empty() ? Tick{0} : order.time.back() + least;
    for (std::size_t back = 1; back <= std::min<std::size_t>(order.number.size(), 8); ++back) {
      const auto k = order.number.size() - back;
      const auto other = block_[order.number[k]].unit() & bank_mask_;
      if (timing_.bank[other].group == timing_.bank[unit].group)
        time = std::max(time, order.time[k] + d.ccd_l);
    }
    order.number.push_back(n);
    order.time.push_back(time);
    order.bank.push_back(bit_of(unit));
    order.banks |= bit_of(unit);
  }
  for (auto& order : orders_) order.before.push_back(static_cast<std::uint16_t>(order.number.size()));
}

// Queues

std::uint64_t RowController::Entries::until(Tick t) const {
  auto sum = free;
  for (std::size_t i = 0; i < freed.size(); ++i) sum += freed[i].until(t);
  return sum;
}

Tick RowController::Entries::when(std::uint64_t n, Tick from) const {
  if (until(from) >= n) return from;
  auto high = from;
  for (std::size_t i = 0; i < freed.size(); ++i) high = std::max(high, freed[i].end);
  for (auto low = from; high - low > 1;) {  // not at low, at high
    const auto middle = low + (high - low) / 2;
    (until(middle) >= n ? high : low) = middle;
  }
  return high;
}

void RowController::offer(const Burst& burst, Tick offered) {
  const AddressMap::Place place{std::uint64_t{burst.row} << 32 | burst.bank};
  wait({place, burst.owner, 0, 1, burst.write, burst.report, offered});
}

void RowController::offer(const BurstBlock& block, Tick offered) {
  wait({block.high, block.owner, block.first, block.end, block.write, false, offered});
}

void RowController::wait(const Piece& piece) {
  waiting_.push_back(piece);
  left_ += piece.bursts();
  for (auto i = waiting_.size() - 1; i > 0 && waiting_[i - 1].offered > piece.offered; --i)
    std::swap(waiting_[i], waiting_[i - 1]);
  enter();
  find_next();
}

/// Pieces enter, one after the other, when an entry is known to become free for their first burst.
void RowController::enter() {
  while (!waiting_.empty()) {
    const auto& piece = waiting_.front();
    auto& own = entries(piece.write);
    if (own.known <= own.taken) break;
    last_entry_ = own.when(own.taken + 1, std::max(piece.offered, last_entry_));
    enter(piece, last_entry_);
    own.taken += piece.bursts();
    entering_.push_back({piece.owner, piece.write, piece.report, own.taken, piece.offered, never});
    waiting_.pop_front();
  }
  for (std::size_t i = 0; i < entering_.size(); ++i) {
    auto& piece = entering_[i];
    auto& own = entries(piece.write);
    if (piece.last == never && own.known >= piece.entry) piece.last = own.when(piece.entry, piece.offered);
  }
}

void RowController::enter(const Piece& piece, Tick first) {
  const auto own = (piece.high.unit() & bank_mask_) >> pseudo_shift_;
  queued_[piece.write] += piece.bursts();
  for (unsigned p = 0; p < lanes_.size(); ++p) {
    const auto order = p ^ own;
    const auto& before = orders_[order].before;
    if (before[piece.first] == before[piece.end]) continue;
    Part part{.high = piece.high,
              .owner = piece.owner,
              .next = before[piece.first],
              .end = before[piece.end],
              .order = static_cast<std::uint8_t>(order),
              .write = piece.write,
              .prepared = false,
              .banks = 0,
              .offered = piece.offered,
              .visible = first + front_end_,
              .ready = never,
              .misses = 0,
              .conflicts = 0};
    part.banks = banks_of(part);
    lanes_[p].parts.push_back(part);
  }
}

/// The banks of places in a block, each moved by the block's own: an exclusive or of numbers swaps bits.
std::uint64_t RowController::banks_of(const Part& part) const {
  const auto& order = orders_[part.order];
  std::uint64_t banks = 0;
  for (std::size_t k = part.next; k < part.end && banks != order.banks; ++k) banks |= order.bank[k];
  static constexpr std::array<std::uint64_t, 6> lower{0x5555555555555555u, 0x3333333333333333u,
                                                      0x0f0f0f0f0f0f0f0fu, 0x00ff00ff00ff00ffu,
                                                      0x0000ffff0000ffffu, 0x00000000ffffffffu};
  for (unsigned i = 0; i < pseudo_shift_; ++i)
    if ((part.high.unit() >> i & 1) != 0)
      banks = (banks & lower[i]) << (1u << i) | (banks >> (1u << i) & lower[i]);
  return banks;
}

bool RowController::has_room(unsigned bursts, bool write) const {
  if (!waiting_.empty()) return false;
  const auto& own = entries(write);
  return own.until(clock_) >= own.taken + bursts;
}

bool RowController::report_last(std::uint32_t owner) {
  for (auto i = waiting_.size(); i-- > 0;)
    if (waiting_[i].owner == owner) return waiting_[i].report = true;
  for (auto i = entering_.size(); i-- > 0;)
    if (auto& piece = entering_[i]; piece.owner == owner) {
      piece.report = piece.last > clock_;
      find_next();
      return piece.report;
    }
  return false;
}

/// A read may have all its entries, and even be served, before a write that came earlier has all of its own,
/// and the other way round.
void RowController::tell_admissions(Tick limit) {
  for (std::size_t i = 0; i < entering_.size(); ++i)
    if (auto& piece = entering_[i]; piece.report && piece.last <= limit) {
      admissions.push_back(piece.owner);
      piece.report = false;
    }
  while (!entering_.empty() && entering_.front().last <= limit) entering_.pop_front();
  for (auto& own : entries_)
    while (!own.freed.empty() && own.freed.front().end <= limit) {
      own.free += own.freed.front().count;
      own.freed.pop_front();
    }
}

Tick RowController::next_report() const {
  auto report = waiting_.empty() ? never : next_;
  for (std::size_t i = 0; i < entering_.size(); ++i)
    if (const auto last = entering_[i].last; last == never)
      report = std::min(report, next_);
    else if (entering_[i].report)
      report = std::min(report, std::max(clock_ + 1, last));
  return report;
}

Tick RowController::soonest_entry(unsigned bursts, bool write) const {
  const auto& own = entries(write);
  auto entry = own.taken + bursts;
  for (std::size_t i = 0; i < waiting_.size(); ++i)
    if (shared_ || waiting_[i].write == write) entry += waiting_[i].bursts();
  return std::max(clock_ + 1, own.known >= entry ? own.when(entry, clock_) : next_);
}

// Time

void RowController::advance(Tick limit) {
  while (next_ <= limit) {
    clock_ = std::max(clock_, next_);
    if (plan_.next() <= clock_) refresh(clock_);
    update_mode();
    for (auto& lane : lanes_)
      if (decision(lane) <= clock_) serve(lane);
    enter();
    update_mode();
    tell_admissions(clock_);
    find_next();
  }
  clock_ = std::max(clock_, limit);
  tell_admissions(limit);
}

/// When a pseudo-channel decides what it serves next.
Tick RowController::decision(const Lane& lane) const {
  auto first = never;
  for (const auto& part : lane.parts)
    if (in_turn(part)) first = std::min(first, part.visible);
  return first == never ? never : std::max({first, lane.free, lane.held});
}

void RowController::find_next() {
  next_ = plan_.next();
  for (const auto& lane : lanes_) next_ = std::min(next_, decision(lane));
  // the other kind may have its turn when it comes in sight
  if (!competing_)
    for (const auto& lane : lanes_)
      for (const auto& part : lane.parts)
        if (part.write != writing_ && part.visible > clock_) next_ = std::min(next_, part.visible);
  for (std::size_t i = 0; i < entering_.size(); ++i)
    if (entering_[i].report) next_ = std::min(next_, entering_[i].last);
  next_ = std::max(next_, clock_ + 1);
}

void RowController::update_mode() {
  if (competing_) return;
  const bool reads = queued_[0] > 0;
  if (writing_ ? reads && queued_[1] < write_low_ : queued_[1] > 0 && (!reads || queued_[1] > write_high_))
    writing_ = !writing_;
  else
    return;
  for (auto& lane : lanes_)
    for (auto& part : lane.parts) part.prepared = false;
}

void RowController::refresh(Tick t) {
  const auto& d = timing_.delay;
  plan_.fall_due(t);
  jobs_.clear();
  for (std::size_t s = 0; s < plan_.scopes.size(); ++s)
    while (plan_.scopes[s].owed > (left_ > 0 ? parameters_.refresh_postpone : 0)) plan_.pay(s, t, jobs_);
  auto begin = t;
  for (const auto& job : jobs_) {
    auto& lane = lanes_[timing_.bank[job.first].pseudo_channel];
    auto close = begin, refreshed = begin;
    bool open = false;
    for (auto b = job.first; b < job.end; ++b) {
      open = open || timing_.bank[b].row != TimingState::closed;
      if (timing_.bank[b].row != TimingState::closed) close = std::max(close, timing_.precharge_ready(b));
      refreshed = std::max(refreshed, timing_.bank[b].act + d.to_refresh);
    }
    if (open) {
      ++counts_.precharges;
      refreshed = std::max(refreshed, close + d.precharge_act + d.to_refresh);
    }
    ++counts_.refreshes;
    for (auto b = job.first; b < job.end; ++b) {
      timing_.bank[b].row = TimingState::closed;
      timing_.bank[b].act = std::max(timing_.bank[b].act, refreshed + d.refresh);
    }
    lane.refresh_begin = t, lane.refresh_end = refreshed + d.refresh;
    for (auto& part : lane.parts) part.prepared = false;
    if (bin_ticks_ > 0) ++bin(refreshed).refreshes;
    if (together_) begin = refreshed + 1;
  }
  if (together_ && !jobs_.empty())
    for (auto& lane : lanes_) lane.held = std::max(lane.held, begin);
}

/// True if the rows of a part are open already, or may be opened before all older parts of its kind are
/// served.
bool RowController::may_prepare(const Lane& lane, const Part& part) const {
  bool apart = true;
  for (const auto* other = lane.parts.data(); apart && other != &part; ++other)
    apart = (other->banks & part.banks) == 0 || other->row() == part.row() ||
            (!competing_ && other->write != part.write);
  if (apart) return true;
  auto left = part.banks;
  for (std::size_t k = part.next; k < part.end && left != 0; ++k) {
    const auto b = bank_of(part, k);
    if (timing_.bank[b].row != static_cast<std::int64_t>(part.row())) return false;
    left &= ~bit_of(b);
  }
  return true;
}

/// Opens the rows of a part, each as soon as it may be.
void RowController::prepare(Lane& lane, Part& part) {
  const auto& d = timing_.delay;
  const auto& order = orders_[part.order];
  for (auto& other : lane.parts)
    if ((other.banks & part.banks) != 0 && other.row() != part.row()) other.prepared = false;
  part.prepared = true;
  part.ready = part.visible;
  part.misses = part.conflicts = 0;
  auto left = part.banks;
  for (std::size_t k = part.next; k < part.end && left != 0; ++k) {
    const auto b = bank_of(part, k);
    const auto bit = bit_of(b);
    if ((left & bit) == 0) continue;
    left &= ~bit;
    auto& bank = timing_.bank[b];
    if (bank.row != static_cast<std::int64_t>(part.row())) {
      if (bank.row != TimingState::closed) {
        timing_.precharged(b, row_bus_.take(std::max(part.visible, timing_.precharge_ready(b)), 1));
        ++part.conflicts;
        ++counts_.precharges;
      } else {
        ++part.misses;
      }
      const auto act = row_bus_.take(rising(std::max(part.visible, timing_.act_ready(b))), d.act_bus);
      timing_.activated(b, part.row(), act);
      ++counts_.activates;
    }
    part.ready = std::max(part.ready, bank.column[part.write] - (order.time[k] - order.time[part.next]));
  }
}

/// Serves what comes next in a pseudo-channel, up to the next refresh.
void RowController::serve(Lane& lane) {
  const auto now = std::max(clock_, lane.free);
  auto& parts = lane.parts;
  auto best = parts.size();
  auto start = never, stop = plan_.next();  // stop: an older one may go
  for (auto& part : parts)
    if (!part.prepared && in_turn(part) && may_prepare(lane, part)) prepare(lane, part);
  for (std::size_t i = 0; i < parts.size() && start > now; ++i) {
    const auto& part = parts[i];
    if (!part.prepared || !in_turn(part)) continue;
    const auto ready = rising(std::max({part.ready, lane.column[part.write], now}));
    if (ready >= start) continue;
    stop = std::min(stop, start);
    start = ready, best = i;
  }
  auto& part = parts[best];
  const auto& order = orders_[part.order];
  if (start >= plan_.next()) {
    lane.held = plan_.next();
    return;
  }
  std::size_t end = part.end;
  if (start + order.time[end - 1] - order.time[part.next] >= stop) {
    const auto from = order.time.begin();
    end = static_cast<std::size_t>(
        std::lower_bound(from + part.next, from + part.end, stop - start + order.time[part.next]) - from);
  }
  served(lane, part, start, static_cast<unsigned>(end - part.next));
  if (part.next == part.end) parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(best));
}

void RowController::served(Lane& lane, Part& part, Tick start, unsigned bursts) {
  const auto& d = timing_.delay;
  const auto& order = orders_[part.order];
  const auto from = order.time[part.next];
  const auto last = start + order.time[part.next + bursts - 1] - from;
  if (start > lane.free) explain(lane, part, start);
  const auto over = last + std::max(d.ccd_s, d.column_bus);
  count(Limit::data, start, start + d.burst * bursts);
  if (over > start + d.burst * bursts) count(Limit::ccd, start + d.burst * bursts, over);
  lane.free = over;
  lane.last_write = part.write;
  lane.column[part.write] = std::max(lane.column[part.write], over);
  lane.column[!part.write] =
      std::max(lane.column[!part.write], last + (part.write ? d.write_read_s : d.read_write));
  std::uint64_t seen = 0;  // of the bursts to a bank the last decides
  for (std::size_t k = part.next + bursts; k-- > part.next && seen != part.banks;) {
    const auto b = bank_of(part, k);
    const auto bit = bit_of(b);
    if ((seen & bit) != 0) continue;
    seen |= bit;
    auto& bank = timing_.bank[b];
    bank.precharge = std::max(
        bank.precharge, start + order.time[k] - from + (part.write ? d.write_precharge : d.read_precharge));
  }
  completions.push_back({part.owner, last + (part.write ? d.write_done : d.read_done), bursts});
  (part.write ? counts_.writes : counts_.reads) += bursts;
  const auto misses = std::min(bursts, part.misses), conflicts = std::min(bursts - misses, part.conflicts);
  counts_.misses += misses;
  counts_.conflicts += conflicts;
  counts_.hits += bursts - misses - conflicts;
  part.misses -= misses, part.conflicts -= conflicts;
  const auto waited = (start + last) / 2 - part.visible;
  queue_ticks_ += std::max<Tick>(0, waited) * bursts;
  if (bin_ticks_ > 0)
    for (unsigned i = 0; i < bursts; ++i) {
      auto& at = bin(start + order.time[part.next + i] - from);
      ++(part.write ? at.writes : at.reads);
      ++(i < misses ? at.misses : i < misses + conflicts ? at.conflicts : at.hits);
      at.queue_cycles += static_cast<double>(std::max<Tick>(0, waited)) / static_cast<double>(d.per_cycle);
    }
  auto& own = entries(part.write);
  own.freed.push_back({start, over, bursts});
  own.known += bursts;
  queued_[part.write] -= bursts;
  left_ -= bursts;
  part.next = static_cast<std::uint16_t>(part.next + bursts);
}

// Statistics

void RowController::explain_until(Tick& from, Tick until, Limit limit) {
  if (until <= from) return;
  count(limit, from, until);
  from = until;
}

/// Why the data bus was free until `start`: statistics.hpp.
void RowController::explain(const Lane& lane, const Part& part, Tick start) {
  auto from = lane.free;
  explain_until(from, std::min(start, part.offered), Limit::idle);
  explain_until(from, std::min(start, part.visible), Limit::front_end);
  if (lane.refresh_end > from && lane.refresh_begin < start)
    explain_until(from, std::min(start, lane.refresh_end), Limit::refresh);
  if (lane.last_write != part.write && lane.column[part.write] > part.ready)
    explain_until(from, std::min(start, lane.column[part.write]), Limit::turnaround);
  explain_until(from, start, Limit::bank);
}

void RowController::record(Tick ticks) {
  bin_ticks_ = ticks;
  series_.clear();
}

void RowController::clear_statistics(Tick now) {
  counts_ = {};
  limit_ticks_ = {};
  for (auto& lane : lanes_) {
    lane.free = std::max(lane.free, now);
    limit_ticks_[static_cast<std::size_t>(Limit::data)] += lane.free - now;
  }
  queue_ticks_ = 0;
  for (const auto& lane : lanes_)
    for (const auto& part : lane.parts)
      queue_ticks_ -= std::max<Tick>(0, now - part.visible) * (part.end - part.next);
  cleared_ = now;
  series_.clear();
}

ChannelStatistics RowController::statistics(Tick now) {
  const auto per_cycle = static_cast<double>(timing_.delay.per_cycle);
  auto s = counts_;
  auto ticks = limit_ticks_;
  auto waited = queue_ticks_;
  for (const auto& lane : lanes_) {
    if (lane.free > now)
      ticks[static_cast<std::size_t>(Limit::data)] -= lane.free - now;
    else
      ticks[static_cast<std::size_t>(lane.parts.empty() ? Limit::idle : Limit::bank)] += now - lane.free;
    for (const auto& part : lane.parts)
      waited += std::max<Tick>(0, now - part.visible) * (part.end - part.next);
  }
  for (std::size_t i = 0; i < limits; ++i) s.limit_cycles[i] = static_cast<double>(ticks[i]) / per_cycle;
  s.data_cycles = (s.reads + s.writes) * parameters_.timings.nBL;
  s.cycles = static_cast<double>(now - cleared_) / per_cycle;
  s.queue_cycles = static_cast<double>(waited) / per_cycle;
  add_energy(s);
  return s;
}

}  // namespace forerun::ip::hbm
