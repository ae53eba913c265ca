// SPDX-License-Identifier: Apache-2.0
#include "platform/traffic/experiment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <span>
#include <stdexcept>

#include "platform/chip/keys.hpp"
#include "platform/chip/load.hpp"
#include "platform/chip/quantity.hpp"

namespace forerun::traffic {
namespace {

using chip::YamlNode;
using Kind = YamlNode::Kind;

constexpr std::array<std::string_view, 3> systems{"memory", "network", "chip"};
constexpr std::array<std::string_view, 11> patterns{"linear",         "random",   "blocks",  "uniform",
                                                    "all_to_all",     "neighbor", "tornado", "transpose",
                                                    "bit_complement", "hotspot",  "trace"};
constexpr std::array<std::string_view, 2> arrivals{"periodic", "bernoulli"};
constexpr std::array<std::string_view, 2> mixes{"random", "periodic"};

bool is_text(const YamlNode& node) { return node.kind == Kind::scalar && !node.text.empty(); }

template <typename T>
bool take_number(const YamlNode& node, T& target, T low, T high) {
  T value{};
  const auto* const end = node.text.data() + node.text.size();
  if (node.kind != Kind::scalar || node.quoted) return false;
  const auto [stop, error] = std::from_chars(node.text.data(), end, value);
  if (error != std::errc() || stop != end || value < low || value > high) return false;
  target = value;
  return true;
}

/// "60 %" to 0.6.
bool take_share(const YamlNode& node, double& target, double low, double high) {
  YamlNode number = node;
  auto& text = number.text;
  if (!text.ends_with('%')) return false;
  text.pop_back();
  while (text.ends_with(' ')) text.pop_back();
  double percent = 0;
  if (!take_number(number, percent, low * 100, high * 100)) return false;
  target = percent / 100;
  return true;
}

template <typename Quantity>
bool take_quantity(const YamlNode& node, Quantity& target, Quantity low, Quantity high) {
  std::string problem;
  if (node.kind != Kind::scalar) return false;
  const auto value = chip::parse<Quantity>(node.text, problem);
  if (!value || *value < low || *value > high) return false;
  target = *value;
  return true;
}

template <typename Enum, std::size_t n>
bool take_choice(const YamlNode& node, Enum& target, const std::array<std::string_view, n>& names,
                 unsigned first = 0) {
  const auto at = std::find(names.begin(), names.end(), node.text);
  if (node.kind != Kind::scalar || at == names.end()) return false;
  target = static_cast<Enum>(first + static_cast<unsigned>(at - names.begin()));
  return true;
}

bool take_bool(const YamlNode& node, bool& target) {
  if (node.kind != Kind::scalar || (node.text != "true" && node.text != "false")) return false;
  target = node.text == "true";
  return true;
}

bool take_list(const YamlNode& node, std::vector<unsigned>& target) {
  if (node.kind != Kind::list || node.items.empty()) return false;
  std::vector<unsigned> numbers;
  for (const auto& item : node.items) {
    if (!take_number(item, numbers.emplace_back(), 0u, 65535u)) return false;
  }
  target = std::move(numbers);
  return true;
}

bool take_rate(const YamlNode& node, Experiment& e) {
  if (node.kind == Kind::scalar && node.text == "max") {
    e.rate = 0;
    return true;
  }
  return take_share(node, e.rate, 1e-6, 1);
}

bool take_settings(const YamlNode& node, std::vector<std::string>& target) {
  if (node.kind != Kind::list) return false;
  std::vector<std::string> settings;
  for (const auto& item : node.items) {
    if (!is_text(item) || item.text.find('=') == std::string::npos) return false;
    settings.push_back(item.text);
  }
  target = std::move(settings);
  return true;
}

constexpr Bytes no_bytes{0}, most_bytes{std::uint64_t{1} << 48};
constexpr Time no_time{0}, most_time{1'000'000'000'000};  // a second

struct Key {
  std::string_view name, expected, meaning;
  bool (*take)(const YamlNode&, Experiment&);
};

const Key table[] = {
    {"name", "a word", "what the experiment is called",
     [](const YamlNode& n, Experiment& e) { return is_text(n) && (e.name = n.text, true); }},
    {"system", "memory, network or chip",
     "memory: one stack, a generator at each port; network: a generator and a sink at each router; chip: "
     "network and memory, "
     "generators in the place of clusters",
     [](const YamlNode& n, Experiment& e) { return take_choice(n, e.system, systems); }},
    {"chip", "the name of a chip or a file", "the chip whose parts are taken",
     [](const YamlNode& n, Experiment& e) { return is_text(n) && (e.chip = n.text, true); }},
    {"set", "a list of KEY=VALUE", "changes to the chip, as with --set",
     [](const YamlNode& n, Experiment& e) { return take_settings(n, e.set); }},
    {"warmup", "a time from 0 ns to 1 s", "simulated before the measurement",
     [](const YamlNode& n, Experiment& e) { return take_quantity(n, e.warmup, no_time, most_time); }},
    {"measure", "a time from 1 ns to 1 s",
     "what is generated (latency) or answered (bandwidth) in this time counts",
     [](const YamlNode& n, Experiment& e) { return take_quantity(n, e.measure, Time{1000}, most_time); }},
    {"drain", "a time from 0 ns to 1 s", "how long to wait for the last responses of the measurement",
     [](const YamlNode& n, Experiment& e) { return take_quantity(n, e.drain, no_time, most_time); }},
    {"bin", "a time from 0 ns to 1 s", "of the series over time that --series writes; 0 ns: none",
     [](const YamlNode& n, Experiment& e) { return take_quantity(n, e.bin, no_time, most_time); }},
    {"traffic.pattern",
     "linear, random, blocks, uniform, all_to_all, neighbor, tornado, transpose, bit_complement, hotspot or "
     "trace",
     "where requests go: the first three walk through memory, the others choose among routers (network) or "
     "clusters (chip)",
     [](const YamlNode& n, Experiment& e) { return take_choice(n, e.traffic.pattern, patterns); }},
    {"traffic.rate", "max, or a share from 0.0001 % to 100 %",
     "what is offered, of the memory's peak over all generators, or (network) of a flit a cycle from each "
     "generator; max: as much "
     "as is taken",
     take_rate},
    {"traffic.arrivals", "periodic or bernoulli", "in time; of no meaning with rate max",
     [](const YamlNode& n, Experiment& e) { return take_choice(n, e.traffic.arrivals, arrivals, 1); }},
    {"traffic.reads", "a share from 0 % to 100 %", "of all requests",
     [](const YamlNode& n, Experiment& e) { return take_share(n, e.traffic.reads, 0, 1); }},
    {"traffic.mix", "random or periodic", "each request by itself, or evenly spread as in read, read, write",
     [](const YamlNode& n, Experiment& e) { return take_choice(n, e.traffic.mix, mixes); }},
    {"traffic.gap", "a whole number from 0 to 1000000",
     "cycles from the moment at which a request was taken to the next one at the earliest",
     [](const YamlNode& n, Experiment& e) { return take_number(n, e.traffic.gap, 0u, 1'000'000u); }},
    {"traffic.window", "a whole number from 0 to 1000000",
     "requests of a generator under way at most; 0: no limit",
     [](const YamlNode& n, Experiment& e) { return take_number(n, e.traffic.window, 0u, 1'000'000u); }},
    {"traffic.window_reads_only", "true or false", "writes do not count for the window",
     [](const YamlNode& n, Experiment& e) { return take_bool(n, e.traffic.window_reads_only); }},
    {"traffic.request", "an amount of memory from 1 B to 64 KiB", "bytes of a request",
     [](const YamlNode& n, Experiment& e) {
       return take_quantity(n, e.traffic.request, Bytes{1}, Bytes{65536});
     }},
    {"traffic.flits", "a whole number from 0 to 1024",
     "network: posted writes of so many flits, header included, in the place of requests and responses; 0: "
     "requests",
     [](const YamlNode& n, Experiment& e) { return take_number(n, e.flits, 0u, 1024u); }},
    {"traffic.stride", "an amount of memory from 1 B to 256 TiB",
     "from one request to the next; the request's bytes unless given",
     [](const YamlNode& n, Experiment& e) {
       return take_quantity(n, e.traffic.stride, Bytes{1}, most_bytes);
     }},
    {"traffic.block", "an amount of memory from 1 B to 256 TiB", "of pattern blocks",
     [](const YamlNode& n, Experiment& e) {
       return take_quantity(n, e.traffic.block, Bytes{1}, most_bytes);
     }},
    {"traffic.size", "an amount of memory from 1 B to 256 TiB",
     "of the range that is walked through; all memory unless given",
     [](const YamlNode& n, Experiment& e) {
       e.whole_range = false;
       return take_quantity(n, e.traffic.size, Bytes{1}, most_bytes);
     }},
    {"traffic.piece", "an amount of memory from 0 B to 256 TiB",
     "memory: generators walk through interleaved pieces of this size; hbm.interleave unless given",
     [](const YamlNode& n, Experiment& e) {
       return take_quantity(n, e.traffic.piece, no_bytes, most_bytes);
     }},
    {"traffic.hotspots", "a list of numbers", "endpoints of pattern hotspot",
     [](const YamlNode& n, Experiment& e) { return take_list(n, e.traffic.hotspots); }},
    {"traffic.hotspot_share", "a share from 0 % to 100 %",
     "of the requests that go to the hotspots; the rest is uniform",
     [](const YamlNode& n, Experiment& e) { return take_share(n, e.traffic.hotspot_share, 0, 1); }},
    {"traffic.data", "true or false", "requests carry data; time does not depend on it",
     [](const YamlNode& n, Experiment& e) {
       bool data = false;
       if (!take_bool(n, data)) return false;
       e.traffic.timing_only = !data;
       return true;
     }},
    {"traffic.seed", "a whole number", "of everything random",
     [](const YamlNode& n, Experiment& e) {
       return take_number(n, e.traffic.seed, std::uint64_t{0}, ~std::uint64_t{0});
     }},
    {"traffic.trace", "the name of a file",
     "requests of pattern trace, a line each: time, R or W, address, bytes, generator",
     [](const YamlNode& n, Experiment& e) { return is_text(n) && (e.trace = n.text, true); }},
};

const Key* find(std::string_view name) {
  const auto* const at =
      std::find_if(std::begin(table), std::end(table), [&](const Key& k) { return k.name == name; });
  return at == std::end(table) ? nullptr : at;
}

std::string shown(const YamlNode& node) {
  switch (node.kind) {
    case Kind::nothing:
      return "nothing";
    case Kind::scalar:
      return fmt::format("'{}'", node.text.substr(0, 60));
    case Kind::list:
      return "a list";
    default:
      return "a map of keys";
  }
}

[[noreturn]] void fail(const std::string& place, const std::string& what) {
  throw ExperimentError(fmt::format("{}: {}", place, what));
}

[[noreturn]] void unknown(const std::string& key, const std::string& place) {
  std::vector<std::string> names{"sweep"};
  for (const auto& k : table) names.emplace_back(k.name);
  auto near = chip::nearest(key, names);
  if (near.empty()) near = chip::nearest_key(key);
  fail(place, fmt::format("{}: unknown key{}", key.substr(0, 60),
                          near.empty() ? "" : fmt::format("; did you mean {}?", near)));
}

/// Whether a key names something of a chip.
bool of_chip(const std::string& key) { return chip::find_key(key) != nullptr || chip::is_section(key); }

void set_node(Experiment& e, const std::string& key, const YamlNode& value, const std::string& place) {
  if (const auto* known = find(key)) {
    const bool stride_follows = e.traffic.stride == e.traffic.request;
    if (!known->take(value, e))
      fail(place, fmt::format("{}: found {}, expected {}", key, shown(value), known->expected));
    if (key == "traffic.request" && stride_follows) e.traffic.stride = e.traffic.request;
  } else if (of_chip(key)) {
    e.set.push_back(key + "=" + flow_text(value));
  } else {
    unknown(key, place);
  }
}

class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  Experiment read(const YamlNode& root) {
    if (root.kind != Kind::map)
      fail(at(root), fmt::format("found {}, expected an experiment: a map of keys", shown(root)));
    map(root, "");
    return e_;
  }

