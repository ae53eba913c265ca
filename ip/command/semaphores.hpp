// SPDX-License-Identifier: Apache-2.0
/// The counted semaphores through which the engines of a cluster meet.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "firmware/abi/command.h"

namespace forerun::ip {

class Semaphores {
 public:
  /// Called whenever a count has grown.
  void watch(std::function<void()> function) { watchers_.push_back(std::move(function)); }
  unsigned count(unsigned semaphore) const { return counts_[semaphore]; }
  /// Takes what a header waits for, all or nothing.
  bool try_take(const fr_command_header& header);
  /// Takes from one, if it holds as much.
  bool try_take(unsigned semaphore, unsigned amount) {
    if (counts_[semaphore] < amount) return false;
    counts_[semaphore] -= amount;
    return true;
  }
  /// Gives what a header signals; the number of a semaphore that overflowed, or -1.
  int give(const fr_command_header& header);
  /// Adds to one; false if it is unknown or overflows 16 bits.
  bool give(unsigned semaphore, unsigned amount);
  void clear() { counts_.fill(0); }

 private:
  std::array<std::uint32_t, FR_SEMAPHORES> counts_{};
  std::vector<std::function<void()>> watchers_;
};

inline bool Semaphores::try_take(const fr_command_header& header) {
  std::array<std::uint32_t, 2> wanted{};
  for (int i = 0; i < 2; ++i)
    if (header.wait[i].semaphore != FR_NO_SEMAPHORE) wanted[static_cast<std::size_t>(i)] = header.wait[i].count;
  const bool same = header.wait[0].semaphore == header.wait[1].semaphore;
  for (std::size_t i = 0; i < 2; ++i) {
    const auto semaphore = header.wait[i].semaphore;
    if (semaphore != FR_NO_SEMAPHORE && counts_[semaphore] < (same ? wanted[0] + wanted[1] : wanted[i])) return false;
  }
  for (std::size_t i = 0; i < 2; ++i)
    if (header.wait[i].semaphore != FR_NO_SEMAPHORE) counts_[header.wait[i].semaphore] -= wanted[i];
  return true;
}

inline bool Semaphores::give(unsigned semaphore, unsigned amount) {
  if (semaphore >= FR_SEMAPHORES || counts_[semaphore] + amount > 0xffff) return false;
  counts_[semaphore] += amount;
  for (const auto& watcher : watchers_) watcher();
  return true;
}

inline int Semaphores::give(const fr_command_header& header) {
  for (const auto& signal : header.signal)
    if (signal.semaphore != FR_NO_SEMAPHORE && !give(signal.semaphore, signal.count)) return signal.semaphore;
  return -1;
}

}  // namespace forerun::ip
