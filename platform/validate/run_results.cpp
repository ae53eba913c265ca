// SPDX-License-Identifier: Apache-2.0
#include "platform/validate/run_results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "platform/sweep/crew.hpp"

namespace forerun::validate {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

struct Column {
  std::string_view name, unit, pointer;  ///< into the report
  double scale;
};

constexpr std::array<Column, 5> columns{{{"ms_per_token", "ms", "/seconds/per_token", 1e3},
                                         {"tokens_per_second", "tokens/s", "/tokens_per_second", 1},
                                         {"first_token_ms", "ms", "/seconds/first_token", 1e3},
                                         {"phase_ms", "ms", "/phases/0/seconds", 1e3},
                                         {"phase_us", "us", "/phases/0/seconds", 1e6}}};

const Column& find(const std::string& name) {
  const auto at = std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return c.name == name; });
  if (at == columns.end()) throw std::runtime_error(fmt::format("no result '{}' of a run", name));
  return *at;
}

/// A folder that goes with its contents.
class Folder {
 public:
  Folder() {
    auto name = (fs::temp_directory_path() / "forerun-validate-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error(
          fmt::format("no folder can be made in {}", fs::temp_directory_path().string()));
    path_ = name;
  }
  ~Folder() {
    std::error_code error;
    fs::remove_all(path_, error);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

std::string whole(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

std::vector<std::string_view> run_columns() {
  std::vector<std::string_view> names;
  for (const auto& c : columns) names.push_back(c.name);
  return names;
}

bool is_run_column(const std::string& name) {
  return std::any_of(columns.begin(), columns.end(), [&](const auto& c) { return c.name == name; });
}

std::string run_unit(const std::string& column) { return std::string(find(column).unit); }

std::vector<std::vector<double>> run_cases(std::span<const Case* const> cases,
                                           const std::function<void()>& done) {
  const Folder folder;
  const auto report = [&](std::size_t i) { return folder / fmt::format("{}.json", i); };
  const auto messages = [&](std::size_t i) { return folder / fmt::format("{}.txt", i); };
  std::vector<sweep::Job> jobs;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    auto arguments = cases[i]->arguments;
    arguments.insert(arguments.begin(), "run");
    arguments.insert(arguments.end(), {"--report", report(i).string()});
    jobs.push_back({std::move(arguments), messages(i)});
  }
  std::vector<std::vector<double>> results(cases.size());
  sweep::run_jobs(
      fs::read_symlink("/proc/self/exe"), jobs, std::max(1u, std::thread::hardware_concurrency()),
      [&](std::size_t i, int code) {
        if (code != 0)
          throw std::runtime_error(
              fmt::format("forerun run {}: {}", fmt::join(cases[i]->arguments, " "), whole(messages(i))));
        const auto json = Json::parse(whole(report(i)));
        for (const auto& e : cases[i]->expected) {
          const auto& c = find(e.column);
          results[i].push_back(c.scale * json.at(Json::json_pointer(std::string(c.pointer))).get<double>());
        }
        if (done) done();
      });
  return results;
}

}  // namespace forerun::validate
