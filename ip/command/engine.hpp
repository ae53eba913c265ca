// SPDX-License-Identifier: Apache-2.0
/// What the engines of a cluster have in common: a bounded in-order queue, semaphores, and accounting of
/// their time.
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
#include "ip/command/turns.hpp"

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

/// Base of the load, store, tensor and vector engines. A derived engine implements `start`, and calls
/// `finish` or `fail` once when the command has ended. Commands start and end in order. One at a time, unless
/// a derived engine `accepts` the next while earlier ones are under way; the busy time of a command then
/// begins when the one before has ended.
class Engine : public sc_core::sc_module {
 public:
  Engine(const sc_core::sc_module_name& name, unsigned queue_depth);

  CounterGroup counters;
  Counter commands{counters, "commands", "command", "commands executed"};
  Counter busy_time{counters, "busy_time", "ps", "time in which a command was executed"};
  Counter semaphore_time{counters, "semaphore_time", "ps",
                         "time in which the next command waited for a semaphore"};

  /// Set once by the cluster: shared semaphores, its turns, what to call when a command ends or fails.
  void connect(Semaphores& semaphores, Turns& turns, std::function<void()> on_progress,
               std::function<void(const Command&, LocalFault)> on_fault);

  /// Called when a command begins and has ended; may be empty.
  std::function<void(const Command&)> on_begin;
  std::function<void()> on_end;

  bool has_room() const { return count_ < queue_.size(); }
  bool idle() const { return count_ == 0; }
  void push(const Command& command);
  /// Drops everything. What a derived engine has under way must end without effect: it overrides `abandon`.
  void reset();
  /// Busy picoseconds by the tag of the command.
  const std::vector<std::uint64_t>& time_by_tag() const { return time_by_tag_; }
  /// "waits for semaphore 3 (holds 0, wants 1), command at byte 128, tag 2", or empty when not blocked.
  virtual std::string describe_block() const;
  virtual bool blocked() const { return count_ > 0 && started_ == 0; }

 protected:
  virtual void start(const Command& command) = 0;
  virtual void abandon() = 0;
  /// Adds the turns of the derived engine.
  virtual void add_turns(Turns& turns) = 0;
  /// False while an abandoned command still has transactions under way.
  virtual bool ready() const { return true; }
  /// Whether `next` may start before those under way have ended.
  virtual bool accepts(const Command& /*next*/) const { return false; }
  /// The oldest command under way.
  const Command& current() const { return queue_[head_]; }
  void finish();
  void fail(LocalFault fault);
  /// Of the cluster, for commands that wait in their middle.
  Semaphores& semaphores() const { return *semaphores_; }
  /// Looks again whether the next command can start.
  void wake() { start_.now(); }

 private:
  void try_start();
  void leave();

  std::vector<Command> queue_;
  std::vector<std::int64_t> started_at_;  // ps, by place in the queue
  std::size_t head_ = 0, count_ = 0,
              started_ = 0;  // of those in the queue, the first `started_` are under way
  std::int64_t last_end_ = 0, blocked_since_ = -1;
  std::vector<std::uint64_t> time_by_tag_;
  Semaphores* semaphores_ = nullptr;
  Turns::Turn start_;
  std::function<void()> on_progress_;
  std::function<void(const Command&, LocalFault)> on_fault_;
};

}  // namespace forerun::ip
