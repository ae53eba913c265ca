// SPDX-License-Identifier: Apache-2.0
// RTL in the places of the control CPU's peripherals: what is on their pins beside the bus.
#include <gmock/gmock.h>

#include "firmware/abi/registers.h"
#include "platform/rtl/device.hpp"
#include "tests/platform/rtl/peripheral_models.hpp"
#include "tests/platform/soc/bench.hpp"

namespace forerun::soc {
namespace {
namespace map = chip::address_map;
using testing::HasSubstr;

chip::Path model(const std::string& name, const std::string& pins = "",
                 std::initializer_list<rtl::Change> changes = {}) {
  return {rtl::peripheral_model(name, pins, changes)};
}

void run(Bench& bench) {
  sc_core::sc_start(2, sc_core::SC_MS);
  EXPECT_TRUE(bench.finished);
  for (const auto& [key, peripheral] : bench.soc.rtl_peripherals)
    EXPECT_EQ(peripheral.device->broken_rules(), 0u) << key;
}

void enable(Bench& b, unsigned source) {
  b.put(map::plic + source * 4, 1);
  b.put(map::plic + 0x2000 + source / 32 * 4, 1u << source % 32);
}
std::uint32_t claim(Bench& b) { return b.get(map::plic + 0x200004); }

TEST(RtlTimer, RunsOutAndInterrupts) {
  auto chip = small_chip(1);
  chip.rtl.timer = model("timer");
  Bench bench("bench", chip, [](Bench& b) {
    EXPECT_EQ(b.get(map::timer), 0x46525431u);
    enable(b, map::timer_interrupt);
    b.put<std::uint64_t>(map::timer + FR_TIMER_PERIOD, 20);  // 2 us
    b.put(map::timer + FR_TIMER_CONTROL, 5);
    sc_core::wait(1700, sc_core::SC_NS);
    EXPECT_EQ(claim(b), 0u);
    sc_core::wait(600, sc_core::SC_NS);
    EXPECT_EQ(claim(b), map::timer_interrupt);
    b.put(map::timer + FR_TIMER_INTERRUPT_STATUS, 1);
    b.put(map::plic + 0x200004, map::timer_interrupt);
    EXPECT_EQ(claim(b), 0u);
    EXPECT_NEAR(static_cast<double>(b.get<std::uint64_t>(map::timer + FR_TIMER_COUNT)),
                sc_core::sc_time_stamp().to_seconds() * 10e6, 2);
    b.soc.reset();
    sc_core::wait(100, sc_core::SC_NS);
    EXPECT_EQ(b.get<std::uint64_t>(map::timer + FR_TIMER_PERIOD), 0u);
  });
  run(bench);
}

TEST(RtlUart, SendsAndReceivesOnSerialLines) {
  auto chip = small_chip(1);
  chip.peripherals.uart_baud = 1'562'500;  // divisor 2
  chip.rtl.uart = model("uart", "uart_line");
  std::string printed;
  Bench bench("bench", chip, [](Bench& b) {
    auto put = [&](unsigned reg, std::uint8_t value) { b.put<std::uint8_t>(map::uart + reg, value); };
    put(3, 0x83), put(0, 2), put(1, 0), put(3, 3);
    for (const char c : std::string("Hi\xff")) put(0, static_cast<std::uint8_t>(c));
    put(1, 1);
    enable(b, map::uart_interrupt);
    EXPECT_TRUE(b.soc.serial().can_receive());
    b.soc.serial().receive('y');
    EXPECT_FALSE(b.soc.serial().can_receive()) << "the line is busy";
    sc_core::wait(b.soc.serial().character_time());
    sc_core::wait(b.soc.serial().character_time());
    EXPECT_EQ(claim(b), map::uart_interrupt);
    EXPECT_EQ(b.get<std::uint8_t>(map::uart), 'y');
    sc_core::wait(b.soc.serial().character_time() * 2.0);
    EXPECT_EQ(b.get<std::uint8_t>(map::uart + 5), 0x60);
  });
  bench.soc.serial().on_transmit = [&](unsigned char c) { printed += static_cast<char>(c); };
  run(bench);
  EXPECT_EQ(printed, "Hi\xff");
}

TEST(RtlUart, SendsAndReceivesByStreams) {
  auto chip = small_chip(1);
  chip.rtl.uart = model("uart", "uart_stream");
  std::string printed;
  Bench bench("bench", chip, [](Bench& b) {
    for (const char c : std::string("stream")) b.put<std::uint8_t>(map::uart, static_cast<std::uint8_t>(c));
    b.soc.serial().receive('z');
    sc_core::wait(1, sc_core::SC_US);
    EXPECT_EQ(b.get<std::uint8_t>(map::uart), 'z');
  });
  bench.soc.serial().on_transmit = [&](unsigned char c) { printed += static_cast<char>(c); };
  run(bench);
  EXPECT_EQ(printed, "stream");
}

TEST(RtlMailbox, PassesMessagesBothWays) {
  auto chip = small_chip(1);
  chip.rtl.mailbox = model("mailbox");
  std::vector<ip::Message> received;
  Bench bench("bench", chip, [](Bench& b) {
    b.put(map::mailbox + FR_MAILBOX_INTERRUPT_ENABLE, 1);
    enable(b, map::mailbox_interrupt);
    EXPECT_EQ(b.get(map::mailbox + FR_MAILBOX_STATUS), 0u);
    EXPECT_TRUE(b.soc.host().host_send({1, 2, 3, 4, 5, 6, 7, 0x0123456789abcdef}));
    EXPECT_TRUE(b.soc.host().host_send({11}));
    sc_core::wait(1, sc_core::SC_US);
    EXPECT_EQ(claim(b), map::mailbox_interrupt);
    EXPECT_EQ(b.get<std::uint64_t>(map::mailbox + FR_MAILBOX_IN0 + 56), 0x0123456789abcdefu);
    b.put(map::mailbox + FR_MAILBOX_CONTROL, FR_MAILBOX_CONTROL_POP);
    sc_core::wait(1, sc_core::SC_US);
    EXPECT_EQ(b.get<std::uint64_t>(map::mailbox + FR_MAILBOX_IN0), 11u);
    for (unsigned i = 0; i < 8; ++i) b.put<std::uint64_t>(map::mailbox + FR_MAILBOX_OUT0 + 8 * i, i * i);
    b.put(map::mailbox + FR_MAILBOX_CONTROL, FR_MAILBOX_CONTROL_SEND);
    sc_core::wait(1, sc_core::SC_US);
  });
  bench.soc.host().on_message = [&] { received.push_back(*bench.soc.host().host_receive()); };
  run(bench);
  ASSERT_EQ(received.size(), 1u);
  EXPECT_EQ(received[0], (ip::Message{0, 1, 4, 9, 16, 25, 36, 49}));
}

TEST(RtlInterrupts, GoThroughControllersOfRtl) {
  auto chip = small_chip(2);
  chip.rtl.clint = model("clint");
  chip.rtl.plic = model("plic");
  Bench bench("bench", chip, [](Bench& b) {
    auto& meip = b.soc.machine_interrupt();
    enable(b, map::uart_interrupt);
    b.put<std::uint8_t>(map::uart + 1, 1);
    sc_core::wait(100, sc_core::SC_NS);
    EXPECT_FALSE(meip.level());
    b.soc.uart.receive('x');
    sc_core::wait(100, sc_core::SC_NS);
    EXPECT_TRUE(meip.level());
    EXPECT_EQ(claim(b), map::uart_interrupt);
    sc_core::wait(100, sc_core::SC_NS);
    EXPECT_FALSE(meip.level()) << "it is being served";
    b.put(map::clint, 1);
    sc_core::wait(100, sc_core::SC_NS);
    EXPECT_TRUE(b.soc.software_interrupt().level());
    b.put(map::clint, 0);
    const auto now = b.get<std::uint64_t>(map::clint + 0xbff8);
    b.put<std::uint64_t>(map::clint + 0x4000, now + 30);
    sc_core::wait(2500, sc_core::SC_NS);
    EXPECT_FALSE(b.soc.software_interrupt().level());
    EXPECT_FALSE(b.soc.timer_interrupt().level());
    sc_core::wait(700, sc_core::SC_NS);
    EXPECT_TRUE(b.soc.timer_interrupt().level());
  });
  bench.soc.software_interrupt(), bench.soc.timer_interrupt(), bench.soc.machine_interrupt();
  run(bench);
}

TEST(RtlSysctl, ResetsClustersAndChipAndEnds) {
  auto chip = small_chip(2);
  chip.rtl.sysctl = model("sysctl");
  int code = -1;
  Bench bench("bench", chip, [](Bench& b) {
    EXPECT_EQ(b.get(map::sysctl + FR_SYSCTL_CLUSTERS), 2u);
    EXPECT_EQ(b.get<std::uint64_t>(map::sysctl + FR_SYSCTL_BOOT_ADDRESS), 0x1234u);
    EXPECT_EQ(b.get<std::uint64_t>(map::sysctl + FR_SYSCTL_CPU_HZ), 1'000'000'000u);
    b.put<std::uint64_t>(map::sysctl + FR_SYSCTL_CLUSTER_RESET, 2);
    sc_core::wait(100, sc_core::SC_NS);
    EXPECT_TRUE(b.soc.sysctl.cluster_reset[1].level());
    b.put<std::uint64_t>(map::sysctl + FR_SYSCTL_SCRATCH, 77);
    b.put<std::uint64_t>(map::timer + FR_TIMER_PERIOD, 5);
    b.put(map::sysctl + FR_SYSCTL_RESET, 1);
    sc_core::wait(100, sc_core::SC_NS);
    EXPECT_FALSE(b.soc.sysctl.cluster_reset[1].level());
    EXPECT_EQ(b.get<std::uint64_t>(map::timer + FR_TIMER_PERIOD), 0u) << "the reset reached the timer";
    EXPECT_EQ(b.get<std::uint64_t>(map::sysctl + FR_SYSCTL_SCRATCH), 77u);
    b.put(map::sysctl + FR_SYSCTL_EXIT, 9);
    sc_core::wait(100, sc_core::SC_NS);
  });
  bench.soc.set_boot_address(0x1234);
  bench.soc.on_exit = [&](int with) { code = with; };
  run(bench);
  EXPECT_EQ(code, 9);
}

TEST(RtlPerf, ShowsTheCountersOfTheChip) {
  auto chip = small_chip(1);
  chip.rtl.perf = model("perf");
  Bench bench("bench", chip, [](Bench& b) {
    const auto& all = b.soc.statistics();
    EXPECT_EQ(b.get(map::perf + FR_PERF_COUNT), all.size());
    for (std::uint32_t i = 0; i < all.size(); i += 17) {
      b.put(map::perf + FR_PERF_SELECT, i);
      std::string name;
      for (unsigned k = 0; k < 8; ++k) {
        const auto word = b.get<std::uint64_t>(map::perf + FR_PERF_NAME + 8 * k);
        name.append(reinterpret_cast<const char*>(&word), 8);
      }
      EXPECT_STREQ(name.c_str(), all[i].name.c_str());
      if (all[i].name == "noc.packets") {
        EXPECT_EQ(b.get<std::uint64_t>(map::perf + FR_PERF_VALUE), all[i].value());
      }
    }
  });
  run(bench);
}

TEST(RtlPeripherals, ThatNeverAnswerEndTheRun) {
  auto chip = small_chip(1);
  chip.rtl.timer = {rtl::peripheral_model(
      "timer", "", {},
      {{"`LITE_LOGIC(5, 64)",
        "logic write, read, write_error, open; logic [4:0] write_address, read_address;\n"
        "logic [63:0] write_data, write_mask, read_data; assign s_rdata = read_data;\n"
        "assign {write, read, open, write_address, read_address, write_data, write_mask, s_bresp, s_rresp} = "
        "'0;\n"
        "assign {s_awready, s_wready, s_arready, s_bvalid, s_rvalid} = 5'b11100;\n"}})};
  Bench bench("bench", chip, [](Bench& b) { (void)b.get(map::timer + 8); });
  try {
    sc_core::sc_start(2, sc_core::SC_MS);
    FAIL();
  } catch (const std::exception& error) {
    EXPECT_THAT(error.what(), HasSubstr("no answer for 1000000 cycles"));
    EXPECT_THAT(error.what(), HasSubstr("the oldest a read of 4 bytes at 0x8"));
  }
}

TEST(RtlPeripherals, AreRefusedWithoutWhatTheChipNeeds) {
  const auto refused = [](chip::Path chip::Rtl::*key, const chip::Path& file, auto change) {
    auto chip = small_chip(1);
    chip.rtl.*key = file;
    change(chip);
    try {
      const Soc soc(sc_core::sc_gen_unique_name("soc"), chip, {.with_cpu = false});
    } catch (const std::exception& error) {
      return std::string(error.what());
    }
    return std::string("taken");
  };
  const auto same = [](chip::Chip&) {};
  EXPECT_THAT(refused(&chip::Rtl::timer, model("timer", "", {{"interrupt: irq\n", ""}}), same),
              HasSubstr("expected an interrupt in its pin map"));
  EXPECT_THAT(refused(&chip::Rtl::uart, model("uart", "uart_line", {{"transmit: txd, ", ""}}), same),
              HasSubstr("expected a way out of characters"));
  EXPECT_THAT(refused(&chip::Rtl::uart, model("uart", "uart_line"), same),
              HasSubstr("needs peripherals.uart_baud"));
  EXPECT_THAT(refused(&chip::Rtl::clint, model("clint", "", {{"software: msip, ", ""}}), same),
              HasSubstr("rtl.clint: "));
  EXPECT_THAT(refused(&chip::Rtl::clint, model("clint", "", {{"software: msip, ", ""}}), same),
              HasSubstr("expected signals: {software: ...} in its pin map"));
  EXPECT_THAT(refused(&chip::Rtl::plic, model("plic"), [](chip::Chip& c) { c.clusters.count = 60; }),
              HasSubstr("signal sources_from_1 has 63 bits, expected 75 or more"));
  EXPECT_THAT(refused(&chip::Rtl::timer, model("mailbox"), same),
              HasSubstr("interface in is a stream, which nothing of this place is for"));
}

TEST(RtlPeripherals, AreNotMadeWithASignalOfTheOtherDirection) {
  try {
    model("timer", "", {{"timebase: tick", "timebase: irq"}});
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_THAT(error.what(), HasSubstr("port 'irq' is an output, expected an input"));
  }
}

}  // namespace
}  // namespace forerun::soc
