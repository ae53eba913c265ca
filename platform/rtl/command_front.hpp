// SPDX-License-Identifier: Apache-2.0
/// RTL as the command processor of a cluster.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <functional>
#include <memory>
#include <string>
#include <systemc>

#include "ip/command/command_front.hpp"
#include "ip/command/lockstep_commands.hpp"
#include "platform/chip/chip.hpp"
#include "platform/rtl/device.hpp"
#include "platform/rtl/difference.hpp"

namespace forerun::rtl {

/// The model's file: `rtl.command`, or made of ip/command/rtl.
std::string command_model(const chip::Chip& chip, Waves waves);

/// A module with an AXI4 manager that fetches, an AXI4-Stream transmitter of commands whose TDEST is the
/// engine, and the signals of docs/rtl/command.md. A packet that has no room in its engine's queue waits, one
/// more behind it, and then TREADY is low.
class RtlCommand : public sc_core::sc_module, public ip::CommandFront {
 public:
  /// Throws std::runtime_error, naming the file, for a module that cannot be one.
  RtlCommand(const sc_core::sc_module_name& name, const std::string& file, RtlPlace place);

  void connect(ip::CommandHost host) override { host_ = std::move(host); }
  void start(std::uint64_t stream, std::uint64_t bytes, std::uint64_t parameters) override;
  void stop() override;
  void progress() override;
  void wake() override { moved_.notify(sc_core::SC_ZERO_TIME); }
  std::uint64_t offset() const override { return offset_; }
  void bind(tlm::tlm_base_target_socket_b<>& fetches) override;

  /// From now on the model carries out the same streams, and each command is compared; only the first
  /// difference is told. Before the simulation starts.
  void compare(std::function<void(const Difference&, unsigned tag)> on_difference);
  std::uint64_t compared() const { return check_ ? check_->compared() : 0; }  ///< commands

  RtlDevice& device() { return device_; }
  const RtlDevice& device() const { return device_; }
  std::uint64_t commands() const { return commands_; }  ///< handed to engines

 private:
  void take(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  void end(bool by_fault);
  std::uint64_t value(const char* signal) const { return device_.signal_value(signal)[0]; }

  void tell(const ip::LockstepCommands::Result& found);

  RtlDevice device_;
  ip::CommandHost host_;
  tlm_utils::simple_target_socket<RtlCommand> commands_in_{"commands"};
  bool running_ = false;
  unsigned run_ = 0;                   ///< number of the start
  unsigned tickets_ = 0, served_ = 0;  ///< of packets: taken, and handed over or dropped
  std::uint64_t ended_ = 0, granted_ = 0, offset_ = 0, commands_ = 0;
  sc_core::sc_event moved_;
  std::unique_ptr<ip::LockstepCommands> check_;
  std::function<void(const Difference&, unsigned tag)> on_difference_;  ///< empty: one has been told
};

}  // namespace forerun::rtl
