// SPDX-License-Identifier: Apache-2.0
// What is written from the table: chip files, the schema, the documentation.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>
#include <type_traits>

#include "platform/chip/address_map.hpp"
#include "platform/chip/keys.hpp"
#include "platform/chip/load.hpp"
#include "platform/chip/names.hpp"
#include "platform/chip/quantity.hpp"
#include "platform/chip/windows.hpp"

namespace forerun::chip {
namespace {

std::vector<std::string_view> parts(std::string_view path) {
  std::vector<std::string_view> found;
  for (std::size_t start = 0; start <= path.size();) {
    const auto dot = std::min(path.find('.', start), path.size());
    found.push_back(path.substr(start, dot - start));
    start = dot + 1;
  }
  return found;
}

nlohmann::ordered_json number_schema(const Rule& rule) {
  nlohmann::ordered_json schema;
  if (rule.power_of_two) {
    for (std::uint64_t n = std::bit_ceil(rule.low); n <= rule.high; n *= 2) schema["enum"].push_back(n);
    return schema;
  }
  return {{"type", "integer"}, {"minimum", rule.low}, {"maximum", rule.high}};
}

template <typename Quantity>
nlohmann::ordered_json quantity_schema() {
  return {{"type", "string"}, {"pattern", pattern<Quantity>()}};
}

template <typename Enum>
nlohmann::ordered_json choice_schema() {
  nlohmann::ordered_json schema;
  for (const auto choice : Names<Enum>::all) schema["enum"].push_back(choice);
  return schema;
}

std::string field_names(std::string_view separator) {
  return fmt::format("{}", fmt::join(Names<AddressField>::all, separator));
}

nlohmann::ordered_json value_schema(const Key& key) {
  return std::visit(
      [&]<typename T>(Member<T>) -> nlohmann::ordered_json {
        using Json = nlohmann::ordered_json;
        if constexpr (std::is_same_v<T, unsigned>) {
          if (key.rule.cycles == Cycles::plain) return number_schema(key.rule);
          return {{"anyOf", Json::array({number_schema(key.rule), quantity_schema<Time>()})}};
        } else if constexpr (std::is_same_v<T, bool>) {
          return {{"type", "boolean"}};
        } else if constexpr (std::is_same_v<T, std::string>) {
          return {{"type", Json::array({"string", "number"})},
                  {"pattern", "^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$"}};
        } else if constexpr (std::is_same_v<T, Path>) {
          return {{"type", "string"}, {"maxLength", 4096}};
        } else if constexpr (std::is_same_v<T, std::vector<Path>>) {
          return {{"type", "array"},
                  {"maxItems", address_map::max_rtl_devices},
                  {"items", {{"type", "string"}, {"minLength", 1}, {"maxLength", 4096}}}};
        } else if constexpr (std::is_same_v<T, Bytes> || std::is_same_v<T, Frequency> ||
                             std::is_same_v<T, Time> || std::is_same_v<T, Bandwidth> ||
                             std::is_same_v<T, Energy> || std::is_same_v<T, Power>) {
          return quantity_schema<T>();
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          return {{"type", "array"},
                  {"maxItems", 64},
                  {"items", {{"type", "string"}, {"pattern", "^ *([XCMH.] *){1,64}$"}}}};
        } else if constexpr (std::is_same_v<T, std::vector<Format>>) {
          return {
              {"type", "array"}, {"minItems", 1}, {"uniqueItems", true}, {"items", choice_schema<Format>()}};
        } else if constexpr (std::is_same_v<T, std::vector<AddressPiece>>) {
          return {{"type", "array"},
                  {"minItems", 1},
                  {"items",
                   {{"type", "string"}, {"pattern", fmt::format("^({})(:[0-9]+)?$", field_names("|"))}}}};
        } else if constexpr (std::is_same_v<T, std::vector<AddressHash>>) {
          return {{"type", "object"},
                  {"propertyNames", choice_schema<AddressField>()},
                  {"additionalProperties",
                   {{"type", "array"}, {"minItems", 1}, {"items", {{"type", "integer"}, {"minimum", 0}}}}}};
        } else if constexpr (std::is_same_v<T, std::vector<MulticastWindow>>) {
          return multicast_schema();
        } else if constexpr (std::is_same_v<T, std::vector<ReductionWindow>>) {
          return reduction_schema();
        } else {
          return choice_schema<T>();
        }
      },
      key.member);
}

std::string sentence(std::string_view words) {
  std::string text(words);
  if (text.front() >= 'a' && text.front() <= 'z') text.front() = static_cast<char>(text.front() - 'a' + 'A');
  return text;
}

std::string describe(const Key& key) {
  const auto unit = key.unit.empty() ? "" : fmt::format(" ({})", key.unit);
  return fmt::format("{}{}. {}.", sentence(key.description), unit, sentence(expected(key)));
}

/// The value as JSON, as a file may state it.
nlohmann::ordered_json default_value(const Key& key) {
  return std::visit(
      [&]<typename T>(Member<T> member) -> nlohmann::ordered_json {
        static Chip fallback;
        const auto& value = member(fallback);
        if constexpr (std::is_same_v<T, unsigned> || std::is_same_v<T, bool> ||
                      std::is_same_v<T, std::string> || std::is_same_v<T, std::vector<std::string>>) {
          return value;
        } else if constexpr (std::is_same_v<T, Path>) {
          return value.text;
        } else if constexpr (std::is_same_v<T, std::vector<Path>>) {
          auto list = nlohmann::ordered_json::array();
          for (const auto& item : value) list.push_back(item.text);
          return list;
        } else if constexpr (std::is_same_v<T, std::vector<Format>>) {
          auto list = nlohmann::ordered_json::array();
          for (const auto item : value) list.push_back(name(item));
          return list;
        } else if constexpr (std::is_same_v<T, std::vector<AddressPiece>>) {
          auto list = nlohmann::ordered_json::array();
          for (const auto piece : value) list.push_back(piece_text(piece));
          return list;
        } else if constexpr (std::is_same_v<T, std::vector<AddressHash>>) {
          auto map = nlohmann::ordered_json::object();
          for (const auto& hash : value) map[std::string(name(hash.field))] = hash.masks;
          return map;
        } else if constexpr (std::is_same_v<T, std::vector<MulticastWindow>> ||
                             std::is_same_v<T, std::vector<ReductionWindow>>) {
          return windows_json(value);
        } else {
          return value_text(key, fallback);
        }
      },
      key.member);
}

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) text.insert(at, 1, '\\');
  return text;
}

}  // namespace

