// SPDX-License-Identifier: Apache-2.0
/// What does the work of a command processor in its place, for instance RTL.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <cstdint>
#include <functional>

#include "ip/command/engine.hpp"

namespace forerun::ip {

/// The cluster around it.
struct CommandHost {
  std::function<bool(unsigned engine)> has_room;
  std::function<void(unsigned engine, const Command& command)> push;
  std::function<void()> on_end;
  std::function<void(std::uint64_t offset, LocalFault fault)> on_fault;
};

class CommandFront {
 public:
  CommandFront() = default;
  CommandFront(const CommandFront&) = delete;
  CommandFront& operator=(const CommandFront&) = delete;
  virtual ~CommandFront() = default;

  virtual void connect(CommandHost host) = 0;
  virtual void start(std::uint64_t stream, std::uint64_t bytes, std::uint64_t parameters) = 0;
  /// Nothing it does from now on has an effect, until the next start.
  virtual void stop() = 0;
  /// An engine has ended a command.
  virtual void progress() = 0;
  /// Of the last command that it has handed over.
  virtual std::uint64_t offset() const = 0;
  /// Binds what fetches; to be called once.
  virtual void bind(tlm::tlm_base_target_socket_b<>& fetches) = 0;
};

}  // namespace forerun::ip
