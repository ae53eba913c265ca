// SPDX-License-Identifier: Apache-2.0
#include "platform/sweep/results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "platform/traffic/table.hpp"

namespace forerun::sweep {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + '"';
}

using Flat = std::vector<std::pair<std::string, std::string>>;

void flatten(const Report& json, const std::string& prefix, Flat& flat) {
  for (const auto& [name, value] : json.items()) {
    const auto path = prefix.empty() ? name : prefix + "." + name;
    if (value.is_object())
      flatten(value, path, flat);
    else if (value.is_string())
      flat.emplace_back(path, value.get<std::string>());
    else if (!value.is_array())
      flat.emplace_back(path, value.dump());
  }
}

/// What the table shows of a report: the value at a pointer, scaled, if any report has one there that is not
/// 0.
struct Column {
  const char* heading;
  const char* pointer;
  double scale;
  int decimals;
};
constexpr Column columns[] = {
    {"first token us", "/seconds/first_token", 1e6, 1},
    {"phase us", "/seconds/phase", 1e6, 1},
    {"per token us", "/seconds/per_token", 1e6, 1},
    {"tokens/s", "/tokens_per_second", 1, 1},
};

double value_of(const Report& report, const Column& column) {
  const Report::json_pointer at(column.pointer);
  return report.contains(at) && report.at(at).is_number() ? report.at(at).get<double>() * column.scale : 0;
}

/// Of the last phase, the steady state.
std::string of_phase(const Report& report, const char* name) {
  if (!report.contains("phases") || report["phases"].empty()) return "";
  const auto& phase = report["phases"].back();
  return phase.contains(name) && phase[name].is_number()
             ? fmt::format("{:.1f}", 100 * phase[name].get<double>())
             : "";
}

}  // namespace

std::string to_table(const Study& study, std::span<const Point> points, std::span<const Outcome> outcomes) {
  std::vector<std::vector<std::string>> lines(1);
  for (const auto& axis : study.axes) lines[0].push_back(axis.key);
  std::vector<Column> shown;
  for (const auto& column : columns)
    if (std::any_of(outcomes.begin(), outcomes.end(),
                    [&](const Outcome& o) { return o.report && value_of(*o.report, column) != 0; }))
      shown.push_back(column);
  for (const auto& column : shown) lines[0].emplace_back(column.heading);
  lines[0].insert(lines[0].end(), {"HBM %", "operations %"});
  for (std::size_t i = 0; i < points.size(); ++i) {
    auto& line = lines.emplace_back(points[i].values);
    const auto& report = outcomes[i].report;
    if (!report) {
      line.emplace_back("failed");
      continue;
    }
    for (const auto& column : shown)
      line.push_back(fmt::format("{:.{}f}", value_of(*report, column), column.decimals));
    line.push_back(of_phase(*report, "hbm_fraction_of_peak"));
    line.push_back(of_phase(*report, "operations_fraction_of_peak"));
  }
  return traffic::align(lines);
}

std::string to_csv(const Study& study, std::span<const Point> points, std::span<const Outcome> outcomes) {
  std::vector<Flat> flat(outcomes.size());
  std::vector<std::string> names;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (outcomes[i].report) flatten(*outcomes[i].report, "", flat[i]);
    for (const auto& [name, value] : flat[i])
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  std::string text;
  for (const auto& axis : study.axes) text += quoted(axis.key) + ",";
  text += "problem";
  for (const auto& name : names) text += "," + quoted(name);
  text += "\n";
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (const auto& value : points[i].values) text += quoted(value) + ",";
    text += quoted(outcomes[i].problem);
    const std::map<std::string, std::string> values(flat[i].begin(), flat[i].end());
    for (const auto& name : names) {
      const auto at = values.find(name);
      text += "," + (at == values.end() ? "" : quoted(at->second));
    }
    text += "\n";
  }
  return text;
}

std::string to_json(const Study& study, std::span<const Point> points, std::span<const Outcome> outcomes) {
  auto all = Report::array();
  for (std::size_t i = 0; i < points.size(); ++i) {
    auto axes = Report::object();
    for (std::size_t a = 0; a < study.axes.size(); ++a) axes[study.axes[a].key] = points[i].values[a];
    Report one{{"axes", axes}, {"arguments", points[i].arguments}};
    if (outcomes[i].report)
      one["report"] = *outcomes[i].report;
    else
      one["problem"] = outcomes[i].problem;
    all.push_back(std::move(one));
  }
  return Report{{"study", study.name}, {"points", all}}.dump(1) + "\n";
}

}  // namespace forerun::sweep
