// SPDX-License-Identifier: Apache-2.0
#include "ip/sysctl/sysctl.hpp"

#include <algorithm>

#include "firmware/abi/registers.h"

namespace forerun::ip {

Sysctl::Sysctl(const sc_core::sc_module_name& name, const SysctlParameters& parameters)
    : sc_module(name),
      socket("socket"),
      cluster_reset("cluster_reset", std::min(parameters.clusters, 64u)),
      boot_address_(parameters.boot_address) {
  socket.register_b_transport(this, &Sysctl::b_transport);
  socket.register_transport_dbg(this, &Sysctl::transport_dbg);
  FR_SYSCTL_REGISTERS(FORERUN_ADD_REGISTER)
  const auto constant = [this](std::uint32_t offset, std::uint64_t value) {
    registers_.on_read(offset, [value](bool) { return value; });
  };
  constant(FR_SYSCTL_CLUSTERS, parameters.clusters);
  constant(FR_SYSCTL_DEVICE_TREE, parameters.device_tree);
  constant(FR_SYSCTL_CPU_HZ, static_cast<std::uint64_t>(parameters.cpu.hertz));
  constant(FR_SYSCTL_TIMEBASE_HZ, static_cast<std::uint64_t>(parameters.timebase.hertz));
  constant(FR_SYSCTL_CLUSTER_HZ, static_cast<std::uint64_t>(parameters.cluster.hertz));
  registers_.set(FR_SYSCTL_BOOT_ADDRESS, boot_address_);
  registers_.on_write(FR_SYSCTL_CLUSTER_RESET, [this](std::uint64_t value) {
    for (std::size_t i = 0; i < cluster_reset.size(); ++i) cluster_reset[i].set((value >> i & 1) != 0);
    return true;
  });
  registers_.on_write(FR_SYSCTL_EXIT, [this](std::uint64_t value) {
    if (on_exit) on_exit(static_cast<int>(value & 0xff));
    return true;
  });
  registers_.on_write(FR_SYSCTL_RESET, [this](std::uint64_t value) {
    if (value != 1) return false;
    const auto scratch = registers_.get(FR_SYSCTL_SCRATCH);
    reset();
    registers_.set(FR_SYSCTL_BOOT_ADDRESS, boot_address_);
    registers_.set(FR_SYSCTL_SCRATCH, scratch);
    ++resets;
    if (on_reset) on_reset();
    return true;
  });
}

void Sysctl::set_boot_address(std::uint64_t address) {
  boot_address_ = address;
  registers_.set(FR_SYSCTL_BOOT_ADDRESS, address);
}

void Sysctl::reset() {
  registers_.reset();
  for (auto& line : cluster_reset) line.set(false);
}

void Sysctl::b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time&) { registers_.access(payload); }

}  // namespace forerun::ip
