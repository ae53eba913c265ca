// SPDX-License-Identifier: Apache-2.0
#include "platform/traffic/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace forerun::traffic {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + '"';
}

/// The axes' values in front of a line.
std::string axes(const Experiment& experiment, const Point& point) {
  std::string text;
  for (std::size_t i = 0; i < experiment.sweep.size(); ++i) text += quoted(point.values[i]) + ",";
  return text;
}

std::string axis_names(const Experiment& experiment) {
  std::string text;
  for (const auto& axis : experiment.sweep) text += quoted(axis.key) + ",";
  return text;
}

bool numeric(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.-+% ") == std::string::npos;
}

}  // namespace

std::string align(const std::vector<std::vector<std::string>>& lines) {
  std::vector<std::size_t> widths;
  std::vector<bool> right;
  for (std::size_t line = 0; line < lines.size(); ++line)
    for (std::size_t i = 0; i < lines[line].size(); ++i) {
      if (i == widths.size()) {
        widths.push_back(0);
        right.push_back(true);
      }
      widths[i] = std::max(widths[i], lines[line][i].size());
      if (line > 0 && !lines[line][i].empty() && !numeric(lines[line][i])) right[i] = false;
    }
  std::string text;
  for (const auto& line : lines) {
    std::string out;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (i > 0) out += "  ";
      out += right[i] ? fmt::format("{:>{}}", line[i], widths[i]) : fmt::format("{:<{}}", line[i], widths[i]);
    }
    out.resize(out.find_last_not_of(' ') + 1);
    text += out + "\n";
  }
  return text;
}

std::string to_table(const Experiment& experiment, std::span<const Point> points,
                     std::span<const Result> results) {
  std::vector<std::vector<std::string>> lines(1);
  for (const auto& axis : experiment.sweep)
    lines[0].push_back(axis.key.starts_with("traffic.") ? axis.key.substr(8) : axis.key);
  for (const auto& [column, value] : results.front().values)
    if (column.in_table)
      lines[0].push_back(column.unit.empty() ? column.name : column.name + " " + column.unit);
  const bool limits = !results.front().limited_by.empty();
  if (limits) lines[0].emplace_back("limited by");
  for (std::size_t i = 0; i < points.size(); ++i) {
    auto& line = lines.emplace_back(points[i].values);
    for (const auto& [column, value] : results[i].values)
      if (column.in_table) line.push_back(fmt::format("{:.{}f}", value, column.decimals));
    if (limits) line.push_back(results[i].limited_by);
  }
  return align(lines);
}

std::string to_csv(const Experiment& experiment, std::span<const Point> points,
                   std::span<const Result> results) {
  std::string text = axis_names(experiment);
  const auto& first = results.front().values;
  for (std::size_t i = 0; i < first.size(); ++i) {
    const auto& c = first[i].column;
    text += (i > 0 ? "," : "") + quoted(c.unit.empty() ? c.name : fmt::format("{} ({})", c.name, c.unit));
  }
  text += ",limited_by\n";
  for (std::size_t i = 0; i < points.size(); ++i) {
    text += axes(experiment, points[i]);
    for (std::size_t k = 0; k < results[i].values.size(); ++k)
      text += fmt::format("{}{:.6g}", k > 0 ? "," : "", results[i].values[k].value);
    text += "," + results[i].limited_by + "\n";
  }
  return text;
}

std::string series_csv(const Experiment& experiment, std::span<const Point> points,
                       std::span<const Result> results) {
  std::string text;
  for (std::size_t i = 0; i < points.size(); ++i) {
    std::istringstream lines(results[i].series);
    std::string line;
    for (bool heading = true; std::getline(lines, line); heading = false) {
      if (!heading)
        text += axes(experiment, points[i]) + line + "\n";
      else if (i == 0)
        text += axis_names(experiment) + line + "\n";
    }
  }
  return text;
}

}  // namespace forerun::traffic
