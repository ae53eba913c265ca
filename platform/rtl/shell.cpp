// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/shell.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <regex>
#include <stdexcept>

namespace forerun::rtl {
namespace {

/// A line each, with the place in the pin map that it comes from.
std::string parameter_list(const std::map<std::string, std::string>& parameters, const std::string& place) {
  std::string text;
  for (const auto& [name, value] : parameters)
    text += fmt::format("\n      {}.{}({}){}{}/{}", text.empty() ? "" : ", ", name, value, shell_mark, place,
                        name);
  return text.empty() ? "" : " #(" + text + "\n    )";
}

/// The instance of an interface.
std::string instance(const std::string& port, const Bundle& bundle, const std::string& own) {
  const auto place = "bundles/" + port;
  return fmt::format("  {}{}{}\n   {} {} ({});{}{}\n", bundle.interface, shell_mark, place,
                     parameter_list(bundle.parameters, place + "/parameters"), port, own, shell_mark, place);
}

/// The unpacked dimensions at the front of a type: "(0:2)[7:0]" has " [0:2]".
std::string unpacked(const std::string& type) {
  std::string dimensions;
  for (std::size_t at = 0; at < type.size() && type[at] == '(';) {
    const auto end = type.find(')', at);
    dimensions += " [" + type.substr(at + 1, end - at - 1) + "]";
    at = end + 1;
  }
  return dimensions;
}

}  // namespace

bool is_literal(const std::string& value) {
  static const std::regex literal(R"(-?[0-9][0-9_]*(\.[0-9]+)?|-?[0-9]*'[sS]?[bodhBODH][0-9a-fA-F_]+|".*")");
  return std::regex_match(value, literal);
}

std::string empty_shell(const ShellRequest& request) {
  std::string text = fmt::format("module {};\n", shell_module), connections;
  for (const auto& [port, bundle] : request.bundles) {
    text += instance(port, bundle, "");
    connections += fmt::format("\n    {}.{}({}){}bundles/{}", connections.empty() ? "" : ", ", port, port,
                               shell_mark, port);
  }
  return text + fmt::format("  {}{} forerun_block ({}\n  );\nendmodule\n", request.top,
                            parameter_list(request.parameters, "parameters"), connections);
}

Shell make_shell(const ShellRequest& request, const Design& design) {
  Shell shell;
  std::string declared, bundles, connections;
  const auto declare = [&](const std::string& name, const std::string& type, bool input, unsigned bits) {
    const auto member = fmt::format("port{}", shell.ports.size());
    declared += fmt::format("{}\n    {} wire [{}:0] {}{}", declared.empty() ? "" : ",",
                            input ? "input" : "output", bits - 1, member, unpacked(type));
    shell.ports.push_back({name, member, input, bits, type});
    return member;
  };
  const auto connect = [&](const std::string& port, const std::string& to) {
    connections += fmt::format("{}\n    .\\{} ({})", connections.empty() ? "" : ",", port, to);
  };
  for (const auto& port : design.ports)
    connect(port.name, declare(port.name, port.type, port.input, port.bits));
  for (const auto& [port, signals] : design.interfaces) {
    const auto& bundle = request.bundles.at(port);
    std::string own;
    for (const auto& [pin, to] : bundle.ports) {
      const auto found = std::find_if(shell.ports.begin(), shell.ports.end(),
                                      [&to = to](const Port& p) { return p.name == to; });
      if (found == shell.ports.end() || !found->input)
        throw std::runtime_error(
            fmt::format("bundles: {}: port {} of {} is to be {}, which is no input of module {}", port, pin,
                        bundle.interface, to, request.top));
      own += fmt::format("{}.{}({})", own.empty() ? "" : ", ", pin, found->member);
    }
    bundles += instance(port, bundle, own);
    connect(port, port);
    for (const auto& signal : signals) {
      const bool input = signal.direction == Signal::Direction::input;
      const auto member = declare(port + "." + signal.name, signal.type, input, signal.bits);
      bundles += input ? fmt::format("  assign {}.{} = {};\n", port, signal.name, member)
                       : fmt::format("  assign {} = {}.{};\n", member, port, signal.name);
    }
  }
  shell.text =
      fmt::format("module {} ({}\n);\n{}  {}{} forerun_block ({}\n  );\nendmodule\n", shell_module, declared,
                  bundles, request.top, parameter_list(request.parameters, "parameters"), connections);
  return shell;
}

}  // namespace forerun::rtl
