// SPDX-License-Identifier: Apache-2.0
// The network as its carrier sees it.
#include <algorithm>

#include "ip/noc/noc.hpp"

namespace forerun::ip {

std::vector<std::string> Noc::names(bool initiators) const {
  std::vector<std::string> list;
  for (std::size_t i = 0; i < endpoints_.size(); ++i)
    if ((initiators ? endpoints_[i].initiator != nullptr : endpoints_[i].target != nullptr))
      list.push_back(graph_.endpoints()[i].name);
  return list;
}

std::uint32_t Noc::endpoint_of(bool initiator, unsigned number) const {
  const auto at = std::find_if(endpoints_.begin(), endpoints_.end(), [&](const Endpoint& e) {
    return e.number == number && (initiator ? e.initiator != nullptr : e.target != nullptr);
  });
  return static_cast<std::uint32_t>(at - endpoints_.begin());
}

std::optional<Noc::Place> Noc::place(std::uint64_t address) const {
  const auto* range = find(address);
  if (range == nullptr || range->group != none) return std::nullopt;
  const auto offset = address - range->base;
  const auto which = range->granule == 0 ? 0 : offset / range->granule % range->targets.size();
  return Place{endpoints_[range->targets[which]].number, offset + range->offset};
}

tlm::tlm_sync_enum Noc::deliver(unsigned target, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                sc_core::sc_time& delay) {
  return (*endpoints_[endpoint_of(false, target)].target)->nb_transport_fw(payload, phase, delay);
}

tlm::tlm_sync_enum Noc::respond(unsigned initiator, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                sc_core::sc_time& delay) {
  return (*endpoints_[endpoint_of(true, initiator)].initiator)->nb_transport_bw(payload, phase, delay);
}

}  // namespace forerun::ip
