// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace forerun::ip::hbm {

/// Some of the queue entries of a channel, a bit each, by their places in an AgeOrder.
class AgeSet {
 public:
  bool contains(std::uint32_t place) const { return (words_[place / 64] >> place % 64 & 1) != 0; }
  void insert(std::uint32_t place) { words_[place / 64] |= std::uint64_t{1} << place % 64; }
  void erase(std::uint32_t place) { words_[place / 64] &= ~(std::uint64_t{1} << place % 64); }
  void reset(std::size_t places) { words_.assign(places / 64, 0); }
  std::uint64_t word(std::size_t w) const { return words_[w]; }

 private:
  std::vector<std::uint64_t> words_;
};

/// Gives queue entries places in a circle in the order in which they come, so that the oldest of a set of
/// them is the first bit that is set from the oldest entry on. Leaving entries leave holes: when the circle
/// is `full`, its user gives those that are left new places.
class AgeOrder {
 public:
  explicit AgeOrder(std::size_t places) { reset(places); }
  /// Forgets all; `places` is a power of two, at least 128.
  void reset(std::size_t places) {
    live_.reset(places);
    words_ = places / 64;
    head_ = tail_ = places;
  }
  void clear() { reset(places()); }
  std::size_t places() const { return words_ * 64; }
  bool full() const { return tail_ / 64 - head_ / 64 >= words_; }
  bool empty() const { return head_ == tail_; }
  /// The age that the next entry gets: younger entries have higher ones, none has 0.
  std::uint64_t next_age() const { return tail_; }
  std::uint32_t place(std::uint64_t age) const { return static_cast<std::uint32_t>(age & (words_ * 64 - 1)); }
  std::uint32_t push() {
    const auto at = place(tail_++);
    live_.insert(at);
    return at;
  }
  void erase(std::uint32_t at) {
    live_.erase(at);
    if (at != place(head_)) return;
    while (head_ != tail_) {
      if (const auto rest = live_.word(head_ / 64 & (words_ - 1)) >> head_ % 64; rest != 0) {
        head_ += static_cast<unsigned>(std::countr_zero(rest));
        if (head_ > tail_) head_ = tail_;
        return;
      }
      head_ = head_ / 64 * 64 + 64;
      if (head_ > tail_) head_ = tail_;
    }
  }
  /// The place of the oldest.
  std::uint32_t oldest() const { return place(head_); }
  /// Calls visit(place) for the entries of a set, the oldest first, until it says true. `word(w)` is the w-th
  /// word of the set.
  template <typename Word, typename Visit>
  void find(Word word, Visit visit) const {
    if (head_ == tail_) return;
    for (auto w = head_ / 64, end = (tail_ - 1) / 64; w <= end; ++w) {
      const auto at = w & (words_ - 1);
      for (auto rest = word(at); rest != 0; rest &= rest - 1)
        if (visit(static_cast<std::uint32_t>(at * 64) + static_cast<std::uint32_t>(std::countr_zero(rest))))
          return;
    }
  }
  /// All entries, the oldest first.
  template <typename Visit>
  void for_each(Visit visit) const {
    find([&](std::size_t w) { return live_.word(w); },
         [&](std::uint32_t at) {
           visit(at);
           return false;
         });
  }

 private:
  AgeSet live_;
  std::size_t words_ = 0;
  std::uint64_t head_ = 0, tail_ = 0;  // ages: of the oldest, of the next
};

}  // namespace forerun::ip::hbm
