// SPDX-License-Identifier: Apache-2.0
#include "ip/bus/bus.hpp"

#include <algorithm>
#include <limits>
#include <stdexcept>

namespace forerun::ip {

Bus::Bus(const sc_core::sc_module_name& name, const BusParameters& parameters)
    : sc_module(name), socket("socket"), latency_(to_sc_time(parameters.latency)) {
  socket.register_b_transport(this, &Bus::b_transport);
  socket.register_transport_dbg(this, &Bus::transport_dbg);
  socket.register_get_direct_mem_ptr(this, &Bus::get_direct_mem_ptr);
}

Bus::Target& Bus::add(std::uint64_t base, std::uint64_t size) {
  simcontext()->hierarchy_push(this);  // the socket becomes a child, though the constructor is over
  auto target = std::make_unique<Target>(sc_core::sc_gen_unique_name("target"));
  simcontext()->hierarchy_pop();
  target->register_invalidate_direct_mem_ptr(this, &Bus::invalidate_direct_mem_ptr, static_cast<int>(ranges_.size()));
  ranges_.push_back({base, size, std::move(target)});
  return *ranges_.back().target;
}

Bus::Target& Bus::map(std::uint64_t base, std::uint64_t size) {
  for (std::size_t i = 0; i < ranges_.size(); ++i)
    if (static_cast<int>(i) != rest_ && base - ranges_[i].base < ranges_[i].size) throw std::invalid_argument("ranges overlap");
  for (std::size_t i = 0; i < ranges_.size(); ++i)
    if (static_cast<int>(i) != rest_ && ranges_[i].base - base < size) throw std::invalid_argument("ranges overlap");
  return add(base, size);
}

Bus::Target& Bus::map_rest() {
  if (rest_ >= 0) throw std::invalid_argument("the rest is mapped already");
  rest_ = static_cast<int>(ranges_.size());
  return add(0, std::numeric_limits<std::uint64_t>::max());
}

Bus::Range* Bus::find(const tlm::tlm_generic_payload& payload) {
  const auto address = payload.get_address();
  for (std::size_t i = 0; i < ranges_.size(); ++i) {
    auto& range = ranges_[i];
    if (static_cast<int>(i) == rest_ || address - range.base >= range.size) continue;
    return payload.get_data_length() <= range.size - (address - range.base) ? &range : nullptr;
  }
  return rest_ < 0 ? nullptr : &ranges_[static_cast<std::size_t>(rest_)];
}

void Bus::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  delay += latency_;
  auto* const range = find(payload);
  if (range == nullptr) {
    ++refused;
    return payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  }
  ++transactions;
  const auto address = payload.get_address();
  payload.set_address(address - range->base);
  (*range->target)->b_transport(payload, delay);
  payload.set_address(address);
}

unsigned Bus::transport_dbg(tlm::tlm_generic_payload& payload) {
  auto* const range = find(payload);
  if (range == nullptr) {
    payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    return 0;
  }
  const auto address = payload.get_address();
  payload.set_address(address - range->base);
  const auto moved = (*range->target)->transport_dbg(payload);
  payload.set_address(address);
  return moved;
}

bool Bus::get_direct_mem_ptr(tlm::tlm_generic_payload& payload, tlm::tlm_dmi& dmi) {
  auto* const range = find(payload);
  if (range == nullptr) return false;
  const auto address = payload.get_address();
  payload.set_address(address - range->base);
  const bool granted = (*range->target)->get_direct_mem_ptr(payload, dmi);
  payload.set_address(address);
  const auto last = range->size - 1;
  dmi.set_start_address(range->base + std::min<std::uint64_t>(dmi.get_start_address(), last));
  dmi.set_end_address(range->base + std::min<std::uint64_t>(dmi.get_end_address(), last));
  dmi.set_read_latency(dmi.get_read_latency() + latency_);
  dmi.set_write_latency(dmi.get_write_latency() + latency_);
  return granted;
}

void Bus::invalidate_direct_mem_ptr(int id, sc_dt::uint64 start, sc_dt::uint64 end) {
  const auto& range = ranges_[static_cast<std::size_t>(id)];
  if (start >= range.size) return;
  socket->invalidate_direct_mem_ptr(range.base + start, range.base + std::min<std::uint64_t>(end, range.size - 1));
}

}  // namespace forerun::ip
