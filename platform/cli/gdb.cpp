// SPDX-License-Identifier: Apache-2.0
#include "platform/cli/gdb.hpp"

#include <fmt/format.h>

#include <cstdio>

#include "platform/cli/options.hpp"

namespace forerun::cli {

GdbSession::GdbSession(sim::Simulation& simulation, std::optional<std::uint16_t> port) {
  if (!port) return;
  if (!simulation.soc.cpu)
    throw UsageError("--gdb needs cpu.model: tlm, for an RTL CPU has no debugger's port");
  server_ = std::make_unique<sim::GdbServer>(simulation.soc.cpu->debug(), *port);
  server_->on_kill = [&simulation] { simulation.stop(); };
  fmt::print(stderr, "forerun: waiting for a debugger: gdb-multiarch PROGRAM.elf -ex 'target remote :{}'\n",
             server_->port());
  std::fflush(stderr);
  server_->wait_for_debugger();
}

void GdbSession::ended(const sim::Outcome& outcome) {
  if (server_) server_->report_exit(outcome.kind == sim::Outcome::Kind::exited ? outcome.exit_code : 1);
}

}  // namespace forerun::cli
