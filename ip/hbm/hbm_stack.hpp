// SPDX-License-Identifier: Apache-2.0
/// An HBM stack: address map, one controller a channel, storage, target sockets.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <systemc>
#include <vector>

#include "ip/base/counters.hpp"
#include "ip/base/level.hpp"
#include "ip/base/sparse_memory.hpp"
#include "ip/hbm/address_map.hpp"
#include "ip/hbm/channel.hpp"
#include "ip/hbm/due_wheel.hpp"
#include "ip/hbm/parameters.hpp"

namespace forerun::ip {

/// Several ports of equal rank: an address is an offset in the range that all stacks share; the address map
/// alone decides which channel serves it. A transaction is cut into bursts; its response comes when the last
/// burst has passed. A partial burst costs a whole one. Bytes live in a SparseMemory, which several stacks
/// may share, so that each holds just its own pieces.
///
/// approximate: nb_transport. END_REQ comes when the last burst of a request has entered the queue of its
/// channel: at once while there is room. BEGIN_RESP comes early, with the rest of the time annotated: the end
/// of a burst is known when its column command goes. In a port the annotated times never go back. b_transport
/// waits likewise. loose: b_transport adds the latency of a row miss and the time of its bursts at peak, and
/// DMI is granted. With several ports, requests of one cycle count in the order of the ports, whatever the
/// order of the calls: END_REQ comes at once if there was room before the cycle for a request and what its
/// port has offered since, otherwise in the next cycle or later. In-line ECC: behind the bursts of each group
/// of `ecc_data_bursts` that a request touches there is one more of the same kind, in the row of the group; a
/// write that covers a group only in part reads the check bytes before it writes them. A reset is a warm one:
/// the bytes stay, counters and statistics begin anew, and requests under way are served and answered at
/// their times, since whoever sent them may not have been reset and waits for the response. Errors: beyond
/// the capacity TLM_ADDRESS_ERROR_RESPONSE, streaming TLM_BURST_ERROR_RESPONSE.
class HbmStack : public sc_core::sc_module {
 public:
  /// `collapse`: see hbm::Controller.
  HbmStack(const sc_core::sc_module_name& name, const hbm::Parameters& parameters, SparseMemory& store,
           bool collapse = true);

  sc_core::sc_vector<tlm_utils::simple_target_socket_tagged<HbmStack>> port;
  LevelIn reset_line;
  CounterGroup counters;
  Counter bytes_read{counters, "bytes_read", "byte", "bytes read"};
  Counter bytes_written{counters, "bytes_written", "byte", "bytes written"};
  Counter requests{counters, "requests", "transaction", "transactions served"};

  const hbm::Parameters& parameters() const { return parameters_; }
  unsigned channels() const { return static_cast<unsigned>(channels_.size()); }
  /// Up to the present moment.
  hbm::ChannelStatistics statistics(unsigned channel);
  /// Bytes of whole bursts that a channel has moved.
  std::uint64_t burst_bytes(unsigned channel);
  /// Records bins of so many cycles of the command clock from now or the next reset on; 0 stops.
  void record(std::int64_t cycles);
  const std::vector<hbm::SeriesBin>& series(unsigned channel);

 private:
  static constexpr std::int64_t far = std::int64_t{1} << 58;
  struct Request {
    tlm::tlm_generic_payload* payload = nullptr;
    int port = 0;
    unsigned bursts_left = 0;
    unsigned unadmitted = 0;  // channels that END_REQ waits for
    hbm::Tick done = 0;
    sc_core::sc_event* waiter = nullptr;
    bool is_short = false, timing_only = false;
    hbm::Tick offered = 0;
    std::uint64_t order = 0;  // in which the stack has taken them
    hbm::BurstBlock first;
    unsigned blocks = 0;
    std::int64_t wake = 0;  // of an offer: the cycle by which its channel must have got it
  };
  static constexpr unsigned short_bursts = 8;  // requests of so many do not count as long
  /// What a channel has said of itself, until it is touched again.
  struct Outlook {
    bool stale = true;
    hbm::Tick next;
    std::int64_t completion, report;  // cycles: none before these; far
  };
  struct Response {
    tlm::tlm_generic_payload* payload;
    std::int64_t cycle;
  };
  struct Room {
    hbm::Tick from;  ///< the first at which there may be any
    bool contended;  ///< others wait for room there
  };
  struct PortState {
    std::deque<Response> responses;  // waiting for END_RESP of the one before
    bool responding = false;
    std::uint32_t offered_bursts = 0;  // of offers
  };

