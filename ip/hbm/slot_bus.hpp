// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "ip/hbm/timing_state.hpp"

namespace forerun::ip::hbm {

/// A command bus whose slots are given away in any order of time, within some thousand ticks.
class SlotBus {
 public:
  /// The first tick from `t` on at which the bus is free for `length` ticks (1 to 32), which are then taken.
  /// What lies before the window counts as taken.
  Tick take(Tick t, Tick length) {
    t = std::max(t, begin_);
    while (true) {
      if (t + length > begin_ + slots) move_to(t - slots / 2);
      const auto taken = next_64(t) & ((std::uint64_t{1} << length) - 1);
      if (taken == 0) break;
      t += 64 - std::countl_zero(taken);
    }
    for (auto at = t; at < t + length; ++at) word(at) |= bit(at);
    return t;
  }

 private:
  static constexpr Tick slots = 8192;
  std::uint64_t& word(Tick t) { return words_[static_cast<std::size_t>(t / 64 % (slots / 64))]; }
  static std::uint64_t bit(Tick t) { return std::uint64_t{1} << (t % 64); }
  std::uint64_t next_64(Tick t) {
    const auto shift = t % 64;
    return shift == 0 ? word(t) : word(t) >> shift | word(t + 64) << (64 - shift);
  }
  void move_to(Tick begin) {
    begin = begin / 64 * 64;
    for (auto at = std::max(begin_, begin - slots); at < begin; at += 64) word(at) = 0;
    begin_ = begin;
  }
  std::array<std::uint64_t, slots / 64> words_{};
  Tick begin_ = 0;  ///< a multiple of 64
};

}  // namespace forerun::ip::hbm
