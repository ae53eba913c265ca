// SPDX-License-Identifier: Apache-2.0
/// Whole programs: results, and the same results at every quantum.
#include <gmock/gmock.h>

#include <sstream>

#include "child.hpp"
#include "machine.hpp"

using namespace forerun;
using namespace forerun::ip::test;

namespace {

const std::string programs = CPU_PROGRAMS;
constexpr unsigned interrupts = 40, words_each = 6;

TEST(Program, CalculatesAsQemuDoes) {
  Machine machine("machine");
  machine.load(programs + "/workload.elf");
  machine.run();
  ASSERT_TRUE(machine.finished);
  EXPECT_EQ(machine.exit_code, 0u);
  EXPECT_EQ(machine.output, "check 0000000000004bc1\n");  // as printed under qemu-system-riscv64
}

enum class Where { ram, slow, slow_and_waiting };

/// Runs interrupts.S and describes all that it has seen: counters at the end, and cause, pc, state and
/// counters at each interrupt.
std::string observe(std::int64_t quantum_ns, Where where) {
  return in_child([=] {
    auto parameters = Machine::defaults();
    parameters.quantum = {quantum_ns * 1000};
    if (where != Where::ram) parameters.reset_vector = Machine::slow_base;
    Machine machine("machine", parameters);
    machine.slow.waits = where == Where::slow_and_waiting;
    machine.load(programs + (where == Where::ram ? "/interrupts.elf" : "/interrupts_slow.elf"));
    machine.run();
    if (!machine.finished || machine.exit_code != 0) return std::string("did not finish");
    auto text = fmt::format("{} instructions, {} cycles, {} ps\n", machine.finish_instructions,
                            machine.finish_cycles, ip::to_picoseconds(machine.finish_time));
    for (unsigned i = 0; i < interrupts * words_each + 4; ++i)
      text += fmt::format("{:x}{}", machine.read64(machine.symbol("log") + 8 * i),
                          i % words_each == words_each - 1 ? '\n' : ' ');
    return text;
  });
}

class EveryQuantum : public testing::TestWithParam<Where> {};

TEST_P(EveryQuantum, GivesTheSameInstructionsTimesAndInterrupts) {
  const auto reference = observe(10'000, GetParam());
  ASSERT_THAT(reference, testing::HasSubstr("instructions"));
  std::istringstream lines(reference);
  std::string first;
  std::getline(lines, first);
  RecordProperty("observed", first);
  for (const std::int64_t quantum : {1, 100, 777, 1'000, 100'000, 10'000'000})
    EXPECT_EQ(observe(quantum, GetParam()), reference) << "quantum of " << quantum << " ns";
}

INSTANTIATE_TEST_SUITE_P(Program, EveryQuantum,
                         testing::Values(Where::ram, Where::slow, Where::slow_and_waiting),
                         [](const auto& instance) {
                           return instance.param == Where::ram    ? "ram"
                                  : instance.param == Where::slow ? "memory_without_dmi"
                                                                  : "memory_that_waits";
                         });

TEST(Program, InterruptsStrikeBeforeTheFirstInstructionAtTheirMoment) {
  std::istringstream text(observe(100'000, Where::ram));
  std::string line;
  std::getline(text, line);
  std::uint64_t compare = 37;
  unsigned timers = 0, externals = 0;
  for (unsigned i = 0; i < interrupts; ++i) {
    std::getline(text, line);
    std::istringstream fields(line);
    std::uint64_t cause, pc, state, cycle, instruction, time;
    fields >> std::hex >> cause >> pc >> state >> cycle >> instruction >> time;
    ASSERT_TRUE(fields) << line;
    if ((cause & 15) == 11) ++externals;
    if ((cause & 15) != 7) continue;
    ++timers;
    // mtime counts at 10 MHz, 100 cycles a tick. Before mcycle is read there are the end of an instruction
    // (at most a division, 20 cycles), the entry (4) and five instructions of the handler; more only if the
    // other handler was running (mret by then).
    EXPECT_GE(cycle, compare * 100) << "timer interrupt " << timers;
    EXPECT_LE(cycle, compare * 100 + 140) << "timer interrupt " << timers;
    compare += 19;
  }
  EXPECT_GT(timers, 15u);
  EXPECT_GT(externals, 10u);
}

}  // namespace
