// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "ip/record/reader.hpp"
#include "platform/replay/bench.hpp"
#include "platform/replay/bench_folder.hpp"
#include "platform/replay/dma_player.hpp"
#include "platform/rtl/interface_pins.hpp"
#include "platform/rtl/verilate.hpp"
#include "replay_benches.inc"

namespace forerun::replay {
namespace {

using rtl::InterfaceMap;
using rtl::Pin;
using rtl::PinMap;
using Pins = std::map<std::string, Pin>;

const InterfaceMap& one(const PinMap& map, rtl::Role role, const char* what) {
  const auto is_one = [&](const InterfaceMap& face) { return face.role == role; };
  if (std::count_if(map.interfaces.begin(), map.interfaces.end(), is_one) != 1)
    throw std::invalid_argument(
        fmt::format("the pin map has not one {}: a DMA engine that is replayed has one", what));
  return *std::find_if(map.interfaces.begin(), map.interfaces.end(), is_one);
}

/// Parameters of forerun_remote.
std::string shape(char side, const Pins& pins, const InterfaceMap& face) {
  const auto bits = [&](const char* pin) { return pins.contains(pin) ? pins.at(pin).bits : 0; };
  return fmt::format(".{0}_BYTES({1}), .{0}_ID_BITS({2}), .{0}_ADDRESS_BITS({3}), .{0}_LITE({4})", side,
                     std::max(bits("wdata"), bits("rdata")) / 8, std::max(bits("awid"), bits("arid")),
                     std::max(bits("awaddr"), bits("araddr")),
                     face.protocol == rtl::Protocol::axi4_lite ? 1 : 0);
}

std::string sizes(char side, const Pins& pins) {
  const auto bits = [&](const char* pin) { return pins.contains(pin) ? pins.at(pin).bits : 0; };
  return fmt::format("{0}_BYTES = {1}, {0}_IDS = {2}, {0}_ADDRESS = {3}", side,
                     std::max(bits("wdata"), bits("rdata")) / 8, std::max({bits("awid"), bits("arid"), 1u}),
                     std::max(bits("awaddr"), bits("araddr")));
}

/// What the engine's outputs are where it does not have them.
std::string missing_output(const std::string& pin) {
  if (pin == "wstrb") return "'1";
  if (pin == "awburst" || pin == "arburst") return "2'd1";
  if (pin == "wlast" || pin == "rlast") return "1'b1";
  if (pin == "awsize" || pin == "arsize") return "3'($clog2($bits(m_wdata) / 8))";
  return "'0";
}

/// What the words of a descriptor are, in the order of the bench's registers.
constexpr const char* words[] = {"source", "destination",   "bytes",
                                 "rows",   "source_stride", "destination_stride"};

/// How these registers are written and read.
DmaProgram descriptor_program(const rtl::DmaMap& dma) {
  using rtl::DmaValue;
  DmaProgram program;
  for (unsigned i = 0; i < std::size(words); ++i)
    if (dma.ports.contains(words[i]))
      program.map.start.push_back(
          {8 * i, static_cast<DmaValue>(static_cast<unsigned>(DmaValue::source) + i), 0, 64});
  program.map.start.push_back({48, DmaValue::number, 1, 64});
  program.map.status = rtl::DmaMap::Status{56, 1, 2};
  return program;
}

/// The engine's ports as vectors, and what each of their bits is connected to.
class Wiring {
 public:
  Wiring(const std::vector<rtl::Port>& ports, const rtl::PinsOf& pins, const PinMap& map)
      : ports_(ports), pins_(pins), used_(ports.size()) {
    for (std::size_t i = 0; i < ports.size(); ++i) {
      if (ports[i].type.starts_with("("))
        throw std::invalid_argument(
            fmt::format("port {} is an unpacked array; a bench needs packed ones", ports[i].name));
      text_ += fmt::format("  wire [{}:0] port{};\n", ports[i].bits - 1, i);
    }
    for (const auto& name : map.clocks) input(pins.get(name, true, 1, "clock"), "clock");
    for (const auto& name : map.resets)
      input(pins.get(name, true, 1, "reset"), map.reset_high ? "reset" : "!reset");
    for (const auto& [name, value] : map.constants)
      input(pins.get(name, true, 0, "constants/" + name), fmt::format("64'd{}", value));
    text_ +=
        fmt::format("  assign irq = {};\n",
                    map.interrupt.empty() ? "1'b0" : bits(pins.get(map.interrupt, false, 1, "interrupt")));
  }
  void connect(char side, const Pins& pins, rtl::Protocol protocol) {
    for (const auto& pin : rtl::pin_names(protocol)) {
      const auto name = fmt::format("{}_{}", side, pin);
      const auto found = pins.find(pin);
      if (found != pins.end() && found->second.input)
        input(found->second, pin.ends_with("qos") || pin.ends_with("region") ? "'0" : name);
      else if (found != pins.end() && !pin.ends_with("qos") && !pin.ends_with("region"))
        text_ += fmt::format("  assign {} = {};\n", name, bits(found->second));
      else if (driven_by_engine(side, pin))
        text_ += fmt::format("  assign {} = {};\n", name, missing_output(pin));
    }
  }
  /// The ports that carry a descriptor, to those registers of the bench (benches/dma_descriptor.sv).
  void connect_descriptor(const rtl::DmaMap& dma) {
    const auto get = [&](const std::string& name, bool is_input, unsigned bits) {
      return pins_.get(dma.ports.at(name), is_input, bits, "dma/ports/" + name);
    };
    for (std::size_t i = 0; i < std::size(words); ++i)
      if (dma.ports.contains(words[i])) input(get(words[i], true, 0), fmt::format("d_values[{}]", i));
    input(get("start", true, 1), "d_start");
    const auto output = [&](const char* name, const char* missing) {
      text_ += fmt::format("  wire d_{} = {};\n", name,
                           dma.ports.contains(name) ? "|" + bits(get(name, false, 0)) : missing);
    };
    output("ready", "1'b1"), output("done", "1'b0"), output("error", "1'b0");
  }
  std::string text() const {
    auto text = text_;
    for (std::size_t i = 0; i < ports_.size(); ++i)
      if (ports_[i].input && !used_[i]) text += fmt::format("  assign port{} = '0;\n", i);
    return text;
  }
  std::string connections() const {
    std::string text;
    for (std::size_t i = 0; i < ports_.size(); ++i)
      text += fmt::format("{}\n      .\\{} (port{})", i == 0 ? "" : ",", ports_[i].name, i);
    return text;
  }

