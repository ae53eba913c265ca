// SPDX-License-Identifier: Apache-2.0
/// Lets gdb debug the program on the control CPU: gdb's remote serial protocol over TCP.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "ip/cpu/debug.hpp"
#include "platform/sim/gdb_packet.hpp"

namespace forerun::sim {

/// One debugger at a time, on 127.0.0.1 only: `target remote :PORT` in gdb-multiarch.
///
/// Everything happens in the simulation's thread. While the CPU is stopped, simulated time stands still and
/// the simulation waits for the debugger. While it runs, the server looks for an interrupt (Ctrl-C) and for a
/// new debugger some hundred times a second of the host's time; a debugger that connects stops the CPU. A
/// debugger that detaches or whose connection is lost takes its breakpoints and watchpoints with it, and the
/// simulation goes on; another may connect.
///
/// Offers: registers (integer, floating-point, CSRs that the CPU has, privilege) with their target
/// description, memory as the CPU's present mode sees it, breakpoints (Z0 and Z1 are the same: memory is not
/// changed), watchpoints for writes, reads and accesses (gdb shows the place one instruction further on: it
/// steps there itself), step, continue, detach, kill, and `monitor` commands. One thread: the hart. Unknown
/// packets get the empty answer, malformed ones E01, wrong check sums a '-'.
class GdbServer {
 public:
  /// Listens from now on. `port` 0 takes any that is free. Throws std::runtime_error if the port is in use.
  explicit GdbServer(ip::DebugTarget& target, std::uint16_t port = 0);
  ~GdbServer();
  GdbServer(const GdbServer&) = delete;
  GdbServer& operator=(const GdbServer&) = delete;

  std::uint16_t port() const;

  /// Waits for a debugger, without limit, and stops the CPU at its next instruction. Before the simulation
  /// starts: the first.
  void wait_for_debugger();
  bool connected() const;
  /// Tells a connected debugger that the program has ended, and closes the connection.
  void report_exit(int code);

  /// Called when the debugger kills the program, in the simulation's thread; should end the simulation.
  std::function<void()> on_kill;
  /// `monitor NAME`: called while the CPU is stopped; what it returns is shown. `monitor help` lists the
  /// names.
  std::map<std::string, std::function<std::string()>> monitor;

 private:
  struct Network;
  struct Command;
  static const Command commands[];

  void stopped(const ip::StopReason& reason);
  void look();
  bool accept_waiting();
  void drop();
  bool fill(bool wait);
  void write(std::string_view bytes);
  void send(std::string_view text);
  void handle(const std::string& text);
  std::string answer(std::string_view text);
  std::string stop_reply() const;
  std::string description() const;

  std::string go_on(std::string_view text, bool step);
  std::string all_registers(std::string_view);
  std::string write_all_registers(std::string_view text);
  std::string read_register(std::string_view text);
  std::string write_register(std::string_view text);
  std::string read_memory(std::string_view text);
  std::string write_memory(std::string_view text);
  std::string write_binary(std::string_view text);
  std::string insert(std::string_view text);
  std::string remove(std::string_view text);
  std::string resume_actions(std::string_view text);
  std::string features(std::string_view text);
  std::string supported(std::string_view text);
  std::string run_monitor(std::string_view text);
  std::string detach(std::string_view);
  std::string kill(std::string_view);
  std::string no_acknowledge(std::string_view);

  bool write_numbered(std::uint64_t number, std::uint64_t value);

  ip::DebugTarget& target_;
  std::unique_ptr<Network> network_;
  gdb::Reader reader_;
  std::string last_sent_;
  std::set<std::pair<std::uint64_t, unsigned>> breakpoints_;  // address, type 0 or 1
  std::set<std::tuple<std::uint64_t, std::uint64_t, ip::WatchKind>> watchpoints_;
  ip::StopReason reason_;
  std::chrono::steady_clock::time_point next_look_{};
  bool acknowledge_ = true;
  bool names_breakpoints_ = false;  // the debugger wants to be told that a stop is a breakpoint
  bool reply_due_ = false;          // it waits for the next stop
  bool go_ = false;                 // the CPU is to go on after this packet
};

}  // namespace forerun::sim
