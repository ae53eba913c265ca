// SPDX-License-Identifier: Apache-2.0
/// From the chip's description to the parameters of its blocks: pure functions.
#pragma once

#include "ip/bus/bus.hpp"
#include "ip/cluster/cluster.hpp"
#include "ip/cpu/parameters.hpp"
#include "ip/hbm/parameters.hpp"
#include "ip/intc/clint.hpp"
#include "ip/intc/plic.hpp"
#include "ip/memory/memory.hpp"
#include "ip/noc/noc.hpp"
#include "ip/sysctl/sysctl.hpp"
#include "ip/timer/timer.hpp"
#include "ip/uart/uart.hpp"
#include "platform/chip/chip.hpp"

namespace forerun::soc {

/// Throws std::invalid_argument, naming the field, for a chip that does not fit the address map or that the
/// blocks cannot model:
/// - clusters.count 1 .. max_clusters, clusters.scratchpad.size up to its stride, sram.size 1 .. the
/// scratchpads;
/// - hbm: at least one stack, port and channel; sizes that are cut out of an address are powers of two;
/// - hbm.interleave at least as large as what one transaction may cover (clusters.dma.burst, and 256 bytes of
///   commands), for a transaction cannot go to two ports;
/// - as many load as store channels, 1024 transactions under way per direction at most.
void check_supported(const chip::Chip& chip);

ip::Timing timing(const chip::Chip& chip);
/// A number of cycles of the control CPU.
Time cpu_cycles(const chip::Chip& chip, unsigned cycles);

/// Starts at the boot ROM.
ip::CpuParameters cpu_parameters(const chip::Chip& chip);
/// The bus runs at the CPU's clock and takes 2 cycles to decode and arbitrate.
ip::BusParameters bus_parameters(const chip::Chip& chip);
ip::MemoryParameters sram_parameters(const chip::Chip& chip);
/// The ROM is as much larger than the chip says as the device tree behind the boot code needs, in whole pages
/// of 4 KiB so that the CPU can reach all of it directly.
ip::MemoryParameters boot_rom_parameters(const chip::Chip& chip, std::uint64_t device_tree);
/// Where the device tree lies: behind the boot code in the ROM, 8-byte aligned.
std::uint64_t device_tree_address(const chip::Chip& chip);
ip::UartParameters uart_parameters(const chip::Chip& chip);
ip::ClintParameters clint_parameters(const chip::Chip& chip);
ip::PlicParameters plic_parameters(const chip::Chip& chip);
ip::TimerParameters timer_parameters(const chip::Chip& chip);
ip::SysctlParameters sysctl_parameters(const chip::Chip& chip);
ip::NocParameters noc_parameters(const chip::Chip& chip, const chip::Grid& grid);
ip::hbm::Parameters hbm_parameters(const chip::Chip& chip, unsigned stack);
/// The channels of a direction work on one command together: they are modelled as one with all their
/// transactions.
ip::ClusterParameters cluster_parameters(const chip::Chip& chip, unsigned index);

}  // namespace forerun::soc
