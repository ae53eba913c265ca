// SPDX-License-Identifier: Apache-2.0
/// The host's end of a mailbox of RTL.
#pragma once

#include <array>
#include <deque>
#include <systemc>

#include "ip/mailbox/host_mailbox.hpp"
#include "platform/rtl/stream_port.hpp"

namespace forerun::rtl {

/// Messages of 64 bytes, words little-endian, one after another over an AXI4-Stream in each direction,
/// however beats and packets divide them (those to the block are packets).
class RtlMailbox : public sc_core::sc_module, public ip::HostMailbox {
 public:
  /// @param most messages that wait for the block to take them
  RtlMailbox(const sc_core::sc_module_name& name, Device& device, unsigned most);

  bool host_send(const ip::Message& message) override;
  std::optional<ip::Message> host_receive() override;

 private:
  void take(std::span<const std::uint8_t> bytes);

  StreamPort streams_;
  unsigned most_;
  std::array<std::uint8_t, sizeof(ip::Message)> partial_{};
  std::size_t filled_ = 0;
  std::deque<ip::Message> received_;
};

}  // namespace forerun::rtl
