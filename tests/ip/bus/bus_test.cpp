// SPDX-License-Identifier: Apache-2.0
#include "ip/bus/bus.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

#include "ip/memory/memory.hpp"

using namespace forerun;
using namespace forerun::ip;

namespace {

struct Bench : sc_core::sc_module {
  tlm_utils::simple_initiator_socket<Bench> host{"host"};
  Bus bus{"bus", BusParameters{{2000}}};
  Memory low{"low", MemoryParameters{{0x1000}, {5000}, false}}, high{"high", MemoryParameters{{0x2000}, {5000}, false}};
  std::unique_ptr<Memory> rest;
  explicit Bench(const sc_core::sc_module_name& name, bool with_rest = false) : sc_module(name) {
    host.bind(bus.socket);
    bus.map(0x1000, 0x1000).bind(low.socket);
    bus.map(0x8000, 0x2000).bind(high.socket);
    if (!with_rest) return;
    rest = std::make_unique<Memory>("rest", MemoryParameters{{0x100000}, {5000}, false});
    bus.map_rest().bind(rest->socket);
  }
  tlm::tlm_response_status access(tlm::tlm_command command, std::uint64_t address, std::uint64_t& value, sc_core::sc_time& delay) {
    tlm::tlm_generic_payload p;
    p.set_command(command);
    p.set_address(address);
    p.set_data_ptr(reinterpret_cast<unsigned char*>(&value));
    p.set_data_length(8);
    p.set_streaming_width(8);
    host->b_transport(p, delay);
    EXPECT_EQ(p.get_address(), address) << "restored";
    return p.get_response_status();
  }
};

TEST(Bus, DecodesAndAddsItsLatency) {
  Bench bench("bench");
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  std::uint64_t value = 42, back = 0;
  auto delay = sc_core::SC_ZERO_TIME;
  EXPECT_EQ(bench.access(tlm::TLM_WRITE_COMMAND, 0x9ff8, value, delay), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(delay, sc_core::sc_time(7, sc_core::SC_NS));
  EXPECT_EQ(bench.access(tlm::TLM_READ_COMMAND, 0x9ff8, back, delay), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(back, 42u);
  EXPECT_EQ(bench.high.writes.value(), 1u);
  for (const std::uint64_t address : {0x0ull, 0x2000ull, 0x7fffull, 0xa000ull, 0x1ffcull})
    EXPECT_EQ(bench.access(tlm::TLM_READ_COMMAND, address, back, delay), tlm::TLM_ADDRESS_ERROR_RESPONSE) << address;
}

TEST(Bus, TheRestGoesToItsTargetUnchanged) {
  Bench bench("bench", true);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  std::uint64_t value = 7;
  auto delay = sc_core::SC_ZERO_TIME;
  EXPECT_EQ(bench.access(tlm::TLM_WRITE_COMMAND, 0x54320, value, delay), tlm::TLM_OK_RESPONSE);
  EXPECT_EQ(bench.rest->writes.value(), 1u);
  EXPECT_EQ(bench.access(tlm::TLM_WRITE_COMMAND, 0x1ffc, value, delay), tlm::TLM_ADDRESS_ERROR_RESPONSE) << "leaves its range";
}

TEST(Bus, TranslatesDmi) {
  Bench bench("bench");
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  std::uint64_t value = 9;
  auto delay = sc_core::SC_ZERO_TIME;
  bench.access(tlm::TLM_WRITE_COMMAND, 0x8010, value, delay);
  tlm::tlm_generic_payload p;
  p.set_read();
  p.set_address(0x8010);
  tlm::tlm_dmi dmi;
  ASSERT_TRUE(bench.host->get_direct_mem_ptr(p, dmi));
  EXPECT_EQ(dmi.get_start_address(), 0x8000u);
  EXPECT_EQ(dmi.get_end_address(), 0x9fffu);
  EXPECT_EQ(dmi.get_dmi_ptr()[0x10], 9);
  EXPECT_EQ(dmi.get_read_latency(), sc_core::sc_time(7, sc_core::SC_NS));
}

TEST(Bus, RefusesOverlaps) {
  Bench bench("bench");
  EXPECT_THROW(bench.bus.map(0x1800, 0x10), std::invalid_argument);
  EXPECT_THROW(bench.bus.map(0x0, 0x10000), std::invalid_argument);
}

}  // namespace
