// SPDX-License-Identifier: Apache-2.0
#include "platform/cli/options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "platform/chip/keys.hpp"
#include "platform/chip/load.hpp"
#include "platform/chip/quantity.hpp"

namespace forerun::cli {
namespace {

CLI::Validator one_of(const std::vector<std::string_view>& names, std::vector<std::string> more = {}) {
  more.insert(more.begin(), names.begin(), names.end());
  return CLI::IsMember(std::move(more));
}

/// Throws UsageError naming the option.
Time parse_time(const std::string& text, const char* option) {
  std::string detail;
  const auto value = chip::parse<Time>(text, detail);
  if (!value)
    throw UsageError(fmt::format("{} is '{}'{}, expected a time such as 10 us", option, text,
                                 detail.empty() ? "" : ", " + detail));
  return *value;
}

}  // namespace

void ChipOptions::add_to(CLI::App& command) {
  command.add_option("--chip", chip, "chip description: a name in platform/chips or a YAML file")
      ->capture_default_str();
  command
      .add_option("--set", set, "override a key of the chip, for example clusters.count=8; may be repeated")
      ->allow_extra_args(false);
}

chip::Chip ChipOptions::load() const { return chip::load(chip, set); }

void RtlChoice::add_to(CLI::App& command) {
  command.add_option("--waves", folder, "write waves of all RTL into this folder, a file for each instance");
  command.add_option("--waves-format", format, "of the files")
      ->capture_default_str()
      ->check(CLI::IsMember({"fst", "vcd"}));
  command.add_option("--waves-from", from, "simulated time at which waves begin, for example '10 us'");
  command.add_option("--waves-to", to, "simulated time at which they end");
  command.add_flag("--allow-broken-rules", allow_broken_rules,
                   "RTL that breaks rules of AXI is reported, but the exit code does not become 3 for it");
}

rtl::WaveOptions RtlChoice::options() const {
  rtl::WaveOptions options;
  if (!folder) {
    if (from || to) throw UsageError("--waves-from and --waves-to need --waves");
    return options;
  }
  const auto time = [](const std::optional<std::string>& text, const char* option, std::int64_t otherwise) {
    return text ? parse_time(*text, option).picoseconds : otherwise;
  };
  options.folder = *folder;
  options.format = format == "fst" ? rtl::Waves::fst : rtl::Waves::vcd;
  options.first_ps = time(from, "--waves-from", options.first_ps);
  options.last_ps = time(to, "--waves-to", options.last_ps);
  std::error_code error;
  std::filesystem::create_directories(*folder, error);
  if (error) throw UsageError(fmt::format("--waves: {}: {}", *folder, error.message()));
  return options;
}

int RtlChoice::exit_code(int code, std::uint64_t broken) const {
  if (code != ok || broken == 0 || allow_broken_rules) return code;
  fmt::print(
      stderr,
      "forerun: RTL broke rules of AXI {} times; the exit code is {} (not with --allow-broken-rules)\n",
      broken, static_cast<int>(broken_rules));
  return broken_rules;
}

std::uint64_t tell_broken_rules(const sim::Simulation& simulation, std::uint64_t told) {
  std::vector<std::string> lines;
  const auto broken = simulation.broken_rules(lines, 5);
  if (broken > told)
    for (const auto& line : lines) fmt::print(stderr, "forerun: {}\n", line);
  return broken;
}

void LimitChoice::add_to(CLI::App& command) {
  command.add_option(
      "--limit", limit,
      "end, as a failure, at this simulated time, for example '50 ms', and say where the CPU is");
}

void LimitChoice::add_idle_to(CLI::App& command) {
  command.add_option(
      "--idle-limit", idle,
      "end, as a failure, when nothing but the CPU has done anything for so long in simulated time; "
      "'never' for no limit; 10 million cycles of the CPU if not given");
}

sim::RunLimits LimitChoice::limits(const chip::Chip& chip) const {
  sim::RunLimits limits;
  if (limit) limits.end = parse_time(*limit, "--limit");
  if (idle && idle != "never")
    limits.idle_cycles = static_cast<std::uint64_t>(std::max<std::int64_t>(
        1, ip::Clock(chip.cpu.clock).ps_to_cycles(parse_time(*idle, "--idle-limit").picoseconds)));
  return limits;
}

void ModelOptions::add_to(CLI::App& command) {
  command
      .add_option("--model", model,
                  "a folder in the Hugging Face layout, FILE.gguf, a llama2.c FILE.bin, or a name in "
                  "models/zoo; without "
                  "data a config.json is enough")
      ->capture_default_str();
  command.add_option("--dtype", dtype, "number formats of weights, activations and cache by one name")
      ->capture_default_str()
      ->check(one_of(models::whole_format_names()));
  const auto names = one_of(models::format_names(), {"fp8", "int4"});
  command.add_option("--weights", weights, "number format of the projections' weights")->check(names);
  command.add_option("--activations", activations, "number format of what projections read")->check(names);
  command.add_option("--kv", kv, "number format of keys and values in the cache")->check(names);
}

std::string ModelOptions::path() const {
  namespace fs = std::filesystem;
  std::error_code error;  // for example that the name is too long
  if (model.find('/') != std::string::npos || fs::exists(model, error)) return model;
  const fs::path zoo = FORERUN_ZOO_DIR;
  if (fs::is_directory(zoo / model, error)) return (zoo / model).string();
  if (fs::exists(zoo / (model + ".yaml"), error)) return (zoo / (model + ".yaml")).string();
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(zoo))
    names.push_back(entry.is_directory() ? entry.path().filename().string() : entry.path().stem().string());
  std::sort(names.begin(), names.end());
  const auto near = chip::nearest(model, names);
  throw std::runtime_error(fmt::format("{}: no such file or folder, and no name in models/zoo{}", model,
                                       near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near)));
}

