// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/counted_layers.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "ip/base/time.hpp"
#include "platform/sim/layer_loops.hpp"

namespace forerun::sim {
namespace {

/// Layers, or periods of them, that are measured at least where they differ: after three of 18 with experts
/// the step was 1.5 % off, with an error stated as 0.5 %.
constexpr unsigned least_that_differ = 7;

std::uint64_t layers_before_in(const models::Program& program) {
  return program.streams.empty() ? 0 : layers_before(program.streams.front());
}

/// In more than the time of waits: each layer has experts of its own, in other places of the memory.
LayerRepetition for_layers_of(const models::Program& program, LayerRepetition repetition,
                              const std::string& prefix) {
  const auto& tags = program.tags;
  if (std::find(tags.begin(), tags.end(), prefix + "layers.experts") != tags.end())
    repetition.least = std::max(repetition.least, least_that_differ);
  return repetition;
}

}  // namespace

/// Layers begin, and the last has ended, with the first command of an operator in the first cluster's vector
/// unit.
CountedLayers::CountedLayers(soc::Soc& soc, const models::Program& program, LayerRepetition repetition,
                             const std::string& prefix)
    : soc_(soc),
      program_(program),
      before_(layers_before_in(program)),
      repetition_(for_layers_of(program, repetition, prefix)),
      repeated_(repetition_, program.header.layers - before_) {
  if (soc_.chip().data == chip::Data::real)
    throw std::invalid_argument("repeated layers are for runs without data");
  const auto& tags = program.tags;
  const auto number = [&](auto at) { return static_cast<std::uint32_t>(at - tags.begin()); };
  const auto in_layer = [&](const auto& tag) { return tag.starts_with(prefix + "layers."); };
  const auto begin = std::find_if(tags.begin(), tags.end(), in_layer);
  own_ = number(
      std::find_if(tags.begin(), tags.end(), [&](const auto& tag) { return tag.starts_with(prefix); }));
  first_ = number(begin);
  end_ = number(std::find_if_not(begin, tags.end(), in_layer));
  if (!find_next_to_last_meeting()) next_to_last_meeting_.clear();
}

void CountedLayers::begin(std::size_t cluster, const ip::Engine& engine, const ip::Command& command) {
  if (!next_to_last_meeting_.empty() && command.offset == next_to_last_meeting_[cluster]) meet();
  const auto tag = command.header().tag;
  if (cluster != 0 || &engine != &soc_.clusters[0]->vector) return;
  if (tag != first_ && (tag != end_ || repeated_.ended())) return;
  auto now = take_snapshot(soc_, program_.tags.size());
  if (tag == first_) {
    if (repeated_.mark(std::move(now)) && !leapt_) leap();
  } else {
    repeated_.end_layers(std::move(now));
  }
}

/// In a layer of few tokens. The command processors have not come to the end of the layer then.
bool CountedLayers::find_next_to_last_meeting() {
  for (const auto& stream : program_.streams) {
    const auto bodies = layer_bodies(stream);
    auto all = meetings(stream, program_.streams.size());
    std::erase_if(all, [&](auto at) {
      return bodies.empty() || at < bodies.front().first || at >= bodies.front().second;
    });
    if (program_.streams.size() < 2 || all.size() < 2) return false;
    next_to_last_meeting_.push_back(all[all.size() - 2]);
  }
  return true;
}

void CountedLayers::meet() {
  if (++met_ < program_.streams.size()) return;
  met_ = 0;
  if (repeated_.nearly_done(ip::now_picoseconds()) && !leapt_) leap();
}

/// The clusters go on behind the layers as soon as each has ended the layer that the first of them is in.
void CountedLayers::leap() {
  std::vector<std::uint64_t> bodies;
  std::int64_t furthest = 0;
  for (std::size_t c = 0; c < program_.streams.size(); ++c) {
    const auto loops = layer_bodies(program_.streams[c]);  // of steps of few tokens, of many
    const auto& command = soc_.clusters[c]->command;
    const auto now = std::find_if(loops.begin(), loops.end(),
                                  [&](const auto& body) { return command.iteration(body.first) >= 0; });
    if (now == loops.end()) return;  // it has ended the last layer
    bodies.push_back(now->first);
    const auto iteration = command.iteration(now->first);
    furthest = std::max(furthest, iteration);
  }
  const auto period = std::int64_t{repetition_.period}, next = furthest + 1;
  const auto all = static_cast<std::int64_t>(program_.header.layers - before_);
  left_out_ = static_cast<std::uint64_t>(std::max<std::int64_t>(0, all - next) / period * period);
  for (std::size_t c = 0; c < bodies.size(); ++c)
    soc_.clusters[c]->command.leaps().push_back({bodies[c], next, period});
  leapt_ = true;
}

std::int64_t CountedLayers::end_step() {
  const auto before = repeated_.added().picoseconds;
  repeated_.end_step(left_out_);
  for (std::size_t c = 0; c < program_.streams.size() && leapt_; ++c)
    soc_.clusters[c]->command.leaps().pop_back();
  leapt_ = false;
  left_out_ = 0;
  return repeated_.added().picoseconds - before;
}

}  // namespace forerun::sim
