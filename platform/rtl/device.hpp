// SPDX-License-Identifier: Apache-2.0
/// Somebody's RTL with AXI pins in the chip: its own clock and reset, bridges and checkers on its interfaces.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <systemc>
#include <utility>
#include <vector>

#include "ip/base/host_time.hpp"
#include "ip/base/level.hpp"
#include "ip/cosim/axi_checker.hpp"
#include "ip/cosim/axi_to_tlm.hpp"
#include "ip/cosim/stream_checker.hpp"
#include "ip/cosim/stream_to_tlm.hpp"
#include "ip/cosim/tlm_to_axi.hpp"
#include "ip/cosim/tlm_to_stream.hpp"
#include "platform/rtl/mapped_block.hpp"
#include "platform/rtl/signals.hpp"

namespace forerun::rtl {

/// Where a module is put.
struct RtlPlace {
  std::string label;           ///< name in messages and of the wave file
  Frequency frequency{1e9};    ///< of the clock unless the pin map has one
  std::uint64_t boundary = 0;  ///< bytes; what managers send does not cross a multiple; 0: it may
  WaveOptions waves{};
  unsigned stream_packets = 4;  ///< of a transmitter, taken and not ended; then TREADY is low
  /// From addresses at the socket of a subordinate to those at its pins; empty: the same.
  std::function<std::uint64_t(std::uint64_t)> translate{};
};

/// Somebody's RTL as the chip sees it, in this process or in another.
class Device : public sc_core::sc_module {
 public:
  struct Target {
    const MappedInterface* face;
    std::unique_ptr<ip::cosim::TargetBridge> bridge;
  };
  struct Initiator {
    const MappedInterface* face;
    std::unique_ptr<ip::cosim::InitiatorBridge> bridge;
  };
  std::vector<Target> targets;
  std::vector<Initiator> initiators;
  ip::LevelOut interrupt{"interrupt"};
  /// Called once, with what happened, when a block in another process is lost, and when one does not answer
  /// debug access.
  std::function<void(const std::string& why)> on_loss;

  const std::string& file() const { return file_; }
  const std::string& label() const { return label_; }
  virtual std::string describe() const { return file_; }
  virtual Frequency frequency() const = 0;
  virtual std::uint64_t cycles() const = 0;
  virtual double host_seconds() const = 0;  ///< CPU time of this process in the module
  /// The same with bridges and protocol checkers: all that there is on account of the module.
  virtual double hook_seconds() const = 0;
  /// Time for which the simulation waited for a block in another process.
  virtual double waited_seconds() const { return 0; }
  virtual std::uint64_t broken_rules() const = 0;
  /// Messages, a line each, at most `most`.
  virtual std::vector<std::string> first_broken_rules(std::size_t most) const = 0;
  virtual void reset() = 0;
  virtual const PinMap& map() const = 0;
  /// MappedBlock::roll_waves; throws std::runtime_error for a block in another process.
  virtual void roll_waves(const std::string& stem) = 0;
  /// MappedBlock::replay_waves; throws as the former.
  virtual void replay_waves(const std::string& stem) { roll_waves(stem); }
  virtual std::string rolled_waves() = 0;
  // Pins of PinMap::signals; a block in another process has none.
  virtual bool has_signal(const std::string&) const { return false; }
  /// An input has this value from a time on, not before the present one; times of one signal do not go back.
  virtual void drive_signal(const std::string& name, const SignalValue& value, std::int64_t from_ps);
  /// An input has what the function returns, in each clock cycle that is evaluated, asked with the time at
  /// which it began. `always_on`: it changes by itself, so the clock may not stand.
  virtual void provide_signal(const std::string& name, bool always_on,
                              std::function<SignalValue(std::int64_t ps)> function);
  /// Called at each change of an output; it is 0 at first, and while the block is in reset.
  virtual void watch_signal(const std::string& name, std::function<void(const SignalValue&)> function);
  /// Called in each clock cycle in which instructions retire, with these, when all watchers of signals have
  /// been called; for a CPU whose pin map has `rvfi`.
  virtual void watch_retired(
      std::function<void(std::uint64_t cycle, const std::vector<ip::riscv::Retired>&)> function);
  /// Of an output, as last told.
  virtual const SignalValue& signal_value(const std::string& name) const;
  virtual unsigned signal_bits(const std::string& name) const;

  std::uint64_t transactions() const;
  /// The AXI4 or AXI4-Lite subordinate; throws std::runtime_error, naming the file, if there is not exactly
  /// one.
  Target& subordinate();

