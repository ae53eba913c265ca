// SPDX-License-Identifier: Apache-2.0
#include "ip/cosim/stream_to_tlm.hpp"

namespace forerun::ip::cosim {

StreamToTlm::StreamToTlm(const sc_core::sc_module_name& name, PinClock& clock, StreamPins& pins,
                         const StreamToTlmParameters& parameters)
    : InitiatorBridge(name, clock),
      pins_(pins),
      parameters_(parameters),
      receiver_(parameters.shape, parameters.receiver) {}

void StreamToTlm::edge_bus() {
  receiver_.edge(pins_);
  while (auto* packet = receiver_.take()) {
    if (packet->length == 0) {  // null bytes only
      receiver_.release(*packet);
      continue;
    }
    auto& job = open();
    job.piece = packet;
    auto& payload = job.payload;
    payload.set_command(tlm::TLM_WRITE_COMMAND);
    payload.set_address(parameters_.address.base +
                        (std::uint64_t{packet->dest} << parameters_.address.dest_shift));
    payload.set_data_ptr(packet->data);
    payload.set_data_length(packet->length);
    payload.set_streaming_width(packet->length);
    if (packet->enables != nullptr) {
      payload.set_byte_enable_ptr(packet->enables);
      payload.set_byte_enable_length(packet->length);
    }
    send(job);
  }
}

}  // namespace forerun::ip::cosim
