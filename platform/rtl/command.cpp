// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/command.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace forerun::rtl {
namespace {

constexpr int not_found = 127;

struct Ended {
  int code = -1;
  std::string output;  ///< standard output and errors
};

Ended execute(const std::vector<std::string>& command, const std::filesystem::path& folder) {
  std::vector<char*> words;
  for (const auto& word : command)
    words.push_back(const_cast<char*>(word.c_str()));  // execvp leaves them alone
  words.push_back(nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe can be made");
  const auto child = ::fork();
  if (child < 0) throw std::runtime_error("no process can be started");
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    ::dup2(ends[1], STDERR_FILENO);
    if (::chdir(folder.c_str()) == 0) ::execvp(words[0], words.data());
    ::_exit(not_found);
  }
  ::close(ends[1]);
  Ended ended;
  char piece[4096];
  for (ssize_t got = 0; (got = ::read(ends[0], piece, sizeof piece)) > 0;)
    ended.output.append(piece, static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  ended.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ended;
}

/// The lines that matter, at most 20.
std::string errors_in(const std::string& output) {
  std::vector<std::string> errors, all;
  std::istringstream lines(output);
  for (std::string line; std::getline(lines, line);) {
    all.push_back(line);
    if (line.find("rror") != std::string::npos || line.starts_with("%Warning") ||
        line.find("Suggested alternative") != std::string::npos)
      errors.push_back(line);
  }
  const auto& shown = errors.empty() ? all : errors;
  std::string text;
  for (std::size_t i = 0; i < shown.size() && i < 20; ++i) text += "\n  " + shown[i];
  return text;
}

}  // namespace

void run_command(const std::vector<std::string>& command, const std::filesystem::path& folder,
                 const std::string& what) {
  const auto ended = execute(command, folder);
  if (ended.code != 0)
    throw std::runtime_error(
        fmt::format("{} failed (exit code {}):{}", what, ended.code, errors_in(ended.output)));
}

std::string capture(const std::vector<std::string>& command) {
  const auto ended = execute(command, ".");
  if (ended.code != 0) throw std::runtime_error(fmt::format("{}: exit code {}", command.front(), ended.code));
  return ended.output;
}

std::string read_text(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  if (!stream) throw std::runtime_error(file.string() + ": cannot be read");
  return text;
}

void write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream stream(file, std::ios::binary);
  if (!(stream << text) || !stream.flush()) throw std::runtime_error(file.string() + ": cannot be written");
}

}  // namespace forerun::rtl
