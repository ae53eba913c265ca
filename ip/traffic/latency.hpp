// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace forerun::ip {

/// Latencies in picoseconds: count, sum, extremes, and a histogram with 64 steps to each power of two, so
/// that a quantile is at most 1.6 % too high.
class Latency {
 public:
  void add(std::int64_t picoseconds) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(picoseconds, 0));
    ++count_;
    sum_ += value;
    least_ = std::min(least_, value);
    most_ = std::max(most_, value);
    auto& step = steps_[step_of(value)];
    ++step.count;
    step.sum += value;
  }
  std::uint64_t count() const { return count_; }
  std::uint64_t sum() const { return sum_; }
  std::uint64_t least() const { return count_ > 0 ? least_ : 0; }
  std::uint64_t most() const { return most_; }
  double mean() const { return count_ > 0 ? static_cast<double>(sum_) / static_cast<double>(count_) : 0; }
  /// The value that a share of all, 0 .. 1, does not exceed.
  std::uint64_t quantile(double share) const {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (const auto& step : steps_)
      if ((seen += step.count) > wanted || (seen == count_ && seen > 0))
        return step.sum / std::max<std::uint64_t>(step.count, 1);
    return 0;
  }
  void merge(const Latency& other) {
    count_ += other.count_;
    sum_ += other.sum_;
    least_ = std::min(least_, other.least_);
    most_ = std::max(most_, other.most_);
    for (unsigned i = 0; i < steps_.size(); ++i) {
      steps_[i].count += other.steps_[i].count;
      steps_[i].sum += other.steps_[i].sum;
    }
  }

 private:
  static constexpr unsigned steps = 64, log_steps = 6, count_of_steps = 48 * steps;
  struct Step {
    std::uint64_t count = 0, sum = 0;
  };
  static unsigned step_of(std::uint64_t value) {
    if (value < steps) return static_cast<unsigned>(value);
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - log_steps - 1;
    return std::min((shift + 1) * steps + static_cast<unsigned>((value >> shift) - steps),
                    count_of_steps - 1);
  }
  std::uint64_t count_ = 0, sum_ = 0, least_ = ~std::uint64_t{0}, most_ = 0;
  std::array<Step, count_of_steps> steps_{};
};

}  // namespace forerun::ip
