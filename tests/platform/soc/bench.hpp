// SPDX-License-Identifier: Apache-2.0
/// A chip with a script in the place of its CPU.
#pragma once

#include <gtest/gtest.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <vector>

#include "platform/chip/address_map.hpp"
#include "platform/soc/soc.hpp"

namespace forerun::soc {

/// A small chip, quick to build and to run.
inline chip::Chip small_chip(unsigned clusters = 2) {
  chip::Chip c;
  c.name = "small";
  c.clusters.count = clusters;
  c.clusters.scratchpad.size = {64 << 10};
  c.clusters.tensor.rows = c.clusters.tensor.columns = 8;
  c.sram.size = {1 << 20};
  c.hbm.channels = 4;
  c.hbm.ports = 4;
  c.hbm.rows = 1024;
  return c;
}

/// Runs `script` in a process of its own as the bus master. `finished` tells that it came to its end.
class Bench : public sc_core::sc_module {
 public:
  using Script = std::function<void(Bench&)>;
  Bench(const sc_core::sc_module_name& name, const chip::Chip& chip, Script script)
      : sc_module(name), soc("soc", chip, {.with_cpu = false}), script_(std::move(script)) {
    socket.bind(soc.bus.socket);
    sc_core::sc_spawn(
        [this] {
          script_(*this);
          finished = true;
        },
        sc_core::sc_gen_unique_name("script"));
  }

  Soc soc;
  bool finished = false;

  /// One transaction; its time passes.
  tlm::tlm_response_status access(tlm::tlm_command command, std::uint64_t address, void* data,
                                  unsigned length) {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(static_cast<unsigned char*>(data));
    payload.set_data_length(length);
    payload.set_streaming_width(length);
    auto delay = sc_core::SC_ZERO_TIME;
    socket->b_transport(payload, delay);
    sc_core::wait(delay);
    EXPECT_EQ(payload.get_address(), address);
    return payload.get_response_status();
  }
  template <typename T = std::uint32_t>
  T get(std::uint64_t address) {
    T value{};
    EXPECT_EQ(access(tlm::TLM_READ_COMMAND, address, &value, sizeof value), tlm::TLM_OK_RESPONSE)
        << "read of " << std::hex << address;
    return value;
  }
  template <typename T = std::uint32_t>
  void put(std::uint64_t address, std::type_identity_t<T> value) {
    EXPECT_EQ(access(tlm::TLM_WRITE_COMMAND, address, &value, sizeof value), tlm::TLM_OK_RESPONSE)
        << "write of " << std::hex << address;
  }
  tlm_utils::simple_initiator_socket<Bench> socket{"socket"};

 private:
  Script script_;
};

}  // namespace forerun::soc
