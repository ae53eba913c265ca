// SPDX-License-Identifier: Apache-2.0
/// What one run of an experiment measured, as named columns.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace forerun::traffic {

struct Column {
  std::string name, unit;
  int decimals = 1;      ///< in tables for people
  bool in_table = true;  ///< false: only in CSV
  std::string meaning;
};

struct Result {
  struct Value {
    Column column;
    double value = 0;
  };
  std::vector<Value> values;
  std::string limited_by;          ///< what held memory up most; empty where there is no memory
  std::string series;              ///< CSV over time; empty without bins
  std::vector<std::string> notes;  ///< for people: what limited it, hottest links

  void add(const Column& column, double value) { values.push_back({column, value}); }
  /// Throws std::out_of_range.
  double at(std::string_view name) const { return find(name).value; }
  const std::string& unit(std::string_view name) const { return find(name).column.unit; }

 private:
  const Value& find(std::string_view name) const;
};

}  // namespace forerun::traffic
