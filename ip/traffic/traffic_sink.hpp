// SPDX-License-Identifier: Apache-2.0
/// A target that answers everything at once.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <systemc>

namespace forerun::ip {

/// Takes and answers each transaction in no time. Reads leave the data as they are.
class TrafficSink : public sc_core::sc_module {
 public:
  explicit TrafficSink(const sc_core::sc_module_name& name) : sc_module(name) {
    socket.register_nb_transport_fw(this, &TrafficSink::nb_transport_fw);
    socket.register_b_transport(this, &TrafficSink::b_transport);
  }
  tlm_utils::simple_target_socket<TrafficSink> socket{"socket"};

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time&) {
    if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    phase = tlm::BEGIN_RESP;
    return tlm::TLM_COMPLETED;
  }
};

}  // namespace forerun::ip
