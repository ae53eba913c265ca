// SPDX-License-Identifier: Apache-2.0
#include "platform/sweep/study.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "platform/chip/keys.hpp"
#include "platform/chip/load.hpp"
#include "platform/chip/yaml_tree.hpp"
#include "platform/traffic/experiment.hpp"

namespace forerun::sweep {
namespace {

using chip::YamlNode;
using Kind = YamlNode::Kind;

class Reader {
 public:
  Reader(std::string file, std::span<const std::string> options)
      : file_(std::move(file)), options_(options) {}

  Study read(const YamlNode& root) {
    each(root, "a study: a map of keys", [&](const YamlNode& name, const YamlNode& value) {
      const auto& key = name.text;
      if (key == "name")
        study_.name = word(key, value);
      else if (key == "run")
        each(value, "run: a map of options of forerun run",
             [&](const YamlNode& option, const YamlNode& its) { run(option, its); });
      else if (key == "set")
        set(value);
      else if (key == "sweep")
        each(value, "sweep: a map of keys",
             [&](const YamlNode& axis, const YamlNode& its) { sweep(axis, its); });
      else
        unknown(name, key, {"name", "run", "set", "sweep"});
    });
    if (study_.axes.empty()) fail(root, "found no `sweep`, expected one with at least one axis");
    return study_;
  }

 private:
  [[noreturn]] void fail(const YamlNode& at, const std::string& what) const {
    throw StudyError(fmt::format("{}:{}:{}: {}", file_, at.line, at.column, what));
  }
  [[noreturn]] void unknown(const YamlNode& at, const std::string& key,
                            std::vector<std::string> known) const {
    auto near = chip::nearest(key, known);
    if (near.empty()) near = chip::nearest_key(key);
    fail(at, fmt::format("{}: unknown key{}", chip::shown(key),
                         near.empty() ? "" : fmt::format("; did you mean {}?", near)));
  }

  template <typename Visit>
  void each(const YamlNode& node, const std::string& expected, Visit visit) const {
    if (node.kind != Kind::map)
      fail(node, fmt::format("found {}, expected {}", chip::what_it_is(node), expected));
    std::vector<std::string> seen;
    for (std::size_t i = 0; i < node.names.size(); ++i) {
      if (std::find(seen.begin(), seen.end(), node.names[i].text) != seen.end())
        fail(node.names[i], node.names[i].text + ": given twice");
      seen.push_back(node.names[i].text);
      visit(node.names[i], node.items[i]);
    }
  }

  std::string word(const std::string& key, const YamlNode& value) const {
    if (value.kind != Kind::scalar)
      fail(value, fmt::format("{}: found {}, expected a text or a number", key, chip::what_it_is(value)));
    return value.text;
  }

  void run(const YamlNode& name, const YamlNode& value) {
    if (std::find(options_.begin(), options_.end(), name.text) == options_.end())
      unknown(name, name.text, {options_.begin(), options_.end()});
    study_.run.push_back({name.text, word("run." + name.text, value)});
  }

  void set(const YamlNode& node) {
    if (node.kind != Kind::list)
      fail(node, fmt::format("set: found {}, expected a list of KEY=VALUE", chip::what_it_is(node)));
    for (const auto& item : node.items) {
      if (item.kind != Kind::scalar || item.text.find('=') == std::string::npos)
        fail(item, fmt::format("set: found {}, expected KEY=VALUE", chip::what_it_is(item)));
      study_.set.push_back(item.text);
    }
  }

  void sweep(const YamlNode& name, const YamlNode& values) {
    const auto& key = name.text;
    const bool option = key.starts_with("run.");
    if (option ? std::find(options_.begin(), options_.end(), key.substr(4)) == options_.end()
               : chip::find_key(key) == nullptr && !chip::is_section(key)) {
      std::vector<std::string> known;
      for (const auto& o : options_) known.push_back("run." + o);
      unknown(name, key, known);
    }
    if (values.kind != Kind::list || values.items.empty())
      fail(values,
           fmt::format("sweep: {}: found {}, expected a list of values", key, chip::what_it_is(values)));
    auto& axis = study_.axes.emplace_back();
    axis.key = key;
    for (const auto& value : values.items)
      axis.values.push_back(option ? word(key, value) : traffic::flow_text(value));
  }

  std::string file_;
  std::span<const std::string> options_;
  Study study_;
};

}  // namespace

Study read_study(const std::filesystem::path& file, std::span<const std::string> options) {
  constexpr std::uintmax_t most = 1 << 20;
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) throw StudyError(file.string() + ": no such file");
  if (std::filesystem::file_size(file, error) > most)
    throw StudyError(file.string() + ": larger than 1 MiB; not a study");
  std::ifstream stream(file, std::ios::binary);
  if (!stream) throw StudyError(file.string() + ": cannot be read");
  try {
    return Reader(file.string(), options)
        .read(chip::parse_yaml({std::istreambuf_iterator<char>(stream), {}}));
  } catch (const chip::YamlError& problem) {
    throw StudyError(
        fmt::format("{}:{}:{}: {}", file.string(), problem.line, problem.column, problem.what()));
  }
}

std::vector<Point> points(const Study& study) {
  constexpr std::size_t most = 100'000;
  std::size_t count = 1;
  for (const auto& axis : study.axes) {
    count *= axis.values.size();
    if (count > most) throw StudyError("sweep: more than 100000 points");
  }
  std::vector<Point> all;
  for (std::size_t i = 0; i < count; ++i) {
    Point point{std::vector<std::string>(study.axes.size()), {}};
    auto options = study.run;
    auto set = study.set;
    auto rest = i;
    for (auto a = study.axes.size(); a-- > 0;) {
      const auto& values = study.axes[a].values;
      point.values[a] = values[rest % values.size()];
      rest /= values.size();
    }
    for (std::size_t a = 0; a < study.axes.size(); ++a) {
      const auto& key = study.axes[a].key;
      if (!key.starts_with("run.")) {
        set.push_back(key + "=" + point.values[a]);
        continue;
      }
      std::erase_if(options, [&](const auto& o) { return o.name == key.substr(4); });
      options.push_back({key.substr(4), point.values[a]});
    }
    std::string chip = "reference";
    for (const auto& o : options) {
      point.arguments.push_back("--" + o.name + "=" + o.value);
      if (o.name == "chip") chip = o.value;
    }
    for (const auto& s : set) point.arguments.insert(point.arguments.end(), {"--set", s});
    try {
      chip::load(chip, set);  // problems are better found before anything is simulated
    } catch (const chip::Error& error) {
      throw StudyError(error.what());
    }
    all.push_back(std::move(point));
  }
  return all;
}

}  // namespace forerun::sweep
