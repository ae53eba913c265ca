// SPDX-License-Identifier: Apache-2.0
/// Counts layers instead of simulating them: a step goes through as many as it takes until their times
/// repeat, and what happened in one of them on average, but for the first two, is added for each of the
/// others.
#pragma once

#include <cstdint>
#include <vector>

#include "platform/sim/statistics.hpp"

namespace forerun::sim {

/// Layers that take the same time are simulated a few times and counted for the others. For time only.
struct LayerRepetition {
  unsigned period = 1;       ///< layers after which the same kind comes again
  double tolerance = 0.005;  ///< of the run's time, how much may be expected to be wrong
};

class RepeatedLayers {
 public:
  RepeatedLayers(const LayerRepetition& repetition, std::uint64_t layers_of_model);

  /// To be simulated in each step.
  std::uint64_t layers() const { return layers_; }
  /// A layer begins. Everything counted until now, without what is added here.
  void mark(Snapshot snapshot) { marks_.push_back(std::move(snapshot)); }
  /// A step has ended, `picoseconds` long; returns the picoseconds by which it is longer with the layers left
  /// out.
  std::int64_t end_step(std::int64_t picoseconds);
  /// What the layers left out so far add to everything counted.
  const Snapshot& added() const { return added_; }
  /// By how much of its time the run may be wrong: twice the standard error of a layer's time.
  double error() const { return total_ps_ > 0 ? uncertain_ps_ / total_ps_ : 0; }
  /// After a run: true if the layers did not repeat well enough, and there are more of them. Then it is to be
  /// done again, with more layers.
  bool try_more();

 private:
  void simulate(std::uint64_t layers);

  LayerRepetition repetition_;
  std::uint64_t of_model_, layers_ = 0;
  std::vector<Snapshot> marks_;
  Snapshot added_;
  double uncertain_ps_ = 0, total_ps_ = 0;
};

}  // namespace forerun::sim
