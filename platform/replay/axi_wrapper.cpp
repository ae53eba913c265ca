// SPDX-License-Identifier: Apache-2.0
#include "platform/replay/axi_wrapper.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <stdexcept>

#include "platform/rtl/interface_pins.hpp"
#include "platform/rtl/verilate.hpp"

namespace forerun::replay {
namespace {

using rtl::Pin;
using Pins = std::map<std::string, Pin>;

bool driven_by_block(const std::string& pin) {
  return pin.ends_with("ready") ? pin[0] != 'b' && pin[0] != 'r' : pin[0] == 'b' || pin[0] == 'r';
}

unsigned width(const Pins& pins, const char* one, const char* other) {
  const auto of = [&](const char* name) { return pins.contains(name) ? pins.at(name).bits : 0; };
  return std::max(of(one), of(other));
}

/// The wires to a shell's ports, all bits of inputs driven.
class Wires {
 public:
  explicit Wires(const rtl::Shell& shell) : shell_(shell) {
    for (const auto& port : shell.ports) driven_.emplace_back(elements(port) * port.bits, !port.input);
  }
  void drive(const Pin& pin, const std::string& value) {
    auto& driven = driven_[pin.port];
    const auto first = pin.element * pin.word_bits + pin.low;
    std::fill_n(driven.begin() + first, pin.bits, true);
    text_ += fmt::format("  assign {} = {};\n", bits(pin.port, pin.element, pin.low, pin.bits), value);
  }
  std::string read(const Pin& pin) const { return bits(pin.port, pin.element, pin.low, pin.bits); }

  /// Declarations, what drives them, and the shell.
  std::string text() {
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

 private:
  /// Of an unpacked array; others have one.
  static unsigned elements(const rtl::Port& port) {
    const auto type = rtl::PortType::parse(port.type);
    if (!type.unpacked) return 1;
    if (type.element.front().unpacked)
      throw std::invalid_argument(
          fmt::format("port {} has several unpacked dimensions, which this bench cannot have", port.name));
    return static_cast<unsigned>(std::max(type.left, type.right) - std::min(type.left, type.right)) + 1;
  }
  static std::string dimension(const rtl::Port& port) {
    const auto type = rtl::PortType::parse(port.type);
    return type.unpacked ? fmt::format(" [{}:{}]", type.left, type.right) : "";
  }
  std::string bits(unsigned port, unsigned element, unsigned low, unsigned count) const {
    const auto& p = shell_.ports[port];
    const auto type = rtl::PortType::parse(p.type);
    const auto place =
        type.unpacked ? fmt::format("[{}]", std::min(type.left, type.right) + static_cast<int>(element)) : "";
    return fmt::format("{}{}[{}:{}]", p.member, place, low + count - 1, low);
  }
  const rtl::Shell& shell_;
  std::vector<std::vector<bool>> driven_;
  std::string text_;
};

}  // namespace

WrappedBlock wrap(const Block& block, const rtl::PinMap& map, const std::string& map_text) {
  const auto is_one = [](const rtl::InterfaceMap& face) { return face.role == rtl::Role::subordinate; };
  if (std::count_if(map.interfaces.begin(), map.interfaces.end(), is_one) != 1)
    throw std::invalid_argument("the pin map has not one interface with role subordinate, expected one");
  const auto& face = *std::find_if(map.interfaces.begin(), map.interfaces.end(), is_one);
  rtl::VerilateRequest request;
  request.top = block.top;
  request.sources.assign(block.sources.begin(), block.sources.end());
  request.includes.assign(block.includes.begin(), block.includes.end());
  request.defines = block.defines;
  request.parameters = map.parameters;
  request.pins = map_text;
  const auto shell = rtl::shell_around(request);
  const rtl::PinsOf ports(shell.ports, block.top, map.places);
  const auto pins = rtl::interface_pins(ports, face);
  WrappedBlock made;
  const bool lite = face.protocol == rtl::Protocol::axi4_lite;
  made.shape = {.data_bytes = width(pins, "wdata", "rdata") / 8,
                .id_bits = lite ? 0 : width(pins, "awid", "arid"),
                .address_bits = std::min(64u, width(pins, "awaddr", "araddr")),
                .lite = lite};
  made.shape.check();
  Wires wires(shell);
  for (const auto& name : map.clocks) wires.drive(ports.get(name, true, 1, "clock"), "clock");
  for (const auto& name : map.resets)
    wires.drive(ports.get(name, true, 1, "reset"), map.reset_high ? "reset" : "!reset");
  for (const auto& [name, value] : map.constants) {
    const auto pin = ports.get(name, true, 0, "constants/" + name);
    wires.drive(pin, fmt::format("{}'h{:x}", pin.bits, value));
  }
  std::string declared = "  input wire clock,\n  input wire reset", outputs;
  for (const auto& [name, pin] : pins) {
    const bool output = driven_by_block(name);
    if (pin.input == output)
      throw std::invalid_argument(
          fmt::format("interface {}: port {} is an {}, which {} of a subordinate is not", face.name, pin.name,
                      pin.input ? "input" : "output", name));
    declared += fmt::format(",\n  {} wire [{}:0] s_axi_{}", output ? "output" : "input", pin.bits - 1, name);
    if (output)
      outputs += fmt::format("  assign s_axi_{} = {};\n", name, wires.read(pin));
    else
      wires.drive(pin, "s_axi_" + name);
  }
  made.text = fmt::format("{}module {} (\n{}\n);\n{}{}endmodule\n", shell.text, WrappedBlock::top, declared,
                          wires.text(), outputs);
  return made;
}

}  // namespace forerun::replay
