// SPDX-License-Identifier: Apache-2.0
// The whole chip with its CPU: a program in the boot ROM meets the devices of the control tile.
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "tests/platform/soc/bench.hpp"

namespace forerun::soc {
namespace {

std::vector<std::uint8_t> boot_program() {
  std::ifstream file(BOOT_PROGRAM, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << BOOT_PROGRAM;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A chip with the program in its ROM; a character comes to its UART while it sleeps.
struct Machine {
  Soc soc;
  std::string printed;
  int exit_code = -1;
  sc_core::sc_time ended;

  explicit Machine(const char* name, const chip::Chip& chip) : soc(name, chip) {
    soc.load_boot_rom(boot_program());
    soc.uart.on_transmit = [this](unsigned char c) { printed += static_cast<char>(c); };
    soc.on_exit = [this](int code) {
      exit_code = code;
      ended = soc.cpu->local_time();
    };
    sc_core::sc_spawn(
        [this] {
          sc_core::wait(20, sc_core::SC_US);
          soc.uart.receive('E');
        },
        sc_core::sc_gen_unique_name("line"));
  }
};

TEST(SocBoot, RunsFromTheBootRomThroughAResetToItsExitCode) {
  auto chip = small_chip(1);
  Machine approximate("approximate", chip);
  chip.timing = chip::Timing::loose;
  Machine loose("loose", chip);
  sc_core::sc_start(1, sc_core::SC_MS);
  for (auto* m : {&approximate, &loose}) {
    EXPECT_EQ(m->printed, "boot SEDTagain") << m->soc.name();
    EXPECT_EQ(m->exit_code, 7) << m->soc.name();
    EXPECT_GT(m->soc.cpu->instructions.value(), 10u) << m->soc.name();
    EXPECT_TRUE(m->soc.cpu->sleeping());
  }
}

TEST(SocBoot, TimeDoesNotDependOnTheQuantum) {
  auto chip = small_chip(1);
  chip.quantum = {1000};
  Machine fine("fine", chip);
  chip.quantum = {100'000'000};
  Machine coarse("coarse", chip);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(fine.exit_code, 7);
  EXPECT_EQ(coarse.exit_code, 7);
  EXPECT_EQ(fine.ended, coarse.ended);
  EXPECT_EQ(fine.soc.cpu->instructions.value(), coarse.soc.cpu->instructions.value());
}

}  // namespace
}  // namespace forerun::soc
