// SPDX-License-Identifier: Apache-2.0
/// A matrix product as a program: C[M][N] = A[M][K] x B[K][N], spread over the clusters by columns of C; or
/// several of one shape, each made by one cluster.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/compiler/plan.hpp"
#include "models/compiler/program.hpp"
#include "platform/chip/chip.hpp"

namespace forerun::models {

struct GemmShape {
  std::uint64_t m = 0, k = 0, n = 0, count = 1;
  /// "512x4096x4096" is M x K x N, "16x512x64x512" 16 of such; nothing if it is not three or four whole
  /// numbers from 1 to 2^20.
  static std::optional<GemmShape> parse(const std::string& text);
  std::string name() const;
};

/// Each cluster takes a share of the columns, in blocks of C that fit half its scratchpad; slices of A and B
/// along k come through two to eight buffers while the slice before is multiplied. C is written in the format
/// of A and B, as int32 for i8, and as bfloat16 for 8-bit floats.
class Gemm {
 public:
  /// Throws CompileError when the chip lacks the format, the memory or the scratchpad.
  Gemm(const GemmShape& shape, const chip::Chip& chip, chip::Format format);

  /// With `data`, A and B hold small numbers made from their indices.
  Program program(bool data) const;
  /// Where C lies, [product][M][N], and how many bytes it has.
  std::uint64_t result() const { return c_; }
  std::uint64_t result_bytes() const { return shape_.count * shape_.m * shape_.n * out_bytes_; }
  /// The number of elements of C (as it lies in memory) that are not those of the golden product: one
  /// binary32 fused multiply-add after the other over ascending k, or wrapping int32.
  std::uint64_t differences(const std::vector<std::uint8_t>& result) const;

 private:
  std::vector<unsigned char> stream(std::uint32_t cluster) const;
  Range columns(std::uint32_t cluster) const;  ///< of each of its products
  Range products(std::uint32_t cluster) const;
  float a(std::uint64_t m, std::uint64_t k) const;
  float b(std::uint64_t k, std::uint64_t n) const;

  GemmShape shape_;
  Numerics numerics_;
  bool integer_;
  std::uint64_t element_, out_bytes_, memory_bytes_;
  void check_memory(std::uint64_t end) const;
  unsigned out_type_, sum_type_;
  std::uint32_t clusters_, rows_, columns_, slice_, slots_, sums_;  // of a block of C; along k; buffers
  std::uint32_t slot_bytes_, sum_at_, out_at_, scratch_end_;
  std::uint64_t parameters_, token_ids_, next_ids_, requests_, a_, c_, end_;
  std::vector<std::uint64_t> b_;  // of each cluster, [product][block of columns][k][columns of the block]
};

}  // namespace forerun::models
