// SPDX-License-Identifier: Apache-2.0
/// What lies where in the chip's memory.
#pragma once

#include "models/compiler/plan.hpp"

namespace forerun::models {

/// Of what firmware and commands address by themselves.
inline constexpr std::uint64_t memory_alignment = 4096;

/// Fills in Plan::memory from its `begin` on, and where the cache's lanes lie. All else of the plan is
/// chosen. Throws OutOfMemory if the chip has too little.
void lay_out_memory(Plan& plan, const chip::Chip& chip, const Lanes& lanes);

}  // namespace forerun::models
