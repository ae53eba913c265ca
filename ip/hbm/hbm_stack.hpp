// SPDX-License-Identifier: Apache-2.0
/// A stack of high-bandwidth memory with its controllers.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <deque>
#include <memory>
#include <systemc>
#include <vector>

#include "ip/base/counters.hpp"
#include "ip/base/level.hpp"
#include "ip/base/sparse_memory.hpp"
#include "ip/hbm/controller.hpp"

namespace forerun::ip {

/// Addresses at every port are offsets in the range that all stacks share; the address map alone decides which channel
/// serves them. A transaction is cut into bursts; its response comes when the last burst has passed. A partial burst costs a
/// whole one. Bytes live in a SparseMemory, which several stacks may share, so that each holds just its own pieces.
///
/// approximate: nb_transport; END_REQ is held back while a port has as many bursts
/// waiting as the schedulers of its share of the pseudo-channels can see; b_transport waits
/// likewise. loose: b_transport adds the latency of a row miss and the time of its bursts at peak, and DMI is granted.
/// A reset is a warm one: the bytes stay, counters and statistics begin anew, and requests under way are served and answered at
/// their times, since whoever sent them may not have been reset and waits for the response.
/// Errors: beyond the capacity TLM_ADDRESS_ERROR_RESPONSE, streaming TLM_BURST_ERROR_RESPONSE.
class HbmStack : public sc_core::sc_module {
 public:
  HbmStack(const sc_core::sc_module_name& name, const hbm::Parameters& parameters, SparseMemory& store);

  sc_core::sc_vector<tlm_utils::simple_target_socket_tagged<HbmStack>> port;
  LevelIn reset_line;
  CounterGroup counters;
  Counter bytes_read{counters, "bytes_read", "byte", "bytes read"};
  Counter bytes_written{counters, "bytes_written", "byte", "bytes written"};
  Counter requests{counters, "requests", "transaction", "transactions served"};

  const hbm::Parameters& parameters() const { return parameters_; }
  unsigned controllers() const { return static_cast<unsigned>(controllers_.size()); }
  const hbm::ControllerStatistics& statistics(unsigned controller) const { return controllers_[controller].statistics(); }
  /// Bytes of whole bursts that a pseudo-channel has moved.
  std::uint64_t burst_bytes(unsigned controller) const {
    return (statistics(controller).reads + statistics(controller).writes) * parameters_.burst_bytes.count;
  }

 private:
  struct Request {
    tlm::tlm_generic_payload* payload = nullptr;
    int port = 0;
    unsigned bursts_left = 0;
    std::int64_t done = 0;  // cycle
    sc_core::sc_event* waiter = nullptr;
  };
  struct PortState {
    std::uint64_t pending = 0;                        // bursts
    tlm::tlm_generic_payload* held = nullptr;         // request without END_REQ
    std::deque<tlm::tlm_generic_payload*> responses;  // waiting for END_RESP of the one before
    bool responding = false;
  };
  struct Due {
    std::int64_t cycle;
    std::uint64_t order;
    std::size_t request;
    bool operator>(const Due& other) const { return cycle != other.cycle ? cycle > other.cycle : order > other.order; }
  };

  void b_transport(int id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  tlm::tlm_sync_enum nb_transport_fw(int id, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  unsigned transport_dbg(int id, tlm::tlm_generic_payload& payload);
  bool get_direct_mem_ptr(int id, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  void reset();
  bool acceptable(tlm::tlm_generic_payload& payload) const;
  void move(tlm::tlm_generic_payload& payload);
  void enqueue(int id, tlm::tlm_generic_payload& payload, std::int64_t delay_ps, sc_core::sc_event* waiter);
  void run();
  void respond(std::size_t request);
  void send_response(int id, tlm::tlm_generic_payload& payload);
  void schedule(std::int64_t cycle);

  hbm::Parameters parameters_;
  hbm::AddressMap map_;
  Clock clock_;
  SparseMemory& store_;
  std::vector<hbm::Controller> controllers_;
  std::vector<std::int64_t> next_;  // per controller: cycle of its next moment, -1 idle
  std::vector<Request> requests_;
  std::vector<std::size_t> free_;
  std::vector<PortState> ports_;
  std::uint64_t port_limit_;         // bursts pending at a port at which END_REQ is held back
  std::vector<Due> due_;            // heap
  std::uint64_t order_ = 0;
  std::vector<hbm::Controller::Completion> completions_;
  sc_core::sc_event run_event_;
};

}  // namespace forerun::ip
