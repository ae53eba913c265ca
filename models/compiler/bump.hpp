// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>

#include "models/compiler/split.hpp"

namespace forerun::models {

/// Hands out addresses upwards.
class Bump {
 public:
  Bump(std::uint64_t base, std::uint64_t alignment) : at_(base), alignment_(alignment) {}
  std::uint64_t take(std::uint64_t bytes) {
    const auto address = at_;
    at_ = round_up(at_ + bytes, alignment_);
    high_ = std::max(high_, at_);
    return address;
  }
  std::uint64_t mark() const { return at_; }
  void release(std::uint64_t mark) { at_ = mark; }
  std::uint64_t high() const { return high_; }

 private:
  std::uint64_t at_, alignment_, high_ = 0;
};

}  // namespace forerun::models
