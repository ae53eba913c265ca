// SPDX-License-Identifier: Apache-2.0
/// The chip's counters at moments, and what they did between two of them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "platform/soc/soc.hpp"

namespace forerun::sim {

/// All of Soc::statistics(), in their order, at one moment.
struct Snapshot {
  std::int64_t picoseconds = 0;
  std::vector<std::uint64_t> values;
};
Snapshot take_snapshot(const soc::Soc& soc);

/// Between two snapshots of the same chip.
class Window {
 public:
  Window(const soc::Soc& soc, const Snapshot& from, const Snapshot& to) : soc_(soc), from_(from), to_(to) {}
  std::int64_t picoseconds() const { return to_.picoseconds - from_.picoseconds; }
  double seconds() const { return static_cast<double>(picoseconds()) * 1e-12; }
  /// Sum over the statistics whose name is `prefix` NUMBER `suffix`, or `prefix` `suffix`: sum("cluster",
  /// ".tensor.macs").
  std::uint64_t sum(std::string_view prefix, std::string_view suffix) const;
  /// One statistic by its whole name; 0 if there is none.
  std::uint64_t value(std::string_view name) const;

 private:
  const soc::Soc& soc_;
  const Snapshot &from_, &to_;
};

}  // namespace forerun::sim
