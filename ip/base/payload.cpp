// SPDX-License-Identifier: Apache-2.0
#include "ip/base/payload.hpp"

#include <cassert>
#include <cstring>

namespace forerun::ip {

void copy_data(tlm::tlm_generic_payload& payload, unsigned char* here) {
  auto* const data = payload.get_data_ptr();
  if (payload.is_read())
    for_enabled_bytes(payload, [&](unsigned offset, unsigned bytes) { std::memcpy(data + offset, here + offset, bytes); });
  else if (payload.is_write())
    for_enabled_bytes(payload, [&](unsigned offset, unsigned bytes) { std::memcpy(here + offset, data + offset, bytes); });
}

PayloadPool::Slot::Slot(PayloadPool& pool, std::uint32_t capacity)
    : data(std::make_unique<unsigned char[]>(capacity)), payload(&pool) {
  payload.set_extension(&timing_only);
  payload.set_extension(&posted);
}

PayloadPool::Slot::~Slot() {
  payload.clear_extension(&timing_only);
  payload.clear_extension(&posted);
}

tlm::tlm_generic_payload& PayloadPool::acquire(tlm::tlm_command command, std::uint64_t address,
                                               std::uint32_t length, bool timing_only) {
  assert(length <= capacity_);
  if (free_.empty()) {
    slots_.push_back(std::make_unique<Slot>(*this, capacity_));
    slots_.back()->payload.set_data_ptr(slots_.back()->data.get());
    free_.push_back(&slots_.back()->payload);
  }
  auto& payload = *free_.back();
  free_.pop_back();
  payload.acquire();
  payload.set_command(command);
  payload.set_address(address);
  payload.set_data_length(length);
  payload.set_streaming_width(length);
  payload.set_byte_enable_ptr(nullptr);
  payload.set_byte_enable_length(0);
  payload.set_dmi_allowed(false);
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  payload.get_extension<TimingOnly>()->active = timing_only;
  payload.get_extension<Posted>()->active = false;
  return payload;
}

}  // namespace forerun::ip
