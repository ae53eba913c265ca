// SPDX-License-Identifier: Apache-2.0
/// Somebody's RTL with AXI pins in the chip: its own clock and reset, bridges and checkers on its interfaces.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <systemc>
#include <vector>

#include "ip/base/level.hpp"
#include "ip/cosim/axi_checker.hpp"
#include "ip/cosim/axi_to_tlm.hpp"
#include "ip/cosim/stream_checker.hpp"
#include "ip/cosim/stream_to_tlm.hpp"
#include "ip/cosim/tlm_to_axi.hpp"
#include "ip/cosim/tlm_to_stream.hpp"
#include "platform/rtl/mapped_block.hpp"

namespace forerun::rtl {

/// Where a module is put.
struct RtlPlace {
  std::string label;           ///< name in messages and of the wave file
  Frequency frequency{1e9};    ///< of the clock unless the pin map has one
  std::uint64_t boundary = 0;  ///< bytes; what managers send does not cross a multiple; 0: it may
  WaveOptions waves{};
  /// From addresses at the socket of a subordinate to those at its pins; empty: the same.
  std::function<std::uint64_t(std::uint64_t)> translate{};
};

/// Subordinates and receivers of the module become target sockets, managers and transmitters initiator
/// sockets. Broken rules of AXI are counted and the first ones kept.
///
/// Debug access to an AXI subordinate goes over its pins while the simulated clock stands: the module sees
/// clock cycles that are outside of time, and before the simulation starts a reset as well. It is refused
/// while transactions are under way.
class RtlDevice : public sc_core::sc_module {
 public:
  RtlDevice(const sc_core::sc_module_name& name, const std::string& file, const RtlPlace& place);

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

  const std::string& file() const { return file_; }
  const std::string& label() const { return label_; }
  Frequency frequency() const { return frequency_; }
  std::uint64_t cycles() const { return block_.cycles; }
  std::uint64_t transactions() const;
  double host_seconds() const { return host_seconds_; }  ///< in the module, from one cycle in 64
  std::uint64_t broken_rules() const;
  /// Messages, a line each, at most `most`.
  std::vector<std::string> first_broken_rules(std::size_t most) const;
  /// The module's reset, for as many cycles as its pin map says.
  void reset() { clock_.reset(block_.map().reset_cycles); }
  /// The AXI4 or AXI4-Lite subordinate; throws std::runtime_error, naming the file, if there is not exactly
  /// one.
  Target& subordinate();
  /// Whether there is exactly one.
  bool has_subordinate() const;
  MappedBlock& block() { return block_; }
  ip::cosim::PinClock& clock() { return clock_; }

 private:
  /// Evaluates the module, and measures how long that takes now and then.
  struct Timed : ip::cosim::RtlBlock {
    Timed(RtlDevice& owner) : device(owner) {}
    void settle() override;
    void edge() override;
    /// A new level of the interrupt is seen in one more cycle.
    bool idle() const override {
      return device.block_.idle() && device.interrupt_pin() == device.interrupt.level();
    }
    RtlDevice& device;
  };
  void add(MappedInterface& face);
  bool interrupt_pin() const { return block_.interrupt() && !block_.reset; }
  unsigned debug(MappedInterface& face, const ip::cosim::TargetBridge& bridge,
                 tlm::tlm_generic_payload& payload);

  std::string file_, label_;
  std::uint64_t boundary_;
  std::function<std::uint64_t(std::uint64_t)> translate_;
  MappedBlock block_;
  Timed timed_{*this};
  Frequency frequency_;
  ip::cosim::PinClock clock_;
  std::vector<std::unique_ptr<ip::cosim::AxiChecker>> axi_checkers_;
  std::vector<std::unique_ptr<ip::cosim::StreamChecker>> stream_checkers_;
  double host_seconds_ = 0;
};

}  // namespace forerun::rtl
