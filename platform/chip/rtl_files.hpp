// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "platform/chip/checks.hpp"

namespace forerun::chip {

/// What keys of `rtl` name that is neither a model of Verilog nor a block in another process.
std::vector<Conflict> rtl_file_conflicts(const Chip& chip);

}  // namespace forerun::chip
