// SPDX-License-Identifier: Apache-2.0
/// The clock of blocks of RTL and of the bridges on their pins.
#pragma once

#include <cstdint>
#include <functional>
#include <systemc>
#include <vector>

#include "ip/base/counters.hpp"
#include "ip/base/host_time.hpp"
#include "ip/base/time.hpp"
#include "ip/cosim/pins.hpp"
#include "ip/cosim/rtl_block.hpp"

namespace forerun::ip::cosim {

struct PinClockParameters {
  Time period{1000};          ///< above zero
  unsigned reset_cycles = 2;  ///< at the start
};

/// One method activation a cycle evaluates all that is on this clock, in this order: pin users drive, blocks
/// settle, watchers sample, pin users and blocks see the edge. Cycle n ends with the edge at n periods. While
/// all are idle the clock stands still and costs nothing; cycle numbers and results are the same as without
/// that.
///
/// What happens at the moment of an edge, or before it and after the last, is seen on the pins in the cycle
/// that this edge begins.
class PinClock : public sc_core::sc_module {
 public:
  PinClock(const sc_core::sc_module_name& name, const PinClockParameters& parameters = {});

  /// Before the simulation starts; what is added must live as long as the simulation runs.
  void add(RtlBlock& block) { blocks_.push_back(&block); }
  void add(PinUser& user) { users_.push_back(&user); }
  /// An interface: its reset follows this clock's.
  void add(AxiPins& pins) { resets_.push_back(&pins.reset); }
  void add(StreamPins& pins) { resets_.push_back(&pins.reset); }
  void add_reset(bool& wire) { resets_.push_back(&wire); }
  /// Called once a cycle when the pins have settled: for checkers, recorders, waves.
  void watch(std::function<void(std::uint64_t cycle)> watcher) { watchers_.push_back(std::move(watcher)); }
  void gate(bool allowed) { gate_ = allowed; }  ///< false: the clock never stops

  /// Something has work from now, or from `delay` on.
  void wake(const sc_core::sc_time& delay = sc_core::SC_ZERO_TIME);
  /// The next cycle that is evaluated ends at this time, a multiple of the period: nothing happens in those
  /// before.
  void skip_to(std::int64_t ps) { skip_to_ = ps; }
  /// How many cycles from the one being evaluated on may pass before anything of this simulation can reach
  /// the pins of a block that is alone on this clock: up to and with the first edge after the next event.
  std::uint64_t cycles_alone(std::uint64_t most) const;
  /// Before the simulation starts: who has reset the blocks already says that it need not be done again.
  void skip_reset() { reset_left_ = 0; }
  /// Active for so many cycles, from the next one.
  void reset(unsigned cycles);

  /// CPU time for the cycles that were evaluated, with the kernel's part.
  double host_seconds() const;

  std::int64_t period_ps() const { return period_; }
  std::int64_t now_ps() const { return now_; }  ///< the edge of the cycle being evaluated
  /// What came at or before this moment (in picoseconds) is on the wires in the cycle being evaluated.
  std::int64_t visible_ps() const { return now_ - period_; }

  CounterGroup counters;
  Counter evaluated{counters, "evaluated_cycles", "cycle",
                    "clock cycles that were evaluated; in others everything was idle"};

 private:
  void tick();
  void evaluate();
  bool idle() const;
  std::vector<RtlBlock*> blocks_;
  std::vector<PinUser*> users_;
  std::vector<bool*> resets_;
  std::vector<std::function<void(std::uint64_t)>> watchers_;
  std::int64_t period_, now_ = 0, skip_to_ = 0;
  unsigned reset_left_;
  SampledTime host_time_;
  std::uint64_t ended_ = 0;  // the cycle that was timed, by host_ticks
  bool gate_ = true, running_ = true;
  sc_core::sc_time step_;
  sc_core::sc_event next_;
};

}  // namespace forerun::ip::cosim
