// SPDX-License-Identifier: Apache-2.0
// forerun sweep: studies of many runs.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <thread>

#include "platform/cli/options.hpp"
#include "platform/cli/progress.hpp"
#include "platform/sweep/crew.hpp"
#include "platform/sweep/results.hpp"
#include "platform/sweep/store.hpp"
#include "platform/sweep/study.hpp"

namespace forerun::cli {
namespace {

struct SweepCommand {
  std::string file, out;
  unsigned jobs = std::max(1u, std::thread::hardware_concurrency());
  bool again = false;
};

/// Options of `forerun run` that make sense in a study: all but those that say where results go or that talk
/// with somebody.
std::vector<std::string> run_options(const CLI::App& app) {
  const std::vector<std::string> others = {"help",     "set",    "report",      "ids",          "logits",
                                           "gdb",      "native", "waves",       "waves-format", "waves-from",
                                           "waves-to", "record", "record-count"};
  std::vector<std::string> names;
  for (const auto* option : app.get_subcommand("run")->get_options())
    for (const auto& name : option->get_lnames())
      if (std::find(others.begin(), others.end(), name) == others.end()) names.push_back(name);
  return names;
}

int run(const SweepCommand& o, const CLI::App& app) {
  const auto study = sweep::read_study(o.file, run_options(app));
  const auto points = sweep::points(study);
  const sweep::Store store(o.out.empty() ? std::filesystem::path(o.file).replace_extension(".results")
                                         : std::filesystem::path(o.out));
  std::vector<sweep::Outcome> outcomes(points.size());
  std::vector<sweep::Job> jobs;
  std::vector<std::size_t> point_of;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!o.again && (outcomes[i].report = store.find(points[i]))) continue;
    auto arguments = points[i].arguments;
    arguments.insert(arguments.begin(), "run");
    arguments.insert(arguments.end(), {"--report", store.report_of(points[i]).string()});
    jobs.push_back({std::move(arguments), store.messages_of(points[i])});
    point_of.push_back(i);
  }
  {
    Progress progress(jobs.size(), "points", !jobs.empty());
    sweep::run_jobs(std::filesystem::read_symlink("/proc/self/exe"), jobs, o.jobs,
                    [&](std::size_t job, int code) {
                      auto& outcome = outcomes[point_of[job]];
                      const auto& point = points[point_of[job]];
                      if (code == 0)
                        outcome.report = store.keep(point);
                      else
                        outcome.problem = store.complaint(point);
                      progress.advance(1);
                    });
  }
  sweep::write_file(store.folder() / "results.csv", sweep::to_csv(study, points, outcomes));
  sweep::write_file(store.folder() / "results.json", sweep::to_json(study, points, outcomes));
  fmt::print("{}", sweep::to_table(study, points, outcomes));
  std::size_t failures = 0;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (outcomes[i].report) continue;
    ++failures;
    fmt::print(stderr, "point {} ({}): {}\n", i + 1, fmt::join(points[i].values, ", "), outcomes[i].problem);
  }
  fmt::print("{} points: {} run now, {} from before; {}\n", points.size(), jobs.size(),
             points.size() - jobs.size(), (store.folder() / "results.csv").string());
  if (failures > 0)
    fmt::print(stderr, "forerun: error: {} of {} points have failed\n", failures, points.size());
  return failures > 0 ? failed : ok;
}

}  // namespace

void add_sweep(CLI::App& app, int& code) {
  auto o = std::make_shared<SweepCommand>();
  auto& command =
      *app.add_subcommand("sweep", "run a study: every combination of values of chip, model and workload");
  command.add_option("STUDY", o->file, "a study (YAML); docs/sweep.md says how to write one")->required();
  command.add_option("--out", o->out,
                     "folder of the results; what it has already is not run again (default: STUDY.results)");
  command.add_option("--jobs", o->jobs, "runs at a time (default: as many as the host has processors)")
      ->check(CLI::Range(1u, 1024u));
  command.add_flag("--again", o->again, "run points that have results too");
  command.callback([o, &app, &code] { code = run(*o, app); });
}

}  // namespace forerun::cli
