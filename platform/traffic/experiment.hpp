// SPDX-License-Identifier: Apache-2.0
/// Experiments on the memory system as files (YAML). docs/memory-system.md says how to write them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "ip/traffic/parameters.hpp"
#include "platform/chip/chip.hpp"
#include "platform/chip/yaml_tree.hpp"

namespace forerun::traffic {

/// What is simulated.
enum class System : unsigned char {
  memory,   ///< one stack, a generator at each of its ports
  network,  ///< the network, a generator and a sink at each router
  chip,     ///< network and memory of a chip, generators in the place of its clusters
};

struct Experiment {
  Experiment() { traffic.arrivals = ip::TrafficArrivals::bernoulli; }

  std::string name = "traffic";
  System system = System::memory;
  std::string chip = "reference";
  std::vector<std::string> set;   ///< overrides of the chip, KEY=VALUE
  ip::TrafficParameters traffic;  ///< of every generator; what depends on its place is filled in later
  double rate = 0;     ///< share of the peak that is offered, over all generators; 0: as much as is taken
  unsigned flits = 0;  ///< of a request packet without data to return; 0: `traffic.request` says
  std::string trace;   ///< file of requests, for pattern trace
  bool whole_range = true;  ///< the range is all of the memory
  Time warmup{10'000'000}, measure{100'000'000};
  Time drain{1'000'000'000};  ///< how long to wait for the last responses after the measurement
  Time bin{0};                ///< of the series over time; 0: none
  struct Axis {
    std::string key;
    std::vector<std::string> values;  ///< as YAML flow text
  };
  std::vector<Axis> sweep;  ///< every combination is run, the last axis fastest
};

/// An experiment that does not hold. what() begins with "FILE:LINE:COLUMN: " or the place given to set().
class ExperimentError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws ExperimentError. Chip and sweep values are checked when points are made.
Experiment read_experiment(const std::filesystem::path& file);
Experiment parse_experiment(const std::string& text, const std::filesystem::path& file);
/// From a part of a larger file.
Experiment parse_experiment(const chip::YamlNode& node, const std::filesystem::path& file);

/// Sets one key, of the experiment ("traffic.rate", "measure") or of its chip ("hbm.queue_depth"), to a value
/// as it would stand in a file. Throws ExperimentError, its text beginning with `place`.
void set(Experiment& experiment, const std::string& key, const std::string& value, const std::string& place);

/// One run: the experiment without its sweep, and the values of the axes.
struct Point {
  Experiment experiment;
  std::vector<std::string> values;  ///< one for each axis
};
/// All combinations, at most 100,000. Throws ExperimentError.
std::vector<Point> points(const Experiment& experiment);
/// The chip of an experiment. Throws ExperimentError, with every problem found.
chip::Chip load_chip(const Experiment& experiment);

/// The value as text that reads back as the same: "[burst, row]", "{bank: 1}".
std::string flow_text(const chip::YamlNode& node);
std::string_view name(ip::TrafficPattern pattern);

/// The keys of an experiment in Markdown.
std::string key_table();

}  // namespace forerun::traffic
