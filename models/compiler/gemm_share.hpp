// SPDX-License-Identifier: Apache-2.0
/// The commands of a cluster for a matrix product whose rows of A are loaded by one cluster each. Private to
/// gemm_share.cpp and gemm_stream.cpp.
#pragma once

#include <vector>

#include "models/compiler/gemm_emitter.hpp"

namespace forerun::models {

/// All clusters take the same steps, each with what a slot holds of A. A cluster loads its part of the rows
/// into the slot, stores them from there into the slots of all, and posts that. When all parts are there the
/// slot is multiplied; then each posts that the others may fill its slot again. These posts have semaphores
/// of the slot: those of a cluster that is ahead never stand for those of one that is behind.
class Gemm::SharedEmitter final : public Gemm::Emitter {
 public:
  using Emitter::Emitter;
  static constexpr std::uint32_t most_slots = 16;

 private:
  struct Step {
    Block block;
    std::uint64_t k, depth;
  };
  enum OfSharing : std::uint8_t {
    part_loaded = others,
    multiplied,
    first_filled,
    first_emptied = first_filled + most_slots
  };

  void make_products() override;
  void fill(std::uint64_t step);
  void multiply(std::uint64_t step);
  /// To all clusters, this one among them.
  void post(std::uint8_t semaphore, const Sync& sync);
  bool last(const Step& step) const { return step.k + step.depth == shape_.k; }
  std::uint8_t filled(std::uint64_t step) const { return u8(first_filled + step % plan_.slots); }
  std::uint8_t emptied(std::uint64_t step) const { return u8(first_emptied + step % plan_.slots); }

  std::vector<Step> steps_;
};

}  // namespace forerun::models
