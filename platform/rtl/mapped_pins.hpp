// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "platform/rtl/pins_of.hpp"

namespace forerun::rtl {

/// An instance of a model whose pins are ports of their own, or bits and fields of them: these are copied at
/// each evaluation.
class MappedPins {
 public:
  MappedPins(std::shared_ptr<const ip::cosim::SharedModel> model, const PinMap& map);
  MappedPins(const MappedPins&) = delete;
  MappedPins& operator=(const MappedPins&) = delete;

  const PinsOf& ports() const { return ports_; }
  /// Bits of what a pin is in the module, a port of its name or what the map's `ports` names; 0: nothing.
  unsigned width(const std::string& pin) const;
  /// Where the bits of a pin are. Throws std::runtime_error if there is none so wide in this direction.
  unsigned char* pin(const std::string& pin, bool input, unsigned bits);
  /// The same of a port that another key of the map, `at`, names.
  unsigned char* port(const std::string& name, bool input, unsigned bits, const std::string& at);
  /// The level of all clocks or all resets (`key`), which whoever has the instance drives.
  unsigned char* wire(const std::string& key, const std::vector<std::string>& names);
  /// Gives the map's constants to inputs.
  void hold_constants();
  void evaluate();

  ip::cosim::ModelInstance instance;

 private:
  PinMap map_;
  PinsOf ports_;
  std::vector<std::vector<std::uint64_t>> fields_;
  std::vector<std::pair<const unsigned char*, unsigned char*>> wires_;  ///< levels, and what follows them
  std::vector<PinCopy> inputs_, outputs_;
};

}  // namespace forerun::rtl
