// SPDX-License-Identifier: Apache-2.0
#include "ip/vector/operand_beats.hpp"

#include <algorithm>
#include <cstring>

#include "ip/base/numbers.hpp"
#include "ip/vector/operations.hpp"

namespace forerun::ip {
namespace {

/// Bytes from the first row's begin, lowest and highest, that rows take.
struct Extent {
  std::int64_t begin, end;
};
Extent extent(std::uint32_t address, std::int32_t stride, std::uint32_t rows, std::uint64_t bytes) {
  const auto first = std::int64_t{address}, last = first + std::int64_t{stride} * (rows - 1);
  return {std::min(first, last), std::max(first, last) + static_cast<std::int64_t>(bytes)};
}
bool overlap(const Extent& a, const Extent& b) { return a.begin < b.end && b.begin < a.end; }

std::uint64_t destination_bytes(const fr_vector& c) {
  return row_bytes(c.d_type, vector_reduces(c.op) ? 1 : c.cols);
}

/// Which element of its source column i of the result meets.
std::uint32_t source_column(const fr_vector& c, unsigned source, std::uint32_t source_cols, std::uint32_t i) {
  if (c.op == FR_VECTOR_ROPE && source > 0) {
    const auto spot = i % c.arg0;
    return (c.flags & FR_VECTOR_FLAG_INTERLEAVED) != 0 ? spot / 2 : spot % (c.arg0 / 2);
  }
  return source_cols == 1 ? 0 : i;
}

}  // namespace

OperandBeats operand_beats(const fr_vector& command, std::span<const unsigned char> memory, unsigned lanes) {
  OperandBeats beats;
  beats.lanes = lanes;
  const auto row_beats = (std::uint64_t{command.cols} + lanes - 1) / lanes;
  beats.beats = command.rows * row_beats;
  beats.results = vector_reduces(command.op) ? command.rows : beats.beats;
  const auto sources = vector_sources(command);
  for (unsigned i = 0; i < sources.size(); ++i) {
    const auto& source = sources[i];
    const auto bytes = element_bytes(source.type);
    auto& list = beats.operand[i];
    list.assign(beats.beats * lanes, 0);
    for (std::uint32_t row = 0; row < command.rows; ++row) {
      const auto* from = memory.data() + std::int64_t{source.address} + std::int64_t{row} * source.stride;
      auto* to = &list[row * row_beats * lanes];
      for (std::uint32_t column = 0; column < command.cols; ++column)
        std::memcpy(to + column, from + std::uint64_t{source_column(command, i, source.cols, column)} * bytes,
                    bytes);
    }
  }
  return beats;
}

void store_results(const fr_vector& command, unsigned lanes, std::span<const std::uint32_t> results,
                   std::span<const std::uint32_t> scales, std::span<unsigned char> memory) {
  const auto columns = vector_reduces(command.op) ? 1 : command.cols;
  const auto row_lanes = (std::uint64_t{columns} + lanes - 1) / lanes * lanes;
  const auto bytes = element_bytes(command.d_type);
  for (std::uint32_t row = 0; row < command.rows; ++row) {
    auto* to = memory.data() + std::int64_t{command.d} + std::int64_t{row} * command.d_stride;
    const auto* from = &results[row * row_lanes];
    for (std::uint32_t column = 0; column < columns; ++column)
      std::memcpy(to + std::uint64_t{column} * bytes, from + column, bytes);
    if (command.op == FR_VECTOR_QUANTIZE)
      std::memcpy(memory.data() + std::int64_t{command.c} + std::int64_t{row} * command.c_stride,
                  &scales[row], element_bytes(command.c_type));
  }
}

std::uint32_t result_bits(const fr_vector& command, std::span<const unsigned char> memory, std::uint32_t row,
                          std::uint32_t column) {
  std::uint32_t bits = 0;
  const auto bytes = element_bytes(command.d_type);
  std::memcpy(&bits,
              memory.data() + std::int64_t{command.d} + std::int64_t{row} * command.d_stride +
                  static_cast<std::int64_t>(column) * bytes,
              bytes);
  return bits;
}

bool overwrites_operands(const fr_vector& command) {
  const auto bytes = destination_bytes(command);
  const auto d = extent(command.d, command.d_stride, command.rows, bytes);
  const bool rows_apart =
      command.rows == 1 || static_cast<std::uint64_t>(std::abs(std::int64_t{command.d_stride})) >= bytes;
  for (const auto& source : vector_sources(command)) {
    const auto s = extent(source.address, source.stride, command.rows, row_bytes(source.type, source.cols));
    const bool in_place =
        rows_apart && source.address == command.d && (command.rows == 1 || source.stride == command.d_stride);
    if (overlap(d, s) && !in_place) return true;
    if (command.op == FR_VECTOR_QUANTIZE &&
        overlap(extent(command.c, command.c_stride, command.rows, row_bytes(command.c_type, 1)), s))
      return true;
  }
  return false;
}

std::string vector_operation_name(unsigned op) {
  switch (op) {
#define FR_X(NAME, NUMBER, ...) \
  case NUMBER:                  \
    return #NAME;
    FR_VECTOR_OPS(FR_X)
#undef FR_X
    default:
      return "?";
  }
}

std::string element_type_name(unsigned type) {
  switch (type) {
#define FR_X(NAME, NUMBER, ...) \
  case NUMBER:                  \
    return #NAME;
    FR_TYPES(FR_X)
#undef FR_X
    default:
      return "?";
  }
}

}  // namespace forerun::ip
