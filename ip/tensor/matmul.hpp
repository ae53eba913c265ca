// SPDX-License-Identifier: Apache-2.0
/// What a MATMUL command computes, without time.
///
/// Accumulation order: one binary32 accumulator per output, starting from C (ACCUMULATE) or +0, over ascending k:
/// `acc = fma(a, b, acc)` with a and b converted exactly to binary32. This is the order in which partial sums run down
/// the column of a weight-stationary array whose first row adds the carried-in accumulator. The result therefore does
/// not depend on the size of the arrays nor on how m, n and k are tiled. I8 x I8 accumulates in wrapping int32.
/// The final value is rounded to c_type (nearest even); NaN results are canonical.
#pragma once

#include <optional>
#include <span>

#include "firmware/abi/command.h"
#include "ip/base/local_fault.hpp"

namespace forerun::ip {

/// Why the command is refused: FR_ERROR_COMMAND (types, flags) or FR_ERROR_LOCAL_RANGE; none if it is good.
std::optional<LocalFault> check_matmul(const fr_matmul& command, std::uint64_t memory_bytes);

/// Carries out a command that check_matmul accepts; addresses are offsets into `memory`.
void matmul(const fr_matmul& command, std::span<unsigned char> memory);

}  // namespace forerun::ip
