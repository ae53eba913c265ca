// SPDX-License-Identifier: Apache-2.0
/// The controller of one channel: decides which command goes to the DRAM when. Plain C++ in ticks
/// (timing_state.hpp); it never ticks itself, but jumps from one moment at which a command may go to the
/// next.
///
/// Two pseudo-channels share the row-command bus, the column-command bus and the queues; each has a data bus,
/// banks, refresh. At each tick at most one column command and one row command are sent, the column command
/// first (one command at all where there is one bus). Which ones, is the scheduler's choice (parameters.hpp):
/// among those that the DRAM allows at this tick the one of the oldest burst, where hits of the open rows
/// want column commands and other bursts row commands. A burst offered at tick t enters its queue at t if
/// there is room, else as soon as a command has freed an entry, in the order of the offers; `front_end`
/// cycles later the scheduler sees it.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "ip/hbm/address_map.hpp"
#include "ip/hbm/age_order.hpp"
#include "ip/hbm/channel.hpp"
#include "ip/hbm/interlude.hpp"
#include "ip/hbm/refresh.hpp"
#include "ip/hbm/ring.hpp"
#include "ip/hbm/statistics.hpp"
#include "ip/hbm/timing_state.hpp"

namespace forerun::ip::hbm {

class Controller final : public Channel {
 public:
  /// Without `collapse` each burst goes its way alone. With it, runs and streams of hits are served in one go
  /// (run.cpp, stream.cpp), and what happens between them is not worked out again when it comes again
  /// (interlude.hpp; controllers that are copies of each other remember it together). Only the time that the
  /// simulation takes depends on it.
  explicit Controller(const Parameters& parameters, bool collapse = true);

  void offer(const Burst& burst, Tick offered) override;
  void offer(const BurstBlock& block, Tick offered) override;
  void set_block(std::vector<AddressMap::Place> places) override;
  bool has_room(unsigned bursts, bool write) const override;
  void advance(Tick limit) override;
  bool report_last(std::uint32_t owner) override;
  Tick next_report() const override;
  Tick soonest_entry(unsigned bursts, bool write) const override;
  bool idle() const override { return used_ == 0 && queued_ == 0 && waiting_.empty(); }
  bool blocked() const override { return !waiting_.empty(); }
  ChannelStatistics statistics(Tick now) override;
  void clear_statistics(Tick now) override;
  void record(Tick ticks) override;
  /// Bursts that were served as others had been before, without working it out again (interlude.hpp).
  std::uint64_t repeated() const { return repeated_; }

