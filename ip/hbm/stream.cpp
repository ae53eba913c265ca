// SPDX-License-Identifier: Apache-2.0
// Streams: a run whose bursts keep the data buses busy without a gap. The queue is full and its bursts come
// from the pseudo-channels in turn, so that the i-th of them goes at stream_start_ + i * step_, and each lets
// one in that waits. So nothing is looked at burst by burst: blocks are checked as a whole when they enter,
// and make one completion. What the DRAM allows afterwards is made up for when the stream ends, from the last
// bursts that it served.
#include <algorithm>

#include "ip/hbm/controller.hpp"

namespace forerun::ip::hbm {

void Controller::set_block(std::vector<AddressMap::Place> places) {
  block_ = std::move(places);
  block_units_.clear();
  const auto& d = timing_.delay;
  const auto pseudos = pseudos_.size();
  step_ = d.burst / static_cast<Tick>(pseudos);
  near_ = std::max(pseudos, static_cast<std::size_t>((d.ccd_l + step_ - 1) / std::max<Tick>(1, step_) - 1));
  const auto depth = parameters_.queue_depth;
  may_stream_ = may_run_ && timing_.ranks() == 1 && d.burst == d.ccd_s && step_ >= d.column_bus &&
                step_ * static_cast<Tick>(pseudos) == d.burst && step_ % d.per_cycle == 0 &&
                near_ < recent_.size() && depth > near_ && Tick{depth} * step_ >= front_end_ &&
                block_.size() > 1;
  recent_end_ = 0;
  for (const auto& place : block_) {
    const auto unit = place.unit() & bank_mask_;
    may_stream_ = may_stream_ && place.row() == 0 && in_turn(unit);
    follow(unit);
    if (std::find(block_units_.begin(), block_units_.end(), unit) == block_units_.end())
      block_units_.push_back(unit);
  }
}

/// True if a burst may follow those in recent_ `step_` later: the pseudo-channels take turns, and tCCD_L has
/// passed since the last of its group.
bool Controller::in_turn(unsigned b) const {
  const auto pseudos = pseudos_.size();
  const auto& bank = timing_.bank[b];
  for (std::size_t back = 1; back <= std::min(near_, recent_end_); ++back) {
    const auto& before = timing_.bank[recent_[(recent_end_ - back) % recent_.size()]];
    if (bank.group == before.group && static_cast<Tick>(back) * step_ < timing_.delay.ccd_l) return false;
    if (back <= pseudos && (bank.pseudo_channel == before.pseudo_channel) != (back == pseudos)) return false;
  }
  return true;
}

void Controller::follow(unsigned b) {
  recent_[recent_end_++ % recent_.size()] = static_cast<std::uint16_t>(b);
}

/// Turns a run into a stream if it is one that promises to last.
bool Controller::begin_stream() {
  const bool write = run_writes_;
  if (entries_[write] != parameters_.queue_depth || queued_ != parameters_.queue_depth ||
      waiting_bursts_ < 2 * block_.size())
    return false;
  const auto start = rising(std::max(std::max(column_bus_, floor_), next_));
  stream_again_ = start + 2 * static_cast<Tick>(queued_) * step_;
  recent_end_ = 0;
  std::array<std::size_t, max_pseudo_channels> taken{};
  for (std::size_t i = 0; i < queued_; ++i) {  // in the order of age
    auto p = run_.size();
    for (std::size_t q = 0; q < run_.size(); ++q)
      if (taken[q] < run_[q].size() && (p == run_.size() || run_[q][taken[q]].age < run_[p][taken[p]].age)) p = q;
    const auto& burst = run_[p][taken[p]++];
    const auto when = start + static_cast<Tick>(i) * step_;
    const auto& bank = timing_.bank[burst.bank];
    if (!in_turn(burst.bank) || burst.visible > when || bank.column[write] > when) break;
    if (i <= near_ && timing_.column_ready(burst.bank, write) > when) break;
    if (i < run_.size() && data_free_[p] < when) break;
    follow(burst.bank);
    window_.push_back({.high = {static_cast<std::uint64_t>(bank.row) << 32 | burst.bank},
                       .offered = burst.offered,
                       .visible = burst.visible,
                       .begin = i,
                       .owner = burst.owner,
                       .first = 0,
                       .next = 0,
                       .end = 1,
                       .check = burst.check});
  }
  if (window_.size() < queued_) {
    window_.clear();
    return false;
  }
  for (auto& queue : run_) queue.clear();
  std::fill(last_kind_.begin(), last_kind_.end(), write);
  streaming_ = true;
  front_checked_ = false;
  streamed_ = serving_ = 0;
  stream_start_ = start;
  return true;
}

/// True if a block that waits may enter as it is: all its bursts are hits, and they come in turn.
bool Controller::may_enter_stream(const Waiting& block, Tick now) {
  if (block.write != run_writes_) return false;
  for (const auto unit : block_units_) {
    const auto& bank = timing_.bank[(block.high.unit() ^ unit) & bank_mask_];
    if (bank.row != static_cast<std::int64_t>(block.high.row()) || bank.column[run_writes_] > now) return false;
  }
  for (auto i = block.next; i < block.end && i < block.next + near_; ++i) {
    const auto b = (block.high ^ block_[i]).unit() & bank_mask_;
    if (!in_turn(b)) return false;
    follow(b);
  }
  return true;
}

/// Serves the stream up to and including tick `stop`. False: it has ended before.
bool Controller::stream(Tick stop) {
  const auto depth = std::uint64_t{parameters_.queue_depth};
  const auto at = [&](std::uint64_t i) { return stream_start_ + static_cast<Tick>(i) * step_; };
  const auto due = at(streamed_);
  const auto most = due > stop ? 0 : static_cast<std::uint64_t>((stop - due) / step_ + 1);
  std::uint64_t count = 0;  // sent, and as many let in
  while (count < most && !waiting_.empty()) {
    auto& w = waiting_.front();
    const auto now = at(streamed_ + count);
    if (w.offered > now) break;
    if (!front_checked_) {
      if (!may_enter_stream(w, now)) break;
      front_checked_ = true;
      window_.push_back({.high = w.high,
                         .offered = w.offered,
                         .visible = -1,
                         .begin = streamed_ + count + depth,
                         .owner = w.owner,
                         .first = w.next,
                         .next = w.next,
                         .end = w.next,
                         .check = w.check});
    }
    const auto taken = static_cast<std::uint16_t>(std::min<std::uint64_t>(w.end - w.next, most - count));
    auto& entering = window_.back();
    entering.end = static_cast<std::uint16_t>(entering.end + taken);
    w.next = static_cast<std::uint16_t>(w.next + taken);
    waiting_bursts_ -= taken;
    count += taken;
    front_blocked_ = std::max(front_blocked_, at(streamed_ + count - 1));
    if (w.next < w.end) continue;
    if (w.report) admissions.push_back(w.owner);
    for (auto i = std::max<std::size_t>(entering.first + near_, w.end - std::min<std::size_t>(w.end, near_)); i < w.end; ++i)
      follow((w.high ^ block_[i]).unit() & bank_mask_);
    waiting_.pop_front();
    front_checked_ = false;
  }
  serve_stream(count);
  const bool other_kind = !waiting_.empty() && waiting_.front().write != run_writes_;
  if (count < most || other_kind) {
    end_stream();
    if (count > 0) next_ = clock_ + 1;
    return false;
  }
  clock_ = std::max(clock_, stop);
  next_ = at(streamed_);
  if (next_ >= plan_.next()) end_run(plan_.next());
  return true;
}

/// The next `count` bursts of the stream are served.
void Controller::serve_stream(std::uint64_t count) {
  if (count == 0) return;
  const auto& d = timing_.delay;
  const bool write = run_writes_;
  const auto at = [&](std::uint64_t i) { return stream_start_ + static_cast<Tick>(i) * step_; };
  const auto in_sight = Tick{parameters_.queue_depth} * step_ - front_end_;
  for (auto left = count; left > 0;) {
    auto& block = window_[serving_];
    const auto bursts = static_cast<std::uint16_t>(std::min<std::uint64_t>(left, block.end - block.next));
    streamed_ += bursts;
    const auto sent = at(streamed_ - 1);
    complete(block.owner, sent + (write ? d.write_done : d.read_done), bursts);
    depth_ticks_ += block.visible >= 0 ? sent - block.visible : in_sight * bursts;
    if (block.check) counts_.check_bursts += bursts;
    block.next = static_cast<std::uint16_t>(block.next + bursts);
    left -= bursts;
    if (block.next == block.end) ++serving_;
  }
  (write ? counts_.writes : counts_.reads) += count;
  counts_.hits += count;
  limit_ticks_[static_cast<std::size_t>(Limit::data)] += d.burst * static_cast<Tick>(count);
  const auto sent = at(streamed_ - 1);
  // the pseudo-channels take turns
  for (std::uint64_t back = 0; back < std::min<std::uint64_t>(count, run_.size()); ++back)
    data_free_[timing_.bank[stream_bank(streamed_ - 1 - back)].pseudo_channel] =
        sent - static_cast<Tick>(back) * step_ + d.burst;
  column_bus_ = sent + d.column_bus;
  last_burst_ = last_command_ = clock_ = sent;
  last_was_write_ = write;
  const auto history = std::uint64_t{parameters_.queue_depth} + 256;  // what end_stream looks at
  while (serving_ > 0 && window_.front().begin + (window_.front().end - window_.front().first) + history < streamed_) {
    window_.pop_front();
    --serving_;
  }
}

/// The bank of the i-th burst of the stream, one of the last served.
unsigned Controller::stream_bank(std::uint64_t i) const {
  auto k = std::min(serving_, window_.size() - 1);
  while (window_[k].begin > i) --k;
  const auto& block = window_[k];
  return (block.high ^ block_[block.first + (i - block.begin)]).unit() & bank_mask_;
}

/// Back to a run: what the DRAM allows, and the bursts in the queue.
void Controller::end_stream() {
  const auto at = [&](std::uint64_t i) { return stream_start_ + static_cast<Tick>(i) * step_; };
  const auto depth = std::uint64_t{parameters_.queue_depth};
  streaming_ = false;
  for (std::size_t k = 0; k < window_.size(); ++k) {
    const auto& block = window_[k];
    for (auto n = block.first; n < block.end; ++n) {
      const auto i = block.begin + (n - block.first);
      const auto b = (block.high ^ block_[n]).unit() & bank_mask_;
      if (i < streamed_) {
        if (i + depth + 256 >= streamed_) timing_.column_sent(b, run_writes_, at(i));
        continue;
      }
      run_[timing_.bank[b].pseudo_channel].push_back(
          {block.offered, block.visible >= 0 ? block.visible : at(i - depth) + front_end_, ++age_, block.owner,
           static_cast<std::uint16_t>(b), block.check});
    }
  }
  window_.clear();
}

}  // namespace forerun::ip::hbm
