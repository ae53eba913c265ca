// SPDX-License-Identifier: Apache-2.0
/// Leaves tiles and sequences of a step out (stream_repeats.hpp), and counts them instead.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "models/compiler/program.hpp"
#include "platform/sim/statistics.hpp"
#include "platform/sim/stream_repeats.hpp"
#include "platform/soc/soc.hpp"

namespace forerun::sim {

/// How long a unit takes, in each of some clusters: samples, of two halves each. Clusters that differ no more
/// than the halves do are taken to be equal: each estimate lies between the mean of its cluster and that of
/// all, the nearer to the latter the less of the difference the clusters explain (empirical Bayes).
class UnitTimes {
 public:
  void add(std::size_t cluster, double first_half, double second_half);
  struct Estimate {
    double mean = 0, error = 0;  ///< its standard error
  };
  /// Of a cluster that has a sample.
  Estimate of(std::size_t cluster) const;

 private:
  struct Samples {
    double sum = 0;
    unsigned count = 0;
  };
  std::map<std::size_t, Samples> clusters_;
  double sum_ = 0, squares_ = 0;  ///< of the samples; of the halves' differences
  unsigned count_ = 0;
};

/// Clusters go through what repeats side by side, and wait for one another where they meet. So a step takes
/// longer, with what was left out, by as much as the slowest of them comes later to a meeting. A cluster's
/// own counters grow as they did in the units that were measured; those of network and memory as they did in
/// the meantime, for as many bytes as were not loaded.
///
/// A tile takes as long as loads or products are at work for it, the longer: at first one of them may be
/// ahead of the other. A sequence takes as long as from one to the next, or as its loads take if these never
/// pause.
class CountedRepeats {
 public:
  /// `sequences`: see find_repeats. Both must outlive this; before the simulation starts.
  CountedRepeats(soc::Soc& soc, const models::Program& program, unsigned sequences);
  /// A command begins in a cluster.
  void begin(std::size_t cluster, std::uint64_t offset);
  /// Adds what no meeting has added yet: at the end of a step, or between layers.
  void settle();

  /// All clusters have come to a meeting: the n-th of the stream. May be empty.
  std::function<void(std::size_t number)> on_meeting;

  /// What was left out so far adds to everything counted.
  const Snapshot& added() const { return added_; }
  /// Their standard error in picoseconds, with that of the layers left out: so many `layers` for each one
  /// that was simulated.
  double uncertain_ps(std::size_t steps, double layers) const;

 private:
  /// Counters of one engine, or of a cluster but for that.
  struct Part {
    std::vector<std::size_t> statistics;  ///< in Soc::statistics()
    std::vector<std::pair<const ip::Engine*, std::size_t>>
        engines;  ///< and where their tags are in a snapshot
  };
  using Counts = std::vector<std::uint64_t>;
  struct Work {  ///< of an engine, up to a command's beginning
    std::int64_t time = 0, busy = 0;
    std::uint64_t bytes = 0;  ///< of loads
  };
  struct Pass {  ///< of a cluster through a row or loop
    StreamRepeat repeat;
    Counts load_before, load_after, own_before, own_after;
    std::uint64_t bytes_before = 0, bytes_after = 0;
    std::array<std::int64_t, 4> times{};
    std::array<Work, 3> loads, products;
    std::vector<Work> all_loads;  ///< of a loop
    unsigned visits = 0;          ///< of the command of a loop
  };
  struct Place {  ///< the same row or loop in all clusters that have it
    std::map<std::size_t, Pass> passes;
    UnitTimes times;
    Snapshot before, after;  ///< in the first cluster
    std::size_t over = 0;    ///< passes
    double bytes = 0;        ///< that these have left out
    std::size_t rounds = 0;  ///< of all clusters
    /// Of the rounds, but for the first where there are more. Errors of one place repeat themselves: they add
    /// up.
    double errors_ps = 0;
  };
  struct Meeting {
    std::size_t arrived = 0;
    std::vector<std::int64_t> times;
  };
  struct Cluster {
    Part load, own;
    std::vector<Place*> left_out;  ///< since the last meeting
    std::int64_t last = 0;         ///< when it came to the last unit of that
  };
  void reach(Place& place, std::size_t cluster, std::size_t moment);
  void reach_load(Pass& pass, std::size_t cluster, std::size_t moment) const;
  std::array<double, 2> halves(Pass& pass) const;
  void sort_counters();
  static Work work_of(const ip::Dma& load);
  Counts read(const Part& part) const;
  void add(const Part& part, const Counts& from, const Counts& until, double factor);
  void add_shared(Place& place);
  void leave(Place& place, std::size_t cluster);
  void meet(Meeting& meeting, std::size_t cluster);
  void settle(const std::vector<std::int64_t>& times);

  soc::Soc& soc_;
  std::size_t tags_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Place> places_;  ///< by tag and number
  std::vector<Meeting> meetings_;                                    ///< in the order of the streams
  struct Watched {
    std::vector<Place*> places;
    Meeting* meeting = nullptr;
  };
  std::vector<std::map<std::uint64_t, Watched>> watched_;  ///< by cluster and offset
  std::vector<Cluster> clusters_;
  std::vector<std::size_t> shared_;      ///< statistics of no cluster
  std::vector<std::size_t> bytes_read_;  ///< of these the memories'
  Snapshot added_;
};

}  // namespace forerun::sim
