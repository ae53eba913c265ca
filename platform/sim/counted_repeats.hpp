// SPDX-License-Identifier: Apache-2.0
/// Leaves equal tiles and sequences of a step out (stream_repeats.hpp), and counts them instead.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "models/compiler/program.hpp"
#include "platform/sim/statistics.hpp"
#include "platform/sim/stream_repeats.hpp"
#include "platform/soc/soc.hpp"

namespace forerun::sim {

/// Clusters go through a row or loop side by side, and wait for one another behind it. So it takes longer, with
/// what was left out, by as much as the slowest cluster ends later; a unit takes as long in a cluster as those
/// did that were measured. What is counted on the chip grows as it did in a unit of the first cluster.
class CountedRepeats {
 public:
  /// `sequences`: see find_repeats. Both must outlive this; before the simulation starts.
  CountedRepeats(soc::Soc& soc, const models::Program& program, unsigned sequences);
  /// A command begins in a cluster.
  void begin(std::size_t cluster, std::uint64_t offset);

  bool any() const { return !places_.empty(); }
  /// What was left out so far adds to everything counted.
  const Snapshot& added() const { return added_; }
  /// Of the picoseconds added: by how much they may be wrong, as the halves of what was measured differ.
  double uncertain_ps() const { return uncertain_ps_; }
  /// After a run, for the next.
  void forget();

 private:
  struct Pass {  ///< of a cluster through a row or loop
    StreamRepeat repeat;
    std::array<std::int64_t, 4> times{};
    unsigned visits = 0;  ///< of the command of a loop
    bool over = false;
  };
  struct Place {  ///< the same row or loop in all clusters that have it
    std::map<std::size_t, Pass> passes;
    std::size_t over = 0;
    Snapshot before, after;
  };
  void reach(Place& place, std::size_t cluster, Pass& pass, std::size_t moment);
  void add(Place& place);

  soc::Soc& soc_;
  std::size_t tags_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Place> places_;  ///< by tag and number
  std::vector<std::map<std::uint64_t, std::vector<Place*>>> watched_;  ///< by cluster and offset
  Snapshot added_;
  double uncertain_ps_ = 0;
};

}  // namespace forerun::sim
