// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/repeated_layers.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace forerun::sim {

RepeatedLayers::RepeatedLayers(const LayerRepetition& repetition, std::uint64_t layers_of_model)
    : repetition_(repetition), of_model_(layers_of_model) {
  simulate(4 * repetition_.period + 1);
}

/// The number that leaves out whole periods, and is this or a little more; all where that leaves nothing out.
void RepeatedLayers::simulate(std::uint64_t layers) {
  while (layers < of_model_ && (of_model_ - layers) % repetition_.period != 0) ++layers;
  layers_ = std::min(layers, of_model_);
  marks_.clear();
  added_ = {};
  uncertain_ps_ = total_ps_ = 0;
}

std::int64_t RepeatedLayers::end_step(std::int64_t picoseconds) {
  const auto before = added_.picoseconds;
  if (layers_ < of_model_) {
    // The first two periods are a start; of the others the mean is taken, and twice its standard error.
    std::vector<double> periods;
    const std::size_t first = 2 * repetition_.period;
    auto last = first;
    for (; last + repetition_.period < marks_.size(); last += repetition_.period)
      periods.push_back(
          static_cast<double>(marks_[last + repetition_.period].picoseconds - marks_[last].picoseconds));
    const auto count = static_cast<double>(periods.size());
    const double mean = std::accumulate(periods.begin(), periods.end(), 0.0) / count;
    double squares = 0;
    for (const double p : periods) squares += (p - mean) * (p - mean);
    const auto times = static_cast<double>((of_model_ - layers_) / repetition_.period);
    uncertain_ps_ += 2 * std::sqrt(squares / (count - 1) / count) * times;
    if (added_.values.empty()) {
      added_.values.resize(marks_[last].values.size());
      added_.links.resize(marks_[last].links.size());
      added_.tags.resize(marks_[last].tags.size());
    }
    add_difference(added_, marks_[first], marks_[last], times / count);
  }
  const auto more = added_.picoseconds - before;
  total_ps_ += static_cast<double>(picoseconds + more);
  marks_.clear();
  return more;
}

bool RepeatedLayers::try_more() {
  if (layers_ == of_model_ || error() <= repetition_.tolerance) return false;
  simulate(2 * layers_);
  return true;
}

}  // namespace forerun::sim
