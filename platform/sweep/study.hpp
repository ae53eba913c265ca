// SPDX-License-Identifier: Apache-2.0
/// Studies: many runs of `forerun run`, one for each combination of values. docs/sweep.md says how to write
/// one.
#pragma once

#include <filesystem>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace forerun::sweep {

/// A study that does not hold. what() begins with "FILE:LINE:COLUMN: ".
class StudyError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Study {
  std::string name = "study";
  struct Option {  ///< of `forerun run`, without its dashes
    std::string name, value;
  };
  std::vector<Option> run;
  std::vector<std::string> set;  ///< changes to the chip, KEY=VALUE
  struct Axis {
    std::string key;                  ///< of the chip, or "run." and an option
    std::vector<std::string> values;  ///< as they stand in the file
  };
  std::vector<Axis> axes;
};

/// One run: its value on each axis, and the arguments of `forerun run`.
struct Point {
  std::vector<std::string> values, arguments;
};

/// `options`: those of `forerun run` that a study may give. Throws StudyError.
Study read_study(const std::filesystem::path& file, std::span<const std::string> options);
/// All combinations, the last axis fastest, at most 100,000. Throws StudyError; for a chip that does not hold
/// with every problem found.
std::vector<Point> points(const Study& study);

}  // namespace forerun::sweep
