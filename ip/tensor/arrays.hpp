// SPDX-License-Identifier: Apache-2.0
/// Arrays that stand in for TensorCore's own closed form and matmul(): RTL, or RTL beside the models.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

#include "firmware/abi/command.h"
#include "ip/base/block_use.hpp"

namespace forerun::ip {

/// The arrays do not behave as an array must.
class ArrayError : public std::runtime_error {
 public:
  using runtime_error::runtime_error;
};

/// One command after another: begin(), then wave() and wait() in turn for each wave, then end(). The waves
/// are those of TensorCore: over k first, then over groups of n-tiles side by side.
class TensorArrays {
 public:
  TensorArrays() = default;
  TensorArrays(const TensorArrays&) = delete;
  TensorArrays& operator=(const TensorArrays&) = delete;
  virtual ~TensorArrays() = default;

  /// Whether the arrays execute the command; if not, TensorCore does it itself. `start_ps`: simulated time,
  /// for waves and messages. A command begun and not ended before was abandoned.
  virtual bool begin(const fr_matmul& command, std::span<unsigned char> memory, std::int64_t start_ps) = 0;
  /// Streams a wave. Returns cycles: from its first activations (of the first wave: from the first weights)
  /// until those of the next can be taken, or up to and with the last result. Throws ArrayError.
  virtual std::uint64_t wave() = 0;
  /// So many cycles pass before the next wave's activations are offered or, after the last wave, its last
  /// result is taken. Throws ArrayError.
  virtual void wait(std::uint64_t cycles) = 0;
  /// The results are in memory. Throws ArrayError.
  virtual void end() = 0;

  const RtlStatistics& statistics() const { return statistics_; }

 protected:
  RtlStatistics statistics_;
};

}  // namespace forerun::ip
