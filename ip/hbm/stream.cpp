// SPDX-License-Identifier: Apache-2.0
// Streams: a run whose bursts keep the data buses busy without a gap. The queue is full, the pseudo-channels
// (one or two) take turns, and each burst that goes lets one in that waits; those come from the
// pseudo-channels in turn too. Then send m goes at stream_start_ + m * step_, and nothing is looked at burst
// by burst: blocks are checked as a whole when they enter, and their ends make completions. What the DRAM
// allows afterwards is made up for when the stream ends, from the last bursts that it served.
#include <algorithm>

#include "ip/hbm/controller.hpp"

namespace forerun::ip::hbm {

void Controller::set_block(std::vector<AddressMap::Place> places) {
  block_ = std::move(places);
  block_units_.clear();
  const auto& d = timing_.delay;
  const auto pseudos = pseudos_.size();
  step_ = d.burst / static_cast<Tick>(pseudos);
  near_ = static_cast<std::size_t>((d.ccd_l + d.burst - 1) / d.burst - 1);
  may_stream_ = may_run_ && pseudos <= stream_lanes_.size() && timing_.ranks() == 1 && d.burst == d.ccd_s &&
                step_ >= d.column_bus && step_ * static_cast<Tick>(pseudos) == d.burst &&
                step_ % d.per_cycle == 0 && near_ <= StreamLane::remembered && block_.size() > 1;
  for (auto& lane : stream_lanes_) lane = {};
  last_entered_ = nobody;
  for (const auto& place : block_) {
    const auto unit = place.unit() & bank_mask_;
    may_stream_ = may_stream_ && place.row() == 0 && in_turn(unit);
    if (may_stream_) follow(unit);
    if (std::find(block_units_.begin(), block_units_.end(), unit) == block_units_.end())
      block_units_.push_back(unit);
  }
}

/// True if a burst may enter after those that have: the pseudo-channels take turns, and tCCD_L passes from
/// the last of its group on.
bool Controller::in_turn(unsigned b) const {
  const auto& bank = timing_.bank[b];
  if (pseudos_.size() > 1 && bank.pseudo_channel == last_entered_) return false;
  return groups_apart(b);
}

bool Controller::groups_apart(unsigned b) const {
  const auto& lane = stream_lanes_[timing_.bank[b].pseudo_channel];
  for (std::size_t back = 1; back <= std::min(near_, lane.entered); ++back)
    if (lane.groups[(lane.entered - back) % lane.groups.size()] == timing_.bank[b].group) return false;
  return true;
}

void Controller::follow(unsigned b) {
  const auto& bank = timing_.bank[b];
  auto& lane = stream_lanes_[bank.pseudo_channel];
  lane.groups[lane.entered++ % lane.groups.size()] = bank.group;
  last_entered_ = bank.pseudo_channel;
}

/// The first burst of a pseudo-channel among those of a block from number `n` on.
std::uint16_t Controller::first_of(const Streamed& block, std::size_t pseudo, std::uint16_t n) const {
  const auto b = (block.high ^ block_[n]).unit() & bank_mask_;
  return static_cast<std::uint16_t>(timing_.bank[b].pseudo_channel == pseudo ? n : n + 1);
}

/// Turns a run into a stream if it is one that promises to last.
bool Controller::begin_stream() {
  const bool write = run_writes_;
  const auto& d = timing_.delay;
  const auto pseudos = run_.size();
  if (entries_[write] != parameters_.queue_depth || queued_ != parameters_.queue_depth ||
      waiting_bursts_ < 16)
    return false;
  auto bus = rising(std::max(std::max(column_bus_, floor_), next_));
  stream_again_ = bus + 2 * d.burst;
  std::array<Tick, 2> ready{never, never};
  for (std::size_t p = 0; p < pseudos; ++p) {
    if (run_[p].size() < static_cast<std::size_t>(2 + front_end_ / d.burst)) return false;
    ready[p] =
        rising(std::max(timing_.pseudo_column(static_cast<unsigned>(p), write), run_[p].front().visible));
  }
  std::size_t first = 0;
  if (pseudos > 1) {
    const auto a = std::max(ready[0], bus), b = std::max(ready[1], bus);
    first = b < a || (a == b && run_[1].front().age < run_[0].front().age) ? 1 : 0;
  }
  stream_start_ = std::max(ready[first], bus);
  streamed_ = 0;
  last_entered_ = nobody;
  for (std::size_t p = 0; p < pseudos; ++p) {
    auto& lane = stream_lanes_[p];
    lane = {};
    lane.turn = p == first ? 0 : 1;
    if (ready[p] > send_time(lane.turn) || data_free_[p] < send_time(lane.turn)) return false;
    for (std::size_t k = 0; k < run_[p].size(); ++k) {
      const auto& burst = run_[p][k];
      const auto when = send_time(pseudos * k + lane.turn);
      if (burst.visible > when || timing_.bank[burst.bank].column[write] > when ||
          !groups_apart(burst.bank) || (k <= near_ && timing_.column_ready(burst.bank, write) > when))
        return false;
      follow(burst.bank);
    }
  }
  last_entered_ = nobody;
  std::array<std::size_t, 2> taken{};
  for (std::size_t i = 0; i < queued_; ++i) {  // in the order of age
    std::size_t p = 0;
    if (pseudos > 1 && (taken[0] == run_[0].size() ||
                        (taken[1] < run_[1].size() && run_[1][taken[1]].age < run_[0][taken[0]].age)))
      p = 1;
    const auto& burst = run_[p][taken[p]];
    window_.push_back({.high = {static_cast<std::uint64_t>(timing_.bank[burst.bank].row) << 32 | burst.bank},
                       .offered = burst.offered,
                       .visible = burst.visible,
                       .begin = i,
                       .lane_begin = {taken[0], taken[1]},
                       .owner = burst.owner,
                       .first = 0,
                       .end = 1,
                       .check = burst.check});
    ++taken[p];
  }
  for (std::size_t p = 0; p < pseudos; ++p) {
    stream_lanes_[p].number = first_of(window_.front(), p, 0);
    run_[p].clear();
    last_kind_[p] = write;
  }
  streaming_ = true;
  front_checked_ = false;
  return true;
}

/// True if a block that waits may enter: all its bursts are hits, and they come in turn.
bool Controller::may_enter_stream(const Waiting& block, Tick now) {
  if (block.write != run_writes_) return false;
  for (const auto unit : block_units_) {
    const auto& bank = timing_.bank[(block.high.unit() ^ unit) & bank_mask_];
    if (bank.row != static_cast<std::int64_t>(block.high.row()) || bank.column[run_writes_] > now)
      return false;
  }
  const auto checked = near_ * pseudos_.size() + 1;
  for (std::size_t i = block.next; i < block.end && i < block.next + checked; ++i) {
    const auto b = (block.high ^ block_[i]).unit() & bank_mask_;
    if (!in_turn(b)) return false;
    follow(b);
  }
  for (std::size_t i =
           std::max<std::size_t>(block.next + checked, block.end - std::min<std::size_t>(block.end, checked));
       i < block.end; ++i)
    follow((block.high ^ block_[i]).unit() & bank_mask_);
  return true;
}

/// Serves the stream up to and including tick `stop`. False: it has ended before.
bool Controller::stream(Tick stop) {
  const auto due = send_time(streamed_);
  const auto most = due > stop ? 0 : static_cast<std::uint64_t>((stop - due) / step_ + 1);
  std::uint64_t count = 0;  // sent, and as many let in
  while (count < most && !waiting_.empty()) {
    auto& w = waiting_.front();
    const auto now = send_time(streamed_ + count);
    if (w.offered > now) break;
    if (!front_checked_) {
      if (!may_enter_stream(w, now)) break;
      front_checked_ = true;
      const auto& before = window_.back();
      const auto begin = before.begin + (before.end - before.first);
      window_.push_back({.high = w.high,
                         .offered = w.offered,
                         .visible = -1,
                         .begin = begin,
                         .lane_begin = {before.lane_begin[0] + bursts_of(before, 0),
                                        before.lane_begin[1] + bursts_of(before, 1)},
                         .owner = w.owner,
                         .first = w.next,
                         .end = w.next,
                         .check = w.check});
    }
    const auto taken = static_cast<std::uint16_t>(std::min<std::uint64_t>(w.end - w.next, most - count));
    auto& entering = window_.back();
    entering.end = static_cast<std::uint16_t>(entering.end + taken);
    w.next = static_cast<std::uint16_t>(w.next + taken);
    waiting_bursts_ -= taken;
    count += taken;
    front_blocked_ = std::max(front_blocked_, send_time(streamed_ + count - 1));
    if (w.next < w.end) continue;
    if (w.report) admissions.push_back(w.owner);
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
  next_ = send_time(streamed_);
  if (next_ >= plan_.next()) end_run(plan_.next());
  return true;
}

/// Bursts of a pseudo-channel among those of a block that have entered.
std::uint64_t Controller::bursts_of(const Streamed& block, std::size_t pseudo) const {
  if (pseudo >= pseudos_.size() || block.first == block.end) return 0;
  const auto first = first_of(block, pseudo, block.first);
  const auto pseudos = pseudos_.size();
  return first < block.end ? (block.end - first + pseudos - 1) / pseudos : 0;
}

/// The next `count` bursts of the stream are served.
void Controller::serve_stream(std::uint64_t count) {
  if (count == 0) return;
  const auto& d = timing_.delay;
  const bool write = run_writes_;
  const auto pseudos = run_.size();
  const auto depth = static_cast<Tick>(parameters_.queue_depth);
  for (std::size_t p = 0; p < pseudos; ++p) {
    auto& lane = stream_lanes_[p];
    // sends m of streamed_ ... streamed_ + count - 1 with m % pseudos == turn
    const auto until = (streamed_ + count + pseudos - 1 - lane.turn) / pseudos;
    for (auto left = until - lane.served; left > 0;) {
      auto& block = window_[lane.block];
      const auto there = lane.number < block.end ? (block.end - lane.number + pseudos - 1) / pseudos : 0;
      if (const auto bursts = std::min<std::uint64_t>(left, there); bursts > 0) {
        const auto sent = send_time(pseudos * lane.served + lane.turn);
        const auto entered = static_cast<Tick>(block.begin) + (lane.number - block.first) - depth;
        depth_ticks_ +=
            static_cast<Tick>(bursts) *
            (sent - (block.visible >= 0 ? block.visible : stream_start_ + entered * step_ + front_end_));
        lane.served += bursts;
        lane.number = static_cast<std::uint16_t>(lane.number + bursts * pseudos);
        left -= bursts;
        complete(block.owner,
                 send_time(pseudos * (lane.served - 1) + lane.turn) + (write ? d.write_done : d.read_done),
                 static_cast<std::uint32_t>(bursts));
        if (block.check) counts_.check_bursts += bursts;
      }
      if (left > 0) {
        ++lane.block;
        lane.number = first_of(window_[lane.block], p, window_[lane.block].first);
      }
    }
    if (lane.served > 0) data_free_[p] = send_time(pseudos * (lane.served - 1) + lane.turn) + d.burst;
  }
  streamed_ += count;
  (write ? counts_.writes : counts_.reads) += count;
  counts_.hits += count;
  limit_ticks_[static_cast<std::size_t>(Limit::data)] += d.burst * static_cast<Tick>(count);
  const auto sent = send_time(streamed_ - 1);
  column_bus_ = sent + d.column_bus;
  last_burst_ = last_command_ = clock_ = sent;
  last_was_write_ = write;
  const auto old = [&] {
    for (std::size_t p = 0; p < pseudos; ++p)
      if (stream_lanes_[p].block < 2 || window_[1].lane_begin[p] + history() > stream_lanes_[p].served)
        return false;
    return true;
  };
  while (old()) {
    window_.pop_front();
    for (auto& lane : stream_lanes_) --lane.block;
  }
}

/// Back to a run: the bursts in the queue, and what the DRAM allows after those that were served.
void Controller::end_stream() {
  streaming_ = false;
  const auto pseudos = pseudos_.size();
  const auto depth = std::uint64_t{parameters_.queue_depth};
  for (std::size_t w = 0; w < window_.size(); ++w) {
    const auto& block = window_[w];
    auto k = block.lane_begin;
    auto gone = std::uint64_t{static_cast<std::uint64_t>(block.end - block.first)};
    for (std::size_t p = 0; p < pseudos; ++p)
      gone = std::min(gone, (stream_lanes_[p].served - std::min(stream_lanes_[p].served, k[p])) * pseudos);
    gone -= gone % pseudos;
    for (std::size_t p = 0; p < pseudos; ++p) k[p] += gone / pseudos;
    for (auto n = static_cast<std::uint16_t>(block.first + gone); n < block.end; ++n) {
      const auto b = (block.high ^ block_[n]).unit() & bank_mask_;
      const auto pseudo = timing_.bank[b].pseudo_channel;
      if (k[pseudo]++ < stream_lanes_[pseudo].served) continue;
      const auto visible = block.visible >= 0
                               ? block.visible
                               : send_time(block.begin + (n - block.first) - depth) + front_end_;
      run_[pseudo].push_back(
          {block.offered, visible, ++age_, block.owner, static_cast<std::uint16_t>(b), block.check});
    }
  }
  // Of the bursts to a bank the last decides.
  std::array<std::uint64_t, 2> seen{};
  for (auto w = window_.size(); w-- > 0;) {
    const auto& block = window_[w];
    std::array<std::uint64_t, 2> wanted{}, k = block.lane_begin;
    for (const auto unit : block_units_) {
      const auto b = (block.high.unit() ^ unit) & bank_mask_;
      wanted[timing_.bank[b].pseudo_channel] |= bit(b);
    }
    for (std::size_t p = 0; p < pseudos; ++p) k[p] += bursts_of(block, p);
    for (auto n = block.end; n > block.first && ((wanted[0] & ~seen[0]) | (wanted[1] & ~seen[1])) != 0;) {
      const auto b = (block.high ^ block_[--n]).unit() & bank_mask_;
      const auto pseudo = timing_.bank[b].pseudo_channel;
      const auto& lane = stream_lanes_[pseudo];
      if (--k[pseudo] >= lane.served || (seen[pseudo] & bit(b)) != 0) continue;
      if (k[pseudo] + history() < lane.served) continue;
      seen[pseudo] |= bit(b);
      timing_.column_sent(b, run_writes_, send_time(pseudos * k[pseudo] + lane.turn));
    }
  }
  window_.clear();
}

/// Ticks that the bursts in the queue of a stream have been in sight.
Tick Controller::waited_in_stream(Tick now) const {
  Tick sum = 0;
  for_each_streamed([&](const Streamed&, unsigned b, std::uint64_t k, Tick visible) {
    if (k >= stream_lanes_[timing_.bank[b].pseudo_channel].served) sum += std::max<Tick>(0, now - visible);
  });
  return sum;
}

}  // namespace forerun::ip::hbm
