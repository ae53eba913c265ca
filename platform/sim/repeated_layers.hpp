// SPDX-License-Identifier: Apache-2.0
/// Counts layers instead of simulating them: a step goes through a few, and what happened in one of them on
/// average, but for the first, is added for each of the others.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "platform/sim/statistics.hpp"

namespace forerun::sim {

/// Layers that take the same time are simulated a few times and counted for the others. For time only.
struct LayerRepetition {
  unsigned period = 1;      ///< layers after which the same kind comes again
  double tolerance = 0.01;  ///< of a step's time, how far it may be expected to be off: the standard error
  unsigned least = 2;       ///< periods after the first that are measured
  unsigned most = 8;        ///< periods after the first; if these are too few the error is larger
};

/// The first period of layers is a start: caches of constants and rings of weights fill. From its end to that
/// of the last layer, time is taken as a whole, so that what is on its way from one layer to the next counts
/// once; the periods in it say how well their mean is known.
class RepeatedLayers {
 public:
  RepeatedLayers(const LayerRepetition& repetition, std::uint64_t layers_of_model);

  /// Simulated in a step, at most so far.
  std::uint64_t layers() const { return layers_; }
  /// A layer begins. Everything counted until now, without what is added here. True when the mean is known
  /// well enough for the layers that are left.
  bool mark(Snapshot snapshot);
  /// The same a little before a layer ends, with the time until now: true when the layer may be the last one
  /// that is simulated, for up to here it and those before took the same time.
  bool nearly_done(std::int64_t picoseconds);
  /// The last layer has ended.
  void end_layers(Snapshot snapshot) { end_ = std::move(snapshot); }
  bool ended() const { return end_.has_value(); }
  /// A step has ended, in which so many layers did not begin: they are counted.
  void end_step(std::uint64_t left_out);
  /// What the layers left out so far add to everything counted.
  const Snapshot& added() const { return added_; }
  /// Of the picoseconds added: their standard error.
  double uncertain_ps() const { return uncertain_ps_; }

 private:
  struct Mean {  ///< of periods, in picoseconds
    std::size_t count = 0;
    double mean = 0, error = 0;
  };
  Mean mean_of(std::size_t boundaries) const;
  static Mean mean_of(std::span<const std::int64_t> times);
  bool known(const Mean& mean, std::size_t begun) const;

  LayerRepetition repetition_;
  std::uint64_t of_model_, layers_ = 0;
  std::vector<Snapshot> marks_;
  std::vector<std::int64_t> parts_;  ///< of layers, until they were nearly done
  std::optional<Snapshot> end_;
  Snapshot added_;
  double uncertain_ps_ = 0;
};

}  // namespace forerun::sim
