// SPDX-License-Identifier: Apache-2.0
#include "platform/rtl/serial.hpp"

#include <algorithm>

#include "ip/base/method.hpp"
#include "ip/base/time.hpp"

namespace forerun::rtl {
namespace {

constexpr unsigned data_bits = 8, all_bits = data_bits + 2;

}  // namespace

RtlSerial::RtlSerial(const sc_core::sc_module_name& name, Device& device, Time bit)
    : sc_module(name), device_(device), streams_("streams", device), bit_ps_(bit.picoseconds) {
  streams_.on_bytes = [this](std::span<const std::uint8_t> bytes) {
    for (const auto byte : bytes)
      if (on_transmit) on_transmit(byte);
  };
  if (device.has_signal("receive")) device.drive_signal("receive", {1}, 0);
  if (!device.has_signal("transmit")) return;
  line_ = false;  // as all signals until the reset is over
  device.watch_signal("transmit", [this](const SignalValue& value) { level(value[0] != 0); });
  ip::add_method("sample", {&sample_}, [this] { sample(); });
}

/// A falling edge after a rest begins a character; bits are looked at in their middles.
void RtlSerial::level(bool high) {
  if (line_ && !high && !sampling_) {
    sampling_ = true;
    bits_ = character_ = 0;
    sample_.notify(ip::to_sc_time(Time{bit_ps_ / 2}));
  }
  line_ = high;
}

void RtlSerial::sample() {
  if (bits_ == 0 && line_) {  // it was no start bit
    sampling_ = false;
    return;
  }
  if (bits_ > 0 && bits_ <= data_bits) character_ |= (line_ ? 1u : 0u) << (bits_ - 1);
  if (++bits_ < all_bits) return sample_.notify(ip::to_sc_time(Time{bit_ps_}));
  sampling_ = false;
  if (line_ && on_transmit) on_transmit(static_cast<unsigned char>(character_));  // else: no stop bit
}

bool RtlSerial::can_receive() const {
  if (device_.has_signal("receive")) return ip::now_picoseconds() >= line_free_ps_;
  return streams_.has_receiver() && streams_.waiting() == 0;
}

void RtlSerial::receive(unsigned char character) {
  if (!device_.has_signal("receive")) {
    if (streams_.has_receiver()) streams_.send({character});
    return;
  }
  const auto begin = std::max(ip::now_picoseconds(), line_free_ps_);
  const unsigned frame = (1u << (data_bits + 1)) | unsigned{character} << 1;
  for (unsigned i = 0; i < all_bits; ++i)
    device_.drive_signal("receive", {frame >> i & 1}, begin + i * bit_ps_);
  line_free_ps_ = begin + all_bits * bit_ps_;
}

sc_core::sc_time RtlSerial::character_time() const { return ip::to_sc_time(Time{all_bits * bit_ps_}); }

}  // namespace forerun::rtl
