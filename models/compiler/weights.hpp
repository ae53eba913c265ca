// SPDX-License-Identifier: Apache-2.0
/// The memory that a program brings with it: weights in tiles, tables and constants, in the chip's number
/// formats.
#pragma once

#include <vector>

#include "models/compiler/plan.hpp"
#include "models/compiler/program.hpp"

namespace forerun::models {

/// Segments with their bytes. `model` must have the shapes of plan.model.
std::vector<Segment> pack_weights(const Plan& plan, const Model& model);
/// The same segments without bytes: for runs that simulate only time.
std::vector<Segment> empty_weights(const Plan& plan);

}  // namespace forerun::models
