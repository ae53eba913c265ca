// SPDX-License-Identifier: Apache-2.0
/// What the scheduler does between two runs of a long stream, when rows change or a refresh comes, depends on
/// the controller and on the bursts that are there, but not on the moment, the numbers of the rows or the
/// requests. So the same happens again and again, and need not be worked out each time.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "ip/hbm/refresh.hpp"
#include "ip/hbm/statistics.hpp"
#include "ip/hbm/timing_state.hpp"

namespace forerun::ip::hbm {

/// Some time of a controller during which bursts wait for room, so that none that is offered meanwhile gets
/// past them and everything can be foreseen. Moments count from its begin, rows from that of the first burst
/// that waits. Bursts have numbers: those in the queue when it begins, then those that wait, in their order.
struct Interlude {
  Interlude(const RefreshPlan& plan, Tick at) : begin(at), plan_before(plan), plan_after(plan) {}
  /// As if it were new, but with the memory that it has.
  void clear(const RefreshPlan& plan, Tick at) {
    begin = at;
    for (auto* list : {&before, &entered, &after}) list->clear();
    entering.clear(), sent.clear(), queue.clear();
    plan_before = plan_after = plan;
  }
  using Moment = std::int32_t;
  struct Entering {  ///< a burst that waits: all that decides about what happens
    std::uint64_t what;
    Moment offered;
    bool operator==(const Entering&) const = default;
  };
  struct Sent {
    Moment when, done;
    std::uint32_t number;
  };
  Tick begin;  ///< when it was written down; of the plans
  // What decides
  std::vector<Moment> before;      ///< the state of the controller (Controller::write_state)
  std::vector<Entering> entering;  ///< those that find room
  bool behind_writes = false;      ///< what the one behind them is
  RefreshPlan plan_before;
  // What comes of it
  Moment length = 0;
  std::vector<Moment> entered;  ///< when
  std::vector<Sent> sent;
  std::vector<Moment> after;         ///< the state at its end
  std::vector<std::uint32_t> queue;  ///< numbers of the bursts in the queue at its end
  bool into_run = false;             ///< a run begins then: those in the queue are hits of one kind
  RefreshPlan plan_after;
  ChannelStatistics counts;
  std::array<Tick, limits> limit_ticks{};
  Tick depth_ticks = 0;
};

class Controller;

/// The interludes that came lately, of controllers with equal parameters.
class InterludeCache {
 public:
  std::shared_ptr<Controller> copy;  ///< that goes ahead; kept, so that nothing is allocated for the next
  /// Calls fits(interlude) for those that begin with that state, until it says true: returns that one, or
  /// null.
  template <typename Fits>
  std::shared_ptr<const Interlude> find(const std::vector<Interlude::Moment>& before, Fits fits) {
    const auto sum = hash(before);
    for (auto& entry : sets_[sum % sets_.size()])
      if (entry.hash == sum && entry.interlude && entry.interlude->before == before &&
          fits(*entry.interlude)) {
        entry.used = ++uses_;
        credit_ = std::min(credit_ + 4, most_credit);
        return entry.interlude;
      }
    --credit_;
    return nullptr;
  }
  /// False if hardly anything has come again lately: then it is better to wait a while than to look for more.
  /// Next time there are a few chances.
  bool pays() {
    if (credit_ > 0) return true;
    credit_ = 4;
    return false;
  }
  /// An empty one: perhaps one that is no longer remembered.
  std::shared_ptr<Interlude> blank(const RefreshPlan& plan, Tick at);
  /// Takes the place of one that was not used for long.
  void insert(std::shared_ptr<Interlude> interlude);

 private:
  struct Entry {
    std::uint64_t hash = 0, used = 0;
    std::shared_ptr<Interlude> interlude;
  };
  static std::uint64_t hash(std::span<const Interlude::Moment> values);
  std::vector<std::array<Entry, 4>> sets_{1024};
  std::shared_ptr<Interlude> forgotten_;
  std::uint64_t uses_ = 0;
  static constexpr int most_credit = 512;
  int credit_ = most_credit / 2;
};

}  // namespace forerun::ip::hbm
