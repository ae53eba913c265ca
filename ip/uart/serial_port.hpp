// SPDX-License-Identifier: Apache-2.0
/// A serial port as what is at the other end of its line sees it.
#pragma once

#include <functional>
#include <systemc>

namespace forerun::ip {

class SerialPort {
 public:
  SerialPort() = default;
  SerialPort(const SerialPort&) = delete;
  SerialPort& operator=(const SerialPort&) = delete;
  virtual ~SerialPort() = default;

  /// Called with each character that the port has sent.
  std::function<void(unsigned char)> on_transmit;
  /// Puts a character on the line to the port.
  virtual void receive(unsigned char character) = 0;
  /// True if a character on the line would be kept.
  virtual bool can_receive() const = 0;
  /// How long a character lasts on the line, as now set up.
  virtual sc_core::sc_time character_time() const = 0;
};

}  // namespace forerun::ip
