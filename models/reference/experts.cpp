// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <numeric>

#include "models/reference/reference_executor.hpp"

namespace forerun::models {
namespace {

/// The indices of the `count` largest, the first of equals, in ascending order.
std::vector<std::uint32_t> largest(const std::vector<double>& values, std::uint32_t count) {
  std::vector<std::uint32_t> order(values.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return values[a] > values[b]; });
  order.resize(count);
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace

std::vector<Choice> choose_experts(const Experts& e, std::vector<double> scores,
                                   const std::vector<double>& correction) {
  if (e.sigmoid) {
    for (auto& s : scores) s = 1 / (1 + std::exp(-s));
  } else {
    const double top = *std::max_element(scores.begin(), scores.end());
    double total = 0;
    for (auto& s : scores) total += s = std::exp(s - top);
    for (auto& s : scores) s /= total;
  }
  auto chosen_by = scores;
  if (!correction.empty())
    for (std::size_t i = 0; i < chosen_by.size(); ++i) chosen_by[i] += correction[i];
  if (e.groups > 1) {
    const auto size = static_cast<std::ptrdiff_t>(e.count / e.groups);
    std::vector<double> group_scores;
    for (auto at = chosen_by.begin(); at != chosen_by.end(); at += size) {
      std::vector<double> group(at, at + size);
      std::sort(group.begin(), group.end(), std::greater<>());
      group_scores.push_back(e.group_by_two ? group[0] + group[1] : group[0]);
    }
    const auto kept = largest(group_scores, e.groups_used);
    for (std::uint32_t i = 0; i < e.count; ++i)
      if (!std::binary_search(kept.begin(), kept.end(), i / (e.count / e.groups))) chosen_by[i] = -HUGE_VAL;
  }
  std::vector<Choice> choice;
  double total = 0;
  for (const auto i : largest(chosen_by, e.used)) {
    choice.push_back({i, scores[i]});
    total += scores[i];
  }
  for (auto& c : choice) c.weight *= (e.normalised ? 1 / total : 1) * e.scale;
  return choice;
}

}  // namespace forerun::models
