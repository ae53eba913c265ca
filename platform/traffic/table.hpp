// SPDX-License-Identifier: Apache-2.0
/// Results as text.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "platform/traffic/experiment.hpp"
#include "platform/traffic/result.hpp"

namespace forerun::traffic {

/// Cells in columns, padded: the first line is the heading. Numbers go to the right.
std::string align(const std::vector<std::vector<std::string>>& lines);

/// The columns for people: an axis each, then what was measured.
std::string to_table(const Experiment& experiment, std::span<const Point> points,
                     std::span<const Result> results);
/// Every column, unrounded, with units in the heading: "read_latency (ns)".
std::string to_csv(const Experiment& experiment, std::span<const Point> points,
                   std::span<const Result> results);
/// The series over time of all points, the axes before them; empty where there is none.
std::string series_csv(const Experiment& experiment, std::span<const Point> points,
                       std::span<const Result> results);

}  // namespace forerun::traffic
