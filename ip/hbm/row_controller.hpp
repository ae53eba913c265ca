// SPDX-License-Identifier: Apache-2.0
/// A channel whose bursts go together: those of a request that lie in the same rows of a pseudo-channel are
/// one *part*, which is served in one go. That takes less than a microsecond of host time for 4 KiB, where
/// Controller needs several.
///
/// Kept: banks with open rows, tRCD, tRP, tRAS, tRC, tRTP, tWR, tRRD, tFAW, tCCD within a part, the
/// turnaround between reads and writes, the row-command bus, all-bank refresh, the depth of the queues with
/// back-pressure, writes in batches, and that rows are opened for bursts that wait while others are served.
/// Left out: that pseudo-channels, or rows and columns (`separate_buses` false), share a bus for column
/// commands; bursts of one part between those of another, so that no row is closed while a part wants it;
/// tCCD_L and tWTR_L from one part to the next; `keep_open`, `row_order` and `opened_leaves_queue`.
/// docs/memory-system.md compares the two models.
///
/// A pseudo-channel serves, as soon as its data bus is free, the oldest of the parts in the queue whose rows
/// are open by then, else the one whose rows are open first. Rows are opened in the order of age, each as
/// soon as the burst is in the queue and no older part uses the bank. A part is cut where a refresh falls
/// due.
///
/// It asks for the open page policy, refresh of all banks or none, and no refresh management, power-down,
/// starvation bound or in-line ECC; the scheduler is FR-FCFS.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "ip/hbm/channel.hpp"
#include "ip/hbm/ring.hpp"
#include "ip/hbm/slot_bus.hpp"

namespace forerun::ip::hbm {

class RowController final : public Channel {
 public:
  /// Throws std::invalid_argument for what it does not model.
  explicit RowController(const Parameters& parameters);

  void offer(const Burst& burst, Tick offered) override;
  void offer(const BurstBlock& block, Tick offered) override;
  /// All places in the same rows (AddressMap::Place::row() is 0).
  void set_block(std::vector<AddressMap::Place> places) override;
  bool has_room(unsigned bursts, bool write) const override;
  void advance(Tick limit) override;
  bool report_last(std::uint32_t owner) override;
  Tick next_report() const override;
  Tick soonest_entry(unsigned bursts, bool write) const override;
  bool idle() const override { return left_ == 0; }
  bool blocked() const override { return !waiting_.empty() || !entering_.empty(); }
  ChannelStatistics statistics(Tick now) override;
  void clear_statistics(Tick now) override;
  void record(Tick ticks) override;

 private:
  /// Bursts of one owner in a block, or one burst outside (its place is then `high`).
  struct Piece {
    AddressMap::Place high;
    std::uint32_t owner;
    std::uint16_t first, end;
    bool write, report;
    Tick offered;
    unsigned bursts() const { return static_cast<unsigned>(end - first); }
  };
  /// A piece whose last burst has not entered yet, as far as is known.
  struct Entering {
    std::uint32_t owner;
    bool write, report;
    std::uint64_t entry;  ///< its last burst takes the queue entry of this number
    Tick offered, last;   ///< last: when, `never` while that is not known
  };
  /// Queue entries that become free: evenly from `start` to before `end`.
  struct Freed {
    Tick start, end;
    std::uint64_t count;
    std::uint64_t until(Tick t) const {
      if (t < start) return 0;
      if (t >= end) return count;
      return std::min(
          count, static_cast<std::uint64_t>(t - start) * count / static_cast<std::uint64_t>(end - start) + 1);
    }
  };
  /// The entries of a queue: numbers `taken` and less have been given away.
  struct Entries {
    std::uint64_t taken = 0, free = 0,
                  known = 0;  ///< free: up to here at all times; known: with what is in `freed`
    Ring<Freed> freed;
    std::uint64_t until(Tick t) const;
    /// When entry number `n`, which is known, becomes free, but not before `from`.
    Tick when(std::uint64_t n, Tick from) const;
  };
  struct Part {
    AddressMap::Place high;
    std::uint32_t owner;
    std::uint16_t next, end;  ///< places in the order of its pseudo-channel (Order)
    std::uint8_t order;
    bool write, prepared;
    std::uint64_t banks;  ///< of the pseudo-channel, by bits
    Tick offered, visible;
    Tick ready;  ///< prepared: when the first burst may go as far as its rows are concerned
    std::uint32_t misses, conflicts;
    std::uint32_t row() const { return high.row(); }
  };
  struct Lane {                        ///< a pseudo-channel
    std::vector<Part> parts;           ///< in the order of age
    Tick free = 0;                     ///< of the data bus
    std::array<Tick, 2> column{0, 0};  ///< the earliest read, write: turnaround
    Tick held = 0;                     ///< nothing begins before: refreshes
    bool last_write = false;
    Tick refresh_begin = -1, refresh_end = -1;
  };
  /// The bursts of a block that lie in one pseudo-channel.
  struct Order {
    std::vector<std::uint16_t> number;  ///< in the block
    std::vector<std::uint16_t> before;  ///< by number in the block, and its end: so many come before
    std::vector<Tick> time;             ///< of each column command, from the first
    std::vector<std::uint64_t> bank;    ///< by bits
    std::uint64_t banks = 0;            ///< all of them
  };

  void wait(const Piece& piece);
  void enter();
  void enter(const Piece& piece, Tick first);
  void tell_admissions(Tick limit);
  Entries& entries(bool write) { return entries_[shared_ ? 0 : write]; }
  const Entries& entries(bool write) const { return entries_[shared_ ? 0 : write]; }
  void update_mode();
  void refresh(Tick t);
  bool in_turn(const Part& part) const { return competing_ || part.write == writing_; }
  bool may_prepare(const Lane& lane, const Part& part) const;
  void prepare(Lane& lane, Part& part);
  void serve(Lane& lane);
  void served(Lane& lane, Part& part, Tick start, unsigned bursts);
  void explain(const Lane& lane, const Part& part, Tick start);
  void explain_until(Tick& from, Tick until, Limit limit);
  Tick decision(const Lane& lane) const;
  void find_next();
  unsigned bank_of(const Part& part, std::size_t place) const {
    return (part.high ^ block_[orders_[part.order].number[place]]).unit() & bank_mask_;
  }

  std::uint64_t banks_of(const Part& part) const;
  std::uint64_t bit_of(unsigned b) const { return std::uint64_t{1} << (b & ((1u << pseudo_shift_) - 1)); }

  bool shared_, competing_, together_;
  std::uint64_t write_high_, write_low_;
  unsigned bank_mask_, pseudo_shift_;
  std::vector<AddressMap::Place> block_{1};
  std::vector<Order> orders_;
  std::vector<Lane> lanes_;
  Ring<Piece> waiting_;
  Ring<Entering> entering_;
  std::array<Entries, 2> entries_;
  Tick last_entry_ = 0;
  std::array<std::uint64_t, 2> queued_{};  ///< by kind: bursts in the queue that are not being served
  std::uint64_t left_ = 0;                 ///< bursts not served
  bool writing_ = true;
  SlotBus row_bus_;
  std::vector<RefreshJob> jobs_;
  Tick queue_ticks_ = 0;
};

}  // namespace forerun::ip::hbm
