// SPDX-License-Identifier: Apache-2.0
/// A progress bar on standard error, only where that is a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace forerun::cli {

class Progress {
 public:
  /// `total` units, named for people: "tokens".
  Progress(std::uint64_t total, std::string unit, bool wanted = true);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void advance(std::uint64_t units);

 private:
  void draw();
  std::uint64_t total_, done_ = 0;
  std::string unit_;
  bool shown_;
  std::chrono::steady_clock::time_point started_, next_;
};

}  // namespace forerun::cli
