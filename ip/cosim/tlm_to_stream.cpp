// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/tlm_to_stream.hpp"

namespace forerun::ip::cosim {

TlmToStream::TlmToStream(const sc_core::sc_module_name& name, PinClock& clock, StreamPins& pins,
                         const TlmToStreamParameters& parameters)
    : TargetBridge(name, clock, parameters.most_transactions),
      pins_(pins),
      parameters_(parameters),
      transmitter_(parameters.shape, parameters.stall) {}

tlm::tlm_response_status TlmToStream::check(const tlm::tlm_generic_payload& payload) const {
  if (!payload.is_write()) return tlm::TLM_COMMAND_ERROR_RESPONSE;
  if (payload.get_data_length() == 0 || payload.get_data_ptr() == nullptr)
    return tlm::TLM_BURST_ERROR_RESPONSE;
  if (payload.get_byte_enable_ptr() != nullptr && payload.get_byte_enable_length() == 0)
    return tlm::TLM_BYTE_ENABLE_ERROR_RESPONSE;
  const auto& map = parameters_.address;
  if (payload.get_address() < map.base || (payload.get_address() - map.base) >> map.dest_shift > 0xffffffffu)
    return tlm::TLM_ADDRESS_ERROR_RESPONSE;
  return tlm::TLM_OK_RESPONSE;
}

void TlmToStream::start(Job& job) {
  auto& payload = *job.payload;
  job.left = 1;
  job.packet = {.data = payload.get_data_ptr(),
                .length = payload.get_data_length(),
                .enables = payload.get_byte_enable_ptr(),
                .enables_period = payload.get_byte_enable_length(),
                .id = parameters_.id,
                .dest = static_cast<std::uint32_t>((payload.get_address() - parameters_.address.base) >>
                                                   parameters_.address.dest_shift),
                .owner = &job};
  transmitter_.send(job.packet);
}

void TlmToStream::edge_bus() {
  transmitter_.edge(pins_);
  while (auto* packet = transmitter_.take_done())
    piece_done(*static_cast<Job*>(packet->owner), packet->failed ? Response::slverr : Response::okay);
}

}  // namespace forerun::ip::cosim
