// SPDX-License-Identifier: Apache-2.0
#include "platform/soc/parameters.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <variant>

#include "platform/chip/address_map.hpp"
#include "platform/chip/checks.hpp"
#include "platform/chip/keys.hpp"

namespace forerun::soc {
namespace map = chip::address_map;
namespace {

/// Numbers as the rules of keys count them; other values have the right type, and that is enough.
template <typename T>
std::optional<std::uint64_t> ruled_value(const T& value) {
  if constexpr (std::is_same_v<T, unsigned>) return value;
  if constexpr (std::is_same_v<T, Bytes>) return value.count;
  if constexpr (std::is_same_v<T, Frequency>) return static_cast<std::uint64_t>(value.hertz);
  if constexpr (std::is_same_v<T, Time>) return static_cast<std::uint64_t>(value.picoseconds);
  return std::nullopt;
}

ip::hbm::Field field(chip::AddressField f) {
  switch (f) {
    case chip::AddressField::burst:
      return ip::hbm::Field::burst;
    case chip::AddressField::column:
      return ip::hbm::Field::column;
    case chip::AddressField::channel:
      return ip::hbm::Field::channel;
    case chip::AddressField::pseudo_channel:
      return ip::hbm::Field::pseudo_channel;
    case chip::AddressField::bank_group:
      return ip::hbm::Field::bank_group;
    case chip::AddressField::bank:
      return ip::hbm::Field::bank;
    case chip::AddressField::row:
      return ip::hbm::Field::row;
  }
  throw std::invalid_argument("hbm.address_map: unknown field");
}

std::uint64_t round_up(std::uint64_t n, std::uint64_t unit) { return (n + unit - 1) / unit * unit; }

}  // namespace

void check(const chip::Chip& chip) {
  auto copy = chip;  // members are found in a chip that may be changed
  for (const auto& key : chip::keys())
    std::visit(
        [&](auto member) {
          const auto value = ruled_value(member(copy));
          if (value && !chip::keeps(key.rule, *value))
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
static_assert(static_cast<int>(chip::NocModel::flit) == static_cast<int>(ip::noc::Model::flit));
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
          .model = static_cast<ip::noc::Model>(n.model),
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
  ip::hbm::Parameters p;
  p.timing = timing(chip);
  p.clock = h.clock;
  p.channels = h.channels;
  p.pseudo_channels = h.pseudo_channels;
  p.bank_groups = h.bank_groups;
  p.banks_per_group = h.banks_per_group;
  p.rows = h.rows;
  p.row_bytes = h.row_bytes;
  p.burst_bytes = h.burst_bytes;
  p.address_map.clear();
  for (const auto f : h.address_map) p.address_map.push_back(field(f));
  p.interleave = h.interleave;
  p.stacks = h.stacks;
  p.stack = stack;
  p.scheduler = h.scheduler == chip::Scheduler::fcfs ? ip::hbm::Scheduler::fcfs : ip::hbm::Scheduler::fr_fcfs;
  p.page_policy =
      h.page_policy == chip::PagePolicy::closed ? ip::hbm::PagePolicy::closed : ip::hbm::PagePolicy::open;
  p.refresh = h.refresh == chip::Refresh::all_bank;
  p.queue_depth = h.queue_depth;
  p.front_end = h.front_end;
  p.ports = h.ports;
  p.timings = {
      .RL = t.RL,
      .WL = t.WL,
      .nBL = t.nBL,
      .tRCDRD = t.tRCDRD,
      .tRCDWR = t.tRCDWR,
      .tRP = t.tRP,
      .tRAS = std::max(t.tRAS, t.tRC - std::min(t.tRC, t.tRP)),  // the controller counts tRC as their sum
      .tWR = t.tWR,
      .tRTP = t.tRTP,
      .tCCDS = t.tCCDS,
      .tCCDL = t.tCCDL,
      .tRRDS = t.tRRDS,
      .tRRDL = t.tRRDL,
      .tWTRS = t.tWTRS,
      .tWTRL = t.tWTRL,
      .tRTW = t.tRTW,
      .tFAW = t.tFAW,
      .tRFC = t.tRFC,
      .tREFI = t.tREFI,
      .act_cycles = h.act_cycles};
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
           .queue_depth = queue_depth,
           .clock = c.clock,
           .timing = timing(chip),
           .data = data};
  p.tensor = {.rows = c.tensor.rows,
              .columns = c.tensor.columns,
              .arrays = c.tensor.arrays,
              .double_buffered = c.tensor.double_buffered,
              .queue_depth = queue_depth,
              .clock = c.clock,
              .data = data};
  p.vector = {.lanes = c.vector.lanes,
              .latency = c.vector.latency,
              .special_factor = c.vector.special_factor,
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

}  // namespace forerun::soc
