// SPDX-License-Identifier: Apache-2.0
/// An initiator that a test reads and writes registers with.
#pragma once

#include <gtest/gtest.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <cstdint>
#include <systemc>

#include "ip/base/level.hpp"

namespace forerun::test {

class Host : public sc_core::sc_module {
 public:
  explicit Host(const sc_core::sc_module_name& name) : sc_module(name) {}

  tlm_utils::simple_initiator_socket<Host> socket{"socket"};

  /// One transaction; the lowest `bytes` (at most 8) of the value are its data.
  tlm::tlm_response_status access(tlm::tlm_command command, std::uint64_t address, std::uint64_t& value,
                                  unsigned bytes, sc_core::sc_time delay = sc_core::SC_ZERO_TIME) {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    payload.set_data_length(bytes);
    payload.set_streaming_width(bytes);
    socket->b_transport(payload, delay);
    return payload.get_response_status();
  }
  /// The same where nothing may go wrong, `delay_ns` ahead of simulated time.
  std::uint64_t read(std::uint64_t address, unsigned bytes, double delay_ns = 0) {
    std::uint64_t value = 0;
    EXPECT_EQ(access(tlm::TLM_READ_COMMAND, address, value, bytes, {delay_ns, sc_core::SC_NS}),
              tlm::TLM_OK_RESPONSE)
        << address;
    return value;
  }
  void write(std::uint64_t address, std::uint64_t value, unsigned bytes, double delay_ns = 0) {
    EXPECT_EQ(access(tlm::TLM_WRITE_COMMAND, address, value, bytes, {delay_ns, sc_core::SC_NS}),
              tlm::TLM_OK_RESPONSE)
        << address;
  }
};

/// A host bound to one device, whose interrupt line it sees if there is one.
template <typename Device, typename Parameters>
struct DeviceBench : Host {
  Device device;
  bool irq = false;
  ip::LevelIn line{"line", [this](bool level) { irq = level; }};

  DeviceBench(const sc_core::sc_module_name& name, const Parameters& parameters)
      : Host(name), device("device", parameters) {
    socket.bind(device.socket);
    if constexpr (requires { device.interrupt; }) device.interrupt.bind(line);
  }
};

}  // namespace forerun::test
