// SPDX-License-Identifier: Apache-2.0
#include "platform/validate/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "platform/traffic/runner.hpp"
#include "platform/traffic/table.hpp"
#include "platform/validate/run_results.hpp"

namespace forerun::validate {
namespace {

std::string error_text(const Comparison& c) {
  return c.bar.relative ? fmt::format("{:+.1f} %", 100 * c.error()) : fmt::format("{:+.2f}", c.error());
}

std::string bar_text(const Bar& bar, const std::string& unit) {
  if (bar.relative) return fmt::format("{:.3g} %", bar.value * 100);
  return fmt::format("{:.3g} {}", bar.value, unit == "%" ? "points" : unit);
}

/// Columns that some case expects, in the order of their first appearance.
std::vector<std::string> columns(const Outcome& outcome) {
  std::vector<std::string> names;
  for (const auto& row : outcome.cases)
    for (const auto& c : row)
      if (std::find(names.begin(), names.end(), c.column) == names.end()) names.push_back(c.column);
  return names;
}

std::string short_key(const std::string& key) {
  const auto dot = key.rfind('.');
  return dot == std::string::npos ? key : key.substr(dot + 1);
}

std::vector<std::vector<std::string>> lines(const Outcome& outcome) {
  const auto names = columns(outcome);
  std::vector<std::vector<std::string>> all(1);
  for (const auto& key : outcome.suite->keys) all[0].push_back(short_key(key));
  for (const auto& name : names)
    for (const auto& what : {name, std::string("reference"), std::string("error"), std::string("bar")})
      all[0].push_back(what);
  for (std::size_t i = 0; i < outcome.cases.size(); ++i) {
    auto& line = all.emplace_back(outcome.suite->cases[i].settings);
    for (const auto& name : names) {
      const auto& row = outcome.cases[i];
      const auto at = std::find_if(row.begin(), row.end(), [&](const auto& c) { return c.column == name; });
      if (at == row.end()) {
        line.insert(line.end(), 4, "");
        continue;
      }
      line.push_back(fmt::format("{:.2f}", at->ours));
      line.push_back(fmt::format("{:.2f}", at->reference));
      line.push_back(error_text(*at));
      line.push_back(bar_text(at->bar, at->unit) + (at->within()       ? at->known ? ", no longer missed" : ""
                                                    : at->known_miss() ? " missed, as known"
                                                                       : " MISSED"));
    }
  }
  return all;
}

std::string markdown_row(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const auto& cell : cells) text += " " + cell + " |";
  return text + "\n";
}

struct Summary {
  unsigned count = 0, outside = 0;
  double sum = 0, worst = 0;
  std::string unit;
  bool relative = false;
  std::vector<Bar> bars;
};

Summary summarize(const Outcome& outcome, const std::string& column) {
  Summary s;
  for (const auto& row : outcome.cases)
    for (const auto& c : row)
      if (c.column == column) {
        ++s.count;
        s.outside += c.within() ? 0 : 1;
        s.sum += std::abs(c.error());
        if (std::abs(c.error()) > std::abs(s.worst)) s.worst = c.error();
        s.unit = c.unit;
        s.relative = c.bar.relative;
        if (std::none_of(s.bars.begin(), s.bars.end(), [&](const Bar& b) { return b.value == c.bar.value; }))
          s.bars.push_back(c.bar);
      }
  return s;
}

std::string amount(const Summary& s, double value) {
  if (s.relative) return fmt::format("{:.1f} %", 100 * value);
  return fmt::format("{:.2f} {}", value, s.unit == "%" ? "points" : s.unit);
}

std::vector<std::vector<std::string>> summary_lines(const std::vector<Outcome>& outcomes) {
  std::vector<std::vector<std::string>> all{
      {"suite", "result", "cases", "bar", "mean error", "worst", "within"}};
  for (const auto& outcome : outcomes)
    for (const auto& column : columns(outcome)) {
      const auto s = summarize(outcome, column);
      std::vector<std::string> bars;
      for (const auto& bar : s.bars) bars.push_back(bar_text(bar, s.unit));
      all.push_back({outcome.suite->title, column, fmt::format("{}", s.count),
                     fmt::format("{}", fmt::join(bars, ", ")), amount(s, s.sum / s.count), amount(s, s.worst),
                     fmt::format("{} of {}", s.count - s.outside, s.count)});
    }
  return all;
}

}  // namespace

