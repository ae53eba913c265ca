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
  explicit MappedPins(std::shared_ptr<const ip::cosim::SharedModel> model);
  MappedPins(const MappedPins&) = delete;
  MappedPins& operator=(const MappedPins&) = delete;

  const PinsOf& ports() const { return ports_; }
  /// Bits of a port or a part of one; 0: there is none of this name.
  unsigned width(const std::string& name) const;
  /// Where the bits of a pin are. Throws std::runtime_error if there is none so wide in this direction.
  unsigned char* pin(const std::string& name, bool input, unsigned bits);
  /// Gives inputs values that they keep.
  void hold(const std::map<std::string, std::uint64_t>& constants);
  void evaluate();

  ip::cosim::ModelInstance instance;

 private:
  PinsOf ports_;
  std::vector<std::vector<std::uint64_t>> fields_;
  std::vector<PinCopy> inputs_, outputs_;
};

}  // namespace forerun::rtl
