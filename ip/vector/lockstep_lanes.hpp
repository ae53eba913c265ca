// SPDX-License-Identifier: Apache-2.0
/// A vector engine of RTL beside the models, on the same commands: where do they differ first?
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "ip/vector/rtl_lanes.hpp"
#include "ip/vector/vector_timing.hpp"

namespace forerun::ip {

/// Every command that the RTL executes runs on the models too: vector_operation() for the bits of each
/// element, and vector_result_cycles() for the cycle of each beat of results, not for an engine with a timing
/// of its own. The chip goes on with the models' results, in the time of the RTL. After the first difference
/// RTL is left alone.
class LockstepLanes : public VectorLanes {
 public:
  /// Makes an engine that writes a wave to `file`; throws std::runtime_error if there can be none.
  using WavingMaker = std::function<std::unique_ptr<RtlEngine>(const std::string& file)>;

  /// @param wave_file without the ending of the format
  LockstepLanes(std::unique_ptr<RtlEngine> engine, const VectorShape& shape, Frequency clock,
                WavingMaker waving, std::string wave_file);

  /// Called once; must not throw.
  std::function<void(const LockstepDifference&)> on_difference;
  const std::optional<LockstepDifference>& difference() const { return difference_; }

  std::optional<std::uint64_t> begin(const fr_vector& command, std::span<const unsigned char> memory,
                                     std::int64_t start_ps) override;
  void end(std::span<unsigned char> memory) override;

 private:
  /// Cycles around a difference that a wave shows, on each side.
  static constexpr std::uint64_t window = 50;
  void compare(std::span<const unsigned char> memory);
  void report(std::uint64_t cycle, std::string what);
  /// The command again with waves; what there is to see of them.
  std::string replay(std::uint64_t cycle);

  VectorShape shape_;
  Frequency clock_;
  RtlLanes rtl_;
  WavingMaker waving_;
  std::string wave_file_;
  fr_vector command_{};
  std::int64_t start_ps_ = 0;
  std::optional<LockstepDifference> difference_;
};

}  // namespace forerun::ip
