// SPDX-License-Identifier: Apache-2.0
/// The commands of a cluster for a matrix product. Private to gemm_stream.cpp and gemm_share.cpp.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "models/compiler/gemm.hpp"
#include "models/compiler/split.hpp"
#include "models/compiler/stream.hpp"

namespace forerun::models {

/// Rows and columns of C that are made together.
struct Gemm::Block {
  std::uint64_t product, m, n, rows, columns;
};

class Gemm::Emitter {
 public:
  Emitter(const Gemm& gemm, std::uint32_t cluster)
      : gemm_(gemm),
        plan_(gemm.plan_),
        shape_(gemm.shape_),
        cluster_(cluster),
        device_(cluster / gemm.clusters_),
        own_(gemm.columns(cluster)),
        products_(gemm.products(cluster)),
        in_memory_(gemm.columns_in(device_)),
        lane_(gemm.lane(cluster)) {}
  virtual ~Emitter() = default;
  Emitter(const Emitter&) = delete;
  Emitter& operator=(const Emitter&) = delete;

  std::vector<unsigned char> stream();

 protected:
  enum Semaphore : std::uint8_t {
    slot_free,
    slot_full,
    sum_free,
    sum_done,
    out_free,
    out_done,
    b_free,
    b_full,
    gathered,
    others
  };
  enum Tag : std::uint32_t { loading, multiplying, converting, storing, sharing };
  static std::uint32_t u32(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
  static std::int32_t i32(std::uint64_t value) { return static_cast<std::int32_t>(value); }
  static std::uint8_t u8(std::uint64_t value) { return static_cast<std::uint8_t>(value); }

  /// All that lies between the semaphores' first and last values.
  virtual void make_products();
  std::vector<Block> blocks(std::uint64_t product) const;
  /// Rows of the same length.
  static fr_copy rows_of(std::uint64_t global, std::uint32_t local, std::uint64_t rows, std::uint64_t bytes,
                         std::uint64_t global_stride);
  std::uint64_t e() const { return gemm_.element_; }
  std::uint32_t slot(std::uint64_t step) const {
    return plan_.slot_at + u32(step % plan_.slots) * plan_.slot_bytes;
  }
  /// In a slot, behind the slice of A.
  std::uint32_t b_in_slot() const { return u32(round_up(std::uint64_t{plan_.rows} * plan_.slice * e(), 64)); }
  /// A block of B, whose parts the lane spreads over memory.
  fr_copy block_of_b(const Block& block, std::uint64_t k, std::uint64_t bytes, std::uint32_t local) const;
  /// B stays: all that a cluster needs of a product.
  void load_b(std::uint64_t product);
  /// Some columns of A from `row` of a block on.
  fr_copy part_of_a(const Block& block, std::uint64_t row, std::uint64_t rows, std::uint64_t k,
                    std::uint64_t depth, std::uint32_t local) const;
  /// A slice of A and of B in a slot; `first` of its block.
  fr_matmul slice_product(const Block& block, std::uint64_t depth, bool first, std::uint32_t slot) const;
  /// Rows of A of full length in a slot, and the B that stays.
  fr_matmul row_product(const Block& block, std::uint32_t slot) const;
  /// From sums to C.
  void finish(const Block& block);

  const Gemm& gemm_;
  const GemmPlan& plan_;
  const GemmShape& shape_;
  const std::uint32_t cluster_, device_;
  const Range own_, products_, in_memory_;
  const Lane& lane_;
  StreamBuilder out_;

 private:
  void multiply();
  void await_all();
  /// To the same place in all devices; behind the last block a post to the first cluster of each.
  fr_collective gather(const Block& block, std::uint32_t from, std::uint64_t bytes, std::uint64_t to,
                       std::uint64_t stride) const;
  void give_all(bool give);
  std::uint64_t b_buffers() const { return std::min<std::uint64_t>(2, gemm_.most_); }
  std::uint32_t sums() const {
    return plan_.sum_at + u32(block_ % plan_.sums * plan_.rows * plan_.columns * 4);
  }
  std::uint32_t b_buffer(std::uint64_t product) const {
    return plan_.b_at + u32((product - products_.begin) % b_buffers()) * plan_.b_bytes;
  }
  fr_matmul multiplication(std::uint64_t m, std::uint64_t n, std::uint64_t k) const;
  void multiply_slices(const Block& block);
  void multiply_rows(const Block& block);

  std::uint64_t step_ = 0, block_ = 0;
};

}  // namespace forerun::models
