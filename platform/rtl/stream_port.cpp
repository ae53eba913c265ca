// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/stream_port.hpp"

#include "ip/base/payload.hpp"

namespace forerun::rtl {

StreamPort::StreamPort(const sc_core::sc_module_name& name, Device& device) : sc_module(name) {
  for (auto& target : device.targets)
    if (target.face->map.role == Role::receiver) {
      to_block_ = std::make_unique<tlm_utils::simple_initiator_socket<StreamPort>>("to_block");
      to_block_->bind(target.bridge->socket);
    }
  for (auto& initiator : device.initiators)
    if (initiator.face->map.role == Role::transmitter) {
      from_block_ = std::make_unique<tlm_utils::simple_target_socket<StreamPort>>("from_block");
      from_block_->register_b_transport(this, &StreamPort::b_transport);
      initiator.bridge->socket.bind(*from_block_);
    }
  if (to_block_) sc_core::sc_spawn([this] { run(); }, "send");
}

void StreamPort::send(std::vector<std::uint8_t> bytes) {
  packets_.push_back(std::move(bytes));
  sent_.notify(sc_core::SC_ZERO_TIME);
}

void StreamPort::run() {
  for (;;) {
    while (packets_.empty()) sc_core::wait(sent_);
    auto& bytes = packets_.front();
    tlm::tlm_generic_payload payload;
    payload.set_command(tlm::TLM_WRITE_COMMAND);
    payload.set_data_ptr(bytes.data());
    payload.set_data_length(static_cast<unsigned>(bytes.size()));
    payload.set_streaming_width(static_cast<unsigned>(bytes.size()));
    auto delay = sc_core::SC_ZERO_TIME;
    (*to_block_)->b_transport(payload, delay);
    packets_.pop_front();  // lost if a reset came in between
  }
}

void StreamPort::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  if (!on_bytes) return;
  ip::for_enabled_bytes(payload, [&](unsigned offset, unsigned count) {
    on_bytes({payload.get_data_ptr() + offset, count});
  });
}

}  // namespace forerun::rtl
