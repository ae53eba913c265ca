// SPDX-License-Identifier: Apache-2.0
/// Whole programs: results, and the same results at every quantum.
#include <gmock/gmock.h>

#include "machine.hpp"

using namespace forerun;
using namespace forerun::ip::test;

namespace {

constexpr const char* program_folder = CPU_PROGRAMS;

TEST(Program, CalculatesAsQemuDoes) {
  Machine machine("machine");
  machine.load(std::string(program_folder) + "/workload.elf");
  machine.run();
  ASSERT_TRUE(machine.finished);
  EXPECT_EQ(machine.exit_code, 0u);
  EXPECT_EQ(machine.output, "check 0000000000004bc1\n");  // as printed under qemu-system-riscv64
}

/// What a program with interrupts has seen. The expected values were made at one quantum; every other must give the same.
struct Observation {
  std::vector<std::uint64_t> log;
  std::uint64_t instructions, cycles, picoseconds;
};

Observation observe(std::int64_t quantum_ns, bool memory_waits, bool slow_memory) {
  auto parameters = Machine::defaults();
  parameters.quantum = {quantum_ns * 1000};
  Machine machine("machine", parameters);
  machine.slow.waits = memory_waits;
  machine.load(std::string(program_folder) + (slow_memory ? "/interrupts_slow.elf" : "/interrupts.elf"));
  machine.run();
  EXPECT_TRUE(machine.finished);
  EXPECT_EQ(machine.exit_code, 0u);
  Observation seen{{}, machine.finish_instructions, machine.finish_cycles, to_picoseconds(machine.finish_time)};
  for (unsigned i = 0; i < 40 * 6 + 4; ++i) seen.log.push_back(machine.read64(machine.symbol("log") + 8 * i));
  return seen;
}

/// A line for each observation, to be compared between processes (SystemC elaborates once in each).
std::string describe(const Observation& seen) {
  std::string text = fmt::format("{} instructions, {} cycles, {} ps\n", seen.instructions, seen.cycles, seen.picoseconds);
  for (std::size_t i = 0; i < seen.log.size(); ++i) text += fmt::format("{:x}{}", seen.log[i], i % 6 == 5 ? '\n' : ' ');
  return text;
}

}  // namespace