std::string to_yaml(const Chip& chip) {
  std::string text;
  std::vector<std::string_view> open;  // sections
  for (const auto& key : keys()) {
    auto path = parts(key.path);
    const auto leaf = path.back();
    path.pop_back();
    std::size_t common = 0;
    while (common < open.size() && common < path.size() && open[common] == path[common]) ++common;
    for (std::size_t depth = common; depth < path.size(); ++depth)
      text += fmt::format("{:{}}{}:\n", "", 2 * depth, path[depth]);
    open = path;
    const auto line = fmt::format("{:{}}{}: {}", "", 2 * path.size(), leaf, value_text(key, chip));
    text += key.unit.empty() ? line + "\n" : fmt::format("{:<30}  # {}\n", line, key.unit);
  }
  return text;
}

nlohmann::ordered_json json_schema() {
  using Json = nlohmann::ordered_json;
  const auto object = [] {
    return Json{{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}};
  };
  Json schema{{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", "Forerun chip"}};
  schema.update(object());
  schema["properties"]["extends"] = {
      {"anyOf", Json::array({{{"type", "string"}},
                             {{"type", "array"}, {"minItems", 1}, {"items", {{"type", "string"}}}}})},
      {"description",
       "the chip or chips, by name or file (.yaml), on which this one stands; later ones over earlier ones"}};
  for (const auto& key : keys()) {
    auto path = parts(key.path);
    auto* at = &schema;
    for (std::size_t i = 0; i + 1 < path.size(); ++i) {
      auto& next = (*at)["properties"][std::string(path[i])];
      if (next.is_null()) next = object();
      at = &next;
    }
    auto value = value_schema(key);
    value["description"] = describe(key);
    value["default"] = default_value(key);
    (*at)["properties"][std::string(path.back())] = std::move(value);
  }
  return schema;
}

std::string key_table() {
  const Chip fallback;
  std::string text = "| key | fall-back | values | meaning |\n|---|---|---|---|\n";
  for (const auto& key : keys()) {
    const auto unit = key.unit.empty() ? "" : fmt::format(", in {}", key.unit);
    text += fmt::format("| `{}` | `{}` | {}{} | {} |\n", key.path, value_text(key, fallback),
                        cell(expected(key)), unit, cell(std::string(key.description)));
  }
  return text;
}

}  // namespace forerun::chip
