// SPDX-License-Identifier: Apache-2.0
/// What a MATMUL or MATMUL_SCALED command computes, without time.
///
/// Accumulation order: one binary32 accumulator per output, starting from C (ACCUMULATE) or +0, over
/// ascending k: `acc = fma(a, b, acc)` with a and b converted exactly to binary32. This is the order in which
/// partial sums run down the column of a weight-stationary array whose first row adds the carried-in
/// accumulator. The result therefore does not depend on the size of the arrays nor on how m, n and k are
/// tiled. Integers (I8, I4) accumulate in wrapping int32. The final value is rounded to c_type (nearest
/// even); NaN results are canonical.
///
/// With scales, a group of k is summed so from +0 (zero points are subtracted from B before), then scaled and
/// added to the accumulator; see FR_FIELDS_MATMUL_SCALED. The result does not depend on how m and n are
/// tiled, nor k at groups' ends. MX blocks (OCP MX 1.0 section 6.1, 6.2: dot products; their inner precision
/// is ours to choose) are groups of 32.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "firmware/abi/command.h"
#include "ip/base/local_fault.hpp"

namespace forerun::ip {

/// Why the command is refused: FR_ERROR_COMMAND (types, flags, group) or FR_ERROR_LOCAL_RANGE; none if it is
/// good.
std::optional<LocalFault> check_matmul(const fr_matmul& command, std::uint64_t memory_bytes);
std::optional<LocalFault> check_matmul(const fr_matmul_scaled& command, std::uint64_t memory_bytes);

/// Carries out a command that check_matmul accepts; addresses are offsets into `memory`.
void matmul(const fr_matmul& command, std::span<unsigned char> memory);
void matmul(const fr_matmul_scaled& command, std::span<unsigned char> memory);

/// Rows of an operand in the scratchpad.
struct MatmulRows {
  std::uint64_t address, rows, row_bytes;
  std::int64_t stride;
};
/// What a command that check_matmul accepts reads, but for sums to start from: A, B, scales and zero points.
std::vector<MatmulRows> matmul_sources(const fr_matmul_scaled& command);
MatmulRows matmul_result(const fr_matmul_scaled& command);

/// The same product in MATMUL_SCALED's fields: no scales, no zero points, one group (of 0) over all k.
fr_matmul_scaled without_scales(const fr_matmul& command);

/// True if the operand's scales or zero points are there.
inline bool present(std::uint8_t type) { return type != FR_NO_TYPE; }

}  // namespace forerun::ip
