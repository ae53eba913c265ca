// SPDX-License-Identifier: Apache-2.0
/// What drives the ports of a block behind forerun_remote.sv: another process, or what else the library
/// holds.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "ip/cosim/pins.hpp"

namespace forerun::ip::cosim {

class PortDriver {
 public:
  enum class State : unsigned char { running = 0, ended = 1, failed = 2 };

  PortDriver() = default;
  PortDriver(const PortDriver&) = delete;
  PortDriver& operator=(const PortDriver&) = delete;
  virtual ~PortDriver() = default;
  /// Once a cycle, before its rising edge, with what the block has put on its pins: sets the others for the
  /// next cycle.
  virtual State cycle(AxiPins& subordinate, AxiPins& manager, bool interrupt, bool idle) = 0;
  /// Lines that have not been told yet; at the end, why it ended.
  virtual std::string news() = 0;
};

/// Makes a driver of what stands behind the colon in +forerun=KIND:...; throws for what cannot be.
using PortDriverMaker = std::function<std::unique_ptr<PortDriver>(
    const std::string& what, const AxiShape& subordinate, const std::optional<AxiShape>& manager)>;
/// By kind. All other kinds are addresses of another process.
std::map<std::string, PortDriverMaker>& port_driver_makers();

}  // namespace forerun::ip::cosim
