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
    : tlm_generic_payload(&pool), data(std::make_unique<unsigned char[]>(capacity)) {
  set_data_ptr(data.get());
  set_extension(&timing_only);
  set_extension(&posted);
}

PayloadPool::Slot::~Slot() {
  clear_extension(&timing_only);
  clear_extension(&posted);
}

tlm::tlm_generic_payload& PayloadPool::acquire(tlm::tlm_command command, std::uint64_t address,
                                               std::uint32_t length, bool timing_only) {
  assert(length <= capacity_);
  if (free_.empty()) {
    slots_.push_back(std::make_unique<Slot>(*this, capacity_));
    free_.push_back(slots_.back().get());
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
  payload.timing_only.active = timing_only;
  payload.posted.active = false;
  return payload;
}

}  // namespace forerun::ip
