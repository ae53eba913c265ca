// SPDX-License-Identifier: Apache-2.0
/// A matrix of weights where it lies in a model's file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace forerun::models {

/// Element formats. The q formats are ggml's: blocks of 32 or (k) 256 elements of a row with their scales.
enum class TensorType : unsigned char { f32, f16, bf16, q4_0, q4_1, q5_0, q5_1, q8_0, q4_k, q5_k, q6_k };

/// A block is the least that can be read: one element of plain formats.
struct TensorBlock {
  std::uint32_t elements, bytes;
};
TensorBlock block_of(TensorType type);

/// A matrix of `rows` x `cols` elements. Norms are one row; biases are one column, so that they can be cut
/// like the rows of the weights that they go with. Row r lies at r / group * group_bytes + r % group *
/// row_bytes. An absent tensor has no rows.
struct Tensor {
  std::string name;
  TensorType type = TensorType::f32;
  std::uint64_t rows = 0, cols = 0;
  std::span<const std::byte> data;  ///< all that any view of the stored tensor may touch, from row 0 on
  std::uint64_t row_bytes = 0;
  std::uint64_t col_bytes = 0;  ///< between elements of a row; plain formats only
  std::uint64_t group = ~0ull, group_bytes = 0;

  /// A stored matrix, row by row without gaps; `data` must hold rows * cols elements, and rows whole blocks.
  static Tensor stored(std::string name, TensorType type, std::uint64_t rows, std::uint64_t cols,
                       std::span<const std::byte> data);

  explicit operator bool() const { return rows != 0; }
  /// One row as binary32 (exact for plain formats; as ggml computes it for the others); `to` holds `cols`
  /// elements.
  void read_row(std::uint64_t row, std::span<float> to) const;

  // Views of a stored matrix:
  Tensor slice(std::uint64_t first, std::uint64_t count) const;  ///< `count` rows from `first` on
  /// Of each group of `period` rows, `count` rows from `first` on.
  Tensor strided(std::uint64_t first, std::uint64_t count, std::uint64_t period) const;
  Tensor transposed() const;  ///< plain formats only
  Tensor column() const;      ///< of a vector (one row): one column
};

/// `blocks` blocks of a quantised format to binary32.
void dequantise(TensorType type, const std::byte* from, std::uint64_t blocks, float* to);

}  // namespace forerun::models
