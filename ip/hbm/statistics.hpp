// SPDX-License-Identifier: Apache-2.0
/// What a channel did, and what kept its data buses from doing more.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace forerun::ip::hbm {

/// What the data bus of a pseudo-channel did or waited for. Time is counted where the column commands are: a
/// burst holds the bus for nBL from its command on (`data`), and the gap before a command is explained by the
/// burst that ends it:
///  - until it was offered to the controller: `front_end` while other bursts waited in front of a full queue,
///  `idle` otherwise;
///    until the scheduler saw it: `front_end`;
///  - `power`: the channel was leaving power-down or self-refresh;
///  - `refresh`: a refresh held up its bank, its pseudo-channel or (refresh_order together) its channel;
///  - what is left goes to what the burst waited for because others had it, the newest wait first, each for
///  at most its length:
///    `order`: it could go, but the column-command bus was taken, or the scheduler served older bursts or a
///    batch of the other kind; `ccd`: tCCD after a command of the same kind; `turnaround`: after one of the
///    other kind; `row_bus`: its ACT or PRE was allowed, but other row commands went first; `activation`:
///    tRRD and tFAW held back its ACT;
///  - the rest is its `bank`: tRCD, tRP, tRC, tRAS, tRTP, tWR.
/// So a stream of conflicts that is bound by row commands shows `row_bus`, though each burst spends most of
/// its time in tRP and tRCD. The sum of all is the time that passed.
enum class Limit : unsigned char {
  data,
  row_bus,
  activation,
  ccd,
  turnaround,
  bank,
  refresh,
  front_end,
  order,
  power,
  idle
};
inline constexpr unsigned limits = 11;
inline constexpr std::array<std::string_view, limits> limit_names = {
    "data",    "row_bus",   "activation", "ccd",   "turnaround", "bank",
    "refresh", "front_end", "order",      "power", "idle"};

/// Of one channel; times in cycles of the command clock, summed over its pseudo-channels (queue_cycles: of
/// the channel).
struct ChannelStatistics {
  std::uint64_t reads = 0, writes = 0;                ///< bursts
  std::uint64_t hits = 0, misses = 0, conflicts = 0;  ///< bursts: row open; bank closed; another row open
  std::uint64_t activates = 0, precharges = 0;        ///< commands
  std::uint64_t refreshes = 0, bank_refreshes = 0, managements = 0;
  std::uint64_t check_bursts = 0;  ///< of reads and writes: in-line ECC
  std::uint64_t data_cycles = 0;
  std::uint64_t power_downs = 0, self_refreshes = 0;
  double power_down_cycles = 0, self_refresh_cycles = 0;  ///< of the channel
  double queue_cycles = 0;  ///< integral of the bursts that the scheduler saw, burst cycles
  std::array<double, limits>
      limit_cycles{};  ///< what the data buses did; their sum is cycles * pseudo-channels
  double cycles = 0;   ///< since the start or the last clear
  double joules = 0;   ///< of all commands and the background
};

/// The same over time, one bin a piece of time; cycles as above.
struct SeriesBin {
  std::uint32_t reads = 0, writes = 0, hits = 0, misses = 0, conflicts = 0, refreshes = 0;
  double queue_cycles = 0;
  std::array<double, limits> limit_cycles{};
};

}  // namespace forerun::ip::hbm
