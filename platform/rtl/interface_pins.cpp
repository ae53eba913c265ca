// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/interface_pins.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>

#include "platform/chip/keys.hpp"

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

/// All that can be found by prefix and suffix; of names that fit a pin in the same way, both.
std::map<std::string, Names> fitting(const PinsOf& ports, const InterfaceMap& face) {
  std::map<std::string, Names> exact, loose;
  const auto& known = pin_names(face.protocol);
  for (const auto& prefix : face.prefixes.empty() ? nothing : face.prefixes) {
    const auto names = ports.beginning_with(prefix);
    if (names.empty()) {
      const auto all = ports.names();
      const auto near = chip::nearest(prefix, all);
      ports.refuse(fmt::format("interface {}: no port begins with '{}'{}; it has {}", face.name, prefix,
                               near.empty() ? "" : ", did you mean " + near + "?", fmt::join(all, ", ")));
    }
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
    const auto found = ports.find(name);
    if (!found) {
      const auto all = ports.names();
      const auto near = chip::nearest(name, all);
      ports.refuse(fmt::format("interface {}: no port '{}', which its map names for {}{}", face.name, name,
                               pin, near.empty() ? "" : "; did you mean " + near + "?"));
    }
    pins[pin] = *found;
  }
  // A map that names pins by hand, without a prefix, may name all of them.
  for (const auto& [pin, names] : fitting(ports, face)) {
    if (pins.contains(pin)) continue;
    if (names.size() > 1)
      ports.refuse(fmt::format("interface {}: {} may be {}; say which by prefix, suffix or ports", face.name,
                               pin, fmt::join(names, " or ")));
    if (const auto found = ports.find(names[0])) pins[pin] = *found;
  }
  return pins;
}

}  // namespace forerun::rtl
