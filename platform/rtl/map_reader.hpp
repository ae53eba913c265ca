// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "platform/chip/keys.hpp"
#include "platform/chip/yaml_tree.hpp"

namespace forerun::rtl {

/// Reads values, and notes what is wrong with them.
class MapReader {
 public:
  explicit MapReader(std::string file) : file_(std::move(file)) {}

  using Handlers = std::map<std::string, std::function<void(const chip::YamlNode&)>>;

  void problem(const chip::YamlNode& at, const std::string& text) {
    problems_ +=
        fmt::format("{}{}:{}:{}: {}", problems_.empty() ? "" : "\n", file_, at.line, at.column, text);
  }
  void wrong(const chip::YamlNode& at, const std::string& expected) {
    problem(at, fmt::format("found {}, expected {}",
                            at.kind == chip::YamlNode::Kind::scalar ? "'" + at.text + "'"
                            : at.kind == chip::YamlNode::Kind::list ? "a list"
                            : at.kind == chip::YamlNode::Kind::map  ? "a map of keys"
                                                                    : "nothing",
                            expected));
  }
  void map(const chip::YamlNode& node, const Handlers& handlers) {
    if (node.kind != chip::YamlNode::Kind::map) return wrong(node, "a map of keys");
    for (std::size_t i = 0; i < node.names.size(); ++i) {
      const auto& name = node.names[i].text;
      if (const auto found = handlers.find(name); found != handlers.end()) {
        found->second(node.items[i].kind == chip::YamlNode::Kind::nothing ? node.names[i] : node.items[i]);
        continue;
      }
      std::vector<std::string> known;
      for (const auto& [key, handler] : handlers) known.push_back(key);
      unknown(node.names[i], "key", known);
    }
  }
  void unknown(const chip::YamlNode& at, const char* what, const std::vector<std::string>& known) {
    const auto near = chip::nearest(at.text, known);
    problem(at, near.empty() ? fmt::format("unknown {} '{}', expected one of {}", what, at.text,
                                           fmt::join(known, ", "))
                             : fmt::format("unknown {} '{}'; did you mean {}?", what, at.text, near));
  }
  void text(const chip::YamlNode& node, std::string& to) {
    if (node.kind != chip::YamlNode::Kind::scalar || node.text.empty())
      return wrong(node, "the name of a port");
    to = node.text;
  }
  /// One or a list.
  void texts(const chip::YamlNode& node, std::vector<std::string>& to) {
    to.assign(1, {});
    if (node.kind != chip::YamlNode::Kind::list) return text(node, to[0]);
    if (node.items.empty()) return wrong(node, "a name or a list of names");
    to.resize(node.items.size());
    for (std::size_t i = 0; i < to.size(); ++i) text(node.items[i], to[i]);
  }
  unsigned choice(const chip::YamlNode& node, const std::vector<std::string>& names) {
    const auto found = std::find(names.begin(), names.end(), node.text);
    if (node.kind == chip::YamlNode::Kind::scalar && found != names.end())
      return static_cast<unsigned>(found - names.begin());
    wrong(node, fmt::format("{}", fmt::join(names, " or ")));
    return 0;
  }
  std::uint64_t number(const chip::YamlNode& node, std::uint64_t low, std::uint64_t high) {
    const bool hex = node.text.starts_with("0x");
    std::uint64_t value = 0;
    const char *begin = node.text.data() + (hex ? 2 : 0), *end = node.text.data() + node.text.size();
    const auto [stop, error] = std::from_chars(begin, end, value, hex ? 16 : 10);
    if (node.kind == chip::YamlNode::Kind::scalar && error == std::errc() && stop == end && value >= low &&
        value <= high)
      return value;
    wrong(node, fmt::format("a whole number from {} to {}", low, high));
    return low;
  }
  /// A map of names; all of them known if there are any.
  void names(const chip::YamlNode& node, std::map<std::string, std::string>& to,
             const std::vector<std::string>& known) {
    if (node.kind != chip::YamlNode::Kind::map) return wrong(node, "a map of names");
    for (std::size_t i = 0; i < node.names.size(); ++i) {
      if (!known.empty() && std::find(known.begin(), known.end(), node.names[i].text) == known.end())
        unknown(node.names[i], "pin", known);
      else if (node.items[i].kind != chip::YamlNode::Kind::scalar)
        wrong(node.names[i], "a name and a value");
      else
        to[node.names[i].text] = node.items[i].text;
    }
  }
  void finish() const {
    if (!problems_.empty()) throw std::runtime_error(problems_);
  }

 private:
  std::string file_, problems_;
};

}  // namespace forerun::rtl
