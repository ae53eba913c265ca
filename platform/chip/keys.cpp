// SPDX-License-Identifier: Apache-2.0
#include "platform/chip/keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <type_traits>
#include <utility>

#include "platform/chip/address_map.hpp"
#include "platform/chip/names.hpp"
#include "platform/chip/quantity.hpp"
#include "platform/chip/windows.hpp"

namespace forerun::chip {
namespace {

constexpr std::uint64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib;
constexpr std::uint64_t khz = 1000, mhz = 1000 * khz, ghz = 1000 * mhz;
constexpr std::uint64_t ns = 1000, ms = 1000'000 * ns;

constexpr Rule any{};
constexpr Rule clock_rate{mhz, 20 * ghz};
constexpr Rule latency{1, 1000};
constexpr Rule range(std::uint64_t low, std::uint64_t high) { return {low, high}; }
constexpr Rule power_of_two(std::uint64_t low, std::uint64_t high) { return {low, high, 1, true}; }
constexpr Rule multiple_of(std::uint64_t n, std::uint64_t low, std::uint64_t high) { return {low, high, n}; }
constexpr Rule at_least_time{0, 100'000, 1, false, Cycles::round_up};
constexpr Rule some_time{1, 100'000, 1, false, Cycles::round_up};
constexpr Rule at_most_time{1, 10'000'000, 1, false, Cycles::round_down};
constexpr Rule at_most_time_or_none{0, 10'000'000, 1, false, Cycles::round_down};
constexpr Rule idle_time{0, 1'000'000'000, 1, false, Cycles::round_up};
constexpr Rule energy{0, 1'000'000'000};  // 1 mJ in picojoules
constexpr Rule power{0, 1'000'000'000};   // 1 kW in microwatts

// The ranges below rest on the address map.
namespace map = address_map;
static_assert(map::cluster_registers(map::max_clusters) <= map::sram);
static_assert(map::scratchpad(map::max_clusters) <= map::multicasts);
static_assert(map::scratchpad_stride <= map::window_stride);
static_assert(map::multicast(map::max_windows) <= map::multicast_register_windows);
static_assert(map::multicast_registers(map::max_windows) <= map::reductions);
static_assert(map::reduction(map::max_windows) <= map::hbm);
static_assert(map::cluster_interrupt(map::max_clusters) <= 1024);

#define KEY(MEMBER, RULE, UNIT, TEXT)                          \
  Key {                                                        \
#MEMBER, +[](Chip & chip) -> auto& { return chip.MEMBER; } \
    , RULE, UNIT, TEXT                                         \
  }

const Key table[] = {
    KEY(name, any, "", "what reports call the chip"),
    KEY(devices, range(1, address_map::max_devices), "",
        "chips like this one, joined by links; a model is shared between them"),
    KEY(timing, any, "", "loose: as fast as possible, for firmware work; approximate: contention everywhere"),
    KEY(data, any, "", "real: every byte is moved and computed; none: the same time without payloads"),
    KEY(quantum, range(ns, 10 * ms), "", "how far the CPU may run ahead in loose timing"),

    KEY(cpu.model, any, "",
        "the interpreter (tlm), RTL in its place, or RTL that is compared on every instruction (lockstep)"),
    KEY(cpu.clock, clock_rate, "", "clock of the control CPU"),
    KEY(cpu.alu, latency, "cycles", "integer instruction"),
    KEY(cpu.load, latency, "cycles", "load, without the memory's own latency"),
    KEY(cpu.store, latency, "cycles", "store"),
    KEY(cpu.branch, latency, "cycles", "branch or jump"),
    KEY(cpu.multiply, latency, "cycles", "integer multiplication"),
    KEY(cpu.divide, latency, "cycles", "integer division"),
    KEY(cpu.floating, latency, "cycles", "floating-point instruction"),
    KEY(cpu.atomic, latency, "cycles", "atomic memory operation"),
    KEY(cpu.system, latency, "cycles", "system instruction, and the entry into a trap"),
    KEY(cpu.pmp_entries, range(0, 16), "", "entries of physical memory protection"),

    KEY(sram.size, multiple_of(4 * kib, 64 * kib, 32 * gib), "", "memory of the control CPU"),
    KEY(sram.latency, range(0, 1000), "CPU cycles", "of an access"),
    KEY(boot_rom.size, multiple_of(4 * kib, 4 * kib, map::sysctl - map::boot_rom), "",
        "read-only memory that the CPU starts from; the device tree follows it"),
    KEY(boot_rom.latency, range(0, 1000), "CPU cycles", "of an access"),
    KEY(bus.latency, range(0, ms), "",
        "added to each transaction between the CPU and memories, peripherals and network"),

    KEY(peripherals.timebase, range(khz, ghz), "", "rate of the CPU's mtime and of the timer"),
    KEY(peripherals.uart_clock, range(10 * khz, ghz), "",
        "input of the serial port's divisor; a bit lasts 16 x divisor of its cycles"),
    KEY(peripherals.uart_register_shift, range(0, 3), "",
        "registers of the serial port lie 1 << shift bytes apart"),
    KEY(peripherals.uart_baud, range(0, 10'000'000), "bits a second",
        "rate of the serial port that firmware sets up; 0: it leaves the divisor alone, and characters of "
        "the "
        "model take no time"),
    KEY(peripherals.mailbox_depth, range(1, 4096), "messages",
        "each direction of the host mailbox holds so many"),
    KEY(peripherals.interrupt_priorities, range(1, 255), "", "highest priority of the interrupt controller"),

    KEY(clusters.count, range(1, map::max_clusters), "", "compute clusters"),
    KEY(clusters.clock, clock_rate, "", "clock of everything in a cluster"),
    KEY(clusters.scratchpad.model, any, "",
        "the model (tlm), RTL in its place, or RTL that is compared on every access (lockstep)"),
    KEY(clusters.scratchpad.size, multiple_of(4 * kib, 4 * kib, map::scratchpad_stride), "",
        "local memory of a cluster"),
    KEY(clusters.scratchpad.banks, range(1, 1024), "",
        "single-ported banks; consecutive words lie in consecutive banks"),
    KEY(clusters.scratchpad.bank_width, power_of_two(1, 256), "", "what a bank delivers a cycle"),
    KEY(clusters.scratchpad.latency, latency, "cycles", "from request to first data"),
    KEY(clusters.tensor.model, any, "",
        "the arrays: fast models (tlm), RTL in their place, or both, compared on every command (lockstep)"),
    KEY(clusters.tensor.rows, range(1, 512), "", "rows of a systolic array, along k"),
    KEY(clusters.tensor.columns, range(1, 512), "", "columns of a systolic array, along n"),
    KEY(clusters.tensor.arrays, range(1, 64), "", "arrays that work side by side"),
    KEY(clusters.tensor.dot, range(1, 64), "rows",
        "whose products a cell adds up in a cycle, a divisor of rows: the array has so many times fewer rows "
        "of cells, and takes "
        "in so many rows of weights a cycle; 1: a systolic array of single multiply-accumulates"),
    KEY(clusters.tensor.double_buffered, any, "",
        "weights of the next tile are loaded while the present one streams"),
    KEY(clusters.tensor.formats, any, "", "number formats that the arrays multiply, all at the same rate"),
    KEY(clusters.vector.model, any, "",
        "the engine: the fast model (tlm), RTL in its place, or both, compared on every command (lockstep)"),
    KEY(clusters.vector.lanes, range(1, 4096), "", "elements a cycle"),
    KEY(clusters.vector.latency, latency, "cycles", "through the pipeline"),
    KEY(clusters.vector.special_factor, range(1, 64), "",
        "lanes that share a special-function unit (exponential, root, ...)"),
    KEY(clusters.vector.buffer, power_of_two(kib, 16 * mib), "",
        "binary32 that are kept between the passes of an operation, rows of as many at a time"),
    KEY(clusters.dma.model, any, "",
        "what moves the bytes: the fast model (tlm), RTL in its place, or RTL that is compared on every copy "
        "(lockstep)"),
    KEY(clusters.dma.load_channels, range(1, 64), "", "load channels, which work on one command together"),
    KEY(clusters.dma.store_channels, range(1, 64), "", "store channels, as many as load channels"),
    KEY(clusters.dma.burst, power_of_two(32, 4 * kib), "",
        "largest transaction; none crosses a multiple of it"),
    KEY(clusters.dma.outstanding, range(1, 1024), "transactions", "under way at once in a channel"),
    KEY(clusters.dma.overhead, range(0, 1000), "cycles", "to set up a command"),
    KEY(clusters.command.model, any, "",
        "the model (tlm), RTL in its place, or RTL that is compared on every command (lockstep)"),
    KEY(clusters.command.queue_depth, range(1, 1024), "commands", "each engine queues so many"),
    KEY(clusters.command.fetch_buffer, multiple_of(256, kib, 16 * mib), "",
        "command stream kept, so that a loop that fits is fetched once"),
    KEY(clusters.command.dispatch_cycles, latency, "cycles", "for each command"),

    KEY(clusters.command.launch, range(0, ms), "",
        "0 ns: clusters that have exchanged results go on when they are told, and load weights meanwhile; "
        "otherwise what "
        "follows is launched, which takes so long, and nothing of it is loaded before, as by the kernels of "
        "a GPU"),
    KEY(noc.clock, clock_rate, "", "clock of the network"),
    KEY(noc.model, any, "",
        "packet: fast, by resources; flit: routers cycle by cycle, for validation; rtl: an AXI4 interconnect "
        "of RTL"),
    KEY(noc.topology, any, "",
        "how the places of tiles are joined; a ring goes through them row by row, every second row "
        "backwards"),
    KEY(noc.columns, range(0, 64), "", "columns of the grid of tiles; 0: chosen to fit"),
    KEY(noc.rows, range(0, 64), "", "rows of the grid of tiles; 0: chosen to fit"),
    KEY(noc.concentration_columns, range(1, 64), "tiles", "side by side at a router of a concentrated mesh"),
    KEY(noc.concentration_rows, range(1, 64), "tiles",
        "one above the other at a router of a concentrated mesh"),
    KEY(noc.fat_tree_radix, range(2, 64), "tiles", "at a leaf of a fat tree; links up and down of a router"),
    KEY(noc.routing, any, "", "o1turn (X or Y first, drawn) and west_first (adaptive) are for meshes"),
    KEY(noc.switching, any, "",
        "wormhole: a flit moves on when there is room for it; virtual_cut_through: when there is room for "
        "its packet"),
    KEY(noc.link_width, power_of_two(4, kib), "", "a flit: what a link carries a cycle"),
    KEY(noc.endpoint_width, multiple_of(4, 0, kib), "",
        "what a link between a tile and its router carries a cycle of the slower clock; 0 B: link_width"),
    KEY(noc.virtual_channels, range(1, 16), "",
        "for requests, and as many for responses; torus, ring and o1turn need 2 or more"),
    KEY(noc.buffer, range(1, 65536), "flits", "input buffer of each virtual channel at each router port"),
    KEY(noc.credit_delay, latency, "cycles", "until a router has noted a credit"),
    KEY(noc.routing_delay, range(0, 1000), "cycles", "to route a packet; 0: looked up one router ahead"),
    KEY(noc.vc_alloc_delay, latency, "cycles", "to allocate a virtual channel"),
    KEY(noc.sw_alloc_delay, latency, "cycles", "to allocate the switch to a flit"),
    KEY(noc.switch_delay, latency, "cycles", "through the switch"),
    KEY(noc.speculative, any, "", "the switch is asked for along with the virtual channel"),
    KEY(noc.link_latency, latency, "cycles", "along a link"),
    KEY(noc.priorities, range(1, 8), "", "classes of service; the higher goes first wherever two compete"),
    KEY(noc.control_priority, range(0, 7), "",
        "class of the control CPU's transactions; those of clusters are of class 0"),
    KEY(noc.synchroniser_stages, range(0, 8), "cycles",
        "of the receiver at each crossing between the network's clock and another; 0: all tiles run on the "
        "network's"),
    KEY(noc.multicast, any, "",
        "windows of addresses by name: a write reaches the same place in the scratchpad of each cluster "
        "listed"),
    KEY(noc.multicast_buffer, power_of_two(4 * kib, mib), "",
        "data of writes to such windows that a router holds where their ways part; a write sets out when all "
        "routers on its way have room"),
    KEY(noc.reduction, any, "",
        "windows by name: what all clusters listed write to an address is summed on its way to the target, a "
        "cluster's "
        "scratchpad or memory; offset: where the window begins there; size: of the window, else up to the "
        "scratchpad's end"),
    KEY(noc.tiles, any, "",
        "the grid row by row from the top, in letters: C cluster, M memory port, X control, H host, . empty; "
        "[] places them"),

    KEY(hbm.model, any, "",
        "burst: each burst with its own commands; row: those of a request in the same rows together, much "
        "faster and "
        "somewhat less exact"),
    KEY(hbm.stacks, range(1, 64), "", "memory stacks (or packages)"),
    KEY(hbm.clock, clock_rate, "", "command clock"),
    KEY(hbm.channels, power_of_two(1, 64), "",
        "channels of a stack, each with its own controller and command buses"),
    KEY(hbm.pseudo_channels, power_of_two(1, 8), "",
        "pseudo-channels of a channel, each with its own banks and data bus"),
    KEY(hbm.ranks, power_of_two(1, 16), "", "ranks (stack IDs) that share the data bus of a pseudo-channel"),
    KEY(hbm.bank_groups, power_of_two(1, 16), "", "bank groups of a rank"),
    KEY(hbm.banks_per_group, power_of_two(1, 64), "", "banks of a group"),
    KEY(hbm.rows, power_of_two(2, 1 << 24), "", "rows of a bank"),
    KEY(hbm.row_bytes, power_of_two(256, 64 * kib), "", "a row in one pseudo-channel"),
    KEY(hbm.burst_bytes, power_of_two(8, 256), "", "one column access"),
    KEY(hbm.separate_buses, any, "",
        "true: one command bus for rows and one for columns (HBM); false: one for both"),
    KEY(hbm.act_cycles, range(1, 8), "memory cycles", "for which ACT occupies its command bus, rounded up"),
    KEY(hbm.half_cycle_rows, any, "",
        "row commands come in half cycles (HBM3): ACT takes half a cycle less than act_cycles, PRE and "
        "refreshes take "
        "half a cycle"),
    KEY(hbm.column_cycles, range(1, 8), "memory cycles",
        "for which a read or write occupies its command bus"),
    KEY(hbm.ports, power_of_two(1, 512), "", "memory tiles of the network for each stack"),
    KEY(hbm.interleave, power_of_two(256, 64 * kib), "",
        "consecutive bytes that go to one stack and memory tile"),
    KEY(hbm.address_map, any, "", "where the bits of an address in a stack go, from the lowest up"),
    KEY(hbm.address_hash, any, "", "address bits whose parity is XORed onto the bits of a field"),
    KEY(hbm.front_end, latency, "memory cycles", "from acceptance to the scheduler"),
    KEY(hbm.queues, any, "",
        "what waits apart in a channel: nothing (shared), bursts for each bank, or reads and writes"),
    KEY(hbm.queue_depth, range(1, 1024), "bursts", "each queue of a channel holds so many"),
    KEY(hbm.write_high, range(0, 100), "% of the write queue",
        "where writing begins though reads wait; 0: reads and writes compete as one"),
    KEY(hbm.write_low, range(0, 99), "% of the write queue", "where writing ends while reads wait"),
    KEY(hbm.scheduler, any, "",
        "fr_fcfs: open rows first, then the oldest; fcfs: in order; fr_fcfs_grouped: fr_fcfs in batches of "
        "reads "
        "and of writes"),
    KEY(hbm.starvation, idle_time, "memory cycles", "a burst that has waited longer goes first; 0: no bound"),
    KEY(hbm.page_policy, any, "",
        "open: a row stays open; closed: closed when nothing waits for it; adaptive: closed when nothing has "
        "waited for it for hbm.page_idle"),
    KEY(hbm.page_idle, idle_time, "memory cycles",
        "how long an adaptive row stays open with nothing waiting"),
    KEY(hbm.keep_open, any, "",
        "waiting hits that keep a row open against a burst for another row: none, those older than the "
        "burst, or all"),
    KEY(hbm.row_order, any, "",
        "which row command goes first: the oldest that could go now, or the one that would leave the bus "
        "first, "
        "though it must be waited for"),
    KEY(hbm.opened_leaves_queue, any, "",
        "a burst frees its queue entry and goes before others once its row was opened for it"),
    KEY(hbm.refresh, any, "",
        "all_bank: all banks every tREFI; per_bank: one bank every tREFIpb; none: never, for comparison "
        "only"),
    KEY(hbm.refresh_order, any, "",
        "pseudo-channels and ranks of a channel refresh together, while it stands still, or spread over the "
        "interval"),
    KEY(hbm.refresh_postpone, range(0, 8), "refreshes", "may be put off while bursts wait"),
    KEY(hbm.refresh_management, any, "",
        "extra refreshes of banks with many activations (RAAIMT, RAAMMT, tRFM)"),
    KEY(hbm.ecc, any, "",
        "sideband: check bits have their own pins, as in HBM; in_line: check bytes lie among the data and "
        "cost "
        "bursts"),
    KEY(hbm.ecc_data_bursts, range(1, 64), "bursts", "of data that one check burst covers (in_line)"),
    KEY(hbm.power_down, idle_time, "memory cycles", "without work until power-down; 0: never"),
    KEY(hbm.self_refresh, idle_time, "memory cycles", "without work until self-refresh; 0: never"),
    KEY(hbm.timings.RL, at_least_time, "memory cycles", "read command to first data"),
    KEY(hbm.timings.WL, at_least_time, "memory cycles", "write command to first data"),
    KEY(hbm.timings.nBL, some_time, "memory cycles", "a burst on the data bus"),
    KEY(hbm.timings.tRCDRD, some_time, "memory cycles", "activate to read"),
    KEY(hbm.timings.tRCDWR, some_time, "memory cycles", "activate to write"),
    KEY(hbm.timings.tRP, some_time, "memory cycles", "precharge to activate"),
    KEY(hbm.timings.tRAS, some_time, "memory cycles", "activate to precharge"),
    KEY(hbm.timings.tRC, some_time, "memory cycles", "activate to activate of a bank"),
    KEY(hbm.timings.tWR, at_least_time, "memory cycles", "end of write data to precharge"),
    KEY(hbm.timings.tRTP, at_least_time, "memory cycles", "read to precharge"),
    KEY(hbm.timings.tCCDS, some_time, "memory cycles", "column to column command, other bank group"),
    KEY(hbm.timings.tCCDL, some_time, "memory cycles", "column to column command, same bank group"),
    KEY(hbm.timings.tCCDR, at_least_time, "memory cycles", "column to column command, other rank"),
    KEY(hbm.timings.tRRDS, some_time, "memory cycles", "activate to activate, other bank group"),
    KEY(hbm.timings.tRRDL, some_time, "memory cycles", "activate to activate, same bank group"),
    KEY(hbm.timings.tWTRS, at_least_time, "memory cycles", "end of write data to read, other bank group"),
    KEY(hbm.timings.tWTRL, at_least_time, "memory cycles", "end of write data to read, same bank group"),
    KEY(hbm.timings.tRTW, at_least_time, "memory cycles", "read to write command"),
    KEY(hbm.timings.tFAW, at_least_time, "memory cycles", "window in which four rows are activated at most"),
    KEY(hbm.timings.tPPD, at_least_time, "memory cycles", "precharge to precharge, other bank"),
    KEY(hbm.timings.tRFC, some_time, "memory cycles", "a refresh of all banks"),
    KEY(hbm.timings.tREFI, at_most_time, "memory cycles", "from one of them to the next, rounded down"),
    KEY(hbm.timings.tRFCpb, at_least_time, "memory cycles", "a refresh of one bank"),
    KEY(hbm.timings.tREFIpb, at_most_time_or_none, "memory cycles",
        "from one of them to the next, rounded down"),
    KEY(hbm.timings.tRREFD, at_least_time, "memory cycles",
        "refresh of one bank to refresh or activate of another"),
    KEY(hbm.timings.tRFM, at_least_time, "memory cycles", "a refresh-management command"),
    KEY(hbm.timings.RAAIMT, range(0, 100'000), "activations",
        "of a bank after which refresh management is due"),
    KEY(hbm.timings.RAAMMT, range(0, 100'000), "activations", "of a bank after which it cannot wait"),
    KEY(hbm.timings.tXP, at_least_time, "memory cycles", "end of power-down to a command"),
    KEY(hbm.timings.tCKE, at_least_time, "memory cycles", "least stay in power-down or self-refresh"),
    KEY(hbm.timings.tXS, at_least_time, "memory cycles", "end of self-refresh to a command"),
    KEY(hbm.energies.activate, energy, "", "ACT and its PRE, in one pseudo-channel as all of these"),
    KEY(hbm.energies.read, energy, "", "a burst read, core and I/O"),
    KEY(hbm.energies.write, energy, "", "a burst written, core and I/O"),
    KEY(hbm.energies.refresh, energy, "", "a refresh of all banks of a rank"),
    KEY(hbm.energies.refresh_bank, energy, "", "a refresh of one bank"),
    KEY(hbm.energies.standby, power, "", "while powered up, without what commands add"),
    KEY(hbm.energies.power_down, power, "", "in power-down"),
    KEY(hbm.energies.self_refresh, power, "", "in self-refresh, with its refreshes"),

    KEY(link.topology, any, "",
        "of more than one device: a ring; a link between any two; one switch; or a torus, which has a ring "
        "along each row and column"),
    KEY(link.columns, range(2, 4), "devices", "in a row of a torus"),
    KEY(link.bandwidth, range(mhz, 100'000 * ghz), "", "of a link, each way"),
    KEY(link.latency, range(1, ms), "", "along a link, with the circuits at both ends"),
    KEY(link.hop, range(0, ms), "", "through a device on the way, or through the switch"),
    KEY(link.overhead, range(0, 4 * kib), "", "bytes on the wire beside the payload of each packet"),
    KEY(link.payload, range(1, 4 * kib), "", "largest payload of a packet"),

    KEY(rtl.tensor, any, "", "RTL of the arrays; empty: ip/tensor/rtl"),
    KEY(rtl.vector, any, "", "RTL of the vector engines; empty: ip/vector/rtl"),
    KEY(rtl.noc, any, "", "RTL of the network; empty: ip/noc/rtl"),
    KEY(rtl.dma, any, "", "RTL of the DMA engines; empty: ip/dma/rtl"),
    KEY(rtl.command, any, "", "RTL of the command processors; empty: ip/command/rtl"),
    KEY(rtl.cpu, any, "", "RTL of the control CPU; empty: ip/cpu/rtl"),
    KEY(rtl.scratchpad, any, "", "RTL of the scratchpads of clusters; needed if their model is not tlm"),
    KEY(rtl.hbm, any, "", "RTL of the memory behind each port of the HBM; empty: the model"),
    KEY(rtl.sram, any, "", "RTL of the control CPU's memory; empty: the model"),
    KEY(rtl.uart, any, "", "RTL of the serial port; empty: the model"),
    KEY(rtl.clint, any, "", "RTL of the core-local interruptor; empty: the model"),
    KEY(rtl.plic, any, "", "RTL of the interrupt controller; empty: the model"),
    KEY(rtl.timer, any, "", "RTL of the timer; empty: the model"),
    KEY(rtl.mailbox, any, "", "RTL of the mailbox; empty: the model"),
    KEY(rtl.sysctl, any, "", "RTL of the system controller; empty: the model"),
    KEY(rtl.perf, any, "", "RTL of the counter block; empty: the model"),
    KEY(rtl.lockstep, any, "",
        "RTL of memories and peripherals runs beside the models and is compared on every transaction"),
    KEY(rtl.devices, any, "",
        "RTL beside the peripherals of the control CPU, in the order of their addresses"),
};
#undef KEY

/// Letters put in, left out, replaced, or swapped with their neighbour.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before, above(b.size() + 1), row(b.size() + 1);  // of one letter less and two less
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    before = std::exchange(above, row);
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      row[j + 1] = std::min({above[j] + (a[i] != b[j] ? 1 : 0), row[j] + 1, above[j + 1] + 1});
      if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j])
        row[j + 1] = std::min(row[j + 1], before[j - 1] + 1);
    }
  }
  return row.back();
}

std::string_view parent(std::string_view path) {
  const auto dot = path.rfind('.');
  return dot == std::string_view::npos ? std::string_view() : path.substr(0, dot);
}
std::string_view leaf(std::string_view path) {
  return path.substr(parent(path).size() + (parent(path).empty() ? 0 : 1));
}

template <typename T>
constexpr bool is_list = false;
template <typename T>
constexpr bool is_list<std::vector<T>> = true;

/// A YAML scalar in double quotes.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) out += c == '"' || c == '\\' ? std::string{'\\', c} : std::string{c};
  return out + "\"";
}

/// "a", "a or b", "a, b or c".
template <typename Range>
std::string alternatives(const Range& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i)
    text += fmt::format("{}{}", i == 0 ? "" : i + 1 == words.size() ? " or " : ", ", words[i]);
  return text;
}

template <typename Quantity, typename Make>
std::string expected_quantity(const Rule& rule, Make make) {
  const auto name = quantity_name<Quantity>();
  std::string text =
      rule.power_of_two ? fmt::format("{} that is a power of two", name.what) : std::string(name.what);
  if (rule.multiple > 1) text += fmt::format(" that is a multiple of {}", format(make(rule.multiple)));
  return fmt::format("{} from {} to {}, such as {}", text, format(make(rule.low)), format(make(rule.high)),
                     name.example);
}

}  // namespace

std::span<const Key> keys() { return table; }

const Key* find_key(std::string_view path) {
  const auto found =
      std::find_if(std::begin(table), std::end(table), [&](const Key& key) { return key.path == path; });
  return found == std::end(table) ? nullptr : found;
}

bool is_section(std::string_view path) {
  return std::any_of(std::begin(table), std::end(table), [&](const Key& key) {
    return key.path.size() > path.size() && key.path.substr(0, path.size()) == path &&
           key.path[path.size()] == '.';
  });
}

std::string nearest(std::string_view name, std::span<const std::string> among) {
  if (name.size() > 64) return {};
  std::string best;
  std::size_t least = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const auto& candidate : among)
    if (const auto distance = edit_distance(name, candidate); distance < least)
      least = distance, best = candidate;
  return best;
}

std::string nearest_key(std::string_view path) {
  std::vector<std::string> siblings, same_leaf;
  for (const auto& key : table)
    for (auto at = key.path; !at.empty(); at = parent(at)) {
      if (parent(at) == parent(path)) siblings.emplace_back(leaf(at));
      if (leaf(at) == leaf(path)) same_leaf.emplace_back(at);
    }
  if (const auto found = nearest(leaf(path), siblings); !found.empty())
    return parent(path).empty() ? found : fmt::format("{}.{}", parent(path), found);
  if (!same_leaf.empty()) return same_leaf.front();
  std::vector<std::string> all;
  for (const auto& key : table) all.emplace_back(key.path);
  return nearest(path, all);
}

bool keeps(const Rule& rule, std::uint64_t value) {
  return value >= rule.low && value <= rule.high && value % rule.multiple == 0 &&
         (!rule.power_of_two || std::has_single_bit(value));
}

std::string expected(const Key& key) {
  return std::visit(
      [&]<typename T>(Member<T>) -> std::string {
        const auto& rule = key.rule;
        if constexpr (std::is_same_v<T, unsigned>) {
          const auto number =
              fmt::format("{} from {} to {}", rule.power_of_two ? "a power of two" : "a whole number",
                          rule.low, rule.high);
          return rule.cycles == Cycles::plain ? number : number + ", or a time such as 14 ns";
        } else if constexpr (std::is_same_v<T, bool>) {
          return "true or false";
        } else if constexpr (std::is_same_v<T, std::string>) {
          return "up to 64 letters, digits and . _ + -";
        } else if constexpr (std::is_same_v<T, Bytes>) {
          return expected_quantity<Bytes>(rule, [](std::uint64_t n) { return Bytes{n}; });
        } else if constexpr (std::is_same_v<T, Frequency>) {
          return expected_quantity<Frequency>(
              rule, [](std::uint64_t n) { return Frequency{static_cast<double>(n)}; });
        } else if constexpr (std::is_same_v<T, Time>) {
          return expected_quantity<Time>(rule,
                                         [](std::uint64_t n) { return Time{static_cast<std::int64_t>(n)}; });
        } else if constexpr (std::is_same_v<T, Bandwidth>) {
          return expected_quantity<Bandwidth>(
              rule, [](std::uint64_t n) { return Bandwidth{static_cast<double>(n)}; });
        } else if constexpr (std::is_same_v<T, Energy>) {
          return expected_quantity<Energy>(
              rule, [](std::uint64_t n) { return Energy{static_cast<double>(n) / 1e12}; });
        } else if constexpr (std::is_same_v<T, Power>) {
          return expected_quantity<Power>(
              rule, [](std::uint64_t n) { return Power{static_cast<double>(n) / 1e6}; });
        } else if constexpr (std::is_same_v<T, std::vector<Format>>) {
          return fmt::format("a list of {}, each once", alternatives(Names<Format>::all));
        } else if constexpr (std::is_same_v<T, Path>) {
          return "a file's path, relative to the chip file, or nothing (\"\")";
        } else if constexpr (std::is_same_v<T, std::vector<Path>>) {
          return fmt::format("a list of up to {} paths of files, relative to the chip file",
                             address_map::max_rtl_devices);
        } else if constexpr (std::is_same_v<T, std::vector<AddressPiece>>) {
          return fmt::format("a list of {}, burst first, each whole or in pieces such as column:2",
                             fmt::join(Names<AddressField>::all, ", "));
        } else if constexpr (std::is_same_v<T, std::vector<AddressHash>>) {
          return "a map of fields to masks, one for each bit from the lowest, such as {bank: [0x12000, "
                 "0x24000]}";
        } else if constexpr (std::is_same_v<T, std::vector<MulticastWindow>>) {
          return "a map of names to all or a list of clusters, such as {everyone: all, left: [0-3, 8]}";
        } else if constexpr (std::is_same_v<T, std::vector<ReductionWindow>>) {
          return "a map of names to windows, such as {total: {clusters: all, element: f32, target: "
                 "cluster0}, "
                 "more: {clusters: [0-3], element: bf16, target: memory, offset: 1 GiB, size: 1 MiB}}";
        } else if constexpr (is_list<T>) {
          return "a list of rows of the letters C, M, X, H and . (such as \"X C M\"), up to 64 by 64";
        } else {
          return alternatives(Names<T>::all);
        }
      },
      key.member);
}

bool good_name(std::string_view text) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && text.size() <= 64 && letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return letter(c) || std::string_view("._+-").find(c) != std::string_view::npos;
         });
}

