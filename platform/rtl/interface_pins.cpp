// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/interface_pins.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

namespace forerun::rtl {
namespace {

using Names = std::vector<std::string>;

std::string plain(std::string_view name) {
  std::string text;
  for (const char c : name)
    if (c != '_' && c != '.') text += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

const Names nothing{""};

/// What stands before the first pins of interfaces that the ports have: "s_axi_", "axi_req_i.".
Names prefixes_in(const PinsOf& ports, Protocol protocol) {
  Names found;
  const auto pins = protocol == Protocol::rvfi          ? Names{"pcrdata", "rdwdata"}
                    : protocol == Protocol::axi4_stream ? Names{"tvalid", "tready"}
                                                        : Names{"awvalid", "arvalid", "awready", "arready"};
  for (const auto& name : ports.beginning_with("", ""))
    for (const auto& pin : pins)
      for (std::size_t at = 0; at < name.size(); ++at)
        if (const auto rest = std::string_view(name).substr(at); rest[0] != '_' && plain(rest) == pin)
          found.push_back(name.substr(0, at));
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::string near_prefix(const PinsOf& ports, const std::string& prefix, Protocol protocol) {
  const auto known = prefixes_in(ports, protocol);
  if (known.size() == 1) return "; did you mean " + known[0] + "?";
  if (auto near = near_miss(prefix, known); !near.empty()) return near;
  return known.empty() ? near_or_all(prefix, ports.names())
                       : fmt::format("; its interfaces begin with {}", fmt::join(known, ", "));
}

/// All that can be found by prefix and suffix; of names that fit a pin in the same way, both.
std::map<std::string, Names> fitting(const PinsOf& ports, const InterfaceMap& face) {
  std::map<std::string, Names> exact, loose;
  const auto& known = pin_names(face.protocol);
  const auto& prefixes = face.prefixes.empty() ? nothing : face.prefixes;
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    const auto& prefix = prefixes[i];
    const auto at = fmt::format("{}/prefix/{}", face.place, i);
    const auto names = ports.beginning_with(prefix, at);
    if (names.empty())
      ports.refuse(at, fmt::format("interface {}: no port begins with '{}'{}", face.name, prefix,
                                   near_prefix(ports, prefix, face.protocol)));
    for (const auto& name : names)
      for (const auto& suffix : face.suffixes.empty() ? nothing : face.suffixes) {
        auto rest = name.substr(prefix.size());
        const bool bits = suffix.starts_with('[') || suffix.starts_with('.');
        if (!bits && !rest.ends_with(suffix)) continue;
        if (!bits) rest.resize(rest.size() - suffix.size());
        const auto key = plain(rest);
        if (std::find(known.begin(), known.end(), key) == known.end()) continue;
        (rest == key ? exact : loose)[key].push_back(bits ? name + suffix : name);
      }
  }
  exact.merge(loose);
  return exact;
}

}  // namespace

std::map<std::string, Pin> interface_pins(const PinsOf& ports, const InterfaceMap& face) {
  std::map<std::string, Pin> pins;
  for (const auto& [pin, name] : face.ports) {
    const auto found = ports.find(name, face.place_of(pin));
    if (!found)
      ports.refuse(face.place_of(pin), fmt::format("interface {}: no port '{}', which its map names for {}{}",
                                                   face.name, name, pin, near_or_all(name, ports.names())));
    pins[pin] = *found;
  }
  // A map that names pins by hand, without a prefix, may name all of them.
  for (const auto& [pin, names] : fitting(ports, face)) {
    if (pins.contains(pin)) continue;
    if (names.size() > 1)
      ports.refuse(face.place_of(pin),
                   fmt::format("interface {}: {} may be {}; say which by prefix, suffix or ports", face.name,
                               pin, fmt::join(names, " or ")));
    if (const auto found = ports.find(names[0], face.place_of(pin))) pins[pin] = *found;
  }
  return pins;
}

}  // namespace forerun::rtl
