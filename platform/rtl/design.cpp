// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/design.hpp"

#include <fmt/format.h>

#include <boost/property_tree/ptree.hpp>
#include <boost/property_tree/xml_parser.hpp>
#include <cstdint>
#include <regex>
#include <stdexcept>

#include "platform/rtl/port_type.hpp"

namespace forerun::rtl {
namespace {

using Node = boost::property_tree::ptree;

std::string attribute(const Node& node, const char* name) {
  return node.get<std::string>(std::string("<xmlattr>.") + name, "");
}

class DesignReader {
 public:
  DesignReader(const std::string& file, std::string module, std::map<std::string, std::string> modports)
      : module_(std::move(module)), modports_(std::move(modports)) {
    Node tree;
    boost::property_tree::read_xml(file, tree);
    netlist_ = tree.get_child("verilator_xml.netlist");
    for (const auto& [kind, node] : netlist_.get_child("typetable"))
      if (kind != "<xmlattr>") types_[attribute(node, "id")] = {kind, &node};
  }

  Design read() {
    Design design;
    const Node* const module = find("module", "origName", module_);
    if (module == nullptr) wrong("is not in the design that Verilator has read");
    for (const auto& [kind, node] : *module) {
      if (kind != "var") continue;
      const auto name = attribute(node, "name"), direction = attribute(node, "dir");
      if (const auto& [type_kind, type_node] = type_of(attribute(node, "dtype_id"));
          direction.empty() && type_kind == "ifacerefdtype") {
        if (!name.ends_with("__Viftop")) design.interfaces[name] = signals(name, *type_node);
        continue;
      }
      if (direction.empty()) continue;
      if (direction == "inout") wrong(fmt::format("port {} is an inout, expected inputs and outputs", name));
      Port port{name, attribute(node, "origName"), direction == "input", 1, {}};
      port.type = text_of(attribute(node, "dtype_id"), name);
      port.bits = PortType::parse(port.type).bits;
      design.ports.push_back(std::move(port));
    }
    if (design.ports.empty()) wrong("has no ports");
    return design;
  }

 private:
  struct Type {
    std::string kind;
    const Node* node = nullptr;
  };
  [[noreturn]] void wrong(const std::string& text) const {
    throw std::runtime_error(fmt::format("module {}: {}", module_, text));
  }
  const Node* find(const char* kind, const char* by, const std::string& value) const {
    for (const auto& [node_kind, node] : netlist_)
      if (node_kind == kind && attribute(node, by) == value) return &node;
    return nullptr;
  }
  const Type& type_of(const std::string& id) const {
    const auto found = types_.find(id);
    if (found == types_.end()) wrong(fmt::format("Verilator's XML has no type {}", id));
    return found->second;
  }
  static int bound(const Node& constant) {  // "32'sh1f"
    const auto text = attribute(constant, "name");
    const auto h = text.find('h');
    return static_cast<int>(static_cast<std::uint32_t>(std::stoul(text.substr(h + 1), nullptr, 16)));
  }
  std::string text_of(const std::string& id, const std::string& port) const {
    const auto& [kind, node] = type_of(id);
    if (kind == "basicdtype") {
      const auto name = attribute(*node, "name"), left = attribute(*node, "left");
      if (name == "real" || name == "string" || name == "chandle" || name == "event")
        wrong(fmt::format("port {} is a {}, expected bits", port, name));
      return left.empty() ? "" : fmt::format("[{}:{}]", left, attribute(*node, "right"));
    }
    if (kind == "packarraydtype" || kind == "unpackarraydtype") {
      const Node* first = nullptr;
      const Node* second = nullptr;
      for (const auto& [part, constant] : node->get_child("range"))
        if (part == "const") (first == nullptr ? first : second) = &constant;
      if (second == nullptr) wrong(fmt::format("port {}: the bounds of an array are no numbers", port));
      const auto bounds = fmt::format("{}:{}", bound(*first), bound(*second));
      auto element = text_of(attribute(*node, "sub_dtype_id"), port);
      if (kind == "unpackarraydtype") return fmt::format("({}){}", bounds, element);
      if (element.empty()) element = "[0:0]";
      return fmt::format("[{}]{}", bounds, element);
    }
    if (kind == "structdtype" || kind == "uniondtype") {
      std::string members;
      for (const auto& [part, member] : *node)
        if (part == "memberdtype")
          members += fmt::format("{}{};", attribute(member, "name"),
                                 text_of(attribute(member, "sub_dtype_id"), port));
      return kind == "structdtype" ? "{" + members + "}" : "<" + members + ">";
    }
    if (const auto sub = attribute(*node, "sub_dtype_id"); !sub.empty())
      return text_of(sub, port);  // names, enums
    wrong(fmt::format("port {} has a type that cannot be mapped ({})", port, kind));
  }

