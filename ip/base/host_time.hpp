// SPDX-License-Identifier: Apache-2.0
/// How long this process works on something.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace forerun::ip {

/// CPU time of this thread: what other programs do meanwhile does not count. It takes a system call, about 1
/// us, and what comes after it is slower for a while.
inline double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// A clock that costs some 20 ns to read and disturbs nothing.
inline std::uint64_t host_ticks() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

/// Seconds of a tick, from how far both clocks have come since the first call.
inline double seconds_of_tick() {
  struct Moment {
    std::chrono::steady_clock::time_point time = std::chrono::steady_clock::now();
    std::uint64_t ticks = host_ticks();
  };
  static const Moment first;
  const Moment now;
  const auto ticks = now.ticks - first.ticks;
  return ticks == 0
             ? 1e-9
             : std::chrono::duration<double>(now.time - first.time).count() / static_cast<double>(ticks);
}

/// CPU time of something short that happens very often, estimated from one in some, which are chosen so that
/// nothing that comes again is seen always or never. What takes far longer than usual was interrupted by
/// others, and counts as usual.
class SampledTime {
 public:
  explicit SampledTime(unsigned one_in = 16) : one_in_(one_in), left_(2 * one_in) { seconds_of_tick(); }

  /// True if this one is measured: then call end() when it is over.
  bool begin() {
    if (--left_ > 0) return false;
    random_ = random_ * 1664525u + 1013904223u;
    left_ = 1 + (random_ >> 16) % (2 * one_in_ - 1);
    began_ = host_ticks();
    return true;
  }
  void end() {
    const auto cost = cost_of_a_look();
    auto took = host_ticks() - began_;
    took = took > cost ? took - cost : 0;
    const auto usual = samples_ > 0 ? sum_ / samples_ : 0;
    if (samples_ >= 16 && took > 20 * usual + 10'000) took = usual;
    ++samples_;
    sum_ += took;
  }
  double seconds() const { return static_cast<double>(sum_) * one_in_ * seconds_of_tick(); }

 private:
  static std::uint64_t cost_of_a_look() {
    static const std::uint64_t least = [] {
      std::uint64_t found = 1'000'000;
      for (int i = 0; i < 1000; ++i) {
        const auto began = host_ticks();
        found = std::min(found, host_ticks() - began);
      }
      return found;
    }();
    return least;
  }
  unsigned one_in_, left_, random_ = 1;
  std::uint64_t began_ = 0, sum_ = 0, samples_ = 0;
};

}  // namespace forerun::ip
