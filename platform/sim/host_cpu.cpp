// SPDX-License-Identifier: Apache-2.0
#include "platform/sim/host_cpu.hpp"

#include <stdexcept>

#include "firmware/hal/host/port.h"

namespace forerun::sim {
namespace {
bool taken = false;
constexpr int stack_bytes = 1 << 20;
constexpr unsigned software_interrupt = 3, timer_interrupt = 7, external_interrupt = 11;
}  // namespace

HostCpu::HostCpu(const sc_core::sc_module_name& name, HostCpuParameters parameters)
    : sc_module(name),
      machine_software("machine_software", [this](bool) { changed_.notify(sc_core::SC_ZERO_TIME); }),
      machine_timer("machine_timer", [this](bool) { changed_.notify(sc_core::SC_ZERO_TIME); }),
      machine_external("machine_external", [this](bool) { changed_.notify(sc_core::SC_ZERO_TIME); }),
      parameters_(std::move(parameters)) {
  if (taken) throw std::logic_error("a second HostCpu: firmware in the simulator's process exists only once");
  taken = true;
  sc_core::sc_spawn_options options;
  options.set_stack_size(stack_bytes);
  sc_core::sc_spawn([this] { run(); }, "program", &options);
}

HostCpu::~HostCpu() { taken = false; }

bool HostCpu::access(tlm::tlm_command command, std::uint64_t address, void* data, unsigned bytes) {
  auto& payload = payload_;
  payload.set_command(command);
  payload.set_address(address);
  payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
  payload.set_data_ptr(static_cast<unsigned char*>(data));
  payload.set_data_length(bytes);
  payload.set_streaming_width(bytes);
  auto delay = sc_core::SC_ZERO_TIME;
  bus->b_transport(payload, delay);
  sc_core::wait(delay);
  return payload.is_response_ok();
}

std::uint32_t HostCpu::lines() const {
  return static_cast<std::uint32_t>(machine_software.level()) << software_interrupt |
         static_cast<std::uint32_t>(machine_timer.level()) << timer_interrupt |
         static_cast<std::uint32_t>(machine_external.level()) << external_interrupt;
}

void HostCpu::halt() {
  halted_ = true;
  for (;;) sc_core::wait(never_);
}

void HostCpu::run() {
  hal_port port{};
  port.context = this;
  port.read = [](void* self, std::uint64_t address, void* data, unsigned bytes) {
    return static_cast<HostCpu*>(self)->access(tlm::TLM_READ_COMMAND, address, data, bytes);
  };
  port.write = [](void* self, std::uint64_t address, const void* data, unsigned bytes) {
    return static_cast<HostCpu*>(self)->access(tlm::TLM_WRITE_COMMAND, address, const_cast<void*>(data),
                                               bytes);
  };
  port.lines = [](void* self) { return static_cast<HostCpu*>(self)->lines(); };
  port.wait = [](void* self) { sc_core::wait(static_cast<HostCpu*>(self)->changed_); };
  port.cycles = [](void* self) {
    const auto& clock = static_cast<HostCpu*>(self)->parameters_.clock;
    return static_cast<std::uint64_t>(sc_core::sc_time_stamp().to_seconds() * clock.hertz);
  };
  port.halt = [](void* self) { static_cast<HostCpu*>(self)->halt(); };
  hal_attach(&port);
  parameters_.program(parameters_.device_tree);
  halt();
}

}  // namespace forerun::sim
