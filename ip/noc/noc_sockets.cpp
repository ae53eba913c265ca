// SPDX-License-Identifier: Apache-2.0
// What the sockets of the network call.
#include <algorithm>
#include <cstring>

#include "ip/noc/noc.hpp"

namespace forerun::ip {
namespace {
/// Until a wrong address is answered: into the first router and back.
std::int64_t refusal_cycles(const NocParameters& p) { return 1 + p.inject_latency + p.router_latency(); }
}  // namespace

tlm::tlm_sync_enum Noc::nb_transport_bw(int id, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                        sc_core::sc_time& delay) {
  auto& endpoint = endpoints_[static_cast<std::size_t>(id)];
  if (carrier_ != nullptr) return carrier_->from_target(endpoint.number, payload, phase, delay);
  auto& transit = *payload.get_extension<Transit>();
  const auto delay_ps = to_picoseconds(delay);
  if (phase == tlm::BEGIN_RESP) {
    if (endpoint.requesting == &transit) {  // implies END_REQ
      endpoint.requesting = nullptr;
      give_back(transit);
      make_response(transit, delay_ps);
      hand_over(static_cast<std::uint32_t>(id));
    } else {
      make_response(transit, delay_ps);
    }
    return tlm::TLM_COMPLETED;
  }
  if (endpoint.requesting != &transit) return tlm::TLM_ACCEPTED;
  if (delay_ps > 0)
    post(now_picoseconds() + delay_ps, What::accepted, transit);
  else
    end_request(transit);
  return tlm::TLM_ACCEPTED;
}

tlm::tlm_sync_enum Noc::nb_transport_fw(int id, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                        sc_core::sc_time& delay) {
  const auto endpoint = static_cast<std::uint32_t>(id);
  auto& from = endpoints_[endpoint];
  if (phase == tlm::END_RESP) {
    if (carrier_ != nullptr) return carrier_->end_response(from.number, payload, phase, delay);
    from.responding = false;
    payload.release();
    offer_responses(endpoint);
    return tlm::TLM_COMPLETED;
  }
  if (phase != tlm::BEGIN_REQ) return tlm::TLM_ACCEPTED;
  const Range* range = nullptr;
  std::uint32_t destination = 0;
  std::uint64_t local = 0;
  const auto status = decode(payload, endpoint, range, destination, local);
  if (status != tlm::TLM_OK_RESPONSE) {
    payload.set_response_status(status);
    delay += clock_.cycles(refusal_cycles(parameters_));
    phase = tlm::BEGIN_RESP;
    return tlm::TLM_COMPLETED;
  }
  if (carrier_ != nullptr)
    return carrier_->request(from.number, endpoints_[destination].number, local, payload, phase, delay);
  payload.acquire();
  auto& transit = start_request(payload, endpoint, *range, destination, local);
  catch_up();
  const bool free = from.leaving == 0;
  transit.owes_end = !free;
  owing_ += !free;
  transit.born_ps += to_picoseconds(delay);
  if (transit.born_ps > now_picoseconds())
    post(transit.born_ps, What::join, transit);
  else
    enter(transit);
  if (!free) return tlm::TLM_ACCEPTED;
  phase = tlm::END_REQ;
  return tlm::TLM_UPDATED;
}

void Noc::b_transport(int id, tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  const auto endpoint = static_cast<std::uint32_t>(id);
  const Range* range = nullptr;
  std::uint32_t destination = 0;
  std::uint64_t local = 0;
  const auto status = decode(payload, endpoint, range, destination, local);
  if (status != tlm::TLM_OK_RESPONSE) {
    delay += clock_.cycles(refusal_cycles(parameters_));
    return payload.set_response_status(status);
  }
  const auto length = payload.get_data_length();
  if (parameters_.timing == Timing::loose) {
    ++packets;
    if (range->group != none) {
      const auto& group = *groups_[range->group];
      return group.reduces ? loose_reduction(group, endpoint, payload, delay)
                           : loose_multicast(group, endpoint, payload, delay);
    }
    const auto address = payload.get_address();
    payload.set_address(local);
    delay += to_sc_time({zero_load_ps(endpoint, destination, flits_for(payload.is_write() ? length : 0))});
    (*endpoints_[destination].target)->b_transport(payload, delay);
    delay += to_sc_time({zero_load_ps(destination, endpoint, flits_for(payload.is_read() ? length : 0))});
    payload.set_address(address);
    if (range->granule != 0 && range->targets.size() > 1) payload.set_dmi_allowed(payload.is_dmi_allowed());
    return;
  }
  if (carrier_ != nullptr)
    return carrier_->b_transport(endpoints_[endpoint].number, endpoints_[destination].number, local, payload,
                                 delay);
  if (length > pool_.capacity() || payload.get_byte_enable_ptr() != nullptr)
    return payload.set_response_status(payload.get_byte_enable_ptr() != nullptr
                                           ? tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE
                                           : tlm::TLM_BURST_ERROR_RESPONSE);
  if (delay != sc_core::SC_ZERO_TIME) wait(delay);
  delay = sc_core::SC_ZERO_TIME;
  auto& own = pool_.acquire(payload.get_command(), payload.get_address(), length, is_timing_only(payload));
  if (payload.is_write()) std::memcpy(own.get_data_ptr(), payload.get_data_ptr(), length);
  sc_core::sc_event done;
  auto& transit = start_request(own, endpoint, *range, destination, local);
  transit.waiter = &done;
  enter(transit);
  wait(done);
  if (payload.is_read() && own.is_response_ok())
    std::memcpy(payload.get_data_ptr(), own.get_data_ptr(), length);
  payload.set_response_status(own.get_response_status());
  own.release();
}

unsigned Noc::transport_dbg(int, tlm::tlm_generic_payload& payload) {
  const auto* range = find(payload.get_address());
  if (range == nullptr) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return 0;
  }
  const auto address = payload.get_address();
  const auto offset = address - range->base;
  unsigned moved = 0;
  if (range->group != none) {
    const auto& group = *groups_[range->group];
    if (group.reduces) {
      payload.set_address(group.local(address));
      moved = (*endpoints_[group.target(address)].target)->transport_dbg(payload);
    }
    for (const auto& member : group.reduces ? std::vector<noc::GroupMember>() : group.members) {
      payload.set_address(offset + member.offset);
      moved = (*endpoints_[member.endpoint].target)->transport_dbg(payload);
      if (payload.is_read()) break;
    }
    payload.set_address(address);
    return moved;
  }
  // Each piece of an interleaved range goes to its own target.
  auto* const data = payload.get_data_ptr();
  const auto length = payload.get_data_length();
  const bool cut =
      range->granule != 0 && range->targets.size() > 1 && payload.get_byte_enable_ptr() == nullptr;
  while (moved < length) {
    const auto at = offset + moved;
    const auto which = range->granule == 0 ? 0 : at / range->granule % range->targets.size();
    const auto piece = cut ? static_cast<unsigned>(std::min<std::uint64_t>(
                                 length - moved, range->granule - at % range->granule))
                           : length;
    payload.set_address(at + range->offset);
    payload.set_data_ptr(data + moved);
    payload.set_data_length(piece);
    const auto done = (*endpoints_[range->targets[which]].target)->transport_dbg(payload);
    moved += done;
    if (done != piece) break;
  }
  payload.set_address(address);
  payload.set_data_ptr(data);
  payload.set_data_length(length);
  return moved;
}

bool Noc::get_direct_mem_ptr(int, tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  const auto* range = find(payload.get_address());
  if (parameters_.timing != Timing::loose || range == nullptr || range->group != none) return false;
  const auto address = payload.get_address();
  payload.set_address(address - range->base + range->offset);
  const bool granted = (*endpoints_[range->targets.front()].target)->get_direct_mem_ptr(payload, dmi);
  payload.set_address(address);
  dmi.set_start_address(std::max(dmi.get_start_address(), sc_dt::uint64{range->offset}) - range->offset +
                        range->base);
  const auto end = std::min<std::uint64_t>(dmi.get_end_address() - range->offset, range->size - 1);
  dmi.set_end_address(end + range->base);
  return granted;
}

}  // namespace forerun::ip
