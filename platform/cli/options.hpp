// SPDX-License-Identifier: Apache-2.0
/// Options that several commands share, and the commands themselves.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/import/number_formats.hpp"
#include "platform/chip/chip.hpp"
#include "platform/rtl/waves.hpp"
#include "platform/sim/simulation.hpp"

namespace forerun::cli {

/// A wrong command line that the option parser cannot see; what() names the option.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Exit codes of `forerun`.
enum Exit {
  ok = 0,
  failed = 1,
  usage = 2,
  broken_rules = 3,  ///< all came to its end, but RTL broke rules of its bus
};

struct ChipOptions {
  std::string chip = "reference";
  std::vector<std::string> set;
  void add_to(CLI::App& command);
  chip::Chip load() const;
};

/// Waves of RTL, and what becomes of RTL that breaks rules.
struct RtlChoice {
  std::optional<std::string> folder, from, to;
  std::string format = "fst";
  bool allow_broken_rules = false;
  void add_to(CLI::App& command);
  /// Makes the folder. Throws UsageError.
  rtl::WaveOptions options() const;
  /// Of something that ended with `code`, in which RTL broke so many rules of its bus; says why on stderr.
  int exit_code(int code, std::uint64_t broken) const;
};

/// How often RTL in any device has broken rules of its bus. If that is oftener than `told`, which a report
/// tells, the first of all go to stderr.
std::uint64_t tell_broken_rules(const sim::Simulation& simulation, std::uint64_t told);

/// When a simulation is given up.
struct LimitChoice {
  std::optional<std::string> limit, idle;
  void add_to(CLI::App& command);
  void add_idle_to(CLI::App& command);
  /// Without --idle-limit there is none on idling. Throws UsageError.
  sim::RunLimits limits(const chip::Chip& chip) const;
};

struct ModelOptions {
  std::string model = "orator-2m";
  std::string dtype = "fp16";
  std::optional<std::string> weights, activations, kv;
  void add_to(CLI::App& command);
  /// A file or folder, or a name in the zoo. Throws std::runtime_error for what is neither.
  std::string path() const;
  /// Throws UsageError for formats that do not go together.
  models::NumberFormats formats() const;
  /// Of a product without a model, whose operands are both in --dtype. Throws UsageError.
  chip::Format operator_format(const std::string& option) const;
};

/// Token ids from a file, separated by white space. Throws std::runtime_error naming the file and line.
std::vector<std::uint32_t> read_ids(const std::string& path, std::uint32_t vocabulary);
/// A result that appears whole or not at all. Made before the work, so that a path that cannot be written
/// costs no time.
class OutputFile {
 public:
  /// Throws std::runtime_error naming a path that cannot be written.
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(OutputFile&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  OutputFile& operator=(OutputFile&&) = delete;
  /// Gives the file its content. False if the host does not take it, for example a full disk; the message is
  /// printed.
  bool commit(std::string_view bytes);

 private:
  std::string partial() const { return path_ + ".partial"; }
  std::string path_;
};

/// Each adds its command; `code` becomes the exit code when it has run.
void add_run(CLI::App& app, int& code);
void add_boot(CLI::App& app, int& code);
void add_compile(CLI::App& app, int& code);
void add_loss(CLI::App& app, int& code);
void add_chip(CLI::App& app, int& code);
void add_rtl(CLI::App& app, int& code);
void add_sweep(CLI::App& app, int& code);
void add_traffic(CLI::App& app, int& code);
void add_replay(CLI::App& app, int& code);
void add_validate(CLI::App& app, int& code);

}  // namespace forerun::cli
