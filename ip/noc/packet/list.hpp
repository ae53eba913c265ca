// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

namespace forerun::ip::noc {

/// A list that is filled, gone through and cleared again and again: a vector of plain data whose growth is
/// kept out of the way of what fills it.
template <class T>
class List {
 public:
  [[gnu::always_inline]] void push(const T& value) {
    if (size_ == capacity_) [[unlikely]]
      grow();
    data_[size_++] = value;
  }
  /// Takes out those for which `is` returns true.
  template <class Is>
  void remove_if(Is&& is) {
    const auto end = std::remove_if(data_.get(), data_.get() + size_, is);
    size_ = static_cast<std::uint32_t>(end - data_.get());
  }
  void clear() { size_ = 0; }
  bool empty() const { return size_ == 0; }
  const T* begin() const { return data_.get(); }
  const T* end() const { return data_.get() + size_; }

 private:
  [[gnu::noinline]] void grow() {
    capacity_ = std::max(2 * capacity_, 8u);
    auto more = std::make_unique<T[]>(capacity_);
    std::copy_n(data_.get(), size_, more.get());
    data_ = std::move(more);
  }
  std::unique_ptr<T[]> data_;
  std::uint32_t size_ = 0, capacity_ = 0;
};

}  // namespace forerun::ip::noc
