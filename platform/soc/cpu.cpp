// SPDX-License-Identifier: Apache-2.0
// RTL as the control CPU.
#include "platform/rtl/cpu.hpp"

#include <fmt/format.h>

#include "ip/base/time.hpp"
#include "platform/chip/address_map.hpp"
#include "platform/rtl/cpu_lockstep.hpp"
#include "platform/rtl/lockstep_memory.hpp"
#include "platform/rtl/output_line.hpp"
#include "platform/soc/lockstep_waves.hpp"
#include "platform/soc/parameters.hpp"
#include "platform/soc/soc.hpp"

namespace forerun::soc {

/// mtime, at a delay from now.
std::uint64_t Soc::time_now(const sc_core::sc_time& delay) {
  auto* const clint_rtl = rtl_peripheral("clint");
  if (clint_rtl != nullptr && !clint_rtl->lockstep && clint_rtl->device->has_signal("time"))
    return clint_rtl->device->signal_value("time")[0];
  return clint.mtime(delay);
}

void Soc::put_rtl_into_cpu(const rtl::WaveOptions& waves) {
  const bool lockstep = chip_.cpu.model == chip::CpuModel::lockstep;
  cpu_rtl = rtl::make_device(
      "cpu", rtl::cpu_model(chip_, wave_format(waves, lockstep)),
      {.label = "cpu", .frequency = chip_.cpu.clock, .boundary = boundary(), .waves = waves});
  auto& device = *cpu_rtl;
  rtl::check_cpu(device);
  if (lockstep) {
    cpu_lockstep = std::make_unique<rtl::CpuLockstep>(device, cpu_parameters(chip_));
    cpu_lockstep->place = [this](std::uint64_t address) {
      return place_in_firmware ? place_in_firmware(address) : "";
    };
    cpu_lockstep->on_difference = [this, &device, other_waves = keep_waves(device, waves, Keep::replayed)](
                                      const rtl::Difference& first) { differ(first, device, other_waves); };
  }
  if (device.initiators.size() == 1) {
    device.initiators[0].bridge->socket.bind(bus.socket);
  } else {
    cpu_port_ = std::make_unique<SharedTarget>("cpu_port");
    for (unsigned i = 0; i < 2; ++i) device.initiators[i].bridge->socket.bind(cpu_port_->in[i]);
    cpu_port_->out.bind(bus.socket);
  }
  device.drive_signal("reset_vector", {chip::address_map::boot_rom}, 0);
  if (device.has_signal("mtime"))
    device.provide_signal("mtime", false,
                          [this](std::int64_t) { return rtl::SignalValue{time_now(sc_core::SC_ZERO_TIME)}; });
  const auto line = [&](const char* name, unsigned bit, ip::LevelOut& from) {
    if (!device.has_signal(name)) return;
    cpu_lines_.push_back(std::make_unique<ip::LevelIn>(name, [this, &device, name, bit](bool level) {
      device.drive_signal(name, {level ? 1u : 0u}, ip::now_picoseconds());
      if (cpu_lockstep) cpu_lockstep->set_line(bit, level);
    }));
    from.bind(*cpu_lines_.back());
  };
  namespace bits = ip::riscv::interrupt;
  line("machine_software", bits::machine_software, software_interrupt());
  line("machine_timer", bits::machine_timer, timer_interrupt());
  line("machine_external", bits::machine_external, machine_interrupt());
  line("supervisor_external", bits::supervisor_external, supervisor_interrupt());
}

std::string Soc::describe_cpu_rtl(const std::function<std::string(std::uint64_t)>& at) const {
  auto text = fmt::format("{}: RTL, in cycle {}", cpu_rtl->name(), cpu_rtl->cycles());
  if (cpu_rtl->has_signal("retired_pc"))
    text += fmt::format("; its last instruction was at pc {}", at(cpu_rtl->signal_value("retired_pc")[0]));
  for (const auto& initiator : cpu_rtl->initiators)
    text += fmt::format("\n  last access by its interface {}: address {}", initiator.face->map.name,
                        at(initiator.bridge->last_address()));
  return text + "\n";
}

}  // namespace forerun::soc