 private:
  using Index = std::int32_t;
  static constexpr Index none = -1;
  static constexpr std::size_t max_pseudo_channels = 8;
  enum class Need : unsigned char { nothing, activation, precharge };  ///< row commands it took so far
  struct Slot {  ///< a queue entry; its place in order_ is its number
    std::uint64_t age = 0;
    Tick offered = 0, visible = 0;
    std::uint32_t owner = 0, row = 0;
    Index previous = none, next = none;  ///< in its bank, of its kind
    std::uint16_t bank = 0;
    bool write = false, check = false, opened = false;
    Need need = Need::nothing;
  };
  struct Queue {  ///< the bursts of a bank of one kind
    Index head = none, tail = none;
    unsigned others = 0;  ///< of them, those that want another row than the open one
  };
  struct BankQueue {
    std::array<Queue, 2> kind;
    Index opened_for = none;  ///< the burst that the row was opened for, while it waits
    unsigned waiting = 0;     ///< bursts admitted and not served
    unsigned admitted = 0;    ///< those that count for the depth of its queue
    Tick idle_close = 0;
    unsigned activations = 0;  ///< since the last refresh (refresh management)
    // why its last row commands were sent when they were
    Tick precharge_allowed = 0, precharge_sent = 0, act_bank_allowed = 0, act_allowed = 0, act_sent = 0;
    Tick refresh_begin = -1, refresh_end = -1;
  };
  struct PseudoChannel {
    std::array<AgeSet, 2> hits, others;          ///< entries of that kind that want the open row, another row
    unsigned hit_count = 0, other_count = 0;     ///< of both kinds
    std::array<std::uint64_t, 2> other_banks{};  ///< banks in which there are others of that kind
    std::uint64_t open = 0;                      ///< banks: a row is open
    std::uint64_t opened = 0;                    ///< a burst opened it, has left its queue and waits
    std::uint64_t held = 0;                      ///< a refresh holds it
    std::uint64_t closing = 0;                   ///< closes when it has been idle long enough
    Tick hit_next = 0, opened_next = 0;          ///< no command for them goes before
    Tick other_next = 0;
    unsigned waiting = 0;  ///< bursts
  };
  struct Choice {
    Index slot = none;
    std::uint32_t bank = 0;
    std::uint64_t age = ~std::uint64_t{0};
    enum Kind : std::uint32_t { nothing, column, activate, precharge, refresh } kind = nothing;
    std::uint32_t job = 0;  ///< number of the refresh from 1 on, if it is for one
    explicit operator bool() const { return kind != nothing; }
  };
  struct Waiting {  ///< bursts of a block that found no room yet
    AddressMap::Place high;
    Tick offered;
    std::uint32_t owner;
    std::uint16_t next, end;
    bool write, check, report;  ///< report: when the last has entered
  };
  struct Queued {  ///< a burst of a run; its row is that of its bank
    Tick offered, visible;
    std::uint64_t age;
    std::uint32_t owner;
    std::uint16_t bank;
    bool check;
  };
  struct Streamed {  ///< bursts of a stream that are in the queue or were served: of a block, or one
    AddressMap::Place high;
    Tick offered, visible;  ///< visible: of one that was in the queue when the stream began, else -1
    std::uint64_t begin;    ///< so many bursts of the stream come before
    std::array<std::uint64_t, 2> lane_begin;  ///< the same, by pseudo-channel
    std::uint32_t owner;
    std::uint16_t first, end;  ///< numbers in the block: its first, the next to enter
    bool check;
  };
  struct StreamLane {  ///< a pseudo-channel of a stream
    static constexpr std::size_t remembered = 8;
    std::uint64_t served = 0, turn = 0;  ///< it has sends turn, turn + pseudo-channels, ...
    std::size_t block = 0;               ///< in window_: of the next to be served
    std::uint16_t number = 0;            ///< of it in the block
    std::size_t entered = 0;
    std::array<std::uint16_t, remembered> groups{};  ///< of the last that have entered
  };

