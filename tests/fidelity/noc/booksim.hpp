// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "ip/noc/parameters.hpp"

/// Compares a network model with recorded curves of BookSim 2 (booksim_mesh8x8_vc4.csv): all rows or a few; latencies up to a
/// part `until` of the reference's saturation, and what is accepted beyond it, each within `bar`.
void compare(forerun::ip::noc::Model model, bool every, std::int64_t measured_cycles, double until, double bar);
