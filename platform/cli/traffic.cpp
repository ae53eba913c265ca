// SPDX-License-Identifier: Apache-2.0
// forerun traffic: experiments on the memory system.
#include "platform/traffic/experiment.hpp"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "platform/cli/options.hpp"
#include "platform/cli/progress.hpp"
#include "platform/traffic/runner.hpp"
#include "platform/traffic/table.hpp"

namespace forerun::cli {
namespace {

struct TrafficCommand {
  std::string file;
  std::vector<std::string> set;
  std::optional<std::string> csv, series;
  bool keys = false;
};

traffic::Experiment load(const TrafficCommand& o) {
  auto experiment = traffic::read_experiment(o.file);
  for (const auto& setting : o.set) {
    const auto equals = setting.find('=');
    const auto place = "--set " + setting.substr(0, 80);
    if (equals == std::string::npos || equals == 0) throw UsageError(place + ": expected KEY=VALUE");
    const auto key = setting.substr(0, equals);
    std::erase_if(experiment.sweep, [&](const auto& axis) { return axis.key == key; });
    traffic::set(experiment, key, setting.substr(equals + 1), place);
  }
  return experiment;
}

std::optional<OutputFile> open(const std::optional<std::string>& path) {
  return path ? std::optional<OutputFile>(OutputFile(*path)) : std::nullopt;
}

int run(const TrafficCommand& o) {
  if (o.keys) {
    fmt::print("{}", traffic::key_table());
    return ok;
  }
  if (o.file.empty()) throw UsageError("traffic: expected the file of an experiment");
  const auto experiment = load(o);
  auto csv = open(o.csv), series = open(o.series);
  const auto points = traffic::points(experiment);
  std::vector<traffic::Experiment> experiments;
  for (const auto& point : points) {
    experiments.push_back(point.experiment);
    traffic::load_chip(point.experiment);  // problems are better found before anything is simulated
  }
  Progress progress(points.size(), "points", points.size() > 1);
  const auto results = traffic::run_all(experiments, [&] { progress.advance(1); });
  fmt::print("{}", traffic::to_table(experiment, points, results));
  if (points.size() <= 4)
    for (const auto& result : results)
      for (const auto& note : result.notes) fmt::print("{}\n", note);
  if (csv && !csv->commit(traffic::to_csv(experiment, points, results))) return failed;
  if (series && !series->commit(traffic::series_csv(experiment, points, results))) return failed;
  return ok;
}

}  // namespace

void add_traffic(CLI::App& app, int& code) {
  auto o = std::make_shared<TrafficCommand>();
  auto& command =
      *app.add_subcommand("traffic", "run an experiment with made-up traffic on memory, network or both");
  command.add_option("EXPERIMENT", o->file,
                     "an experiment (YAML); docs/memory-system.md says how to write one");
  command
      .add_option(
          "--set", o->set,
          "override a key of the experiment or of its chip, for example traffic.rate=50 %; may be repeated")
      ->allow_extra_args(false);
  command.add_option("--csv", o->csv, "write every column of every point to this file");
  command.add_option("--series", o->series,
                     "write what happened over time, in bins of the experiment's `bin`, to this file");
  command.add_flag("--keys", o->keys, "print the keys of experiments as a table");
  command.callback([o, &code] { code = run(*o); });
}

}  // namespace forerun::cli
