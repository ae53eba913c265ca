// SPDX-License-Identifier: Apache-2.0
/// JSON files whose fields are read with their types checked. All functions throw ModelError naming file and
/// field.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forerun::models {

/// `path` begins the message.
nlohmann::json parse_json(const std::string& path, std::string_view text);
nlohmann::json parse_json_file(const std::string& path);

/// The fields of an object.
class Fields {
 public:
  /// `where` names the file and, for an inner object, its field.
  Fields(const nlohmann::json& object, std::string where);

  bool has(const char* key) const;  ///< there, and not null
  // The value, or `absent` when it is missing or null; without `absent` that is an error.
  std::uint32_t number(const char* key, std::optional<std::uint32_t> absent = std::nullopt) const;
  double real(const char* key, std::optional<double> absent = std::nullopt) const;
  bool flag(const char* key, std::optional<bool> absent = std::nullopt) const;
  std::string text(const char* key, std::optional<std::string> absent = std::nullopt) const;
  std::vector<double> reals(const char* key) const;
  Fields inner(const char* key) const;
  /// The first of several names for one thing that is there.
  const char* first_of(std::initializer_list<const char*> keys) const;

  const std::string& where() const { return where_; }
  const nlohmann::json& object() const { return object_; }
  [[noreturn]] void fail(const char* key, const std::string& expected) const;

 private:
  const nlohmann::json* find(const char* key, bool optional) const;
  const nlohmann::json& object_;
  std::string where_;
};

}  // namespace forerun::models
