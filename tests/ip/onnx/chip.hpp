// SPDX-License-Identifier: Apache-2.0
/// Tensors in a local memory, and the commands that work on them: what a compiler would emit, carried out at
/// once.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "firmware/abi/command.h"

namespace forerun::onnx_test {

using Dims = std::vector<std::int64_t>;

/// Why a node test says nothing about our kernels: a category, and a word on this one.
struct NotApplicable : std::runtime_error {
  NotApplicable(std::string category_name, const std::string& detail)
      : std::runtime_error(detail), category(std::move(category_name)) {}
  std::string category;
};

/// A tensor, contiguous in local memory. Unsigned 8-bit values are kept as signed ones 128 lower (`biased`),
/// which is how a compiler maps them to a chip that knows only I8: zero points move with them. 64-bit
/// integers (axes, shapes) are known to the compiler and stay on the host.
struct Tensor {
  Dims dims;
  unsigned type = FR_TYPE_F32;
  std::uint32_t address = 0;
  bool biased = false;
  std::optional<std::vector<std::int64_t>> host;

  std::int64_t count() const;
};

std::int64_t product(const Dims& dims, std::size_t first = 0, std::size_t last = ~std::size_t{0});
std::uint32_t bits_of(float value);

class Chip {
 public:
  Chip() : memory_(8 << 20) {}

  /// Brings a tensor of the test into the local memory. Throws NotApplicable for element types that the chip
  /// lacks.
  Tensor load(const onnx::TensorProto& proto);
  /// Uninitialised (all ones, so that forgotten results show).
  Tensor allocate(const Dims& dims, unsigned type = FR_TYPE_F32, bool biased = false);
  /// Element `index`, as software would see it (a biased one is put back).
  double at(const Tensor& tensor, std::int64_t index) const;
  /// The one element of a constant that the compiler writes into a command.
  float constant(const Tensor& tensor, std::int64_t index = 0) const {
    return static_cast<float>(at(tensor, index));
  }

  /// Carries out a command; a refused one is a failure of the test.
  void run(const fr_vector& command);
  void run(const fr_matmul& command);

  /// d = op(a), row by row over the last dimension, with arguments.
  Tensor unary(unsigned op, const Tensor& a, std::uint32_t arg0 = 0, std::uint32_t arg1 = 0,
               std::optional<unsigned> type = {});
  /// d = op(a, b), broadcast as in numpy by strides of 0 and one-value rows.
  Tensor binary(unsigned op, const Tensor& a, const Tensor& b, std::optional<unsigned> type = {},
                bool biased = false);
  /// One result for each of `rows` rows of the rest.
  Tensor reduce(unsigned op, const Tensor& a, std::int64_t rows, unsigned type = FR_TYPE_F32);
  /// A whole row to a whole row; b and c are one row for all (layer normalization) or absent.
  Tensor rows(unsigned op, const Tensor& a, std::int64_t rows, std::uint32_t arg0 = 0,
              const Tensor* b = nullptr, const Tensor* c = nullptr);
  /// Axes in another order, by TRANSPOSE, or by COPY where the last axis stays.
  Tensor permute(const Tensor& a, const std::vector<std::size_t>& axes);
  Tensor fill(const Dims& dims, float value);
  /// The same elements under another shape.
  static Tensor reshape(const Tensor& a, const Dims& dims);

  std::size_t commands() const { return commands_; }

 private:
  std::vector<unsigned char> memory_;
  std::size_t used_ = 0, commands_ = 0;
};

}  // namespace forerun::onnx_test
