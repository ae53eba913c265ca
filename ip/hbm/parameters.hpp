// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "ip/base/time.hpp"

namespace forerun::ip::hbm {

/// Where a burst lives. `rank` is the stack ID of HBM3, the rank of DDR5.
enum class Field : unsigned char { channel, pseudo_channel, rank, bank_group, bank, row, column };
inline constexpr unsigned fields = 7;

/// Bit i of a field is the parity of (address & bits[field][i]): a plain bit field has one bit in each mask,
/// a hashed one several. Addresses are offsets within the stack. The masks of all fields together with the
/// offset in a burst must be a bijection.
struct AddressMasks {
  std::array<std::vector<std::uint64_t>, fields> bits;
};

/// Timing of a pseudo-channel (of a channel where there are none) in cycles of the command clock, JEDEC's
/// names (JESD235, JESD238, JESD250, JESD209-5, JESD79-5). 0: the standard has no such rule.
struct Timings {
  unsigned RL = 20, WL = 10, nBL = 2;
  unsigned tRCDRD = 31, tRCDWR = 15, tRP = 26, tRAS = 45, tRC = 72, tWR = 33, tRTP = 9;
  unsigned tCCDS = 2, tCCDL = 4, tCCDR = 3;  ///< other group, same group, other rank
  unsigned tRRDS = 4, tRRDL = 5, tFAW = 24, tPPD = 0;
  unsigned tWTRS = 7, tWTRL = 10,
           tRTW = 20;  ///< tWTR from the end of the write data; tRTW from READ to WRITE command
  unsigned tREFI = 6240, tRFC = 560;  ///< all-bank refresh
  unsigned tREFIpb = 195, tRFCpb = 320,
           tRREFD = 8;  ///< per-bank refresh: interval, duration, to the next REFpb or ACT elsewhere
  unsigned tRFM = 0, RAAIMT = 0, RAAMMT = 0;  ///< refresh management: duration; activations of a bank at
                                              ///< which it is due, at which it must be
  unsigned tXP = 0, tCKE = 0, tXS = 0;        ///< leave power-down; least stay; leave self-refresh
  unsigned act_cycles = 2;                    ///< ACT occupies the row-command bus; PRE, REF: 1
  /// HBM3, HBM4: row commands come in half cycles. ACT takes half a cycle less than act_cycles, PRE and REF
  /// half a cycle, and PRE may also start in the second half of a cycle.
  bool half_cycle_rows = false;
  unsigned column_cycles = 1;  ///< READ and WRITE occupy the column-command bus
};

/// What the model of a channel moves.
enum class Model : unsigned char {
  burst,  ///< bursts, each with its commands (controller.hpp)
  row     ///< the bursts of a request in the open rows of a pseudo-channel together (row_controller.hpp)
};

enum class Scheduler : unsigned char {
  fcfs,
  fr_fcfs,
  fr_fcfs_grouped
};  ///< grouped: reads and writes in batches
enum class Queues : unsigned char { shared, per_bank, read_write };
enum class PagePolicy : unsigned char { open, closed, adaptive };
enum class Refresh : unsigned char { none, all_bank, per_bank };
enum class Ecc : unsigned char {
  none,
  sideband,
  in_line
};  ///< in_line: check bytes live in the same DRAM and cost bursts

/// Which waiting hits keep a row open against a burst that wants another row of the bank.
enum class KeepOpen : unsigned char {
  none,   ///< only the burst that the row was opened for: whatever is ready goes (Ramulator's FRFCFS)
  older,  ///< hits that are older than the burst (Ramulator's FRFCFS-RowHit)
  all,    ///< any hit: each bank serves its hits before it looks at another row (DRAMSys' bank machines)
};
/// When the pseudo-channels (and stack IDs or ranks) of a channel refresh.
enum class RefreshOrder : unsigned char {
  together,  ///< all at the same time, one after the other; no other burst begins in the channel meanwhile
             ///< (Ramulator)
  spread,    ///< shares of tREFI apart; each holds up only itself (DRAMSys)
};
/// Which of several row commands goes first.
enum class RowOrder : unsigned char {
  oldest_ready,  ///< of those that could go now the one of the oldest burst (Ramulator)
  first_over,    ///< the one whose bus slot would end first, then the oldest: waits for an older PRE that is
               ///< due when an ACT that could go now would still hold the bus (DRAMSys' command multiplexer)
};

/// Energies in joules: of one command in one pseudo-channel, and background power in watts of one
/// pseudo-channel.
struct Energies {
  double activate = 0;         ///< ACT and its PRE
  double read = 0, write = 0;  ///< a burst, DRAM core and I/O
  double refresh = 0, refresh_bank = 0;
  double standby = 0, power_down = 0, self_refresh = 0;  ///< watts
};

struct Parameters {
  Model model = Model::burst;
  Timing timing = Timing::approximate;
  Frequency clock{1.6e9};  ///< command clock
  unsigned channels = 16;  ///< of this stack; a channel has its own controller, queues and command buses
  unsigned pseudo_channels =
      2;                     ///< of a channel: share its command buses, each has its own data bus and banks
  unsigned ranks = 1;        ///< stack IDs or ranks of a pseudo-channel: share its data bus
  unsigned bank_groups = 4;  ///< of a rank
  unsigned banks_per_group = 4;
  unsigned rows = 32768;  ///< of a bank
  Bytes row_bytes{1024};  ///< of a row in one pseudo-channel
  Bytes burst_bytes{32};
  AddressMasks address;
  Bytes interleave{256};  ///< pieces of so many bytes go round the stacks
  unsigned stacks = 1,
           stack = 0;  ///< consecutive interleave pieces go round the stacks; this one is number `stack`
  bool separate_buses =
      true;  ///< row and column command buses (HBM); false: one command bus (DDR5, LPDDR5, GDDR6)

