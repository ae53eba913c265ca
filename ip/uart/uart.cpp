// SPDX-License-Identifier: Apache-2.0
#include "ip/uart/uart.hpp"

#include <algorithm>
#include <array>

#include "ip/base/method.hpp"

namespace forerun::ip {
namespace {
enum Register : unsigned { DATA, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };
constexpr std::uint8_t divisor_access = 0x80;
constexpr std::uint8_t data_ready = 0x01, overrun_error = 0x02, holding_empty = 0x20, all_empty = 0x40;
constexpr std::uint8_t enable_data = 1, enable_empty = 2, enable_line = 4;
constexpr std::array<std::size_t, 4> triggers = {1, 4, 8, 14};
}  // namespace

Uart::Uart(const sc_core::sc_module_name& name, const UartParameters& parameters)
    : sc_module(name), socket("socket"), reset_line("reset", [this](bool level) { if (level) reset(); }), parameters_(parameters) {
  socket.register_b_transport(this, &Uart::b_transport);
  socket.register_transport_dbg(this, &Uart::transport_dbg);
  add_method("shifted", {&shifted_}, [this] {
    shifting_ = false;
    transmit_next();
  });
  add_method("idle", {&idle_}, [this] {
    timed_out_ = !receive_.empty();
    update_interrupt();
  });
}

void Uart::reset() {
  transmit_.clear();
  receive_.clear();
  ier_ = fcr_ = lcr_ = mcr_ = scratch_ = 0;
  divisor_ = 0;
  overrun_ = empty_pending_ = shifting_ = timed_out_ = false;
  shifted_.cancel();
  idle_.cancel();
  update_interrupt();
}

sc_core::sc_time Uart::character_time() const {
  const unsigned half_bits = 2 * (1 + 5 + (lcr_ & 3)) + ((lcr_ & 8) != 0 ? 2 : 0) + ((lcr_ & 4) == 0 ? 2 : (lcr_ & 3) == 0 ? 3 : 4);
  const double seconds = half_bits / 2.0 * 16 * divisor_ / parameters_.clock.hertz;
  return to_sc_time({static_cast<std::int64_t>(seconds * 1e12 + 0.5)});
}

bool Uart::decode(const tlm::tlm_generic_payload& payload, unsigned& reg) const {
  const auto address = payload.get_address();
  const auto length = payload.get_data_length();
  const auto step = 1u << parameters_.register_shift;
  const bool good = (length == 1 || (length == 4 && address % 4 == 0)) && address % step == 0 && address / step < 8 &&
                    payload.get_byte_enable_ptr() == nullptr && payload.get_streaming_width() >= length;
  reg = static_cast<unsigned>(address / step & 7);
  return good;
}

void Uart::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
  unsigned reg = 0;
  if (payload.get_address() >= 8u << parameters_.register_shift)
    return payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
  if (!decode(payload, reg)) return payload.set_response_status(tlm::TLM_BURST_ERROR_RESPONSE);
  auto* const data = payload.get_data_ptr();
  if (payload.is_read()) {
    std::fill_n(data, payload.get_data_length(), static_cast<unsigned char>(0));
    *data = read(reg, false);
  } else if (payload.is_write()) {
    write(reg, *data, delay);
  }
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
}

unsigned Uart::transport_dbg(tlm::tlm_generic_payload& payload) {
  unsigned reg = 0;
  if (!payload.is_read() || !decode(payload, reg)) return 0;
  std::fill_n(payload.get_data_ptr(), payload.get_data_length(), static_cast<unsigned char>(0));
  *payload.get_data_ptr() = read(reg, true);
  return payload.get_data_length();
}

std::uint8_t Uart::line_status() const {
  return static_cast<std::uint8_t>((receive_.empty() ? 0 : data_ready) | (overrun_ ? overrun_error : 0) |
                                   (transmit_.empty() ? holding_empty : 0) |
                                   (transmit_.empty() && !shifting_ ? all_empty : 0));
}

