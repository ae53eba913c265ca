// SPDX-License-Identifier: Apache-2.0
/// The sum of a vector over all devices as a program: an all-reduce.
#pragma once

#include <cstdint>
#include <vector>

#include "models/compiler/single_operator.hpp"

namespace forerun::models {

/// Each cluster takes a run of the vector and, chunk by chunk, works with the cluster of the same number of
/// the other devices: a REDUCE_SCATTER gives each device the sum of its piece of the chunk, an ALL_GATHER
/// brings these together. A chunk is sent while the pieces of the one before are added up and those before
/// that gathered; loads and stores overlap with both. Pieces meet in the scratchpads.
class AllReduce : public SingleOperator {
 public:
  /// Of so many bytes of binary32, a multiple of 4 and not 0, in each device. Throws CompileError for a chip
  /// with one device, a scratchpad that is too small, or too little memory.
  AllReduce(std::uint64_t bytes, const chip::Chip& chip);

  Program program(bool data, std::uint32_t device = 0) const override;
  /// Against the sum in the order of the devices, to the bit.
  Verdict verify(std::span<const std::uint8_t> result, std::uint32_t device = 0) const override;

 private:
  class Emitter;
  Range run(std::uint32_t cluster) const;  ///< bytes
  static float element(std::uint32_t device, std::uint64_t index);

  std::uint32_t columns_;  ///< of a torus of devices
  std::uint64_t granule_, padded_;
  std::uint32_t clusters_ = 0, chunk_ = 0;  ///< chunk: bytes
  std::uint32_t source_at_ = 0, reduced_at_ = 0, scattered_at_ = 0, gathered_at_ = 0, result_at_ = 0,
                scratch_end_ = 0;
  std::uint64_t input_ = 0;
};

}  // namespace forerun::models
