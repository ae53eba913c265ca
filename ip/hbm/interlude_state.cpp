// SPDX-License-Identifier: Apache-2.0
// The state of a controller between two ticks, as numbers that are equal when the same will happen.
#include <algorithm>
#include <bit>
#include <limits>

#include "ip/hbm/controller.hpp"

namespace forerun::ip::hbm {
namespace {

using Moment = Interlude::Moment;
constexpr auto lowest = std::numeric_limits<Moment>::min(), highest = std::numeric_limits<Moment>::max();

/// Writes state down. Moments so long ago that they hold back nothing and explain nothing any more are equal.
struct Writer {
  Tick base, oldest;
  std::uint32_t row_base;
  unsigned flip;
  Moment* next;

  template <typename T>
  void flag(T value) {
    *next++ = static_cast<Moment>(value);
  }
  void row(std::int64_t row) {
    *next++ =
        row == TimingState::closed ? lowest : static_cast<Moment>(static_cast<std::uint32_t>(row) - row_base);
  }
  void moment(Tick t, Tick reach = 0) { *next++ = static_cast<Moment>(std::max(t, oldest - reach) - base); }
  void bound(Tick t) { *next++ = t >= never / 2 ? highest : static_cast<Moment>(std::max(t, base) - base); }
};

/// Takes over what was written down.
struct Reader {
  Tick base;
  std::uint32_t row_base;
  unsigned flip;
  const Moment* next;

