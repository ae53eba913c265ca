// SPDX-License-Identifier: Apache-2.0
#include "platform/replay/wrappers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <stdexcept>

#include "platform/replay/shell_wires.hpp"
#include "platform/rtl/interface_pins.hpp"

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

}  // namespace

WrappedAxi wrap_axi(const PinnedBlock& block) {
  const auto& map = block.map;
  const auto is_one = [](const rtl::InterfaceMap& face) { return face.role == rtl::Role::subordinate; };
  if (std::count_if(map.interfaces.begin(), map.interfaces.end(), is_one) != 1)
    throw std::invalid_argument(
        fmt::format("{}: expected one interface with role subordinate", map.places.at("interfaces")));
  const auto& face = *std::find_if(map.interfaces.begin(), map.interfaces.end(), is_one);
  const auto shell = shell_of(block);
  ShellWires wires(block, shell);
  const auto pins = rtl::interface_pins(wires.pins(), face);
  WrappedAxi made;
  const bool lite = face.protocol == rtl::Protocol::axi4_lite;
  made.shape = {.data_bytes = width(pins, "wdata", "rdata") / 8,
                .id_bits = lite ? 0 : width(pins, "awid", "arid"),
                .address_bits = std::min(64u, width(pins, "awaddr", "araddr")),
                .lite = lite};
  made.shape.check();
  std::string declared = "  input wire clock,\n  input wire reset", outputs;
  for (const auto& [name, pin] : pins) {
    const bool output = driven_by_block(name);
    declared += fmt::format(",\n  {} wire [{}:0] s_axi_{}", output ? "output" : "input", pin.bits - 1, name);
    if (output)
      outputs += fmt::format("  assign s_axi_{} = {};\n", name, wires.read(pin));
    else
      wires.drive(pin, "s_axi_" + name);
  }
  made.text = fmt::format("{}module {} (\n{}\n);\n{}{}endmodule\n", shell.text, WrappedAxi::top, declared,
                          wires.text(), outputs);
  return made;
}

WrappedTile wrap_tile(const PinnedBlock& block) {
  const auto& map = block.map;
  if (!map.tile)
    throw std::invalid_argument(
        fmt::format("{}: the pin map has no section 'tile', so this is no matrix unit", map.places.at("")));
  const auto shell = shell_of(block);
  ShellWires wires(block, shell);
  const auto find = [&](const std::string& pin) {
    return wires.pins().find(pin == "idle" && !map.idle.empty() ? map.idle : map.name_of(pin),
                             "ports/" + pin);
  };
  WrappedTile made;
  made.shape = {.format = map.tile->format};
  made.shape.rows = find("a_data")->bits / made.shape.lane_bits();
  made.shape.columns = find("c_data")->bits / 32;
  made.shape.depth = map.tile->depth;
  made.shape.own_timing = map.tile->own_timing;
  made.shape.last = find("c_last").has_value();
  std::string declared = "  input wire clk,\n  input wire rst_n", outputs;
  for (const auto* const name :
       {"w_valid", "w_last", "w_data", "a_valid", "a_last", "a_start", "a_emit", "a_data", "a_sum", "c_ready",
        "w_ready", "a_ready", "c_valid", "c_last", "c_data", "idle"}) {
    const auto pin = find(name);
    const std::string text = name;
    const bool output = text.ends_with("_ready") != (text[0] == 'c') || text == "idle";
    if (!pin && !output) continue;
    declared +=
        fmt::format(",\n  {} wire [{}:0] {}", output ? "output" : "input", pin ? pin->bits - 1 : 0, name);
    if (!pin)
      outputs += fmt::format("  assign {} = 1'b0;\n", name);
    else if (output)
      outputs += fmt::format("  assign {} = {};\n", name, wires.read(*pin));
    else
      wires.drive(*pin, name);
  }
  made.text = fmt::format("{}module {} (\n{}\n);\n  wire clock = clk, reset = !rst_n;\n{}{}endmodule\n",
                          shell.text, WrappedTile::top, declared, wires.text(), outputs);
  return made;
}

}  // namespace forerun::replay
