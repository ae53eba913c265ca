// SPDX-License-Identifier: Apache-2.0
/// The device tree by which firmware finds the hardware.
#pragma once

#include <cstdint>
#include <vector>

#include "platform/chip/chip.hpp"

namespace forerun::soc {

/// A flattened device tree (Devicetree Specification 0.4) of the control CPU, the memories, the devices of
/// the control tile and the clusters. Besides the bindings of others (riscv, sifive,clint0,
/// sifive,plic-1.0.0, ns16550a):
/// - forerun,sysctl, forerun,timer, forerun,mailbox, forerun,perf: reg = the registers of
/// firmware/abi/registers.h;
/// - forerun,cluster: reg = registers, scratchpad; forerun,index = the cluster's number; one interrupt;
/// - forerun,multicast, forerun,reduction: a window of the network; label = its name in the chip file, reg =
/// its addresses (of a multicast those of scratchpads and of registers), forerun,clusters = the numbers of
/// its clusters, forerun,element = FR_TYPE_* that is summed.
std::vector<std::uint8_t> make_device_tree(const chip::Chip& chip);

}  // namespace forerun::soc
