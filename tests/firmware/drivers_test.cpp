// SPDX-License-Identifier: Apache-2.0
// Each driver against its block.
#include "tests/firmware/bench.hpp"

extern "C" {
#include "firmware/drivers/clint.h"
#include "firmware/drivers/cluster.h"
#include "firmware/drivers/perf.h"
#include "firmware/drivers/sysctl.h"
#include "firmware/drivers/timer.h"
#include "firmware/drivers/uart.h"
#include "firmware/hal/hal.h"
}

using namespace forerun;
namespace map = chip::address_map;

namespace {

int calls;
void count() {
  ++calls;
  clint_software_interrupt(map::clint, false);
  clint_set_alarm(map::clint, UINT64_MAX);
}

struct Drivers : testing::Test {
  /// What firmware does; runs to its end.
  std::unique_ptr<Bench> firmware(std::function<void(Bench&)> body) {
    auto bench = std::make_unique<Bench>("bench", [this, body](std::uint64_t) {
      body(*self);
      return 0;
    });
    self = bench.get();
    sc_core::sc_start(10, sc_core::SC_MS);
    EXPECT_TRUE(bench->cpu.halted());
    return bench;
  }
  Bench* self = nullptr;
};

TEST_F(Drivers, SystemControllerKnowsTheClocks) {
  firmware([](Bench& bench) {
    EXPECT_EQ(sysctl_boot_address(map::sysctl), map::sram);
    EXPECT_EQ(sysctl_cpu_hz(map::sysctl), static_cast<std::uint64_t>(bench.soc.chip().cpu.clock.hertz));
    EXPECT_EQ(sysctl_cluster_hz(map::sysctl),
              static_cast<std::uint64_t>(bench.soc.chip().clusters.clock.hertz));
    sysctl_cluster_reset(map::sysctl, 1, true);
    EXPECT_TRUE(bench.soc.sysctl.cluster_reset[1].level());
    EXPECT_FALSE(bench.soc.sysctl.cluster_reset[0].level());
    sysctl_cluster_reset(map::sysctl, 1, false);
    EXPECT_FALSE(bench.soc.sysctl.cluster_reset[1].level());
  });
}

TEST_F(Drivers, CountersHaveNamesAndValues) {
  firmware([](Bench& bench) {
    const auto& statistics = bench.soc.statistics();
    ASSERT_EQ(perf_count(map::perf), statistics.size());
    char name[PERF_NAME_BYTES + 1];
    for (std::uint32_t i = 0; i < statistics.size(); ++i) {
      perf_name(map::perf, i, name);
      ASSERT_EQ(name, statistics[i].name.substr(0, PERF_NAME_BYTES));
      const auto before = statistics[i].value();
      const auto value = perf_value(map::perf, i);
      ASSERT_LE(before, value) << name;
      ASSERT_LE(value, statistics[i].value()) << name;
    }
    perf_name(map::perf, static_cast<std::uint32_t>(statistics.size()), name);
    EXPECT_STREQ(name, "");
  });
}

TEST_F(Drivers, ClustersSayWhatTheyAre) {
  firmware([](Bench& bench) {
    EXPECT_TRUE(cluster_present(map::cluster_registers(1)));
    EXPECT_FALSE(cluster_present(map::cluster_registers(2))) << "nothing there";
    EXPECT_FALSE(cluster_present(map::timer)) << "something else";
    EXPECT_EQ(cluster_scratchpad_bytes(map::cluster_registers(0)), 64u << 10);
    EXPECT_EQ(cluster_counters(map::cluster_registers(0)), bench.soc.clusters[0]->all_counters().size());
  });
}

TEST_F(Drivers, AClusterRunsAndCounts) {
  firmware([](Bench& bench) {
    const auto registers = map::cluster_registers(0);
    TestProgram program;
    program.load(bench.soc);
    cluster_prepare(registers, program.streams[0].address, program.streams[0].bytes, TestProgram::parameters);
    hal_write64(TestProgram::parameters + 8 * FR_PARAMETER_TOKENS, 1);
    cluster_start(registers);
    EXPECT_TRUE(cluster_running(registers));
    while (cluster_running(registers)) {
    }
    EXPECT_EQ(cluster_acknowledge(registers), FR_CLUSTER_INTERRUPT_DONE);
    EXPECT_EQ(cluster_acknowledge(registers), 0u);
    EXPECT_GT(cluster_cycles(registers), 10u);
    std::uint64_t sum = 0;
    for (std::uint32_t i = 0; i < cluster_counters(registers); ++i) sum += cluster_counter(registers, i);
    EXPECT_GT(sum, 0u);
    EXPECT_EQ(hal_read32(TestProgram::next_ids), 1u);
  });
}

TEST_F(Drivers, TimeGoesOn) {
  firmware([](Bench&) {
    const auto count = timer_count(map::timer), time = clint_time(map::clint);
    for (int i = 0; i < 1000; ++i) timer_count(map::timer);
    EXPECT_GT(timer_count(map::timer), count);
    EXPECT_GT(clint_time(map::clint), time);
    const auto cycles = hal_cycles();
    timer_count(map::timer);
    EXPECT_GT(hal_cycles(), cycles);
  });
}

TEST_F(Drivers, TimerAndSoftwareInterruptsWakeUp) {
  firmware([](Bench&) {
    calls = 0;
    hal_interrupt_handler(HAL_INTERRUPT_TIMER, count);
    hal_interrupt_handler(HAL_INTERRUPT_SOFTWARE, count);
    const auto now = clint_time(map::clint);
    clint_set_alarm(map::clint, now + 500);
    while (calls == 0) hal_wait_for_interrupt();
    EXPECT_GE(clint_time(map::clint), now + 500);
    EXPECT_LE(clint_time(map::clint), now + 502);
    clint_software_interrupt(map::clint, true);
    EXPECT_EQ(calls, 1) << "disabled";
    hal_interrupts_enable();
    EXPECT_EQ(calls, 2) << "pending when enabled";
    clint_software_interrupt(map::clint, true);
    EXPECT_EQ(calls, 3) << "at once";
    hal_interrupts_disable();
    clint_software_interrupt(map::clint, true);
    EXPECT_EQ(calls, 3);
    hal_interrupt_handler(HAL_INTERRUPT_SOFTWARE, nullptr);
    clint_set_alarm(map::clint, now + 1000);
    while (calls == 3) hal_wait_for_interrupt();
    EXPECT_EQ(calls, 4) << "only the timer: the other is masked";
  });
}

TEST_F(Drivers, SerialPortSendsAndReceives) {
  const auto bench = firmware([](Bench& chip) {
    const uart port{map::uart, 0};
    uart_start(&port, 50'000'000, 115200);
    const auto begun = sc_core::sc_time_stamp();
    const std::string text = "forty characters take their time here...";
    uart_write(&port, text.data(), text.size());
    const auto took = (sc_core::sc_time_stamp() - begun).to_seconds();
    const auto character = 10 * 16 * 27 / 50e6;  // the divisor is 27.1 rounded
    EXPECT_NEAR(took, 31 * character, 1e-6) << "of 40, 8 are in the FIFO and one in the shift register";
    EXPECT_EQ(uart_read(&port), -1);
    chip.soc.uart.receive('x');
    EXPECT_EQ(uart_read(&port), 'x');
    EXPECT_EQ(uart_read(&port), -1);
  });
  EXPECT_EQ(bench->log, "forty characters take their time here...");
}

TEST_F(Drivers, AViewShowsMemoryOfAnyLength) {
  firmware([](Bench& bench) {
    const std::string text = "any length";
    bench.soc.write(map::sram, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    EXPECT_EQ(std::memcmp(hal_view(map::sram, text.size()), text.data(), text.size()), 0);
    EXPECT_NE(hal_view(map::sram + (1 << 20) - 8, 8), nullptr);
    EXPECT_EQ(hal_view(map::sram + (1 << 20) - 8, 9), nullptr) << "ends outside";
    std::uint64_t word = 0;
    EXPECT_FALSE(hal_try_read64(map::sram + (1 << 20), &word));
  });
}

}  // namespace
