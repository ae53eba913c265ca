// SPDX-License-Identifier: Apache-2.0
#include "firmware/abi/registers.h"
#include "ip/mailbox/mailbox.hpp"
#include "ip/memory/memory.hpp"
#include "ip/sysctl/sysctl.hpp"
#include "ip/timer/timer.hpp"
#include "tests/support/host.hpp"

using namespace forerun;
using namespace forerun::ip;
using test::DeviceBench;

namespace {

TEST(Memory, KeepsBytesAndRefusesTheRest) {
  DeviceBench<Memory, MemoryParameters> bench("bench", {{4096}, {5000}, false});
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  bench.write(8, 0x1122334455667788, 8);
  EXPECT_EQ(bench.read(12, 4), 0x11223344u);
  std::uint64_t word = 0;
  EXPECT_EQ(bench.access(tlm::TLM_READ_COMMAND, 4090, word, 8), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(bench.access(tlm::TLM_READ_COMMAND, ~std::uint64_t{0}, word, 8), tlm::TLM_ADDRESS_ERROR_RESPONSE);
}

TEST(Memory, RomRefusesWritesButNotTheLoaders) {
  DeviceBench<Memory, MemoryParameters> bench("bench", {{4096}, {5000}, true});
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  std::uint64_t word = 7;
  EXPECT_EQ(bench.access(tlm::TLM_WRITE_COMMAND, 0, word, 8), tlm::TLM_COMMAND_ERROR_RESPONSE);
  tlm::tlm_generic_payload p;
  p.set_write();
  p.set_address(0);
  p.set_data_ptr(reinterpret_cast<unsigned char*>(&word));
  p.set_data_length(8);
  EXPECT_EQ(bench.socket->transport_dbg(p), 8u);
  EXPECT_EQ(bench.read(0, 8), 7u);
  tlm::tlm_dmi dmi;
  ASSERT_TRUE(bench.socket->get_direct_mem_ptr(p, dmi));
  EXPECT_FALSE(dmi.is_write_allowed());
}

TEST(Timer, ExpiresOnceAtTheRightTick) {
  DeviceBench<Timer, TimerParameters> bench("bench", {{10e6}});
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  bench.write(FR_TIMER_PERIOD, 50, 8);
  bench.write(FR_TIMER_CONTROL, FR_TIMER_CONTROL_ENABLE | FR_TIMER_CONTROL_INTERRUPT, 4);
  sc_core::sc_start(4999, sc_core::SC_NS);
  EXPECT_FALSE(bench.irq);
  sc_core::sc_start(2, sc_core::SC_NS);
  EXPECT_TRUE(bench.irq);
  EXPECT_EQ(bench.read(FR_TIMER_COUNT, 8), 50u);
  bench.write(FR_TIMER_INTERRUPT_STATUS, 1, 4);
  EXPECT_FALSE(bench.irq);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_FALSE(bench.irq);
}

TEST(Timer, PeriodicAndStarvedValues) {
  DeviceBench<Timer, TimerParameters> bench("bench", {{10e6}});
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  bench.write(FR_TIMER_PERIOD, ~std::uint64_t{0}, 8);  // beyond the end of time: never
  bench.write(FR_TIMER_CONTROL, 7, 4);
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_FALSE(bench.irq);
  bench.write(FR_TIMER_PERIOD, 10, 8);
  bench.write(FR_TIMER_CONTROL, 7, 4);
  for (int i = 0; i < 3; ++i) {
    sc_core::sc_start(1001, sc_core::SC_NS);
    EXPECT_TRUE(bench.irq) << i;
    bench.write(FR_TIMER_INTERRUPT_STATUS, 1, 4);
  }
}

TEST(Mailbox, CarriesMessagesBothWays) {
  DeviceBench<Mailbox, MailboxParameters> bench("bench", {2});
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  int arrived = 0;
  bench.device.on_message = [&] { ++arrived; };
  bench.write(FR_MAILBOX_INTERRUPT_ENABLE, FR_MAILBOX_INTERRUPT_IN, 4);
  EXPECT_TRUE(bench.device.host_send({FR_MESSAGE_RUN, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_TRUE(bench.irq);
  EXPECT_EQ(bench.read(FR_MAILBOX_IN0 + 56, 8), 7u);
  bench.write(FR_MAILBOX_CONTROL, FR_MAILBOX_CONTROL_POP, 4);
  EXPECT_FALSE(bench.irq);
  bench.write(FR_MAILBOX_OUT0, FR_MESSAGE_READY, 8);
  bench.write(FR_MAILBOX_CONTROL, FR_MAILBOX_CONTROL_SEND, 4);
  bench.write(FR_MAILBOX_CONTROL, FR_MAILBOX_CONTROL_SEND, 4);
  EXPECT_EQ(arrived, 2);
  EXPECT_EQ(bench.read(FR_MAILBOX_STATUS, 4), static_cast<unsigned>(FR_MAILBOX_STATUS_OUT_FULL));
  std::uint64_t send = FR_MAILBOX_CONTROL_SEND;
  EXPECT_EQ(bench.access(tlm::TLM_WRITE_COMMAND, FR_MAILBOX_CONTROL, send, 4), tlm::TLM_GENERIC_ERROR_RESPONSE);
  EXPECT_EQ((*bench.device.host_receive())[0], static_cast<unsigned>(FR_MESSAGE_READY));
}

TEST(Sysctl, TellsTheChipAndEndsIt) {
  SysctlParameters p;
  p.clusters = 16;
  DeviceBench<Sysctl, SysctlParameters> bench("bench", p);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  int code = -1;
  bench.device.on_exit = [&](int c) { code = c; };
  EXPECT_EQ(bench.read(FR_SYSCTL_CLUSTERS, 4), 16u);
  EXPECT_EQ(bench.read(FR_SYSCTL_BOOT_ADDRESS, 8), 0x80000000u);
  bench.write(FR_SYSCTL_CLUSTER_RESET, 1u << 3, 8);
  EXPECT_TRUE(bench.device.cluster_reset[3].level());
  bench.write(FR_SYSCTL_SCRATCH, 42, 8);
  bench.write(FR_SYSCTL_RESET, 1, 4);
  EXPECT_FALSE(bench.device.cluster_reset[3].level());
  EXPECT_EQ(bench.read(FR_SYSCTL_SCRATCH, 8), 42u) << "survives";
  bench.write(FR_SYSCTL_EXIT, 0x103, 4);
  EXPECT_EQ(code, 3);
}

}  // namespace
