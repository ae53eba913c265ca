// SPDX-License-Identifier: Apache-2.0
/// Lanes that stand in for VectorUnit's own closed form and vector_operation(): RTL, or RTL beside the
/// models.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>

#include "firmware/abi/command.h"
#include "ip/base/block_use.hpp"

namespace forerun::ip {

/// The lanes do not behave as an engine must.
class LaneError : public std::runtime_error {
 public:
  using runtime_error::runtime_error;
};

/// One command after another: begin(), then end() when its time is over.
class VectorLanes {
 public:
  VectorLanes() = default;
  VectorLanes(const VectorLanes&) = delete;
  VectorLanes& operator=(const VectorLanes&) = delete;
  virtual ~VectorLanes() = default;

  /// Reads the operands and carries out the command, which check_vector() accepts and which has elements.
  /// Returns how many cycles it takes when operands and results never wait, or nothing if the command is left
  /// to VectorUnit. `start_ps`: simulated time, for waves and messages. A command begun and not ended before
  /// was abandoned. Throws LaneError.
  virtual std::optional<std::uint64_t> begin(const fr_vector& command, std::span<const unsigned char> memory,
                                             std::int64_t start_ps) = 0;
  /// Writes the results.
  virtual void end(std::span<unsigned char> memory) = 0;

  const RtlStatistics& statistics() const { return statistics_; }

 protected:
  RtlStatistics statistics_;
};

}  // namespace forerun::ip
