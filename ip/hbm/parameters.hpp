// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "ip/base/time.hpp"

namespace forerun::ip::hbm {

/// Where the bits of an address go, from the lowest up.
enum class Field { burst, column, channel, pseudo_channel, bank_group, bank, row };

/// Timing of a pseudo-channel in cycles of the command clock, with JEDEC's names (JESD235/JESD238 for HBM).
struct Timings {
  unsigned RL = 20, WL = 10, nBL = 2;
  unsigned tRCDRD = 31, tRCDWR = 15, tRP = 26, tRAS = 45, tWR = 33, tRTP = 9;
  unsigned tCCDS = 2, tCCDL = 4, tRRDS = 4, tRRDL = 5, tWTRS = 7, tWTRL = 10, tRTW = 20, tFAW = 24;
  unsigned tRFC = 560, tREFI = 6240;
  unsigned act_cycles = 2;  ///< cycles that ACT occupies the row-command bus
};

enum class Scheduler { fr_fcfs, fcfs };
enum class PagePolicy { open, closed };

struct Parameters {
  Timing timing = Timing::approximate;
  Frequency clock{1.6e9};          ///< command clock
  unsigned channels = 16;          ///< of this stack
  unsigned pseudo_channels = 2;    ///< of a channel
  unsigned bank_groups = 4;
  unsigned banks_per_group = 4;
  unsigned rows = 32768;           ///< of a bank
  Bytes row_bytes{1024};           ///< of a row in one pseudo-channel
  Bytes burst_bytes{32};
  std::vector<Field> address_map = {Field::burst, Field::column, Field::channel, Field::pseudo_channel,
                                    Field::bank_group, Field::bank, Field::row};
  /// Low column bits kept below the channel bits: the piece of consecutive addresses that one pseudo-channel holds.
  Bytes interleave{256};
  unsigned stacks = 1, stack = 0;  ///< consecutive interleave pieces go round the stacks; this one is number `stack`
  Scheduler scheduler = Scheduler::fr_fcfs;
  PagePolicy page_policy = PagePolicy::open;
  bool refresh = true;             ///< all-bank refresh every tREFI
  unsigned queue_depth = 32;       ///< bursts that a pseudo-channel's scheduler sees
  unsigned front_end = 1;          ///< cycles from acceptance to the scheduler
  unsigned ports = 8;              ///< target sockets
  Timings timings;

  std::uint64_t capacity() const {
    return std::uint64_t{channels} * pseudo_channels * bank_groups * banks_per_group * rows * row_bytes.count;
  }
  /// Peak bytes a second of the stack.
  double peak_bandwidth() const {
    return static_cast<double>(burst_bytes.count) / timings.nBL * clock.hertz * channels * pseudo_channels;
  }
};

}  // namespace forerun::ip::hbm
