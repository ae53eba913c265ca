// SPDX-License-Identifier: Apache-2.0
#include "models/import/json_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "models/import/mapped_file.hpp"
#include "models/import/model.hpp"

namespace forerun::models {

using nlohmann::json;

namespace {

constexpr int deepest = 64;  // objects and lists within one another: far more than any of these files has

/// Fails on texts nested so deeply that handling them would take the stack.
void check_depth(const std::string& path, std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\') ++i;
      quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      if (++depth > deepest)
        throw ModelError(fmt::format("{}: not valid: more than {} levels of nesting", path, deepest));
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
}

}  // namespace

json parse_json(const std::string& path, std::string_view text) {
  check_depth(path, text);
  try {
    return json::parse(text);
  } catch (const json::parse_error& error) {
    const auto before = text.substr(0, std::min(error.byte, text.size()));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const auto column =
        before.size() - (before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1);
    throw ModelError(fmt::format("{}:{}:{}: not valid JSON", path, line, column));
  } catch (const json::exception& error) {
    throw ModelError(fmt::format("{}: not valid JSON: {}", path, error.what()));
  }
}

json parse_json_file(const std::string& path) {
  const auto file = map_file(path);
  return parse_json(path, {reinterpret_cast<const char*>(file.bytes.data()), file.bytes.size()});
}

Fields::Fields(const json& object, std::string where) : object_(object), where_(std::move(where)) {
  if (!object.is_object()) throw ModelError(where_ + ": expected an object");
}

bool Fields::has(const char* key) const { return find(key, true) != nullptr; }

const json* Fields::find(const char* key, bool optional) const {
  const auto at = object_.find(key);
  if (at != object_.end() && !at->is_null()) return &*at;
  if (!optional) throw ModelError(fmt::format("{}: '{}' is missing", where_, key));
  return nullptr;
}

void Fields::fail(const char* key, const std::string& expected) const {
  auto shown =
      object_.contains(key) ? object_[key].dump(-1, ' ', true, json::error_handler_t::replace) : "missing";
  if (shown.size() > 80) shown = shown.substr(0, 77) + "...";
  throw ModelError(fmt::format("{}: '{}' is {}, expected {}", where_, key, shown, expected));
}

std::uint32_t Fields::number(const char* key, std::optional<std::uint32_t> absent) const {
  const auto* value = find(key, absent.has_value());
  if (value == nullptr) return *absent;
  if (!value->is_number_unsigned() || value->get<std::uint64_t>() > 0xffffffff) fail(key, "a whole number");
  return value->get<std::uint32_t>();
}

double Fields::real(const char* key, std::optional<double> absent) const {
  const auto* value = find(key, absent.has_value());
  if (value == nullptr) return *absent;
  if (!value->is_number() || !std::isfinite(value->get<double>())) fail(key, "a number");
  return value->get<double>();
}

bool Fields::flag(const char* key, std::optional<bool> absent) const {
  const auto* value = find(key, absent.has_value());
  if (value == nullptr) return *absent;
  if (!value->is_boolean()) fail(key, "true or false");
  return value->get<bool>();
}

std::string Fields::text(const char* key, std::optional<std::string> absent) const {
  const auto* value = find(key, absent.has_value());
  if (value == nullptr) return *absent;
  if (!value->is_string()) fail(key, "a text");
  return value->get<std::string>();
}

std::vector<double> Fields::reals(const char* key) const {
  const auto* value = find(key, false);
  if (!value->is_array()) fail(key, "a list of numbers");
  std::vector<double> list;
  for (const auto& v : *value) {
    if (!v.is_number()) fail(key, "a list of numbers");
    list.push_back(v.get<double>());
  }
  return list;
}

Fields Fields::inner(const char* key) const {
  const auto* value = find(key, false);
  if (!value->is_object()) fail(key, "an object");
  return {*value, fmt::format("{}: '{}'", where_, key)};
}

const char* Fields::first_of(std::initializer_list<const char*> keys) const {
  for (const char* key : keys)
    if (has(key)) return key;
  return *keys.begin();
}

}  // namespace forerun::models
