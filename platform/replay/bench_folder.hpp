// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "platform/replay/bench.hpp"

namespace forerun::replay {

/// Throws std::runtime_error for a source that is not there.
void check_sources(const Block& block);

/// The folder of a bench: files made from templates, text files and scripts.
class BenchFolder {
 public:
  /// Throws std::runtime_error if it cannot be made.
  BenchFolder(const std::string& path, const Block& block);

  /// @WORD@ in the template becomes the value.
  void bench(const std::string& name, std::string text, const std::map<std::string, std::string>& values);
  std::ofstream text(const std::string& name);
  /// A source more, in this folder.
  void source(const std::string& name, const std::string& text);
  void scripts();
  /// Of a bench with forerun_remote, which plays engine.txt with these options.
  void driver_script(const std::string& options);
  /// Throws std::runtime_error if the file of this stream could not be written.
  static void finish(std::ofstream& file, const std::string& name);

 private:
  void script(const std::string& name, const std::string& commands);
  std::filesystem::path path_;
  std::string sources_;
};

/// Hexadecimal digits of a row of lanes, the one of the highest number first.
template <typename T>
std::string lane_digits(const std::vector<T>& lanes, unsigned bits);

}  // namespace forerun::replay