 private:
  std::string at(const YamlNode& node) const {
    return fmt::format("{}:{}:{}", file_, node.line, node.column);
  }

  void map(const YamlNode& node, const std::string& prefix) {
    for (std::size_t i = 0; i < node.names.size(); ++i) {
      const auto& value = node.items[i];
      const auto key = prefix + node.names[i].text;
      if (std::find(seen_.begin(), seen_.end(), key) != seen_.end())
        fail(at(node.names[i]), key + ": given twice");
      seen_.push_back(key);
      if (key == "traffic") {
        if (value.kind != Kind::map)
          fail(at(value), fmt::format("traffic: found {}, expected a map of keys", shown(value)));
        map(value, "traffic.");
      } else if (key == "sweep") {
        sweep(value);
      } else if (find(key) == nullptr) {
        unknown(key, at(node.names[i]));
      } else {
        set_node(e_, key, value, at(value.kind == Kind::nothing ? node.names[i] : value));
      }
    }
  }

  void sweep(const YamlNode& node) {
    if (node.kind != Kind::map)
      fail(at(node), fmt::format("sweep: found {}, expected a map of keys", shown(node)));
    for (std::size_t i = 0; i < node.names.size(); ++i) {
      const auto& key = node.names[i].text;
      const auto& values = node.items[i];
      if (find(key) == nullptr && !of_chip(key)) unknown(key, at(node.names[i]));
      if (values.kind != Kind::list || values.items.empty())
        fail(at(values), fmt::format("sweep: {}: found {}, expected a list of values", key, shown(values)));
      auto& axis = e_.sweep.emplace_back();
      axis.key = key;
      for (const auto& value : values.items) {
        auto trial = e_;
        set_node(trial, key, value, at(value));
        axis.values.push_back(flow_text(value));
      }
    }
  }

