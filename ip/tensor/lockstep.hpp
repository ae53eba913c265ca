// SPDX-License-Identifier: Apache-2.0
/// Arrays of RTL beside the models, on the same commands: where do they differ first?
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ip/tensor/rtl_arrays.hpp"

namespace forerun::ip {

/// Every command runs on RTL and on the models: matmul() for the bits (all 32 of each sum), schedule_tile()
/// for the cycle in which each beat of weights, activations and results is taken, with the same stalls; not
/// for arrays with a timing of their own. The chip goes on with the models' results, in the time of the RTL.
/// After the first difference RTL is left alone. For double-buffered arrays.
class LockstepArrays : public TensorArrays {
 public:
  /// Makes an array that writes a wave to `file`; throws std::runtime_error if there can be none.
  using WavingMaker = std::function<std::unique_ptr<RtlTile>(unsigned format, const std::string& file)>;

  /// @param wave_file of an array: this, the array's number and the ending of the format
  LockstepArrays(const TensorParameters& parameters, TileMaker maker, WavingMaker waving,
                 std::string wave_file);

  /// Called once; must not throw.
  std::function<void(const LockstepDifference&)> on_difference;
  const std::optional<LockstepDifference>& difference() const { return difference_; }

  bool begin(const fr_matmul& command, std::span<unsigned char> memory, std::int64_t start_ps) override;
  std::uint64_t wave() override;
  void wait(std::uint64_t cycles) override;
  void end() override;

 private:
  /// Cycles around a difference that a wave shows, on each side.
  static constexpr std::uint64_t window = 50;
  void copy_operands();
  /// In time, and in bits up to there.
  void compare();
  void compare_bits(std::uint64_t end);
  void report(std::uint64_t cycle, std::string what);
  std::string replay(std::uint64_t cycle);

  TensorParameters parameters_;
  RtlArrays rtl_;
  WavingMaker waving_;
  std::string wave_file_;
  std::optional<LockstepDifference> difference_;

  fr_matmul command_{}, copy_{};  ///< the copy's operands lie in `operands_`, its C is of 32 bits
  std::span<unsigned char> memory_;
  std::vector<unsigned char> operands_, rtl_memory_, model_memory_;
  std::int64_t start_ps_ = 0;
  std::vector<std::uint64_t> waits_;  ///< after each wave
};

}  // namespace forerun::ip
