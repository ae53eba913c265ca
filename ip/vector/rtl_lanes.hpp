// SPDX-License-Identifier: Apache-2.0
/// VECTOR commands on an engine of RTL.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ip/base/units.hpp"
#include "ip/vector/engine_pins.hpp"
#include "ip/vector/lanes.hpp"
#include "ip/vector/operand_beats.hpp"

namespace forerun::ip {

/// Executes the commands that the engine has operations and types for; not QUANTIZE by groups of columns or
/// to another type than I8, rows longer than the engine holds in operations of several passes, and commands
/// whose results lie where operands of later rows are read. Those are left to the model, with the reason in
/// the statistics.
///
/// All cycles of a command are evaluated in one call, since nothing outside touches the engine meanwhile.
/// While it is idle its clock stands still.
class RtlLanes : public VectorLanes {
 public:
  RtlLanes(std::unique_ptr<RtlEngine> engine, Frequency clock);

  std::optional<std::uint64_t> begin(const fr_vector& command, std::span<const unsigned char> memory,
                                     std::int64_t start_ps) override;
  void end(std::span<unsigned char> memory) override;

  /// For lockstep: the same with operands that were read before. Returns cycles.
  std::uint64_t run(const fr_vector& command, OperandBeats beats, std::int64_t start_ps);
  /// Why the engine does not execute the command; empty if it does.
  std::string why_not(const fr_vector& command) const;
  const OperandBeats& beats() const { return beats_; }
  const std::vector<std::uint32_t>& results() const { return results_; }  ///< beats of lanes
  const std::vector<std::uint32_t>& scales() const { return scales_; }    ///< of QUANTIZE, one a row
  const std::vector<std::uint64_t>& result_cycles() const { return result_cycles_; }
  std::uint64_t cycle() const { return cycle_; }  ///< of the command so far
  const VectorPins& pins() const { return engine_->pins; }
  /// Waves are dumped in these cycles of each command only.
  void dump_between(std::uint64_t first, std::uint64_t last) { dump_first_ = first, dump_last_ = last; }
  std::string describe() const;  ///< "RMSNORM 4x64, F16 to F16, on 16 lanes"

  /// For tests: streams that hold back in a cycle, bit 0 to 2 the operands, bit 3 the results; empty: none.
  std::function<unsigned()> stalls;

 private:
  void reset();
  void offer_command();
  void offer_operands(unsigned held);
  void settle();
  void edge();
  void take_result();
  void dump(std::int64_t after_the_cycles_start);
  [[noreturn]] void stuck(const std::string& what) const;

  std::unique_ptr<RtlEngine> engine_;
  std::int64_t period_ps_;
  fr_vector command_{};
  OperandBeats beats_;
  std::uint64_t next_[3] = {};  ///< beat of each operand
  bool offered_[3] = {};
  bool clean_ = false;  ///< no command under way
  std::int64_t start_ps_ = 0;
  std::uint64_t cycle_ = 0;
  std::vector<std::uint32_t> results_, scales_;
  std::vector<std::uint64_t> result_cycles_;
  std::uint64_t dump_first_ = 0, dump_last_ = ~std::uint64_t{0};
};

}  // namespace forerun::ip
