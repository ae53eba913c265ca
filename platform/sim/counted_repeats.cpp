// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/counted_repeats.hpp"

#include <algorithm>
#include <cmath>

#include "ip/base/time.hpp"

namespace forerun::sim {

CountedRepeats::CountedRepeats(soc::Soc& soc, const models::Program& program, unsigned sequences)
    : soc_(soc), tags_(program.tags.size()), watched_(program.streams.size()) {
  for (std::size_t c = 0; c < program.streams.size(); ++c)
    for (const auto& repeat : find_repeats(program.streams[c], sequences)) {
      auto& place = places_[{repeat.tag, repeat.number}];
      place.passes[c].repeat = repeat;
      soc.clusters[c]->command.leaps.push_back({repeat.at, repeat.to, repeat.iterations});
      for (const auto& moment : repeat.moments) {
        auto& watching = watched_[c][moment.offset];
        if (watching.empty() || watching.back() != &place) watching.push_back(&place);
      }
    }
}

void CountedRepeats::forget() {
  for (auto& [key, place] : places_) {
    place.over = 0;
    for (auto& [cluster, pass] : place.passes) pass.visits = 0, pass.over = false;
  }
  added_ = {};
  uncertain_ps_ = 0;
}

void CountedRepeats::begin(std::size_t cluster, std::uint64_t offset) {
  if (cluster >= watched_.size()) return;
  const auto found = watched_[cluster].find(offset);
  if (found == watched_[cluster].end()) return;
  for (auto* place : found->second) {
    auto& pass = place->passes.at(cluster);
    const auto& moments = pass.repeat.moments;
    const auto visit = pass.repeat.iterations > 0 ? pass.visits++ : 0;
    for (std::size_t i = 0; i < moments.size(); ++i)
      if (moments[i].offset == offset && moments[i].visit == visit) reach(*place, cluster, pass, i);
  }
}

void CountedRepeats::reach(Place& place, std::size_t cluster, Pass& pass, std::size_t moment) {
  pass.times[moment] = ip::now_picoseconds();
  if (cluster == place.passes.begin()->first) {
    if (moment == 0) place.before = take_snapshot(soc_, tags_);
    if (moment == 2) place.after = take_snapshot(soc_, tags_);
  }
  if (moment != 3) return;
  pass.visits = 0;
  pass.over = true;
  if (++place.over == place.passes.size()) add(place);
}

/// All clusters have reached the last unit.
void CountedRepeats::add(Place& place) {
  double reached = 0, with_all = 0, uncertain = 0;
  for (auto& [cluster, pass] : place.passes) {
    const auto& t = pass.times;
    const auto units = static_cast<double>(pass.repeat.left_out) / pass.repeat.counted;
    const double first = static_cast<double>(t[1] - t[0]), second = static_cast<double>(t[2] - t[1]);
    const double end = static_cast<double>(t[3]), later = end + units * (first + second) / 2;
    reached = std::max(reached, end);
    if (later > with_all) with_all = later, uncertain = units * std::abs(first - second) / 2;
    pass.over = false;
  }
  place.over = 0;
  const auto& repeat = place.passes.begin()->second.repeat;
  if (added_.values.empty()) {
    added_.values.resize(place.after.values.size());
    added_.links.resize(place.after.links.size());
    added_.tags.resize(place.after.tags.size());
  }
  const auto time = added_.picoseconds + std::llround(with_all - reached);
  add_difference(added_, place.before, place.after, repeat.left_out / (2.0 * repeat.counted));
  added_.picoseconds = time;
  uncertain_ps_ += uncertain;
}

}  // namespace forerun::sim