  std::string file_;
  Experiment e_;
  std::vector<std::string> seen_;
};

YamlNode parse_value(const std::string& text, const std::string& place) {
  try {
    return chip::parse_yaml(text);
  } catch (const chip::YamlError& error) {
    fail(place, error.what());
  }
}

}  // namespace

std::string_view name(ip::TrafficPattern pattern) { return patterns[static_cast<std::size_t>(pattern)]; }

std::string flow_text(const YamlNode& node) {
  switch (node.kind) {
    case Kind::nothing:
      return "~";
    case Kind::scalar:
      return node.quoted ? fmt::format("\"{}\"", node.text) : node.text;
    case Kind::list: {
      std::vector<std::string> items;
      for (const auto& item : node.items) items.push_back(flow_text(item));
      return fmt::format("[{}]", fmt::join(items, ", "));
    }
    default: {
      std::vector<std::string> items;
      for (std::size_t i = 0; i < node.items.size(); ++i)
        items.push_back(fmt::format("{}: {}", node.names[i].text, flow_text(node.items[i])));
      return fmt::format("{{{}}}", fmt::join(items, ", "));
    }
  }
}

Experiment parse_experiment(const YamlNode& node, const std::filesystem::path& file) {
  auto experiment = Reader(file.string()).read(node);
  const auto beside = [&](std::string& name) {  // files are named relative to the experiment
    if (!name.empty() && std::filesystem::path(name).is_relative())
      name = (file.parent_path() / name).string();
  };
  beside(experiment.trace);
  if (experiment.chip.ends_with(".yaml") || experiment.chip.ends_with(".yml")) beside(experiment.chip);
  return experiment;
}

