// SPDX-License-Identifier: Apache-2.0
// forerun boot: anybody's ELF on the control CPU.
#include <fmt/format.h>

#include <optional>

#include "ip/uart/backend.hpp"
#include "platform/cli/gdb.hpp"
#include "platform/cli/options.hpp"
#include "platform/rtl/device.hpp"
#include "platform/sim/simulation.hpp"

namespace forerun::cli {
namespace {

struct BootOptions {
  ChipOptions chip;
  std::string elf;
  std::string uart = "console";
  std::optional<std::uint16_t> gdb;
  std::optional<double> limit_ms;
  WaveChoice waves;
};

ip::HostLine line_for(const std::string& uart) {
  if (uart == "console") return ip::HostLine::console(true);
  if (uart == "pty") return ip::HostLine::pseudo_terminal();
  if (uart == "none") return ip::HostLine::files("", "");
  if (uart.starts_with("file:")) return ip::HostLine::files(uart.substr(5), "");
  throw UsageError(fmt::format("--uart is '{}', expected console, pty, none or file:PATH", uart));
}

int boot(const BootOptions& o) {
  const auto chip = o.chip.load();
  const auto program = sim::ElfProgram::read(o.elf);
  soc::SocOptions options;
  options.waves = o.waves.options();
  sim::Simulation simulation(chip, {}, options);
  simulation.load(program);
  ip::UartBackend backend("console", simulation.soc.serial(), line_for(o.uart));
  if (!backend.terminal().empty()) fmt::print(stderr, "forerun: the UART is at {}\n", backend.terminal());
  GdbSession gdb(simulation, o.gdb);
  const auto limit =
      o.limit_ms ? std::optional(Time{static_cast<std::int64_t>(*o.limit_ms * 1e9)}) : std::nullopt;
  const auto outcome = simulation.run(limit);
  gdb.ended(outcome);

  const auto* const cpu = simulation.soc.cpu.get();  // none when it is RTL
  std::fflush(stdout);
  const auto broken_rules = [](const rtl::Device& device) {
    for (const auto& line : device.first_broken_rules(5))
      fmt::print(stderr, "forerun: {}: {}\n", device.file(), line);
  };
  if (simulation.soc.cpu_rtl) broken_rules(*simulation.soc.cpu_rtl);
  for (const auto& device : simulation.soc.rtl_devices) broken_rules(*device);
  for (const auto& [key, peripheral] : simulation.soc.rtl_peripherals) broken_rules(*peripheral.device);
  if (!simulation.soc.lost_block.empty()) {
    fmt::print(stderr, "forerun: error: {}\n", simulation.soc.lost_block);
    return failed;
  }
  if (simulation.soc.rtl_difference) {
    fmt::print(stderr, "forerun: error: {}\n", simulation.soc.rtl_difference->describe(""));
    return failed;
  }
  fmt::print(stderr, "forerun: {} in {:.6f} s of simulated and {:.2f} s of host time\n",
             cpu != nullptr ? fmt::format("{} instructions", cpu->instructions.value())
                            : fmt::format("{} cycles of the CPU", simulation.soc.cpu_rtl->cycles()),
             static_cast<double>(outcome.picoseconds) * 1e-12, outcome.host_seconds);
  const auto at = cpu != nullptr ? fmt::format("pc {:#x}", cpu->pc()) : "a place that only its RTL knows";
  switch (outcome.kind) {
    case sim::Outcome::Kind::exited:
      fmt::print(stderr, "forerun: exit code {}\n", outcome.exit_code);
      return outcome.exit_code;
    case sim::Outcome::Kind::stopped:
      fmt::print(stderr, "forerun: ended by the debugger\n");
      return ok;
    case sim::Outcome::Kind::limit:
      fmt::print(stderr, "forerun: the time limit is reached; the CPU is at {}\n", at);
      return failed;
    case sim::Outcome::Kind::stalled:
      fmt::print(stderr,
                 "forerun: error: the chip stands still: the CPU {} at {}, and nothing can wake it\n{}",
                 cpu != nullptr && cpu->sleeping() ? "sleeps" : "waits", at, outcome.description);
      return failed;
  }
  return failed;
}

}  // namespace

void add_boot(CLI::App& app, int& code) {
  auto o = std::make_shared<BootOptions>();
  auto& command =
      *app.add_subcommand("boot", "boot an ELF on the chip's control CPU; ends with its exit code");
  command
      .add_option("ELF", o->elf,
                  "a statically linked 64-bit RISC-V program, linked to the SRAM at 0x80000000 or to HBM")
      ->required();
  o->chip.add_to(command);
  o->waves.add_to(command);
  command.add_option("--uart", o->uart, "where the UART goes: console, pty, none or file:PATH")
      ->capture_default_str();
  command.add_option("--gdb", o->gdb,
                     "wait for a gdb on this TCP port before the first instruction; 0 takes a free port");
  command.add_option("--limit", o->limit_ms, "end after this many milliseconds of simulated time")
      ->check(CLI::PositiveNumber);
  command.callback([o, &code] { code = boot(*o); });
}

}  // namespace forerun::cli