 protected:
  Device(const sc_core::sc_module_name& name, std::string file, std::string label)
      : sc_module(name), file_(std::move(file)), label_(std::move(label)) {}
  [[noreturn]] void no_signal(const std::string& name) const;
  std::string file_, label_;
};

/// A block in this process if the file is a model, in another one if it is YAML (RemoteDevice).
std::unique_ptr<Device> make_device(const std::string& name, const std::string& file, const RtlPlace& place);

/// Subordinates and receivers of the module become target sockets, managers and transmitters initiator
/// sockets. Broken rules of AXI are counted and the first ones kept.
///
/// Debug access to an AXI subordinate goes over its pins while the simulated clock stands: the module sees
/// clock cycles that are outside of time, its reset among them if the simulation has not started. It is
/// refused while transactions are under way.
class RtlDevice : public Device {
 public:
  RtlDevice(const sc_core::sc_module_name& name, const std::string& file, const RtlPlace& place);

  Frequency frequency() const override { return frequency_; }
  std::uint64_t cycles() const override { return block_.cycles; }
  double hook_seconds() const override { return clock_.host_seconds(); }
  double host_seconds() const override { return settle_time_.seconds() + edge_time_.seconds(); }
  std::uint64_t broken_rules() const override;
  std::vector<std::string> first_broken_rules(std::size_t most) const override;
  /// The module's reset, for as many cycles as its pin map says.
  void reset() override { clock_.reset(block_.map().reset_cycles); }
  const PinMap& map() const override { return block_.map(); }
  void roll_waves(const std::string& stem) override { block_.roll_waves(stem); }
  void replay_waves(const std::string& stem) override { block_.replay_waves(stem); }
  std::string rolled_waves() override { return block_.rolled_waves(); }
  MappedBlock& block() { return block_; }
  bool has_signal(const std::string& name) const override { return map().signals.contains(name); }
  void drive_signal(const std::string& name, const SignalValue& value, std::int64_t from_ps) override;
  void provide_signal(const std::string& name, bool always_on,
                      std::function<SignalValue(std::int64_t ps)> function) override;
  void watch_signal(const std::string& name, std::function<void(const SignalValue&)> function) override;
  void watch_retired(
      std::function<void(std::uint64_t cycle, const std::vector<ip::riscv::Retired>&)> function) override;
  const SignalValue& signal_value(const std::string& name) const override { return wire(name).told; }
  unsigned signal_bits(const std::string& name) const override { return wire(name).pin->bits; }
  ip::cosim::PinClock& clock() { return clock_; }

 private:
  /// Evaluates the module, and measures how long that takes now and then.
  struct Timed : ip::cosim::RtlBlock {
    Timed(RtlDevice& owner) : device(owner) {}
    void settle() override;
    void edge() override;
    /// A new level of the interrupt is seen in one more cycle.
    bool idle() const override {
      return device.block_.idle() && device.interrupt_pin() == device.interrupt.level() &&
             device.signals_idle();
    }
    RtlDevice& device;
  };
  /// A pin of PinMap::signals.
  struct Wire {
    SignalPin* pin;
    struct Due {
      std::int64_t from_ps;
      SignalValue value;
    };
    std::deque<Due> due{};
    std::function<SignalValue(std::int64_t)> provide{};
    std::vector<std::function<void(const SignalValue&)>> watchers{};
    SignalValue told{};
    bool changed = false;
  };
  void add(MappedInterface& face);
  std::string broken() const;
  void tell_broken();
  const Wire& wire(const std::string& name) const;
  Wire& wire(const std::string& name) { return const_cast<Wire&>(std::as_const(*this).wire(name)); }
  void drive_signals();
  void tell_signals();
  bool signals_idle() const;
  bool interrupt_pin() const { return block_.interrupt() && !block_.reset; }
  unsigned debug(MappedInterface& face, const ip::cosim::TargetBridge& bridge,
                 tlm::tlm_generic_payload& payload);

  std::uint64_t boundary_;
  unsigned stream_packets_;
  std::function<std::uint64_t(std::uint64_t)> translate_;
  MappedBlock block_;
  Timed timed_{*this};
  Frequency frequency_;
  ip::cosim::PinClock clock_;
  std::vector<std::unique_ptr<ip::cosim::AxiChecker>> axi_checkers_;
  std::vector<std::unique_ptr<ip::cosim::StreamChecker>> stream_checkers_;
  std::map<std::string, Wire> wires_;
  std::vector<ip::riscv::Retired> retired_;  ///< in the present cycle
  bool always_on_ = false;
  ip::SampledTime settle_time_, edge_time_;  ///< in the module
  bool told_broken_ = false;
  std::uint64_t debug_cycles_ = 0;
  bool was_reset_ = false;  ///< by debug access
};

}  // namespace forerun::rtl
