// SPDX-License-Identifier: Apache-2.0
/// Systolic arrays of RTL in the place of TensorCore's models.
#pragma once

#include <memory>
#include <vector>

#include "ip/tensor/arrays.hpp"
#include "ip/tensor/tensor_parameters.hpp"
#include "ip/tensor/tile_pins.hpp"

namespace forerun::ip {

/// One array; the model behind its pins lives as long.
struct RtlTile {
  virtual ~RtlTile() = default;
  TilePins pins;
};

/// Makes an array of a format (0 int8, 1 bfloat16, 2 binary16), or nothing when there is none of this format.
using TileMaker = std::function<std::unique_ptr<RtlTile>(unsigned format)>;

/// When each beat of a command was taken, in cycles from its start; results of arrays side by side once.
struct TileTrace {
  std::vector<std::uint64_t> weights, activations, results;
};

/// Runs MATMUL of int8 into int32, and of bfloat16 or binary16 into binary32 (rounded to the 16 bits of C
/// behind the arrays). Other commands are left to TensorCore: other and mixed formats, MATMUL_SCALED, k of 0,
/// and sums over several k-tiles of more rows than the accumulators hold.
///
/// All cycles of a wave are evaluated in one call, since nothing outside touches the arrays meanwhile. While
/// they are idle their clock stands still. READY of activations must not depend on their VALID, unless an
/// array has a timing of its own.
class RtlArrays : public TensorArrays {
 public:
  RtlArrays(const TensorParameters& parameters, TileMaker maker);

  bool begin(const fr_matmul& command, std::span<unsigned char> memory, std::int64_t start_ps) override;
  std::uint64_t wave() override;
  void wait(std::uint64_t cycles) override;
  void end() override;

  /// Whether the array that executes the command has cycles of its own, not those of tile_timing.hpp.
  bool own_timing() const { return tiles_->front()->pins.own_timing; }
  /// Cycles of the command so far.
  std::uint64_t cycle() const { return cycle_; }
  const TileTrace& trace() const { return trace_; }
  /// Rows of lanes of 32 bits: [m][n rounded up to whole arrays side by side].
  const std::vector<std::uint32_t>& results() const { return results_; }
  std::size_t result_stride() const { return result_stride_; }
  /// Waves are dumped in these cycles of each command only.
  void dump_between(std::uint64_t first, std::uint64_t last) { dump_first_ = first, dump_last_ = last; }
  std::string describe() const;  ///< "MATMUL int8 4x16x32 on 1 array of 8x8"

 private:
  struct Wave {
    std::uint64_t number = 0, k_tile = 0, group = 0;
    unsigned rows = 0;  ///< of weights; 0 behind the last wave
  };
  using Tiles = std::vector<std::unique_ptr<RtlTile>>;
  Tiles* tiles_of(unsigned format);
  std::string why_not(const fr_matmul& command);
  void reset(Tiles& tiles);
  void gather_weights();
  void offer_weights();
  void offer_activations(const Wave& wave, unsigned row_number, bool valid);
  void settle();
  void edge();
  bool take_results();
  bool step(bool activations_offered);
  void store();
  std::uint64_t waves() const { return k_tiles_ * groups_; }
  Wave wave_at(std::uint64_t number) const;
  void next_wave();
  void dump(std::int64_t after_the_cycles_start);
  [[noreturn]] void stuck(const char* what) const;

  TensorParameters parameters_;
  TileMaker maker_;
  Tiles by_format_[3];
  bool asked_[3] = {};

  fr_matmul command_{};
  std::span<unsigned char> memory_;
  Tiles* tiles_ = nullptr;
  bool clean_ = false;  ///< no command under way
  std::int64_t start_ps_ = 0, period_ps_;
  std::uint64_t k_tiles_ = 0, groups_ = 0, cycle_ = 0;
  Wave wave_, next_wave_, weight_wave_;
  std::uint64_t results_taken_ = 0, result_group_ = 0;
  unsigned weight_row_ = 0, row_ = 0, result_row_ = 0;
  bool weights_valid_ = false, results_ready_ = true, finished_ = false;
  std::vector<unsigned char> weights_;  ///< of weight_wave_: [row][array][lane]
  std::vector<std::uint32_t> results_;
  std::size_t result_stride_ = 0;
  TileTrace trace_;
  std::uint64_t dump_first_ = 0, dump_last_ = ~std::uint64_t{0};
};

}  // namespace forerun::ip
