// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/repeated_layers.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace forerun::sim {
namespace {

/// Of a mean of so many: by how much its standard error is larger than the sample's deviation says, since that is
/// known from few only (Student's t for 68.3 %).
double few(std::size_t count) {
  constexpr std::array factors{1.84, 1.32, 1.20, 1.14, 1.11, 1.09, 1.08};  // 2, 3, ... of them
  return count < 2 + factors.size() ? factors[count - 2] : 1 + 0.55 / static_cast<double>(count - 1);
}

}  // namespace

RepeatedLayers::RepeatedLayers(const LayerRepetition& repetition, std::uint64_t layers_of_model)
    : repetition_(repetition), of_model_(layers_of_model) {
  const std::uint64_t period = repetition_.period;
  simulate(period == 1 ? 4 : 3 * period);
}

/// The number that leaves out whole periods, and is this or a little more; all where that leaves nothing out.
void RepeatedLayers::simulate(std::uint64_t layers) {
  while (layers < of_model_ && (of_model_ - layers) % repetition_.period != 0) ++layers;
  layers_ = std::min(layers, of_model_);
  marks_.clear();
  end_.reset();
  added_ = {};
  uncertain_ps_ = 0;
}

void RepeatedLayers::end_step() {
  if (layers_ < of_model_) {
    marks_.push_back(std::move(*end_));
    const std::size_t first = repetition_.period, count = (marks_.size() - 1) / repetition_.period - 1,
                      last = first + count * repetition_.period;
    const auto& from = marks_[first];
    const auto& to = marks_[last];
    const double mean =
        static_cast<double>(to.picoseconds - from.picoseconds) / static_cast<double>(count);
    double squares = 0;
    for (auto i = first; i < last; i += repetition_.period) {
      const auto next = i + repetition_.period;
      const auto off = static_cast<double>(marks_[next].picoseconds - marks_[i].picoseconds) - mean;
      squares += off * off;
    }
    const auto n = static_cast<double>(count);
    const auto times = static_cast<double>((of_model_ - layers_) / repetition_.period);
    uncertain_ps_ += few(count) * std::sqrt(squares / (n - 1) / n) * times;
    if (added_.values.empty()) {
      added_.values.resize(to.values.size());
      added_.links.resize(to.links.size());
      added_.tags.resize(to.tags.size());
    }
    // The last layer loads ahead for what follows the layers, not for another one: of the counters it is left out.
    const auto time = added_.picoseconds + std::llround(mean * times);
    add_difference(added_, from, marks_[last - repetition_.period], times / (n - 1));
    added_.picoseconds = time;
  }
  marks_.clear();
  end_.reset();
}

bool RepeatedLayers::try_more(double picoseconds) {
  if (layers_ == of_model_ || uncertain_ps_ <= repetition_.tolerance * picoseconds) return false;
  simulate(2 * layers_);
  return true;
}

}  // namespace forerun::sim
