// SPDX-License-Identifier: Apache-2.0
// forerun validate: the models against figures of others.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>

#include "platform/cli/options.hpp"
#include "platform/cli/progress.hpp"
#include "platform/validate/compare.hpp"

namespace forerun::cli {
namespace {

struct ValidateCommand {
  std::vector<std::string> blocks;
  std::optional<std::string> docs;
  std::string only;
};

/// The page with the text between the marks of a block replaced.
std::string with_summary(const std::string& page, const std::string& block, const std::string& text) {
  const auto begin = fmt::format("<!-- validate {}: printed by forerun validate -->\n", block);
  const auto end = fmt::format("<!-- end of {} -->\n", block);
  const auto from = page.find(begin), to = page.find(end);
  if (from == std::string::npos || to == std::string::npos || to < from)
    throw std::runtime_error(fmt::format("fidelity.md has no place for the table of {}", block));
  return page.substr(0, from + begin.size()) + "\n" + text + "\n" + page.substr(to);
}

/// docs/fidelity.md gets the summary; docs/fidelity/BLOCK.md and its plots every case.
void document(const std::string& folder, const std::string& block,
              const std::vector<validate::Outcome>& outcomes) {
  namespace fs = std::filesystem;
  const auto page = folder + "/fidelity.md";
  std::ifstream stream(page, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (!stream || text.empty()) throw std::runtime_error(page + ": cannot be read");
  fs::create_directories(folder + "/fidelity");
  OutputFile summary(page), cases(fmt::format("{}/fidelity/{}.md", folder, block));
  for (const auto& outcome : outcomes)
    validate::plot(outcome, fmt::format("{}/fidelity/{}.svg", folder, outcome.suite->name));
  const auto heading = fmt::format(
      "# {}: every case\n\nPrinted by `forerun validate {} --docs docs`. The summary is in "
      "[fidelity.md](../fidelity.md).\n\n",
      block, block);
  if (!cases.commit(heading + validate::to_markdown(outcomes)) ||
      !summary.commit(with_summary(text, block, validate::summary_markdown(outcomes))))
    throw std::runtime_error("the pages could not be written");
}

int run(const ValidateCommand& o) {
  const auto known = validate::blocks();
  auto wanted = o.blocks.empty() ? known : o.blocks;
  for (const auto& block : wanted)
    if (std::find(known.begin(), known.end(), block) == known.end())
      throw UsageError(fmt::format("validate: unknown '{}'; known are {}", block, fmt::join(known, ", ")));
  unsigned count = 0, outside = 0, known_misses = 0;
  for (const auto& block : wanted) {
    auto suites = validate::suites(block);
    std::erase_if(suites, [&](const auto& suite) { return suite.name.find(o.only) == std::string::npos; });
    std::size_t cases = 0;
    for (const auto& suite : suites) cases += suite.cases.size();
    std::vector<validate::Outcome> outcomes;
    {
      Progress progress(cases, "cases");
      outcomes = validate::compare(suites, [&] { progress.advance(1); });
    }
    fmt::print("{}\n", validate::to_text(outcomes));
    for (const auto& outcome : outcomes) {
      count += outcome.count();
      outside += outcome.outside();
      known_misses += outcome.known();
    }
    if (o.docs) document(*o.docs, block, outcomes);
  }
  if (count == 0) throw UsageError(fmt::format("validate: no suite's name has '{}' in it", o.only));
  fmt::print("{} of {} figures are within their bars{}\n", count - outside, count,
             known_misses == 0 ? "" : fmt::format(", and {} miss theirs as is known", known_misses));
  return outside == known_misses ? ok : failed;
}

}  // namespace

void add_validate(CLI::App& app, int& code) {
  auto o = std::make_shared<ValidateCommand>();
  auto& command = *app.add_subcommand("validate",
                                      "compare the models with figures of others; exit code 0 when every "
                                      "error is within its bar, or no further off "
                                      "than is known");
  command.add_option("BLOCK", o->blocks, "hbm, noc or machines; all of them unless given");
  command.add_option("--only", o->only, "only the suites with this in their name");
  command.add_option("--docs", o->docs, "write tables and plots into this folder: fidelity.md and fidelity/");
  command.callback([o, &code] { code = run(*o); });
}

}  // namespace forerun::cli
