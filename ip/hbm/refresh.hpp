// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "ip/hbm/parameters.hpp"
#include "ip/hbm/timing_state.hpp"

namespace forerun::ip::hbm {

/// One refresh to be done: close the rows of its banks, then REF. Jobs are done in order; see RefreshOrder
/// for what they hold up.
struct RefreshJob {
  enum class Kind : unsigned char { all_bank, bank, management } kind = Kind::all_bank;
  unsigned first = 0, end = 0;  ///< flat banks
  Tick begin = 0;
};

/// When refreshes fall due. All-bank: each scope (a pseudo-channel with its stack IDs; a rank of other
/// memories) every tREFI. Per bank: every tREFIpb so many banks that each has its turn once in tREFI: in HBM
/// with tREFIpb = tREFI / banks of a pseudo-channel one in each pseudo-channel, with tREFI / banks of a
/// channel one in the channel. Up to `refresh_postpone` of a scope may be owed while bursts wait there.
class RefreshPlan {
 public:
  RefreshPlan(const Parameters& p, const TimingState& timing);

  Tick next() const { return next_; }
  /// Notes what falls due at or before `t`; each scope then owes one more.
  void fall_due(Tick t);
  struct Scope {
    Tick due = never;
    unsigned owed = 0;
    unsigned first = 0, end = 0;  ///< banks
  };
  std::vector<Scope> scopes;
  unsigned owed() const { return owed_; }
  /// Appends the job or jobs that a scope owes next.
  void pay(std::size_t scope, Tick t, std::vector<RefreshJob>& jobs);
  /// Self-refresh is over: the next refresh is an interval away.
  void restart(Tick t);
  /// True if it asks for the same until tick `end` as another plan moved by so many ticks.
  bool agrees(const RefreshPlan& other, Tick moved, Tick end) const;
  /// Takes over what has changed in another plan from `before` to `after`.
  void take_over(const RefreshPlan& before, const RefreshPlan& after, Tick moved);

 private:
  void update();
  bool per_bank_, spread_;
  Tick interval_;
  unsigned cursor_ = 0, stride_ = 0, banks_ = 0;
  unsigned owed_ = 0;
  Tick next_ = never;
};

}  // namespace forerun::ip::hbm