  Scheduler scheduler = Scheduler::fr_fcfs;
  Queues queues = Queues::read_write;
  unsigned queue_depth = 64;  ///< bursts: of the one queue, of each bank's, or of each of the read and the
                              ///< write queue, of a channel
  /// Of the write queue (read_write): start and stop draining writes. High 0: reads and writes compete as
  /// one.
  unsigned write_high_percent = 80, write_low_percent = 20;
  unsigned starvation_cycles = 0;  ///< a burst older than this goes first; 0: no bound
  PagePolicy page_policy = PagePolicy::open;
  unsigned adaptive_idle_cycles =
      0;  ///< adaptive: a row with nothing waiting closes after so many idle cycles
  Refresh refresh = Refresh::all_bank;
  unsigned refresh_postpone = 0;  ///< refreshes that may be put off while bursts wait (JEDEC: up to 8)
  bool refresh_management = false;
  Ecc ecc = Ecc::none;
  unsigned ecc_data_bursts = 8;      ///< in_line: data bursts that one check burst covers
  unsigned power_down_cycles = 0;    ///< idle cycles before power-down; 0: never
  unsigned self_refresh_cycles = 0;  ///< idle cycles before self-refresh; 0: never
  unsigned front_end = 1;            ///< cycles from acceptance to the scheduler
  unsigned ports = 8;                ///< target sockets
  Timings timings;
  Energies energies;

  // Rules in which known controllers differ.
  KeepOpen keep_open = KeepOpen::none;
  RefreshOrder refresh_order = RefreshOrder::together;
  RowOrder row_order = RowOrder::oldest_ready;
  bool opened_leaves_queue =
      true;  ///< once its row was opened for it, a burst frees its queue entry and goes before others

  std::uint64_t capacity() const {
    return std::uint64_t{channels} * pseudo_channels * ranks * bank_groups * banks_per_group * rows *
           row_bytes.count;
  }
  /// Peak bytes a second of the stack.
  double peak_bandwidth() const {
    return static_cast<double>(burst_bytes.count) / timings.nBL * clock.hertz * channels * pseudo_channels;
  }
};

}  // namespace forerun::ip::hbm
