// SPDX-License-Identifier: Apache-2.0
/// A recorder between an initiator and a target socket.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <deque>
#include <functional>
#include <memory>
#include <systemc>

#include "ip/record/format.hpp"

namespace forerun::ip::record {

/// Passes everything on without delay and hands each transaction, when it and all before it are over, to
/// `on_transaction`: in the order of their requests. Only direct memory access is refused, since it would not
/// be seen; debug access passes unrecorded. One that never ends holds those behind it back until flush().
class Tap : public sc_core::sc_module {
 public:
  explicit Tap(const sc_core::sc_module_name& name);

  tlm_utils::simple_target_socket<Tap> in;
  tlm_utils::simple_initiator_socket<Tap> out;
  std::function<void(const Transaction&)> on_transaction;
  /// Hands out what is over, though something before it is not. Returns the number of those that are not.
  std::size_t flush();

 private:
  struct Entry {
    const tlm::tlm_generic_payload* payload;  // null: over
    Transaction transaction;
  };
  void begin(const tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay);
  void end(const tlm::tlm_generic_payload& payload, const sc_core::sc_time& delay);
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  tlm::tlm_sync_enum nb_transport_fw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  tlm::tlm_sync_enum nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                     sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) { return out->transport_dbg(payload); }

  std::deque<Entry> entries_;  // oldest first; those at the front are over as soon as possible
};

}  // namespace forerun::ip::record
