// SPDX-License-Identifier: Apache-2.0
/// The outside of a serial port of RTL.
#pragma once

#include <systemc>

#include "ip/base/units.hpp"
#include "ip/uart/serial_port.hpp"
#include "platform/rtl/stream_port.hpp"

namespace forerun::rtl {

/// Characters by streams of bytes (an AXI4-Stream transmitter, a receiver), or by the signals `transmit` and
/// `receive`: lines that are high at rest, a start bit, 8 data bits from the lowest on, a stop bit, each as
/// long as `bit`. Without a way in, can_receive() is always false.
class RtlSerial : public sc_core::sc_module, public ip::SerialPort {
 public:
  RtlSerial(const sc_core::sc_module_name& name, Device& device, Time bit);

  void receive(unsigned char character) override;
  bool can_receive() const override;
  sc_core::sc_time character_time() const override;

 private:
  void level(bool high);
  void sample();

  Device& device_;
  StreamPort streams_;
  std::int64_t bit_ps_, line_free_ps_ = 0;
  bool line_ = true;   ///< from the block
  unsigned bits_ = 0;  ///< sampled of the present character, with its start bit
  bool sampling_ = false;
  unsigned character_ = 0;
  sc_core::sc_event sample_;
};

}  // namespace forerun::rtl
