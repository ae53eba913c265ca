// SPDX-License-Identifier: Apache-2.0
/// A mailbox as the host sees it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "firmware/abi/message.h"

namespace forerun::ip {

/// Words 0 (FR_MESSAGE_*) to 7 (FR_MESSAGES says what they mean).
using Message = std::array<std::uint64_t, FR_MESSAGE_WORDS>;

class HostMailbox {
 public:
  HostMailbox() = default;
  HostMailbox(const HostMailbox&) = delete;
  HostMailbox& operator=(const HostMailbox&) = delete;
  virtual ~HostMailbox() = default;

  /// False when the queue to the chip is full.
  virtual bool host_send(const Message& message) = 0;
  virtual std::optional<Message> host_receive() = 0;
  /// Called when firmware has sent a message.
  std::function<void()> on_message;
};

}  // namespace forerun::ip
