// SPDX-License-Identifier: Apache-2.0
/// Joins the initiators of a cluster on its one port into the network.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <deque>
#include <systemc>
#include <vector>

#include "ip/command/turns.hpp"

namespace forerun::ip {

/// Passes the transactions of `inputs` initiators on, one request at a time, first come first served; a request that must
/// wait is accepted without END_REQ, which holds that initiator back. Adds no time of its own.
class PortMux : public sc_core::sc_module {
 public:
  PortMux(const sc_core::sc_module_name& name, unsigned inputs, Turns& turns);

  sc_core::sc_vector<tlm_utils::simple_target_socket_tagged<PortMux>> in;
  tlm_utils::simple_initiator_socket<PortMux> out;

 private:
  struct Owner {
    tlm::tlm_generic_payload* payload;
    int input;
  };
  void b_transport(int, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) { out->b_transport(payload, delay); }
  unsigned transport_dbg(int, tlm::tlm_generic_payload& payload) { return out->transport_dbg(payload); }
  tlm::tlm_sync_enum nb_transport_fw(int input, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  int forget(tlm::tlm_generic_payload& payload);
  void pump();

  std::vector<Owner> owners_;
  std::deque<Owner> waiting_;
  tlm::tlm_generic_payload* requesting_ = nullptr;  // sent on, without END_REQ so far
  Turns::Turn pump_;
};

}  // namespace forerun::ip
