// SPDX-License-Identifier: Apache-2.0
/// A serial port with the register map of the 16550 (TL16C550C data sheet).
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <deque>
#include <systemc>

#include "ip/base/counters.hpp"
#include "ip/base/level.hpp"
#include "ip/base/time.hpp"
#include "ip/uart/serial_port.hpp"

namespace forerun::ip {

struct UartParameters {
  Frequency clock{1.8432e6};    ///< input of the divisor; a bit lasts 16 * divisor cycles
  unsigned register_shift = 0;  ///< registers lie 1 << register_shift bytes apart, 0 .. 3
};

/// RBR/THR, IER, IIR/FCR, LCR, MCR, LSR, MSR, SCR and the divisor latch; 16-byte FIFOs, polled or by
/// interrupt (line status, received data and time-out, transmitter empty). A character takes its start, data,
/// parity and stop bits; with divisor 0 it takes no time. Characters sent go to `on_transmit`; `receive` puts
/// one on the line, where a full FIFO loses it and sets OE. Loopback (MCR bit 4) feeds the transmitter to the
/// receiver. Accesses of one byte, or of four aligned bytes whose lowest counts; others get
/// TLM_BURST_ERROR_RESPONSE.
class Uart : public sc_core::sc_module, public SerialPort {
 public:
  Uart(const sc_core::sc_module_name& name, const UartParameters& parameters);

  tlm_utils::simple_target_socket<Uart> socket;
  LevelOut interrupt{"interrupt"};
  LevelIn reset_line;
  CounterGroup counters;
  Counter sent{counters, "sent", "character", "characters sent"};
  Counter received{counters, "received", "character", "characters received"};
  Counter lost{counters, "lost", "character", "characters that found the receive FIFO full"};

  void receive(unsigned char character) override;
  /// There is room, and no loopback.
  bool can_receive() const override { return receive_.size() < depth() && (mcr_ & loopback) == 0; }
  sc_core::sc_time character_time() const override;

 private:
  static constexpr std::uint8_t loopback = 0x10;
  static constexpr std::size_t fifo_depth = 16;
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay);
  unsigned transport_dbg(tlm::tlm_generic_payload& payload);
  bool decode(const tlm::tlm_generic_payload& payload, unsigned& reg) const;
  std::uint8_t read(unsigned reg, bool debug);
  void write(unsigned reg, std::uint8_t value, const sc_core::sc_time& delay);
  void transmit_next();
  void reset();
  void update_interrupt();
  std::uint8_t line_status() const;
  std::uint8_t identification() const;
  std::size_t depth() const { return (fcr_ & 1) != 0 ? fifo_depth : 1; }

  UartParameters parameters_;
  std::deque<std::uint8_t> transmit_, receive_;
  std::uint8_t ier_ = 0, fcr_ = 0, lcr_ = 0, mcr_ = 0, scratch_ = 0;
  std::uint16_t divisor_ = 0;
  bool overrun_ = false, empty_pending_ = false, shifting_ = false, timed_out_ = false;
  sc_core::sc_event shifted_, idle_;
};

}  // namespace forerun::ip
