// SPDX-License-Identifier: Apache-2.0
/// The chip's counters at moments, and what they did between two of them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "platform/soc/soc.hpp"

namespace forerun::sim {

/// Everything that is counted on the chip, at one moment.
struct Snapshot {
  std::int64_t picoseconds = 0;
  std::vector<std::uint64_t> values;  ///< all of Soc::statistics(), in their order
  std::vector<std::uint64_t>
      links;  ///< of Soc::noc.links(), in their order: flits, busy and blocked picoseconds of each
  std::vector<std::uint64_t> tags;  ///< busy picoseconds: [cluster][engine but the command processor][tag]
};
/// `tags`: how many tags the program has.
Snapshot take_snapshot(soc::Soc& soc, std::size_t tags);
/// Adds `factor` times what happened between two snapshots of the same chip; an empty one is zero.
void add_difference(Snapshot& to, const Snapshot& from, const Snapshot& until, double factor);

/// Between two snapshots of the same chip.
class Window {
 public:
  Window(const soc::Soc& soc, const Snapshot& from, const Snapshot& to) : soc_(soc), from_(from), to_(to) {}
  std::int64_t picoseconds() const { return to_.picoseconds - from_.picoseconds; }
  double seconds() const { return static_cast<double>(picoseconds()) * 1e-12; }
  /// Sum over the statistics whose name is `prefix` NUMBER `suffix`, or `prefix` `suffix`: sum("cluster",
  /// ".tensor.macs").
  std::uint64_t sum(std::string_view prefix, std::string_view suffix) const;
  /// Of all memory: what its models count or, where it is RTL, its ports. `suffix`: ".bytes_read" or
  /// ".bytes_written".
  std::uint64_t memory(std::string_view suffix) const;
  /// Of link `link` of Soc::noc.links(): 0 flits, 1 busy and 2 blocked picoseconds.
  std::uint64_t link(std::size_t link, std::size_t what) const {
    return to_.links[3 * link + what] - from_.links[3 * link + what];
  }
  /// Busy picoseconds of an engine (FR_ENGINE_*) of a cluster with commands of a tag, of `tags` tags.
  std::uint64_t tag_time(std::size_t cluster, std::size_t engine, std::size_t tag, std::size_t tags) const {
    const auto i = (cluster * (FR_ENGINE_COUNT - 1) + engine - 1) * tags + tag;
    return to_.tags[i] - from_.tags[i];
  }
  /// One statistic by its whole name; 0 if there is none.
  std::uint64_t value(std::string_view name) const;

 private:
  const soc::Soc& soc_;
  const Snapshot &from_, &to_;
};

}  // namespace forerun::sim
