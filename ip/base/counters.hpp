// SPDX-License-Identifier: Apache-2.0
/// Statistics that a block publishes: each with a name, a unit and a sentence.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace forerun::ip {

class CounterGroup;

/// A 64-bit count. Declared as a member of its block, it registers itself in the block's group.
class Counter {
 public:
  Counter(CounterGroup& group, std::string name, std::string unit, std::string description);
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  void operator+=(std::uint64_t amount) { value_ += amount; }
  void operator++() { ++value_; }
  std::uint64_t value() const { return value_; }
  void clear() { value_ = 0; }
  const std::string& name() const { return name_; }
  const std::string& unit() const { return unit_; }
  const std::string& description() const { return description_; }

 private:
  std::string name_, unit_, description_;
  std::uint64_t value_ = 0;
};

/// The counters of one block, in the order of their declaration.
class CounterGroup {
 public:
  CounterGroup() = default;
  CounterGroup(const CounterGroup&) = delete;
  CounterGroup& operator=(const CounterGroup&) = delete;
  const std::vector<Counter*>& all() const { return counters_; }
  void clear() {
    for (auto* counter : counters_) counter->clear();
  }

 private:
  friend class Counter;
  std::vector<Counter*> counters_;
};

inline Counter::Counter(CounterGroup& group, std::string name, std::string unit, std::string description)
    : name_(std::move(name)), unit_(std::move(unit)), description_(std::move(description)) {
  group.counters_.push_back(this);
}

}  // namespace forerun::ip
