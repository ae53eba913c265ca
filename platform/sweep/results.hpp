// SPDX-License-Identifier: Apache-2.0
/// The results of a study as text.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "platform/sweep/store.hpp"
#include "platform/sweep/study.hpp"

namespace forerun::sweep {

struct Outcome {
  std::optional<Report> report;  ///< none: it has failed
  std::string problem;
};

/// For people: the axes, then time, bandwidth and operations.
std::string to_table(const Study& study, std::span<const Point> points, std::span<const Outcome> outcomes);
/// The axes, then every number and text of the reports that is not in a list, by its dotted path.
std::string to_csv(const Study& study, std::span<const Point> points, std::span<const Outcome> outcomes);
/// A list of {"axes": {...}, "arguments": [...], "report": {...}} (or "problem").
std::string to_json(const Study& study, std::span<const Point> points, std::span<const Outcome> outcomes);

}  // namespace forerun::sweep
