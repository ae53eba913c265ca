// SPDX-License-Identifier: Apache-2.0
#include "ip/uart/uart.hpp"

#include <gtest/gtest.h>
#include <tlm_utils/simple_initiator_socket.h>

#include <string>

using namespace forerun;
using namespace forerun::ip;

namespace {

struct Bench : sc_core::sc_module {
  tlm_utils::simple_initiator_socket<Bench> host{"host"};
  Uart uart{"uart", UartParameters{{1.8432e6}, 0}};
  bool irq = false;
  LevelIn line{"line", [this](bool level) { irq = level; }};
  std::string out;
  explicit Bench(const sc_core::sc_module_name& name) : sc_module(name) {
    host.bind(uart.socket);
    uart.interrupt.bind(line);
    uart.on_transmit = [this](unsigned char c) { out += static_cast<char>(c); };
  }
  tlm::tlm_response_status access(tlm::tlm_command command, std::uint64_t address, unsigned char* data, unsigned bytes) {
    tlm::tlm_generic_payload p;
    p.set_command(command);
    p.set_address(address);
    p.set_data_ptr(data);
    p.set_data_length(bytes);
    p.set_streaming_width(bytes);
    auto delay = sc_core::SC_ZERO_TIME;
    host->b_transport(p, delay);
    return p.get_response_status();
  }
  unsigned read(unsigned reg) {
    unsigned char value = 0;
    EXPECT_EQ(access(tlm::TLM_READ_COMMAND, reg, &value, 1), tlm::TLM_OK_RESPONSE);
    return value;
  }
  void write(unsigned reg, unsigned value) {
    auto byte = static_cast<unsigned char>(value);
    EXPECT_EQ(access(tlm::TLM_WRITE_COMMAND, reg, &byte, 1), tlm::TLM_OK_RESPONSE);
  }
  /// 115200 bits a second, 8 data bits, no parity, one stop bit, FIFOs on.
  void set_up() {
    sc_core::sc_start(sc_core::SC_ZERO_TIME);
    write(3, 0x83);
    write(0, 1);
    write(1, 0);
    write(3, 0x03);
    write(2, 0x07);
  }
};

TEST(Uart, SendsAtTheRateOfTheDivisor) {
  Bench bench("bench");
  bench.set_up();
  EXPECT_EQ(bench.read(5), 0x60u) << "empty";
  for (const char c : std::string("hello")) bench.write(0, static_cast<unsigned char>(c));
  EXPECT_EQ(bench.read(5) & 0x20, 0u);
  sc_core::sc_start(4 * 86.9, sc_core::SC_US);  // ten bits take 86.8 us
  EXPECT_EQ(bench.out, "hello");
  EXPECT_EQ(bench.read(5) & 0x60, 0x20u) << "the last one is still shifting out";
  sc_core::sc_start(87, sc_core::SC_US);
  EXPECT_EQ(bench.read(5), 0x60u);
}

TEST(Uart, InterruptsWhenEmptyAndClearsByReadingItsCause) {
  Bench bench("bench");
  bench.set_up();
  bench.write(1, 2);
  EXPECT_TRUE(bench.irq);
  EXPECT_EQ(bench.read(2), 0xc2u);
  EXPECT_FALSE(bench.irq);
  bench.write(0, 'x');
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_TRUE(bench.irq);
}

TEST(Uart, ReceivesByTriggerAndByTimeOut) {
  Bench bench("bench");
  bench.set_up();
  bench.write(2, 0x41);  // trigger at four
  bench.write(1, 1);
  bench.uart.receive('a');
  EXPECT_FALSE(bench.irq);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_TRUE(bench.irq);
  EXPECT_EQ(bench.read(2), 0xccu) << "time-out";
  EXPECT_EQ(bench.read(0), static_cast<unsigned>('a'));
  EXPECT_FALSE(bench.irq);
  for (int i = 0; i < 4; ++i) bench.uart.receive('b');
  EXPECT_EQ(bench.read(2), 0xc4u) << "trigger";
}

TEST(Uart, CountsWhatItLoses) {
  Bench bench("bench");
  bench.set_up();
  bench.write(1, 4);
  for (int i = 0; i < 17; ++i) bench.uart.receive('c');
  EXPECT_EQ(bench.uart.lost.value(), 1u);
  EXPECT_TRUE(bench.irq);
  EXPECT_EQ(bench.read(5) & 2, 2u);
  EXPECT_FALSE(bench.irq);
}

TEST(Uart, LoopsBackAndRefusesOddAccesses) {
  Bench bench("bench");
  bench.set_up();
  bench.write(4, 0x10);
  bench.write(0, 'z');
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_EQ(bench.read(0), static_cast<unsigned>('z'));
  EXPECT_EQ(bench.out, "");
  unsigned char bytes[8] = {};
  EXPECT_EQ(bench.access(tlm::TLM_READ_COMMAND, 0, bytes, 8), tlm::TLM_BURST_ERROR_RESPONSE);
  EXPECT_EQ(bench.access(tlm::TLM_READ_COMMAND, 8, bytes, 1), tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

}  // namespace
