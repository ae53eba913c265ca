// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace forerun::ip::hbm {

/// Numbers by the cycle at which they are due, those of the same cycle by a rank. Cycles of memory requests
/// lie close together, so each has a place in a circle, and only the few of one cycle are sorted.
class DueWheel {
 public:
  bool empty() const { return size_ == 0; }
  /// The first cycle at which one is due, if there is any.
  std::int64_t first() const { return first_; }
  /// Each number once at a time.
  void push(std::int64_t cycle, std::uint64_t rank, std::uint32_t number) {
    const auto first = size_ == 0 ? cycle : std::min(first_, cycle);
    const auto last = size_ == 0 ? cycle : std::max(last_, cycle);
    while (last - first > mask_) grow();
    first_ = first, last_ = last;
    if (number >= items_.size()) items_.resize(std::bit_ceil(std::size_t{number} + 1));
    auto* link = &lists_[place(cycle)];
    while (*link != none && items_[*link].rank < rank) link = &items_[*link].next;
    items_[number] = {rank, *link};
    *link = number;
    ++size_;
  }
  /// Takes out the first.
  std::uint32_t pop() {
    auto& head = lists_[place(first_)];
    const auto number = head;
    head = items_[number].next;
    if (--size_ > 0)
      while (lists_[place(first_)] == none) ++first_;
    return number;
  }

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  struct Item {
    std::uint64_t rank;
    std::uint32_t next;  ///< of its cycle
  };
  std::size_t place(std::int64_t cycle) const { return static_cast<std::size_t>(cycle & mask_); }
  void grow() {
    std::vector<std::uint32_t> larger(lists_.size() * 2, none);
    const auto mask = mask_ * 2 + 1;
    if (size_ > 0)
      for (auto cycle = first_; cycle <= last_; ++cycle)
        larger[static_cast<std::size_t>(cycle & mask)] = lists_[place(cycle)];
    lists_ = std::move(larger);
    mask_ = mask;
  }

  std::vector<std::uint32_t> lists_ = std::vector<std::uint32_t>(64, none);  // the first of each cycle
  std::vector<Item> items_;                                                  // by number
  std::int64_t mask_ = 63, first_ = 0, last_ = 0;
  std::size_t size_ = 0;
};

}  // namespace forerun::ip::hbm
