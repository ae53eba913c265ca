// SPDX-License-Identifier: Apache-2.0
/// A matrix product as a program: C[M][N] = A[M][K] x B[K][N], spread over the clusters of all devices by
/// columns of C; or several of one shape, each made by one cluster.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/compiler/multicast.hpp"
#include "models/compiler/placement.hpp"
#include "models/compiler/single_operator.hpp"

namespace forerun::models {

struct GemmShape {
  std::uint64_t m = 0, k = 0, n = 0, count = 1;
  /// "512x4096x4096" is M x K x N, "16x512x64x512" 16 of such; nothing if it is not three or four whole
  /// numbers from 1 to 2^20.
  static std::optional<GemmShape> parse(const std::string& text);
  std::string name() const;
};

/// How a cluster makes its products; sizes in elements, addresses in its scratchpad.
struct GemmPlan {
  /// Each product's B stays in the scratchpad (of several products the next one is loaded meanwhile), and
  /// rows of A of full length come through the slots, so that everything moves once, in long runs. Else
  /// blocks of C stay, and slices of A and B along k come through the slots, each as often as there are
  /// blocks along the other side.
  bool resident = false;
  /// Arrays hold A and take B by columns, for they are wider than B: what they give is turned around.
  bool swapped = false;
  /// Each cluster loads a part of a slot's rows of A and stores it in the slots of all, through a multicast
  /// window of the network. Otherwise each loads all of A that it needs.
  bool shared = false;
  std::uint32_t rows = 0, columns = 0, slice = 0;  ///< of a block of C; along k
  std::uint32_t slots = 0, sums = 0, outs = 0;     ///< buffers
  std::uint32_t slot_bytes = 0, b_bytes = 0;       ///< of a buffer; b: where it is resident
  std::uint32_t sum_at = 0, out_at = 0, b_at = 0, slot_at = 0, end = 0;
};

/// Loads, products, conversions and stores overlap. Each cluster's B lies behind ports of its own
/// (placement.hpp). C is written in the format of A and B, as int32 for i8, and as bfloat16 for 8-bit floats.
///
/// Each of several devices has its columns of B and C, and all of A; or of several products its own. Nothing
/// is exchanged, unless C is gathered: then each block of it is written to all devices by an ALL_GATHER, in
/// its place, and a device has ended when it has all of C.
class Gemm : public SingleOperator {
 public:
  /// `gathers`: every device gets all of C. Throws CompileError when the chip lacks the format, the memory or
  /// the scratchpad, or has more devices than there are 16 columns, or products, for.
  Gemm(const GemmShape& shape, const chip::Chip& chip, chip::Format format, bool gathers = false);

  Program program(bool data, std::uint32_t device = 0) const override;
  /// Of each element of C that the device has: right is one binary32 fused multiply-add after the other over
  /// ascending k, or wrapping int32, to the bit.
  Verdict verify(std::span<const std::uint8_t> result, std::uint32_t device = 0) const override;
  const GemmPlan& plan() const { return plan_; }

 private:
  struct Block;
  class Emitter;
  class SharedEmitter;
  // A cluster is counted among those of all devices: `device * clusters_ + its own number`.
  std::vector<unsigned char> stream(std::uint32_t cluster) const;
  Range columns(std::uint32_t cluster) const;  ///< of each of its products
  Range products(std::uint32_t cluster) const;
  Range columns_of(std::uint32_t device) const;  ///< that its clusters make
  Range products_of(std::uint32_t device) const;
  /// What lies in the device's memory: its own or, gathered, all.
  Range columns_in(std::uint32_t device) const;
  Range products_in(std::uint32_t device) const;
  /// Clusters that have something to do.
  std::uint32_t contributors() const;
  const Lane& lane(std::uint32_t cluster) const { return lanes_[cluster % clusters_]; }
  float a(std::uint64_t m, std::uint64_t k) const;
  float b(std::uint64_t k, std::uint64_t n) const;
  bool converts() const { return out_type_ != sum_type_ || plan_.swapped; }
  GemmPlan plan_blocks(const chip::Clusters& chip) const;
  std::optional<GemmPlan> plan_resident(const chip::Clusters& chip) const;
  /// What arrays, memory and a cluster's link take at least, the longest of it, in seconds.
  double shortest(const chip::Chip& chip, bool shared) const;
  bool gains_by_sharing(const chip::Chip& chip) const;
  void fill_a(std::uint32_t device, std::vector<unsigned char>& bytes) const;
  void fill_b(std::uint32_t cluster, std::vector<unsigned char>& bytes) const;
  /// What a block of B takes in a scratchpad, where the parts of its lane follow one another.
  std::uint64_t b_room(std::uint64_t k, std::uint64_t n) const;
  /// In a cluster's lane, from its beginning to a block; products are counted from its first one.
  std::uint64_t b_offset(std::uint32_t cluster, std::uint64_t product, std::uint64_t n,
                         std::uint64_t k) const;

  GemmShape shape_;
  Numerics numerics_;
  bool integer_;
  std::uint64_t element_, out_bytes_;
  unsigned out_type_, sum_type_;
  bool gathers_;
  std::uint32_t clusters_;               ///< of a device
  std::uint32_t columns_;                ///< of a torus of devices
  std::uint64_t widest_ = 0, most_ = 0;  ///< columns of a cluster, products of one
  std::optional<Everyone> everyone_;
  GemmPlan plan_;
  std::uint64_t a_, b_, b_bytes_ = 0;  ///< b: of all lanes
  /// By cluster of a device. Blocks in the order of use, [product][columns][slice], each [k][n], or swapped
  /// [n][k].
  std::vector<Lane> lanes_;
};

}  // namespace forerun::models
