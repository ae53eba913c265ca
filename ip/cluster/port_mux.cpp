// SPDX-License-Identifier: Apache-2.0
#include "ip/cluster/port_mux.hpp"

#include <algorithm>

namespace forerun::ip {

PortMux::PortMux(const sc_core::sc_module_name& name, unsigned inputs, Turns& turns) : sc_module(name), in("in", inputs), out("out") {
  for (unsigned i = 0; i < inputs; ++i) {
    const int id = static_cast<int>(i);
    in[i].register_b_transport(this, &PortMux::b_transport, id);
    in[i].register_nb_transport_fw(this, &PortMux::nb_transport_fw, id);
    in[i].register_transport_dbg(this, &PortMux::transport_dbg, id);
  }
  out.register_nb_transport_bw(this, &PortMux::nb_transport_bw);
  turns.add(pump_, *this, [this] { pump(); });
}

int PortMux::forget(tlm::tlm_generic_payload& payload) {
  const auto owner = std::find_if(owners_.begin(), owners_.end(), [&](const Owner& o) { return o.payload == &payload; });
  const int input = owner->input;
  *owner = owners_.back();
  owners_.pop_back();
  return input;
}

tlm::tlm_sync_enum PortMux::nb_transport_fw(int input, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                            sc_core::sc_time& delay) {
  if (phase != tlm::BEGIN_REQ) return out->nb_transport_fw(payload, phase, delay);
  owners_.push_back({&payload, input});
  if (requesting_ != nullptr || !waiting_.empty()) {
    waiting_.push_back({&payload, input});
    return tlm::TLM_ACCEPTED;
  }
  requesting_ = &payload;
  const auto answer = out->nb_transport_fw(payload, phase, delay);
  if (answer != tlm::TLM_ACCEPTED) requesting_ = nullptr;
  if (answer == tlm::TLM_COMPLETED || (answer == tlm::TLM_UPDATED && phase == tlm::BEGIN_RESP)) forget(payload);
  return answer;
}

void PortMux::pump() {
  while (requesting_ == nullptr && !waiting_.empty()) {
    const auto next = waiting_.front();
    waiting_.pop_front();
    requesting_ = next.payload;
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    auto delay = sc_core::SC_ZERO_TIME;
    const auto answer = out->nb_transport_fw(*next.payload, phase, delay);
    if (answer == tlm::TLM_ACCEPTED) return;
    requesting_ = nullptr;
    if (answer == tlm::TLM_COMPLETED) phase = tlm::BEGIN_RESP;
    if (phase == tlm::BEGIN_RESP) forget(*next.payload);
    in[static_cast<std::size_t>(next.input)]->nb_transport_bw(*next.payload, phase, delay);
  }
}

tlm::tlm_sync_enum PortMux::nb_transport_bw(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                            sc_core::sc_time& delay) {
  if (requesting_ == &payload) {
    requesting_ = nullptr;
    if (!waiting_.empty()) pump_.now();
  }
  const auto owner = std::find_if(owners_.begin(), owners_.end(), [&](const Owner& o) { return o.payload == &payload; });
  const auto input = static_cast<std::size_t>(owner->input);
  if (phase == tlm::BEGIN_RESP) forget(payload);
  return in[input]->nb_transport_bw(payload, phase, delay);
}

}  // namespace forerun::ip