bool good_window_name(std::string_view text) { return text.size() <= 31 && good_name(text); }

double in_rule_units(Bytes bytes) { return static_cast<double>(bytes.count); }
double in_rule_units(Frequency frequency) { return frequency.hertz; }
double in_rule_units(Time time) { return static_cast<double>(time.picoseconds); }
double in_rule_units(Bandwidth bandwidth) { return bandwidth.bytes_per_second; }
double in_rule_units(Energy energy) { return energy.joules * 1e12; }
double in_rule_units(Power power) { return power.watts * 1e6; }

std::string piece_text(AddressPiece piece) {
  return piece.width == 0 ? std::string(name(piece.field))
                          : fmt::format("{}:{}", name(piece.field), piece.width);
}

std::string value_text(const Key& key, const Chip& chip) {
  return std::visit(
      [&]<typename T>(Member<T> member) -> std::string {
        const T& value = member(const_cast<Chip&>(chip));  // only read
        const auto list = [](const auto& items, auto text) {
          std::vector<std::string> texts;
          for (const auto& item : items) texts.push_back(text(item));
          return fmt::format("[{}]", fmt::join(texts, ", "));
        };
        if constexpr (std::is_same_v<T, unsigned> || std::is_same_v<T, bool>)
          return fmt::format("{}", value);
        else if constexpr (std::is_same_v<T, std::string>)
          return fmt::format("\"{}\"", value);
        else if constexpr (std::is_same_v<T, Path>)
          return quoted(value.text);
        else if constexpr (std::is_same_v<T, std::vector<Path>>)
          return list(value, [](const Path& path) { return quoted(path.text); });
        else if constexpr (std::is_same_v<T, Bytes> || std::is_same_v<T, Frequency> ||
                           std::is_same_v<T, Time> || std::is_same_v<T, Bandwidth> ||
                           std::is_same_v<T, Energy> || std::is_same_v<T, Power>)
          return format(value);
        else if constexpr (std::is_same_v<T, std::vector<AddressPiece>>)
          return list(value, piece_text);
        else if constexpr (std::is_same_v<T, std::vector<AddressHash>>) {
          std::vector<std::string> texts;
          for (const auto& hash : value)
            texts.push_back(fmt::format("{}: {}", name(hash.field), list(hash.masks, [](std::uint64_t mask) {
                                          return fmt::format("{:#x}", mask);
                                        })));
          return fmt::format("{{{}}}", fmt::join(texts, ", "));
        } else if constexpr (std::is_same_v<T, std::vector<MulticastWindow>> ||
                             std::is_same_v<T, std::vector<ReductionWindow>>) {
          std::vector<std::string> texts;
          for (const auto& window : value) texts.push_back(window_text(window));
          return fmt::format("{{{}}}", fmt::join(texts, ", "));
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>)
          return list(value, [](const std::string& row) { return fmt::format("\"{}\"", row); });
        else if constexpr (is_list<T>)
          return list(value, [](auto item) { return std::string(name(item)); });
        else
          return std::string(name(value));
      },
      key.member);
}

}  // namespace forerun::chip
