// SPDX-License-Identifier: Apache-2.0
/// A small computer around the CPU, with the memory map of QEMU's `virt` as far as the test programs use it.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <cstdint>
#include <string>
#include <systemc>

#include "ip/bus/bus.hpp"
#include "ip/cpu/cpu.hpp"
#include "ip/intc/clint.hpp"
#include "ip/intc/plic.hpp"
#include "ip/memory/memory.hpp"
#include "platform/sim/elf.hpp"

namespace forerun::ip::test {

/// A device of one register at offset 0, which calls functions.
class Device : public sc_core::sc_module {
 public:
  explicit Device(const sc_core::sc_module_name& name) : sc_module(name), socket("socket") {
    socket.register_b_transport(this, &Device::b_transport);
    socket.register_transport_dbg(this, &Device::transport_dbg);
  }
  tlm_utils::simple_target_socket<Device> socket;
  std::function<std::uint64_t(std::uint64_t offset, sc_core::sc_time& delay)> on_read;
  std::function<void(std::uint64_t offset, std::uint64_t value, sc_core::sc_time& delay)> on_write;

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    std::uint64_t value = 0;
    if (payload.is_read()) {
      value = on_read ? on_read(payload.get_address(), delay) : 0;
      std::memcpy(payload.get_data_ptr(), &value, payload.get_data_length());
    } else {
      std::memcpy(&value, payload.get_data_ptr(), payload.get_data_length());
      if (on_write) on_write(payload.get_address(), value, delay);
    }
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }
  unsigned transport_dbg(tlm::tlm_generic_payload&) { return 0; }
};

/// RAM without DMI, with a latency.
class SlowMemory : public sc_core::sc_module {
 public:
  SlowMemory(const sc_core::sc_module_name& name, std::uint64_t size, sc_core::sc_time latency)
      : sc_module(name), socket("socket"), bytes(size), latency_(latency) {
    socket.register_b_transport(this, &SlowMemory::b_transport);
    socket.register_transport_dbg(this, &SlowMemory::transport_dbg);
  }
  tlm_utils::simple_target_socket<SlowMemory> socket;
  std::vector<unsigned char> bytes;
  bool waits = false;  ///< lets simulated time pass instead of annotating it

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_core::sc_time& delay) {
    if (waits) {
      sc_core::wait(delay + latency_);
      delay = sc_core::SC_ZERO_TIME;
    } else {
      delay += latency_;
    }
    transport_dbg(payload);
  }
  unsigned transport_dbg(tlm::tlm_generic_payload& payload) {
    const auto at = payload.get_address();
    if (at + payload.get_data_length() > bytes.size()) {
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return 0;
    }
    if (payload.is_read())
      std::memcpy(payload.get_data_ptr(), &bytes[at], payload.get_data_length());
    else
      std::memcpy(&bytes[at], payload.get_data_ptr(), payload.get_data_length());
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    return payload.get_data_length();
  }
  sc_core::sc_time latency_;
};

/// CPU, RAM, CLINT, PLIC, a console that keeps what is written, and devices of the test's own.
class Machine : public sc_core::sc_module {
 public:
  static constexpr std::uint64_t ram_base = 0x8000'0000, ram_size = 64 << 20;
  static constexpr std::uint64_t slow_base = 0x9000'0000, slow_size = 1 << 20;
  static constexpr std::uint64_t alarm_base = 0x1100'0000;

  static CpuParameters defaults() {
    CpuParameters p;
    p.reset_vector = ram_base;
    return p;
  }

