// SPDX-License-Identifier: Apache-2.0
/// What is behind Cpu: the hart, its process in SystemC time, its bus accesses and its debug port.
#pragma once

#include <atomic>
#include <unordered_set>
#include <vector>

#include "ip/base/time.hpp"
#include "ip/cpu/cpu.hpp"
#include "ip/cpu/hart.hpp"

namespace forerun::ip {

class Cpu::Core final : public riscv::HartBus, public DebugTarget {
 public:
  Core(Cpu& cpu, const CpuParameters& parameters);

  void run();  ///< the process
  void set_line(unsigned bit, bool level);
  void set_reset(bool level);
  void invalidate(std::uint64_t first, std::uint64_t last);
  /// How far the hart is ahead of simulated time.
  sc_core::sc_time local_offset() const;
  const riscv::Hart& hart() const { return hart_; }

  // The bus, for the hart (core_bus.cpp).
  bool read(std::uint64_t address, void* data, unsigned bytes) override;
  bool write(std::uint64_t address, const void* data, unsigned bytes) override;
  Page page(std::uint64_t address) override;
  bool debug_read(std::uint64_t address, void* data, unsigned bytes) override;
  bool debug_write(std::uint64_t address, const void* data, unsigned bytes) override;
  std::optional<std::uint64_t> time() override;

  // The debugger (debug_port.cpp).
  std::uint64_t read_x(unsigned number) const override { return hart_.state.x[number % 32]; }
  void write_x(unsigned number, std::uint64_t value) override;
  std::uint64_t read_f(unsigned number) const override { return hart_.state.f[number % 32]; }
  void write_f(unsigned number, std::uint64_t value) override { hart_.state.f[number % 32] = value; }
  std::uint64_t read_pc() const override { return hart_.state.pc; }
  void write_pc(std::uint64_t value) override { hart_.state.pc = value & ~std::uint64_t{1}; }
  std::optional<std::uint64_t> read_csr(unsigned number) const override { return hart_.read_csr(number); }
  bool write_csr(unsigned number, std::uint64_t value) override { return hart_.write_csr(number, value); }
  unsigned read_privilege() const override { return static_cast<unsigned>(hart_.state.privilege); }
  void write_privilege(unsigned privilege) override;
  std::size_t read_memory(std::uint64_t address, std::span<std::byte> bytes) override;
  std::size_t write_memory(std::uint64_t address, std::span<const std::byte> bytes) override;
  void insert_breakpoint(std::uint64_t address) override { hart_.code.set_breakpoint(address, true); }
  bool remove_breakpoint(std::uint64_t address) override;
  bool insert_watchpoint(std::uint64_t address, std::uint64_t length, WatchKind kind) override;
  bool remove_watchpoint(std::uint64_t address, std::uint64_t length, WatchKind kind) override;
  void halt() override { halt_requested_ = true; }
  void resume() override { step_requested_ = false; }
  void step() override { step_requested_ = true; }

 private:
  struct Region {
    std::uint64_t first, last;
    unsigned char* host;
    bool covers(std::uint64_t page) const { return page >= first && page + 4095 <= last; }
    bool overlaps(std::uint64_t from, std::uint64_t to) const { return first <= to && from <= last; }
  };

  void slice();
  void sleep();
  void hold_in_reset();
  void synchronise();
  void settle();
  std::uint64_t limit_cycle() const;
  std::uint64_t present_cycle() const;
  void publish();

  bool access(tlm::tlm_command command, std::uint64_t address, void* data, unsigned bytes);
  bool debug_access(tlm::tlm_command command, std::uint64_t address, void* data, unsigned bytes);
  unsigned char* request_dmi(std::vector<Region>& regions, tlm::tlm_command command, std::uint64_t page);

  void debug_requests();
  void stopped(StopReason reason);
  template <typename Byte, typename Transport>
  std::size_t copy_memory(std::uint64_t address, std::span<Byte> bytes, Transport transport);

  Cpu& cpu_;
  Clock clock_;
  sc_core::sc_time quantum_;
  riscv::Hart hart_;
  sc_core::sc_event wake_;
  bool waiting_ = false;  // for wake_
  bool reset_requested_ = false;
  struct Published {
    std::uint64_t instructions = 0, cycles = 0, traps = 0, interrupts = 0, tlb_misses = 0;
  } published_;

  tlm::tlm_generic_payload payload_;
  std::vector<Region> readable_, writable_;
  std::unordered_set<std::uint64_t> refused_;  // pages without DMI

  std::atomic<bool> halt_requested_{false};
  bool step_requested_ = false;
};

}  // namespace forerun::ip
