// SPDX-License-Identifier: Apache-2.0
/// What commands of a stream mean, apart from when they are fetched and carried out: registers, loops,
/// patches, scalar arithmetic, and everything that can be wrong with a command.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "ip/base/local_fault.hpp"
#include "ip/command/engine.hpp"

namespace forerun::ip {

class CommandStream {
 public:
  /// Lines of memory that a READ stays within.
  static constexpr std::uint32_t line_bytes = 256;

  /// At byte 0 of a stream of so many bytes, outside of loops, with registers of 0.
  void begin(std::uint64_t bytes);

  std::array<std::int64_t, FR_REGISTERS> registers{};
  std::uint64_t pc = 0;  ///< byte of the stream
  bool header_fits() const { return pc + sizeof(fr_command_header) <= bytes_; }

  // Each gives what is wrong with the command at `pc`; an error of 0: nothing.
  /// With its header.
  LocalFault check(const fr_command_header& header) const;
  /// Applies its patches.
  LocalFault patch(Command& command) const;
  /// Carries it out, one of the command processor's own, and goes on behind it or where it leads: SYNC, END
  /// and READ do nothing else. READ: to be filled are registers from `rd` on.
  LocalFault execute(const Command& command);
  /// Behind a command.
  void skip(const fr_command_header& header) { pc += header.words * 8u; }

  /// Of the loop whose body begins there; -1: it is not in that loop.
  std::int64_t iteration(std::uint64_t body) const;

  /// For simulations that count what repeats instead of carrying it out; no chip has this. The loop whose
  /// body begins at byte `at` of the stream leaves that iteration out and those behind it, as many as are
  /// whole periods.
  struct Leap {
    std::uint64_t at = 0;
    std::int64_t iteration = 0, period = 1;
  };
  std::vector<Leap> leaps;

 private:
  struct Loop {
    std::uint64_t body;
    std::int64_t count, iteration;
    std::uint32_t counter;
  };
  LocalFault begin_loop(const fr_loop& loop, std::uint64_t after);
  LocalFault end_loop(std::uint64_t after);
  LocalFault scalar(const fr_scalar& command);

  std::array<Loop, FR_LOOP_DEPTH> loops_{};
  unsigned depth_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace forerun::ip
