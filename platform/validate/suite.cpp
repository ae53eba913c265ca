// SPDX-License-Identifier: Apache-2.0
#include "platform/validate/suite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/tokenizer.hpp>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>

#include "platform/chip/yaml_tree.hpp"
#include "platform/validate/run_results.hpp"

namespace forerun::validate {
namespace {

namespace fs = std::filesystem;
using chip::YamlNode;
using traffic::ExperimentError;

[[noreturn]] void fail(const std::string& place, const std::string& what) {
  throw ExperimentError(fmt::format("{}: {}", place, what));
}

std::optional<double> number(std::string_view text) {
  double value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "2 points" or "5 %".
Bar bar(const std::string& text, const std::string& place, bool is_signed = false) {
  for (const std::string unit : {" points", " %"}) {
    if (!text.ends_with(unit)) continue;
    const auto digits = std::string_view(text).substr(text.starts_with('+') ? 1 : 0);
    const auto value = number(digits.substr(0, digits.size() - unit.size()));
    if (value && std::isfinite(*value) && (*value >= 0 || is_signed))
      return unit == " %" ? Bar{*value / 100, true} : Bar{*value, false};
  }
  fail(place, fmt::format("found '{}', expected {}", text,
                          is_signed ? "how far off it may be, such as '+2 points' or '-5 %'"
                                    : "a bar such as '2 points' or '5 %'"));
}

std::string whole_file(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream) fail(file.string(), "cannot be read");
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::string> cells(const std::string& line) {
  const boost::tokenizer<boost::escaped_list_separator<char>> parts(line);
  return {parts.begin(), parts.end()};
}

/// What a column of the cases is for.
struct Heading {
  enum class What { set, note, expect, bar, known } what;
  std::string name;
};

Heading heading(const std::string& cell) {
  if (cell.starts_with("expect ")) return {Heading::What::expect, cell.substr(7)};
  if (cell.starts_with("bar ")) return {Heading::What::bar, cell.substr(4)};
  if (cell.starts_with("known ")) return {Heading::What::known, cell.substr(6)};
  if (cell.starts_with("note ")) return {Heading::What::note, cell.substr(5)};
  return {Heading::What::set, cell};
}

/// An option of `forerun run`, given alone if its value is true, or a key of its chip.
void set_in_run(Case& c, const std::string& name, const std::string& value) {
  if (name.starts_with("run.") && value == "true")
    c.arguments.push_back("--" + name.substr(4));
  else if (name.starts_with("run."))
    c.arguments.insert(c.arguments.end(), {"--" + name.substr(4), value});
  else
    c.arguments.insert(c.arguments.end(), {"--set", name + "=" + value});
}

/// A name in the map `run`: a key of the chip has a dot.
std::string in_run(const std::string& name) {
  return name.find('.') == std::string::npos ? "run." + name : name;
}

Case read_case(const Suite& suite, const Case& base, const std::vector<Heading>& headings,
               const std::vector<std::string>& row, std::map<std::string, Bar> bars,
               const std::string& place) {
  using What = Heading::What;
  Case c = base;
  std::map<std::string, Bar> known;
  for (std::size_t i = 0; i < row.size(); ++i)
    if ((headings[i].what == What::bar || headings[i].what == What::known) && !row[i].empty())
      (headings[i].what == What::bar ? bars : known)[headings[i].name] =
          bar(row[i], place, headings[i].what == What::known);
  for (std::size_t i = 0; i < row.size(); ++i) {
    const auto& [what, name] = headings[i];
    if (what == What::set || what == What::note) c.settings.push_back(row[i]);
    if (row[i].empty() || what == What::bar || what == What::known || what == What::note) continue;
    if (what == What::set) {
      if (suite.runs)
        set_in_run(c, name, row[i]);
      else
        traffic::set(c.experiment, name, row[i], place);
      continue;
    }
    const auto reference = number(row[i]);
    if (!reference) fail(place, fmt::format("expect {}: found '{}', expected a number", name, row[i]));
    if (!bars.contains(name)) fail(place, fmt::format("no bar for {}", name));
    c.expected.push_back({name, *reference, bars.at(name), {}});
    if (const auto miss = known.find(name); miss != known.end()) c.expected.back().known = miss->second;
  }
  return c;
}

void read_cases(Suite& suite, const Case& base, const fs::path& file,
                const std::map<std::string, Bar>& bars) {
  std::ifstream stream(file);
  if (!stream) fail(file.string(), "cannot be read");
  std::vector<Heading> headings;
  std::string line;
  for (int at = 1; std::getline(stream, line); ++at) {
    const auto place = fmt::format("{}:{}", file.string(), at);
    if (line.empty() || line.front() == '#') continue;
    const auto row = cells(line);
    if (!headings.empty()) {
      if (row.size() != headings.size())
        fail(place, fmt::format("{} cells under {} headings", row.size(), headings.size()));
      suite.cases.push_back(read_case(suite, base, headings, row, bars, place));
      continue;
    }
    for (const auto& cell : row) {
      const auto& h = headings.emplace_back(heading(cell));
      if (h.what == Heading::What::set || h.what == Heading::What::note) suite.keys.push_back(h.name);
      if (suite.runs && h.what == Heading::What::expect && !is_run_column(h.name))
        fail(place,
             fmt::format("no result '{}' of a run; known are {}", h.name, fmt::join(run_columns(), ", ")));
    }
  }
  for (const auto& h : headings)
    if (h.what == Heading::What::known &&
        std::none_of(headings.begin(), headings.end(), [&](const Heading& other) {
          return other.what == Heading::What::expect && other.name == h.name;
        }))
      fail(file.string(), fmt::format("'known {}' without 'expect {}'", h.name, h.name));
  if (suite.cases.empty()) fail(file.string(), "no cases");
}

fs::path folder() {
  const char* const named = std::getenv("FORERUN_SUITES");
  return named != nullptr && *named != '\0' ? fs::path(named) : fs::path(FORERUN_SUITES_DIRECTORY);
}

}  // namespace

Suite read_suite(const fs::path& file) {
  Suite suite;
  suite.name = file.stem().string();
  const auto place = [&](const YamlNode& node) {
    return fmt::format("{}:{}:{}", file.string(), node.line, node.column);
  };
  YamlNode root;
  try {
    root = chip::parse_yaml(whole_file(file));
  } catch (const chip::YamlError& error) {
    fail(fmt::format("{}:{}:{}", file.string(), error.line, error.column), error.what());
  }
  Case base;
  std::map<std::string, Bar> bars;
  std::string cases;
  for (std::size_t i = 0; i < root.names.size(); ++i) {
    const auto& key = root.names[i].text;
    const auto& value = root.items[i];
    if (key == "title") {
      suite.title = value.text;
    } else if (key == "source") {
      suite.source = value.text;
    } else if (key == "experiment") {
      base.experiment = traffic::parse_experiment(value, file);
    } else if (key == "run") {
      suite.runs = true;
      for (std::size_t k = 0; k < value.names.size(); ++k)
        set_in_run(base, in_run(value.names[k].text), value.items[k].text);
    } else if (key == "cases") {
      cases = value.text;
    } else if (key == "bars") {
      for (std::size_t k = 0; k < value.names.size(); ++k)
        bars[value.names[k].text] = bar(value.items[k].text, place(value.items[k]));
    } else if (key == "plot") {
      for (std::size_t k = 0; k < value.names.size(); ++k)
        (value.names[k].text == "x" ? suite.plot_x : suite.plot_y) = value.items[k].text;
    } else {
      fail(place(root.names[i]),
           fmt::format("{}: expected title, source, experiment, run, cases, bars or plot", key));
    }
  }
  read_cases(suite, base, file.parent_path() / cases, bars);
  return suite;
}

std::vector<std::string> blocks() {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder(), error))
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<Suite> suites(const std::string& block) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder() / block, error))
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<Suite> all;
  for (const auto& file : files) all.push_back(read_suite(file));
  return all;
}

}  // namespace forerun::validate
