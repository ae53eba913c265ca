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
    ++buckets_[bucket(value)];
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
    for (unsigned i = 0; i < buckets_.size(); ++i)
      if ((seen += buckets_[i]) > wanted || (seen == count_ && seen > 0)) return std::min(upper(i), most_);
    return 0;
  }
  void merge(const Latency& other) {
    count_ += other.count_;
    sum_ += other.sum_;
    least_ = std::min(least_, other.least_);
    most_ = std::max(most_, other.most_);
    for (unsigned i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  }

 private:
  static constexpr unsigned steps = 64, log_steps = 6;
  static unsigned bucket(std::uint64_t value) {
    if (value < steps) return static_cast<unsigned>(value);
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - log_steps - 1;
    return std::min((shift + 1) * steps + static_cast<unsigned>((value >> shift) - steps),
                    count_of_buckets - 1);
  }
  /// The largest value of a bucket.
  static std::uint64_t upper(unsigned index) {
    if (index < steps) return index;
    const auto shift = index / steps - 1;
    return ((std::uint64_t{index % steps} + steps + 1) << shift) - 1;
  }
  static constexpr unsigned count_of_buckets = 48 * steps;
  std::uint64_t count_ = 0, sum_ = 0, least_ = ~std::uint64_t{0}, most_ = 0;
  std::array<std::uint64_t, count_of_buckets> buckets_{};
};

}  // namespace forerun::ip
