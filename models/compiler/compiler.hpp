// SPDX-License-Identifier: Apache-2.0
/// The compiler: from a model and a chip to a program.
#pragma once

#include "models/compiler/plan.hpp"
#include "models/compiler/program.hpp"
#include "models/import/model.hpp"
#include "platform/chip/chip.hpp"

namespace forerun::models {

/// Throws CompileError when the model does not fit the chip.
Program compile(const Model& model, const chip::Chip& chip, const CompileOptions& options);

/// A program as text: memory, tags and every command of every stream (or of one cluster).
std::string listing(const Program& program);

}  // namespace forerun::models
