// SPDX-License-Identifier: Apache-2.0
/// What the engines of a cluster have in common: a bounded in-order queue, semaphores, and accounting of their time.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <systemc>
#include <vector>

#include "firmware/abi/command.h"
#include "firmware/abi/registers.h"
#include "ip/base/counters.hpp"
#include "ip/base/local_fault.hpp"
#include "ip/base/time.hpp"
#include "ip/command/semaphores.hpp"

namespace forerun::ip {

/// A command with its patches applied, and where it stood in the stream.
struct Command {
  alignas(8) unsigned char bytes[FR_COMMAND_MAX_WORDS * 8];
  std::uint64_t offset;

  template <typename T>
  T as() const {
    T value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
  }
  fr_command_header header() const { return as<fr_command_header>(); }
};

/// Base of the load, store, tensor and vector engines. A derived engine implements `start`, and calls `finish` or
/// `fail` once when the command has ended.
class Engine : public sc_core::sc_module {
 public:
  Engine(const sc_core::sc_module_name& name, unsigned queue_depth);

  CounterGroup counters;
  Counter commands{counters, "commands", "command", "commands executed"};
  Counter busy_time{counters, "busy_time", "ps", "time in which a command was executed"};
  Counter semaphore_time{counters, "semaphore_time", "ps", "time in which the next command waited for a semaphore"};

  /// Set once by the cluster: shared semaphores, what to call when a command ends or fails.
  void connect(Semaphores& semaphores, std::function<void()> on_progress,
               std::function<void(const Command&, LocalFault)> on_fault);

  /// Called when a command begins; may be empty.
  std::function<void(const fr_command_header&)> on_begin;

  bool has_room() const { return count_ < queue_.size(); }
  bool idle() const { return count_ == 0 && !running_; }
  void push(const Command& command);
  /// Drops everything. What a derived engine has under way must end without effect: it overrides `abandon`.
  void reset();
  /// Busy picoseconds by the tag of the command.
  const std::vector<std::uint64_t>& time_by_tag() const { return time_by_tag_; }
  /// "waits for semaphore 3 (holds 0, wants 1), command at byte 128, tag 2", or empty when not blocked.
  std::string describe_block() const;
  bool blocked() const { return count_ > 0 && !running_; }

 protected:
  virtual void start(const Command& command) = 0;
  virtual void abandon() = 0;
  /// False while an abandoned command still has transactions under way.
  virtual bool ready() const { return true; }
  const Command& current() const { return queue_[head_]; }
  void finish();
  void fail(LocalFault fault);
  /// Looks again whether the next command can start.
  void wake() { wake_.notify(sc_core::SC_ZERO_TIME); }

 private:
  void try_start();
  void leave();

  std::vector<Command> queue_;
  std::size_t head_ = 0, count_ = 0;
  bool running_ = false;
  std::int64_t started_ = 0, blocked_since_ = -1;
  std::vector<std::uint64_t> time_by_tag_;
  Semaphores* semaphores_ = nullptr;
  sc_core::sc_event wake_;
  std::function<void()> on_progress_;
  std::function<void(const Command&, LocalFault)> on_fault_;
};

}  // namespace forerun::ip
