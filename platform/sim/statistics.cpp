// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "ip/base/time.hpp"

namespace forerun::sim {
namespace {

bool matches(std::string_view name, std::string_view prefix, std::string_view suffix) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.size() < prefix.size() + suffix.size())
    return false;
  const auto middle = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
  return std::all_of(middle.begin(), middle.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

Snapshot take_snapshot(soc::Soc& soc, std::size_t tags) {
  Snapshot snapshot{ip::now_picoseconds(), {}, {}, {}};
  snapshot.values.reserve(soc.statistics().size());
  for (const auto& statistic : soc.statistics()) snapshot.values.push_back(statistic.value());
  for (const auto& link : soc.noc.links())
    for (const auto value :
         {link.flits, static_cast<std::uint64_t>(link.busy_ps), static_cast<std::uint64_t>(link.blocked_ps)})
      snapshot.links.push_back(value);
  for (const auto& cluster : soc.clusters)
    for (const auto* engine : cluster->engines()) {
      if (engine == nullptr) continue;
      auto times = engine->time_by_tag();
      times.resize(tags);
      snapshot.tags.insert(snapshot.tags.end(), times.begin(), times.end());
    }
  return snapshot;
}

void add_difference(Snapshot& to, const Snapshot& from, const Snapshot& until, double factor) {
  const auto scaled = [factor](auto difference) {
    return std::llround(static_cast<double>(difference) * factor);
  };
  to.picoseconds += scaled(until.picoseconds - from.picoseconds);
  for (const auto list : {&Snapshot::values, &Snapshot::links, &Snapshot::tags})
    for (std::size_t i = 0; i < (to.*list).size(); ++i) {
      const auto before = (from.*list).empty() ? 0 : (from.*list)[i];
      // Times of what a channel waits for may be put down to another cause later: they fall then.
      const auto difference = static_cast<std::int64_t>((until.*list)[i] - before);
      (to.*list)[i] += static_cast<std::uint64_t>(scaled(difference));
    }
}

std::uint64_t Window::sum(std::string_view prefix, std::string_view suffix) const {
  const auto& statistics = soc_.statistics();
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < statistics.size(); ++i)
    if (matches(statistics[i].name, prefix, suffix)) total += to_.values[i] - from_.values[i];
  return total;
}

std::uint64_t Window::memory(std::string_view suffix) const {
  auto total = sum("hbm", suffix);
  for (unsigned stack = 0; stack < soc_.chip().hbm.stacks; ++stack)
    total += sum(fmt::format("hbm{}.port", stack), suffix);
  return total;
}

std::uint64_t Window::value(std::string_view name) const { return sum(name, ""); }

}  // namespace forerun::sim
