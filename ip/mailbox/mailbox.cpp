// SPDX-License-Identifier: Apache-2.0
#include "ip/mailbox/mailbox.hpp"

#include "firmware/abi/registers.h"

namespace forerun::ip {

Mailbox::Mailbox(const sc_core::sc_module_name& name, const MailboxParameters& parameters)
    : sc_module(name),
      socket("socket"),
      reset_line("reset",
                 [this](bool level) {
                   if (!level) return;
                   registers_.reset();
                   counters.clear();
                   to_chip_.clear();
                   to_host_.clear();
                   update_interrupt();
                 }),
      parameters_(parameters) {
  socket.register_b_transport(this, &Mailbox::b_transport);
  socket.register_transport_dbg(this, &Mailbox::transport_dbg);
  FR_MAILBOX_REGISTERS(FORERUN_ADD_REGISTER)
  for (std::uint32_t i = 0; i < FR_MESSAGE_WORDS; ++i) {
    if (i > 0) {
      registers_.add("IN" + std::to_string(i), FR_MAILBOX_IN0 + i * 8, 64, Access::RO, 0);
      registers_.add("OUT" + std::to_string(i), FR_MAILBOX_OUT0 + i * 8, 64, Access::RW, 0);
    }
    registers_.on_read(FR_MAILBOX_IN0 + i * 8,
                       [this, i](bool) { return to_chip_.empty() ? 0 : to_chip_.front()[i]; });
  }
  registers_.on_read(FR_MAILBOX_STATUS, [this](bool) {
    return static_cast<std::uint64_t>(
        (to_chip_.empty() ? 0 : FR_MAILBOX_STATUS_IN_VALID) |
        (to_host_.size() >= parameters_.depth ? FR_MAILBOX_STATUS_OUT_FULL : 0));
  });
  registers_.on_write(FR_MAILBOX_CONTROL, [this](std::uint64_t value) { return control(value); });
  registers_.on_write(FR_MAILBOX_INTERRUPT_ENABLE, [this](std::uint64_t value) {
    registers_.set(FR_MAILBOX_INTERRUPT_ENABLE, value);
    update_interrupt();
    return true;
  });
}

void Mailbox::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) {
  registers_.access(payload);
}

bool Mailbox::control(std::uint64_t value) {
  if ((value & FR_MAILBOX_CONTROL_SEND) != 0 && to_host_.size() >= parameters_.depth) return false;
  if ((value & FR_MAILBOX_CONTROL_POP) != 0 && !to_chip_.empty()) {
    to_chip_.pop_front();
    ++taken;
  }
  if ((value & FR_MAILBOX_CONTROL_SEND) != 0) {
    Message message;
    for (std::uint32_t i = 0; i < FR_MESSAGE_WORDS; ++i) message[i] = registers_.get(FR_MAILBOX_OUT0 + i * 8);
    to_host_.push_back(message);
    ++sent;
    if (on_message) on_message();
  }
  update_interrupt();
  return true;
}

void Mailbox::update_interrupt() {
  const auto enabled = registers_.get(FR_MAILBOX_INTERRUPT_ENABLE);
  interrupt.set(((enabled & FR_MAILBOX_INTERRUPT_IN) != 0 && !to_chip_.empty()) ||
                ((enabled & FR_MAILBOX_INTERRUPT_SPACE) != 0 && to_host_.size() < parameters_.depth));
}

bool Mailbox::host_send(const Message& message) {
  if (to_chip_.size() >= parameters_.depth) return false;
  to_chip_.push_back(message);
  update_interrupt();
  return true;
}

std::optional<Message> Mailbox::host_receive() {
  if (to_host_.empty()) return std::nullopt;
  const auto message = to_host_.front();
  to_host_.pop_front();
  update_interrupt();
  return message;
}

}  // namespace forerun::ip
