// SPDX-License-Identifier: Apache-2.0
/// --gdb: a debugger for the program on the control CPU.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "platform/sim/gdb_server.hpp"
#include "platform/sim/simulation.hpp"

namespace forerun::cli {

class GdbSession {
 public:
  /// With a port: listens, says where, and waits for the debugger. Throws std::runtime_error if the port is
  /// in use.
  GdbSession(sim::Simulation& simulation, std::optional<std::uint16_t> port);
  void ended(const sim::Outcome& outcome);

 private:
  std::unique_ptr<sim::GdbServer> server_;
};

}  // namespace forerun::cli
