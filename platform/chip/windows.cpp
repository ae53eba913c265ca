// SPDX-License-Identifier: Apache-2.0
#include "platform/chip/windows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

#include "platform/chip/address_map.hpp"
#include "platform/chip/keys.hpp"
#include "platform/chip/names.hpp"
#include "platform/chip/quantity.hpp"

namespace forerun::chip {
namespace {

constexpr std::string_view a_name = "a name of up to 31 letters, digits and . _ + -, unlike the others'",
                           some_clusters = "all or a list of clusters, each once, such as [0-3, 8]",
                           a_target = "memory or a cluster such as cluster0",
                           an_amount = "an amount of memory, such as 64 KiB";

std::optional<unsigned> cluster_number(std::string_view text) {
  unsigned value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || at != text.data() + text.size() ||
      value >= address_map::max_clusters)
    return std::nullopt;
  return value;
}

/// "3" or "0-3".
bool add_clusters(std::string_view text, std::vector<unsigned>& clusters) {
  const auto dash = text.find('-');
  const auto first = cluster_number(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : cluster_number(text.substr(dash + 1));
  if (!first || !last || *last < *first) return false;
  for (auto i = *first; i <= *last; ++i) {
    if (std::find(clusters.begin(), clusters.end(), i) != clusters.end()) return false;
    clusters.push_back(i);
  }
  return true;
}

/// A value, or where nothing is, its name.
const YamlNode& place(const YamlNode& map, std::size_t i) {
  return map.items[i].kind == YamlNode::Kind::nothing ? map.names[i] : map.items[i];
}

class Reader {
 public:
  std::optional<Misread> misread;

  template <typename Window>
  void windows(const YamlNode& node, std::vector<Window>& windows) {
    if (node.kind != YamlNode::Kind::map) return fail(node, "", what_it_is(node), "");
    std::vector<Window> read;
    for (std::size_t i = 0; i < node.names.size() && !misread; ++i) {
      const auto& name = node.names[i];
      const bool again =
          std::any_of(read.begin(), read.end(), [&](const Window& other) { return other.name == name.text; });
      if (name.kind != YamlNode::Kind::scalar || !good_window_name(name.text) || again)
        return fail(name, "", what_it_is(name), a_name);
      Window window;
      window.name = name.text;
      content(node, i, window);
      read.push_back(std::move(window));
    }
    if (!misread) windows = std::move(read);
  }

 private:
  void fail(const YamlNode& node, const std::string& entry, const std::string& found,
            std::string_view expected) {
    if (!misread) misread = {&node, entry, found, std::string(expected)};
  }

  void content(const YamlNode& map, std::size_t i, MulticastWindow& window) {
    clusters(map, i, "." + window.name, window.clusters);
  }

  void content(const YamlNode& map, std::size_t i, ReductionWindow& window) {
    const auto entry = "." + window.name;
    const auto& node = map.items[i];
    if (node.kind != YamlNode::Kind::map) return fail(place(map, i), entry, what_it_is(node), "");
    std::vector<std::string> seen;
    for (std::size_t k = 0; k < node.names.size() && !misread; ++k) {
      const auto& key = node.names[k];
      const auto at = entry + "." + shown(key.text);
      if (std::find(seen.begin(), seen.end(), key.text) != seen.end())
        return fail(key, entry, what_it_is(key) + " twice", "each once");
      seen.push_back(key.text);
      if (key.text == "clusters")
        clusters(node, k, at, window.clusters);
      else if (key.text == "element")
        element(node, k, at, window.element);
      else if (key.text == "target")
        target(node, k, at, window);
      else if (key.text == "offset")
        amount(node, k, at, window.offset);
      else if (key.text == "size")
        amount(node, k, at, window.size);
      else
        unknown(key, entry);
    }
    for (const std::string_view needed : {"clusters", "element", "target"})
      if (std::find(seen.begin(), seen.end(), needed) == seen.end())
        return fail(map.names[i], entry, fmt::format("no {}", needed), "clusters, element and target");
  }

  void unknown(const YamlNode& key, const std::string& entry) {
    static const std::vector<std::string> known{"clusters", "element", "target", "offset", "size"};
    const auto near = nearest(key.text, known);
    fail(key, entry, what_it_is(key) + (near.empty() ? "" : fmt::format(" (did you mean {}?)", near)),
         "clusters, element, target, offset or size");
  }

  void clusters(const YamlNode& map, std::size_t i, const std::string& entry, std::vector<unsigned>& into) {
    const auto& node = map.items[i];
    if (node.kind == YamlNode::Kind::scalar && node.text == "all") return into.clear();
    if (node.kind != YamlNode::Kind::list || node.items.empty())
      return fail(place(map, i), entry, what_it_is(node), some_clusters);
    into.clear();
    for (const auto& item : node.items)
      if (item.kind != YamlNode::Kind::scalar || !add_clusters(item.text, into))
        return fail(item, entry, what_it_is(item), some_clusters);
    std::sort(into.begin(), into.end());
  }

  void element(const YamlNode& map, std::size_t i, const std::string& entry, Element& into) {
    const auto& names = Names<Element>::all;
    const auto& node = map.items[i];
    const auto found = std::find(names.begin(), names.end(), node.text);
    if (node.kind != YamlNode::Kind::scalar || found == names.end())
      return fail(place(map, i), entry, what_it_is(node), fmt::format("{}", fmt::join(names, ", ")));
    into = static_cast<Element>(found - names.begin());
  }

  void target(const YamlNode& map, std::size_t i, const std::string& entry, ReductionWindow& window) {
    constexpr std::string_view prefix = "cluster";
    const auto& node = map.items[i];
    window.to_memory = node.kind == YamlNode::Kind::scalar && node.text == "memory";
    if (window.to_memory) return;
    const auto number = node.kind == YamlNode::Kind::scalar && node.text.starts_with(prefix)
                            ? cluster_number(std::string_view(node.text).substr(prefix.size()))
                            : std::nullopt;
    if (!number) return fail(place(map, i), entry, what_it_is(node), a_target);
    window.target = *number;
  }

  void amount(const YamlNode& map, std::size_t i, const std::string& entry, Bytes& into) {
    const auto& node = map.items[i];
    std::string detail;
    const auto value =
        node.kind == YamlNode::Kind::scalar ? chip::parse<Bytes>(node.text, detail) : std::nullopt;
    if (!value)
      return fail(place(map, i), entry, what_it_is(node) + (detail.empty() ? "" : ", " + detail), an_amount);
    into = *value;
  }
};

template <typename Window>
std::optional<Misread> read(const YamlNode& node, std::vector<Window>& windows) {
  Reader reader;
  reader.windows(node, windows);
  return reader.misread;
}

/// "0-3", "8", as they follow one another.
std::vector<std::string> ranges(const std::vector<unsigned>& clusters) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < clusters.size();) {
    auto end = i + 1;
    while (end < clusters.size() && clusters[end] == clusters[end - 1] + 1) ++end;
    texts.push_back(end - i > 1 ? fmt::format("{}-{}", clusters[i], clusters[end - 1])
                                : fmt::format("{}", clusters[i]));
    i = end;
  }
  return texts;
}

