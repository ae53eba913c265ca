// SPDX-License-Identifier: Apache-2.0
/// A module of any style in a bench, by its pin map.
#pragma once

#include <string>
#include <vector>

#include "platform/replay/bench.hpp"
#include "platform/rtl/pins_of.hpp"
#include "platform/rtl/shell.hpp"

namespace forerun::replay {

/// A shell around the module, whose ports agree with the pin map. Throws std::runtime_error where they do
/// not, with the place in the map.
rtl::Shell shell_of(const PinnedBlock& block);

/// The wires to a shell's ports, all bits of inputs driven. Clock, reset and constants are those of the pin
/// map: wires "clock" and "reset", active high, must be there.
class ShellWires {
 public:
  ShellWires(const PinnedBlock& block, const rtl::Shell& shell);

  const rtl::PinsOf& pins() const { return pins_; }
  void drive(const rtl::Pin& pin, const std::string& value);
  std::string read(const rtl::Pin& pin) const;
  /// Declarations, what drives the wires, and the shell.
  std::string text();

 private:
  static unsigned words(const rtl::Port& port);
  static std::string dimension(const rtl::Port& port);
  std::string bits(unsigned port, unsigned element, unsigned low, unsigned count) const;

  const rtl::Shell& shell_;
  rtl::PinsOf pins_;
  std::vector<std::vector<bool>> driven_;
  std::string text_;
};

}  // namespace forerun::replay
