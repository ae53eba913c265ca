// SPDX-License-Identifier: Apache-2.0
/// RTL as the control CPU.
#pragma once

#include <string>

#include "platform/chip/chip.hpp"
#include "platform/rtl/device.hpp"

namespace forerun::rtl {

/// The model's file: `rtl.cpu`, or made of ip/cpu/rtl.
std::string cpu_model(const chip::Chip& chip, Waves waves);

/// Throws std::runtime_error, naming the file, for a block that is no CPU: one or two AXI managers, nothing
/// else on its bus, and the inputs `reset_vector`, `machine_external`, `machine_timer`, `machine_software`.
void check_cpu(const Device& device);

}  // namespace forerun::rtl
