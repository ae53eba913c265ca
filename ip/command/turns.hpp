// SPDX-License-Identifier: Apache-2.0
/// Lets what happens in a cluster at one time happen in a fixed order.
#pragma once

#include <cstdint>
#include <functional>
#include <systemc>
#include <vector>

namespace forerun::ip {

/// SystemC leaves open in which order processes run at one time, and the kernel's order depends on when their
/// events were notified. Where engines book a shared resource (banks, a port), that would decide who waits.
/// So they act in turns: behind what the rest of the chip does at the beginning of a time, in the order in
/// which they were added.
class Turns : public sc_core::sc_module {
 public:
  static constexpr std::size_t most = 64;

  /// Like an event with one process: an earlier notification replaces a later one.
  class Turn {
   public:
    /// In the next delta cycle.
    void now() {
      if (turns_ == nullptr) return;
      timed_.cancel();
      if (turns_->ready_ == 0) turns_->run_.notify(sc_core::SC_ZERO_TIME);
      turns_->ready_ |= bit_;
    }
    /// After a time longer than zero, and a delta cycle.
    void after(const sc_core::sc_time& delay) {
      if ((turns_->ready_ & bit_) == 0) timed_.notify(delay);
    }
    void cancel() {
      timed_.cancel();
      turns_->ready_ &= ~bit_;
      turns_->now_ &= ~bit_;
    }

   private:
    friend Turns;
    Turns* turns_ = nullptr;
    std::uint64_t bit_ = 0;
    sc_core::sc_event timed_;
  };

  explicit Turns(const sc_core::sc_module_name& name);
  /// `turn` must live as long as this. An exception from `function` goes on with the name of its owner.
  /// Throws std::length_error beyond `most`.
  void add(Turn& turn, const sc_core::sc_object& owner, std::function<void()> function);

 private:
  void run();

  std::vector<std::function<void()>> functions_;
  std::vector<const char*> owners_;
  std::uint64_t ready_ = 0, now_ = 0;  // bits: will act, are yet to act in this delta cycle
  sc_core::sc_event run_;
};

}  // namespace forerun::ip