  void tick(Tick t);
  void admit(Tick t);
  bool room(bool write) const;
  /// No burst that is there already waits for room.
  bool none_before() const { return waiting_.empty() || waiting_.front().offered > clock_; }
  void enter(const Burst& burst, Tick offered, Tick admitted);
  void show(Index i, Tick t);
  bool link(Index i);
  void take_out(Index i);
  bool mode_turns() const {
    if (competing_ || channel_blocked()) return false;
    const bool reads = seen_[0] > 0;
    return writing_ ? reads && seen_[1] < write_low_ : !reads || seen_[1] > write_high_;
  }
  void update_mode() {
    if (!mode_turns()) return;
    writing_ = !writing_;
    try_all(0);
  }
  Index only(Tick t) const;
  Index first_hit(unsigned b, bool write) const;
  Index hit_of(unsigned b) const;
  Choice choose_column(Tick t, Index single);
  Choice choose_row(Tick t, Index single) {
    return parameters_.row_order == RowOrder::first_over ? first_row_command(t, single)
                                                         : oldest_row_command(t, single);
  }
  Choice oldest_row_command(Tick t, Index single);
  Choice first_row_command(Tick t, Index single);
  bool wants_row(Index single) const;
  void look_for_row(PseudoChannel& pseudo, Tick t, Choice& best);
  bool may_close(unsigned b, Index wanting) const;
  void send_column(const Choice& choice, Tick t);
  Tick next_column() const;
  Tick next_opened() const;
  void send_row(const Choice& choice, Tick t);
  void refresh_due(Tick t);
  Tick job_ready(const RefreshJob& job, bool& closes) const;
  void begin_job(const RefreshJob& job, Tick t);
  void send_job(std::size_t index, Tick t);
  void release_owed(Tick t);
  void wake(Tick t);
  /// When the DRAM went or will go into power-down, self-refresh, if nothing comes before: not while a row is
  /// still to be closed. `never` without them.
  Tick power_down_entry() const;
  Tick self_refresh_entry() const;
  bool closing() const {
    return std::any_of(pseudos_.begin(), pseudos_.end(),
                       [](const auto& pseudo) { return pseudo.closing != 0; });
  }
  void unlink(Index i);
  void classify(Index i, bool hit);
  void count_other(PseudoChannel& pseudo, const Slot& slot, int change);
  void renew_places();
  /// A column command, a row command may go from `t` on.
  void try_column(PseudoChannel& pseudo, Tick t) {
    column_next_ = std::min(column_next_, t);
    pseudo.hit_next = std::min(pseudo.hit_next, t);
  }
  void try_row(PseudoChannel& pseudo, Tick t) {
    row_next_ = std::min(row_next_, t);
    pseudo.other_next = std::min(pseudo.other_next, t);
  }
  void try_all(Tick t);
  void sort_bank(unsigned b);
  bool channel_blocked() const { return together_ && !jobs_.empty(); }
  void explain(const Slot& slot, unsigned pseudo, Tick from, Tick until);
  void begin_work(Tick offered);
  void wait_for_work(Tick& free, Tick offered);
  void leave(Tick visible, Tick t);
  Tick waited(Tick now) const;
  void place(const Burst& burst, Tick offered, Tick visible);
  bool may_begin_run() const {
    std::uint64_t busy = 0;
    for (const auto& pseudo : pseudos_) busy |= pseudo.other_count | pseudo.opened;
    return busy == 0;
  }
  static constexpr Tick run_pause = 64;  // between two looks
  bool is_run(Tick t);
  void begin_run();
  void run(Tick limit);
  void end_run(Tick resume);
  bool in_run(const Burst& burst) const {
    return burst.write == run_writes_ && timing_.bank[burst.bank].row == static_cast<std::int64_t>(burst.row);
  }
  /// Calls visit(burst) for the bursts in the queue of a run, the oldest first.
  template <typename Visit>
  void for_each_queued(Visit visit) {
    std::array<std::size_t, max_pseudo_channels> visited{};
    for (auto left = queued_; left > 0; --left) {
      Queued* oldest = nullptr;
      std::size_t pseudo = 0;
      for (std::size_t p = 0; p < run_.size(); ++p)
        if (visited[p] < run_[p].size())
          if (auto& burst = run_[p][visited[p]]; oldest == nullptr || burst.age < oldest->age)
            oldest = &burst, pseudo = p;
      ++visited[pseudo];
      visit(*oldest);
    }
  }
  void queue_in_run(const Burst& burst, Tick offered, Tick admitted);
  void complete(std::uint32_t owner, Tick done, std::uint32_t bursts = 1) {
    if (!completions.empty() && completions.back().owner == owner && completions.back().done < done) {
      completions.back().done = done;
      completions.back().bursts += bursts;
    } else {
      completions.push_back({owner, done, bursts});
    }
  }
  bool begin_stream();
  bool stream(Tick stop);
  void serve_stream(std::uint64_t count);
  void end_stream();
  bool may_enter_stream(const Waiting& block, Tick now);
  bool in_turn(unsigned b) const;
  void follow(unsigned b);
  bool groups_apart(unsigned b) const;
  std::uint16_t first_of(const Streamed& block, std::size_t pseudo, std::uint16_t n) const;
  std::uint64_t bursts_of(const Streamed& block, std::size_t pseudo) const;
  Tick waited_in_stream(Tick now) const;
  Tick send_time(std::uint64_t send) const { return stream_start_ + static_cast<Tick>(send) * step_; }
  /// Bursts of a pseudo-channel that a stream remembers: older ones hold back nothing any more.
  std::uint64_t history() const { return std::uint64_t{parameters_.queue_depth} / pseudos_.size() + 32; }
  /// Calls visit(block, bank, number in its pseudo-channel, when it came in sight) for what is in window_.
  template <typename Visit>
  void for_each_streamed(Visit visit) const {
    const auto depth = std::uint64_t{parameters_.queue_depth};
    for (std::size_t w = 0; w < window_.size(); ++w) {
      const auto& block = window_[w];
      auto k = block.lane_begin;
      // those of the past that nobody needs
      auto skipped = std::uint64_t{static_cast<std::uint64_t>(block.end - block.first)};
      for (std::size_t p = 0; p < pseudos_.size(); ++p) {
        const auto kept = stream_lanes_[p].served - std::min(stream_lanes_[p].served, history());
        skipped = std::min(skipped, (kept - std::min(kept, k[p])) * pseudos_.size());
      }
      skipped -= skipped % pseudos_.size();
      for (std::size_t p = 0; p < pseudos_.size(); ++p) k[p] += skipped / pseudos_.size();
      for (auto n = static_cast<std::uint16_t>(block.first + skipped); n < block.end; ++n) {
        const auto b = (block.high ^ block_[n]).unit() & bank_mask_;
        const auto entered = block.begin + (n - block.first) - depth;  // by this send
        visit(block, b, k[timing_.bank[b].pseudo_channel]++,
              block.visible >= 0 ? block.visible : send_time(entered) + front_end_);
      }
    }
  }
  bool may_foresee() const {
    return interludes_ && waiting_bursts_ >= 64 && next_ >= interlude_again_ &&
           waiting_.front().offered <= clock_;
  }
  struct View {
    Tick base, oldest;  ///< moments count from `base`, those before `oldest` as if they were `oldest`
    std::uint32_t row;  ///< rows count from it
    unsigned flip;      ///< banks are numbered by exclusive or with it
  };
  struct Origin {
    std::uint32_t owner;
    Tick offered;
  };
  bool begin_interlude();
  Interlude::Entering entering(const Waiting& w, std::uint16_t number, const View& view) const;
  bool same_entering(const Interlude& interlude, const View& view) const;
  std::shared_ptr<Interlude> go_ahead(const View& view);
  void tell_interlude(Tick limit);
  void end_interlude();
  void leave_interlude();
  template <typename Visitor>
  void visit_timing(Visitor& visitor);
  template <typename Visitor>
  static void visit_reasons(BankQueue& bank, Visitor& visitor);
  void write_state(const View& view, std::vector<Interlude::Moment>& out);
  void read_state(const View& view, const std::vector<Interlude::Moment>& state, std::span<const Origin> from,
                  bool into_run);
  void clear_queues(std::size_t places);
  Burst first_waiting() const;
  void pop_waiting();
  void wait(const Waiting& waiting);

