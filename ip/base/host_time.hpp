// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <ctime>

namespace forerun::ip {

/// CPU time of this thread: what other programs do meanwhile does not count.
inline double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// What it takes to look at it twice.
inline double thread_seconds_cost() {
  static const double least = [] {
    double found = 1;
    for (int i = 0; i < 1000; ++i) {
      const double began = thread_seconds();
      found = std::min(found, thread_seconds() - began);
    }
    return found;
  }();
  return least;
}

}  // namespace forerun::ip
