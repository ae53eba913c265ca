// SPDX-License-Identifier: Apache-2.0
/// Runs suites and holds results against references.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "platform/validate/suite.hpp"

namespace forerun::validate {

struct Comparison {
  std::string column, unit;
  double ours = 0, reference = 0;
  Bar bar;
  std::optional<Bar> known;  ///< a miss that is known
  /// ours - reference, as a share of the reference where that is wanted; where the bar is relative.
  double difference(bool relative) const;
  double error() const;
  bool within() const;
  /// Beyond the bar, but to the side and no further than is known.
  bool known_miss() const;
};

struct Outcome {
  const Suite* suite = nullptr;
  std::vector<std::vector<Comparison>> cases;  ///< in the order of the suite's
  unsigned count() const;
  unsigned outside() const;  ///< of the bars
  unsigned known() const;    ///< of those outside
};

/// `done` is called after each case. Throws std::runtime_error when a case cannot be run.
std::vector<Outcome> compare(const std::vector<Suite>& suites, const std::function<void()>& done = {});

/// Tables with every case, and a line for each suite at the end.
std::string to_text(const std::vector<Outcome>& outcomes);
/// The same for a page.
std::string to_markdown(const std::vector<Outcome>& outcomes);
/// A line for each suite and column: cases, bar, mean and worst error, how many are within the bar.
std::string summary_markdown(const std::vector<Outcome>& outcomes);

/// Draws a suite by gnuplot (a separate program): our results as lines, the references as points; or, where
/// the suite says no plot, results over references. Throws std::runtime_error where gnuplot is missing or
/// fails.
void plot(const Outcome& outcome, const std::string& svg_file);

}  // namespace forerun::validate
