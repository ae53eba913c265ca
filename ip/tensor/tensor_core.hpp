// SPDX-License-Identifier: Apache-2.0
/// The tensor engine: weight-stationary systolic arrays.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "ip/command/compute_engine.hpp"
#include "ip/tensor/arrays.hpp"
#include "ip/tensor/tensor_parameters.hpp"

namespace forerun::ip {

/// Executes MATMUL and MATMUL_SCALED in waves: one k-tile of R rows against up to `arrays` n-tiles of C
/// columns side by side.
///
/// With W waves of k extents r_i, and all M rows of A streaming through each, in cycles:
///   double-buffered:  r_1 + sum over i < W of max(M, r_(i+1), d_(i+1)) + M + R + C - 1
///   single-buffered:  sum over i of (r_i + M) + W (R + C - 1)
/// where R + C - 1 is the fill and drain of the skewed array, and d_i = R in a k-tile after the first, whose
/// sums come from the bottom of the columns (else 0). Where cells add up `dot` products at once, R and r_i
/// are a `dot`-th of that, rounded up; the bits stay those of one product after the other. This is the timing
/// of the SystemVerilog in ip/tensor/rtl (tile_timing.hpp: row by row, and with stalls), which knows int8,
/// bfloat16 and binary16; the arrays side by side run in step. A wave lasts at least as long as the
/// scratchpad takes to deliver its operands (its k-slice of A once, its tiles of B, and the scales of both)
/// and to take its results (C after the last k-tile; partial sums stay in the accumulators; C is read first
/// when accumulating). The bits are those of matmul(), computed when the command ends. Peak: 2 R C `arrays`
/// operations a cycle, whatever the number format: narrow elements save operand traffic, not cycles of the
/// array.
class TensorCore : public ComputeEngine {
 public:
  TensorCore(const sc_core::sc_module_name& name, const TensorParameters& parameters,
             std::uint64_t local_bytes);

  Counter macs{counters, "macs", "MAC", "multiply-accumulates"};
  Counter waves{counters, "waves", "wave", "weight tiles loaded, counting arrays side by side once"};
  Counter operand_time{counters, "operand_time", "ps", "time that waves were held up by the scratchpad"};

  /// Called when a MATMUL or MATMUL_SCALED has taken its time, with real data, before its results are in the
  /// scratchpad; `begin_ps`: when it started. For recorders.
  std::function<void(const Command& command, std::span<unsigned char> memory, std::int64_t begin_ps)>
      before_results;
  /// From now on `arrays` executes those commands that it takes. The engine's accounting, its operands'
  /// traffic and its waits stay as they are.
  void use(std::unique_ptr<TensorArrays> arrays) { arrays_ = std::move(arrays); }
  /// Null without.
  const TensorArrays* arrays() const { return arrays_.get(); }

  /// Floating-point or integer operations a second at peak (two per MAC).
  double peak_operations() const;
  /// The closed form above, in cycles.
  static std::uint64_t ideal_cycles(const TensorParameters& parameters, std::uint64_t m, std::uint64_t n,
                                    std::uint64_t k);

 private:
  void start(const Command& command) override;
  void step() override;
  /// Sets command_; says why it is refused.
  std::optional<LocalFault> decode(const Command& command);
  /// Bytes of the scales and zero points that the tile of `rows` k from `first_k` on needs.
  std::uint64_t scale_bytes(std::uint64_t first_k, std::uint64_t rows, std::uint64_t columns) const;
  void multiply();
  void read_operands();

  TensorParameters parameters_;
  fr_matmul_scaled command_{};  ///< a MATMUL without scales
  std::uint64_t wave_ = 0, wave_count_ = 0, k_tiles_ = 0;
  std::int64_t begin_ps_ = 0;
  std::unique_ptr<TensorArrays> arrays_;
  bool on_arrays_ = false;  ///< the command under way
  bool computed_ = false;   ///< its results are on their way to the store
};

}  // namespace forerun::ip
