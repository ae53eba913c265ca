// SPDX-License-Identifier: Apache-2.0
// The boot ROM and the applications on the chip's own CPU.
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/sim/elf.hpp"
#include "tests/firmware/bench.hpp"

using namespace forerun;
using testing::HasSubstr;

namespace {

chip::Chip chip_with(Time quantum) {
  auto chip = small_chip();
  chip.quantum = quantum;
  return chip;
}

TEST(Boot, HelloShowsTheHardwareAndEnds) {
  Computer computer("computer", "hello.elf");
  sc_core::sc_start(10, sc_core::SC_MS);
  EXPECT_EQ(computer.exit_code, 0) << computer.log;
  EXPECT_THAT(computer.log, HasSubstr("Hello from the control CPU!\r\nchip: small\r\n"));
  EXPECT_TRUE(computer.soc.cpu->sleeping());
}

TEST(Boot, LlmGeneratesTokensAndStops) {
  Computer computer("computer", "llm.elf");
  ASSERT_EQ(computer.receive()[0], FR_MESSAGE_READY) << computer.log;
  TestProgram().load(computer.soc);
  EXPECT_EQ(computer.run({10, 20, 30, 40, 50}, 3, 0, 100000)[0], FR_MESSAGE_DONE) << computer.log;
  EXPECT_EQ(computer.read_ids(TestProgram::token_ids, 8),
            (std::vector<std::uint32_t>{10, 20, 30, 40, 50, 51, 52, 53}));
  computer.send({FR_MESSAGE_STOP, 42});
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(computer.exit_code, 42);
}

TEST(Boot, LlmSurvivesBusErrorsClusterErrorsAndTimeOuts) {
  Computer computer("computer", "llm.elf");
  ASSERT_EQ(computer.receive()[0], FR_MESSAGE_READY) << computer.log;
  computer.send({FR_MESSAGE_RUN, 0x5000'0000, 1, 1});
  EXPECT_EQ(computer.receive(), (ip::Message{FR_MESSAGE_FAILED, FR_FAILURE_BUS, 0, 0, 0x5000'0000}));
  TestProgram bad;
  bad.commands[1] = {};
  bad.commands[1].add(0x77);
  bad.load(computer.soc);
  EXPECT_EQ(computer.run({1}, 1), (ip::Message{FR_MESSAGE_FAILED, FR_FAILURE_CLUSTER, 1, FR_ERROR_OPCODE,
                                               0x77, 0, 0, TestProgram::at}));
  TestProgram stuck;
  stuck.commands[1] = {};
  stuck.commands[1].add(FR_OP_TENSOR_NOP, {{{9, 3}}, {}});
  stuck.commands[1].add(FR_OP_END);
  stuck.load(computer.soc);
  EXPECT_EQ(computer.run({1}, 1, 0, 500),
            (ip::Message{FR_MESSAGE_FAILED, FR_FAILURE_TIMEOUT, 1, 0, 0, 0, 0, TestProgram::at}));
  TestProgram().load(computer.soc);
  EXPECT_EQ(computer.run({1}, 2)[0], FR_MESSAGE_DONE) << computer.log;
  EXPECT_EQ(computer.steps.back()[3], 3u);
}

TEST(Boot, AnUnexpectedTrapIsReported) {
  Computer computer("computer", "llm.elf");
  const std::uint16_t illegal = 0;
  const auto place = sim::ElfProgram::read(firmware_file("llm.elf")).symbol("run_program").value();
  computer.soc.write(place, {reinterpret_cast<const std::uint8_t*>(&illegal), sizeof illegal});
  ASSERT_EQ(computer.receive()[0], FR_MESSAGE_READY) << computer.log;
  computer.send({FR_MESSAGE_RUN, TestProgram::at, 1, 1});
  EXPECT_EQ(computer.receive(), (ip::Message{FR_MESSAGE_TRAP, 2, place, 0}));
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(computer.exit_code, 121);
  EXPECT_THAT(computer.log, HasSubstr("trap: illegal instruction, mcause 0x2"));
}

TEST(Boot, AResetStartsWithFreshVariables) {
  Computer computer("computer", RESTART_PROGRAM);
  sc_core::sc_start(10, sc_core::SC_MS);
  EXPECT_EQ(computer.exit_code, 42) << computer.log;
}

/// Instructions retired, and mtime at the end, after a run with such tokens.
struct Measured {
  std::uint64_t instructions, time;
  bool operator==(const Measured&) const = default;
};

/// SystemC elaborates once a process: in a child.
Measured measure(std::uint32_t token, Time quantum) {
  int channel[2];
  Measured measured{};
  EXPECT_EQ(pipe(channel), 0);
  const auto child = fork();
  if (child == 0) {
    Computer computer("computer", "llm.elf", chip_with(quantum));
    computer.receive();
    TestProgram().load(computer.soc);
    computer.run(std::vector<std::uint32_t>(9, token), 12);
    measured = {computer.soc.cpu->instructions.value(),
                computer.steps.empty() ? 0 : computer.steps.back()[5]};
    _exit(write(channel[1], &measured, sizeof measured) == sizeof measured ? 0 : 1);
  }
  EXPECT_EQ(read(channel[0], &measured, sizeof measured), static_cast<ssize_t>(sizeof measured));
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_GT(measured.instructions, 10000u);
  EXPECT_GT(measured.time, 0u);
  return measured;
}

TEST(Boot, TokensDoNotChangeInstructionsOrTimes) {
  const auto one = measure(1, {10'000'000});
  EXPECT_EQ(measure(12345678, {10'000'000}), one);
  EXPECT_EQ(measure(1, {100'000}), one) << "at another quantum";
}

}  // namespace
