// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace forerun::ip::hbm {

/// A queue in a circle that grows when it must and never shrinks: no allocation in steady state.
template <typename T>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return items_[(first_ + i) & mask_]; }
  const T& operator[](std::size_t i) const { return items_[(first_ + i) & mask_]; }
  T& front() { return items_[first_]; }
  const T& front() const { return items_[first_]; }
  T& back() { return (*this)[size_ - 1]; }
  void push_back(const T& item) {
    if (size_ > mask_) grow();
    items_[(first_ + size_++) & mask_] = item;
  }
  void pop_front() {
    first_ = (first_ + 1) & mask_;
    --size_;
  }
  void clear() { first_ = size_ = 0; }

 private:
  void grow() {
    std::vector<T> larger(items_.size() * 2);
    for (std::size_t i = 0; i < size_; ++i) larger[i] = std::move((*this)[i]);
    items_ = std::move(larger);
    first_ = 0;
    mask_ = items_.size() - 1;
  }
  std::vector<T> items_ = std::vector<T>(16);
  std::size_t first_ = 0, size_ = 0, mask_ = 15;
};

}  // namespace forerun::ip::hbm
