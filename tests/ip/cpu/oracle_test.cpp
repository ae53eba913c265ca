// SPDX-License-Identifier: Apache-2.0
/// The same programs on our CPU and under QEMU, which we did not write: what they print must be equal, byte
/// for byte.
#include <gmock/gmock.h>

#include <cstdio>
#include <sstream>

#include "machine.hpp"

using namespace forerun::ip::test;

namespace {

/// What a program prints under qemu-system-riscv64, with only the extensions that our CPU has.
std::string run_qemu(const std::string& program) {
  const std::string command =
      std::string("timeout 120 ") + QEMU +
      " -M virt -cpu rv64,v=off,h=off,zba=off,zbb=off,zbc=off,zbs=off -m 128 -bios none -display none"
      " -monitor none -serial stdio -kernel " +
      program + " </dev/null 2>&1";
  std::string output;
  auto* const pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return "cannot start qemu";
  char buffer[4096];
  for (std::size_t n; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) output.append(buffer, n);
  EXPECT_EQ(pclose(pipe), 0) << output;
  return output;
}

class Oracle : public testing::TestWithParam<const char*> {};

TEST_P(Oracle, PrintsTheSame) {
  if (std::string(QEMU).empty()) GTEST_SKIP() << "qemu-system-riscv64 is not installed";
  const auto program = std::string(CPU_PROGRAMS) + "/" + GetParam() + ".elf";
  const auto expected = run_qemu(program);
  ASSERT_THAT(expected, testing::Not(testing::IsEmpty()));

  Machine machine("machine");
  machine.load(program);
  machine.run();
  ASSERT_TRUE(machine.finished);
  EXPECT_EQ(machine.exit_code, 0u) << "cause " << machine.cpu.x(11) << ", pc " << machine.cpu.x(12);
  std::istringstream ours(machine.output), theirs(expected);
  std::string our_line, their_line;
  for (int number = 0; std::getline(theirs, their_line); ++number) {
    ASSERT_TRUE(std::getline(ours, our_line)) << "our output ends at line " << number;
    ASSERT_EQ(our_line, their_line) << "line " << number;
  }
  EXPECT_EQ(machine.output, expected);
  RecordProperty("bytes", static_cast<int>(expected.size()));
  RecordProperty("instructions", std::to_string(machine.finish_instructions));
}

INSTANTIATE_TEST_SUITE_P(Cpu, Oracle,
                         testing::Values("workload", "random", "random_2", "random_3", "privileged"),
                         [](const auto& instance) { return std::string(instance.param); });

}  // namespace
