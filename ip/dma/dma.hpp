// SPDX-License-Identifier: Apache-2.0
/// The load and store engines of a cluster: strided copies of up to four dimensions, gather, and posts.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "ip/base/payload.hpp"
#include "ip/command/engine.hpp"
#include "ip/dma/copier.hpp"

namespace forerun::ip {

struct DmaParameters {
  Bytes burst{256};             ///< largest transaction, a power of two 32 .. 4096; none crosses a multiple of it
  unsigned outstanding = 32;    ///< transactions under way at once, 1 .. 1024
  unsigned overhead = 8;        ///< cycles to set up a command
  Time post_overhead{0};        ///< before the posts of a command are sent: what a launch costs that they stand for
  unsigned queue_depth = 16;    ///< commands
  Frequency clock{1.25e9};
  Timing timing = Timing::approximate;
  bool rows_in_place = false;   ///< GATHER reads each row where the list says, so that its time depends on the list
  bool data = true;             ///< false: the bytes of copies are not moved, in the same time
};

/// One DMA engine. Runs of contiguous bytes are merged over dimensions where the strides allow it, and cut into bursts.
/// Runs that follow one another in the global address space but not in the scratchpad are merged too: their bytes are
/// scattered, or gathered, in the scratchpad. (Not by another that moves the bytes, see use().)
///
/// The reads or writes of a LOAD or STORE begin when those of the LOAD or STORE before have all been sent, not when they
/// have come back, so that a row of copies keeps memory and network busy; only approximate timing does so. Copies still
/// end, and signal, in order. Bytes that two such copies have in common move in any order. All other commands wait for
/// the end of those before them, and hold up those behind them until their own.
///
/// `global` carries the transactions (nb_transport in approximate, b_transport in loose timing); `local` moves the bytes
/// in and out of the scratchpad. A failed transaction ends the command, after those under way, with FR_ERROR_BUS and the
/// failing address; a local address out of range is refused before anything moves.
///
/// Gather reads its index list by real transactions. Row i of the result is then timed as a read of the table's row
/// (i mod limit), whatever the index, while its bytes come from the right row: time is a function of commands and
/// parameters, never of data, so that both data modes agree to the cycle. `rows_in_place` is for memories that cannot give
/// bytes without time.
///
/// With use() another moves the bytes of LOAD, STORE and the rows of GATHER, in time of its own; index lists, posts,
/// checks and the order of commands stay here, and so do copies that are not aligned as it needs them.
class Dma : public Engine, private CopierHost {
 public:
  Dma(const sc_core::sc_module_name& name, const DmaParameters& parameters, std::uint64_t local_bytes);

  /// Before the simulation starts.
  void use(std::unique_ptr<DmaCopier> copier);
  /// Copies that the one in use could not take.
  std::uint64_t left_to_model() const { return left_to_model_; }

  tlm_utils::simple_initiator_socket<Dma> global;
  tlm_utils::simple_initiator_socket<Dma> local;
  Counter bytes_moved{counters, "bytes", "byte", "bytes copied"};
  Counter transactions{counters, "transactions", "transaction", "bursts, index reads and posts sent"};
  Counter latency_sum{counters, "latency_sum", "ps", "sum over transactions of the time from request to response"};

 private:
  enum class Phase { idle, indices, copy, post };
  /// Merged runs in the scratchpad: `bytes` each, `stride` apart; 0: the bytes of a burst lie together.
  struct Runs {
    std::uint64_t bytes = 0;
    std::int64_t stride = 0;
    std::uint64_t done = 0;  ///< of the run in which a burst begins
  };
  struct Flight {
    tlm::tlm_generic_payload* payload = nullptr;
    std::uint64_t local = 0;
    std::uint64_t source = 0;  ///< gather: row << 32 | bytes before this piece
    std::int64_t sent = 0;
    std::uint64_t owner = 0;  ///< number of its command
    Runs runs{};
  };
  /// A command that has started and not ended.
  struct Open {
    unsigned in_flight = 0;
    std::int64_t busy_until = 0;  ///< ps, when the local side of the last transaction ends
  };

  void start(const Command& command) override;
  void abandon() override;
  void add_turns(Turns& turns) override;
  bool ready() const override { return in_flight_ == 0; }
  bool accepts(const Command& next) const override;
  std::optional<LocalFault> prepare(const Command& command);
  void merge_dimensions();
  void issue();
  /// Calls move(scratchpad address, offset in the burst, bytes) for each piece of a burst that begins at `local`.
  template <typename Move>
  void for_each_piece(const Flight& flight, std::uint32_t length, const Move& move) const;
  bool next_burst(std::uint64_t& global_address, std::uint64_t& local_address, std::uint32_t& length);
  void send(tlm::tlm_command direction, std::uint64_t address, std::uint64_t local_address, std::uint32_t length,
            bool timing_only, std::uint64_t source = 0);
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  void complete(tlm::tlm_generic_payload& payload, std::int64_t delay_ps);
  void end_if_done();
  void note(LocalFault fault, std::uint64_t owner);
  void forget();
  void move_local(tlm::tlm_command direction, std::uint64_t address, unsigned char* data, std::uint32_t length,
                  std::int64_t& delay_ps);
  bool gathering() const { return current().header().opcode == FR_OP_GATHER; }
  /// Whether the copier in use takes the copy that prepare() has set up.
  bool copier_takes() const;
  void start_copy();
  DmaCopy next_copy();
  tlm::tlm_sync_enum to_global(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay) override;
  void to_local(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) override;
  void copied(std::optional<LocalFault> fault) override;
  void landed();  ///< nothing is under way
  void read_gather_row(std::uint64_t row, std::uint64_t skip, unsigned char* data, std::uint32_t length);

  DmaParameters parameters_;
  Clock clock_;
  std::uint64_t local_bytes_;
  PayloadPool pool_, local_pool_;
  std::vector<Flight> flights_;
  unsigned in_flight_ = 0;  ///< transactions, and the copier's copy
  std::unique_ptr<DmaCopier> copier_;
  std::vector<Flight> copier_flights_;
  bool by_copier_ = false, copying_ = false;
  std::uint64_t left_to_model_ = 0;
  tlm::tlm_generic_payload* requesting_ = nullptr;  // sent, without END_REQ so far
  bool abandoned_ = false;
  Phase phase_ = Phase::idle;
  tlm::tlm_command direction_ = tlm::TLM_READ_COMMAND;
  std::optional<LocalFault> fault_;  // of the command with the number fault_of_
  std::uint64_t fault_of_ = 0;
  std::vector<Open> open_;     // oldest first; all but the youngest have sent everything
  std::uint64_t first_open_ = 0;  // number of the oldest
  std::int64_t issue_from_ = 0;   // ps, when the youngest has been set up

  fr_copy copy_{};
  fr_gather gather_{};
  fr_post post_{};
  std::array<std::uint64_t, 4> size_{}, at_{};            // [0] bytes of a run, done in the present one
  std::array<std::int64_t, 4> global_stride_{}, local_stride_{};
  Runs runs_;  ///< of the command
  bool exhausted_ = true;
  std::vector<std::uint32_t> indices_;
  std::uint64_t position_ = 0;  // bytes of the index list requested, or posts sent
  Turns::Turn issue_, end_;
};

}  // namespace forerun::ip
