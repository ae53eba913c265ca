// SPDX-License-Identifier: Apache-2.0
/// An operator over the rows of a matrix as a program: soft-max, LayerNorm, or GELU of each element.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/compiler/single_operator.hpp"

namespace forerun::models {

struct RowShape {
  enum class Kind : unsigned char { softmax, layernorm, gelu };
  Kind kind = Kind::softmax;
  std::uint64_t rows = 0, columns = 0;
  std::string name() const;
};

/// Clusters take runs of rows; blocks of rows are loaded into slots in turn, worked on in place, and stored,
/// all at the same time. LayerNorm's weights and biases, a row each, stay in the scratchpad.
class RowOperator : public SingleOperator {
 public:
  /// In fp32, fp16 or bf16, from and to memory; sums are binary32. Throws CompileError for another format,
  /// for rows of which two do not fit a scratchpad, and for too little memory.
  RowOperator(const RowShape& shape, const chip::Chip& chip, chip::Format format);

  Program program(bool data, std::uint32_t device = 0) const override;
  /// Against double precision: within the rounding of the format and 1e-5 of each result, and 3e-7 (of
  /// LayerNorm, which subtracts, 4e-6).
  Verdict verify(std::span<const std::uint8_t> result, std::uint32_t device = 0) const override;

 private:
  std::vector<unsigned char> stream(std::uint32_t cluster) const;
  Range rows(std::uint32_t cluster) const;
  std::uint64_t row_bytes() const { return shape_.columns * element_; }
  float element(std::uint64_t row, std::uint64_t column) const;
  static float weight(std::uint64_t column);
  static float bias(std::uint64_t column);
  void compute(std::vector<double>& row) const;

  RowShape shape_;
  unsigned type_;
  std::uint64_t element_;
  std::uint32_t clusters_ = 0, block_ = 0, slots_ = 0;  ///< block: rows
  std::uint32_t weight_at_ = 0, bias_at_ = 0, slot_at_ = 0, scratch_end_ = 0;
  std::uint64_t input_ = 0, weights_ = 0;  ///< weights: a row, then biases
};

}  // namespace forerun::models
