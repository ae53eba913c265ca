// SPDX-License-Identifier: Apache-2.0
// The chip as its bus master sees it: addresses, identities, errors, resets, interrupts, debug access.
#include "platform/soc/soc.hpp"

#include <gmock/gmock.h>

#include <numeric>
#include <set>
#include <stdexcept>

#include "firmware/abi/registers.h"
#include "platform/soc/parameters.hpp"
#include "tests/platform/soc/bench.hpp"

namespace forerun::soc {
namespace {
namespace map = chip::address_map;
using testing::HasSubstr;

void run(std::initializer_list<Bench*> benches) {
  sc_core::sc_start(1, sc_core::SC_MS);
  for (const auto* bench : benches) EXPECT_TRUE(bench->finished) << bench->name();
}

std::vector<std::uint8_t> pattern(std::size_t count, unsigned seed) {
  std::vector<std::uint8_t> bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>((i * 2654435761u + seed) >> 7);
  return bytes;
}

std::vector<std::uint8_t> read(Soc& soc, std::uint64_t address, std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  soc.read(address, bytes);
  return bytes;
}

void read_identities(Bench& b) {
  EXPECT_EQ(b.get(map::sysctl + FR_SYSCTL_ID), 0x46525331u);
  EXPECT_EQ(b.get(map::sysctl + FR_SYSCTL_CLUSTERS), b.soc.clusters.size());
  EXPECT_EQ(b.get<std::uint64_t>(map::sysctl + FR_SYSCTL_BOOT_ADDRESS), map::sram);
  EXPECT_EQ(b.get<std::uint64_t>(map::sysctl + FR_SYSCTL_CPU_HZ), 1'000'000'000u);
  EXPECT_EQ(b.get<std::uint64_t>(map::sysctl + FR_SYSCTL_TIMEBASE_HZ), 10'000'000u);
  EXPECT_EQ(b.get<std::uint64_t>(map::sysctl + FR_SYSCTL_CLUSTER_HZ), 1'250'000'000u);
  const auto tree = b.get<std::uint64_t>(map::sysctl + FR_SYSCTL_DEVICE_TREE);
  EXPECT_EQ(b.get(tree), 0xedfe0dd0u) << "the magic of a device tree, big-endian";
  EXPECT_EQ(b.get(map::timer + FR_TIMER_ID), 0x46525431u);
  EXPECT_EQ(b.get(map::mailbox + FR_MAILBOX_ID), 0x46524d31u);
  EXPECT_EQ(b.get(map::perf + FR_PERF_ID), 0x46525031u);
  EXPECT_EQ(b.get(map::perf + FR_PERF_COUNT), b.soc.statistics().size());
  EXPECT_EQ(b.get<std::uint8_t>(map::uart + 5), 0x60) << "line status: transmitter empty";
  EXPECT_EQ(b.get<std::uint64_t>(map::clint + 0x4000), ~std::uint64_t{0}) << "mtimecmp";
  EXPECT_EQ(b.get(map::plic + 4), 0u) << "priority of source 1";
  for (unsigned i = 0; i < b.soc.clusters.size(); ++i) {
    EXPECT_EQ(b.get(map::cluster_registers(i) + FR_CLUSTER_ID), 0x46524331u);
    EXPECT_EQ(b.get(map::cluster_registers(i) + FR_CLUSTER_INDEX), i);
    EXPECT_EQ(b.get(map::cluster_registers(i) + FR_CLUSTER_SCRATCHPAD_BYTES), 64u << 10);
  }
}

TEST(Soc, HasEveryDeviceAtItsAddressForAnyNumberOfClusters) {
  Bench one("one", small_chip(1), read_identities), sixteen("sixteen", small_chip(16), read_identities);
  run({&one, &sixteen});
}

TEST(Soc, HasEveryDeviceAtItsAddressInLooseTiming) {
  auto chip = small_chip(3);
  chip.timing = chip::Timing::loose;
  Bench bench("bench", chip, read_identities);
  run({&bench});
}

TEST(Soc, MemoriesHoldWhatIsWrittenToThem) {
  const auto script = [](Bench& b) {
    const auto last = b.soc.clusters.size() - 1;
    for (const auto address : {map::sram, map::sram + (1 << 20) - 8, map::scratchpad(0),
                               map::scratchpad(static_cast<unsigned>(last)) + (64 << 10) - 8, map::hbm,
                               map::hbm + 0x12340, map::hbm + b.soc.hbm_store.size() - 8}) {
      b.put<std::uint64_t>(address, address * 3);
    }
    EXPECT_EQ(b.get<std::uint64_t>(map::sram), map::sram * 3);
    EXPECT_EQ(b.get<std::uint64_t>(map::scratchpad(0)), map::scratchpad(0) * 3);
    EXPECT_EQ(b.get<std::uint64_t>(map::hbm + 0x12340), (map::hbm + 0x12340) * 3);
    const auto end = map::hbm + b.soc.hbm_store.size() - 8;
    EXPECT_EQ(b.get<std::uint64_t>(end), end * 3);
    std::uint64_t value = 0;
    EXPECT_EQ(b.access(tlm::TLM_WRITE_COMMAND, map::boot_rom, &value, 8), tlm::TLM_COMMAND_ERROR_RESPONSE);
  };
  auto loose = small_chip();
  loose.timing = chip::Timing::loose;
  Bench a("approximate", small_chip(), script), l("loose", loose, script);
  run({&a, &l});
}

TEST(Soc, AnswersWhereNothingIsWithAnAddressError) {
  Bench bench("bench", small_chip(2), [](Bench& b) {
    std::uint64_t value = 0;
    for (const auto address :
         {std::uint64_t{0}, map::boot_rom - 8, map::sysctl + 0x1000, map::uart + 0x100, map::perf + 0x1000,
          map::cluster_registers(0) + 0x1000, map::cluster_registers(2), map::sram + (1 << 20),
          map::scratchpad(0) + (64 << 10), map::scratchpad(2), map::hbm - 8,
          map::hbm + b.soc.hbm_store.size(), ~std::uint64_t{7}}) {
      EXPECT_EQ(b.access(tlm::TLM_READ_COMMAND, address, &value, 8), tlm::TLM_ADDRESS_ERROR_RESPONSE)
          << std::hex << address;
      EXPECT_EQ(b.access(tlm::TLM_WRITE_COMMAND, address, &value, 8), tlm::TLM_ADDRESS_ERROR_RESPONSE)
          << std::hex << address;
      std::vector<std::uint8_t> bytes(8);
      EXPECT_THROW(b.soc.read(address, bytes), std::runtime_error) << std::hex << address;
      EXPECT_THROW(b.soc.write(address, bytes), std::runtime_error) << std::hex << address;
    }
  });
  run({&bench});
}

TEST(Soc, DebugAccessReachesMemoriesBeforeTheStartAndEverythingAfterIt) {
  auto chip = small_chip();
  chip.hbm.stacks = 2;
  Bench bench("bench", chip, [](Bench& b) {
    try {
      read(b.soc, map::sram + (1 << 20) - 4, 8);
      ADD_FAILURE() << "an access beyond the SRAM was carried out";
    } catch (const std::runtime_error& error) {
      EXPECT_THAT(error.what(), HasSubstr("0x800ffffc"));
    }
  });
  auto& soc = bench.soc;
  const auto rom = pattern(1000, 1), ram = pattern(5000, 2), large = pattern(3 << 20, 3);
  soc.load_boot_rom(rom);
  soc.write(map::sram + 3, ram);
  soc.write(map::hbm + 0xfff1, large);
  EXPECT_EQ(read(soc, map::hbm + 0xfff1, large.size()), large);
  EXPECT_THROW(read(soc, map::sysctl, 4), std::runtime_error);
  EXPECT_THROW(soc.load_boot_rom(std::vector<std::uint8_t>((64 << 10) + 1)), std::runtime_error);
  sc_core::sc_start(1, sc_core::SC_US);
  EXPECT_EQ(read(soc, map::boot_rom, rom.size()), rom);
  EXPECT_EQ(read(soc, map::sram + 3, ram.size()), ram);
  EXPECT_EQ(read(soc, map::hbm + 0xfff1, large.size()), large);
  EXPECT_EQ(read(soc, map::sysctl, 4), (std::vector<std::uint8_t>{0x31, 0x53, 0x52, 0x46}));
  soc.write(map::scratchpad(1) + 100, ram);
  EXPECT_EQ(read(soc, map::scratchpad(1) + 100, ram.size()), ram);
  EXPECT_TRUE(bench.finished);
}

TEST(Soc, GivesDirectMemoryAccessThroughTheBus) {
  auto chip = small_chip();
  chip.timing = chip::Timing::loose;
  Bench bench("bench", chip, [](Bench&) {});
  bench.soc.write(map::sram, pattern(16, 4));
  bench.soc.write(map::hbm, pattern(200'000, 5));
  sc_core::sc_start(1, sc_core::SC_US);
  const auto direct = [&](std::uint64_t address, tlm::tlm_dmi& dmi) {
    tlm::tlm_generic_payload payload;
    payload.set_read();
    payload.set_address(address);
    return bench.socket->get_direct_mem_ptr(payload, dmi);
  };
  tlm::tlm_dmi sram, rom, hbm, device;
  ASSERT_TRUE(direct(map::sram + 5000, sram));
  EXPECT_EQ(sram.get_start_address(), map::sram);
  EXPECT_EQ(sram.get_end_address(), map::sram + (1 << 20) - 1);
  EXPECT_TRUE(sram.is_read_write_allowed());
  EXPECT_EQ(sram.get_dmi_ptr()[7], pattern(16, 4)[7]);
  EXPECT_EQ(sram.get_read_latency(), sc_core::sc_time(6, sc_core::SC_NS))
      << "2 cycles of the bus and 4 of the SRAM";
  ASSERT_TRUE(direct(map::boot_rom, rom));
  EXPECT_FALSE(rom.is_write_allowed());
  ASSERT_TRUE(direct(map::hbm + 150'000, hbm));
  ASSERT_LE(hbm.get_start_address(), map::hbm + 150'000);
  ASSERT_GE(hbm.get_end_address(), map::hbm + 150'000);
  EXPECT_EQ(hbm.get_dmi_ptr()[map::hbm + 150'000 - hbm.get_start_address()], pattern(200'000, 5)[150'000]);
  EXPECT_FALSE(direct(map::uart, device));
}

TEST(Soc, DevicesInterruptThroughThePlic) {
  Bench bench("bench", small_chip(2), [](Bench& b) {
    constexpr std::uint64_t claim = map::plic + 0x20'0004;
    for (const auto source : {map::uart_interrupt, map::timer_interrupt, map::mailbox_interrupt})
      b.put(map::plic + 4 * source, 1);
    b.put(map::plic + 0x2000, 0xe);
    EXPECT_FALSE(b.soc.plic.machine.level());

    b.put<std::uint8_t>(map::uart + 1, 1);
    b.soc.uart.receive('x');
    EXPECT_TRUE(b.soc.plic.machine.level());
    EXPECT_EQ(b.get(claim), map::uart_interrupt);
    EXPECT_EQ(b.get<std::uint8_t>(map::uart), 'x');
    b.put(claim, map::uart_interrupt);

    b.put(map::mailbox + FR_MAILBOX_INTERRUPT_ENABLE, FR_MAILBOX_INTERRUPT_IN);
    EXPECT_TRUE(b.soc.mailbox.host_send({1, 2, 3}));
    EXPECT_EQ(b.get(claim), map::mailbox_interrupt);
    b.put(map::mailbox + FR_MAILBOX_CONTROL, FR_MAILBOX_CONTROL_POP);
    b.put(claim, map::mailbox_interrupt);

    b.put<std::uint64_t>(map::timer + FR_TIMER_PERIOD, 3);
    b.put(map::timer + FR_TIMER_CONTROL, FR_TIMER_CONTROL_ENABLE | FR_TIMER_CONTROL_INTERRUPT);
    sc_core::wait(1, sc_core::SC_US);
    EXPECT_EQ(b.get(claim), map::timer_interrupt);
  });
  run({&bench});
}

TEST(Soc, ResetsTheWholeChip) {
  Bench bench("bench", small_chip(2), [](Bench& b) {
    b.put<std::uint64_t>(map::sysctl + FR_SYSCTL_SCRATCH, 77);
    b.put<std::uint64_t>(map::sysctl + FR_SYSCTL_CLUSTER_RESET, 2);
    EXPECT_TRUE(b.soc.clusters[1]->reset_line.level());
    b.put<std::uint64_t>(map::cluster_registers(0) + FR_CLUSTER_STREAM, 0x1230);
    b.put<std::uint64_t>(map::clint + 0x4000, 5);
    b.put(map::plic + 4, 3);
    b.put<std::uint64_t>(map::timer + FR_TIMER_PERIOD, 9);
    b.put(map::mailbox + FR_MAILBOX_INTERRUPT_ENABLE, 3);
    b.put(map::perf + FR_PERF_SELECT, 4);
    b.put<std::uint8_t>(map::uart + 7, 0x5a);
    b.put(map::sram, 0x1234);
    b.put(map::hbm, 0x5678);
    b.put(map::sysctl + FR_SYSCTL_RESET, 1);
    EXPECT_EQ(b.get<std::uint64_t>(map::sysctl + FR_SYSCTL_SCRATCH), 77u);
    EXPECT_EQ(b.get<std::uint64_t>(map::sysctl + FR_SYSCTL_CLUSTER_RESET), 0u);
    EXPECT_FALSE(b.soc.clusters[1]->reset_line.level());
    EXPECT_EQ(b.get<std::uint64_t>(map::cluster_registers(0) + FR_CLUSTER_STREAM), 0u);
    EXPECT_EQ(b.get<std::uint64_t>(map::clint + 0x4000), ~std::uint64_t{0});
    EXPECT_EQ(b.get(map::plic + 4), 0u);
    EXPECT_EQ(b.get<std::uint64_t>(map::timer + FR_TIMER_PERIOD), 0u);
    EXPECT_EQ(b.get(map::mailbox + FR_MAILBOX_INTERRUPT_ENABLE), 0u);
    EXPECT_EQ(b.get(map::perf + FR_PERF_SELECT), 0u);
    EXPECT_EQ(b.get<std::uint8_t>(map::uart + 7), 0u);
    EXPECT_EQ(b.get(map::sram), 0x1234u) << "memories keep their contents";
    EXPECT_EQ(b.get(map::hbm), 0x5678u);
  });
  run({&bench});
}

TEST(Soc, HandsOnTheExitCode) {
  int code = -1;
  Bench bench("bench", small_chip(1), [](Bench& b) { b.put(map::sysctl + FR_SYSCTL_EXIT, 42); });
  bench.soc.on_exit = [&](int value) { code = value; };
  run({&bench});
  EXPECT_EQ(code, 42);
}

TEST(Soc, NamesItsStatisticsOnceAndShowsThemToFirmware) {
  auto chip = small_chip(2);
  chip.hbm.stacks = 2;
  chip.hbm.interleave = chip.clusters.dma.burst = {256};
  Bench bench("bench", chip, [](Bench& b) {
    for (unsigned i = 0; i < 3; ++i) b.put(map::hbm + i * 256, i);
    const auto& all = b.soc.statistics();
    const auto find = [&](const std::string& name) {
      return static_cast<std::size_t>(
          std::find_if(all.begin(), all.end(), [&](const auto& s) { return s.name == name; }) - all.begin());
    };
    for (const char* name : {"cluster1.tensor.macs", "hbm1.channel3.row_hits", "noc.packets", "uart.sent",
                             "sram.reads", "hbm0.bytes_written"})
      EXPECT_LT(find(name), all.size()) << name;
    EXPECT_EQ(all[find("hbm0.bytes_written")].value() + all[find("hbm1.bytes_written")].value(), 12u);
    EXPECT_EQ(all[find("hbm0.bytes_written")].value(), 8u) << "pieces go round the stacks";
    b.put(map::perf + FR_PERF_SELECT, static_cast<std::uint32_t>(find("hbm1.bytes_written")));
    EXPECT_EQ(b.get<std::uint64_t>(map::perf + FR_PERF_VALUE), 4u);
    EXPECT_EQ(b.get<std::uint64_t>(map::perf + FR_PERF_NAME), 0x7479622e316d6268u) << "hbm1.byt";
  });
  run({&bench});
  std::set<std::string> names;
  for (const auto& s : bench.soc.statistics()) {
    EXPECT_TRUE(names.insert(s.name).second) << s.name;
    EXPECT_FALSE(s.unit.empty()) << s.name;
    EXPECT_FALSE(s.description.empty()) << s.name;
  }
}

TEST(Soc, HoldsAsManyClustersAsTheAddressMap) {
  auto chip = small_chip(map::max_clusters);
  chip.clusters.scratchpad.size = {4096};
  chip.clusters.command.fetch_buffer = {1024};
  chip.hbm.stacks = 8;
  chip.hbm.ports = 32;
  chip.hbm.channels = 32;
  Bench bench("bench", chip, [](Bench& b) {
    const auto last = map::max_clusters - 1;
    EXPECT_EQ(b.get(map::cluster_registers(last) + FR_CLUSTER_INDEX), last);
    b.put(map::scratchpad(last) + 4092, 17);
    EXPECT_EQ(b.get(map::scratchpad(last) + 4092), 17u);
    EXPECT_EQ(b.get(map::perf + FR_PERF_COUNT), b.soc.statistics().size());
    b.put(map::hbm + b.soc.hbm_store.size() - 4, 18);
    EXPECT_EQ(b.get(map::hbm + b.soc.hbm_store.size() - 4), 18u);
  });
  run({&bench});
}

TEST(Soc, RefusesChipsThatItCannotBuild) {
  const auto refuses = [](auto change, const char* why) {
    auto chip = small_chip();
    change(chip);
    try {
      Soc soc(sc_core::sc_gen_unique_name("soc"), chip, {.with_cpu = false});
      ADD_FAILURE() << "was built: " << why;
    } catch (const std::invalid_argument& error) {
      EXPECT_THAT(error.what(), HasSubstr(why));
    }
  };
  refuses([](auto& c) { c.clusters.count = 0; }, "clusters.count");
  refuses([](auto& c) { c.clusters.count = 1001; }, "clusters.count");
  refuses([](auto& c) { c.clusters.scratchpad.size = {1 << 29}; }, "clusters.scratchpad.size");
  refuses([](auto& c) { c.sram.size = {1ull << 36}; }, "sram.size");
  refuses([](auto& c) { c.boot_rom.size = {0xff000}; }, "device tree");
  refuses([](auto& c) { c.hbm.interleave = {128}; }, "hbm.interleave");
  refuses([](auto& c) { c.hbm.interleave = {256}, c.clusters.dma.burst = {512}; }, "clusters.dma.burst");
  refuses([](auto& c) { c.hbm.rows = 1000; }, "hbm.rows");
  refuses([](auto& c) { c.hbm.stacks = 0; }, "hbm.stacks");
  refuses([](auto& c) { c.clusters.dma.load_channels = 2; }, "clusters.dma.load_channels");
  refuses([](auto& c) { c.noc.columns = c.noc.rows = 2; }, "noc");
}

}  // namespace
TEST(SocStatistics, CountWhatTheControlTileDoes) {
  Bench bench("bench", small_chip(1), [](Bench& b) {
    b.put<std::uint64_t>(map::timer + FR_TIMER_PERIOD, 3);
    b.put(map::timer + FR_TIMER_CONTROL, FR_TIMER_CONTROL_ENABLE);
    b.put(map::mailbox + FR_MAILBOX_CONTROL, FR_MAILBOX_CONTROL_SEND);
    sc_core::wait(10, sc_core::SC_US);
  });
  sc_core::sc_start(1, sc_core::SC_MS);
  EXPECT_TRUE(bench.finished);
  const auto value = [&](const std::string& name) -> std::uint64_t {
    for (const auto& s : bench.soc.statistics())
      if (s.name == name) return s.value();
    return ~0ull;
  };
  EXPECT_EQ(value("timer.expiries"), 1u);
  EXPECT_EQ(value("mailbox.sent"), 1u);
  EXPECT_EQ(value("mailbox.taken"), 0u);
  EXPECT_EQ(value("plic.claims"), 0u);
  EXPECT_EQ(value("bus.transactions"), 3u);
  EXPECT_EQ(value("sysctl.resets"), 0u);
}

}  // namespace forerun::soc
