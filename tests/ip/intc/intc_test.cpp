// SPDX-License-Identifier: Apache-2.0
#include "ip/intc/clint.hpp"
#include "ip/intc/plic.hpp"
#include "tests/support/host.hpp"

using namespace forerun;
using namespace forerun::ip;
using test::DeviceBench;

namespace {

struct Driver : sc_core::sc_module {
  LevelOut line{"line"};
  explicit Driver(const sc_core::sc_module_name& name) : sc_module(name) {}
};

TEST(Clint, TimerRisesAtTheTickAndFallsWhenMoved) {
  DeviceBench<Clint, ClintParameters> bench("bench", {{10e6}});
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  auto& clint = bench.device;
  bench.write(0x4000, 50, 8);
  sc_core::sc_start(4999, sc_core::SC_NS);
  EXPECT_FALSE(clint.timer.level());
  sc_core::sc_start(2, sc_core::SC_NS);
  EXPECT_TRUE(clint.timer.level());
  EXPECT_EQ(bench.read(0xbff8, 8), 50u);
  EXPECT_EQ(bench.read(0xbff8, 8, 250), 52u) << "the annotated delay counts";
  bench.write(0x4000, 51, 8, 90);
  EXPECT_FALSE(clint.timer.level());
  sc_core::sc_start(100, sc_core::SC_NS);
  EXPECT_TRUE(clint.timer.level());
  bench.write(0x4000, 0xffffffff, 4);
  bench.write(0x4004, 0xffffffff, 4);
  EXPECT_FALSE(clint.timer.level());
}

TEST(Clint, SoftwareInterruptAndWritableTime) {
  DeviceBench<Clint, ClintParameters> bench("bench", {{10e6}});
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  bench.write(0, 0xffffffff, 4);
  EXPECT_TRUE(bench.device.software.level());
  EXPECT_EQ(bench.read(0, 4), 1u);
  bench.write(0, 0, 4);
  EXPECT_FALSE(bench.device.software.level());
  bench.write(0xbff8, 1000000, 8);
  sc_core::sc_start(1, sc_core::SC_US);
  EXPECT_EQ(bench.read(0xbff8, 8), 1000010u);
}

TEST(Plic, ClaimsByPriorityAndServesOnce) {
  DeviceBench<Plic, PlicParameters> bench("bench", {40, 7});
  Driver three("three"), thirty_three("thirty_three");
  three.line.bind(bench.device.source(3));
  thirty_three.line.bind(bench.device.source(33));
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  auto& plic = bench.device;
  bench.write(4 * 3, 1, 4);
  bench.write(4 * 33, 100, 4);
  EXPECT_EQ(bench.read(4 * 33, 4), 7u) << "clamped";
  three.line.set(true);
  EXPECT_FALSE(plic.machine.level()) << "not enabled";
  bench.write(0x2000, 1u << 3, 4);
  bench.write(0x2004, 1u << 1, 4);
  EXPECT_TRUE(plic.machine.level());
  EXPECT_FALSE(plic.supervisor.level());
  thirty_three.line.set(true);
  EXPECT_EQ(bench.read(0x1004, 4), 2u);
  EXPECT_EQ(bench.read(0x200004, 4), 33u);
  EXPECT_EQ(bench.read(0x200004, 4), 3u);
  EXPECT_EQ(bench.read(0x200004, 4), 0u);
  EXPECT_FALSE(plic.machine.level());
  bench.write(0x200004, 3, 4);
  EXPECT_TRUE(plic.machine.level()) << "the line is still high";
  bench.write(0x200000, 1, 4);
  EXPECT_FALSE(plic.machine.level()) << "at the threshold";
  bench.write(0x200004, 33, 4);
  EXPECT_TRUE(plic.machine.level());
  thirty_three.line.set(false);
  EXPECT_FALSE(plic.machine.level());
}

TEST(Plic, PlacesWithoutARegisterReadZero) {
  DeviceBench<Plic, PlicParameters> bench("bench", {4, 7});
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  for (const std::uint64_t offset : {0x0ull, 0x14ull, 0xffcull, 0x1ffcull, 0x1ffffcull, 0x202004ull, 0x3fffffcull}) {
    bench.write(offset, ~0u, 4);
    EXPECT_EQ(bench.read(offset, 4), 0u) << offset;
  }
}

}  // namespace
