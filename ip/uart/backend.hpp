// SPDX-License-Identifier: Apache-2.0
/// Connects a serial port to the host: console, files or a pseudo terminal.
#pragma once

#include <array>
#include <systemc>

#include "ip/base/time.hpp"
#include "ip/uart/host_line.hpp"
#include "ip/uart/serial_port.hpp"

namespace forerun::ip {

struct UartBackendParameters {
  Time poll{1'000'000'000};  ///< simulated time between two looks for host input, above 0
};

/// Output goes to the host as each character is sent. Host input is looked for in the simulation's own
/// thread, each `poll` of simulated time: no second thread, so input from a file comes at the same simulated
/// times in every run. Characters then follow one another at the line's rate, and wait while the receiver is
/// full or in loopback; none is lost. The first look is one `poll` after the start, which leaves firmware
/// time to set up the port.
///
/// Without input there is no process at all. With input, the simulation is kept alive until the input ends; a
/// pseudo terminal and an open console never end. While nothing else is going on, a look waits for the host
/// up to 20 ms, so that an idle chip does not occupy the host.
class UartBackend : public sc_core::sc_module {
 public:
  UartBackend(const sc_core::sc_module_name& name, SerialPort& port, HostLine line,
              const UartBackendParameters& parameters = {});

  /// Path of the pseudo terminal, otherwise empty.
  const std::string& terminal() const { return line_.name(); }

 private:
  static constexpr int idle_wait_ms = 20;
  void poll();
  void send(unsigned char character);

  SerialPort& port_;
  HostLine line_;
  sc_core::sc_time interval_;
  std::array<unsigned char, 256> input_{};
  std::size_t next_ = 0, end_ = 0;  // characters read from the host that the port has not got yet
  bool failed_ = false;
};

}  // namespace forerun::ip
