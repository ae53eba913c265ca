// SPDX-License-Identifier: Apache-2.0
#include "tests/platform/cli/program.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

namespace forerun::test {

Scratch::Scratch() {
  auto name = (std::filesystem::temp_directory_path() / "forerun_test_XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no scratch folder");
  folder_ = name;
}
Scratch::~Scratch() { std::filesystem::remove_all(folder_); }

void Scratch::write(const std::string& name, const std::string& bytes) const {
  std::ofstream(file(name), std::ios::binary) << bytes;
}

Result launch(const std::string& arguments) {
  const Scratch scratch;
  const auto command = std::string(FORERUN_PROGRAM) + " " + arguments + " >" + scratch.file("out") + " 2>" +
                       scratch.file("err") + " </dev/null";
  const int status = std::system(command.c_str());
  Result result;
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.out = read_file(scratch.file("out"));
  result.err = read_file(scratch.file("err"));
  return result;
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::uint32_t> read_ids(const std::string& path) {
  std::istringstream words(read_file(path));
  return {std::istream_iterator<std::uint32_t>(words), {}};
}

std::vector<float> read_floats(const std::string& path) {
  const auto bytes = read_file(path);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  return values;
}

nlohmann::json read_report(const std::string& path) {
  auto report = nlohmann::json::parse(read_file(path));
  report.erase("host");
  return report;
}

nlohmann::json report_of(const std::string& arguments) {
  const Scratch scratch;
  const auto result = launch("run " + arguments + " --report " + scratch.file("report.json"));
  EXPECT_EQ(result.code, 0) << arguments << "\n" << result.err;
  return result.code == 0 ? read_report(scratch.file("report.json")) : nlohmann::json();
}

std::optional<std::string> shared_models() {
  const char* const shared = std::getenv("FORERUN_SHARED");
  const std::string folder =
      std::string(shared != nullptr ? shared : FORERUN_SOURCE_DIR "/../shared") + "/models";
  return std::filesystem::exists(folder) ? std::optional(folder) : std::nullopt;
}

}  // namespace forerun::test
