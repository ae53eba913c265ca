// SPDX-License-Identifier: Apache-2.0
/// Lets two masters into a target that has one socket.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <systemc>

namespace forerun::soc {

/// Passes everything on unchanged and without delay; there is no arbitration, so the two masters do not
/// disturb one another. Non-blocking transactions are served one at a time at each input, by b_transport.
class SharedTarget : public sc_core::sc_module {
 public:
  explicit SharedTarget(const sc_core::sc_module_name& name);

  sc_core::sc_vector<tlm_utils::simple_target_socket_tagged<SharedTarget>> in;  ///< 2
  tlm_utils::simple_initiator_socket<SharedTarget> out;

 private:
  void b_transport(int id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(int id, tlm::tlm_generic_payload& payload);
  bool get_direct_mem_ptr(int id, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi);
  void invalidate_direct_mem_ptr(sc_dt::uint64 start, sc_dt::uint64 end);
};

}  // namespace forerun::soc
