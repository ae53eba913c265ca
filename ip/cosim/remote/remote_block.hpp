// SPDX-License-Identifier: Apache-2.0
/// A block of RTL in a simulator of its own, as a part of a simulation in another process: the block's side.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ip/cosim/axi_checker.hpp"
#include "ip/cosim/axi_manager.hpp"
#include "ip/cosim/axi_subordinate.hpp"
#include "ip/cosim/remote/message.hpp"

namespace forerun::ip::cosim {

struct RemoteBlockParameters {
  AxiShape subordinate{};              ///< of the port by which the block is reached
  std::optional<AxiShape> manager{};   ///< of the port by which it reaches others
  AxiManagerParameters requests{};     ///< the bus model on the block's subordinate port
  AxiSubordinateParameters answers{};  ///< the one on its manager port
  double connect_timeout = 30;         ///< seconds to find the chip
};

/// Plain C++, called once a cycle by whoever runs the RTL: a C++ program around a Verilated model, or any
/// simulator by DPI-C. In between, the RTL stands still while the chip does not let it go on. Protocol
/// checkers watch both ports.
class RemoteBlock {
 public:
  /// Throws std::invalid_argument for shapes that cannot be.
  RemoteBlock(std::string address, const RemoteBlockParameters& parameters);
  ~RemoteBlock();

  /// Once a cycle, before its rising edge, with what the block has put on its pins: sets the others for the
  /// next cycle. Joins the chip in the first cycle out of reset. False when the chip has ended or is lost.
  /// @param idle nothing in the block changes unless an input does: then the chip need not run its clock
  bool cycle(AxiPins& subordinate, AxiPins& manager, bool interrupt, bool idle);
  /// Why it ended.
  const std::string& message() const { return message_; }
  const AxiChecker& subordinate_checker() const { return subordinate_checker_; }
  const AxiChecker& manager_checker() const { return manager_checker_; }

 private:
  void join();
  void next_run();
  void drive(AxiPins& subordinate, AxiPins& manager);
  /// Puts what the checkers have found since the last time into the next message.
  void note_broken_rules();

  std::string address_;
  RemoteBlockParameters parameters_;
  AxiManager requester_;
  AxiSubordinate server_;
  AxiChecker subordinate_checker_, manager_checker_;
  std::optional<Channel> channel_;
  remote::Run run_;
  remote::Ran ran_;
  std::size_t noted_ = 0;                                               ///< of the rules that checkers keep
  std::uint64_t broken_rules_ = 0;                                      ///< of all
  std::map<std::uint32_t, std::unique_ptr<remote::Request>> requests_;  ///< of the chip, under way
  std::map<std::uint32_t, AxiBurst*> bursts_;                           ///< of the block, under way
  std::uint32_t next_handle_ = 0;
  std::uint64_t cycle_ = 0;
  bool interrupt_ = false, ended_ = false;
  std::string message_;
};

}  // namespace forerun::ip::cosim
