// SPDX-License-Identifier: Apache-2.0
/// What a block must have to stand in for a peripheral of the control CPU.
#pragma once

#include <string>
#include <vector>

#include "platform/rtl/device.hpp"

namespace forerun::rtl {

struct PeripheralKind {
  std::string name;  ///< "uart", and so on; the key below `rtl`
  bool streams = false;
  bool interrupt = false;                           ///< one is needed
  std::vector<std::vector<std::string>> signals{};  ///< of each list one at least is needed
};

const std::vector<PeripheralKind>& peripheral_kinds();

/// Throws std::runtime_error, naming the file, for a block without something that the chip needs of this
/// peripheral, or with interfaces that it has no use for.
void check_peripheral(Device& device, const PeripheralKind& kind);

}  // namespace forerun::rtl
