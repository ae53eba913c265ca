// SPDX-License-Identifier: Apache-2.0
/// Where everything lies in the global address space, and which interrupt it has. The one place where that is
/// written down.
#pragma once

#include <cstdint>

namespace forerun::chip::address_map {

inline constexpr std::uint64_t boot_rom = 0x1000;
inline constexpr std::uint64_t sysctl = 0x10'0000;
inline constexpr std::uint64_t clint = 0x200'0000;
inline constexpr std::uint64_t clint_size = 0x1'0000;
inline constexpr std::uint64_t plic = 0xc00'0000;
inline constexpr std::uint64_t plic_size = 0x400'0000;
inline constexpr std::uint64_t uart = 0x1000'0000;
inline constexpr std::uint64_t uart_size = 0x100;
inline constexpr std::uint64_t timer = 0x1001'0000;
inline constexpr std::uint64_t mailbox = 0x1002'0000;
inline constexpr std::uint64_t perf = 0x1003'0000;
inline constexpr std::uint64_t sram = 0x8000'0000;

/// RTL beside the peripherals: device i at i * rtl_device_size.
inline constexpr std::uint64_t rtl_devices = 0x1800'0000;
inline constexpr std::uint64_t rtl_device_size = 0x10'0000;
inline constexpr unsigned max_rtl_devices = 8;
inline constexpr std::uint64_t rtl_stream_size = 0x1000;  ///< addresses whose writes go into a stream
constexpr std::uint64_t rtl_device(unsigned index) { return rtl_devices + index * rtl_device_size; }

/// Registers of cluster 0; cluster i follows at i * cluster_stride.
inline constexpr std::uint64_t clusters = 0x2000'0000;
inline constexpr std::uint64_t cluster_stride = 0x1'0000;
/// Scratchpad of cluster 0, as other masters see it; cluster i follows at i * scratchpad_stride.
inline constexpr std::uint64_t scratchpads = 0x10'0000'0000;
inline constexpr std::uint64_t scratchpad_stride = 0x1000'0000;
/// The first window of noc.multicast and of noc.reduction; the others follow at window_stride.
inline constexpr std::uint64_t multicasts = 0x50'0000'0000;
/// The registers of the clusters of the first window of noc.multicast; those of the others follow at
/// cluster_stride.
inline constexpr std::uint64_t multicast_register_windows = 0x58'0000'0000;
inline constexpr std::uint64_t reductions = 0x60'0000'0000;
inline constexpr std::uint64_t window_stride = 0x1000'0000;
inline constexpr std::uint64_t hbm = 0x100'0000'0000;

/// What the other devices of a system see of this one: device d at d * device_stride.
inline constexpr std::uint64_t devices = std::uint64_t{1} << 52;
inline constexpr std::uint64_t device_stride = std::uint64_t{1} << 52;
inline constexpr unsigned max_devices = 8;
constexpr std::uint64_t device(unsigned index) { return devices + index * device_stride; }

/// Most clusters that fit between `clusters` and `sram`, with room for their interrupts.
inline constexpr unsigned max_clusters = 1000;

/// Most windows of each kind.
inline constexpr unsigned max_windows = 64;

constexpr std::uint64_t multicast(unsigned index) { return multicasts + index * window_stride; }
constexpr std::uint64_t multicast_registers(unsigned index) {
  return multicast_register_windows + index * cluster_stride;
}
constexpr std::uint64_t reduction(unsigned index) { return reductions + index * window_stride; }
constexpr std::uint64_t cluster_registers(unsigned index) { return clusters + index * cluster_stride; }
constexpr std::uint64_t scratchpad(unsigned index) { return scratchpads + index * scratchpad_stride; }

/// Sources of the interrupt controller.
inline constexpr unsigned uart_interrupt = 1, timer_interrupt = 2, mailbox_interrupt = 3;
inline constexpr unsigned first_rtl_device_interrupt = 8;
constexpr unsigned rtl_device_interrupt(unsigned index) { return first_rtl_device_interrupt + index; }
inline constexpr unsigned first_cluster_interrupt = 16;
constexpr unsigned cluster_interrupt(unsigned index) { return first_cluster_interrupt + index; }

}  // namespace forerun::chip::address_map
