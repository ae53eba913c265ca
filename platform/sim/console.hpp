// SPDX-License-Identifier: Apache-2.0
/// Shows what firmware writes to the UART as whole lines among the simulator's own output.
#pragma once

#include <cstdio>
#include <functional>
#include <string>
#include <string_view>

namespace forerun::sim {

/// Collects characters into lines; carriage returns and other control characters are left out.
class LineConsole {
 public:
  using Show = std::function<void(std::string_view line)>;
  explicit LineConsole(Show show) : show_(std::move(show)) {}
  void add(unsigned char character);
  /// Shows a line that has not ended.
  void flush();

 private:
  static constexpr std::size_t longest_line = 4096;
  Show show_;
  std::string line_;
};

}  // namespace forerun::sim