models::NumberFormats ModelOptions::formats() const {
  auto formats = *models::parse_formats(dtype);
  if (weights) formats.weights = *models::parse_format(*weights);
  if (activations) {
    formats.activations = *models::parse_format(*activations);
    formats.kv = formats.carrier();
  }
  if (kv) formats.kv = *models::parse_format(*kv);
  try {
    formats.check();
  } catch (const models::FormatError& error) {
    throw UsageError(error.what());
  }
  return formats;
}

chip::Format ModelOptions::operator_format(const std::string& option) const {
  if (weights || activations || kv)
    throw UsageError(
        fmt::format("{} takes --dtype: --weights, --activations and --kv do not go with it", option));
  return models::parse_formats(dtype)->weights.format;
}

std::vector<std::uint32_t> read_ids(const std::string& path, std::uint32_t vocabulary) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error(path + ": cannot be read");
  std::vector<std::uint32_t> ids;
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      std::uint32_t id = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), id);
      if (error != std::errc() || end != word.data() + word.size() || id >= vocabulary)
        throw std::runtime_error(fmt::format("{}:{}: '{}' is no token id, expected 0 to {}", path, number,
                                             word.substr(0, 40), vocabulary - 1));
      ids.push_back(id);
    }
  }
  if (ids.empty())
    throw std::runtime_error(path + ": holds no token ids, expected one or more, separated by white space");
  return ids;
}

OutputFile::OutputFile(const std::string& path) : path_(path) {
  if (std::filesystem::is_directory(path) || !std::ofstream(partial(), std::ios::binary))
    throw std::runtime_error(path + ": cannot be written");
}

OutputFile::~OutputFile() {
  if (!path_.empty()) std::remove(partial().c_str());
}

bool OutputFile::commit(std::string_view bytes) {
  std::ofstream file(partial(), std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file || std::rename(partial().c_str(), path_.c_str()) != 0) {
    fmt::print(stderr, "forerun: error: {}: cannot be written\n", path_);
    return false;
  }
  path_.clear();
  return true;
}

}  // namespace forerun::cli