std::string clusters_text(const std::vector<unsigned>& clusters) {
  return clusters.empty() ? "all" : fmt::format("[{}]", fmt::join(ranges(clusters), ", "));
}

std::string target_text(const ReductionWindow& window) {
  return window.to_memory ? "memory" : fmt::format("cluster{}", window.target);
}

nlohmann::ordered_json clusters_json(const std::vector<unsigned>& clusters) {
  if (clusters.empty()) return "all";
  return ranges(clusters);
}

nlohmann::ordered_json clusters_schema() {
  using Json = nlohmann::ordered_json;
  const Json item{{"anyOf", Json::array({{{"type", "integer"}, {"minimum", 0}},
                                         {{"type", "string"}, {"pattern", "^[0-9]+(-[0-9]+)?$"}}})}};
  return {
      {"anyOf", Json::array({{{"const", "all"}}, {{"type", "array"}, {"minItems", 1}, {"items", item}}})}};
}

nlohmann::ordered_json map_schema(nlohmann::ordered_json of) {
  return {{"type", "object"},
          {"propertyNames", {{"pattern", "^[A-Za-z0-9][A-Za-z0-9._+-]{0,30}$"}}},
          {"additionalProperties", std::move(of)}};
}

}  // namespace

std::optional<Misread> read_windows(const YamlNode& node, std::vector<MulticastWindow>& windows) {
  return read(node, windows);
}
std::optional<Misread> read_windows(const YamlNode& node, std::vector<ReductionWindow>& windows) {
  return read(node, windows);
}

std::string window_text(const MulticastWindow& window) {
  return fmt::format("{}: {}", window.name, clusters_text(window.clusters));
}

std::string window_text(const ReductionWindow& window) {
  return fmt::format("{}: {{clusters: {}, element: {}, target: {}, offset: {}{}}}", window.name,
                     clusters_text(window.clusters), name(window.element), target_text(window),
                     format(window.offset),
                     window.size.count == 0 ? "" : fmt::format(", size: {}", format(window.size)));
}

nlohmann::ordered_json windows_json(const std::vector<MulticastWindow>& windows) {
  auto map = nlohmann::ordered_json::object();
  for (const auto& window : windows) map[window.name] = clusters_json(window.clusters);
  return map;
}

nlohmann::ordered_json windows_json(const std::vector<ReductionWindow>& windows) {
  auto map = nlohmann::ordered_json::object();
  for (const auto& window : windows) {
    auto& json = map[window.name];
    json["clusters"] = clusters_json(window.clusters);
    json["element"] = name(window.element);
    json["target"] = target_text(window);
    json["offset"] = format(window.offset);
    if (window.size.count != 0) json["size"] = format(window.size);
  }
  return map;
}

nlohmann::ordered_json multicast_schema() { return map_schema(clusters_schema()); }

nlohmann::ordered_json reduction_schema() {
  using Json = nlohmann::ordered_json;
  const Json amount{{"type", "string"}, {"pattern", pattern<Bytes>()}};
  Json element;
  for (const auto choice : Names<Element>::all) element["enum"].push_back(choice);
  return map_schema({{"type", "object"},
                     {"additionalProperties", false},
                     {"required", Json::array({"clusters", "element", "target"})},
                     {"properties",
                      {{"clusters", clusters_schema()},
                       {"element", element},
                       {"target", {{"type", "string"}, {"pattern", "^(memory|cluster[0-9]+)$"}}},
                       {"offset", amount},
                       {"size", amount}}}});
}

}  // namespace forerun::chip
