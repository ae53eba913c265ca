// SPDX-License-Identifier: Apache-2.0
/// What a VECTOR command computes, without time: the operations of FR_VECTOR_OPS in binary32.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "firmware/abi/command.h"
#include "ip/base/local_fault.hpp"

namespace forerun::ip {

/// Where a source of a command lies.
struct VectorSource {
  std::uint32_t address;
  std::int32_t stride;  ///< bytes between rows
  unsigned type;
  std::uint32_t cols;  ///< elements of a row; 1: one for all columns
};
/// The rows that a command writes, and those of its scales, if it has any.
std::vector<VectorSource> vector_results(const fr_vector& command, std::uint64_t& rows);
/// a, b and c, as many as the operation has.
std::vector<VectorSource> vector_sources(const fr_vector& command);
/// The operation has one result a row.
bool vector_reduces(unsigned op);

/// Why the command is refused: FR_ERROR_COMMAND (operation, types, arguments) or FR_ERROR_LOCAL_RANGE.
std::optional<LocalFault> check_vector(const fr_vector& command, std::uint64_t memory_bytes);

/// Carries out a command that check_vector accepts. Each row's sources are read before that row is written,
/// so the destination may be a source (not for TRANSPOSE).
void vector_operation(const fr_vector& command, std::span<unsigned char> memory);

/// What a lane array has to do for a command.
struct VectorCost {
  std::uint64_t rows = 0, cols = 0;
  unsigned passes = 1;   ///< times that each element goes through the lanes
  unsigned special = 0;  ///< of these, passes through the slower unit for exponentials, roots and divisions
  bool special_last = false;  ///< the last pass is among these
  std::uint64_t elements() const { return rows * cols; }
};
VectorCost vector_cost(const fr_vector& command);

/// Bytes that a command reads and writes in the scratchpad.
struct VectorTraffic {
  std::uint64_t read = 0, written = 0;
};
VectorTraffic vector_traffic(const fr_vector& command);

}  // namespace forerun::ip
