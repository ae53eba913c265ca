// SPDX-License-Identifier: Apache-2.0
/// The compiler: from a model and a chip to a program.
#pragma once

#include "models/compiler/plan.hpp"
#include "models/compiler/program.hpp"
#include "models/import/model.hpp"
#include "platform/chip/chip.hpp"

namespace forerun::models {

struct CompileOptions {
  chip::Format format = chip::Format::f16;
  std::uint32_t context = 0;  ///< positions of the cache, 1 .. the model's; 0: all of the model's
  bool data = true;           ///< false: leave the weights out, for runs that simulate only time
  /// Of a step: a shorter limit leaves more of the scratchpad to weights. 0: as many as fit.
  std::uint32_t max_tokens = 0;
  std::uint32_t device = 0;  ///< for which of the chip's devices, below chip.devices
};

/// Throws CompileError when the model does not fit the chip.
Program compile(const Model& model, const chip::Chip& chip, const CompileOptions& options);

/// A program as text: memory, tags and every command of every stream (or of one cluster).
std::string listing(const Program& program);

}  // namespace forerun::models