  template <typename T>
  void flag(T& value) {
    value = static_cast<T>(*next++);
  }
  template <typename T>
  T flag() {
    return static_cast<T>(*next++);
  }
  void row(std::int64_t& row) {
    const auto value = *next++;
    row = value == lowest ? TimingState::closed : std::int64_t{static_cast<std::uint32_t>(value) + row_base};
  }
  void moment(Tick& t, Tick = 0) { t = base + *next++; }
  void bound(Tick& t) {
    const auto value = *next++;
    t = value == highest ? never : base + value;
  }
};

/// A burst in the queue in one number: its bank, what row commands it took, and
enum Kinds : unsigned { writes = 1, checks = 2, opened = 4, opened_for = 8, need_shift = 4, bank_shift = 8 };

}  // namespace

/// What the DRAM and the buses allow, and what statistics need to know of the past.
template <typename Visitor>
void Controller::visit_timing(Visitor& visitor) {
  visitor.flag(writing_);
  visitor.flag(last_was_write_);
  for (auto& kind : last_kind_) visitor.flag(kind);
  for (unsigned b = 0; b < timing_.bank.size(); ++b) {
    auto& bank = timing_.bank[b ^ visitor.flip];
    visitor.row(bank.row);
    visitor.moment(bank.act), visitor.moment(bank.precharge);
    visitor.moment(bank.column[0]), visitor.moment(bank.column[1]);
  }
  for (unsigned g = 0; g < timing_.group.size(); ++g) {
    auto& group = timing_.group[g ^ visitor.flip / parameters_.banks_per_group];
    visitor.moment(group.column[0]), visitor.moment(group.column[1]), visitor.moment(group.act);
  }
  for (auto& rank : timing_.rank)
    visitor.moment(rank.column[0]), visitor.moment(rank.column[1]), visitor.moment(rank.precharge);
  for (auto& window : timing_.window) {
    visitor.moment(window.act), visitor.moment(window.refresh_bank);
    for (unsigned i = 0; i < window.acts.size(); ++i)
      visitor.moment(window.acts[(window.oldest + i) % window.acts.size()], timing_.delay.faw);
  }
  for (auto& free : data_free_) visitor.moment(free);
  for (auto* t : {&column_bus_, &row_bus_, &floor_begin_, &floor_, &job_begin_, &job_end_, &last_burst_,
                  &last_command_, &front_blocked_})
    visitor.moment(*t);
  for (auto& pseudo : pseudos_)
    visitor.bound(pseudo.hit_next), visitor.bound(pseudo.opened_next), visitor.bound(pseudo.other_next);
  for (auto* t : {&column_next_, &row_next_, &run_again_}) visitor.bound(*t);
}

/// Why the last row commands of a bank were sent when they were.
template <typename Visitor>
void Controller::visit_reasons(BankQueue& bank, Visitor& visitor) {
  for (auto* t : {&bank.precharge_allowed, &bank.precharge_sent, &bank.act_bank_allowed, &bank.act_allowed,
                  &bank.act_sent})
    visitor.moment(*t);
}

void Controller::write_state(const View& view, std::vector<Moment>& out) {
  const auto banks = banks_.size();
  out.resize(64 + 18 * banks + 16 * pseudos_.size() + 16 * timing_.rank.size() + 4 * (jobs_.size() + used_));
  Writer writer{view.base, view.oldest, view.row, view.flip, out.data()};
  writer.flag(view.base % timing_.delay.per_cycle);
  for (const auto size : {used_, arriving_.size(), jobs_.size()}) writer.flag(size);
  visit_timing(writer);
  for (const auto& job : jobs_) {
    writer.flag(job.kind), writer.flag(job.first), writer.flag(job.end);
    writer.moment(job.begin);
  }
  auto& refreshed = *writer.next++;
  refreshed = 0;
  for (unsigned b = 0; b < banks; ++b)
    if (const auto& bank = banks_[b ^ view.flip]; bank.refresh_end > view.oldest) {
      ++refreshed;
      writer.flag(b);
      writer.moment(bank.refresh_begin), writer.moment(bank.refresh_end);
    }
  order_.for_each([&](std::uint32_t at) {
    const auto& slot = slots_[at];
    auto& bank = banks_[slot.bank];
    const bool is_opened_for = bank.opened_for == static_cast<Index>(at);
    writer.flag((slot.write ? writes : 0u) | (slot.check ? checks : 0u) | (slot.opened ? opened : 0u) |
                (is_opened_for ? opened_for : 0u) | static_cast<unsigned>(slot.need) << need_shift |
                (slot.bank ^ view.flip) << bank_shift);
    writer.row(std::int64_t{slot.row});
    writer.moment(slot.visible), writer.moment(slot.offered);
    if (slot.need != Need::nothing) visit_reasons(bank, writer);
  });
  out.resize(static_cast<std::size_t>(writer.next - out.data()));
}

/// Takes over a state that was written down. `from` tells where the bursts in the queue come from.
void Controller::read_state(const View& view, const std::vector<Moment>& state, std::span<const Origin> from,
                            bool into_run) {
  Reader reader{view.base, view.row, view.flip, state.data()};
  reader.flag<Tick>();
  const auto used = reader.flag<std::size_t>(), arriving = reader.flag<std::size_t>(),
             jobs = reader.flag<std::size_t>();
  visit_timing(reader);
  clear_queues(std::max(order_.places(), std::bit_ceil(2 * used)));
  for (unsigned b = 0; b < banks_.size(); ++b)
    if (timing_.bank[b].row != TimingState::closed) pseudo_of(b).open |= bit(b);
  jobs_.resize(jobs);
  for (auto& job : jobs_) {
    reader.flag(job.kind), reader.flag(job.first), reader.flag(job.end);
    reader.moment(job.begin);
    for (unsigned b = job.first; b < job.end; ++b) pseudo_of(b).held |= bit(b);
  }
  for (auto refreshed = reader.flag<unsigned>(); refreshed > 0; --refreshed) {
    auto& bank = banks_[reader.flag<unsigned>() ^ view.flip];
    reader.moment(bank.refresh_begin), reader.moment(bank.refresh_end);
  }
  for (std::size_t n = 0; n < used; ++n) {
    const auto kinds = reader.flag<unsigned>();
    const auto b = kinds >> bank_shift ^ view.flip;
    std::int64_t row = 0;
    Tick visible = 0, offered = 0;
    reader.row(row), reader.moment(visible), reader.moment(offered);
    if (into_run) {
      const bool write = (kinds & writes) != 0;
      run_[timing_.bank[b].pseudo_channel].push_back({from[n].offered, visible, ++age_, from[n].owner,
                                                      static_cast<std::uint16_t>(b), (kinds & checks) != 0});
      ++entries_[write];
      run_writes_ = write;
      continue;
    }
    const auto age = order_.next_age();
    const auto at = order_.push();
    auto& slot = slots_[at];
    slot.age = age;
    slot.offered = from[n].offered, slot.visible = visible;
    slot.owner = from[n].owner, slot.row = static_cast<std::uint32_t>(row);
    slot.previous = slot.next = none;
    slot.bank = static_cast<std::uint16_t>(b);
    slot.write = (kinds & writes) != 0, slot.check = (kinds & checks) != 0, slot.opened = false;
    slot.need = static_cast<Need>(kinds >> need_shift & 3);
    auto& bank = banks_[b];
    const auto i = static_cast<Index>(at);
    ++used_;
    ++entries_[slot.write];
    ++bank.admitted;
    if (n + arriving < used)
      link(i);
    else
      arriving_.push_back(i);
    if ((kinds & opened) != 0) take_out(i);
    if ((kinds & opened_for) != 0) bank.opened_for = i;
    if (slot.need != Need::nothing) visit_reasons(bank, reader);
  }
  if (!into_run) return;
  running_ = true;
  queued_ = used;
  run_again_ += run_pause;
}

void Controller::clear_queues(std::size_t places) {
  order_.reset(places);
  slots_.resize(places);
  arriving_.clear();
  used_ = depth_ = 0;
  visible_sum_ = 0;
  entries_ = seen_ = {};
  for (auto& bank : banks_) {
    bank.kind = {};
    bank.opened_for = none;
    bank.waiting = bank.admitted = 0;
  }
  for (auto& pseudo : pseudos_) {
    for (auto* kinds : {&pseudo.hits, &pseudo.others})
      for (auto& set : *kinds) set.reset(places);
    pseudo.hit_count = pseudo.other_count = pseudo.waiting = 0;
    pseudo.other_banks = {};
    pseudo.open = pseudo.opened = pseudo.held = 0;
  }
}

}  // namespace forerun::ip::hbm
