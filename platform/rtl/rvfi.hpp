// SPDX-License-Identifier: Apache-2.0
/// The pins of the RISC-V Formal Interface, by which a CPU says what it has carried out.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "ip/cosim/shared_model.hpp"
#include "ip/cpu/retired.hpp"
#include "platform/rtl/map_reader.hpp"
#include "platform/rtl/pin_map.hpp"
#include "platform/rtl/pins_of.hpp"

namespace forerun::rtl {

/// The section `rvfi` of a pin map.
RvfiMap read_rvfi(MapReader& reader, const chip::YamlNode& node);
/// Names of the pins as the interface has them, without "rvfi_"; `plain`: without underscores.
std::vector<std::string> rvfi_pin_names(bool plain);

/// Reads the pins of a module, of up to 4 instructions that retire in a cycle.
class RvfiPins {
 public:
  static constexpr unsigned most_channels = 4;
  static constexpr unsigned pins = 14;
  /// Throws std::runtime_error, naming the place in the map, for a pin that is missing or has no possible
  /// width.
  RvfiPins(ip::cosim::ModelInstance& instance, PinsOf& ports, const RvfiMap& map);

  unsigned channels() const { return channels_; }
  /// Adds what retires in the present cycle, oldest first.
  void sample(std::vector<ip::riscv::Retired>& to);

 private:
  std::uint64_t value(unsigned pin, unsigned channel) const;
  unsigned channels_ = 1;
  std::array<std::array<std::uint64_t, most_channels>, pins> words_{};
  std::array<std::optional<PinCopy>, pins> copies_;
};

}  // namespace forerun::rtl
