// SPDX-License-Identifier: Apache-2.0
/// Serial ports and mailboxes of RTL beside models: what they send must be the same, whenever they send it.
#pragma once

#include <deque>
#include <functional>
#include <string>

#include "ip/base/time.hpp"
#include "ip/mailbox/host_mailbox.hpp"
#include "ip/uart/serial_port.hpp"
#include "platform/rtl/device.hpp"

namespace forerun::rtl {

/// Compares two sequences as far as both have come; tells the first difference.
template <typename Item>
class SequenceCheck {
 public:
  /// @param what of the items, "character"
  /// @param text of one of them
  SequenceCheck(const Device& device, std::string what, std::function<std::string(const Item&)> text)
      : device_(device), what_(std::move(what)), text_(std::move(text)) {}

  std::function<void(const Difference&)> on_difference;
  void model(const Item& item) { model_.push_back(item), compare(); }
  void rtl(const Item& item) { rtl_.push_back(item), compare(); }

 private:
  void compare() {
    for (; !model_.empty() && !rtl_.empty() && !found_; ++number_) {
      if (model_.front() != rtl_.front()) {
        found_ = true;
        const auto now = ip::now_picoseconds();
        if (on_difference)
          on_difference({device_.label(), what_ + " " + std::to_string(number_),
                         static_cast<std::uint64_t>(now / period(device_.frequency()).picoseconds), now,
                         "it is " + text_(rtl_.front()) + ", by the model " + text_(model_.front())});
      }
      model_.pop_front();
      rtl_.pop_front();
    }
  }
  const Device& device_;
  std::string what_;
  std::function<std::string(const Item&)> text_;
  std::deque<Item> model_, rtl_;
  std::size_t number_ = 0;
  bool found_ = false;
};

/// What the model sends is sent on; both get what is received.
class LockstepSerial : public ip::SerialPort {
 public:
  LockstepSerial(ip::SerialPort& model, ip::SerialPort& rtl, const Device& device);
  SequenceCheck<unsigned char> check;

  void receive(unsigned char character) override;
  bool can_receive() const override { return model_.can_receive() && rtl_.can_receive(); }
  sc_core::sc_time character_time() const override;

 private:
  ip::SerialPort &model_, &rtl_;
};

class LockstepMailbox : public ip::HostMailbox {
 public:
  LockstepMailbox(ip::HostMailbox& model, ip::HostMailbox& rtl, const Device& device);
  SequenceCheck<ip::Message> check;

  bool host_send(const ip::Message& message) override;
  std::optional<ip::Message> host_receive() override;

 private:
  ip::HostMailbox &model_, &rtl_;
};

}  // namespace forerun::rtl