Experiment parse_experiment(const std::string& text, const std::filesystem::path& file) {
  try {
    return parse_experiment(chip::parse_yaml(text), file);
  } catch (const chip::YamlError& error) {
    fail(fmt::format("{}:{}:{}", file.string(), error.line, error.column), error.what());
  }
}

Experiment read_experiment(const std::filesystem::path& file) {
  constexpr std::uintmax_t most = 1 << 20;
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) fail(file.string(), "no such file");
  if (std::filesystem::file_size(file, error) > most)
    fail(file.string(), "larger than 1 MiB; not an experiment");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) fail(file.string(), "cannot be read");
  return parse_experiment({std::istreambuf_iterator<char>(stream), {}}, file);
}

void set(Experiment& experiment, const std::string& key, const std::string& value, const std::string& place) {
  set_node(experiment, key, parse_value(value, place), place);
}

std::vector<Point> points(const Experiment& experiment) {
  constexpr std::size_t most = 100'000;
  std::size_t count = 1;
  for (const auto& axis : experiment.sweep) {
    count *= axis.values.size();
    if (count > most) throw ExperimentError("sweep: more than 100000 points");
  }
  std::vector<Point> all;
  for (std::size_t i = 0; i < count; ++i) {
    Point point{experiment, std::vector<std::string>(experiment.sweep.size())};
    point.experiment.sweep.clear();
    auto rest = i;
    for (auto axis = experiment.sweep.size(); axis-- > 0;) {
      const auto& values = experiment.sweep[axis].values;
      point.values[axis] = values[rest % values.size()];
      rest /= values.size();
    }
    for (std::size_t axis = 0; axis < experiment.sweep.size(); ++axis)
      set(point.experiment, experiment.sweep[axis].key, point.values[axis], "sweep");
    all.push_back(std::move(point));
  }
  return all;
}

chip::Chip load_chip(const Experiment& experiment) {
  try {
    return chip::load(experiment.chip, experiment.set);
  } catch (const chip::Error& error) {
    throw ExperimentError(error.what());
  }
}

std::string key_table() {
  std::string text = "| key | values | meaning |\n|---|---|---|\n";
  for (const auto& key : table)
    text += fmt::format("| `{}` | {} | {} |\n", key.name, key.expected, key.meaning);
  return text;
}

}  // namespace forerun::traffic
