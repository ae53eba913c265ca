// SPDX-License-Identifier: Apache-2.0
/// A chip that runs the firmware in the simulator's process, and the host at its mailbox.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "firmware/abi/message.h"
#include "firmware/abi/program.h"
#include "firmware/apps/apps.h"
#include "models/compiler/stream.hpp"
#include "platform/chip/address_map.hpp"
#include "platform/sim/host_cpu.hpp"
#include "platform/soc/parameters.hpp"
#include "platform/soc/soc.hpp"

namespace forerun {

inline chip::Chip small_chip() {
  chip::Chip c;
  c.name = "small";
  c.clusters.count = 2;
  c.clusters.scratchpad.size = {64 << 10};
  c.clusters.tensor.rows = c.clusters.tensor.columns = 8;
  c.sram.size = {1 << 20};
  c.hbm.channels = 4;
  c.hbm.ports = 4;
  c.hbm.rows = 1024;
  return c;
}

/// A program of two clusters that adds 1 to each token: the id after 41 is 42; first it may multiply them.
struct TestProgram {
  static constexpr std::uint64_t at = chip::address_map::hbm + 0x10000, parameters = at + 0x8000,
                                 token_ids = at + 0x9000, next_ids = at + 0xa000, requests = at + 0xb000,
                                 page_table = at + 0xb800, end = at + 0xc000;
  fr_program_header header{};
  std::vector<fr_program_stream> streams;
  std::vector<fr_program_tag> tags{fr_program_tag{"increment"}};
  std::vector<models::StreamBuilder> commands;

  /// @param offset from the addresses above to its own
  explicit TestProgram(std::uint64_t offset = 0, float factor = 1);
  /// Puts it into memory. `damage` may change the bytes after the checksum is made.
  void load(soc::Soc& soc, const std::function<void(std::vector<std::uint8_t>&)>& damage = {});
};

/// The chip, with its own CPU or without, and the host's end: serial port, mailbox, exit code.
class Board : public sc_core::sc_module {
 public:
  Board(const sc_core::sc_module_name& name, const chip::Chip& chip, bool with_cpu);

  soc::Soc soc;
  std::string log;  ///< of the serial port
  std::optional<int> exit_code;

  void send(const ip::Message& message);
  /// Runs until the next message from firmware is there; a test failure, and zeros, when none comes.
  ip::Message receive();
  /// Asks for a run of these tokens and takes its messages up to DONE or FAILED; the steps go to `steps`.
  ip::Message run(const std::vector<std::uint32_t>& prompt, std::uint64_t generate, std::uint64_t flags = 0,
                  std::uint64_t timeout = 0, std::uint64_t temperature = 0, std::uint64_t seed = 0);
  std::vector<ip::Message> steps, drafts;
  /// The same with a draft whose addresses lie so far behind.
  ip::Message run_with_draft(const std::vector<std::uint32_t>& prompt, std::uint64_t generate,
                             std::uint64_t offset, std::uint64_t tokens, std::uint64_t flags = 0);
  void write_requests(const std::vector<fr_sequence_request>& requests);
  /// The same for sequences in the table of requests.
  ip::Message request(const std::vector<fr_sequence_request>& requests, std::uint64_t layers = 0);

  std::vector<std::uint32_t> read_ids(std::uint64_t address, std::size_t count);
  std::vector<std::int64_t> read_parameters();

 private:
  ip::Message take_steps();
};

/// With firmware in the simulator's process.
class Bench : public Board {
 public:
  using Program = std::function<int(std::uint64_t)>;
  explicit Bench(const sc_core::sc_module_name& name, Program program = forerun_llm_main,
                 const chip::Chip& chip = small_chip());

  sim::HostCpu cpu;
};

/// With its own CPU, the boot ROM and an application: "llm.elf", "hello.elf" or the path of another.
class Computer : public Board {
 public:
  Computer(const sc_core::sc_module_name& name, const std::string& application,
           const chip::Chip& chip = small_chip());
};

/// The path of a file that the build of the firmware makes.
std::string firmware_file(const std::string& name);

/// Time for anything that firmware does here.
constexpr double patience_seconds = 0.1;

}  // namespace forerun
