// SPDX-License-Identifier: Apache-2.0
/// Sends requests of a pattern and measures what becomes of them.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <functional>
#include <memory>
#include <systemc>
#include <vector>

#include "ip/base/counters.hpp"
#include "ip/base/payload.hpp"
#include "ip/traffic/latency.hpp"
#include "ip/traffic/request_source.hpp"

namespace forerun::ip {

/// What one generator saw. Latencies end when the response is there (its annotated delay counted).
struct TrafficMeasurement {
  Latency reads, writes;  ///< from generation: the wait before the target takes the request included
  Latency sent_reads;     ///< from the moment at which it was sent (BEGIN_REQ)
  Latency taken_reads, taken_writes;  ///< from the moment at which the target took the request (END_REQ)
  std::uint64_t generated = 0;        ///< requests generated within the window
  std::uint64_t bytes_read = 0, bytes_written = 0, completed = 0;  ///< whose response came within the window
  std::uint64_t errors = 0;  ///< responses other than TLM_OK_RESPONSE, at any time
};

/// An initiator: nb_transport, one request at a time without END_REQ, any number under way (`window` bounds
/// them). The requests of an arrival process wait in a source queue without bound. Latencies are of the
/// requests generated within the measurement window; amounts, of what was answered within it.
///
/// Errors: the constructor throws std::invalid_argument for parameters outside their ranges. A target that
/// takes a million requests in one instant would do so for ever: std::runtime_error.
class TrafficGenerator : public sc_core::sc_module {
 public:
  /// With pattern `trace`, `source` gives the requests.
  TrafficGenerator(const sc_core::sc_module_name& name, const TrafficParameters& parameters,
                   std::unique_ptr<RequestSource> source = {});

  tlm_utils::simple_initiator_socket<TrafficGenerator> socket{"socket"};
  CounterGroup counters;
  Counter sent{counters, "sent", "transaction", "requests that the target has taken"};
  Counter answered{counters, "answered", "transaction", "responses"};

  /// Before the simulation starts: measures from `start` up to, but not including, `end`.
  void measure(std::int64_t start_ps, std::int64_t end_ps);
  const TrafficMeasurement& measurement() const { return measured_; }
  /// True when the window is over and every request generated within it has its response.
  bool finished() const;
  /// Called once, when a response after the end of the window makes finished() true.
  std::function<void()> on_finished;

 private:
  /// What the generator knows of a transaction under way. Belongs to the payload, which deletes it.
  struct Stamp : tlm::tlm_extension<Stamp> {
    tlm::tlm_extension_base* clone() const override { return nullptr; }
    void copy_from(const tlm::tlm_extension_base&) override {}
    std::int64_t generated = 0, sent = 0, taken = 0;
  };

  void issue();
  bool fetch(std::int64_t now);
  bool place_in_window(std::int64_t now);
  void send(std::int64_t now);
  void taken(tlm::tlm_generic_payload& payload, std::int64_t when);
  void complete(tlm::tlm_generic_payload& payload, std::int64_t when);
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  bool measures(std::int64_t generated) const { return generated >= start_ && generated < end_; }
  bool counts_for_window(bool write) const {
    return parameters_.window > 0 && !(write && parameters_.window_reads_only);
  }
  void wake(std::int64_t when);

  TrafficParameters parameters_;
  std::unique_ptr<RequestSource> source_;
  TrafficRequest head_;  // the next one to send, or the last one sent
  bool has_head_ = false, exhausted_ = false;
  PayloadPool pool_;
  tlm::tlm_generic_payload* requesting_ = nullptr;
  unsigned under_way_ = 0;
  std::vector<std::int64_t> ends_;  // heap: known moments at which the window gains a place
  std::int64_t start_ = 0, end_ = 0, not_before_ = 0;
  std::uint64_t unfinished_ = 0;  // sent, of the measurement window, without response
  std::int64_t instant_ = -1;     // for the limit of requests taken in one instant
  std::uint64_t in_instant_ = 0;
  bool told_ = false, sending_ = false;
  TrafficMeasurement measured_;
  sc_core::sc_event next_;
};

}  // namespace forerun::ip
