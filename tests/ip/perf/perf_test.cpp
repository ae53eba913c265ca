// SPDX-License-Identifier: Apache-2.0
#include "ip/perf/perf.hpp"

#include "firmware/abi/registers.h"
#include "tests/support/host.hpp"

using namespace forerun;
using namespace forerun::ip;

namespace {

struct Block {
  CounterGroup counters;
  Counter reads{counters, "reads", "transaction", "reads"};
  Counter writes{counters, "writes", "transaction", "writes"};
};

struct Bench : test::Host {
  PerformanceCounters perf{"perf"};
  LevelOut reset{"reset"};
  Block block;
  std::uint64_t cycles = 0x1'0000'0007;
  explicit Bench(const sc_core::sc_module_name& name) : Host(name) {
    socket.bind(perf.socket);
    reset.bind(perf.reset_line);
    perf.add("cycles", [this] { return cycles; });
    perf.add("cluster0.dma", block.counters);
  }
  void select(std::uint64_t index) { write(FR_PERF_SELECT, index, 4); }
  std::string shown_name() {
    std::string text;
    for (unsigned i = 0; i < 64; i += 8) {
      const auto word = read(FR_PERF_NAME + i, 8);
      text.append(reinterpret_cast<const char*>(&word), 8);
    }
    return text;
  }
};

TEST(PerformanceCounters, ShowNamesAndPresentValues) {
  Bench bench("bench");
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  EXPECT_EQ(bench.read(FR_PERF_ID, 4), 0x46525031u);
  EXPECT_EQ(bench.read(FR_PERF_COUNT, 4), 3u);
  std::string padded = "cycles";
  padded.resize(64);
  EXPECT_EQ(bench.shown_name(), padded);
  EXPECT_EQ(bench.read(FR_PERF_VALUE, 8), 0x1'0000'0007u);
  EXPECT_EQ(bench.read(FR_PERF_VALUE + 4, 4), 1u);
  bench.select(2);
  EXPECT_STREQ(bench.shown_name().c_str(), "cluster0.dma.writes");
  EXPECT_EQ(bench.read(FR_PERF_VALUE, 8), 0u);
  bench.block.writes += 5;
  EXPECT_EQ(bench.read(FR_PERF_VALUE, 8), 5u);
  bench.reset.set(true);
  EXPECT_EQ(bench.read(FR_PERF_SELECT, 4), 0u);
  EXPECT_EQ(bench.block.writes.value(), 5u);
}

TEST(PerformanceCounters, BeyondTheLastReadsAsZero) {
  Bench bench("bench");
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  for (const std::uint64_t index : {3u, 0xffffffffu}) {
    bench.select(index);
    EXPECT_EQ(bench.read(FR_PERF_VALUE, 8), 0u);
    EXPECT_EQ(bench.shown_name(), std::string(64, '\0'));
  }
}

TEST(PerformanceCounters, RefuseWritesAndHoles) {
  Bench bench("bench");
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  std::uint64_t value = 9;
  EXPECT_EQ(bench.access(tlm::TLM_WRITE_COMMAND, FR_PERF_VALUE, value, 8), tlm::TLM_COMMAND_ERROR_RESPONSE);
  EXPECT_EQ(bench.access(tlm::TLM_WRITE_COMMAND, FR_PERF_NAME + 56, value, 8),
            tlm::TLM_COMMAND_ERROR_RESPONSE);
  EXPECT_EQ(bench.access(tlm::TLM_READ_COMMAND, 0x18, value, 8), tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(bench.access(tlm::TLM_READ_COMMAND, FR_PERF_NAME + 64, value, 8),
            tlm::TLM_ADDRESS_ERROR_RESPONSE);
  EXPECT_EQ(bench.access(tlm::TLM_READ_COMMAND, FR_PERF_VALUE + 1, value, 1), tlm::TLM_BURST_ERROR_RESPONSE);
}

TEST(PerformanceCounters, RefuseBadNamesAndLateOnes) {
  PerformanceCounters perf("perf");
  test::Host host("host");
  host.socket.bind(perf.socket);
  const auto zero = [] { return std::uint64_t{0}; };
  EXPECT_THROW(perf.add("", zero), std::invalid_argument);
  EXPECT_THROW(perf.add(std::string(64, 'x'), zero), std::invalid_argument);
  EXPECT_THROW(perf.add("line\nbreak", zero), std::invalid_argument);
  perf.add(std::string(63, 'x'), zero);
  sc_core::sc_start(sc_core::SC_ZERO_TIME);
  EXPECT_THROW(perf.add("late", zero), std::logic_error);
  EXPECT_EQ(perf.count(), 1u);
}

}  // namespace
