// SPDX-License-Identifier: Apache-2.0
// A real gdb debugs a program on the control CPU.
#include <gmock/gmock.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <signal.h>

#include <array>
#include <atomic>
#include <boost/asio.hpp>
#include <cstdio>
#include <fstream>
#include <thread>

#include "ip/bus/bus.hpp"
#include "ip/cpu/cpu.hpp"
#include "ip/memory/memory.hpp"
#include "ip/sysctl/sysctl.hpp"
#include "platform/sim/elf.hpp"
#include "platform/sim/gdb_server.hpp"

using namespace forerun;
using testing::HasSubstr;

namespace {

constexpr std::uint64_t ram = 0x8000'0000;

ip::CpuParameters cpu_parameters() {
  ip::CpuParameters p;
  p.reset_vector = sim::ElfProgram::read(DEBUGGEE).entry();
  return p;
}

/// CPU, memory and system controller, with the program loaded.
struct Machine : sc_core::sc_module {
  ip::Cpu cpu{"cpu", cpu_parameters()};
  ip::Bus bus{"bus", {}};
  ip::Memory memory{"memory", {{1 << 20}, {5000}, false}};
  ip::Sysctl sysctl{"sysctl", {}};
  sim::GdbServer gdb{cpu.debug()};
  int exit_code = -1;

  explicit Machine(const sc_core::sc_module_name& name) : sc_module(name) {
    cpu.bus.bind(bus.socket);
    bus.map(ram, 1 << 20).bind(memory.socket);
    bus.map(0x10'0000, 0x1000).bind(sysctl.socket);
    sysctl.on_exit = [this](int code) {
      exit_code = code;
      sc_core::sc_stop();
    };
    gdb.on_kill = [] { sc_core::sc_stop(); };
  }
  void end_of_elaboration() override {
    sim::ElfProgram::read(DEBUGGEE).load([this](std::uint64_t address, std::span<const std::byte> bytes) {
      return cpu.debug().write_memory(address, bytes) == bytes.size();
    });
  }
};

/// gdb in batch mode with a script, in a thread.
class Gdb {
 public:
  Gdb(std::uint16_t port, const std::string& script)
      : path_(std::string(FORERUN_BINARY_DIR) + "/gdb_test_" + std::to_string(port) + ".gdb") {
    std::ofstream(path_)
        << "set confirm off\nset pagination off\nset width 0\nset remotetimeout 20\nshell echo $PPID >"
        << path_ << ".pid\ntarget remote 127.0.0.1:" << port << "\n"
        << script;
    thread_ = std::thread([this, port,
                           command =
                               "timeout 60 gdb-multiarch -nx -batch -x " + path_ + " " DEBUGGEE " 2>&1"] {
      auto* pipe = popen(command.c_str(), "r");
      std::array<char, 4096> bytes;
      while (pipe != nullptr && fgets(bytes.data(), bytes.size(), pipe) != nullptr) output_ += bytes.data();
      if (pipe != nullptr) pclose(pipe);
      boost::asio::io_context context;  // a gdb that never connected must not leave the simulation waiting
      boost::asio::ip::tcp::socket socket(context);
      boost::system::error_code ignored;
      socket.connect({boost::asio::ip::address_v4::loopback(), port}, ignored);
      done_ = true;
    });
  }
  ~Gdb() {
    if (thread_.joinable()) thread_.join();
    std::remove(path_.c_str());
    std::remove((path_ + ".pid").c_str());
  }
  /// What Ctrl-C does.
  void interrupt() const {
    pid_t pid = 0;
    std::ifstream(path_ + ".pid") >> pid;
    ASSERT_GT(pid, 0);
    ASSERT_EQ(kill(pid, SIGINT), 0);
  }
  const std::string& output() {
    if (thread_.joinable()) thread_.join();
    return output_;
  }
  bool done() const { return done_; }

 private:
  std::string path_, output_;
  std::atomic<bool> done_ = false;
  std::thread thread_;
};

TEST(Gdb, BreaksShowsStepsWatchesChangesAndRunsToTheEnd) {
  Machine machine("machine");
  Gdb gdb(machine.gdb.port(), R"(
printf "start: %d %d\n", $pc == _start, $priv
break square
continue
backtrace
up
printf "sum: %d\n", sum
delete
finish
printf "floating point: %#lx %.3f %d\n", $mstatus & 0x2000, half, $fcsr
hbreak read_letter
continue
delete
set var $fa0.double = 2.5
set var $a0 = 1
printf "registers: %.1f %d\n", $fa0.double, $a0
set var buffer[1] = 'X'
printf "memory: %s\n", (char*)buffer
rwatch buffer[1]
continue
delete
stepi
set var result = 5
watch result
set var $pc = main
continue
delete
awatch buffer[2]
continue
delete
monitor help
monitor time
info threads
set var result = 42
continue
)");
  machine.gdb.monitor["time"] = [] { return sc_core::sc_time_stamp().to_string() + "\n"; };
  machine.gdb.wait_for_debugger();
  sc_core::sc_start(100, sc_core::SC_MS);
  machine.gdb.report_exit(machine.exit_code);
  std::size_t at = 0;  // in this order
  for (const auto* wanted : {"start: 1 3",
                             "Breakpoint 1, square (n=n@entry=1)",
                             "#0  square (n=n@entry=1)",
                             "#1 ",
                             "in sum_of_squares (last=last@entry=3)",
                             "#2 ",
                             "in main ()",
                             "sum: 0",
                             "Value returned is $1 = 14",
                             "floating point: 0x2000 0.250 0",
                             "Breakpoint 2, read_letter (i=i@entry=2)",
                             "registers: 2.5 1",
                             "memory: aXcdefg",
                             "Hardware read watchpoint 3: buffer[1]\n\nValue = 88 'X'",
                             "Hardware watchpoint 4: result\n\nOld value = 5\nNew value = 14",
                             "Hardware access (read/write) watchpoint 5: buffer[2]\n\nValue = 99 'c'",
                             "commands: help, time",
                             " ns\n",
                             "Thread 1",
                             "exited with code 052"}) {
    const auto found = gdb.output().find(wanted, at);
    ASSERT_NE(found, std::string::npos) << wanted << "\n" << gdb.output();
    at = found;
  }
  EXPECT_EQ(machine.exit_code, 42);
}

TEST(Gdb, ControlCStopsARunningProgram) {
  Machine machine("machine");
  Gdb gdb(machine.gdb.port(), "set var forever = 1\ncontinue\n");
  machine.gdb.wait_for_debugger();
  const auto run_until = [&](const auto& condition) {
    while (!condition() && !gdb.done()) sc_core::sc_start(1, sc_core::SC_MS);
  };
  run_until([&] { return machine.cpu.instructions.value() > 1'000'000; });
  gdb.interrupt();
  run_until([] { return false; });
  EXPECT_THAT(gdb.output(), HasSubstr("SIGINT"));
  const auto before = machine.cpu.instructions.value();
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_GT(machine.cpu.instructions.value(), before) << "gdb has left, and the program goes on";
}

}  // namespace