  bool together_, competing_, ordered_, may_run_, may_sleep_;
  unsigned write_high_, write_low_;            // writes in sight: above, below which the mode turns
  bool running_ = false, run_writes_ = false;  // a run: hits of one kind, served in order
  Tick run_again_ = 0;

  AgeOrder order_;
  std::vector<Slot> slots_;
  std::vector<Slot> spare_;  // for renew_places
  std::vector<Index> moved_;
  AgeSet spare_set_;
  std::vector<BankQueue> banks_;
  Ring<Waiting> waiting_;  // offered, no room yet
  std::size_t waiting_bursts_ = 0;
  std::vector<AddressMap::Place> block_{1};
  unsigned bank_mask_;
  unsigned alike_;  // bits of banks' numbers: all that differ in these only are equal to the DRAM
  std::vector<Ring<Queued>>
      run_;                 // while running_: the bursts of each pseudo-channel that have a queue entry
  std::size_t queued_ = 0;  // their number
  bool may_stream_ = false, streaming_ = false;
  Tick step_ = 1;                      // of a stream: from burst to burst
  std::size_t near_ = 0;               // tCCD_L reaches over so many of a pseudo-channel
  std::vector<unsigned> block_units_;  // what banks the places of a block differ in
  Ring<Streamed> window_;              // the stream: a part of the past and the queue
  std::array<StreamLane, 2> stream_lanes_;
  static constexpr std::uint16_t nobody = 0xffff;
  std::uint16_t last_entered_ = nobody;  // the pseudo-channel of the last
  std::uint64_t streamed_ = 0;           // bursts served
  bool front_checked_ = false;           // the first that waits has begun to enter
  Tick stream_start_ = 0, stream_again_ = 0;
  struct Retold {                         ///< an interlude under way
    std::shared_ptr<const Interlude> of;  ///< null: none
    View view{};
    bool again = false;                 ///< it came before
    Tick began = 0;                     ///< up to where the controller had been advanced
    std::size_t entered = 0, sent = 0;  ///< so many have been told
    std::vector<Origin> bursts;         ///< by their numbers
    std::vector<Waiting> taken;         ///< blocks that have entered
    std::uint16_t front_next = 0;       ///< of the one that enters: where it began
    std::vector<Interlude::Moment> before;
    std::vector<Origin> origins;
  };
  Retold interlude_;
  std::shared_ptr<InterludeCache> interludes_;  // of copies too
  Tick interlude_again_ = 0;
  std::uint64_t repeated_ = 0;
  Ring<Index> arriving_;  // in their queues, not yet seen
  std::vector<PseudoChannel> pseudos_;
  unsigned banks_per_pseudo_;  // a power of two, at most 64
  std::uint64_t bit(unsigned b) const { return std::uint64_t{1} << (b & (banks_per_pseudo_ - 1)); }
  PseudoChannel& pseudo_of(unsigned b) { return pseudos_[timing_.bank[b].pseudo_channel]; }
  const PseudoChannel& pseudo_of(unsigned b) const { return pseudos_[timing_.bank[b].pseudo_channel]; }
  std::array<unsigned, 2> entries_{}, seen_{};  // by kind: taken queue entries; of those the scheduler sees
  std::size_t used_ = 0;
  unsigned last_bank_ = 0;
  bool any_admitted_ = false;
  std::uint64_t age_ = 0;                         // of bursts in a run
  bool writing_ = true, last_was_write_ = false;  // writes are in turn while there are no reads

  std::vector<RefreshJob> jobs_;
  Tick job_begin_ = 0, job_end_ = -1;  // together: when the channel was last held up

  Tick column_next_ = never, row_next_ = never;  // lower bounds
  Tick column_bus_ = 0, row_bus_ = 0, floor_ = 0;
  Tick floor_begin_ = 0;
  Tick last_burst_ = 0, last_command_ = 0;
  bool sleeping_ = true;  // no burst and no refresh under way

  // statistics
  std::vector<Tick> data_free_;           // per pseudo-channel: explained up to here
  std::vector<unsigned char> last_kind_;  // per pseudo-channel: of its last column command
  Tick front_blocked_ = -1;               // the last tick at which a burst waited for room
  Tick depth_ticks_ = 0, visible_sum_ = 0;
  double power_down_ticks_ = 0, self_refresh_ticks_ = 0;
  unsigned depth_ = 0;
};

}  // namespace forerun::ip::hbm
