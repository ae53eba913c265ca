// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <span>
#include <stdexcept>

#include "ip/record/reader.hpp"
#include "platform/replay/bench.hpp"
#include "platform/replay/bench_folder.hpp"
#include "platform/replay/dma_player.hpp"
#include "platform/replay/shell_wires.hpp"
#include "platform/rtl/interface_pins.hpp"
#include "replay_benches.inc"

namespace forerun::replay {
namespace {

using rtl::InterfaceMap;
using rtl::Pin;
using rtl::PinMap;
using Pins = std::map<std::string, Pin>;

/// Parameters of forerun_remote for the registers.
std::string shape(const Pins& pins, const InterfaceMap& face) {
  const auto bits = [&](const char* pin) { return pins.contains(pin) ? pins.at(pin).bits : 0; };
  return fmt::format(".S_BYTES({}), .S_ID_BITS({}), .S_ADDRESS_BITS({}), .S_LITE({})",
                     std::max(bits("wdata"), bits("rdata")) / 8, std::max(bits("awid"), bits("arid")),
                     std::max(bits("awaddr"), bits("araddr")),
                     face.protocol == rtl::Protocol::axi4_lite ? 1 : 0);
}

std::string sizes(const Pins& pins) {
  const auto bits = [&](const char* pin) { return pins.contains(pin) ? pins.at(pin).bits : 0; };
  return fmt::format("S_BYTES = {}, S_IDS = {}, S_ADDRESS = {}", std::max(bits("wdata"), bits("rdata")) / 8,
                     std::max({bits("awid"), bits("arid"), 1u}), std::max(bits("awaddr"), bits("araddr")));
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

/// What the bench has no wires for.
bool left_out(const std::string& pin) { return pin.ends_with("qos") || pin.ends_with("region"); }

/// What carries one direction of a manager.
constexpr const char* reading[] = {"arvalid", "arready", "arid",    "araddr", "arlen", "arsize",
                                   "arburst", "arlock",  "arcache", "arprot", "arqos", "arregion",
                                   "rvalid",  "rready",  "rid",     "rdata",  "rresp", "rlast"};
constexpr const char* writing[] = {"awvalid", "awready", "awid",   "awaddr", "awlen",    "awsize", "awburst",
                                   "awlock",  "awcache", "awprot", "awqos",  "awregion", "wvalid", "wready",
                                   "wdata",   "wstrb",   "wlast",  "bvalid", "bready",   "bid",    "bresp"};

/// The pins of one direction of an interface.
Pins part(const Pins& pins, std::span<const char* const> names) {
  Pins found;
  for (const auto* const name : names)
    if (const auto pin = pins.find(name); pin != pins.end()) found.insert(*pin);
  return found;
}

/// Connects the engine to the wires of the bench.
class Wiring {
 public:
  Wiring(const PinnedBlock& block, const rtl::Shell& shell) : map_(block.map), wires_(block, shell) {
    text_ = fmt::format("  assign irq = {};\n",
                        map_.interrupt.empty()
                            ? "1'b0"
                            : wires_.read(wires_.pins().get(map_.interrupt, false, 1, "interrupt")));
  }
  const rtl::PinsOf& pins() const { return wires_.pins(); }
  /// `side` s: the engine's registers; m: a manager, or a part of one; j: the `number`th of those to be
  /// joined.
  void connect(char side, const Pins& pins, std::span<const char* const> names, std::size_t number = 0) {
    for (const std::string pin : names) {
      const auto name = side == 'j' ? fmt::format("j_{}[{}]", pin, number) : fmt::format("{}_{}", side, pin);
      const auto found = pins.find(pin);
      if (found != pins.end() && found->second.input)
        wires_.drive(found->second, left_out(pin) ? "'0" : name);
      else if (!left_out(pin) && found != pins.end())
        text_ += fmt::format("  assign {} = {};\n", name, wires_.read(found->second));
      else if (!left_out(pin) && driven_by_engine(side, pin))
        text_ += fmt::format("  assign {} = {};\n", name, missing_output(pin));
    }
  }
  /// The ports that carry a descriptor, to those registers of the bench (benches/dma_descriptor.sv).
  void connect_descriptor(const rtl::DmaMap& dma) {
    const auto get = [&](const std::string& name, bool is_input, unsigned bits) {
      return pins().get(dma.ports.at(name), is_input, bits, "dma/ports/" + name);
    };
    for (std::size_t i = 0; i < std::size(words); ++i)
      if (dma.ports.contains(words[i])) wires_.drive(get(words[i], true, 0), fmt::format("d_values[{}]", i));
    wires_.drive(get("start", true, 1), "d_start");
    const auto output = [&](const char* name, const char* missing) {
      text_ += fmt::format("  wire d_{} = {};\n", name,
                           dma.ports.contains(name) ? "|" + wires_.read(get(name, false, 0)) : missing);
    };
    output("ready", "1'b1"), output("done", "1'b0"), output("error", "1'b0");
  }
  void add(const std::string& text) { text_ += text; }
  std::string text() { return wires_.text() + text_; }

 private:
  static bool driven_by_engine(char side, const std::string& pin) {
    const bool answer =
        pin.ends_with("ready") ? pin[0] != 'b' && pin[0] != 'r' : pin[0] == 'b' || pin[0] == 'r';
    return side == 's' ? answer : !answer;
  }
  const PinMap& map_;
  ShellWires wires_;
  std::string text_;
};

/// All managers as one: a direction that several have goes through a join (benches/dma_join.sv).
class Managers {
 public:
  Managers(const PinMap& map, const rtl::PinsOf& ports) {
    for (const auto& face : map.interfaces) {
      if (face.role != rtl::Role::manager) continue;
      const auto pins = interface_pins(ports, face);
      if (auto found = part(pins, reading); found.contains("arvalid")) readers_.push_back(std::move(found));
      if (auto found = part(pins, writing); found.contains("awvalid")) writers_.push_back(std::move(found));
      check_width(ports, face, pins);
    }
  }
  /// Of all of them, as one interface would have it.
  const Pins& joined() const { return joined_; }
  unsigned id_bits() const {
    const auto own = width("arid", "awid");
    const auto more = std::bit_width(std::max(readers_.size(), writers_.size()) - 1);
    return several() ? std::max(1u, own) + static_cast<unsigned>(more) : own;
  }
  unsigned address_bits() const { return width("araddr", "awaddr"); }
  unsigned bytes() const { return width("rdata", "wdata") / 8; }
  /// In one direction.
  bool several() const { return readers_.size() > 1 || writers_.size() > 1; }
  void connect(Wiring& wiring) const {
    direction(wiring, "dma_join_reads", readers_, reading);
    direction(wiring, "dma_join_writes", writers_, writing);
  }

 private:
  void check_width(const rtl::PinsOf& ports, const InterfaceMap& face, const Pins& pins) {
    for (const auto* const pin : {"rdata", "wdata"})
      if (const auto found = pins.find(pin); found != pins.end()) {
        if (bytes() != 0 && bytes() * 8 != found->second.bits)
          ports.refuse(face.place,
                       fmt::format("interface {}: {} bits of data, and {} of another manager; a bench has "
                                   "one width",
                                   face.name, found->second.bits, bytes() * 8));
      }
    for (const auto& [pin, port] : pins) {
      auto& wide = joined_[pin];
      if (port.bits > wide.bits) wide = port;
    }
  }
  unsigned width(const char* one, const char* other) const {
    const auto of = [&](const char* pin) { return joined_.contains(pin) ? joined_.at(pin).bits : 0; };
    return std::max(of(one), of(other));
  }
  static void direction(Wiring& wiring, const char* join, const std::vector<Pins>& all,
                        std::span<const char* const> names) {
    if (all.size() <= 1) return wiring.connect('m', all.empty() ? Pins() : all[0], names);
    for (const std::string pin : names)
      if (!left_out(pin))
        wiring.add(fmt::format("  wire [{}:0][$bits(m_{})-1:0] j_{};\n", all.size() - 1, pin, pin));
    wiring.add(
        fmt::format("  {0} #(.N({1}), .ID(M_IDS), .ADDRESS(M_ADDRESS), .BYTES(M_BYTES)) {0}_of_{1} (.*);\n",
                    join, all.size()));
    for (std::size_t i = 0; i < all.size(); ++i) wiring.connect('j', all[i], names, i);
  }
  std::vector<Pins> readers_, writers_;
  Pins joined_;
};

}  // namespace

Summary write_dma_bench(const std::string& folder, const std::string& recording, const PinnedBlock& block) {
  ip::record::Reader reader(recording);
  ip::record::Copy copy;
  std::uint64_t count = 0, bytes = 0;
  while (count < block.most && reader.next(copy)) ++count, bytes += copy.rows * copy.bytes;
  const auto& map = block.map;
  if (!map.dma)
    throw std::invalid_argument(
        fmt::format("{}: the pin map has no section 'dma', which says how the engine is told to copy",
                    map.places.at("")));
  if (!map.dma->descriptor.empty())
    throw std::invalid_argument(fmt::format(
        "{}: an engine that fetches its descriptors from memory is not replayed: a recording does not have "
        "them",
        map.places.at("dma/descriptor")));
  const bool by_ports = !map.dma->ports.empty();
  const auto shell = shell_of(block);
  Wiring wiring(block, shell);
  const Managers managers(map, wiring.pins());
  std::string s_shape = ".S_BYTES(8), .S_ID_BITS(0), .S_ADDRESS_BITS(6), .S_LITE(1)";
  std::string s_sizes = "S_BYTES = 8, S_IDS = 1, S_ADDRESS = 6";
  if (by_ports) {
    wiring.connect_descriptor(*map.dma);
  } else {
    const auto& registers =
        *std::find_if(map.interfaces.begin(), map.interfaces.end(),
                      [](const InterfaceMap& face) { return face.role == rtl::Role::subordinate; });
    const auto s = interface_pins(wiring.pins(), registers);
    s_shape = shape(s, registers);
    s_sizes = sizes(s);
    wiring.connect('s', s, reading);
    wiring.connect('s', s, writing);
  }
  managers.connect(wiring);
  BenchFolder made(folder, block);
  made.source("engine.sv", shell.text);
  made.bench("replay_tb.sv", dma_tb,
             {{"TOP", block.top},
              {"S_SHAPE", s_shape},
              {"M_SHAPE", fmt::format(".M_BYTES({}), .M_ID_BITS({}), .M_ADDRESS_BITS({}), .M_LITE(0)",
                                      managers.bytes(), managers.id_bits(), managers.address_bits())},
              {"S_SIZES", s_sizes},
              {"M_SIZES", fmt::format("M_BYTES = {}, M_IDS = {}, M_ADDRESS = {}", managers.bytes(),
                                      std::max(1u, managers.id_bits()), managers.address_bits())},
              {"WIRING", wiring.text()},
              {"DESCRIPTOR", by_ports ? dma_descriptor : ""},
              {"JOIN", managers.several() ? dma_join : ""}});
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