 private:
  static bool driven_by_engine(char side, const std::string& pin) {
    if (pin.ends_with("qos") || pin.ends_with("region")) return false;
    const bool answer =
        pin.ends_with("ready") ? pin[0] != 'b' && pin[0] != 'r' : pin[0] == 'b' || pin[0] == 'r';
    return side == 's' ? answer : !answer;
  }
  static std::string bits(const Pin& pin) {
    return fmt::format("port{}[{}:{}]", pin.port, pin.low + pin.bits - 1, pin.low);
  }
  void input(const Pin& pin, const std::string& value) {
    used_[pin.port] = true;
    text_ += fmt::format("  assign {} = {};\n", bits(pin), value);
  }
  const std::vector<rtl::Port>& ports_;
  const rtl::PinsOf& pins_;
  std::vector<bool> used_;
  std::string text_;
};

}  // namespace

Summary write_dma_bench(const std::string& folder, const std::string& recording, const DmaBlock& block) {
  ip::record::Reader reader(recording);
  ip::record::Copy copy;
  std::uint64_t count = 0, bytes = 0;
  while (count < block.most && reader.next(copy)) ++count, bytes += copy.rows * copy.bytes;
  const auto& map = block.map;
  if (!map.dma)
    throw std::invalid_argument(
        "the pin map has no section 'dma', which says how the engine is told to copy");
  const bool by_ports = !map.dma->ports.empty();
  const auto& memory = one(map, rtl::Role::manager, "interface with role manager");
  BenchFolder made(folder, block);
  rtl::VerilateRequest request;
  request.top = block.top;
  request.sources.assign(block.sources.begin(), block.sources.end());
  request.includes.assign(block.includes.begin(), block.includes.end());
  request.defines = block.defines;
  request.parameters = map.parameters;
  const auto ports = rtl::ports_of(request);
  const rtl::PinsOf pins(ports, block.top, map.places);
  const auto m = interface_pins(pins, memory);
  Wiring wiring(ports, pins, map);
  std::string s_shape = ".S_BYTES(8), .S_ID_BITS(0), .S_ADDRESS_BITS(6), .S_LITE(1)";
  std::string s_sizes = "S_BYTES = 8, S_IDS = 1, S_ADDRESS = 6";
  if (by_ports) {
    wiring.connect_descriptor(*map.dma);
  } else {
    const auto& registers = one(map, rtl::Role::subordinate, "interface with role subordinate");
    const auto s = interface_pins(pins, registers);
    s_shape = shape('S', s, registers);
    s_sizes = sizes('S', s);
    wiring.connect('s', s, rtl::Protocol::axi4);
  }
  wiring.connect('m', m, rtl::Protocol::axi4);
  std::string parameters;
  for (const auto& [name, value] : map.parameters)
    parameters += fmt::format("{}.{}({})", parameters.empty() ? "" : ", ", name, value);
  made.bench("replay_tb.sv", dma_tb,
             {{"TOP", block.top},
              {"S_SHAPE", s_shape},
              {"M_SHAPE", shape('M', m, memory)},
              {"S_SIZES", s_sizes},
              {"M_SIZES", sizes('M', m)},
              {"WIRING", wiring.text()},
              {"DESCRIPTOR", by_ports ? dma_descriptor : ""},
              {"PARAMETERS", parameters.empty() ? "" : "#(" + parameters + ") "},
              {"CONNECTIONS", wiring.connections()}});
  auto program = made.text("engine.txt");
  program << "recording " << std::filesystem::absolute(recording).string() << "\n"
          << (by_ports ? descriptor_program(*map.dma)
                       : DmaProgram{*map.dma, !map.interrupt.empty(), map.interrupt_high})
                 .text();
  BenchFolder::finish(program, "engine.txt");
  made.driver_script(block.most == Block().most ? "" : fmt::format(",most={}", block.most));
  return fmt::format("{} copies, {} bytes", count, bytes);
}

}  // namespace forerun::replay
