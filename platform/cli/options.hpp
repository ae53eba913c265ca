// SPDX-License-Identifier: Apache-2.0
/// Options that several commands share, and the commands themselves.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "platform/chip/chip.hpp"

namespace forerun::cli {

/// A wrong command line that the option parser cannot see; what() names the option.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Exit codes of `forerun`.
enum Exit { ok = 0, failed = 1, usage = 2 };

struct ChipOptions {
  std::string chip = "reference";
  std::vector<std::string> set;
  void add_to(CLI::App& command);
  chip::Chip load() const;
};

struct ModelOptions {
  std::string model = "orator-2m";
  std::string dtype = "fp16";
  void add_to(CLI::App& command);
  /// A file or folder, or a name in the zoo.
  std::string path() const;
  chip::Format format() const;
};

/// Token ids from a file, separated by white space. Throws std::runtime_error naming the file and line.
std::vector<std::uint32_t> read_ids(const std::string& path, std::uint32_t vocabulary);
/// Writes a whole file; throws std::runtime_error naming it.
void write_file(const std::string& path, std::string_view bytes);

/// Each adds its command; `code` becomes the exit code when it has run.
void add_run(CLI::App& app, int& code);
void add_boot(CLI::App& app, int& code);
void add_compile(CLI::App& app, int& code);
void add_chip(CLI::App& app, int& code);

}  // namespace forerun::cli
