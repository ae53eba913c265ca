// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/statistics.hpp"

#include <algorithm>
#include <cctype>

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

Snapshot take_snapshot(const soc::Soc& soc) {
  Snapshot snapshot{ip::now_picoseconds(), {}};
  snapshot.values.reserve(soc.statistics().size());
  for (const auto& statistic : soc.statistics()) snapshot.values.push_back(statistic.value());
  return snapshot;
}

std::uint64_t Window::sum(std::string_view prefix, std::string_view suffix) const {
  const auto& statistics = soc_.statistics();
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < statistics.size(); ++i)
    if (matches(statistics[i].name, prefix, suffix)) total += to_.values[i] - from_.values[i];
  return total;
}

std::uint64_t Window::value(std::string_view name) const { return sum(name, ""); }

}  // namespace forerun::sim