  explicit Machine(const sc_core::sc_module_name& name, const CpuParameters& parameters = defaults())
      : sc_module(name),
        cpu("cpu", parameters),
        bus("bus", {}),
        ram("ram", {Bytes{ram_size}, {}, false}),
        slow("slow", slow_size, sc_core::sc_time(37, sc_core::SC_NS)),
        clint("clint", {}),
        plic("plic", {}),
        console("console"),
        finisher("finisher"),
        alarm("alarm") {
    cpu.bus.bind(bus.socket);
    bus.map(ram_base, ram_size).bind(ram.socket);
    bus.map(slow_base, slow_size).bind(slow.socket);
    bus.map(0x200'0000, 0x1'0000).bind(clint.socket);
    bus.map(0xc00'0000, 0x400'0000).bind(plic.socket);
    bus.map(0x1000'0000, 0x100).bind(console.socket);
    bus.map(0x10'0000, 0x1000).bind(finisher.socket);
    bus.map(alarm_base, 0x1000).bind(alarm.socket);
    clint.software.bind(cpu.machine_software);
    clint.timer.bind(cpu.machine_timer);
    plic.machine.bind(cpu.machine_external);
    plic.supervisor.bind(cpu.supervisor_external);
    alarm_line.bind(plic.source(1));
    reset.bind(cpu.reset_line);
    cpu.time_source = [this](const sc_core::sc_time& delay) { return clint.mtime(delay); };
    console.on_read = [](std::uint64_t offset, sc_core::sc_time&) -> std::uint64_t {
      return offset == 5 ? 0x60 : 0;
    };
    console.on_write = [this](std::uint64_t offset, std::uint64_t value, sc_core::sc_time&) {
      if (offset == 0) output.push_back(static_cast<char>(value));
    };
    finisher.on_write = [this](std::uint64_t, std::uint64_t value, sc_core::sc_time& delay) {
      finished = true;
      exit_code = static_cast<unsigned>(value >> 16);
      finish_time = sc_core::sc_time_stamp() + delay;
      finish_instructions = cpu.instructions.value();
      finish_cycles = cpu.cycles.value();
      sc_core::sc_stop();
    };
    // A write of n raises the line n nanoseconds later; a write of 0 lowers it.
    alarm.on_write = [this](std::uint64_t, std::uint64_t value, sc_core::sc_time& delay) {
      if (value == 0) return alarm_line.set(false);
      alarm_due_.notify(delay + sc_core::sc_time(static_cast<double>(value), sc_core::SC_NS));
    };
    sc_core::sc_spawn_options options;
    options.spawn_method();
    options.set_sensitivity(&alarm_due_);
    options.dont_initialize();
    sc_core::sc_spawn([this] { alarm_line.set(true); }, "alarm_due", &options);
  }

  /// Loads a program, before the simulation starts or later.
  void load(const std::string& path) {
    symbols = sim::ElfProgram::read(path);
    symbols->load([this](std::uint64_t address, std::span<const std::byte> bytes) {
      return write(address, bytes.data(), bytes.size());
    });
  }
  std::uint64_t symbol(const std::string& name) const { return symbols->symbol(name).value(); }
  bool write(std::uint64_t address, const void* data, std::size_t bytes) {
    if (started_) return debug(tlm::TLM_WRITE_COMMAND, address, const_cast<void*>(data), bytes);
    const auto* const from = static_cast<const unsigned char*>(data);
    early_.push_back({address, {from, from + bytes}});
    return true;
  }
  std::uint64_t read64(std::uint64_t address) {
    std::uint64_t value = 0;
    debug(tlm::TLM_READ_COMMAND, address, &value, 8);
    return value;
  }
  /// Runs until the program ends, at most for a time.
  void run(const sc_core::sc_time& longest = sc_core::sc_time(10, sc_core::SC_SEC)) {
    sc_core::sc_start(longest);
  }

  Cpu cpu;
  Bus bus;
  Memory ram;
  SlowMemory slow;
  Clint clint;
  Plic plic;
  Device console, finisher, alarm;
  LevelOut alarm_line{"alarm_line"}, reset{"reset"};

  std::string output;
  bool finished = false;
  unsigned exit_code = 0;
  sc_core::sc_time finish_time;
  std::uint64_t finish_instructions = 0, finish_cycles = 0;
  std::optional<sim::ElfProgram> symbols;

 private:
  bool debug(tlm::tlm_command command, std::uint64_t address, void* data, std::size_t bytes) {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(static_cast<unsigned char*>(data));
    payload.set_data_length(static_cast<unsigned>(bytes));
    payload.set_streaming_width(static_cast<unsigned>(bytes));
    return cpu.bus->transport_dbg(payload) == bytes;
  }
  void start_of_simulation() override {
    started_ = true;
    for (auto& [address, data] : early_) debug(tlm::TLM_WRITE_COMMAND, address, data.data(), data.size());
    early_.clear();
  }

  sc_core::sc_event alarm_due_;
  bool started_ = false;
  std::vector<std::pair<std::uint64_t, std::vector<unsigned char>>>
      early_;  // to be written when the sockets are bound
};

}  // namespace forerun::ip::test
