// SPDX-License-Identifier: Apache-2.0
/// What bridges from a TLM-2.0 target socket to pins share.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <systemc>
#include <vector>

#include "ip/base/counters.hpp"
#include "ip/cosim/axi_burst.hpp"
#include "ip/cosim/pin_clock.hpp"
#include "ip/cosim/ring.hpp"
#include "ip/cosim/stream_models.hpp"

namespace forerun::ip::cosim {

/// Takes transactions by b_transport (any number of threads) and nb_transport (base protocol), hands them to
/// a bus model in the order in which they become due, and answers when the bus model is through, in any
/// order. Transactions that overlap, one of them a write, go one after the other. No DMI and no debug access
/// but by the hooks.
class TargetBridge : public sc_core::sc_module, public PinUser {
 public:
  tlm_utils::simple_target_socket<TargetBridge> socket{"socket"};
  /// Reaches the bytes behind the pins without simulated time; returns the bytes done. Without it
  /// transport_dbg returns 0.
  std::function<unsigned(tlm::tlm_generic_payload&)> debug;
  /// Grants DMI; without it get_direct_mem_ptr returns false.
  std::function<bool(tlm::tlm_generic_payload&, tlm::tlm_dmi&)> direct_memory;

  /// Said with the error that ends a simulation in which an answer does not come.
  std::function<std::string()> explain;
  /// Cycles with transactions under way and no answer to any, after which std::runtime_error is thrown.
  static constexpr std::uint64_t most_silent_cycles = 1'000'000;

  CounterGroup counters;
  Counter transactions{counters, "transactions", "transaction", "transactions answered"};
  Counter errors{counters, "errors", "transaction", "transactions answered with an error"};
  Counter bytes_read{counters, "bytes_read", "byte", "bytes of reads answered"};
  Counter bytes_written{counters, "bytes_written", "byte", "bytes of writes answered"};

  void drive(std::uint64_t cycle) final;
  void edge(std::uint64_t cycle) final;
  bool idle() const final {
    return waiting_.empty() && active_.empty() && held_ == nullptr && responses_.empty() && bus_idle();
  }

 protected:
  struct Job {
    tlm::tlm_generic_payload* payload = nullptr;
    std::int64_t due_ps = 0;
    bool blocking = false;
    unsigned left = 0;  ///< pieces not done
    Response response = Response::exokay;
    std::vector<AxiBurst> bursts;
    StreamPacket packet;
    sc_core::sc_event done;
  };
  /// @param most_transactions taken and not answered; further ones wait before END_REQ
  TargetBridge(const sc_core::sc_module_name& name, PinClock& clock, unsigned most_transactions);

  /// TLM_OK_RESPONSE if the bus can carry this, else the error to answer with.
  virtual tlm::tlm_response_status check(const tlm::tlm_generic_payload& payload) const = 0;
  virtual void start(Job& job) = 0;  ///< sets `left` and gives the pieces to the bus model
  virtual void drive_bus(std::uint64_t cycle) = 0;
  virtual void edge_bus() = 0;  ///< calls piece_done() for what is over
  virtual bool bus_idle() const = 0;
  void piece_done(Job& job, Response response);

 private:
  std::int64_t drives_from() const final {
    return waiting_.empty() ? std::numeric_limits<std::int64_t>::max() : waiting_.front()->due_ps;
  }
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) { return debug ? debug(payload) : 0; }
  bool get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
    return direct_memory && direct_memory(payload, dmi);
  }
  Job& open(tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay, bool blocking);
  void insert(Job& job);
  bool overlaps(const Job& job) const;
  void finish(Job& job, tlm::tlm_response_status status);
  void respond();

  PinClock& clock_;
  unsigned most_;
  std::vector<std::unique_ptr<Job>> jobs_;
  std::vector<Job*> free_, waiting_, active_;  // waiting: by due time
  Job* held_ = nullptr;                        // before END_REQ
  std::uint64_t heard_ = 0;  // cycle of the last answer, or when there was nothing to answer
  std::uint64_t cycle_ = 0;
  [[noreturn]] void silent() const;
  unsigned non_blocking_ = 0;  // taken and not answered
  Ring<tlm::tlm_generic_payload*> responses_;
  tlm::tlm_generic_payload* responding_ = nullptr;  // between BEGIN_RESP and END_RESP
};

/// How responses map: OKAY and EXOKAY to TLM_OK_RESPONSE, SLVERR to TLM_GENERIC_ERROR_RESPONSE, DECERR to
/// TLM_ADDRESS_ERROR_RESPONSE.
tlm::tlm_response_status to_tlm(Response response);
/// And back: TLM_ADDRESS_ERROR_RESPONSE to DECERR, every other error to SLVERR.
Response to_axi(tlm::tlm_response_status status);

}  // namespace forerun::ip::cosim