  /// The interface that the port's instance is connected to in the shell, by the place of its declaration.
  std::vector<Signal> signals(const std::string& port, const Node& reference) const {
    const Node* instance = nullptr;
    for (const auto& [kind, module] : netlist_)
      if (kind == "module" && attribute(module, "topModule") == "1")
        for (const auto& [part, node] : module)
          if (part == "instance" && attribute(node, "origName") == port) instance = &node;
    const Node* const face =
        instance == nullptr ? nullptr : find("iface", "name", attribute(*instance, "defName"));
    if (face == nullptr)
      wrong(fmt::format("port {} is an interface that Verilator's XML does not have", port));
    std::map<std::string, Signal::Direction> directions;
    auto modport = attribute(reference, "modportname");
    if (const auto own = modports_.find(port); modport.empty() && own != modports_.end())
      modport = own->second;
    for (const auto& [kind, node] : *face)
      if (kind == "modport" && attribute(node, "name") == modport)
        for (const auto& [part, signal] : node)
          if (part == "modportvarref")
            directions[attribute(signal, "name")] =
                attribute(signal, "direction") == "in" ? Signal::Direction::input : Signal::Direction::output;
    if (directions.empty())
      wrong(fmt::format(
          "port {} has no modport{}, so that nothing says which of its signals are inputs; name one in the "
          "pin map: bundles: {{{}: {{interface: {}.Slave}}}}",
          port, modport.empty() ? "" : " " + modport, port, attribute(*face, "origName")));
    std::vector<Signal> all;
    for (const auto& [kind, node] : *face) {
      const auto name = attribute(node, "name");
      if (kind != "var" || !directions.contains(name) || !attribute(node, "dir").empty()) continue;
      auto type = text_of(attribute(node, "dtype_id"), port + "." + name);
      const auto bits = PortType::parse(type).bits;
      all.push_back({name, std::move(type), bits, directions[name]});
    }
    return all;
  }

  std::string module_;
  std::map<std::string, std::string> modports_;
  Node netlist_;
  std::map<std::string, Type> types_;
};

}  // namespace

Design read_design(const std::string& xml_file, const std::string& module,
                   const std::map<std::string, std::string>& modports) {
  return DesignReader(xml_file, module, modports).read();
}

void check_header(const std::string& header, const std::vector<Port>& ports, const std::string& top) {
  static const std::regex declaration(
      R"(VL_(?:IN|OUT)(?:8|16|64|W)?\(\(?&([A-Za-z0-9_]+)[^,]*,(-?[0-9]+),(-?[0-9]+))");
  std::map<std::string, unsigned> declared;
  for (std::sregex_iterator at(header.begin(), header.end(), declaration), end; at != end; ++at)
    declared[(*at)[1]] = static_cast<unsigned>(std::stoi((*at)[2]) - std::stoi((*at)[3]) + 1);
  for (const auto& port : ports)
    if (const auto found = declared.find(port.member); found == declared.end() || found->second != port.bits)
      throw std::runtime_error(
          fmt::format("module {}: port {} is no vector, packed struct or array of them (an unpacked "
                      "struct?); pack it in a wrapper",
                      top, port.name));
}

}  // namespace forerun::rtl