  void b_transport(int id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  tlm::tlm_sync_enum nb_transport_fw(int id, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  unsigned transport_dbg(int id, tlm::tlm_generic_payload& payload);
  bool get_direct_mem_ptr(int id, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  void reset();
  bool acceptable(tlm::tlm_generic_payload& payload) const;
  void move(tlm::tlm_generic_payload& payload, bool timing_only);
  bool in_block(hbm::AddressMap::Place place) const {
    return place.unit() < banks_ && (parameters_.model == hbm::Model::burst || place.row() == 0);
  }
  std::uint32_t enqueue(int id, tlm::tlm_generic_payload& payload, std::int64_t delay_ps,
                        sc_core::sc_event* waiter);
  void measure(std::uint32_t index);
  void offer_now(std::uint32_t index, hbm::Tick now);
  void offer_in_order(std::uint32_t index, hbm::Tick now);
  void settle(hbm::Tick now);
  Room room_for(const Request& request, std::uint32_t before, hbm::Tick now);
  bool before(std::uint32_t a, std::uint32_t b) const;
  unsigned channel_of(const hbm::BurstBlock& block) const { return block.high.unit() / banks_; }
  void cut(std::uint32_t index);
  template <typename Visit>
  void for_each_block(const tlm::tlm_generic_payload& payload, Visit visit) const;
  void hold_until_admitted(std::uint32_t index, unsigned channel);
  void run();
  void collect(unsigned channel);
  bool collected(unsigned channel) const {
    return channels_[channel]->completions.empty() && channels_[channel]->admissions.empty();
  }
  void end_request(std::uint32_t index);
  void respond(std::uint32_t index);
  void send_response(int id, tlm::tlm_generic_payload& payload, std::int64_t cycle);
  bool count_commands();
  void look_at(unsigned channel);
  hbm::Channel& touch(unsigned channel) {
    outlooks_[channel].stale = true;
    return *channels_[channel];
  }
  void schedule();
  void schedule(unsigned channel);
  void wake_at(std::int64_t cycle);
  std::int64_t present() const { return now_picoseconds() / clock_.period_ps(); }

  hbm::Parameters parameters_;
  hbm::AddressMap map_;
  Clock clock_;
  SparseMemory& store_;
  std::vector<std::unique_ptr<hbm::Channel>> channels_;
  std::vector<Outlook> outlooks_;  // by channel
  hbm::Tick ticks_per_cycle_;
  std::int64_t horizon_;  // cycles: no command sent later ends a burst sooner
  unsigned banks_;        // of a channel
  static constexpr std::uint64_t largest_block = 4096;
  unsigned burst_shift_;
  std::uint64_t block_bytes_;  ///< addresses of so many bytes lie in one channel and differ in low bits only
  std::vector<Request> requests_;
  std::vector<std::uint32_t> free_;
  std::vector<PortState> ports_;
  unsigned held_ = 0;  // requests without END_REQ
  unsigned under_way_ = 0;
  unsigned short_requests_ = 0;          // of them
  std::vector<std::uint32_t> admitted_;  // whose END_REQ is due
  std::vector<std::uint32_t> offers_;    // not yet given to their channels, sorted (before)
  std::size_t held_offers_ = 0;          // of them, those without END_REQ
  std::vector<unsigned> bursts_for_;     // of a request, by channel
  hbm::DueWheel due_;                    // complete requests
  std::vector<std::int64_t> commands_;   // by channel: to be sent before a request is complete
  std::uint64_t order_ = 0;
  std::int64_t wake_ = -1;  // cycle of the pending wake-up
  bool running_ = false;
  sc_core::sc_event run_event_;
};

}  // namespace forerun::ip
