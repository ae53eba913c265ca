// SPDX-License-Identifier: Apache-2.0
/// The command processor's model beside another implementation of it, on what that one has read.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "ip/command/command_stream.hpp"

namespace forerun::ip {

/// Carries out the same stream and says where the other one differs: in what it hands to engines (engine,
/// place in the stream, each field, patches applied) and in which order, in what READ reads and when (after
/// the semaphores), in waiting for engines at SYNC and END, in the end, and in errors. Bytes of the stream,
/// parameters and what READ reads are those that the other one's bus has read last; it may read more than it
/// needs. Time is not compared.
class LockstepCommands {
 public:
  struct Difference {
    std::string command;  ///< "LOAD at byte 288 of the stream"
    unsigned tag = 0;     ///< of that command
    std::string what;
  };
  using Result = std::optional<Difference>;

  void start(std::uint64_t stream, std::uint64_t bytes, std::uint64_t parameters);
  /// The other one's bus has read words of 8 bytes; `data` is at an address that is a multiple of 8.
  void read(std::uint64_t address, const unsigned char* data, std::uint64_t bytes, bool good);
  /// It hands a command to an engine, or asks for the semaphores of a READ (engine 0), when engines have
  /// `ended` so many commands.
  Result sent(unsigned engine, const Command& command, std::uint64_t ended);
  /// The READ that it has asked for may go on.
  void granted();
  Result ended(std::uint64_t ended);
  Result failed(std::uint64_t offset, LocalFault fault);

  std::uint64_t compared() const { return compared_; }  ///< commands handed over

 private:
  enum class State : unsigned char {
    words,    ///< of the stream are needed, from `missing_` on
    data,     ///< of parameters or READ
    command,  ///< `command_` is to be handed to its engine
    grant,    ///< of `command_`, a READ that has been asked for
    end,
    fault
  };
  struct Word {
    std::uint64_t value = 0;
    bool good = true;
  };
  void advance();
  bool load(std::uint64_t from, std::uint64_t bytes, unsigned char* to);
  bool take_data();
  void expect_data(std::uint64_t address, unsigned first, unsigned count);
  bool look_at_command();
  void fail(LocalFault fault);
  std::string wanted() const;
  Difference differ(const Command& command, std::string what) const;
  Result compare(unsigned engine, const Command& command) const;

  CommandStream stream_;
  std::uint64_t base_ = 0, bytes_ = 0;
  State state_ = State::end;
  std::unordered_map<std::uint64_t, Word> words_;    ///< of the stream, by address
  std::deque<std::pair<std::uint64_t, Word>> data_;  ///< read elsewhere, by address, oldest first
  std::uint64_t missing_ = 0, data_from_ = 0;
  unsigned data_first_ = 0, data_count_ = 0;
  Command command_{};
  LocalFault fault_;
  std::uint64_t sent_ = 0, drained_ = 0;  ///< handed to engines; those that must have ended by now
  std::uint64_t compared_ = 0;
};

}  // namespace forerun::ip
