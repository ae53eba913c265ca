// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <stdexcept>

#include "platform/validate/compare.hpp"

namespace forerun::validate {
namespace {

struct Dot {
  double x, ours, reference;
};

/// The leading number of a cell: "60 %" is 60.
double leading_number(const std::string& text) { return std::strtod(text.c_str(), nullptr); }

/// Curves by the settings other than x, in the order of their first case.
std::vector<std::pair<std::string, std::vector<Dot>>> curves(const Outcome& outcome) {
  std::vector<std::pair<std::string, std::vector<Dot>>> all;
  const auto& suite = *outcome.suite;
  for (std::size_t i = 0; i < outcome.cases.size(); ++i) {
    const auto& settings = suite.cases[i].settings;
    std::string label;
    double x = 0;
    for (std::size_t k = 0; k < suite.keys.size(); ++k) {
      if (suite.keys[k] == suite.plot_x)
        x = leading_number(settings[k]);
      else
        label += (label.empty() ? "" : ", ") + settings[k];
    }
    const auto& row = outcome.cases[i];
    const auto at =
        std::find_if(row.begin(), row.end(), [&](const auto& c) { return c.column == suite.plot_y; });
    if (at == row.end()) continue;
    auto curve = std::find_if(all.begin(), all.end(), [&](const auto& c) { return c.first == label; });
    if (curve == all.end()) curve = all.insert(all.end(), {label, {}});
    curve->second.push_back({x, at->ours, at->reference});
  }
  return all;
}

std::string unit_of(const Outcome& outcome) {
  for (const auto& row : outcome.cases)
    for (const auto& c : row)
      if (c.column == outcome.suite->plot_y) return c.unit;
  return "";
}

/// References and results of the first column that is expected, against one another.
std::vector<std::pair<std::string, std::vector<Dot>>> scatter(const Outcome& outcome, std::string& column) {
  column = outcome.cases.front().front().column;
  std::vector<Dot> dots;
  for (const auto& row : outcome.cases)
    for (const auto& c : row)
      if (c.column == column) dots.push_back({c.reference, c.ours, c.reference});
  return {{"", dots}};
}

std::string data_blocks(const std::vector<std::pair<std::string, std::vector<Dot>>>& all) {
  std::string data;
  for (std::size_t i = 0; i < all.size(); ++i) {
    data += fmt::format("$curve{} << end\n", i);
    for (const auto& dot : all[i].second) data += fmt::format("{} {} {}\n", dot.x, dot.ours, dot.reference);
    data += "end\n";
  }
  return data;
}

/// Whether x spans more than a linear axis shows.
bool wide(const std::vector<std::pair<std::string, std::vector<Dot>>>& all) {
  double least = 1e300, most = 0;
  for (const auto& [label, dots] : all)
    for (const auto& dot : dots) {
      least = std::min(least, dot.x);
      most = std::max(most, dot.x);
    }
  return least > 0 && most / least > 64;
}

void gnuplot(const std::string& script) {
  auto* const pipe = ::popen("gnuplot -", "w");
  if (pipe == nullptr) throw std::runtime_error("gnuplot cannot be started");
  std::fwrite(script.data(), 1, script.size(), pipe);
  const int status = ::pclose(pipe);
  if (status != 0)
    throw std::runtime_error(
        fmt::format("gnuplot ended with code {}; Debian's package is gnuplot-nox", WEXITSTATUS(status)));
}

}  // namespace

void plot(const Outcome& outcome, const std::string& svg_file) {
  const auto& suite = *outcome.suite;
  std::string script = fmt::format(
      "set terminal svg size 760,460 font 'sans-serif,11' background '#ffffff'\nset output '{}'\n"
      "set title '{}' noenhanced\nset key outside right noenhanced\nset grid\nset yrange [0:*]\n",
      svg_file, suite.title);
  if (suite.plot_x.empty()) {
    std::string column;
    const auto all = scatter(outcome, column);
    gnuplot(script +
            fmt::format(
                "set xlabel 'reference {0}' noenhanced\nset ylabel 'our {0}' noenhanced\nset xrange [0:*]\n",
                column) +
            data_blocks(all) +
            "plot x with lines lc 'grey' title 'equal', $curve0 using 1:2 with points pt 7 title 'cases'\n");
    return;
  }
  const auto all = curves(outcome);
  script += fmt::format("set xlabel '{}' noenhanced\nset ylabel '{} ({})' noenhanced\n", suite.plot_x,
                        suite.plot_y, unit_of(outcome));
  if (wide(all) && suite.plot_x != "traffic.rate") script += "set logscale x 2\n";
  if (std::any_of(all.begin(), all.end(), [](const auto& curve) { return curve.first.size() > 30; }))
    script += "set key below maxcols 1\n";
  std::string lines;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& label = all[i].first;
    lines += fmt::format(
        "{}$curve{} using 1:2 with lines lw 2 lc {} title '{}', $curve{} using 1:3 with points pt 7 ps 0.6 "
        "lc {} {}",
        i == 0 ? "" : ", ", i, i + 1, label.empty() ? "ours" : label, i, i + 1,
        i + 1 == all.size() ? "title 'points: reference'" : "notitle");
  }
  gnuplot(script + data_blocks(all) + "plot " + lines + "\n");
}

}  // namespace forerun::validate
