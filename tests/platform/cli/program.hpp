// SPDX-License-Identifier: Apache-2.0
/// Runs the forerun program and looks at what it leaves behind.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace forerun::test {

struct Result {
  int code = -1;  ///< exit code; 128 + N after signal N
  std::string out, err;
};

/// A folder for the files of one test, removed with it.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  std::string file(const std::string& name) const { return (folder_ / name).string(); }
  void write(const std::string& name, const std::string& bytes) const;

 private:
  std::filesystem::path folder_;
};

/// forerun with these arguments (quoted for the shell where needed).
Result launch(const std::string& arguments);
std::string read_file(const std::string& path);
/// Numbers separated by white space.
std::vector<std::uint32_t> read_ids(const std::string& path);
std::vector<float> read_floats(const std::string& path);
/// A report, without what depends on the host.
nlohmann::json read_report(const std::string& path);
/// `forerun run ARGUMENTS --report`, which must succeed.
nlohmann::json report_of(const std::string& arguments);
/// Where the models for tests lie; nothing when they are not there.
std::optional<std::string> shared_models();

}  // namespace forerun::test