double Comparison::error() const { return difference(bar.relative); }

double Comparison::difference(bool relative) const {
  return relative && reference != 0 ? (ours - reference) / reference : ours - reference;
}

bool Comparison::within() const { return std::abs(error()) <= bar.value * (1 + 1e-9) + 1e-9; }

bool Comparison::known_miss() const {
  if (within() || !known) return false;
  const auto off = difference(known->relative);
  return off * known->value > 0 && std::abs(off) <= std::abs(known->value);
}

unsigned Outcome::count() const {
  std::size_t n = 0;
  for (const auto& row : cases) n += row.size();
  return static_cast<unsigned>(n);
}

unsigned Outcome::outside() const {
  std::size_t n = 0;
  for (const auto& row : cases)
    n += static_cast<std::size_t>(
        std::count_if(row.begin(), row.end(), [](const auto& c) { return !c.within(); }));
  return static_cast<unsigned>(n);
}

unsigned Outcome::known() const {
  std::size_t n = 0;
  for (const auto& row : cases)
    n += static_cast<std::size_t>(
        std::count_if(row.begin(), row.end(), [](const auto& c) { return c.known_miss(); }));
  return static_cast<unsigned>(n);
}

std::vector<Outcome> compare(const std::vector<Suite>& suites, const std::function<void()>& done) {
  std::vector<traffic::Experiment> experiments;
  std::vector<const Case*> runs;
  for (const auto& suite : suites)
    for (const auto& c : suite.cases) {
      if (suite.runs)
        runs.push_back(&c);
      else
        experiments.push_back(c.experiment);
    }
  const auto results = traffic::run_all(experiments, done);
  const auto run_results = run_cases(runs, done);
  std::vector<Outcome> outcomes;
  std::size_t at = 0, run_at = 0;
  for (const auto& suite : suites) {
    auto& outcome = outcomes.emplace_back();
    outcome.suite = &suite;
    for (const auto& c : suite.cases) {
      auto& row = outcome.cases.emplace_back();
      if (suite.runs) {
        const auto& values = run_results[run_at++];
        for (std::size_t i = 0; i < values.size(); ++i)
          row.push_back({c.expected[i].column, run_unit(c.expected[i].column), values[i],
                         c.expected[i].reference, c.expected[i].bar, c.expected[i].known});
        continue;
      }
      const auto& result = results[at++];
      for (const auto& e : c.expected)
        row.push_back({e.column, result.unit(e.column), result.at(e.column), e.reference, e.bar, e.known});
    }
  }
  return outcomes;
}

std::string to_text(const std::vector<Outcome>& outcomes) {
  std::string text;
  for (const auto& outcome : outcomes)
    text += outcome.suite->title + "\n\n" + traffic::align(lines(outcome)) + "\n";
  return text + traffic::align(summary_lines(outcomes));
}

std::string to_markdown(const std::vector<Outcome>& outcomes) {
  std::string text;
  for (const auto& outcome : outcomes) {
    text += fmt::format("## {}\n\n{}\n\n", outcome.suite->title, outcome.suite->source);
    text += fmt::format("![{}]({}.svg)\n\n", outcome.suite->title, outcome.suite->name);
    const auto table = lines(outcome);
    text += markdown_row(table[0]) + markdown_row(std::vector<std::string>(table[0].size(), "---"));
    for (std::size_t i = 1; i < table.size(); ++i) text += markdown_row(table[i]);
    text += "\n";
  }
  return text;
}

std::string summary_markdown(const std::vector<Outcome>& outcomes) {
  const auto table = summary_lines(outcomes);
  auto text = markdown_row(table[0]) + markdown_row(std::vector<std::string>(table[0].size(), "---"));
  for (std::size_t i = 1; i < table.size(); ++i) text += markdown_row(table[i]);
  return text;
}

}  // namespace forerun::validate
