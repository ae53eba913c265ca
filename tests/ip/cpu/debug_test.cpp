// SPDX-License-Identifier: Apache-2.0
/// The CPU as a debugger sees it.
#include <gmock/gmock.h>

#include "machine.hpp"

using namespace forerun;
using namespace forerun::ip::test;
using ip::StopReason;
using ip::WatchKind;
using Kind = ip::StopReason::Kind;

namespace {

const std::string programs = CPU_PROGRAMS;

/// boots.elf with a debugger that follows a script: one function for each stop.
struct Session {
  Machine machine{"machine"};
  ip::DebugTarget& target = machine.cpu.debug();
  std::vector<std::function<void(const StopReason&)>> script;
  std::size_t stops = 0;

  Session() {
    machine.load(programs + "/boots.elf");
    target.on_stop = [this](const StopReason& reason) {
      ASSERT_LT(stops, script.size()) << "an unexpected stop at " << std::hex << target.read_pc();
      const auto now = sc_core::sc_time_stamp();
      EXPECT_EQ(machine.cpu.local_time(), now) << "simulated time has caught up";
      script[stops++](reason);
    };
  }
  std::uint64_t at(const char* name) const { return machine.symbol(name); }
  void run(double us = 50) { sc_core::sc_start(sc_core::sc_time(us, sc_core::SC_US)); }
};

TEST(Debug, StopsBeforeTheFirstInstructionAndSteps) {
  Session s;
  s.target.halt();
  s.script = {
      [&](const StopReason& reason) {
        EXPECT_EQ(reason.kind, Kind::halt_request);
        EXPECT_EQ(s.target.read_pc(), Machine::ram_base);
        EXPECT_EQ(s.target.read_privilege(), 3u);
        EXPECT_EQ(s.machine.cpu.instructions.value(), 0u);
        s.target.step();
      },
      [&](const StopReason& reason) {
        EXPECT_EQ(reason.kind, Kind::step);
        EXPECT_EQ(s.target.read_pc(), Machine::ram_base + 4);  // auipc
        EXPECT_EQ(s.machine.cpu.instructions.value(), 1u);
        s.target.step();
      },
      [&](const StopReason& reason) {
        EXPECT_EQ(reason.kind, Kind::step);
        EXPECT_EQ(s.machine.cpu.instructions.value(), 2u);
        s.target.resume();
      },
  };
  s.run();
  EXPECT_EQ(s.stops, 3u);
  EXPECT_GT(s.machine.cpu.instructions.value(), 1000u);
}

TEST(Debug, BreakpointsStopEachTimeAndLeaveMemoryAlone) {
  Session s;
  const auto place = s.at("counted");
  s.target.insert_breakpoint(place);
  const auto check = [&](std::uint64_t count) {
    return [&s, place, count](const StopReason& reason) {
      EXPECT_EQ(reason.kind, Kind::breakpoint);
      EXPECT_EQ(reason.address, place);
      EXPECT_EQ(s.target.read_pc(), place);
      EXPECT_EQ(s.machine.read64(s.at("count")), count);
      EXPECT_EQ(s.target.read_x(6), count);
    };
  };
  s.script = {check(1), check(2), check(3),
              [&, place](const StopReason&) {
                s.target.step();  // from a breakpoint on
              },
              [&, place](const StopReason& reason) {
                EXPECT_EQ(reason.kind, Kind::step);
                EXPECT_EQ(s.machine.read64(s.at("count")), 4u);
                std::uint16_t instruction = 0;
                EXPECT_EQ(s.target.read_memory(place, std::as_writable_bytes(std::span(&instruction, 1))),
                          2u);
                EXPECT_EQ(instruction & 0xe003, 0xa001) << "c.j";
                EXPECT_TRUE(s.target.remove_breakpoint(place));
                EXPECT_FALSE(s.target.remove_breakpoint(place));
              }};
  s.run();
  EXPECT_EQ(s.stops, 5u);
  EXPECT_GT(s.machine.read64(s.at("count")), 1000u);
}

TEST(Debug, WatchpointsStopAfterTheAccess) {
  Session s;
  const auto count = s.at("count");
  EXPECT_FALSE(s.target.insert_watchpoint(count, 0, WatchKind::write));
  EXPECT_TRUE(s.target.insert_watchpoint(count + 1, 2, WatchKind::write));
  s.script = {[&](const StopReason& reason) {  // start.S clears it
                EXPECT_EQ(reason.kind, Kind::watchpoint);
                EXPECT_EQ(reason.address, count + 1);
                EXPECT_EQ(reason.watch, WatchKind::write);
              },
              [&](const StopReason& reason) {
                EXPECT_EQ(reason.kind, Kind::watchpoint);
                EXPECT_EQ(s.machine.read64(count), 1u) << "the store is done";
                EXPECT_EQ(s.target.read_pc(), s.at("counted"));
                EXPECT_TRUE(s.target.remove_watchpoint(count + 1, 2, WatchKind::write));
                EXPECT_FALSE(s.target.remove_watchpoint(count + 1, 2, WatchKind::write));
                EXPECT_TRUE(s.target.insert_watchpoint(count + 4, 4, WatchKind::read));
              },
              [&](const StopReason& reason) {
                EXPECT_EQ(reason.kind, Kind::watchpoint);
                EXPECT_EQ(reason.watch, WatchKind::read);
                EXPECT_EQ(reason.address, count + 4);
                EXPECT_EQ(s.target.read_x(6), 1u) << "the load is done";
                EXPECT_TRUE(s.target.remove_watchpoint(count + 4, 4, WatchKind::read));
                EXPECT_TRUE(s.target.insert_watchpoint(count, 1, WatchKind::access));
              },
              [&](const StopReason& reason) { EXPECT_EQ(reason.watch, WatchKind::access); },
              [&](const StopReason& reason) {
                EXPECT_EQ(reason.watch, WatchKind::access);
                EXPECT_TRUE(s.target.remove_watchpoint(count, 1, WatchKind::access));
              }};
  s.run();
  EXPECT_EQ(s.stops, 5u);
}

TEST(Debug, StateAndCodeMayBeChanged) {
  Session s;
  s.target.insert_breakpoint(s.at("counted"));
  s.script = {[&](const StopReason&) {
    s.target.write_x(0, 5);
    EXPECT_EQ(s.target.read_x(0), 0u);
    s.target.write_f(3, 0x4000000000000000);
    EXPECT_EQ(s.target.read_f(3), 0x4000000000000000u);
    EXPECT_TRUE(s.target.write_csr(0x340, 99));
    EXPECT_EQ(s.target.read_csr(0x340), 99u);
    EXPECT_EQ(s.target.read_csr(0x7c0), std::nullopt);
    EXPECT_FALSE(s.target.write_csr(0xf14, 1));
    EXPECT_EQ(s.target.read_csr(0x301), 0x800000000014112du);
    s.target.write_privilege(2);
    EXPECT_EQ(s.target.read_privilege(), 3u);
    const std::uint16_t instruction = 0x0001;  // the jump back becomes c.nop, and ecall follows
    const std::uint32_t call = 0x00000073;
    EXPECT_EQ(s.target.write_memory(s.at("counted"), std::as_bytes(std::span(&instruction, 1))), 2u);
    EXPECT_EQ(s.target.write_memory(s.at("counted") + 2, std::as_bytes(std::span(&call, 1))), 4u);
    std::byte buffer[16];
    EXPECT_EQ(s.target.read_memory(0x7000'0000, buffer), 0u);
    EXPECT_EQ(s.target.read_memory(Machine::ram_base + Machine::ram_size - 5, buffer), 5u)
        << "as much as there is";
    s.target.remove_breakpoint(s.at("counted"));
  }};
  s.run();
  EXPECT_TRUE(s.machine.finished);
  EXPECT_EQ(s.machine.exit_code, 99u) << "the trap that start.S did not expect";
  EXPECT_EQ(s.machine.cpu.x(11), 11u);
  EXPECT_EQ(s.machine.read64(s.at("count")), 1u);
}

TEST(Debug, HaltsFromPollAlsoInWfi) {
  Machine machine("machine");
  auto& target = machine.cpu.debug();
  machine.load(programs + "/sleep.elf");
  unsigned polls = 0, stops = 0;
  target.poll = [&] {
    if (++polls == 100) target.halt();
  };
  target.on_stop = [&](const StopReason& reason) {
    EXPECT_EQ(reason.kind, Kind::halt_request);
    ++stops;
    EXPECT_TRUE(machine.cpu.sleeping());
    target.step();
    target.on_stop = [&](const StopReason& next) {
      EXPECT_EQ(next.kind, Kind::step);
      EXPECT_FALSE(machine.cpu.sleeping());
      ++stops;
      target.resume();
    };
  };
  sc_core::sc_start(5, sc_core::SC_MS);
  EXPECT_EQ(stops, 2u);
}

TEST(Debug, MemoryIsVirtual) {
  Session s;
  s.target.insert_breakpoint(s.at("counted"));
  s.script = {[&](const StopReason&) {
    // A gigapage at 0x4000'0000 that shows RAM.
    const auto table = Machine::ram_base + 0x10'0000;
    const std::uint64_t entry = (Machine::ram_base >> 12 << 10) | 0xcf;
    s.machine.write(table + 8, &entry, 8);
    EXPECT_TRUE(s.target.write_csr(0x180, 8ull << 60 | table >> 12));
    s.target.write_privilege(1);
    std::uint64_t seen = 0;
    const auto alias = s.at("count") - Machine::ram_base + 0x4000'0000;
    EXPECT_EQ(s.target.read_memory(alias, std::as_writable_bytes(std::span(&seen, 1))), 8u);
    EXPECT_EQ(seen, 1u);
    EXPECT_EQ(s.target.read_memory(s.at("count"), std::as_writable_bytes(std::span(&seen, 1))), 0u)
        << "not mapped";
    s.target.write_privilege(3);
    EXPECT_EQ(s.target.read_memory(s.at("count"), std::as_writable_bytes(std::span(&seen, 1))), 8u);
    s.target.remove_breakpoint(s.at("counted"));
  }};
  s.run();
  EXPECT_EQ(s.stops, 1u);
}

/// A debugger that only looks changes nothing.
TEST(Debug, LookingDoesNotChangeTheRun) {
  Machine plain("plain"), watched("watched");
  int finished = 0;
  for (auto* machine : {&plain, &watched}) {
    machine->load(programs + "/interrupts.elf");
    machine->finisher.on_write = [machine, &finished](std::uint64_t, std::uint64_t, sc_core::sc_time& delay) {
      machine->finish_instructions = machine->cpu.instructions.value();
      machine->finish_time = sc_core::sc_time_stamp() + delay;
      if (++finished == 2) sc_core::sc_stop();
    };
  }
  auto& target = watched.cpu.debug();
  unsigned stops = 0;
  target.on_stop = [&](const StopReason&) {
    if (++stops % 3 == 0) target.step();
  };
  target.insert_breakpoint(watched.symbol("loop"));
  target.insert_watchpoint(watched.symbol("log") + 480, 8, WatchKind::write);
  plain.run();
  EXPECT_EQ(finished, 2);
  EXPECT_GT(stops, 20u);
  EXPECT_EQ(plain.finish_instructions, watched.finish_instructions);
  EXPECT_EQ(plain.finish_time, watched.finish_time);
}

}  // namespace
