// SPDX-License-Identifier: Apache-2.0
/// From the chip's description to the parameters of its blocks: pure functions.
#pragma once

#include "ip/bus/bus.hpp"
#include "ip/cluster/cluster.hpp"
#include "ip/cpu/parameters.hpp"
#include "ip/hbm/parameters.hpp"
#include "ip/intc/clint.hpp"
#include "ip/intc/plic.hpp"
#include "ip/link/link.hpp"
#include "ip/mailbox/mailbox.hpp"
#include "ip/memory/memory.hpp"
#include "ip/noc/noc.hpp"
#include "ip/sysctl/sysctl.hpp"
#include "ip/timer/timer.hpp"
#include "ip/uart/uart.hpp"
#include "platform/chip/chip.hpp"

namespace forerun::soc {

/// Throws std::invalid_argument for a chip, made in whatever way, that a chip file may not say: a number that
/// breaks its rule (platform/chip/keys.hpp) or a conflict (platform/chip/checks.hpp). Names the key.
void check(const chip::Chip& chip);

ip::Timing timing(const chip::Chip& chip);
/// A number of cycles of the control CPU.
Time cpu_cycles(const chip::Chip& chip, unsigned cycles);

/// Starts at the boot ROM.
ip::CpuParameters cpu_parameters(const chip::Chip& chip);
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
ip::MailboxParameters mailbox_parameters(const chip::Chip& chip);
ip::TimerParameters timer_parameters(const chip::Chip& chip);
ip::SysctlParameters sysctl_parameters(const chip::Chip& chip);
/// A tile's side of the network: its clock (where crossings are modelled) and class of service.
ip::noc::EndpointParameters noc_endpoint(const chip::Chip& chip, Frequency clock, unsigned priority = 0);
ip::NocParameters noc_parameters(const chip::Chip& chip, const chip::Grid& grid);
ip::hbm::Parameters hbm_parameters(const chip::Chip& chip, unsigned stack);
ip::ClusterParameters cluster_parameters(const chip::Chip& chip, unsigned index);
/// `symmetric`: only one of the devices is there.
ip::LinkParameters link_parameters(const chip::Chip& chip, bool symmetric);

}  // namespace forerun::soc
