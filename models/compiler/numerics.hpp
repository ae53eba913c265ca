// SPDX-License-Identifier: Apache-2.0
/// The number formats of a compiled model as the chip's commands name them.
#pragma once

#include <cstdint>

#include "firmware/abi/command.h"
#include "models/import/number_formats.hpp"

namespace forerun::models {

/// Element types (FR_TYPE_*) and scales. Sums, the residual stream, norms' weights, scores and logits are
/// always binary32.
struct Numerics {
  unsigned weight = FR_TYPE_F16;  ///< of the projections
  unsigned activation =
      FR_TYPE_F16;  ///< of queries, probabilities, the embedding table, and what is no operand
  unsigned operand =
      FR_TYPE_F16;  ///< of what projections read; another one than `activation` is made on the chip
  unsigned cache = FR_TYPE_F16;  ///< of keys and values
  /// Inputs at whose multiples products may be cut: those that share a scale of weights or operands. 0: any.
  std::uint32_t group = 0;
  unsigned group_scale = FR_NO_TYPE;  ///< of weights, one for each group of inputs and output: F16 or E8M0
  bool output_scales = false;         ///< of weights, F32, one for each output
  bool token_scales = false;          ///< of operands, F32, one for each token
  bool block_scales = false;          ///< of operands, E8M0, one for each group
  bool cache_scales = false;          ///< of the cache, F32, one for each position and head

  bool quantises() const { return token_scales || block_scales; }  ///< operands
  bool scales_groups() const { return block_scales || group_scale != FR_NO_TYPE; }
  unsigned sum() const;     ///< of a product before it is scaled by outputs or tokens: I32 or F32
  unsigned normed() const;  ///< of a norm's result
};

/// Throws FormatError for formats that do not go together.
Numerics numerics_for(const NumberFormats& formats);

}  // namespace forerun::models
