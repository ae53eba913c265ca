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
  LimitChoice limit;
  RtlChoice rtl;
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
  options.waves = o.rtl.options();
  sim::Simulation simulation(chip, {}, options);
  simulation.load(program);
  ip::UartBackend backend("console", simulation.soc.serial(), line_for(o.uart));
  if (chip.devices > 1) fmt::print(stderr, "forerun: only the UART of device 0 is connected\n");
  if (!backend.terminal().empty()) fmt::print(stderr, "forerun: the UART is at {}\n", backend.terminal());
  GdbSession gdb(simulation, o.gdb);
  auto limits = o.limit.limits(chip);  // a program of anybody's may compute for as long as it likes
  limits.given_up = !o.gdb;
  const auto outcome = simulation.run(limits);
  gdb.ended(outcome);

  const auto* const cpu = simulation.soc.cpu.get();  // none when it is RTL
  std::fflush(stdout);
  const auto broken = tell_broken_rules(simulation, 0);
  if (const auto problem = simulation.rtl_problem({}); !problem.empty()) {
    fmt::print(stderr, "forerun: error: {}\n", problem);
    return failed;
  }
  fmt::print(stderr, "forerun: {} in {:.6f} s of simulated and {:.2f} s of host time\n",
             cpu != nullptr ? fmt::format("{} instructions", cpu->instructions.value())
                            : fmt::format("{} cycles of the CPU", simulation.soc.cpu_rtl->cycles()),
             static_cast<double>(outcome.picoseconds) * 1e-12, outcome.host_seconds);
  switch (outcome.kind) {
    case sim::Outcome::Kind::exited:
      fmt::print(stderr, "forerun: exit code {}\n", outcome.exit_code);
      return o.rtl.exit_code(outcome.exit_code, broken);
    case sim::Outcome::Kind::stopped:
      fmt::print(stderr, "forerun: ended by the debugger\n");
      return ok;
    case sim::Outcome::Kind::limit:
    case sim::Outcome::Kind::idle:
    case sim::Outcome::Kind::stalled:
      fmt::print(stderr, "forerun: error: {}\n", sim::describe_end(outcome));
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
  o->rtl.add_to(command);
  command.add_option("--uart", o->uart, "where the UART goes: console, pty, none or file:PATH")
      ->capture_default_str();
  command.add_option("--gdb", o->gdb,
                     "wait for a gdb on this TCP port before the first instruction; 0 takes a free port");
  o->limit.add_to(command);
  command.callback([o, &code] { code = boot(*o); });
}

}  // namespace forerun::cli
