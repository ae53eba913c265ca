// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "platform/sweep/study.hpp"

namespace forerun::sweep {

using Report = nlohmann::ordered_json;

/// A folder with a file for each point that has been run: {"arguments": [...], "report": {...}}, named after
/// its arguments, so that a study that was stopped, or has grown, runs what is missing only. Reports keep
/// nothing of the host, so that they are the same on every run.
class Store {
 public:
  /// Makes the folder. Throws std::runtime_error if it cannot.
  explicit Store(std::filesystem::path folder);

  const std::filesystem::path& folder() const { return folder_; }
  std::filesystem::path report_of(const Point& point) const;    ///< where a run writes its report
  std::filesystem::path messages_of(const Point& point) const;  ///< and what it prints
  /// The report of a point that has been run. A file that is damaged, or of other arguments, counts as none.
  std::optional<Report> find(const Point& point) const;
  /// Takes the report that a run has written. Throws std::runtime_error if it is none or cannot be kept.
  Report keep(const Point& point) const;
  /// The last lines that a run that failed has printed on standard error.
  std::string complaint(const Point& point) const;

 private:
  std::filesystem::path file_of(const Point& point) const;
  std::filesystem::path folder_;
};

/// Writes a file whole or not at all. Throws std::runtime_error.
void write_file(const std::filesystem::path& path, const std::string& text);

}  // namespace forerun::sweep
