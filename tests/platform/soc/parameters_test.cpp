// SPDX-License-Identifier: Apache-2.0
#include "platform/soc/parameters.hpp"

#include <gtest/gtest.h>

#include "platform/chip/address_map.hpp"

namespace forerun::soc {
namespace {

TEST(SocParameters, TakeOverEveryClusterNumber) {
  chip::Chip chip;
  auto& c = chip.clusters;
  c.clock = {2e9};
  c.scratchpad = {{1 << 20}, 8, {32}, 5};
  c.tensor.rows = 16, c.tensor.columns = 24, c.tensor.arrays = 3, c.tensor.double_buffered = false;
  c.vector = {48, 9, 2};
  c.dma = {1, 1, {128}, 20, 6};
  c.command = {7, {8192}, 3};
  const auto p = cluster_parameters(chip, 11);
  EXPECT_EQ(p.index, 11u);
  EXPECT_EQ(p.scratchpad_window, chip::address_map::scratchpad_stride);
  EXPECT_EQ(p.scratchpad.size.count, 1u << 20);
  EXPECT_EQ(p.scratchpad.banks, 8u);
  EXPECT_EQ(p.scratchpad.bank_width.count, 32u);
  EXPECT_EQ(p.scratchpad.latency, 5u);
  EXPECT_EQ(p.tensor.rows, 16u);
  EXPECT_EQ(p.tensor.columns, 24u);
  EXPECT_EQ(p.tensor.arrays, 3u);
  EXPECT_FALSE(p.tensor.double_buffered);
  EXPECT_EQ(p.vector.lanes, 48u);
  EXPECT_EQ(p.vector.latency, 9u);
  EXPECT_EQ(p.vector.special_factor, 2u);
  EXPECT_EQ(p.dma.burst.count, 128u);
  EXPECT_EQ(p.dma.outstanding, 20u);
  EXPECT_EQ(p.dma.overhead, 6u);
  for (const auto depth : {p.dma.queue_depth, p.tensor.queue_depth, p.vector.queue_depth})
    EXPECT_EQ(depth, 7u);
  EXPECT_EQ(p.command.fetch_buffer.count, 8192u);
  EXPECT_EQ(p.command.dispatch_cycles, 3u);
  for (const auto clock : {p.scratchpad.clock, p.dma.clock, p.tensor.clock, p.vector.clock, p.command.clock})
    EXPECT_EQ(clock, Frequency{2e9});
}

TEST(SocParameters, GiveTimingAndDataToEveryBlockThatHasTheChoice) {
  chip::Chip chip;
  const auto grid = chip::place_tiles(chip);
  for (const bool loose : {false, true}) {
    chip.timing = loose ? chip::Timing::loose : chip::Timing::approximate;
    const auto wanted = loose ? ip::Timing::loose : ip::Timing::approximate;
    const auto c = cluster_parameters(chip, 0);
    for (const auto timing : {c.scratchpad.timing, c.dma.timing, c.command.timing,
                              hbm_parameters(chip, 0).timing, noc_parameters(chip, grid).timing})
      EXPECT_EQ(timing, wanted);
  }
  for (const bool real : {false, true}) {
    chip.data = real ? chip::Data::real : chip::Data::none;
    const auto c = cluster_parameters(chip, 0);
    for (const auto data : {c.dma.data, c.tensor.data, c.vector.data}) EXPECT_EQ(data, real);
  }
}

TEST(SocParameters, TakeOverEveryMemoryNumber) {
  chip::Chip chip;
  auto& h = chip.hbm;
  h.stacks = 4, h.channels = 8, h.pseudo_channels = 1, h.bank_groups = 2, h.banks_per_group = 8, h.rows = 512;
  h.row_bytes = {2048}, h.burst_bytes = {64}, h.ports = 2, h.interleave = {512}, h.queue_depth = 9,
  h.front_end = 3;
  h.act_cycles = 1, h.clock = {1e9};
  h.scheduler = chip::Scheduler::fcfs, h.page_policy = chip::PagePolicy::closed,
  h.refresh = chip::Refresh::none;
  using F = chip::AddressField;
  h.address_map = {F::burst, F::channel, F::pseudo_channel, F::column, F::bank, F::bank_group, F::row};
  h.timings = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
  const auto p = hbm_parameters(chip, 3);
  EXPECT_EQ(p.stacks, 4u);
  EXPECT_EQ(p.stack, 3u);
  EXPECT_EQ(p.channels, 8u);
  EXPECT_EQ(p.pseudo_channels, 1u);
  EXPECT_EQ(p.bank_groups, 2u);
  EXPECT_EQ(p.banks_per_group, 8u);
  EXPECT_EQ(p.rows, 512u);
  EXPECT_EQ(p.row_bytes.count, 2048u);
  EXPECT_EQ(p.burst_bytes.count, 64u);
  EXPECT_EQ(p.ports, 2u);
  EXPECT_EQ(p.interleave.count, 512u);
  EXPECT_EQ(p.queue_depth, 9u);
  EXPECT_EQ(p.front_end, 3u);
  EXPECT_EQ(p.clock, Frequency{1e9});
  EXPECT_EQ(p.scheduler, ip::hbm::Scheduler::fcfs);
  EXPECT_EQ(p.page_policy, ip::hbm::PagePolicy::closed);
  EXPECT_FALSE(p.refresh);
  using I = ip::hbm::Field;
  EXPECT_EQ(p.address_map, (std::vector<I>{I::burst, I::channel, I::pseudo_channel, I::column, I::bank,
                                           I::bank_group, I::row}));
  EXPECT_EQ(p.capacity() * 4, chip::memory_size(chip).count);
  EXPECT_DOUBLE_EQ(p.peak_bandwidth() * 4, chip::peak_memory_bandwidth(chip).bytes_per_second);
  const auto& t = p.timings;
  const auto& from = h.timings;
  EXPECT_EQ((std::vector{t.RL,    t.WL,   t.nBL,   t.tRCDRD, t.tRCDWR, t.tRP,       t.tRAS,
                         t.tWR,   t.tRTP, t.tCCDS, t.tCCDL,  t.tRRDS,  t.tRRDL,     t.tWTRS,
                         t.tWTRL, t.tRTW, t.tFAW,  t.tRFC,   t.tREFI,  t.act_cycles}),
            (std::vector{from.RL,    from.WL,   from.nBL,   from.tRCDRD, from.tRCDWR, from.tRP,   from.tRAS,
                         from.tWR,   from.tRTP, from.tCCDS, from.tCCDL,  from.tRRDS,  from.tRRDL, from.tWTRS,
                         from.tWTRL, from.tRTW, from.tFAW,  from.tRFC,   from.tREFI,  1u}));
}

TEST(SocParameters, TakeOverEveryCpuNumber) {
  chip::Chip chip;
  chip.cpu = {{3e9}, 11, 12, 13, 14, 15, 16, 17, 18, 19};
  chip.quantum = {5000};
  const auto p = cpu_parameters(chip);
  EXPECT_EQ(p.clock, Frequency{3e9});
  EXPECT_EQ(p.quantum, Time{5000});
  EXPECT_EQ(p.reset_vector, chip::address_map::boot_rom);
  const auto& c = p.costs;
  EXPECT_EQ(
      (std::vector{c.alu, c.load, c.store, c.branch, c.multiply, c.divide, c.floating, c.atomic, c.system}),
      (std::vector{11u, 12u, 13u, 14u, 15u, 16u, 17u, 18u, 19u}));
}

TEST(SocParameters, TakeOverNocAndControlTile) {
  chip::Chip chip;
  chip.cpu.clock = {500e6};
  chip.sram = {{1 << 18}, 3};
  chip.boot_rom = {{1001}, 5};
  chip.noc.clock = {2e9}, chip.noc.link_width = {32}, chip.noc.buffer = 5, chip.noc.switch_delay = 2, chip.noc.speculative = false,
  chip.noc.link_latency = 2;
  chip.bus.latency = {1234};
  chip.peripherals = {{20e6}, {3e6}, 2, 5, 9};
  chip.clusters.count = 20;
  chip::Grid grid{7, 9, {}};
  const auto n = noc_parameters(chip, grid);
  EXPECT_EQ(n.clock, Frequency{2e9});
  EXPECT_EQ(n.columns, 7u);
  EXPECT_EQ(n.rows, 9u);
  EXPECT_EQ(n.link_width.count, 32u);
  EXPECT_EQ(n.buffer_flits, 5u);
  EXPECT_EQ(n.router_latency(), 4u);
  EXPECT_EQ(n.link_latency, 2u);
  chip.noc.model = chip::NocModel::flit, chip.noc.topology = chip::NocTopology::fat_tree, chip.noc.fat_tree_radix = 3;
  chip.noc.switching = chip::NocSwitching::virtual_cut_through, chip.noc.virtual_channels = 7, chip.noc.credit_delay = 6;
  const auto tree = noc_parameters(chip, grid);
  EXPECT_EQ(tree.model, ip::noc::Model::flit);
  EXPECT_EQ(tree.topology, ip::noc::Topology::fat_tree);
  EXPECT_EQ(tree.fat_tree_radix, 3u);
  EXPECT_EQ(tree.switching, ip::noc::Switching::virtual_cut_through);
  EXPECT_EQ(tree.virtual_channels, 7u);
  EXPECT_EQ(tree.credit_delay, 6u);
  EXPECT_EQ(noc_endpoint(chip, {1e9}).clock.hertz, 0.0) << "no crossings";
  chip.noc.synchroniser_stages = 3;
  EXPECT_EQ(noc_endpoint(chip, {1e9}, 1).clock.hertz, 1e9);
  EXPECT_EQ(noc_endpoint(chip, {1e9}, 1).synchroniser_stages, 3u);
  EXPECT_EQ(noc_endpoint(chip, {1e9}, 1).priority, 1u);
  EXPECT_EQ(sram_parameters(chip).size.count, 1u << 18);
  EXPECT_EQ(sram_parameters(chip).latency, Time{6000});
  EXPECT_EQ(device_tree_address(chip), 0x1000u + 1008) << "aligned to 8 bytes";
  const auto rom = boot_rom_parameters(chip, 500);
  EXPECT_EQ(rom.size.count, 4096u);
  EXPECT_EQ(boot_rom_parameters(chip, 3089).size.count, 8192u);
  EXPECT_EQ(rom.latency, Time{10000});
  EXPECT_TRUE(rom.read_only);
  EXPECT_EQ(plic_parameters(chip).sources, 35u);
  EXPECT_EQ(bus_parameters(chip).latency, Time{1234});
  EXPECT_EQ(uart_parameters(chip).clock, Frequency{3e6});
  EXPECT_EQ(uart_parameters(chip).register_shift, 2u);
  EXPECT_EQ(mailbox_parameters(chip).depth, 5u);
  EXPECT_EQ(plic_parameters(chip).max_priority, 9u);
  for (const auto rate :
       {clint_parameters(chip).timebase, timer_parameters(chip).timebase, sysctl_parameters(chip).timebase})
    EXPECT_EQ(rate, Frequency{20e6});
  EXPECT_EQ(sysctl_parameters(chip).clusters, 20u);
  EXPECT_EQ(sysctl_parameters(chip).cpu, Frequency{500e6});
}

}  // namespace
}  // namespace forerun::soc
