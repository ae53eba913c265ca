// SPDX-License-Identifier: Apache-2.0
/// What bridges from pins to a TLM-2.0 initiator socket share.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <systemc>
#include <vector>

#include "ip/base/counters.hpp"
#include "ip/cosim/pin_clock.hpp"
#include "ip/cosim/ring.hpp"

namespace forerun::ip::cosim {

/// Sends transactions by nb_transport (base protocol, one request at a time without END_REQ), any number
/// under way, and hands answers to the bus model at the edge at which they are due. Targets with b_transport
/// only are served too (the socket converts).
class InitiatorBridge : public sc_core::sc_module, public PinUser {
 public:
  tlm_utils::simple_initiator_socket<InitiatorBridge> socket{"socket"};
  CounterGroup counters;
  Counter transactions{counters, "transactions", "transaction", "transactions answered"};
  Counter errors{counters, "errors", "transaction", "transactions answered with an error"};

  /// Called with each transaction when its answer goes to the pins; may be empty.
  std::function<void(const tlm::tlm_generic_payload&)> on_answer;

  void drive(std::uint64_t cycle) final;
  void edge(std::uint64_t cycle) final;
  /// Of the transaction sent last; 0 before the first.
  std::uint64_t last_address() const { return last_address_; }
  bool idle() const final { return to_send_.empty() && under_way_ == 0 && bus_idle(); }

 protected:
  struct Job : tlm::tlm_mm_interface {
    explicit Job(InitiatorBridge& bridge) : payload(this), owner(bridge) {}
    void free(tlm::tlm_generic_payload*) override { owner.free_.push_back(this); }
    tlm::tlm_generic_payload payload;
    InitiatorBridge& owner;
    std::int64_t due_ps = 0;
    void* piece = nullptr;  ///< what the bus model asked for
  };
  InitiatorBridge(const sc_core::sc_module_name& name, PinClock& clock);

  Job& open();          ///< payload reset, one reference held
  void send(Job& job);  ///< in this order
  virtual void drive_bus(std::uint64_t cycle) = 0;
  virtual void edge_bus() = 0;          ///< opens and sends jobs for what has come
  virtual void answered(Job& job) = 0;  ///< gives the answer to the bus model
  virtual bool bus_idle() const = 0;

 private:
  std::int64_t drives_from() const final;
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  void send_next();
  void due(Job& job, const sc_core::sc_time& delay);
  Job& job_of(const tlm::tlm_generic_payload& payload);

  PinClock& clock_;
  std::vector<std::unique_ptr<Job>> jobs_;
  std::vector<Job*> free_, due_;  // due_: answered, not yet on the pins
  Ring<Job*> to_send_;
  Job* requesting_ = nullptr;  // before END_REQ
  unsigned under_way_ = 0;
  std::int64_t send_from_ps_ = 0;
  std::uint64_t last_address_ = 0;
  sc_core::sc_event send_;
};

}  // namespace forerun::ip::cosim
