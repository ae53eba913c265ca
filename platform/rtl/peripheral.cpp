// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/peripheral.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <stdexcept>

namespace forerun::rtl {

const std::vector<PeripheralKind>& peripheral_kinds() {
  static const std::vector<PeripheralKind> kinds{
      {.name = "uart", .streams = true},
      {.name = "clint", .signals = {{"software"}, {"timer"}}},
      {.name = "plic", .signals = {{"machine"}, {"sources", "sources_from_1"}}},
      {.name = "timer", .interrupt = true},
      {.name = "mailbox", .streams = true, .interrupt = true},
      {.name = "sysctl",
       .signals = {{"boot_address"}, {"exit"}, {"exit_code"}, {"reset_request"}, {"cluster_reset"}}},
      {.name = "perf", .signals = {{"select"}, {"count"}, {"value"}, {"name"}}}};
  return kinds;
}

void check_peripheral(Device& device, const PeripheralKind& kind) {
  const bool remote = !device.map().remote.empty();
  const auto refuse = [&](const std::string& text) {
    throw std::runtime_error(
        fmt::format("rtl.{}: {}: {}{}", kind.name, device.file(), text,
                    remote ? "; a block in another process has no signals and streams" : ""));
  };
  device.subordinate();  // exactly one
  std::size_t receivers = 0, transmitters = 0;
  for (const auto& face : device.map().interfaces) {
    receivers += face.role == Role::receiver;
    transmitters += face.role == Role::transmitter;
    if (face.role == Role::manager)
      refuse(fmt::format("interface {} is a manager, which nothing of this place is for", face.name));
    if (face.protocol == Protocol::axi4_stream && !kind.streams)
      refuse(fmt::format("interface {} is a stream, which nothing of this place is for", face.name));
  }
  if (receivers > 1 || transmitters > 1) refuse("more than one stream in the same direction");
  if (kind.name == "mailbox" && receivers + transmitters < 2)
    refuse("expected two streams of messages, an axi4-stream receiver and an axi4-stream transmitter");
  if (kind.name == "uart" && (transmitters == 1) == device.has_signal("transmit"))
    refuse("expected a way out of characters, either an axi4-stream transmitter or signals: {transmit: ...}");
  if (kind.name == "uart" && receivers == 1 && device.has_signal("receive"))
    refuse("expected one way in, either an axi4-stream receiver or signals: {receive: ...}");
  if (kind.interrupt && !remote && device.map().interrupt.empty())
    refuse("expected an interrupt in its pin map");
  for (const auto& names : kind.signals)
    if (std::none_of(names.begin(), names.end(), [&](const auto& name) { return device.has_signal(name); }))
      refuse(fmt::format("expected signals: {{{}: ...}} in its pin map", fmt::join(names, " or ")));
}

}  // namespace forerun::rtl
