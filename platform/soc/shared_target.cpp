// SPDX-License-Identifier: Apache-2.0
#include "platform/soc/shared_target.hpp"

namespace forerun::soc {

SharedTarget::SharedTarget(const sc_core::sc_module_name& name) : sc_module(name), in("in", 2), out("out") {
  for (int i = 0; i < 2; ++i) {
    auto& socket = in[static_cast<std::size_t>(i)];
    socket.register_b_transport(this, &SharedTarget::b_transport, i);
    socket.register_transport_dbg(this, &SharedTarget::transport_dbg, i);
    socket.register_get_direct_mem_ptr(this, &SharedTarget::get_direct_mem_ptr, i);
  }
  out.register_invalidate_direct_mem_ptr(this, &SharedTarget::invalidate_direct_mem_ptr);
}

void SharedTarget::b_transport(int, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  out->b_transport(payload, delay);
}

unsigned SharedTarget::transport_dbg(int, tlm::tlm_generic_payload& payload) {
  return out->transport_dbg(payload);
}

bool SharedTarget::get_direct_mem_ptr(int, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  return out->get_direct_mem_ptr(payload, dmi);
}

void SharedTarget::invalidate_direct_mem_ptr(sc_dt::uint64 start, sc_dt::uint64 end) {
  for (auto& socket : in) socket->invalidate_direct_mem_ptr(start, end);
}

}  // namespace forerun::soc
