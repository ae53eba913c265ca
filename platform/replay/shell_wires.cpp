// SPDX-License-Identifier: Apache-2.0
#include "platform/replay/shell_wires.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "platform/rtl/port_type.hpp"
#include "platform/rtl/verilate.hpp"

namespace forerun::replay {

rtl::Shell shell_of(const PinnedBlock& block) {
  rtl::VerilateRequest request;
  request.top = block.top;
  request.sources.assign(block.sources.begin(), block.sources.end());
  request.includes.assign(block.includes.begin(), block.includes.end());
  request.defines = block.defines;
  request.parameters = block.map.parameters;
  request.pins = block.pins;
  request.pins_file = block.pins_file;
  return rtl::shell_around(request);
}

ShellWires::ShellWires(const PinnedBlock& block, const rtl::Shell& shell)
    : shell_(shell), pins_(shell.ports, block.top, block.map.places) {
  for (const auto& port : shell.ports) driven_.emplace_back(words(port) * port.bits, !port.input);
  const auto& map = block.map;
  for (const auto& name : map.clocks) drive(pins_.get(name, true, 1, "clock"), "clock");
  for (const auto& name : map.resets)
    drive(pins_.get(name, true, 1, "reset"), map.reset_high ? "reset" : "!reset");
  for (const auto& [name, value] : map.constants) {
    const auto pin = pins_.get(name, true, 0, "constants/" + name);
    drive(pin, fmt::format("{}'h{:x}", pin.bits, value));
  }
}

void ShellWires::drive(const rtl::Pin& pin, const std::string& value) {
  auto& driven = driven_[pin.port];
  const auto first = pin.element * pin.word_bits + pin.low;
  std::fill_n(driven.begin() + first, pin.bits, true);
  text_ += fmt::format("  assign {} = {};\n", bits(pin.port, pin.element, pin.low, pin.bits), value);
}

std::string ShellWires::read(const rtl::Pin& pin) const {
  return bits(pin.port, pin.element, pin.low, pin.bits);
}

std::string ShellWires::text() {
  std::string declared, connections;
  for (unsigned i = 0; i < shell_.ports.size(); ++i) {
    const auto& port = shell_.ports[i];
    declared += fmt::format("  wire [{}:0] {}{};\n", port.bits - 1, port.member, dimension(port));
    connections += fmt::format("{}.{}({})", i == 0 ? "" : ", ", port.member, port.member);
    auto& driven = driven_[i];
    for (unsigned at = 0; at < driven.size();) {  // held at 0
      unsigned end = at;
      while (end < driven.size() && end / port.bits == at / port.bits && !driven[end]) ++end;
      if (end > at)
        text_ += fmt::format("  assign {} = '0;\n", bits(i, at / port.bits, at % port.bits, end - at));
      at = std::max(end, at + 1);
    }
  }
  return declared + text_ + fmt::format("  {} shell ({});\n", rtl::shell_module, connections);
}

unsigned ShellWires::words(const rtl::Port& port) {
  const auto type = rtl::PortType::parse(port.type);
  if (type.unpacked && type.element.front().unpacked)
    throw std::invalid_argument(
        fmt::format("port {} has several unpacked dimensions, which this bench cannot have", port.name));
  return rtl::elements(type);
}

std::string ShellWires::dimension(const rtl::Port& port) {
  const auto type = rtl::PortType::parse(port.type);
  return type.unpacked ? fmt::format(" [{}:{}]", type.left, type.right) : "";
}

std::string ShellWires::bits(unsigned port, unsigned element, unsigned low, unsigned count) const {
  const auto& p = shell_.ports[port];
  const auto type = rtl::PortType::parse(p.type);
  const auto place =
      type.unpacked ? fmt::format("[{}]", std::min(type.left, type.right) + static_cast<int>(element)) : "";
  return fmt::format("{}{}[{}:{}]", p.member, place, low + count - 1, low);
}

}  // namespace forerun::replay
