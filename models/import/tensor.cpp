// SPDX-License-Identifier: Apache-2.0
#include "models/import/tensor.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "ip/base/numbers.hpp"

namespace forerun::models {

TensorBlock block_of(TensorType type) {
  switch (type) {
    case TensorType::f32:
      return {1, 4};
    case TensorType::f16:
      return {1, 2};
    case TensorType::bf16:
      return {1, 2};
    case TensorType::q4_0:
      return {32, 18};
    case TensorType::q4_1:
      return {32, 20};
    case TensorType::q5_0:
      return {32, 22};
    case TensorType::q5_1:
      return {32, 24};
    case TensorType::q8_0:
      return {32, 34};
    case TensorType::q4_k:
      return {256, 144};
    case TensorType::q5_k:
      return {256, 176};
    case TensorType::q6_k:
      return {256, 210};
  }
  throw std::logic_error("a tensor of no known type");
}

Tensor Tensor::stored(std::string name, TensorType type, std::uint64_t rows, std::uint64_t cols,
                      std::span<const std::byte> data) {
  const auto block = block_of(type);
  Tensor t;
  t.name = std::move(name);
  t.type = type;
  t.rows = rows, t.cols = cols;
  t.data = data;
  t.row_bytes = cols / block.elements * block.bytes;
  t.col_bytes = block.bytes;
  return t;
}

void Tensor::read_row(std::uint64_t row, std::span<float> to) const {
  const auto* from = data.data() + row / group * group_bytes + row % group * row_bytes;
  if (const auto block = block_of(type); block.elements > 1) {
    dequantise(type, from, cols / block.elements, to.data());
    return;
  }
  for (std::uint64_t i = 0; i < cols; ++i, from += col_bytes) {
    if (type == TensorType::f32) {
      std::memcpy(&to[i], from, 4);
      continue;
    }
    std::uint16_t bits = 0;
    std::memcpy(&bits, from, 2);
    to[i] = type == TensorType::f16 ? ip::from_half(bits) : ip::from_bfloat(bits);
  }
}

Tensor Tensor::slice(std::uint64_t first, std::uint64_t count) const {
  auto t = *this;
  t.rows = count;
  t.data = data.subspan(first * row_bytes);
  return t;
}

Tensor Tensor::strided(std::uint64_t first, std::uint64_t count, std::uint64_t period) const {
  auto t = slice(first, rows / period * count);
  t.group = count;
  t.group_bytes = period * row_bytes;
  return t;
}

Tensor Tensor::transposed() const {
  auto t = *this;
  std::swap(t.rows, t.cols);
  std::swap(t.row_bytes, t.col_bytes);
  return t;
}

Tensor Tensor::column() const { return transposed(); }

}  // namespace forerun::models
