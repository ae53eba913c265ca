// SPDX-License-Identifier: Apache-2.0
/// One channel of a stack as the stack sees it: bursts are offered, and it is told which have been served and
/// which have entered their queue. Plain C++ in ticks (timing_state.hpp). There are two models:
/// controller.hpp, where each burst goes its own way, and row_controller.hpp, where those in a row go
/// together.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "ip/hbm/address_map.hpp"
#include "ip/hbm/refresh.hpp"
#include "ip/hbm/statistics.hpp"
#include "ip/hbm/timing_state.hpp"

namespace forerun::ip::hbm {

/// One burst on its way. `owner` is the caller's own mark.
struct Burst {
  std::uint32_t owner = 0;
  unsigned bank = 0;  ///< flat, in the channel
  std::uint32_t row = 0;
  bool write = false;
  bool check = false;   ///< of in-line ECC
  bool report = false;  ///< tell when it has entered its queue
};

/// Bursts that follow each other in a block of `AddressMap` and belong to one owner: those with the numbers
/// `first` to before `end` in the block.
struct BurstBlock {
  std::uint32_t owner = 0;
  AddressMap::Place high;  ///< of the block
  std::uint16_t first = 0, end = 0;
  bool write = false;
};

class Channel {
 public:
  virtual ~Channel() = default;
  Tick ticks_per_cycle() const { return timing_.delay.per_cycle; }

  /// A burst that is there from tick `offered` on, which is not before the last tick advanced to. Bursts of
  /// the same tick count in the order of the calls.
  virtual void offer(const Burst& burst, Tick offered) = 0;
  /// The same for bursts of a block, in the order of their numbers.
  virtual void offer(const BurstBlock& block, Tick offered) = 0;
  /// What the bursts of a block add to its place, by their numbers; the first adds nothing.
  virtual void set_block(std::vector<AddressMap::Place> places) = 0;
  /// True if so many bursts to come would all enter their queues as soon as they are offered, whatever else
  /// happens.
  virtual bool has_room(unsigned bursts, bool write) const = 0;

  /// A burst whose last data beat passes before `done`.
  struct Completion {
    std::uint32_t owner;
    Tick done;
    std::uint32_t bursts = 1;  ///< of the same owner, served one after the other; `done` is the last
  };
  /// Sends every command due up to and including tick `limit`. Completions are appended when the column
  /// command goes, long before they come about.
  virtual void advance(Tick limit) = 0;
  std::vector<Completion> completions;
  /// Owners whose last burst has entered its queue (report_last).
  std::vector<std::uint32_t> admissions;
  /// If bursts of an owner wait for room, tells in `admissions` when the last has entered its queue.
  virtual bool report_last(std::uint32_t owner) = 0;

  /// No command, admission or arrival comes before this tick, if nothing new is offered.
  Tick next() const { return next_; }
  /// No completion that is not in `completions` yet comes before this tick.
  Tick next_completion() const { return next_ + least_latency_; }
  /// Nor does that of a burst offered at this tick come before:
  Tick soonest_completion(Tick offered) const { return offered + front_end_ + least_latency_; }
  /// No admission to be told comes before this tick, while bursts wait for room.
  virtual Tick next_report() const = 0;
  /// So many bursts, offered now behind those that wait, do not all enter their queues before this tick, if
  /// there is no room for them (has_room) and nothing else is offered.
  virtual Tick soonest_entry(unsigned bursts, bool write) const = 0;
  virtual bool idle() const = 0;
  /// True while bursts wait for room.
  virtual bool blocked() const = 0;

  /// Counters up to tick `now` (up to which it has been advanced).
  virtual ChannelStatistics statistics(Tick now) = 0;
  virtual void clear_statistics(Tick now) = 0;
  /// Starts to record bins of `ticks`; 0 stops. The bins begin with the last clear or the start.
  virtual void record(Tick ticks) = 0;
  const std::vector<SeriesBin>& series() const { return series_; }

 protected:
  explicit Channel(const Parameters& parameters);
  Channel(const Channel&) = default;
  Channel& operator=(const Channel&) = default;

  /// The first tick from `t` on at which a cycle begins.
  Tick rising(Tick t) const { return timing_.delay.per_cycle == 2 ? (t + 1) & ~Tick{1} : t; }
  /// Time of a data bus.
  void count(Limit limit, Tick from, Tick until);
  SeriesBin& bin(Tick t);
  /// From the counts.
  void add_energy(ChannelStatistics& statistics) const;

  Parameters parameters_;
  TimingState timing_;
  Tick front_end_, least_latency_;
  RefreshPlan plan_;
  Tick clock_ = -1, next_ = never;  ///< ticks up to clock_ are decided
  ChannelStatistics counts_;
  std::array<Tick, limits> limit_ticks_{};
  Tick cleared_ = 0;
  Tick bin_ticks_ = 0;  ///< 0: no series
  std::vector<SeriesBin> series_;
};

}  // namespace forerun::ip::hbm
