// SPDX-License-Identifier: Apache-2.0
#include "ip/uart/backend.hpp"

#include <stdexcept>

namespace forerun::ip {

UartBackend::UartBackend(const sc_core::sc_module_name& name, SerialPort& port, HostLine line,
                         const UartBackendParameters& parameters)
    : sc_module(name), port_(port), line_(std::move(line)), interval_(to_sc_time(parameters.poll)) {
  if (parameters.poll.picoseconds <= 0)
    throw std::invalid_argument("the poll interval of a serial line must be above 0");
  port_.on_transmit = [this](unsigned char character) { send(character); };
  if (!line_.has_input()) return;
  sc_core::sc_spawn_options options;
  options.spawn_method();
  sc_core::sc_spawn(
      [this] {
        sc_core::sc_time_stamp() == sc_core::SC_ZERO_TIME ? sc_core::next_trigger(interval_) : poll();
      },
      "poll", &options);
}

void UartBackend::send(unsigned char character) {
  if (line_.write(character) || failed_) return;
  failed_ = true;
  SC_REPORT_WARNING(name(), "output of the serial line cannot be written any more");
}

void UartBackend::poll() {
  line_.flush();
  if (next_ == end_) {
    const auto count = line_.read(input_, sc_core::sc_pending_activity() ? 0 : idle_wait_ms);
    if (!count) return;  // the end, and the last time
    next_ = 0;
    end_ = *count;
  }
  while (next_ < end_ && port_.can_receive()) {
    port_.receive(input_[next_++]);
    const auto gap = port_.character_time();
    if (gap > sc_core::SC_ZERO_TIME) return sc_core::next_trigger(gap);
  }
  sc_core::next_trigger(interval_);
}

}  // namespace forerun::ip
