// SPDX-License-Identifier: Apache-2.0
#include "platform/soc/parameters.hpp"

#include <gtest/gtest.h>

#include "platform/chip/address_map.hpp"
#include "platform/chip/names.hpp"

namespace forerun::soc {
namespace {

TEST(SocParameters, TakeOverEveryClusterNumber) {
  chip::Chip chip;
  auto& c = chip.clusters;
  c.clock = {2e9};
  c.scratchpad = {chip::ScratchpadModel::tlm, {1 << 20}, 8, {32}, 5};
  c.tensor.rows = 16, c.tensor.columns = 24, c.tensor.arrays = 3, c.tensor.dot = 4, c.tensor.double_buffered = false;
  c.vector = {chip::VectorModel::tlm, 48, 9, 2, {32 * 1024}};
  c.dma = {chip::DmaModel::tlm, 1, 1, {128}, 20, 6};
  c.command = {chip::CommandModel::tlm, 7, {8192}, 3, {7000}};
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
  EXPECT_EQ(p.tensor.dot, 4u);
  EXPECT_FALSE(p.tensor.double_buffered);
  EXPECT_EQ(p.vector.lanes, 48u);
  EXPECT_EQ(p.vector.latency, 9u);
  EXPECT_EQ(p.vector.special_factor, 2u);
  EXPECT_EQ(p.vector.buffer.count, 32u * 1024);
  EXPECT_EQ(p.dma.burst.count, 128u);
  EXPECT_EQ(p.dma.outstanding, 20u);
  EXPECT_EQ(p.dma.overhead, 6u);
  EXPECT_EQ(p.dma.post_overhead, (Time{7000}));
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
  h.stacks = 4, h.channels = 8, h.pseudo_channels = 1, h.ranks = 2, h.bank_groups = 2, h.banks_per_group = 8;
  h.rows = 512, h.row_bytes = {2048}, h.burst_bytes = {64}, h.ports = 2, h.interleave = {512},
  h.clock = {1e9};
  h.separate_buses = false, h.act_cycles = 1, h.half_cycle_rows = false, h.column_cycles = 3;
  h.queue_depth = 9, h.front_end = 3, h.write_high = 71, h.write_low = 31, h.starvation = 1001,
  h.page_idle = 41;
  h.refresh_postpone = 5, h.refresh_management = true, h.ecc_data_bursts = 7, h.power_down = 201,
  h.self_refresh = 3001;
  h.opened_leaves_queue = false;
  using F = chip::AddressField;
  h.address_map = {{F::burst},  {F::channel}, {F::pseudo_channel}, {F::column, 1}, {F::bank},
                   {F::column}, {F::rank},    {F::bank_group},     {F::row}};
  h.address_hash = {{F::channel, {1u << 20}}};
  unsigned next = 1;
  auto& t = h.timings;
  for (auto* number : {&t.RL,     &t.WL,   &t.nBL,    &t.tRCDRD, &t.tRCDWR, &t.tRP,   &t.tRAS,   &t.tRC,
                       &t.tWR,    &t.tRTP, &t.tCCDS,  &t.tCCDL,  &t.tCCDR,  &t.tRRDS, &t.tRRDL,  &t.tWTRS,
                       &t.tWTRL,  &t.tRTW, &t.tFAW,   &t.tPPD,   &t.tRFC,   &t.tREFI, &t.tRFCpb, &t.tREFIpb,
                       &t.tRREFD, &t.tRFM, &t.RAAIMT, &t.RAAMMT, &t.tXP,    &t.tCKE,  &t.tXS})
    *number = next++;
  h.energies = {{1e-9}, {2e-9}, {3e-9}, {4e-9}, {5e-9}, {6e-3}, {7e-3}, {8e-3}};
  const auto p = hbm_parameters(chip, 3);
  EXPECT_EQ(p.stacks, 4u);
  EXPECT_EQ(p.stack, 3u);
  EXPECT_EQ(p.channels, 8u);
  EXPECT_EQ(p.pseudo_channels, 1u);
  EXPECT_EQ(p.ranks, 2u);
  EXPECT_EQ(p.bank_groups, 2u);
  EXPECT_EQ(p.banks_per_group, 8u);
  EXPECT_EQ(p.rows, 512u);
  EXPECT_EQ(p.row_bytes.count, 2048u);
  EXPECT_EQ(p.burst_bytes.count, 64u);
  EXPECT_EQ(p.ports, 2u);
  EXPECT_EQ(p.interleave.count, 512u);
  EXPECT_EQ(p.clock, Frequency{1e9});
  EXPECT_FALSE(p.separate_buses);
  EXPECT_EQ(p.queue_depth, 9u);
  EXPECT_EQ(p.front_end, 3u);
  EXPECT_EQ(p.write_high_percent, 71u);
  EXPECT_EQ(p.write_low_percent, 31u);
  EXPECT_EQ(p.starvation_cycles, 1001u);
  EXPECT_EQ(p.adaptive_idle_cycles, 41u);
  EXPECT_EQ(p.refresh_postpone, 5u);
  EXPECT_TRUE(p.refresh_management);
  EXPECT_EQ(p.ecc_data_bursts, 7u);
  EXPECT_EQ(p.power_down_cycles, 201u);
  EXPECT_EQ(p.self_refresh_cycles, 3001u);
  EXPECT_FALSE(p.opened_leaves_queue);
  EXPECT_EQ(p.capacity() * 4, chip::memory_size(chip).count);
  EXPECT_DOUBLE_EQ(p.peak_bandwidth() * 4, chip::peak_memory_bandwidth(chip).bytes_per_second);

  using Masks = std::vector<std::uint64_t>;
  const auto masks = [&](ip::hbm::Field f) { return p.address.bits[static_cast<std::size_t>(f)]; };
  EXPECT_EQ(masks(ip::hbm::Field::channel), (Masks{1u << 6 | 1u << 20, 1u << 7, 1u << 8}))
      << "above the burst, hashed";
  EXPECT_EQ(masks(ip::hbm::Field::pseudo_channel), Masks{});
  EXPECT_EQ(masks(ip::hbm::Field::column), (Masks{1u << 9, 1u << 13, 1u << 14, 1u << 15, 1u << 16}));
  EXPECT_EQ(masks(ip::hbm::Field::bank), (Masks{1u << 10, 1u << 11, 1u << 12}));
  EXPECT_EQ(masks(ip::hbm::Field::rank), (Masks{1u << 17}));
  EXPECT_EQ(masks(ip::hbm::Field::bank_group), (Masks{1u << 18}));
  EXPECT_EQ(masks(ip::hbm::Field::row).front(), 1u << 19);
  EXPECT_EQ(masks(ip::hbm::Field::row).size(), 9u);

  const auto& q = p.timings;
  const std::vector taken{q.RL,     q.WL,   q.nBL,    q.tRCDRD, q.tRCDWR, q.tRP,   q.tRAS,   q.tRC,
                          q.tWR,    q.tRTP, q.tCCDS,  q.tCCDL,  q.tCCDR,  q.tRRDS, q.tRRDL,  q.tWTRS,
                          q.tWTRL,  q.tRTW, q.tFAW,   q.tPPD,   q.tRFC,   q.tREFI, q.tRFCpb, q.tREFIpb,
                          q.tRREFD, q.tRFM, q.RAAIMT, q.RAAMMT, q.tXP,    q.tCKE,  q.tXS};
  for (unsigned i = 0; i < taken.size(); ++i)
    EXPECT_EQ(taken[i], i + 1) << "in the order of the chip's timings";
  EXPECT_EQ(q.act_cycles, 1u);
  EXPECT_FALSE(q.half_cycle_rows);
  EXPECT_EQ(q.column_cycles, 3u);
  const auto& e = p.energies;
  EXPECT_EQ((std::vector{e.activate, e.read, e.write, e.refresh, e.refresh_bank, e.standby, e.power_down,
                         e.self_refresh}),
            (std::vector{1e-9, 2e-9, 3e-9, 4e-9, 5e-9, 6e-3, 7e-3, 8e-3}));
}

/// The block's choice for each of the chip's, in the order of their names.
template <typename Choice, typename Result>
void expect_choices(Choice chip::Hbm::*member, Result ip::hbm::Parameters::*result,
                    std::vector<Result> wanted) {
  ASSERT_EQ(wanted.size(), chip::Names<Choice>::all.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    chip::Chip chip;
    chip.hbm.*member = static_cast<Choice>(i);
    EXPECT_EQ(hbm_parameters(chip, 0).*result, wanted[i]) << chip::name(static_cast<Choice>(i));
  }
}

TEST(SocParameters, TakeOverEveryMemoryChoice) {
  using From = chip::Hbm;
  using To = ip::hbm::Parameters;
  namespace h = ip::hbm;
  expect_choices(&From::model, &To::model, {h::Model::burst, h::Model::row});
  expect_choices(&From::scheduler, &To::scheduler,
                 {h::Scheduler::fr_fcfs, h::Scheduler::fcfs, h::Scheduler::fr_fcfs_grouped});
  expect_choices(&From::queues, &To::queues, {h::Queues::shared, h::Queues::per_bank, h::Queues::read_write});
  expect_choices(&From::page_policy, &To::page_policy,
                 {h::PagePolicy::open, h::PagePolicy::closed, h::PagePolicy::adaptive});
  expect_choices(&From::refresh, &To::refresh,
                 {h::Refresh::all_bank, h::Refresh::per_bank, h::Refresh::none});
  expect_choices(&From::ecc, &To::ecc, {h::Ecc::none, h::Ecc::sideband, h::Ecc::in_line});
  expect_choices(&From::keep_open, &To::keep_open, {h::KeepOpen::none, h::KeepOpen::older, h::KeepOpen::all});
  expect_choices(&From::row_order, &To::row_order, {h::RowOrder::oldest_ready, h::RowOrder::first_over});
  expect_choices(&From::refresh_order, &To::refresh_order,
                 {h::RefreshOrder::together, h::RefreshOrder::spread});
}

TEST(SocParameters, RefuseAnEnergyOutOfRange) {
  chip::Chip chip;
  EXPECT_NO_THROW(check(chip));
  chip.hbm.energies.read = {2.0};
  EXPECT_THROW(check(chip), std::invalid_argument);
  chip = {};
  chip.hbm.energies.standby = {-1.0};
  EXPECT_THROW(check(chip), std::invalid_argument);
}

TEST(SocParameters, TakeOverEveryCpuNumber) {
  chip::Chip chip;
  chip.cpu = {chip::CpuModel::tlm, {3e9}, 11, 12, 13, 14, 15, 16, 17, 18, 19};
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
  chip.noc.clock = {2e9}, chip.noc.link_width = {32}, chip.noc.buffer = 5, chip.noc.switch_delay = 2,
  chip.noc.speculative = false, chip.noc.link_latency = 2;
  chip.bus.latency = {1234};
  chip.peripherals = {{20e6}, {3e6}, 2, 0, 5, 9};
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
  chip.noc.model = chip::NocModel::flit, chip.noc.topology = chip::NocTopology::fat_tree,
  chip.noc.fat_tree_radix = 3;
  chip.noc.switching = chip::NocSwitching::virtual_cut_through, chip.noc.virtual_channels = 7,
  chip.noc.credit_delay = 6;
  chip.noc.multicast_buffer = {1 << 15};
  const auto tree = noc_parameters(chip, grid);
  EXPECT_EQ(tree.model, ip::noc::Model::flit);
  EXPECT_EQ(tree.topology, ip::noc::Topology::fat_tree);
  EXPECT_EQ(tree.fat_tree_radix, 3u);
  EXPECT_EQ(tree.switching, ip::noc::Switching::virtual_cut_through);
  EXPECT_EQ(tree.virtual_channels, 7u);
  EXPECT_EQ(tree.credit_delay, 6u);
  EXPECT_EQ(tree.unit_buffer, Bytes{1 << 15});
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
