// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

namespace forerun::ip::cosim {

/// A queue that allocates only while it grows.
template <typename Value>
class Ring {
 public:
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  Value& front() { return slots_[first_]; }
  const Value& front() const { return slots_[first_]; }
  /// The value that is `i` places behind the front.
  Value& operator[](std::size_t i) { return slots_[(first_ + i) & (slots_.size() - 1)]; }
  void push(const Value& value) {
    if (size_ == slots_.size()) grow();
    slots_[(first_ + size_++) & (slots_.size() - 1)] = value;
  }
  Value pop() {
    Value value = slots_[first_];
    first_ = (first_ + 1) & (slots_.size() - 1);
    --size_;
    return value;
  }
  void clear() { first_ = size_ = 0; }

 private:
  void grow() {
    std::vector<Value> larger(slots_.empty() ? 8 : 2 * slots_.size());
    for (std::size_t i = 0; i < size_; ++i) larger[i] = (*this)[i];
    slots_.swap(larger);
    first_ = 0;
  }
  std::vector<Value> slots_;
  std::size_t first_ = 0, size_ = 0;
};

}  // namespace forerun::ip::cosim
