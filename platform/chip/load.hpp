// SPDX-License-Identifier: Apache-2.0
/// Chip files (YAML) to chips and back. docs/chip.md says how to write them.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "platform/chip/chip.hpp"

namespace forerun::chip {

/// A chip description that does not hold. what() is ready to be printed: one problem a line, each beginning
/// with "FILE:LINE:COLUMN: " or "--set KEY=VALUE: ".
class Error : public std::runtime_error {
 public:
  explicit Error(std::vector<std::string> problems);
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  std::vector<std::string> problems_;
};

/// Where chips are found by name: FORERUN_CHIPS of the environment, otherwise platform/chips of the source
/// tree.
std::filesystem::path chips_directory();
/// Names of the chips in there, sorted: "edge", "published/tpu".
std::vector<std::string> chip_names();

/// Reads a chip: the files that it extends, the file, then the overrides, each "KEY=VALUE" with a dotted key
/// and a value as in the file ("clusters.count=8", "hbm.clock=2 GHz", "noc.tiles=[X C M, H C M]"). What none
/// of them says has the value of a default-constructed Chip.
/// @param chip a name in chips_directory(), or a file whose name ends in .yaml or .yml
/// Throws Error with every problem found; combinations are checked once all single values are right.
Chip load(const std::string& chip, const std::vector<std::string>& overrides = {});

/// The same for a text; `file` stands in messages, and `extends` is relative to it.
Chip parse(const std::string& text, const std::string& file, const std::vector<std::string>& overrides = {});

/// The whole chip as a file without `extends`. Reading it gives an equal chip.
std::string to_yaml(const Chip& chip);

/// JSON Schema (draft 7) of chip files, for editors.
nlohmann::ordered_json json_schema();

/// The table of all keys in Markdown.
std::string key_table();

}  // namespace forerun::chip
