// SPDX-License-Identifier: Apache-2.0
/// What a VECTOR command computes, without time: the operations of FR_VECTOR_OPS in binary32.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "firmware/abi/command.h"
#include "ip/base/local_fault.hpp"

namespace forerun::ip {

/// Why the command is refused: FR_ERROR_COMMAND (operation, types, arguments) or FR_ERROR_LOCAL_RANGE.
std::optional<LocalFault> check_vector(const fr_vector& command, std::uint64_t memory_bytes);

/// Carries out a command that check_vector accepts. Each row's sources are read before that row is written, so the
/// destination may be a source (not for TRANSPOSE).
void vector_operation(const fr_vector& command, std::span<unsigned char> memory);

/// What a lane array has to do for a command.
struct VectorCost {
  std::uint64_t elements = 0;  ///< rows * cols
  unsigned passes = 1;         ///< times that each element goes through the lanes
  unsigned special = 0;        ///< of these, passes through the slower unit for exponentials, logarithms and divisions
};
VectorCost vector_cost(const fr_vector& command);

/// Bytes that a command reads and writes in the scratchpad.
struct VectorTraffic {
  std::uint64_t read = 0, written = 0;
};
VectorTraffic vector_traffic(const fr_vector& command);

}  // namespace forerun::ip
