// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/pin_map.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <stdexcept>

#include "firmware/abi/command.h"
#include "platform/chip/keys.hpp"
#include "platform/chip/quantity.hpp"
#include "platform/chip/yaml_tree.hpp"
#include "platform/rtl/map_reader.hpp"
#include "platform/rtl/rvfi.hpp"
#include "platform/rtl/signals.hpp"

namespace forerun::rtl {
namespace {

using chip::YamlNode;
using Reader = MapReader;
using Names = std::vector<std::string>;

const Names protocols{"axi4", "axi4-lite", "axi4-stream"},
    roles{"subordinate", "manager", "receiver", "transmitter"};
const Names levels{"low", "high"}, formats{"int8", "bf16", "fp16"}, timings{"model", "own"};
const Names tile_pins{"w_valid", "w_ready", "w_last", "w_data",  "a_valid", "a_ready", "a_last", "a_start",
                      "a_emit",  "a_data",  "a_sum",  "c_valid", "c_ready", "c_last",  "c_data", "idle"};
const Names axi_pins{"awvalid",  "awready", "awid",   "awaddr",   "awlen",  "awsize",  "awburst", "awlock",
                     "awcache",  "awprot",  "awqos",  "awregion", "wvalid", "wready",  "wdata",   "wstrb",
                     "wlast",    "bvalid",  "bready", "bid",      "bresp",  "arvalid", "arready", "arid",
                     "araddr",   "arlen",   "arsize", "arburst",  "arlock", "arcache", "arprot",  "arqos",
                     "arregion", "rvalid",  "rready", "rid",      "rdata",  "rresp",   "rlast"};
/// In the order of DmaValue, whose names the first is not among.
const Names dma_values{"number", "source",        "destination",        "bytes",
                       "rows",   "source_stride", "destination_stride", "descriptor"};
const Names dma_pins{"start", "ready", "source",        "destination",
                     "bytes", "rows",  "source_stride", "destination_stride",
                     "done",  "error"};
const Names vector_pins{"cmd_valid",  "cmd_ready", "cmd_op",   "cmd_a_type", "cmd_b_type", "cmd_c_type",
                        "cmd_d_type", "cmd_flags", "cmd_rows", "cmd_cols",   "cmd_arg0",   "cmd_arg1",
                        "cmd_arg2",   "cmd_arg3",  "a_valid",  "a_ready",    "a_data",     "b_valid",
                        "b_ready",    "b_data",    "c_valid",  "c_ready",    "c_data",     "d_valid",
                        "d_ready",    "d_last",    "d_data",   "d_scale"};
#define FR_X(NAME, NUMBER, ...) {#NAME, NUMBER},
const std::vector<std::pair<const char*, std::uint8_t>> operations{FR_VECTOR_OPS(FR_X)};
#undef FR_X
/// Of whole bytes.
#define FR_X(NAME, NUMBER, BITS, ...) {BITS % 8 == 0 ? #NAME : "", NUMBER},
const std::vector<std::pair<const char*, std::uint8_t>> types{FR_TYPES(FR_X)};
#undef FR_X
const Names stream_pins{"tvalid", "tready", "tdata", "tkeep", "tstrb", "tlast", "tid", "tdest"};

/// One of several interfaces: "{n}" in names of ports becomes its number.
InterfaceMap numbered(InterfaceMap face, unsigned number) {
  const auto text = std::to_string(number);
  const auto put = [&](std::string& name) {
    for (auto at = name.find("{n}"); at != std::string::npos; at = name.find("{n}", at))
      name.replace(at, 3, text);
  };
  face.name += text;
  for (auto* names : {&face.prefixes, &face.suffixes})
    for (auto& name : *names) put(name);
  for (auto& [pin, port] : face.ports) put(port);
  return face;
}

/// @param count set to how many there are; 0: the one
InterfaceMap read_interface(Reader& reader, const std::string& name, const YamlNode& node, unsigned& count) {
  InterfaceMap face;
  face.name = name;
  face.place = "interfaces/" + name;
  bool protocol = false, role = false;
  const YamlNode* ports = nullptr;
  reader.map(
      node,
      {{"protocol",
        [&](const YamlNode& n) {
          face.protocol = static_cast<Protocol>(reader.choice(n, protocols)), protocol = true;
        }},
       {"role",
        [&](const YamlNode& n) { face.role = static_cast<Role>(reader.choice(n, roles)), role = true; }},
       {"prefix", [&](const YamlNode& n) { reader.texts(n, face.prefixes); }},
       {"suffix", [&](const YamlNode& n) { reader.texts(n, face.suffixes); }},
       {"ports", [&](const YamlNode& n) { ports = &n; }},
       {"count", [&](const YamlNode& n) { count = static_cast<unsigned>(reader.number(n, 1, 1024)); }},
       {"data_bits",
        [&](const YamlNode& n) {
          face.data_bits = static_cast<unsigned>(reader.number(n, 8, 1024));
          if (!std::has_single_bit(face.data_bits)) reader.wrong(n, "a power of two from 8 to 1024");
        }},
       {"address_bits",
        [&](const YamlNode& n) { face.address_bits = static_cast<unsigned>(reader.number(n, 1, 64)); }},
       {"id_bits", [&](const YamlNode& n) { face.id_bits = static_cast<unsigned>(reader.number(n, 0, 32)); }},
       {"offset", [&](const YamlNode& n) { face.offset = reader.number(n, 0, ~std::uint64_t{0}); }}});
  if (!protocol)
    reader.problem(node,
                   fmt::format("{}: protocol is missing, expected {}", name, fmt::join(protocols, " or ")));
  if (!role)
    reader.problem(node, fmt::format("{}: role is missing, expected {}", name, fmt::join(roles, " or ")));
  const bool stream = face.protocol == Protocol::axi4_stream;
  if (protocol && role && stream != (face.role >= Role::receiver))
    reader.problem(node, fmt::format("{}: role is {}, but an interface of {} is {}", name,
                                     roles[static_cast<unsigned>(face.role)],
                                     protocols[static_cast<unsigned>(face.protocol)],
                                     stream ? "receiver or transmitter" : "subordinate or manager"));
  if (ports != nullptr) reader.names(*ports, face.ports, pin_names(face.protocol));
  return face;
}

Bundle read_bundle(Reader& reader, const YamlNode& node) {
  Bundle bundle;
  reader.map(node, {{"interface",
                     [&](const YamlNode& n) {
                       reader.text(n, bundle.interface);
                       const auto dot = bundle.interface.find('.');
                       if (dot == std::string::npos) return;
                       bundle.modport = bundle.interface.substr(dot + 1);
                       bundle.interface.resize(dot);
                     }},
                    {"parameters", [&](const YamlNode& n) { reader.names(n, bundle.parameters, {}); }},
                    {"ports", [&](const YamlNode& n) { reader.names(n, bundle.ports, {}); }}});
  if (bundle.interface.empty())
    reader.problem(
        node, "interface is missing, expected the name of a SystemVerilog interface, such as AXI_BUS.Slave");
  return bundle;
}

std::vector<DmaWrite> read_writes(Reader& reader, const YamlNode& node) {
  std::vector<DmaWrite> writes;
  if (node.kind != YamlNode::Kind::list) {
    reader.wrong(node, "a list of writes, such as [{at: 0x10, write: source, bits: 64}, {at: 0, write: 1}]");
    return writes;
  }
  for (const auto& item : node.items) {
    DmaWrite write;
    bool at = false, value = false;
    reader.map(
        item,
        {{"at", [&](const YamlNode& n) { write.at = reader.number(n, 0, ~std::uint64_t{0}), at = true; }},
         {"bits",
          [&](const YamlNode& n) {
            write.bits = static_cast<unsigned>(reader.number(n, 8, 64));
            if (write.bits != 8 && write.bits != 16 && write.bits != 32 && write.bits != 64)
              reader.wrong(n, "8, 16, 32 or 64");
          }},
         {"write", [&](const YamlNode& n) {
            value = true;
            const auto named = std::find(dma_values.begin() + 1, dma_values.end(), n.text);
            if (named != dma_values.end())
              write.value = static_cast<DmaValue>(named - dma_values.begin());
            else if (!n.text.empty() && (n.text[0] < '0' || n.text[0] > '9'))
              reader.unknown(n, "value", {dma_values.begin() + 1, dma_values.end()});
            else
              write.number = reader.number(n, 0, ~std::uint64_t{0});
          }}});
    if (!at || !value) reader.problem(item, "expected a write, such as {at: 0x10, write: source, bits: 64}");
    writes.push_back(write);
  }
  return writes;
}

DmaMap read_dma(Reader& reader, const YamlNode& node) {
  DmaMap dma;
  const auto writes = [&](std::vector<DmaWrite>& to) {
    return [&](const YamlNode& n) { to = read_writes(reader, n); };
  };
  reader.map(node, {{"setup", writes(dma.setup)},
                    {"start", writes(dma.start)},
                    {"end", writes(dma.end)},
                    {"descriptor", writes(dma.descriptor)},
                    {"status",
                     [&](const YamlNode& n) {
                       DmaMap::Status status;
                       const auto number = [&](std::uint64_t& to) {
                         return [&](const YamlNode& v) { to = reader.number(v, 0, ~std::uint64_t{0}); };
                       };
                       reader.map(n, {{"at", number(status.at)},
                                      {"done", number(status.done)},
                                      {"error", number(status.error)}});
                       dma.status = status;
                     }},
                    {"ports", [&](const YamlNode& n) { reader.names(n, dma.ports, dma_pins); }},
                    {"alignment",
                     [&](const YamlNode& n) {
                       dma.alignment = reader.number(n, 1, 4096);
                       if (!std::has_single_bit(dma.alignment))
                         reader.wrong(n, "a power of two from 1 to 4096");
                     }},
                    {"most_bytes", [&](const YamlNode& n) {
                       dma.most_bytes = reader.number(n, 4096, ~std::uint64_t{0});
                     }}});
  if (dma.start.empty() == dma.ports.empty())
    reader.problem(
        node,
        "dma: expected either start, a list of writes to registers, or ports, which carry a descriptor");
  for (const auto* pin : {"start", "source", "destination", "bytes", "done"})
    if (!dma.ports.empty() && !dma.ports.contains(pin))
      reader.problem(node, fmt::format("dma: ports: {} is missing", pin));
  if (dma.descriptor.empty() == dma.takes(DmaValue::descriptor))
    reader.problem(node, dma.descriptor.empty()
                             ? "dma: the address of a descriptor is written, but there is no descriptor"
                             : "dma: there is a descriptor, but start writes its address nowhere: "
                               "{at: ..., write: descriptor}");
  for (const auto& w : dma.descriptor)
    if (w.value == DmaValue::descriptor || w.at + w.bits / 8 > DmaMap::descriptor_bytes)
      reader.problem(
          node,
          fmt::format("dma: descriptor: at {:#x}: expected a value other than descriptor, within {} bytes",
                      w.at, DmaMap::descriptor_bytes));
  for (const auto value : {DmaValue::source, DmaValue::destination, DmaValue::bytes})
    if (!dma.start.empty() && !dma.takes(value))
      reader.problem(node,
                     fmt::format("dma: start: no write of {}", dma_values[static_cast<unsigned>(value)]));
  if (dma.takes(DmaValue::rows) &&
      (!dma.takes(DmaValue::source_stride) || !dma.takes(DmaValue::destination_stride)))
    reader.problem(node, "dma: rows are given without source_stride and destination_stride");
  return dma;
}

std::vector<std::uint8_t> read_codes(Reader& reader, const YamlNode& node,
                                     const std::vector<std::pair<const char*, std::uint8_t>>& known) {
  std::vector<std::uint8_t> codes;
  if (node.kind != YamlNode::Kind::list) {
    reader.wrong(node, "a list of names");
    return codes;
  }
  std::map<std::string, std::uint8_t> by_name;
  Names names;
  for (const auto& [name, code] : known) {
    std::string lower = name;
    for (auto& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (!lower.empty() && by_name.emplace(lower, code).second) names.push_back(lower);
  }
  for (const auto& item : node.items) {
    const auto found = by_name.find(item.text);
    if (found == by_name.end())
      reader.unknown(item, "name", names);
    else
      codes.push_back(found->second);
  }
  return codes;
}

VectorMap read_vector(Reader& reader, const YamlNode& node) {
  VectorMap vector;
  reader.map(
      node,
      {{"operations", [&](const YamlNode& n) { vector.operations = read_codes(reader, n, operations); }},
       {"types", [&](const YamlNode& n) { vector.types = read_codes(reader, n, types); }},
       {"columns", [&](const YamlNode& n) { vector.columns = reader.number(n, 1, ~std::uint64_t{0}); }},
       {"timing", [&](const YamlNode& n) { vector.own_timing = reader.choice(n, timings) == 1; }}});
  if (vector.operations.empty() || vector.types.empty())
    reader.problem(
        node, "vector: expected operations and types, such as {operations: [add, mul], types: [f32, f16]}");
  if (std::find(vector.operations.begin(), vector.operations.end(), FR_VECTOR_ONLINE_SOFTMAX) !=
      vector.operations.end())
    reader.problem(node,
                   "vector: online_softmax is always left to the model, because the boundary has no place for "
                   "the state of a row; expected operations without it");
  return vector;
}

}  // namespace

const std::vector<std::string>& pin_names(Protocol protocol) {
  static const auto rvfi_pins = rvfi_pin_names(true);
  return protocol == Protocol::rvfi ? rvfi_pins : protocol == Protocol::axi4_stream ? stream_pins : axi_pins;
}

bool DmaMap::takes(DmaValue value) const {
  const auto is = [&](const DmaWrite& w) { return w.value == value; };
  return ports.contains(dma_values[static_cast<unsigned>(value)]) ||
         std::any_of(start.begin(), start.end(), is) || std::any_of(descriptor.begin(), descriptor.end(), is);
}

PinMap PinMap::parse(const std::string& text, const std::string& file) {
  PinMap map;
  Reader reader(file);
  YamlNode root;
  try {
    root = chip::parse_yaml(text);
  } catch (const chip::YamlError& error) {
    throw std::runtime_error(fmt::format("{}:{}:{}: {}", file, error.line, error.column, error.what()));
  }
  map.places = MapPlaces(file, root);
  if (root.kind == YamlNode::Kind::nothing) return map;
  const auto name = [&](std::string& to) { return [&](const YamlNode& n) { reader.text(n, to); }; };
  reader.map(
      root,
      {{"remote",
        [&](const YamlNode& n) {
          if (!n.text.starts_with("unix:") && !n.text.starts_with("tcp:"))
            return reader.wrong(n, "an address such as unix:block.socket or tcp:localhost:7000");
          map.remote = n.text;
        }},
       {"clock", [&](const YamlNode& n) { reader.texts(n, map.clocks); }},
       {"clock_frequency",
        [&](const YamlNode& n) {
          std::string detail;
          const auto value = chip::parse<Frequency>(n.text, detail);
          if (!value || value->hertz < 1e3 || value->hertz > 20e9)
            return reader.wrong(n, "a frequency from 1 kHz to 20 GHz, such as 500 MHz");
          map.frequency = *value;
        }},
       {"reset",
        [&](const YamlNode& n) {
          const bool none = n.kind == YamlNode::Kind::list && n.items.empty();
          if (none)
            map.resets.clear();
          else
            reader.texts(n, map.resets);
        }},
       {"reset_active", [&](const YamlNode& n) { map.reset_high = reader.choice(n, levels) == 1; }},
       {"reset_cycles",
        [&](const YamlNode& n) { map.reset_cycles = static_cast<unsigned>(reader.number(n, 1, 1'000'000)); }},
       {"idle", name(map.idle)},
       {"idle_active", [&](const YamlNode& n) { map.idle_high = reader.choice(n, levels) == 1; }},
       {"interrupt", name(map.interrupt)},
       {"interrupt_active", [&](const YamlNode& n) { map.interrupt_high = reader.choice(n, levels) == 1; }},
       {"parameters", [&](const YamlNode& n) { reader.names(n, map.parameters, {}); }},
       {"bundles",
        [&](const YamlNode& n) {
          if (n.kind != YamlNode::Kind::map) return reader.wrong(n, "a map of ports");
          for (std::size_t i = 0; i < n.names.size(); ++i)
            map.bundles[n.names[i].text] = read_bundle(reader, n.items[i]);
        }},
       {"constants",
        [&](const YamlNode& n) {
          if (n.kind != YamlNode::Kind::map) return reader.wrong(n, "a map of ports and numbers");
          for (std::size_t i = 0; i < n.names.size(); ++i)
            map.constants[n.names[i].text] = reader.number(n.items[i], 0, ~std::uint64_t{0});
        }},
       {"ports",
        [&](const YamlNode& n) {
          auto known = tile_pins;
          known.insert(known.end(), vector_pins.begin(), vector_pins.end());
          reader.names(n, map.ports, known);
        }},
       {"tile",
        [&](const YamlNode& n) {
          map.tile = TileMap{};
          bool format = false;
          reader.map(
              n,
              {{"format",
                [&](const YamlNode& f) { map.tile->format = reader.choice(f, formats), format = true; }},
               {"timing", [&](const YamlNode& t) { map.tile->own_timing = reader.choice(t, timings) == 1; }},
               {"depth", [&](const YamlNode& d) {
                  map.tile->depth = static_cast<unsigned>(reader.number(d, 0, 1u << 20));
                }}});
          if (!format) reader.problem(n, "tile: format is missing, expected int8 or bf16 or fp16");
        }},
       {"vector", [&](const YamlNode& n) { map.vector = read_vector(reader, n); }},
       {"noc",
        [&](const YamlNode& n) {
          map.noc = NocMap{};
          reader.map(n, {{"addresses",
                          [&](const YamlNode& a) {
                            map.noc->chip_addresses = reader.choice(a, {"ports", "chip"}) == 1;
                          }},
                         {"port_bit", [&](const YamlNode& b) {
                            map.noc->port_bit = static_cast<unsigned>(reader.number(b, 12, 63));
                          }}});
        }},
       {"dma", [&](const YamlNode& n) { map.dma = read_dma(reader, n); }},
       {"rvfi", [&](const YamlNode& n) { map.rvfi = read_rvfi(reader, n); }},
       {"signals",
        [&](const YamlNode& n) {
          Names known;
          for (const auto& kind : signal_kinds()) known.emplace_back(kind.name);
          reader.names(n, map.signals, known);
        }},
       {"not_compared",
        [&](const YamlNode& n) {
          if (n.kind != YamlNode::Kind::list) return reader.wrong(n, "a list of addresses");
          for (const auto& item : n.items)
            map.not_compared.push_back(reader.number(item, 0, ~std::uint64_t{0}));
        }},
       {"tolerance",
        [&](const YamlNode& n) {
          map.tolerance = Tolerance{};
          reader.map(n, {{"cycles",
                          [&](const YamlNode& c) { map.tolerance->cycles = reader.number(c, 0, 1'000'000); }},
                         {"percent", [&](const YamlNode& c) {
                            map.tolerance->percent = static_cast<unsigned>(reader.number(c, 0, 1000));
                          }}});
        }},
       {"interfaces", [&](const YamlNode& n) {
          if (n.kind != YamlNode::Kind::map) return reader.wrong(n, "a map of interfaces");
          for (std::size_t i = 0; i < n.names.size(); ++i) {
            unsigned count = 0;
            const auto face = read_interface(reader, n.names[i].text, n.items[i], count);
            if (count == 0) map.interfaces.push_back(face);
            for (unsigned number = 0; number < count; ++number)
              map.interfaces.push_back(numbered(face, number));
          }
        }}});
  if (map.dma && map.dma->ports.empty() && !map.dma->status && map.interrupt.empty())
    reader.problem(root, "dma: neither a status nor an interrupt tells the end of a copy");
  reader.finish();
  return map;
}

std::string InterfaceMap::place_of(const std::string& pin) const {
  return ports.contains(pin) ? place + "/ports/" + pin : place + (prefixes.empty() ? "" : "/prefix");
}

std::string PinMap::name_of(const std::string& pin) const {
  const auto found = ports.find(pin);
  return found == ports.end() ? pin : found->second;
}

const InterfaceMap* PinMap::find(Protocol protocol, Role role) const {
  const auto found = std::find_if(interfaces.begin(), interfaces.end(), [&](const InterfaceMap& f) {
    return f.protocol == protocol && f.role == role;
  });
  return found == interfaces.end() ? nullptr : &*found;
}

}  // namespace forerun::rtl
