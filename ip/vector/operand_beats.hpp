// SPDX-License-Identifier: Apache-2.0
/// The elements of VECTOR commands as beats of lanes, as a vector engine of RTL takes and gives them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "firmware/abi/command.h"

namespace forerun::ip {

/// Beats in the order of rows and columns, elements in their own type in the low bits of 32, unused lanes 0.
/// One value a row is in all lanes, one row for all is repeated, and ROPE's cosines and sines are in the
/// lanes of the columns that they turn.
struct OperandBeats {
  unsigned lanes = 1;
  std::vector<std::uint32_t> operand[3];  ///< a, b, c; empty if the operation does not have it
  std::uint64_t beats = 0;                ///< of each operand that there is
  std::uint64_t results = 0;              ///< beats of results
};

OperandBeats operand_beats(const fr_vector& command, std::span<const unsigned char> memory, unsigned lanes);
/// Writes results, beats as above, and for QUANTIZE the scale of each row.
void store_results(const fr_vector& command, unsigned lanes, std::span<const std::uint32_t> results,
                   std::span<const std::uint32_t> scales, std::span<unsigned char> memory);
/// Element `column` of a row of the destination as it is in memory.
std::uint32_t result_bits(const fr_vector& command, std::span<const unsigned char> memory, std::uint32_t row,
                          std::uint32_t column);
/// A result is written where a later row's operand is read.
bool overwrites_operands(const fr_vector& command);

std::string vector_operation_name(unsigned op);  ///< "RMSNORM"
std::string element_type_name(unsigned type);    ///< "F16"

}  // namespace forerun::ip
