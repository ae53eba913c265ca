// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/console.hpp"

namespace forerun::sim {

void LineConsole::add(unsigned char character) {
  if (character == '\n' || line_.size() == longest_line) {
    show_(line_);
    line_.clear();
  }
  if (character >= ' ' || character == '\t') line_.push_back(static_cast<char>(character));
}

void LineConsole::flush() {
  if (!line_.empty()) show_(line_);
  line_.clear();
}

}  // namespace forerun::sim
