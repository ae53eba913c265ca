// SPDX-License-Identifier: Apache-2.0
/// Comparisons of the models with figures of others: suites of experiments, or of runs of a model, with known
/// results, as files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "platform/traffic/experiment.hpp"

namespace forerun::validate {

/// How far off a result may be.
struct Bar {
  double value = 0;
  bool relative = false;  ///< a share of the reference; otherwise in the unit of the result
};

struct Expectation {
  std::string column;  ///< of traffic::Result, or of a run (run_results.hpp)
  double reference = 0;
  Bar bar;
  std::optional<Bar> known;  ///< a miss of the bar that is known: how far off it may be
};

struct Case {
  std::vector<std::string> settings;  ///< the cells that set or tell something, under Suite::keys
  traffic::Experiment experiment;
  std::vector<std::string> arguments;  ///< of `forerun run`, in a suite of runs
  std::vector<Expectation> expected;
};

/// A file of platform/validate/suites:
///
///     title: Saturating streams
///     source: whose figures these are, and how they were made
///     experiment: {system: memory, chip: memory/hbm2, traffic: {...}}
///     cases: saturation.csv                   # beside this file
///     bars: {bandwidth: 2 points, queue_latency: 5 %}
///     plot: {x: traffic.rate, y: queue_latency}
///
/// The heading of the cases names keys of the experiment or of its chip, `expect COLUMN` for a result,
/// `bar COLUMN` for a bar of this line alone, `known COLUMN` for a miss of the bar that is known (how far off
/// the result may be, with its sign), and `note WHAT` for what is only shown; an empty cell sets or expects
/// nothing. Lines that begin with # are comments.
///
/// A suite of runs has `run: {chip: ..., data: none, all-layers: true, hbm.model: row}` in the place of the
/// experiment: options of `forerun run`, those without a value as true, and keys of the chip. Its headings
/// are such options, `run.model`, or keys of the chip.
struct Suite {
  std::string name, title, source;
  std::vector<std::string> keys;  ///< what the cases set or tell
  bool runs = false;              ///< of a model, in processes of their own
  std::vector<Case> cases;
  std::string plot_x, plot_y;  ///< empty: results over references
};

/// Throws traffic::ExperimentError naming the place.
Suite read_suite(const std::filesystem::path& file);
/// All suites of a block ("hbm", "noc"), sorted by name; empty for a block without any.
std::vector<Suite> suites(const std::string& block);
/// Blocks that have suites, sorted.
std::vector<std::string> blocks();

}  // namespace forerun::validate
