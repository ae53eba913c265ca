// SPDX-License-Identifier: Apache-2.0
/// The controller of one pseudo-channel: decides which command goes to the DRAM when. Plain C++ in cycles of the command
/// clock; it never ticks, but is asked for its next moment.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "ip/hbm/address_map.hpp"

namespace forerun::ip::hbm {

/// One burst on its way. `owner` is the caller's own mark.
struct Burst {
  std::uint64_t owner = 0;
  std::int64_t arrival = 0;
  Location at;
  bool write = false;
  bool missed = false;  ///< needed an activation
};

struct ControllerStatistics {
  std::uint64_t reads = 0, writes = 0, hits = 0, misses = 0, conflicts = 0, refreshes = 0, data_cycles = 0;
};

class Controller {
 public:
  explicit Controller(const Parameters& parameters);

  bool idle() const { return queue_.empty() && waiting_.empty(); }
  std::size_t pending() const { return queue_.size() + waiting_.size(); }
  void add(const Burst& burst) { waiting_.push_back(burst); }

  /// A burst whose last data beat passes at cycle `done`.
  struct Completion {
    std::uint64_t owner;
    std::int64_t done;
  };
  /// Issues every command that is due up to and including cycle `now`; completions are appended.
  /// Returns the cycle at which to call again, or -1 when idle.
  std::int64_t advance(std::int64_t now, std::vector<Completion>& completions);

  const ControllerStatistics& statistics() const { return statistics_; }
  void clear_statistics() { statistics_ = {}; }

 private:
  static constexpr std::int64_t never = std::int64_t{1} << 62;
  enum class Kind { column, activate, precharge };
  struct Bank {
    std::int64_t row = -1;
    std::int64_t act_ready = 0, column_read_ready = 0, column_write_ready = 0, precharge_ready = 0;
  };
  struct Choice {
    std::size_t index = 0;
    Kind kind = Kind::column;
    std::int64_t when = never;
  };

  void admit(std::int64_t now);
  void refresh(std::int64_t now);
  Choice choose(std::int64_t now) const;
  std::int64_t column_time(const Burst& burst) const;
  /// No column command can be earlier, whatever the burst.
  std::int64_t soonest_column() const;
  std::int64_t activate_time(const Burst& burst) const;
  void issue(const Choice& choice, std::vector<Completion>& completions);

  Parameters parameters_;
  Timings t_;
  std::vector<Bank> banks_;
  std::vector<Burst> queue_;       // in order of arrival
  std::deque<Burst> waiting_;      // not yet seen by the scheduler
  std::int64_t clock_ = 0;         // commands up to here are decided
  std::int64_t row_bus_ = 0, column_bus_ = 0;
  std::int64_t last_read_ = -never, last_write_ = -never, last_act_ = -never;
  unsigned last_read_group_ = 0, last_write_group_ = 0, last_act_group_ = 0;
  std::int64_t act_window_[4] = {-never, -never, -never, -never};
  unsigned act_next_ = 0;
  std::int64_t next_refresh_ = 0;
  ControllerStatistics statistics_;
};

}  // namespace forerun::ip::hbm
