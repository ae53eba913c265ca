// SPDX-License-Identifier: Apache-2.0
/// What a simulation and a block of RTL in another process say to each other. All numbers are little-endian;
/// a message is its length in 32 bits and then a byte that tells its kind:
///
///     block:  hello   "FRLINK", version, data bytes, ID bits, address bits and AXI4-Lite of the port on
///     which it is a
///                     subordinate, and of that on which it is a manager (0 data bytes: none)
///     chip:   welcome picoseconds of a cycle;   or   bye
///     chip:   run     number of the first cycle, cycles to run at most, bursts for the subordinate's port,
///     answers to bursts block:  ran     cycles run, idle, interrupt, answers of the subordinate's port,
///     bursts of the manager's port, rules of AXI that were broken at its pins   either: bye     why
///
/// The block runs until the cycles are over or there is an answer, a burst or another level of the interrupt
/// to tell: so no side is ever ahead of what the other may still do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ip/cosim/axi_burst.hpp"
#include "ip/cosim/remote/channel.hpp"

namespace forerun::ip::cosim::remote {

inline constexpr std::uint32_t version = 2;

/// A burst on its way: its fields, the data of a write.
struct Request {
  std::uint32_t handle = 0;                 ///< by which the answer names it
  AxiBurst burst;                           ///< data, enables and owner are of whoever holds this
  std::vector<std::uint8_t> data, enables;  ///< enables: of each byte, or empty
};

/// The end of a burst: the data of a read.
struct Answer {
  std::uint32_t handle = 0;
  Response response = Response::okay;
  std::vector<std::uint8_t> data;
};

struct Hello {
  AxiShape subordinate{}, manager{};
  bool has_manager = false;
};
struct Run {
  std::uint64_t first_cycle = 0, cycles = 1;
  std::vector<Request> requests;
  std::vector<Answer> answers;
};
struct Ran {
  std::uint64_t cycles = 0;
  bool idle = false, interrupt = false;
  std::vector<Answer> answers;
  std::vector<Request> requests;
  std::uint32_t broken_rules = 0;   ///< since the last message
  std::vector<std::string> broken;  ///< what the checkers say of the first ones
};

MessageBytes encode(const Hello& hello);
MessageBytes encode_welcome(std::uint64_t period_ps);
MessageBytes encode_bye(const std::string& reason);
MessageBytes encode(const Run& run);
MessageBytes encode(const Ran& ran);

/// These throw ChannelError for anything else; for a bye with its reason.
Hello decode_hello(const MessageBytes& message);
std::uint64_t decode_welcome(const MessageBytes& message);
Run decode_run(const MessageBytes& message);
Ran decode_ran(const MessageBytes& message);

/// A request for a burst: copies what it needs of it.
Request request_for(std::uint32_t handle, const AxiBurst& burst);

}  // namespace forerun::ip::cosim::remote
