// SPDX-License-Identifier: Apache-2.0
#include "platform/soc/parameters.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

#include "platform/chip/address_bits.hpp"
#include "platform/chip/address_map.hpp"
#include "platform/chip/checks.hpp"
#include "platform/chip/keys.hpp"

namespace forerun::soc {
namespace map = chip::address_map;
namespace {

/// Whether a value keeps the rule of its key; values that are no numbers have the right type, and that is
/// enough.
template <typename T>
bool keeps_rule(const chip::Rule& rule, const T& value) {
  if constexpr (std::is_same_v<T, unsigned>)
    return chip::keeps(rule, value);
  else if constexpr (requires { chip::in_rule_units(value); })
    return chip::quantity_keeps(rule, value);
  else
    return true;
}

/// Choices of the chip file and those of the block go by the same names.
ip::hbm::Scheduler scheduler(chip::Scheduler choice) {
  using To = ip::hbm::Scheduler;
  switch (choice) {
    case chip::Scheduler::fcfs:
      return To::fcfs;
    case chip::Scheduler::fr_fcfs:
      return To::fr_fcfs;
    case chip::Scheduler::fr_fcfs_grouped:
      return To::fr_fcfs_grouped;
  }
  throw std::invalid_argument("hbm.scheduler: unknown choice");
}

ip::link::Topology topology(chip::LinkTopology choice) {
  using To = ip::link::Topology;
  switch (choice) {
    case chip::LinkTopology::ring:
      return To::ring;
    case chip::LinkTopology::fully_connected:
      return To::fully_connected;
    case chip::LinkTopology::switched:
      return To::switched;
    case chip::LinkTopology::torus:
      return To::torus;
  }
  throw std::invalid_argument("link.topology: unknown choice");
}

ip::hbm::Queues queues(chip::Queues choice) {
  using To = ip::hbm::Queues;
  switch (choice) {
    case chip::Queues::shared:
      return To::shared;
    case chip::Queues::per_bank:
      return To::per_bank;
    case chip::Queues::read_write:
      return To::read_write;
  }
  throw std::invalid_argument("hbm.queues: unknown choice");
}

ip::hbm::PagePolicy page_policy(chip::PagePolicy choice) {
  using To = ip::hbm::PagePolicy;
  switch (choice) {
    case chip::PagePolicy::open:
      return To::open;
    case chip::PagePolicy::closed:
      return To::closed;
    case chip::PagePolicy::adaptive:
      return To::adaptive;
  }
  throw std::invalid_argument("hbm.page_policy: unknown choice");
}

ip::hbm::KeepOpen keep_open(chip::KeepOpen choice) {
  using To = ip::hbm::KeepOpen;
  switch (choice) {
    case chip::KeepOpen::none:
      return To::none;
    case chip::KeepOpen::older:
      return To::older;
    case chip::KeepOpen::all:
      return To::all;
  }
  throw std::invalid_argument("hbm.keep_open: unknown choice");
}

ip::hbm::Model hbm_model(chip::HbmModel choice) {
  using To = ip::hbm::Model;
  switch (choice) {
    case chip::HbmModel::burst:
      return To::burst;
    case chip::HbmModel::row:
      return To::row;
  }
  throw std::invalid_argument("hbm.model: unknown choice");
}

ip::hbm::RowOrder row_order(chip::RowOrder choice) {
  using To = ip::hbm::RowOrder;
  switch (choice) {
    case chip::RowOrder::oldest_ready:
      return To::oldest_ready;
    case chip::RowOrder::first_over:
      return To::first_over;
  }
  throw std::invalid_argument("hbm.row_order: unknown choice");
}

ip::hbm::Refresh refresh(chip::Refresh choice) {
  using To = ip::hbm::Refresh;
  switch (choice) {
    case chip::Refresh::none:
      return To::none;
    case chip::Refresh::all_bank:
      return To::all_bank;
    case chip::Refresh::per_bank:
      return To::per_bank;
  }
  throw std::invalid_argument("hbm.refresh: unknown choice");
}

ip::hbm::RefreshOrder refresh_order(chip::RefreshOrder choice) {
  using To = ip::hbm::RefreshOrder;
  switch (choice) {
    case chip::RefreshOrder::together:
      return To::together;
    case chip::RefreshOrder::spread:
      return To::spread;
  }
  throw std::invalid_argument("hbm.refresh_order: unknown choice");
}

ip::hbm::Ecc ecc(chip::Ecc choice) {
  using To = ip::hbm::Ecc;
  switch (choice) {
    case chip::Ecc::none:
      return To::none;
    case chip::Ecc::sideband:
      return To::sideband;
    case chip::Ecc::in_line:
      return To::in_line;
  }
  throw std::invalid_argument("hbm.ecc: unknown choice");
}

ip::hbm::AddressMasks address(const chip::Hbm& hbm) {
  using From = chip::AddressField;
  using To = ip::hbm::Field;
  static constexpr std::pair<From, To> fields[] = {
      {From::channel, To::channel}, {From::pseudo_channel, To::pseudo_channel},
      {From::rank, To::rank},       {From::bank_group, To::bank_group},
      {From::bank, To::bank},       {From::row, To::row},
      {From::column, To::column}};
  const auto masks = chip::address_masks(hbm);
  ip::hbm::AddressMasks result;
  for (const auto& [from, to] : fields)
    result.bits[static_cast<std::size_t>(to)] = masks[static_cast<std::size_t>(from)];
  return result;
}

std::uint64_t round_up(std::uint64_t n, std::uint64_t unit) { return (n + unit - 1) / unit * unit; }

}  // namespace

void check(const chip::Chip& chip) {
  auto copy = chip;  // members are found in a chip that may be changed
  for (const auto& key : chip::keys())
    std::visit(
        [&](auto member) {
          if (!keeps_rule(key.rule, member(copy)))
            throw std::invalid_argument(fmt::format("{} is {}, expected {}", key.path,
                                                    chip::value_text(key, chip), chip::expected(key)));
        },
        key.member);
  if (const auto conflicts = chip::find_conflicts(chip); !conflicts.empty())
    throw std::invalid_argument(conflicts.front().message);
}

ip::Timing timing(const chip::Chip& chip) {
  return chip.timing == chip::Timing::loose ? ip::Timing::loose : ip::Timing::approximate;
}

Time cpu_cycles(const chip::Chip& chip, unsigned cycles) {
  return {period(chip.cpu.clock).picoseconds * cycles};
}

ip::CpuParameters cpu_parameters(const chip::Chip& chip) {
  const auto& c = chip.cpu;
  ip::CpuParameters p;
  p.clock = c.clock;
  p.costs = {.alu = c.alu,
             .load = c.load,
             .store = c.store,
             .branch = c.branch,
             .multiply = c.multiply,
             .divide = c.divide,
             .floating = c.floating,
             .atomic = c.atomic,
             .system = c.system};
  p.quantum = chip.quantum;
  p.reset_vector = map::boot_rom;
  p.pmp_entries = chip.cpu.pmp_entries;
  return p;
}

ip::BusParameters bus_parameters(const chip::Chip& chip) { return {.latency = chip.bus.latency}; }

ip::MemoryParameters sram_parameters(const chip::Chip& chip) {
  return {.size = chip.sram.size, .latency = cpu_cycles(chip, chip.sram.latency), .read_only = false};
}

ip::MemoryParameters boot_rom_parameters(const chip::Chip& chip, std::uint64_t device_tree) {
  return {.size = {round_up(device_tree_address(chip) - map::boot_rom + device_tree, 4096)},
          .latency = cpu_cycles(chip, chip.boot_rom.latency),
          .read_only = true};
}

std::uint64_t device_tree_address(const chip::Chip& chip) {
  return map::boot_rom + round_up(chip.boot_rom.size.count, 8);
}

ip::UartParameters uart_parameters(const chip::Chip& chip) {
  return {.clock = chip.peripherals.uart_clock, .register_shift = chip.peripherals.uart_register_shift};
}

ip::ClintParameters clint_parameters(const chip::Chip& chip) {
  return {.timebase = chip.peripherals.timebase};
}

ip::PlicParameters plic_parameters(const chip::Chip& chip) {
  return {.sources = map::cluster_interrupt(chip.clusters.count - 1),
          .max_priority = chip.peripherals.interrupt_priorities};
}

ip::MailboxParameters mailbox_parameters(const chip::Chip& chip) {
  return {.depth = chip.peripherals.mailbox_depth};
}

ip::TimerParameters timer_parameters(const chip::Chip& chip) {
  return {.timebase = chip.peripherals.timebase};
}

ip::SysctlParameters sysctl_parameters(const chip::Chip& chip) {
  return {.clusters = chip.clusters.count,
          .boot_address = map::sram,
          .device_tree = device_tree_address(chip),
          .cpu = chip.cpu.clock,
          .timebase = chip.peripherals.timebase,
          .cluster = chip.clusters.clock};
}

// The chip's choices and the network's stand in the same order.
static_assert(static_cast<int>(chip::NocTopology::crossbar) == static_cast<int>(ip::noc::Topology::crossbar));
static_assert(static_cast<int>(chip::NocTopology::concentrated_mesh) ==
              static_cast<int>(ip::noc::Topology::concentrated_mesh));
static_assert(static_cast<int>(chip::NocRouting::west_first) ==
              static_cast<int>(ip::noc::Routing::west_first));
static_assert(static_cast<int>(chip::NocSwitching::virtual_cut_through) ==
              static_cast<int>(ip::noc::Switching::virtual_cut_through));

ip::noc::EndpointParameters noc_endpoint(const chip::Chip& chip, Frequency clock, unsigned priority) {
  ip::noc::EndpointParameters endpoint;
  endpoint.priority = priority;
  if (chip.noc.synchroniser_stages == 0) return endpoint;
  endpoint.clock = clock;
  endpoint.synchroniser_stages = chip.noc.synchroniser_stages;
  return endpoint;
}

ip::NocParameters noc_parameters(const chip::Chip& chip, const chip::Grid& grid) {
  const auto& n = chip.noc;
  return {.timing = timing(chip),
          .model = n.model == chip::NocModel::flit ? ip::noc::Model::flit : ip::noc::Model::packet,
          .clock = n.clock,
          .topology = static_cast<ip::noc::Topology>(n.topology),
          .columns = grid.columns,
          .rows = grid.rows,
          .concentration_x = n.concentration_columns,
          .concentration_y = n.concentration_rows,
          .fat_tree_radix = n.fat_tree_radix,
          .routing = static_cast<ip::noc::Routing>(n.routing),
          .link_width = n.link_width,
          .endpoint_width = n.endpoint_width,
          .virtual_channels = n.virtual_channels,
          .priorities = n.priorities,
          .buffer_flits = n.buffer,
          .switching = static_cast<ip::noc::Switching>(n.switching),
          .unit_buffer = n.multicast_buffer,
          .credit_delay = n.credit_delay,
          .routing_delay = n.routing_delay,
          .vc_alloc_delay = n.vc_alloc_delay,
          .sw_alloc_delay = n.sw_alloc_delay,
          .switch_delay = n.switch_delay,
          .speculative = n.speculative,
          .link_latency = n.link_latency};
}

ip::hbm::Parameters hbm_parameters(const chip::Chip& chip, unsigned stack) {
  const auto& h = chip.hbm;
  const auto& t = h.timings;
  const auto& e = h.energies;
  ip::hbm::Parameters p;
  p.model = hbm_model(h.model);
  p.timing = timing(chip);
  p.clock = h.clock;
  p.channels = h.channels;
  p.pseudo_channels = h.pseudo_channels;
  p.ranks = h.ranks;
  p.bank_groups = h.bank_groups;
  p.banks_per_group = h.banks_per_group;
  p.rows = h.rows;
  p.row_bytes = h.row_bytes;
  p.burst_bytes = h.burst_bytes;
  p.address = address(h);
  p.interleave = h.interleave;
  p.stacks = h.stacks;
  p.stack = stack;
  p.separate_buses = h.separate_buses;
  p.scheduler = scheduler(h.scheduler);
  p.queues = queues(h.queues);
  p.queue_depth = h.queue_depth;
  p.write_high_percent = h.write_high;
  p.write_low_percent = h.write_low;
  p.starvation_cycles = h.starvation;
  p.page_policy = page_policy(h.page_policy);
  p.adaptive_idle_cycles = h.page_idle;
  p.refresh = refresh(h.refresh);
  p.refresh_postpone = h.refresh_postpone;
  p.refresh_management = h.refresh_management;
  p.ecc = ecc(h.ecc);
  p.ecc_data_bursts = h.ecc_data_bursts;
  p.power_down_cycles = h.power_down;
  p.self_refresh_cycles = h.self_refresh;
  p.front_end = h.front_end;
  p.ports = h.ports;
  p.keep_open = keep_open(h.keep_open);
  p.refresh_order = refresh_order(h.refresh_order);
  p.row_order = row_order(h.row_order);
  p.opened_leaves_queue = h.opened_leaves_queue;
  p.timings = {.RL = t.RL,
               .WL = t.WL,
               .nBL = t.nBL,
               .tRCDRD = t.tRCDRD,
               .tRCDWR = t.tRCDWR,
               .tRP = t.tRP,
               .tRAS = t.tRAS,
               .tRC = t.tRC,
               .tWR = t.tWR,
               .tRTP = t.tRTP,
               .tCCDS = t.tCCDS,
               .tCCDL = t.tCCDL,
               .tCCDR = t.tCCDR,
               .tRRDS = t.tRRDS,
               .tRRDL = t.tRRDL,
               .tFAW = t.tFAW,
               .tPPD = t.tPPD,
               .tWTRS = t.tWTRS,
               .tWTRL = t.tWTRL,
               .tRTW = t.tRTW,
               .tREFI = t.tREFI,
               .tRFC = t.tRFC,
               .tREFIpb = t.tREFIpb,
               .tRFCpb = t.tRFCpb,
               .tRREFD = t.tRREFD,
               .tRFM = t.tRFM,
               .RAAIMT = t.RAAIMT,
               .RAAMMT = t.RAAMMT,
               .tXP = t.tXP,
               .tCKE = t.tCKE,
               .tXS = t.tXS,
               .act_cycles = h.act_cycles,
               .half_cycle_rows = h.half_cycle_rows,
               .column_cycles = h.column_cycles};
  p.energies = {.activate = e.activate.joules,
                .read = e.read.joules,
                .write = e.write.joules,
                .refresh = e.refresh.joules,
                .refresh_bank = e.refresh_bank.joules,
                .standby = e.standby.watts,
                .power_down = e.power_down.watts,
                .self_refresh = e.self_refresh.watts};
  return p;
}

ip::ClusterParameters cluster_parameters(const chip::Chip& chip, unsigned index) {
  const auto& c = chip.clusters;
  const bool data = chip.data == chip::Data::real;
  const auto queue_depth = c.command.queue_depth;
  ip::ClusterParameters p;
  p.index = index;
  p.scratchpad = {.size = c.scratchpad.size,
                  .banks = c.scratchpad.banks,
                  .bank_width = c.scratchpad.bank_width,
                  .latency = c.scratchpad.latency,
                  .clock = c.clock,
                  .timing = timing(chip)};
  p.dma = {.burst = c.dma.burst,
           .outstanding = c.dma.outstanding,
           .overhead = c.dma.overhead,
           .post_overhead = c.command.launch,
           .queue_depth = queue_depth,
           .clock = c.clock,
           .timing = timing(chip),
           .rows_in_place = !chip.rtl.hbm.text.empty() || chip.noc.model == chip::NocModel::rtl,
           .data = data};
  p.tensor = {.rows = c.tensor.rows,
              .columns = c.tensor.columns,
              .arrays = c.tensor.arrays,
              .dot = c.tensor.dot,
              .double_buffered = c.tensor.double_buffered,
              .queue_depth = queue_depth,
              .clock = c.clock,
              .data = data};
  p.vector = {.lanes = c.vector.lanes,
              .latency = c.vector.latency,
              .special_factor = c.vector.special_factor,
              .buffer = c.vector.buffer,
              .queue_depth = queue_depth,
              .clock = c.clock,
              .data = data};
  p.command = {.fetch_buffer = c.command.fetch_buffer,
               .dispatch_cycles = c.command.dispatch_cycles,
               .clock = c.clock,
               .timing = timing(chip)};
  p.scratchpad_window = map::scratchpad_stride;
  return p;
}

ip::LinkParameters link_parameters(const chip::Chip& chip, bool symmetric) {
  const auto& link = chip.link;
  ip::LinkParameters p;
  p.devices = chip.devices;
  p.topology = topology(link.topology);
  p.columns = link.columns;
  p.bandwidth = link.bandwidth;
  p.latency = link.latency;
  p.hop = link.hop;
  p.overhead = link.overhead;
  p.payload = link.payload;
  p.window_base = chip::address_map::devices;
  p.window_stride = chip::address_map::device_stride;
  p.timing = timing(chip);
  p.symmetric = symmetric;
  return p;
}

}  // namespace forerun::soc
