// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/lockstep_outputs.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace forerun::rtl {

LockstepSerial::LockstepSerial(ip::SerialPort& model, ip::SerialPort& rtl, const Device& device)
    : check(device, "character", [](const unsigned char& c) { return fmt::format("{:02x}", c); }),
      model_(model),
      rtl_(rtl) {
  model_.on_transmit = [this](unsigned char character) {
    check.model(character);
    if (on_transmit) on_transmit(character);
  };
  rtl_.on_transmit = [this](unsigned char character) { check.rtl(character); };
}

void LockstepSerial::receive(unsigned char character) {
  model_.receive(character);
  rtl_.receive(character);
}

sc_core::sc_time LockstepSerial::character_time() const {
  return std::max(model_.character_time(), rtl_.character_time());
}

LockstepMailbox::LockstepMailbox(ip::HostMailbox& model, ip::HostMailbox& rtl, const Device& device)
    : check(device, "message",
            [](const ip::Message& message) { return fmt::format("{:x}", fmt::join(message, " ")); }),
      model_(model),
      rtl_(rtl) {
  model_.on_message = [this] {
    if (on_message) on_message();
  };
  rtl_.on_message = [this] {
    while (const auto message = rtl_.host_receive()) check.rtl(*message);
  };
}

/// The queue of the RTL has at least as much room, for it takes what waits outside of it as soon as it can.
bool LockstepMailbox::host_send(const ip::Message& message) {
  return model_.host_send(message) && rtl_.host_send(message);
}

std::optional<ip::Message> LockstepMailbox::host_receive() {
  const auto message = model_.host_receive();
  if (message) check.model(*message);
  return message;
}

}  // namespace forerun::rtl
