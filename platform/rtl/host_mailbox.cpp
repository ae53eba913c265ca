// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/host_mailbox.hpp"

namespace forerun::rtl {

RtlMailbox::RtlMailbox(const sc_core::sc_module_name& name, Device& device, unsigned most)
    : sc_module(name), streams_("streams", device), most_(most) {
  streams_.on_bytes = [this](std::span<const std::uint8_t> bytes) { take(bytes); };
}

bool RtlMailbox::host_send(const ip::Message& message) {
  if (streams_.waiting() >= most_) return false;
  std::vector<std::uint8_t> bytes;
  for (const auto word : message)
    for (unsigned i = 0; i < 8; ++i) bytes.push_back(static_cast<std::uint8_t>(word >> 8 * i));
  streams_.send(std::move(bytes));
  return true;
}

void RtlMailbox::take(std::span<const std::uint8_t> bytes) {
  for (const auto byte : bytes) {
    partial_[filled_++] = byte;
    if (filled_ < partial_.size()) continue;
    filled_ = 0;
    auto& message = received_.emplace_back();
    for (std::size_t i = 0; i < partial_.size(); ++i)
      message[i / 8] |= std::uint64_t{partial_[i]} << 8 * (i % 8);
    if (on_message) on_message();
  }
}

std::optional<ip::Message> RtlMailbox::host_receive() {
  if (received_.empty()) return std::nullopt;
  const auto message = received_.front();
  received_.pop_front();
  return message;
}

}  // namespace forerun::rtl