std::uint8_t Uart::identification() const {
  const auto fifos = static_cast<std::uint8_t>((fcr_ & 1) != 0 ? 0xc0 : 0);
  const auto trigger = (fcr_ & 1) != 0 ? triggers[fcr_ >> 6] : 1;
  std::uint8_t cause = 1;  // none
  if ((ier_ & enable_line) != 0 && overrun_)
    cause = 6;
  else if ((ier_ & enable_data) != 0 && receive_.size() >= trigger)
    cause = 4;
  else if ((ier_ & enable_data) != 0 && timed_out_)
    cause = 12;
  else if ((ier_ & enable_empty) != 0 && empty_pending_)
    cause = 2;
  return cause | fifos;
}

void Uart::update_interrupt() { interrupt.set((identification() & 1) == 0); }

std::uint8_t Uart::read(unsigned reg, bool debug) {
  const bool divisor = (lcr_ & divisor_access) != 0;
  switch (reg) {
    case DATA: {
      if (divisor) return static_cast<std::uint8_t>(divisor_);
      const std::uint8_t value = receive_.empty() ? 0 : receive_.front();
      if (debug || receive_.empty()) return value;
      receive_.pop_front();
      timed_out_ = false;
      if (!receive_.empty()) idle_.notify(4 * character_time());
      update_interrupt();
      return value;
    }
    case IER:
      return divisor ? static_cast<std::uint8_t>(divisor_ >> 8) : ier_;
    case IIR_FCR: {
      const auto value = identification();
      if (!debug && (value & 0xf) == 2) {
        empty_pending_ = false;
        update_interrupt();
      }
      return value;
    }
    case LCR:
      return lcr_;
    case MCR:
      return mcr_;
    case LSR: {
      const auto value = line_status();
      if (!debug) {
        overrun_ = false;
        update_interrupt();
      }
      return value;
    }
    case MSR:
      return (mcr_ & loopback) != 0 ? static_cast<std::uint8_t>((mcr_ & 0xc) << 4 | (mcr_ & 2) << 3 | (mcr_ & 1) << 5) : 0xb0;
    default:
      return scratch_;
  }
}

void Uart::write(unsigned reg, std::uint8_t value, const sc_core::sc_time& delay) {
  const bool divisor = (lcr_ & divisor_access) != 0;
  switch (reg) {
    case DATA:
      if (divisor) {
        divisor_ = static_cast<std::uint16_t>((divisor_ & 0xff00) | value);
        break;
      }
      if (transmit_.size() >= depth()) break;  // lost, as in hardware
      transmit_.push_back(value);
      empty_pending_ = false;
      if (!shifting_) {
        shifting_ = true;
        shifted_.notify(delay);  // the shift register takes it at the time of the access
      }
      break;
    case IER:
      if (divisor) {
        divisor_ = static_cast<std::uint16_t>((divisor_ & 0xff) | value << 8);
        break;
      }
      if ((value & enable_empty) != 0 && (ier_ & enable_empty) == 0 && transmit_.empty()) empty_pending_ = true;
      ier_ = value & 0xf;
      break;
    case IIR_FCR:
      fcr_ = value & 0xc9;
      if ((value & 2) != 0) receive_.clear(), timed_out_ = false;
      if ((value & 4) != 0) transmit_.clear();
      break;
    case LCR:
      lcr_ = value;
      break;
    case MCR:
      mcr_ = value & 0x1f;
      break;
    case SCR:
      scratch_ = value;
      break;
    default:
      break;
  }
  update_interrupt();
}

void Uart::transmit_next() {
  if (transmit_.empty()) return;
  const auto character = transmit_.front();
  transmit_.pop_front();
  ++sent;
  if ((mcr_ & loopback) != 0)
    receive(character);
  else if (on_transmit)
    on_transmit(character);
  shifting_ = true;
  shifted_.notify(character_time());
  if (transmit_.empty()) empty_pending_ = true;
  update_interrupt();
}

void Uart::receive(unsigned char character) {
  if (receive_.size() >= depth()) {
    overrun_ = true;
    ++lost;
  } else {
    receive_.push_back(character);
    ++received;
    timed_out_ = false;
    idle_.cancel();
    idle_.notify(4 * character_time());
  }
  update_interrupt();
}

}  // namespace forerun::ip
