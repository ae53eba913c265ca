// SPDX-License-Identifier: Apache-2.0
#include "ip/vector/lockstep_lanes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "ip/base/numbers.hpp"
#include "ip/vector/operations.hpp"

namespace forerun::ip {

LockstepLanes::LockstepLanes(std::unique_ptr<RtlEngine> engine, const VectorShape& shape, Frequency clock,
                             WavingMaker waving, std::string wave_file)
    : shape_(shape),
      clock_(clock),
      rtl_(std::move(engine), clock),
      waving_(std::move(waving)),
      wave_file_(std::move(wave_file)) {}

std::optional<std::uint64_t> LockstepLanes::begin(const fr_vector& command,
                                                  std::span<const unsigned char> memory,
                                                  std::int64_t start_ps) {
  if (difference_) return std::nullopt;
  command_ = command;
  start_ps_ = start_ps;
  std::optional<std::uint64_t> cycles;
  try {
    cycles = rtl_.begin(command, memory, start_ps);
  } catch (const LaneError& error) {
    report(rtl_.cycle(), error.what());
  }
  statistics_ = rtl_.statistics();
  return cycles;
}

void LockstepLanes::end(std::span<unsigned char> memory) {
  vector_operation(command_, memory);
  if (!difference_) compare(memory);
}

void LockstepLanes::compare(std::span<const unsigned char> memory) {
  const auto lanes = rtl_.beats().lanes;
  const bool reduces = vector_reduces(command_.op);
  const auto columns = reduces ? 1 : command_.cols;
  const auto row_beats = (columns + lanes - 1) / lanes;
  std::vector<std::uint64_t> times;
  if (!rtl_.pins().own_timing) times = vector_result_cycles(shape_, vector_cost(command_), reduces);
  for (std::uint64_t beat = 0; beat < rtl_.beats().results; ++beat) {
    const auto row = static_cast<std::uint32_t>(beat / row_beats);
    const auto first = static_cast<std::uint32_t>(beat % row_beats) * lanes;
    const auto cycle = rtl_.result_cycles()[beat];
    if (!times.empty() && cycle != times[beat])
      return report(
          std::min(cycle, times[beat]),
          fmt::format("d[{}][{}] is there in cycle {}, by the model in {}", row, first, cycle, times[beat]));
    for (auto column = first; column < std::min(columns, first + lanes); ++column) {
      const auto model = result_bits(command_, memory, row, column);
      const auto rtl = rtl_.results()[beat * lanes + column - first];
      if (rtl != model)
        return report(cycle, fmt::format("d[{}][{}] is {:0{}x}, by the model {:0{}x}", row, column, rtl,
                                         element_bytes(command_.d_type) * 2, model,
                                         element_bytes(command_.d_type) * 2));
    }
    if (command_.op != FR_VECTOR_QUANTIZE || first != 0) continue;
    auto scales = command_;
    scales.d = command_.c, scales.d_stride = command_.c_stride, scales.d_type = command_.c_type;
    if (const auto model = result_bits(scales, memory, row, 0); rtl_.scales()[row] != model)
      return report(cycle, fmt::format("the scale of row {} is {:x}, by the model {:x}", row,
                                       rtl_.scales()[row], model));
  }
}

void LockstepLanes::report(std::uint64_t cycle, std::string what) {
  difference_ = LockstepDifference{
      rtl_.describe(), command_.header.tag,
      cycle,           start_ps_ + static_cast<std::int64_t>(cycle) * period(clock_).picoseconds,
      std::move(what), replay(cycle)};
  if (on_difference) on_difference(*difference_);
}

std::string LockstepLanes::replay(std::uint64_t cycle) {
  const auto first = cycle > window ? cycle - window : 0;
  try {
    RtlLanes again(waving_(wave_file_ + ".fst"), clock_);
    again.dump_between(first, cycle + window);
    try {
      again.run(command_, rtl_.beats(), start_ps_);
    } catch (const LaneError&) {
      // where it failed before
    }
    return fmt::format("cycles {} to {} in {}.fst", first, cycle + window, wave_file_);
  } catch (const std::runtime_error& error) {
    return fmt::format("none: {}", error.what());
  }
}

}  // namespace forerun::ip
