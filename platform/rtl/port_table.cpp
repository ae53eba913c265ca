// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/port_table.hpp"

#include <fmt/format.h>

#include <regex>
#include <stdexcept>

namespace forerun::rtl {
namespace {

/// Verilator writes characters that C++ does not have, and the second of two underscores, as __0XX.
std::string decoded(const std::string& member) {
  std::string name;
  for (std::size_t i = 0; i < member.size(); ++i) {
    if (member.compare(i, 3, "__0") == 0 && i + 4 < member.size() &&
        std::isxdigit(static_cast<unsigned char>(member[i + 3])) &&
        std::isxdigit(static_cast<unsigned char>(member[i + 4]))) {
      name += static_cast<char>(std::stoi(member.substr(i + 3, 2), nullptr, 16));
      i += 4;
    } else {
      name += member[i];
    }
  }
  return name;
}

}  // namespace

std::vector<Port> read_ports(const std::string& header, const std::string& top) {
  static const std::regex declaration(
      R"(VL_(IN|OUT|INOUT)(8|16|64|W)?\(([^,]+),([0-9]+),([0-9]+)(,[0-9]+)?\);)");
  static const std::regex plain(R"(&?([A-Za-z_][A-Za-z0-9_]*))");
  std::vector<Port> ports;
  for (std::sregex_iterator at(header.begin(), header.end(), declaration), end; at != end; ++at) {
    const auto& match = *at;
    std::smatch member;
    const auto text = match[3].str();
    if (!std::regex_match(text, member, plain))
      throw std::runtime_error(
          fmt::format("{}: port {} is an unpacked array, which cannot be mapped; put it into a packed "
                      "vector in a wrapper module",
                      top, text));
    if (match[1] == "INOUT")
      throw std::runtime_error(
          fmt::format("{}: port {} is an inout, expected inputs and outputs", top, member[1].str()));
    ports.push_back({decoded(member[1]), member[1], match[1] == "IN",
                     static_cast<unsigned>(std::stoul(match[4]) - std::stoul(match[5]) + 1)});
  }
  if (ports.empty()) throw std::runtime_error(top + ": a module without ports");
  return ports;
}

}  // namespace forerun::rtl
