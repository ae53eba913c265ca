// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/counted_repeats.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <string_view>

#include "ip/base/time.hpp"

namespace forerun::sim {
namespace {

/// An engine that works for a smaller part of the time than this waits for something else than the other one.
constexpr double at_work = 0.8;

std::int64_t busy(const ip::Engine& engine) { return static_cast<std::int64_t>(engine.busy_time.value()); }

}  // namespace

void UnitTimes::add(std::size_t cluster, double first_half, double second_half) {
  const auto mean = (first_half + second_half) / 2;
  auto& samples = clusters_[cluster];
  samples.sum += mean;
  ++samples.count;
  sum_ += mean;
  squares_ += (first_half - second_half) * (first_half - second_half);
  ++count_;
}

UnitTimes::Estimate UnitTimes::of(std::size_t cluster) const {
  const auto& own = clusters_.at(cluster);
  const auto number = static_cast<double>(clusters_.size()), all = static_cast<double>(count_);
  const double mean = sum_ / all, own_mean = own.sum / own.count;
  const double of_sample = squares_ / all / 4;  // variance of the mean of two halves
  const double within = of_sample / own.count;
  double between = 0;
  for (const auto& [name, samples] : clusters_) {
    const auto off = samples.sum / samples.count - mean;
    between += off * off / std::max(1.0, number - 1);
  }
  between = std::max(0.0, between - of_sample * number / all);
  const double own_share = within == 0 ? 1 : between / (between + within);
  return {mean + own_share * (own_mean - mean),
          std::sqrt(own_share * within + (1 - own_share) * of_sample / all)};
}

CountedRepeats::CountedRepeats(soc::Soc& soc, const models::Program& program, unsigned sequences)
    : soc_(soc),
      tags_(program.tags.size()),
      watched_(program.streams.size()),
      clusters_(program.streams.size()) {
  const auto clusters = program.streams.size();
  sort_counters();
  if (clusters > 1)
    meetings_.resize(meetings(program.streams.front(), clusters).size(),
                     {0, std::vector<std::int64_t>(clusters)});
  for (std::size_t c = 0; c < clusters; ++c) {
    for (const auto& repeat : find_repeats(program.streams[c], sequences)) {
      auto& place = places_[{repeat.tag, repeat.number}];
      place.passes[c].repeat = repeat;
      soc.clusters[c]->command.leaps().push_back({repeat.at, repeat.to, repeat.iterations, 1});
      const auto watch = [&](std::uint64_t offset) {
        auto& watching = watched_[c][offset].places;
        if (watching.empty() || watching.back() != &place) watching.push_back(&place);
      };
      for (const auto& moment : repeat.moments) watch(moment.offset);
      for (const auto offset : repeat.loads) watch(offset);
    }
    if (clusters == 1) continue;
    const auto offsets = meetings(program.streams[c], clusters);
    for (std::size_t i = 0; i < std::min(offsets.size(), meetings_.size()); ++i)
      watched_[c][offsets[i]].meeting = &meetings_[i];
  }
}

void CountedRepeats::begin(std::size_t cluster, std::uint64_t offset) {
  if (cluster >= watched_.size()) return;
  const auto found = watched_[cluster].find(offset);
  if (found == watched_[cluster].end()) return;
  if (found->second.meeting != nullptr) return meet(*found->second.meeting, cluster);
  for (auto* place : found->second.places) {
    auto& pass = place->passes.at(cluster);
    const auto& loads = pass.repeat.loads;
    if (const auto load = std::find(loads.begin(), loads.end(), offset); load != loads.end()) {
      if (pass.repeat.iterations > 0)
        pass.all_loads.push_back(work_of(soc_.clusters[cluster]->load));
      else
        reach_load(pass, cluster, static_cast<std::size_t>(load - loads.begin()));
      continue;
    }
    const auto& moments = pass.repeat.moments;
    const auto visit = pass.repeat.iterations > 0 ? pass.visits++ : 0;
    for (std::size_t i = 0; i < moments.size(); ++i)
      if (moments[i].offset == offset && moments[i].visit == visit) reach(*place, cluster, i);
  }
}

void CountedRepeats::sort_counters() {
  const auto& statistics = soc_.statistics();
  std::map<std::string, Part*, std::less<>> parts;
  for (std::size_t c = 0; c < clusters_.size(); ++c) {
    auto& cluster = clusters_[c];
    parts[fmt::format("cluster{}", c)] = &cluster.own;
    const auto engines = soc_.clusters[c]->engines();
    std::size_t at = 0;
    for (const auto& before : soc_.clusters)
      for (const auto* engine : before->engines()) {
        if (engine == nullptr) continue;
        if (std::find(engines.begin(), engines.end(), engine) != engines.end())
          (engine == &soc_.clusters[c]->load ? cluster.load : cluster.own).engines.emplace_back(engine, at);
        at += tags_;
      }
  }
  for (std::size_t i = 0; i < statistics.size(); ++i) {
    const std::string_view name = statistics[i].name;
    const auto dot = name.find('.');
    const auto part = parts.find(name.substr(0, dot));
    if (part == parts.end()) {
      shared_.push_back(i);
      if (name.starts_with("hbm") && name.substr(dot) == ".bytes_read") bytes_read_.push_back(i);
      continue;
    }
    const auto cluster = static_cast<std::size_t>(std::stoul(std::string(name.substr(7, dot - 7))));
    const bool load = name.substr(dot).starts_with(".load.");
    (load ? clusters_[cluster].load : *part->second).statistics.push_back(i);
  }
}

CountedRepeats::Work CountedRepeats::work_of(const ip::Dma& load) {
  return {ip::now_picoseconds(), busy(load), load.bytes_moved.value()};
}

CountedRepeats::Counts CountedRepeats::read(const Part& part) const {
  Counts counts;
  for (const auto i : part.statistics) counts.push_back(soc_.statistics()[i].value());
  for (const auto& [engine, at] : part.engines) {
    auto times = engine->time_by_tag();
    times.resize(tags_);
    counts.insert(counts.end(), times.begin(), times.end());
  }
  return counts;
}

void CountedRepeats::add(const Part& part, const Counts& from, const Counts& until, double factor) {
  std::size_t next = 0;
  const auto more = [&](std::uint64_t& value) {
    const auto difference = static_cast<std::int64_t>(until[next] - from[next]);
    value += static_cast<std::uint64_t>(std::llround(static_cast<double>(difference) * factor));
    ++next;
  };
  for (const auto i : part.statistics) more(added_.values[i]);
  for (const auto& [engine, at] : part.engines)
    for (std::size_t tag = 0; tag < tags_; ++tag) more(added_.tags[at + tag]);
}

void CountedRepeats::reach_load(Pass& pass, std::size_t cluster, std::size_t moment) const {
  const auto& part = clusters_[cluster].load;
  pass.loads[moment] = work_of(soc_.clusters[cluster]->load);
  if (moment == 0) pass.load_before = read(part);
  if (moment == 2) pass.load_after = read(part);
}

void CountedRepeats::reach(Place& place, std::size_t cluster, std::size_t moment) {
  auto& pass = place.passes.at(cluster);
  pass.times[moment] = ip::now_picoseconds();
  if (moment == 3) return leave(place, cluster);
  pass.products[moment] = {pass.times[moment], busy(soc_.clusters[cluster]->tensor), 0};
  if (moment == 1) return;
  const auto& load = soc_.clusters[cluster]->load;
  (moment == 0 ? pass.bytes_before : pass.bytes_after) = load.bytes_moved.value();
  (moment == 0 ? pass.own_before : pass.own_after) = read(clusters_[cluster].own);
  if (pass.repeat.iterations > 0)
    (moment == 0 ? pass.load_before : pass.load_after) = read(clusters_[cluster].load);
  if (cluster == place.passes.begin()->first)
    (moment == 0 ? place.before : place.after) = take_snapshot(soc_, tags_);
}

/// How long a unit took, in both halves of those that were measured.
std::array<double, 2> CountedRepeats::halves(Pass& pass) const {
  const auto& repeat = pass.repeat;
  const auto units = [&](auto from, auto middle, auto to) {
    return std::array{static_cast<double>(middle - from) / repeat.counted,
                      static_cast<double>(to - middle) / repeat.counted};
  };
  const auto worked = [&](const std::array<Work, 3>& work) {
    return units(work[0].busy, work[1].busy, work[2].busy);
  };
  const auto always = [](const std::array<Work, 3>& work) {
    return static_cast<double>(work[2].busy - work[0].busy) >=
           at_work * static_cast<double>(work[2].time - work[0].time);
  };
  const auto longer = [](const auto& a, const auto& b) { return a[0] + a[1] > b[0] + b[1] ? a : b; };
  const auto elapsed = units(pass.times[0], pass.times[1], pass.times[2]);
  if (repeat.iterations > 0) {  // as many loads in each iteration
    const auto each = pass.all_loads.size() / static_cast<std::size_t>(repeat.iterations);
    const auto first = pass.repeat.moments[0].visit + 1;
    for (std::size_t i = 0; i < 3 && each > 0; ++i)
      pass.loads[i] = pass.all_loads[(first + i * repeat.counted) * each];
    pass.all_loads.clear();
    return each > 0 && always(pass.loads) ? longer(elapsed, worked(pass.loads)) : elapsed;
  }
  if (!always(pass.loads) && !always(pass.products)) return elapsed;
  return longer(worked(pass.loads), worked(pass.products));
}

/// A cluster has come to the last unit.
void CountedRepeats::leave(Place& place, std::size_t cluster) {
  auto& pass = place.passes.at(cluster);
  pass.visits = 0;
  const auto& repeat = pass.repeat;
  // The first pass is a start: what is loaded for it was not ahead as it is later.
  if (place.rounds == 1 && place.over == 0) place.times = {}, place.errors_ps = 0;
  const auto [first, second] = halves(pass);
  place.times.add(cluster, first, second);
  clusters_[cluster].left_out.push_back(&place);
  clusters_[cluster].last = pass.times[3];
  if (added_.values.empty()) {
    const auto now = take_snapshot(soc_, tags_);
    added_.values.resize(now.values.size());
    added_.links.resize(now.links.size());
    added_.tags.resize(now.tags.size());
  }
  const auto factor = repeat.left_out / (2.0 * repeat.counted);
  const auto bytes = static_cast<double>(pass.loads[2].bytes - pass.loads[0].bytes) * factor;
  auto of_loads = factor;
  if (repeat.iterations > 0 && pass.bytes_after > pass.bytes_before)  // loads that were ahead, or not
    of_loads = bytes / static_cast<double>(pass.bytes_after - pass.bytes_before);
  add(clusters_[cluster].load, pass.load_before, pass.load_after, of_loads);
  add(clusters_[cluster].own, pass.own_before, pass.own_after, factor);
  place.bytes += repeat.iterations > 0 ? bytes
                                       : repeat.left_out * static_cast<double>(repeat.unit_bytes) +
                                             static_cast<double>(repeat.to - repeat.at);  // the commands
  if (++place.over == place.passes.size()) add_shared(place);
}

/// All clusters have left.
void CountedRepeats::add_shared(Place& place) {
  place.over = 0;
  ++place.rounds;
  if (place.after.values.empty()) return;  // clusters that pass more often than the first one
  std::uint64_t bytes = 0;
  for (const auto i : bytes_read_) bytes += place.after.values[i] - place.before.values[i];
  const auto& repeat = place.passes.begin()->second.repeat;
  const auto factor =
      bytes > 0 ? place.bytes / static_cast<double>(bytes) : repeat.left_out / (2.0 * repeat.counted);
  place.bytes = 0;
  const auto more = [factor](auto& to, const auto& from, const auto& until, std::size_t i) {
    // Times of what a channel waits for may be put down to another cause later: they fall then.
    const auto difference = static_cast<std::int64_t>(until[i] - from[i]);
    to[i] += static_cast<std::uint64_t>(std::llround(static_cast<double>(difference) * factor));
  };
  for (const auto i : shared_) more(added_.values, place.before.values, place.after.values, i);
  for (std::size_t i = 0; i < added_.links.size(); ++i)
    more(added_.links, place.before.links, place.after.links, i);
}

void CountedRepeats::meet(Meeting& meeting, std::size_t cluster) {
  meeting.times[cluster] = ip::now_picoseconds();
  if (++meeting.arrived < clusters_.size()) return;
  meeting.arrived = 0;
  settle(meeting.times);
  if (on_meeting) on_meeting(static_cast<std::size_t>(&meeting - meetings_.data()));
}

void CountedRepeats::settle() {
  std::vector<std::int64_t> times;
  for (const auto& cluster : clusters_) times.push_back(cluster.left_out.empty() ? 0 : cluster.last);
  settle(times);
}

/// The clusters go on at these times, or when the slowest would have come with all that it left out.
void CountedRepeats::settle(const std::vector<std::int64_t>& times) {
  double reached = 0, with_all = 0;
  std::size_t slowest = 0;
  for (std::size_t c = 0; c < clusters_.size(); ++c) {
    auto time = static_cast<double>(times[c]);
    reached = std::max(reached, time);
    for (const auto* place : clusters_[c].left_out)
      time += place->passes.at(c).repeat.left_out * place->times.of(c).mean;
    if (time > with_all) with_all = time, slowest = c;
  }
  for (auto* place : clusters_[slowest].left_out)
    place->errors_ps += place->passes.at(slowest).repeat.left_out * place->times.of(slowest).error;
  added_.picoseconds += std::llround(with_all - reached);
  for (auto& cluster : clusters_) cluster.left_out.clear();
}

double CountedRepeats::uncertain_ps(std::size_t steps, double layers) const {
  double squares = 0;
  for (const auto& [name, place] : places_) {
    if (place.rounds == 0) continue;
    const auto counted = static_cast<double>(place.rounds > 1 ? place.rounds - 1 : 1);
    const auto all = static_cast<double>(place.rounds) * (place.rounds > steps ? layers : 1);
    squares += std::pow(place.errors_ps / counted * all, 2);
  }
  return std::sqrt(squares);
}

}  // namespace forerun::sim
