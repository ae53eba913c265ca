// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/repeated_layers.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace forerun::sim {
namespace {

/// Of a mean of so many: by how much its standard error is larger than the sample's deviation says, since
/// that is known from few only (Student's t for 68.3 %).
double few(std::size_t count) {
  constexpr std::array factors{1.84, 1.32, 1.20, 1.14, 1.11, 1.09, 1.08};  // 2, 3, ... of them
  return count < 2 + factors.size() ? factors[count - 2] : 1 + 0.55 / static_cast<double>(count - 1);
}

}  // namespace

RepeatedLayers::RepeatedLayers(const LayerRepetition& repetition, std::uint64_t layers_of_model)
    : repetition_(repetition), of_model_(layers_of_model) {}

/// Of the periods after the first between so many beginnings of layers.
RepeatedLayers::Mean RepeatedLayers::mean_of(std::size_t boundaries) const {
  const std::size_t period = repetition_.period;
  if (boundaries <= 3 * period) return {};
  std::vector<std::int64_t> times;
  for (std::size_t i = period; i + period < boundaries; i += period)
    times.push_back(marks_[i + period].picoseconds - marks_[i].picoseconds);
  return mean_of(times);
}

RepeatedLayers::Mean RepeatedLayers::mean_of(std::span<const std::int64_t> times) {
  const auto n = static_cast<double>(times.size());
  const auto mean = static_cast<double>(std::accumulate(times.begin(), times.end(), std::int64_t{0})) / n;
  double squares = 0;
  for (const auto time : times) squares += std::pow(static_cast<double>(time) - mean, 2);
  return {times.size(), mean, few(times.size()) * std::sqrt(squares / (n - 1) / n)};
}

/// Well enough for the layers that are left when so many have begun, or as well as it is to be.
bool RepeatedLayers::known(const Mean& mean, std::size_t begun) const {
  if (mean.count < std::max(2u, repetition_.least) || begun >= of_model_) return false;
  const auto left = static_cast<double>(of_model_ - begun);
  return mean.count >= repetition_.most ||
         mean.error * left <= repetition_.tolerance * mean.mean * static_cast<double>(of_model_);
}

bool RepeatedLayers::mark(Snapshot snapshot) {
  marks_.push_back(std::move(snapshot));
  return known(mean_of(marks_.size()), marks_.size());
}

bool RepeatedLayers::nearly_done(std::int64_t picoseconds) {
  if (marks_.empty() || parts_.size() >= marks_.size()) return false;
  parts_.resize(marks_.size());
  parts_.back() = picoseconds - marks_.back().picoseconds;
  if (repetition_.period > 1 || parts_.size() < 3) return false;
  return known(mean_of(std::span(parts_).subspan(1)), marks_.size());
}

void RepeatedLayers::end_step(std::uint64_t left_out) {
  layers_ = std::max(layers_, of_model_ - left_out);
  if (left_out > 0) {
    if (end_) marks_.push_back(std::move(*end_));
    const std::size_t period = repetition_.period;
    const auto known = mean_of(marks_.size());
    const auto times = static_cast<double>(left_out) / static_cast<double>(period);
    uncertain_ps_ += known.error * times;
    const auto& from = marks_[period];
    // The last layer loads ahead for what follows the layers, not for another one: of the counters it is left
    // out.
    const auto& to = marks_[known.count * period];
    if (added_.values.empty()) {
      added_.values.resize(to.values.size());
      added_.links.resize(to.links.size());
      added_.tags.resize(to.tags.size());
    }
    const auto time = added_.picoseconds + std::llround(known.mean * times);
    add_difference(added_, from, to, times / static_cast<double>(known.count - 1));
    added_.picoseconds = time;
  }
  marks_.clear();
  parts_.clear();
  end_.reset();
}

}  // namespace forerun::sim
